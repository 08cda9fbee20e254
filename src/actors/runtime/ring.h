//  ring.h: bytes that wait, in a buffer of fixed size.

#ifndef TROUPE_RING_H
#define TROUPE_RING_H

#include <stddef.h>

typedef struct {
    char *data;
    size_t room, begin, count;
} ring_t;

void ring_open (ring_t *self, size_t room);
void ring_close (ring_t *self);

size_t ring_space (const ring_t *self);
size_t ring_count (const ring_t *self);
//  Takes as many bytes as there is space for, and says how many.
size_t ring_write (ring_t *self, const void *bytes, size_t size);
//  The first bytes that wait: as many as stand together, and at most MAX. Valid until the next
//  call; ring_drop takes them out.
const void *ring_peek (const ring_t *self, size_t max, size_t *size);
void ring_drop (ring_t *self, size_t size);

#endif
