//  zmq_gateway_events.c: what owners publish: snapshots, the events inside, the switchboard's
//  trace.

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

//  Sends one event of a domain to all that want it, and keeps it for those who were not there.
static void emit (actor_t *self, const char *uuid, const char *verb, const value_t *args)
{
    gateway_t *gateway = actor_state (self);
    size_t size = 0;
    frame_event (&gateway->frame, verb, args, history_last (gateway->history) + 1);
    autofree char *bytes = pack_take (&gateway->frame, &size);
    history_add (gateway->history, uuid, verb, bytes, size);
    for (session_t *each = sessions_first (gateway->sessions); each; each = each->next)
        if (session_wants (each, uuid, verb))
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

//  Those inside of a snapshot.
static void emit_all (actor_t *self, const char *uuid, const msg_t *event)
{
    const value_t *events = msg_arg (event, "events");
    for (size_t i = 0; i < value_count (events); i++) {
        const value_t *each = value_at (events, i);
        const char *verb = value_get_str (each, "verb");
        if (verb)
            emit (self, uuid, verb, value_get (each, "args"));
    }
}

//  Topic "domain/UUID".
void gateway_on_snapshot (actor_t *self, const char *topic, const msg_t *event, void *arg)
{
    (void) arg;
    gateway_t *gateway = actor_state (self);
    const char *uuid = topic + strlen ("domain/");
    error_t err;
    if (msg_is (event, "gone"))
        snapshots_forget (gateway->snapshots, uuid);
    else if (snapshots_apply (gateway->snapshots, uuid, value_get (msg_root (event), "args"), &err))
        actor_log (self, LEVEL_ERROR, "%s", err.message);
    emit_all (self, uuid, event);
}

//  Topic "network/UUID".
void gateway_on_network (actor_t *self, const char *topic, const msg_t *event, void *arg)
{
    (void) arg;
    gateway_t *gateway = actor_state (self);
    const char *uuid = topic + strlen ("network/");
    if (msg_is (event, "gone"))
        networks_forget (gateway->networks, uuid);
    else
        networks_apply (gateway->networks, uuid, value_get (msg_root (event), "args"));
    emit_all (self, uuid, event);
}

//  Topic "devices": events of no domain.
void gateway_on_devices (actor_t *self, const char *topic, const msg_t *event, void *arg)
{
    (void) topic, (void) arg;
    emit_all (self, "", event);
}

//  Topic "snapshots/UUID", behind that of the domain.
void gateway_on_tree (actor_t *self, const char *topic, const msg_t *event, void *arg)
{
    (void) arg;
    gateway_t *gateway = actor_state (self);
    snapshots_set_tree (gateway->snapshots, topic + strlen ("snapshots/"),
                        msg_arg (event, "snapshots"));
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
