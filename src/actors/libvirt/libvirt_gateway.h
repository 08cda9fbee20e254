//  libvirt_gateway.h: libvirt's RPC on UNIX sockets, for libvirt's own clients (virsh and all that
//  uses libvirt's library): RUN/libvirt-sock and RUN/libvirt-sock-ro. It owns those sockets, each
//  client's connection, and a view of all domains and networks of its own.
//
//  A procedure is served by a row (rpc_rows.h), which maps it to a verb of msg/verbs.def.
//
//  Messages that it takes: `gateway.idle`, as zmq_gateway answers it.

#ifndef TROUPE_LIBVIRT_GATEWAY_H
#define TROUPE_LIBVIRT_GATEWAY_H

#include "actors/runtime/actor.h"

#define LIBVIRT_GATEWAY_ADDRESS "libvirt_gateway"

extern const actor_class_t libvirt_gateway_class;

#endif
