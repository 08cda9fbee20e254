//  owner_events.c: see owner_events.h.

#include "actors/domain/owner_events.h"

pack_t *owner_events_add (owner_events_t *self)
{
    if (!self->any) {
        pack_init (&self->pack);
        pack_array (&self->pack);
        self->any = true;
    }
    return &self->pack;
}

void owner_events_take (owner_events_t *self, pack_t *pack)
{
    owner_events_add (self);
    pack_end (&self->pack);
    pack_key (pack, "events");
    pack_packed (pack, self->pack.bytes, self->pack.size);
    owner_events_close (self);
}

void owner_events_close (owner_events_t *self)
{
    if (self->any)
        pack_close (&self->pack);
    self->any = false;
}
