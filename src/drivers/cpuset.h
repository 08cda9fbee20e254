//  cpuset.h: which of the host's cpus a guest's threads may run on.

#ifndef TROUPE_CPUSET_H
#define TROUPE_CPUSET_H

#include "util/error.h"

#include <sched.h>
#include <sys/types.h>

//  Reads libvirt's form, "1-4,^3,6". ERR_XML_ERROR if TEXT is none, or names no cpu at all.
int cpuset_parse (const char *text, cpu_set_t *cpus, error_t *err);
//  As the kernel lists them, "1-2,4,6"; the caller frees it.
char *cpuset_text (const cpu_set_t *cpus);

//  Lets PID run on these only; its threads and children inherit that. PID is a child that waits for
//  job_go, so its number can't be another's. ERR_CONFIG_UNSUPPORTED if the host has none of them.
int cpuset_apply (const char *text, pid_t pid, error_t *err);

#endif
