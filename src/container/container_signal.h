//  container_signal.h: sends a signal to any process of the container.

#ifndef TROUPE_CONTAINER_SIGNAL_H
#define TROUPE_CONTAINER_SIGNAL_H

#include "util/error.h"

#include <sys/types.h>

//  PID is what the process is called in the pid namespace of INIT, our child. NUMBER 0: only looks
//  whether it is there. ERR_INVALID_ARG: there is none.
int container_signal (pid_t init, pid_t pid, int number, error_t *err);

#endif
