//  ring.c: see ring.h.

#include "actors/runtime/ring.h"

#include "util/text.h"

#include <assert.h>
#include <string.h>

void ring_open (ring_t *self, size_t room)
{
    memset (self, 0, sizeof *self);
    self->data = memory_new (room, 1);
    self->room = room;
}

void ring_close (ring_t *self)
{
    free (self->data);
    memset (self, 0, sizeof *self);
}

size_t ring_space (const ring_t *self)
{
    return self->room - self->count;
}

size_t ring_count (const ring_t *self)
{
    return self->count;
}

static size_t least (size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t ring_write (ring_t *self, const void *bytes, size_t size)
{
    size = least (size, ring_space (self));
    if (size == 0)
        return 0;
    size_t end = (self->begin + self->count) % self->room;
    size_t first = least (size, self->room - end);
    memcpy (self->data + end, bytes, first);
    memcpy (self->data, (const char *) bytes + first, size - first);
    self->count += size;
    return size;
}

const void *ring_peek (const ring_t *self, size_t max, size_t *size)
{
    *size = least (max, least (self->count, self->room - self->begin));
    return self->data + self->begin;
}

void ring_drop (ring_t *self, size_t size)
{
    assert (size <= self->count);
    self->begin = (self->begin + size) % self->room;
    self->count -= size;
}
