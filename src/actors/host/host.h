//  host.h: the root actor: the registry of names, uuids and ids; it starts, watches and restarts
//  the others.

#ifndef TROUPE_HOST_H
#define TROUPE_HOST_H

#include "actors/config.h"

//  Start arguments: config. SIGTERM and SIGINT, which main has blocked, end it.
extern const actor_class_t host_class;

#endif
