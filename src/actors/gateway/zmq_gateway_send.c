//  zmq_gateway_send.c: sending to clients, and what happens when they do not read, or are gone.

#include "actors/gateway/zmq_gateway_parts.h"

#include "msg/frame.h"

#include <errno.h>

enum {
    LARGE_FRAME = 32 * 1024, //  given away rather than copied
    OUTBOX_MAX_BYTES = 32 * 1024 * 1024,
    STUCK_MS = 60000, //  without a frame leaving the outbox: overrun
    GIVE_UP_MS = 120000,
    FLUSH_MS = 5, //  between two attempts, while an outbox is not empty
    SWEEP_MS = 1000,
    FORGET_MS = 60000 //  a session that wants and waits for nothing
};

static void on_flush (actor_t *self, void *arg);
static void on_sweep (actor_t *self, void *arg);

//  ZeroMQ's routing id of a connection: it makes a zero byte and its own number.
static int send_to (gateway_t *gateway, const session_t *session, char **bytes_p, size_t size)
{
    char id[5] = { 0 };
    uint32_t connection = (uint32_t) session->key;
    memcpy (id + 1, &connection, sizeof connection);
    return frame_send (gateway->doors[session->key >> 32].socket, id, sizeof id, bytes_p, size);
}

static void flush_soon (actor_t *self)
{
    gateway_t *gateway = actor_state (self);
    if (!gateway->flush_timer)
        gateway->flush_timer = actor_timer (self, FLUSH_MS, on_flush, NULL);
}

static void clear_outbox (actor_t *self, session_t *session)
{
    outbox_item_t *item;
    while ((item = outbox_take (&session->outbox))) {
        actor_acknowledge (self, &item->held);
        outbox_item_destroy (&item);
    }
}

void gateway_drop (actor_t *self, session_t **session_p)
{
    gateway_t *gateway = actor_state (self);
    gateway_close_streams (self, *session_p, NULL);
    gateway_trace (self, *session_p, false);
    clear_outbox (self, *session_p);
    sessions_remove (gateway->sessions, session_p);
}

static void mark_dead (actor_t *self, session_t *session)
{
    session->dead = true;
    flush_soon (self);
}

//  It reads too slowly. Whoever holds SESSION goes on with it; nothing is freed but what waited.
static void overrun (actor_t *self, session_t *session, const char *reason)
{
    gateway_t *gateway = actor_state (self);
    autofree char *who = session->peer.key[0]
                             ? text_format ("key %s", session->peer.key)
                             : text_format ("uid %u, pid %d", session->peer.uid, session->peer.pid);
    actor_log (self, LEVEL_WARNING, "session %llu (%s) is overrun: %s",
               (unsigned long long) session->number, who, reason);
    session->overrun = true;
    clear_outbox (self, session);
    session_unsubscribe (session);
    gateway_trace (self, session, false);
    gateway_close_streams (self, session, reason);
    event_begin (&gateway->frame, "session.overrun");
    pack_key_str (&gateway->frame, "reason", reason);
    event_end (&gateway->frame);
    gateway_post (self, session, NULL);
}

static char *copy_bytes (const char *bytes, size_t size)
{
    char *copy = malloc (size);
    assert (copy);
    return memcpy (copy, bytes, size);
}

static char *frame_bytes (gateway_t *gateway, size_t *size)
{
    if (gateway->frame.size > LARGE_FRAME)
        return pack_take (&gateway->frame, size);
    *size = gateway->frame.size;
    return copy_bytes (gateway->frame.bytes, *size);
}

static void queue (actor_t *self, session_t *session, char *bytes, size_t size, msg_t **held_p)
{
    if (!session->outbox.first)
        session->moved_ms = actor_now (self);
    outbox_add (&session->outbox, bytes, size, NULL);
    if (held_p)
        session->outbox.last->held = actor_hold (self, held_p);
    flush_soon (self);
    if (session->outbox.bytes > OUTBOX_MAX_BYTES)
        overrun (self, session, "it reads too slowly: 32 MiB waited for it");
}

static void post (actor_t *self, session_t *session, char *bytes, size_t size, msg_t **held_p)
{
    gateway_t *gateway = actor_state (self);
    if (!session->outbox.first && send_to (gateway, session, &bytes, size) == 0)
        return;
    if (session->outbox.first || errno == EAGAIN)
        queue (self, session, bytes, size, held_p);
    else {
        free (bytes);
        mark_dead (self, session);
    }
}

void gateway_post (actor_t *self, session_t *session, msg_t **held_p)
{
    if (session->dead)
        return;
    size_t size;
    char *bytes = frame_bytes (actor_state (self), &size);
    post (self, session, bytes, size, held_p);
}

void gateway_post_copy (actor_t *self, session_t *session, const char *bytes, size_t size)
{
    if (!session->dead)
        post (self, session, copy_bytes (bytes, size), size, NULL);
}

//  Sends what waited, until ZeroMQ takes no more.
static void flush (actor_t *self, session_t *session)
{
    gateway_t *gateway = actor_state (self);
    outbox_item_t *item;
    while ((item = session->outbox.first)) {
        if (send_to (gateway, session, &item->bytes, item->size) == -1) {
            if (errno != EAGAIN)
                mark_dead (self, session);
            return;
        }
        session->moved_ms = actor_now (self);
        outbox_take (&session->outbox);
        actor_acknowledge (self, &item->held);
        outbox_item_destroy (&item);
    }
    session->overrun = false;
}

static void flush_or_give_up (actor_t *self, session_t *session)
{
    int64_t stuck_ms = actor_now (self) - session->moved_ms;
    flush (self, session);
    if (!session->outbox.first || session->dead)
        return;
    flush_soon (self);
    if (stuck_ms > GIVE_UP_MS)
        mark_dead (self, session);
    else if (stuck_ms > STUCK_MS && !session->overrun)
        overrun (self, session, "it did not read for a minute");
}

static void on_flush (actor_t *self, void *arg)
{
    (void) arg;
    gateway_t *gateway = actor_state (self);
    gateway->flush_timer = 0;
    session_t *next;
    for (session_t *each = sessions_first (gateway->sessions); each; each = next) {
        next = each->next;
        if (!each->dead && each->outbox.first)
            flush_or_give_up (self, each);
        if (each->dead)
            gateway_drop (self, &each);
    }
}

static void ping (actor_t *self, session_t *session)
{
    gateway_t *gateway = actor_state (self);
    event_begin (&gateway->frame, "ping");
    event_end (&gateway->frame);
    gateway_post (self, session, NULL);
}

static bool forgettable (const session_t *session, int64_t now)
{
    return !session_listens (session) && session->open_requests == 0 && !session->outbox.first &&
           now - session->heard_ms > FORGET_MS;
}

static void on_sweep (actor_t *self, void *arg)
{
    (void) arg;
    gateway_t *gateway = actor_state (self);
    gateway->sweep_timer = 0;
    session_t *next;
    for (session_t *each = sessions_first (gateway->sessions); each; each = next) {
        next = each->next;
        if (session_listens (each) && !each->outbox.first)
            ping (self, each);
        else if (forgettable (each, actor_now (self)))
            gateway_drop (self, &each);
    }
    if (sessions_count (gateway->sessions) > 0)
        gateway_sweep_soon (self);
}

void gateway_sweep_soon (actor_t *self)
{
    gateway_t *gateway = actor_state (self);
    if (!gateway->sweep_timer)
        gateway->sweep_timer = actor_timer (self, SWEEP_MS, on_sweep, NULL);
}
