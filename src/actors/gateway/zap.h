//  zap.h: who a peer of our sockets is: ZeroMQ's authentication requests (rfc.zeromq.org/spec/27),
//  which libzmq sends for each connection to a socket that has a ZAP domain. It has to run before
//  such a socket is bound; without its word a connection has no User-Id, and is refused.

#ifndef TROUPE_ZAP_H
#define TROUPE_ZAP_H

#include "actors/runtime/actor.h"
#include "client/keys.h"
#include "msg/verbs.h"

//  The domain of our ipc sockets. There libzmq gives "HOST:UID:GID:PID" as a peer's address, as
//  the kernel knew it when the peer connected (SO_PEERCRED). Only there: an address of another
//  transport might look the same.
#define ZAP_DOMAIN_IPC "ipc"
//  And of the socket for other hosts, who prove that they have a key that we know (keys.h).
#define ZAP_DOMAIN_TCP "tcp"

//  The User-Id that each message of a peer carries: "UID:GID:PID" of a process of this host,
//  "key:N:ROLE:NAME:KEY" of another host, N being how often a key was taken from someone before.
enum {
    USER_ID_SIZE = 128
};

typedef struct {
    uint32_t uid, gid;
    int32_t pid;
    char key[KEY_NAME_SIZE]; //  the name of its key; "": a process of this host, as above
    access_t most;           //  what the key is good for
} peer_t;

bool peer_from_user_id (const char *user_id, peer_t *peer);

//  Once a second it looks whether the keys that it let in are still known, and for the same, and
//  tells the gateway of each that is not: `key.revoked` {user_id}. Connections that are made when
//  it is known again have another User-Id.
//
//  The gateway tells it of each key that asks something: `key.used` {user_id}; and of all that
//  have, when a new one has started: `keys.wanted`. So those that an earlier one let in are looked
//  after.

extern const actor_class_t zap_class;

#endif
