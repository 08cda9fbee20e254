//  owner_events.h: the events that an owner's next snapshot will carry inside.

#ifndef TROUPE_OWNER_EVENTS_H
#define TROUPE_OWNER_EVENTS_H

#include "msg/pack.h"

#include <stdbool.h>

//  Zeroed: there are none.
typedef struct {
    pack_t pack; //  an open array, if there are any
    bool any;
} owner_events_t;

//  Where the next event, a map {verb, args}, is to be written.
pack_t *owner_events_add (owner_events_t *self);
//  The key "events", with all of them; afterwards there are none.
void owner_events_take (owner_events_t *self, pack_t *pack);
void owner_events_close (owner_events_t *self);

#endif
