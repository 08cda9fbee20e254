//  owner_publish.h: how the owner of a domain or network publishes a snapshot, so that the host
//  hears of it in the right order.

#ifndef TROUPE_OWNER_PUBLISH_H
#define TROUPE_OWNER_PUBLISH_H

#include "actors/runtime/actor.h"

typedef struct {
    actor_t *actor;
    const char *uuid, *noun; //  "domain", "network"
} owner_t;

//  VERB ("host.filled", "host.empty", "host.ready") to the host, before the answer: it knows it
//  before whoever asked can ask for more.
void owner_tell_host (const owner_t *self, const char *verb);
//  Publishes *SNAPSHOT_P, which is given up. LAST: there is nothing more to say of it, and
//  *SNAPSHOT_P may be NULL. *FILLED, the caller's: the host counts it among those that there are.
void owner_publish (const owner_t *self, msg_t **snapshot_p, bool last, bool *filled);

#endif
