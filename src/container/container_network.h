//  container_network.h: a container's network namespace. It is the supervisor's, too: so it stays,
//  with its links and their addresses, when the container reboots.

#ifndef TROUPE_CONTAINER_NETWORK_H
#define TROUPE_CONTAINER_NETWORK_H

#include "container/container_spec.h"

//  Moves this process into a new one, where the loopback link is up.
int container_network_make (error_t *err);
//  The same for one that this process was moved into.
int container_network_open (error_t *err);
//  Brings the spec's links up, which the daemon moved in. FIRST: they all have to be there; later
//  the container may have renamed or removed them.
int container_network_up (const container_spec_t *spec, bool first, error_t *err);

#endif
