//  peer.h: owns the connection to another troupe daemon, as a client of it, for the job that made
//  it: `peer/UUID/NUMBER`. It is spawned with {owner, endpoint, keys (the folder: client/keys.h)},
//  ends with its owner, and is asked
//
//      peer.call {verb, args, deadline_ms}    the other daemon's answer: its result, or its error
//
//  ERR_NO_CONNECT when nobody listens there, or the connection was lost before the answer came:
//  then nobody knows whether it was carried out.

#ifndef TROUPE_PEER_H
#define TROUPE_PEER_H

#include "actors/runtime/actor.h"

extern const actor_class_t peer_class;

#endif
