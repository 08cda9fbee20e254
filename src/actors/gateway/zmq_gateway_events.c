//  zmq_gateway_events.c: events of domains and networks, and the switchboard's trace.

#include "actors/gateway/zmq_gateway_parts.h"

#include "actors/runtime/switchboard.h"

//  The args of an event, a whole map, as the frame; and its number, if it has one.
static void frame_event (pack_t *frame, const char *verb, const value_t *args, uint64_t seq)
{
    event_begin (frame, verb);
    if (seq > 0)
        pack_key_u64 (frame, "seq", seq);
    for (size_t i = 0; i < value_count (args); i++) {
        pack_key (frame, value_key_at (args, i));
        pack_value (frame, value_val_at (args, i));
    }
    event_end (frame);
}

void gateway_emit (actor_t *self, const view_event_t *event)
{
    gateway_t *gateway = actor_state (self);
    size_t size = 0;
    frame_event (&gateway->frame, event->verb, event->args, history_last (gateway->history) + 1);
    autofree char *bytes = pack_take (&gateway->frame, &size);
    history_add (gateway->history, event->uuid, event->verb, bytes, size);
    for (session_t *each = sessions_first (gateway->sessions); each; each = each->next)
        if (session_wants (each, event->uuid, event->verb))
            gateway_post_copy (self, each, bytes, size);
}

void gateway_replay (actor_t *self, session_t *session, const interest_t *interest, uint64_t since)
{
    gateway_t *gateway = actor_state (self);
    const history_event_t *event;
    for (uint64_t seq = since + 1; (event = history_at (gateway->history, seq)); seq++)
        if (interest_has (interest, event->uuid, event->verb))
            gateway_post_copy (self, session, event->bytes, event->size);
}

static void on_trace (actor_t *self, const char *topic, const msg_t *event, void *arg)
{
    (void) topic, (void) arg;
    gateway_t *gateway = actor_state (self);
    size_t size = 0;
    frame_event (&gateway->frame, "trace", value_get (msg_root (event), "args"), 0);
    autofree char *bytes = pack_take (&gateway->frame, &size);
    for (session_t *each = sessions_first (gateway->sessions); each; each = each->next)
        if (each->tracing)
            gateway_post_copy (self, each, bytes, size);
}

void gateway_trace (actor_t *self, session_t *session, bool enable)
{
    gateway_t *gateway = actor_state (self);
    if (session->tracing == enable)
        return;
    session->tracing = enable;
    gateway->tracing += enable ? 1 : -1;
    if (enable && gateway->tracing == 1)
        gateway->trace = actor_subscribe (self, SWITCHBOARD_TRACE_TOPIC, on_trace, NULL);
    else if (gateway->tracing == 0)
        actor_unsubscribe (self, &gateway->trace);
}
