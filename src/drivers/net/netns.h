//  netns.h: network namespaces, opened so that exactly the one that was meant is used
//  (network_namespaces(7)).

#ifndef TROUPE_NETNS_H
#define TROUPE_NETNS_H

#include "util/error.h"

#include <stdint.h>
#include <sys/types.h>

//  A descriptor, which the caller closes, of the network namespace bound to PATH, below /run or
//  /proc: nothing there can keep us waiting. -1 if it is none.
int netns_open (const char *path, error_t *err);

//  The kernel finds a namespace by the pid of one that is in it, which needs no right to look into
//  that process. -1 if the PROCESS (PID:START:BOOTID) is over.
int netns_of_process (const char *process, pid_t *pid, error_t *err);

//  What tells the caller's own one from others of this host: 0 where there is no /proc.
uint64_t netns_own (void);

#endif
