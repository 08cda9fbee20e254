//  view.h: what a gateway knows of domains and networks: what their owners published. Each gateway
//  has a view of its own, which its subscriptions keep up to date.

#ifndef TROUPE_VIEW_H
#define TROUPE_VIEW_H

#include "actors/gateway/networks.h"
#include "actors/gateway/snapshots.h"
#include "actors/runtime/actor.h"

//  One event that came inside of a snapshot, which has been applied.
typedef struct {
    const char *uuid;   //  the domain's or network's
    const char *driver; //  the domain's; NULL: of a network
    const char *verb;
    const value_t *args;
} view_event_t;

typedef void (view_event_fn) (actor_t *self, const view_event_t *event);

typedef struct {
    snapshots_t *snapshots;
    networks_t *networks;
    view_event_fn *on_event;
} view_t;

//  Subscribes to all domains and networks. SELF->ON_EVENT is called in ACTOR. SELF has to stay
//  where it is.
void view_open (view_t *self, actor_t *actor, view_event_fn *on_event);
void view_close (view_t *self);
//  The answer to `gateway.idle`: {idle_ms, sessions, active (domains and networks)}.
msg_t *view_idle (const view_t *self, int64_t idle_ms, uint64_t sessions);

#endif
