//  container_clone.h: a child of this process that is elsewhere, by way of a helper that goes there
//  and ends: this process, which has one thread and only one place, stays where it is.

#ifndef TROUPE_CONTAINER_CLONE_H
#define TROUPE_CONTAINER_CLONE_H

#include "util/error.h"

#include <sys/types.h>

//  Runs in the helper, which will tell of the child by the descriptor REPORT: enters namespaces. -1
//  and ERR.
typedef int container_place_fn (const void *arg, int report, error_t *err);

//  As fork, after PLACE, with the namespaces of FLAGS (CLONE_NEWPID, ...) new. -1 and ERR: there is
//  no child.
pid_t container_clone (container_place_fn *place, const void *arg, unsigned long flags,
                       error_t *err);

//  Until PID is over, which is a child.
void container_await (pid_t pid);

#endif
