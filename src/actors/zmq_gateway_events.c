//  zmq_gateway_events.c: what owners publish: snapshots, the events inside, the switchboard's
//  trace.

#include "actors/zmq_gateway_parts.h"

#include "actors/switchboard.h"

//  The args of an event, a whole map, as the frame.
static void frame_event (pack_t *frame, const char *verb, const value_t *args)
{
    event_begin (frame, verb);
    for (size_t i = 0; i < value_count (args); i++) {
        pack_key (frame, value_key_at (args, i));
        pack_value (frame, value_val_at (args, i));
    }
    event_end (frame);
}

typedef bool (wants_fn) (const session_t *session, const char *uuid, const char *verb);

//  Sends one event to all that want it; it is made only if somebody does.
static void emit (actor_t *self, wants_fn *wants, const char *uuid, const char *verb,
                  const value_t *args)
{
    gateway_t *gateway = actor_state (self);
    autofree char *bytes = NULL;
    size_t size = 0;
    for (session_t *each = sessions_first (gateway->sessions); each; each = each->next) {
        if (!wants (each, uuid, verb))
            continue;
        if (!bytes) {
            frame_event (&gateway->frame, verb, args);
            bytes = pack_take (&gateway->frame, &size);
        }
        gateway_post_copy (self, each, bytes, size);
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
    const value_t *events = msg_arg (event, "events");
    for (size_t i = 0; i < value_count (events); i++) {
        const value_t *each = value_at (events, i);
        const char *verb = value_get_str (each, "verb");
        if (verb)
            emit (self, session_wants, uuid, verb, value_get (each, "args"));
    }
}

static bool traces (const session_t *session, const char *uuid, const char *verb)
{
    (void) uuid, (void) verb;
    return session->tracing;
}

static void on_trace (actor_t *self, const char *topic, const msg_t *event, void *arg)
{
    (void) topic, (void) arg;
    emit (self, traces, "", "trace", value_get (msg_root (event), "args"));
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
