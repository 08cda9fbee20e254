//  message.h: what a client receives: an answer, an event, or a notice of the library itself.

#ifndef TROUPE_CLIENT_MESSAGE_H
#define TROUPE_CLIENT_MESSAGE_H

#include "client/public.h"
#include "util/auto.h"

struct troupe_message {
    troupe_kind_t kind;
    uint64_t id;
    char verb[64];
    const value_t *value;
    document_t *document;
    error_t error;
    troupe_message_t *next; //  in a queue
};

//  A frame from the daemon. NULL with ERR_OK for a kind that this library does not know; NULL with
//  ERR_RPC for bytes that are no message.
troupe_message_t *message_parse (const void *bytes, size_t size, error_t *err);
//  The answer that the library itself gives.
troupe_message_t *message_failure (uint64_t id, const char *verb, const error_t *error);
troupe_message_t *message_notice (const char *verb);
DEFINE_AUTO (troupe_message_t, troupe_message_destroy)

//  First come, first served. It owns what is in it.
typedef struct {
    troupe_message_t *first, *last;
    size_t count;
} queue_t;

void queue_put (queue_t *self, troupe_message_t *message);
troupe_message_t *queue_take (queue_t *self); //  NULL: it is empty
//  The answer to request ID, from anywhere in the queue.
troupe_message_t *queue_take_answer (queue_t *self, uint64_t id);
//  Makes room: the oldest event or notice goes. False if there is none.
bool queue_drop_event (queue_t *self);

#endif
