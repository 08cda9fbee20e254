//  actor.c: what an actor says to others, by way of the switchboard.

#include "actors/runtime/actor_self.h"

#include "actors/runtime/mailbox.h"

#include <stdarg.h>
#include <sys/random.h>

enum {
    LOG_LINES_A_SECOND = 200, //  of one actor
    ANSWER_MS = 10000         //  to answer a request once what was spawned for it is over
};

const char *actor_address (const actor_t *self)
{
    return self->address;
}

void *actor_state (actor_t *self)
{
    return self->state;
}

void *actor_context (const actor_t *self)
{
    return self->context;
}

int64_t actor_now (const actor_t *self)
{
    return self->now;
}

int64_t actor_wall_clock (const actor_t *self)
{
    (void) self;
    return mailbox_wall_clock ();
}

void actor_random (actor_t *self, void *bytes, size_t size)
{
    ssize_t got = getrandom (bytes, size, 0);
    actor_check (self, got == (ssize_t) size);
}

bool actor_stopping (const actor_t *self)
{
    return self->stopping;
}

void actor_end (actor_t *self)
{
    self->stopping = true;
}

void actor_set_result (actor_t *self, msg_t **reply_p)
{
    msg_destroy (&self->result);
    self->result = take (reply_p);
}

static void post (actor_t *self, msg_t **msg_p)
{
    msg_header_t *head = msg_header (*msg_p);
    head->handled = self->handled;
    head->longest_us = self->longest_us;
    self->reported = self->handled;
    int rc = msg_send (self->socket, 0, msg_p);
    assert (rc == 0); //  the pipe to the switchboard has no limit
}

void actor_set_address (char *field, const char *address)
{
    size_t size = strlen (address);
    assert (size < MSG_ADDRESS_MAX);
    memcpy (field, address, size + 1);
}

void actor_post (actor_t *self, msg_kind_t kind, const char *to, uint64_t id, msg_t **msg_p)
{
    msg_header_t *head = msg_header (*msg_p);
    head->kind = (uint8_t) kind;
    head->id = id;
    actor_set_address (head->to, to);
    post (self, msg_p);
}

static pending_t *pending_new (actor_t *self, void *arg)
{
    pending_t *pending = calloc (1, sizeof *pending);
    assert (pending);
    pending->id = ++self->last_id;
    pending->arg = arg;
    zhashx_insert (self->pending, &pending->id, pending);
    return pending;
}

void actor_send (actor_t *self, const char *to, msg_t **msg_p)
{
    actor_post (self, MSG_SEND, to, 0, msg_p);
}

static void post_request (actor_t *self, msg_kind_t kind, const char *to, msg_t **msg_p,
                          int deadline_ms, actor_reply_fn *on_reply, void *arg)
{
    pending_t *pending = pending_new (self, arg);
    pending->on_reply = on_reply;
    msg_header (*msg_p)->deadline = mailbox_now () + deadline_ms;
    actor_post (self, kind, to, pending->id, msg_p);
}

void actor_request (actor_t *self, const char *to, msg_t **msg_p, int deadline_ms,
                    actor_reply_fn *on_reply, void *arg)
{
    post_request (self, MSG_REQUEST, to, msg_p, deadline_ms, on_reply, arg);
}

void actor_stream (actor_t *self, const char *to, msg_t **msg_p, int deadline_ms,
                   actor_reply_fn *on_ack, void *arg)
{
    post_request (self, MSG_STREAM, to, msg_p, deadline_ms, on_ack, arg);
}

void actor_spawn (actor_t *self, const char *address, const actor_class_t *class, msg_t **args_p,
                  bool supervised, int limit_ms, actor_reply_fn *on_reply, void *arg)
{
    msg_header (*args_p)->data = class;
    msg_header (*args_p)->reason = supervised;
    post_request (self, MSG_SPAWN, address, args_p, limit_ms, on_reply, arg);
}

void actor_stop (actor_t *self, const char *address)
{
    auto(msg_t) msg = msg_new (MSG_STOP);
    actor_post (self, MSG_STOP, address, 0, &msg);
}

void actor_watch (actor_t *self, const char *address, actor_down_fn *on_down, void *arg)
{
    pending_t *pending = pending_new (self, arg);
    pending->on_down = on_down;
    auto(msg_t) msg = msg_new (MSG_WATCH);
    actor_post (self, MSG_WATCH, address, pending->id, &msg);
}

uint64_t actor_subscribe (actor_t *self, const char *prefix, actor_event_fn *on_event, void *arg)
{
    pending_t *pending = pending_new (self, arg);
    pending->on_event = on_event;
    pending->lasting = true;
    auto(msg_t) msg = msg_new (MSG_SUBSCRIBE);
    actor_post (self, MSG_SUBSCRIBE, prefix, pending->id, &msg);
    return pending->id;
}

void actor_unsubscribe (actor_t *self, uint64_t *id_p)
{
    pending_t *pending = *id_p ? zhashx_lookup (self->pending, id_p) : NULL;
    *id_p = 0;
    if (!pending)
        return;
    auto(msg_t) msg = msg_new (MSG_UNSUBSCRIBE);
    actor_post (self, MSG_UNSUBSCRIBE, "", pending->id, &msg);
    zhashx_delete (self->pending, &pending->id);
    free (pending);
}

void actor_spawn_for (actor_t *self, const msg_t *request, const char *address,
                      const actor_class_t *class, msg_t **args_p, int limit_ms,
                      actor_reply_fn *on_reply, void *arg)
{
    if (request && msg_kind (request) != MSG_SEND) {
        //  Both go the same way, one behind the other: the switchboard decides once, for both.
        actor_admit (self, request, limit_ms + ANSWER_MS);
        msg_header (*args_p)->flags |= MSG_IF_ADMITTED;
    }
    actor_spawn (self, address, class, args_p, false, limit_ms, on_reply, arg);
}

static void publish (actor_t *self, const char *topic, msg_t **event_p, msg_retain_t retain)
{
    msg_header (*event_p)->reason = (uint16_t) retain;
    actor_post (self, MSG_EVENT, topic, 0, event_p);
}

void actor_publish (actor_t *self, const char *topic, msg_t **event_p)
{
    publish (self, topic, event_p, MSG_RETAIN);
}

void actor_publish_last (actor_t *self, const char *topic, msg_t **event_p)
{
    publish (self, topic, event_p, MSG_FORGET);
}

void actor_publish_once (actor_t *self, const char *topic, msg_t **event_p)
{
    publish (self, topic, event_p, MSG_PASS);
}

msg_t *actor_hold (actor_t *self, msg_t **msg_p)
{
    self->held = true;
    return take (msg_p);
}

void actor_answer (actor_t *self, const msg_header_t *request, msg_t **reply_p)
{
    if (request->kind == MSG_SEND || !request->id) {
        msg_destroy (reply_p);
        return;
    }
    msg_header (*reply_p)->peer = request->peer;
    msg_header (*reply_p)->id = request->id;
    post (self, reply_p);
}

void actor_reply (actor_t *self, msg_t **request_p, msg_t **reply_p)
{
    actor_answer (self, msg_head (*request_p), reply_p);
    msg_destroy (request_p);
}

void actor_acknowledge (actor_t *self, msg_t **msg_p)
{
    if (!*msg_p)
        return;
    auto(msg_t) reply = msg_reply ();
    actor_reply (self, msg_p, &reply);
}

void actor_reply_error (actor_t *self, msg_t **request_p, const error_t *err)
{
    auto(msg_t) reply = msg_error (err);
    actor_reply (self, request_p, &reply);
}

void actor_admit (actor_t *self, const msg_t *request, int limit_ms)
{
    if (msg_kind (request) == MSG_SEND)
        return;
    auto(msg_t) msg = msg_new (MSG_ADMIT);
    msg_header (msg)->peer = msg_head (request)->peer;
    msg_header (msg)->deadline = mailbox_now () + limit_ms;
    actor_post (self, MSG_ADMIT, "", msg_head (request)->id, &msg);
}

void actor_forward (actor_t *self, msg_t **request_p, const char *to, msg_t **msg_p)
{
    auto(msg_t) request = take (request_p);
    auto(msg_t) msg = msg_p ? take (msg_p) : msg_copy (request);
    const msg_header_t *from = msg_head (request);
    msg_kind_t kind = MSG_SEND;
    if (from->kind != MSG_SEND) {
        kind = MSG_FORWARD;
        msg_header (msg)->peer = from->peer;
        msg_header (msg)->deadline = from->deadline;
    }
    msg_header (msg)->flags = from->flags;
    actor_post (self, kind, to, from->id, &msg);
}

void actor_sleep (actor_t *self, msg_t **args_p)
{
    bool busy =
        zhashx_size (self->pending) > 0 || timers_first (&self->timers) || self->watched_count > 0;
    actor_check (self, !busy);
    auto(msg_t) args = take (args_p);
    self->dozing = true;
    //  Counts the message that is being handled now.
    self->handled++;
    actor_post (self, MSG_DOZE, self->address, 0, &args);
    self->handled--;
}

void actor_report (actor_t *self)
{
    auto(msg_t) msg = msg_new (MSG_REPORT);
    actor_post (self, MSG_REPORT, "", 0, &msg);
}

//  Nothing that comes from outside may fill the log's mailbox: a QEMU that sends nonsense for
//  example.
static bool may_log (actor_t *self)
{
    if (self->now - self->logging_ms >= 1000) {
        self->logging_ms = self->now;
        self->logged = 0;
    }
    if (self->logged < LOG_LINES_A_SECOND) {
        self->logged++;
        return true;
    }
    self->unlogged++;
    return false;
}

static void send_log (actor_t *self, log_level_t level, const char *text)
{
    auto(msg_t) msg = msg_request ("log");
    pack_t *pack = msg_args (msg);
    pack_key_u64 (pack, "level", level);
    pack_key_i64 (pack, "time_us", mailbox_wall_clock ());
    pack_key_str (pack, "text", text);
    actor_send (self, "log", &msg);
}

void actor_log (actor_t *self, log_level_t level, const char *format, ...)
{
    char text[ERROR_MESSAGE_MAX];
    va_list args;
    if (!may_log (self))
        return;
    if (self->unlogged > 0) {
        snprintf (text, sizeof text, "%s: %llu more lines were not logged: too many in a second",
                  self->address, (unsigned long long) self->unlogged);
        self->unlogged = 0;
        send_log (self, LEVEL_WARNING, text);
    }
    va_start (args, format);
    vsnprintf (text, sizeof text, format, args);
    va_end (args);
    error_one_line (text);
    send_log (self, level, text);
}
