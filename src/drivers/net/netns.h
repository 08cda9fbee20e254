//  netns.h: network namespaces, opened so that exactly the one that was meant is used
//  (network_namespaces(7)).

#ifndef TROUPE_NETNS_H
#define TROUPE_NETNS_H

#include "util/error.h"

#include <stdint.h>

//  A descriptor, which the caller closes, of the network namespace of PROCESS (PID:START:BOOTID),
//  or else of the one bound to PATH, below /run or /proc: nothing there can keep us waiting. -1 if
//  the process is over, or it is none.
int netns_open (const char *process, const char *path, error_t *err);

//  What tells the caller's own one from others of this host: 0 where there is no /proc.
uint64_t netns_own (void);

#endif
