//  zap.h: who a peer of our sockets is: ZeroMQ's authentication requests (rfc.zeromq.org/spec/27),
//  which libzmq sends for each connection to a socket that has a ZAP domain. It has to run before
//  such a socket is bound; without its word a connection has no User-Id, and is refused.

#ifndef TROUPE_ZAP_H
#define TROUPE_ZAP_H

#include "actors/actor.h"

//  The domain of our ipc sockets. There libzmq gives "HOST:UID:GID:PID" as a peer's address, as
//  the kernel knew it when the peer connected (SO_PEERCRED). Only there: an address of another
//  transport might look the same, so other domains are refused.
#define ZAP_DOMAIN_IPC "ipc"

//  "UID:GID:PID": the User-Id that each message of such a peer carries.
typedef struct {
    uint32_t uid, gid;
    int32_t pid;
} peer_t;

bool peer_from_user_id (const char *user_id, peer_t *peer);

extern const actor_class_t zap_class;

#endif
