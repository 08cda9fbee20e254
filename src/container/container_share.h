//  container_share.h: namespaces of others (libvirt's <lxc:namespace>) that a container is in.
//
//  The supervisor enters them, so each init of the container is born there, whatever becomes of
//  those whose they were: a namespace stays while anybody is in it, and goes with the last.

#ifndef TROUPE_CONTAINER_SHARE_H
#define TROUPE_CONTAINER_SHARE_H

#include "container/container_spec.h"

//  Moves this process, which has one thread, into all that the spec shares. -1 and ERR: it may be
//  in some of them.
int container_share_enter (const container_spec_t *spec, error_t *err);

#endif
