//  history.c: see history.h.

#include "actors/gateway/history.h"

#include "util/text.h"

#include <stdio.h>
#include <string.h>

struct history {
    history_event_t ring[HISTORY_MAX_EVENTS]; //  event SEQ is at SEQ modulo its size
    uint64_t first, last;                     //  those that are kept; first > last: none
    size_t bytes;
};

history_t *history_new (void)
{
    history_t *self = memory_new (1, sizeof *self);
    self->first = 1;
    return self;
}

static history_event_t *slot_of (history_t *self, uint64_t seq)
{
    return &self->ring[seq % HISTORY_MAX_EVENTS];
}

static void drop_first (history_t *self)
{
    history_event_t *event = slot_of (self, self->first++);
    self->bytes -= event->size;
    free (event->bytes);
    *event = (history_event_t){ 0 };
}

void history_destroy (history_t **self_p)
{
    history_t *self = take (self_p);
    if (!self)
        return;
    while (self->first <= self->last)
        drop_first (self);
    free (self);
}

uint64_t history_last (const history_t *self)
{
    return self->last;
}

static bool is_full (const history_t *self, size_t more)
{
    return self->last - self->first + 1 >= HISTORY_MAX_EVENTS ||
           self->bytes + more > HISTORY_MAX_BYTES;
}

void history_add (history_t *self, const char *uuid, const char *verb, const char *bytes,
                  size_t size)
{
    while (self->first <= self->last && is_full (self, size))
        drop_first (self);
    history_event_t *event = slot_of (self, ++self->last);
    event->seq = self->last;
    snprintf (event->uuid, sizeof event->uuid, "%s", uuid);
    snprintf (event->verb, sizeof event->verb, "%s", verb);
    event->bytes = text_copy_bytes (bytes, size);
    event->size = size;
    self->bytes += size;
}

bool history_has_since (const history_t *self, uint64_t seq)
{
    return seq <= self->last && seq + 1 >= self->first;
}

const history_event_t *history_at (const history_t *self, uint64_t seq)
{
    if (seq < self->first || seq > self->last)
        return NULL;
    return &self->ring[seq % HISTORY_MAX_EVENTS];
}
