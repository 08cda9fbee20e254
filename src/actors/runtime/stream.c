//  stream.c: counts what is in flight.

#include "actors/runtime/stream.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

void stream_open (stream_t *self, const char *to, int window, stream_events_t events, void *arg)
{
    assert (self->in_flight == 0);
    memset (self, 0, sizeof *self);
    snprintf (self->to, sizeof self->to, "%s", to);
    self->window = window > 0 ? window : STREAM_WINDOW;
    self->events = events;
    self->arg = arg;
}

void stream_close (stream_t *self)
{
    self->broken = true;
}

bool stream_has_space (const stream_t *self)
{
    return !self->broken && self->in_flight < self->window;
}

bool stream_is_idle (const stream_t *self)
{
    return self->in_flight == 0;
}

static void on_ack (actor_t *actor, const msg_t *reply, void *arg)
{
    stream_t *self = arg;
    self->in_flight--;
    if (self->broken)
        return;
    error_t err;
    if (msg_failed (reply, &err)) {
        self->broken = true;
        if (self->events.on_broken)
            self->events.on_broken (actor, &err, self->arg);
    } else if (self->full) {
        self->full = false;
        if (self->events.on_space)
            self->events.on_space (actor, self->arg);
    }
}

void stream_send (stream_t *self, actor_t *actor, msg_t **msg_p)
{
    if (self->broken) {
        msg_destroy (msg_p);
        return;
    }
    assert (self->in_flight < self->window);
    self->in_flight++;
    self->full = self->in_flight == self->window;
    actor_stream (actor, self->to, msg_p, STREAM_ACK_MS, on_ack, self);
}
