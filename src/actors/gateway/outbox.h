//  outbox.h: frames for one client that ZeroMQ does not take at the moment, because the client does
//  not read. A frame may carry a stream's message that is acknowledged once it left.

#ifndef TROUPE_OUTBOX_H
#define TROUPE_OUTBOX_H

#include "msg/msg.h"

typedef struct outbox_item {
    struct outbox_item *next;
    char *bytes;
    size_t size;
    msg_t *held; //  NULL, or the stream's message
    int fd;      //  -1, or a descriptor that goes with it, and is its own
} outbox_item_t;

//  Zeroed: empty.
typedef struct {
    outbox_item_t *first, *last;
    size_t bytes;
} outbox_t;

//  Takes over BYTES (which malloc made) and *HELD_P.
void outbox_add (outbox_t *self, char *bytes, size_t size, msg_t **held_p);
//  The first, which now is the caller's; NULL if there is none.
outbox_item_t *outbox_take (outbox_t *self);
void outbox_item_destroy (outbox_item_t **self_p);

#endif
