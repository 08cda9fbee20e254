//  history.h: the newest events, numbered, for clients that missed some. Pure: no sockets, no
//  messages.
//
//  Numbers go up by one from 1 within an epoch, a random word that each start of a gateway chooses:
//  so a client can't take the numbers of another daemon for a continuation of those it knows.

#ifndef TROUPE_HISTORY_H
#define TROUPE_HISTORY_H

#include "util/auto.h"
#include "util/uuid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HISTORY_MAX_EVENTS 4096
#define HISTORY_MAX_BYTES (4u << 20)
#define HISTORY_VERB_MAX 32 //  bytes of the name of an event

//  One event as it was sent.
typedef struct {
    uint64_t seq;
    char uuid[UUID_TEXT_SIZE]; //  of its domain
    char verb[HISTORY_VERB_MAX];
    char *bytes;
    size_t size;
} history_event_t;

typedef struct history history_t;

history_t *history_new (void);
void history_destroy (history_t **self_p);
DEFINE_AUTO (history_t, history_destroy)

//  The number of the last event; 0 if there was none.
uint64_t history_last (const history_t *self);
//  Keeps event history_last + 1, and drops the oldest ones that are too many. BYTES are copied.
void history_add (history_t *self, const char *uuid, const char *verb, const char *bytes,
                  size_t size);
//  Are all events after number SEQ still there? Not those of the future.
bool history_has_since (const history_t *self, uint64_t seq);
//  Event number SEQ; NULL if it is not kept. Valid until the next history_add.
const history_event_t *history_at (const history_t *self, uint64_t seq);

#endif
