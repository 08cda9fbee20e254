//  host_cpus.h: the processors of this machine and what they did, read from /proc/stat and
//  /sys/devices/system/cpu, which answer without waiting. ROOT goes before each path: "", but for
//  tests.

#ifndef TROUPE_HOST_CPUS_H
#define TROUPE_HOST_CPUS_H

#include "util/error.h"

#include <stdint.h>

//  Since the machine was started, as proc(5) explains it: system is what the kernel did, interrupts
//  included.
typedef struct {
    uint64_t user_ns, system_ns, idle_ns, iowait_ns;
} host_cpu_times_t;

enum {
    HOST_ALL_CPUS = -1
};

//  Of one CPU, or of all together. ERR_INVALID_ARG: no such CPU is online.
int host_cpu_times (const char *root, int64_t cpu, host_cpu_times_t *times, error_t *err);

//  A character for each CPU: 'y' if it is online, '-' if it is not, or is not there. *PRESENT and
//  *ONLINE count them. The caller frees it; NULL and ERR.
char *host_cpu_map (const char *root, unsigned *present, unsigned *online, error_t *err);

//  The same of a list as the kernel writes it, "0-3,8": 'y' for what is in it. *COUNT is how many.
//  The caller frees it.
char *host_list_map (const char *list, unsigned *count);

#endif
