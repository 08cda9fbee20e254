//  outbox.c: frames for one client that wait until it reads.

#include "actors/gateway/outbox.h"

#include "util/text.h"

#include <unistd.h>

void outbox_add (outbox_t *self, char *bytes, size_t size, msg_t **held_p)
{
    outbox_item_t *item = memory_new (1, sizeof *item);
    item->bytes = bytes;
    item->size = size;
    item->fd = -1;
    item->held = held_p ? take (held_p) : NULL;
    if (self->last)
        self->last->next = item;
    else
        self->first = item;
    self->last = item;
    self->bytes += size;
}

outbox_item_t *outbox_take (outbox_t *self)
{
    outbox_item_t *item = self->first;
    if (!item)
        return NULL;
    self->first = item->next;
    if (!self->first)
        self->last = NULL;
    self->bytes -= item->size;
    return item;
}

void outbox_item_destroy (outbox_item_t **self_p)
{
    outbox_item_t *self = take (self_p);
    if (!self)
        return;
    if (self->fd >= 0)
        close (self->fd);
    free (self->bytes);
    msg_destroy (&self->held);
    free (self);
}
