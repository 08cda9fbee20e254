//  troupe.c: a client's connection: what was sent, what came, what is still open.

#include "client/calls.h"
#include "client/message.h"
#include "client/wire.h"

#include <assert.h>
#include <string.h>

enum {
    RETRY_MS = 250, //  between attempts to find the daemon again
    GRACE_MS = 1000,
    MAX_QUEUED = 65536
};

struct troupe {
    wire_t *wire;
    bool greeted; //  this connection's beginning is known to the caller
    uint64_t last_id;
    calls_t calls;
    queue_t queue;
    uint64_t dropped;
    int64_t next_attempt; //  to find the daemon again
    troupe_event_fn *on_event;
    void *on_event_arg;
};

static int fail (troupe_error_t *to, const error_t *err)
{
    public_error (to, err);
    return -1;
}

static int64_t after (int timeout_ms)
{
    return timeout_ms < 0 ? INT64_MAX : wire_now () + timeout_ms;
}

//  Hands a message to the callback or to the queue.
static void deliver (troupe_t *self, troupe_message_t *message)
{
    if (message->kind > TROUPE_FAILURE && self->on_event) {
        self->on_event (self, message, self->on_event_arg);
        troupe_message_destroy (&message);
        return;
    }
    if (self->queue.count >= MAX_QUEUED && queue_drop_event (&self->queue))
        self->dropped++;
    queue_put (&self->queue, message);
}

static void fail_calls (troupe_t *self, const error_t *cause)
{
    for (call_t *call; (call = calls_take_expired (&self->calls, INT64_MAX)); free (call)) {
        error_t err = *cause;
        error_set (&err, cause->code, "%s: no answer: %s; it may have been carried out", call->verb,
                   cause->message);
        err.retry = true;
        deliver (self, message_failure (call->id, call->verb, &err));
    }
}

//  The connection is gone.
static void lose (troupe_t *self, const error_t *cause)
{
    wire_drop (self->wire);
    self->next_attempt = wire_now () + RETRY_MS;
    fail_calls (self, cause);
    if (self->greeted)
        deliver (self, message_notice (TROUPE_LOST));
    self->greeted = false;
}

//  One frame from the daemon.
static void accept_message (troupe_t *self, troupe_message_t *message)
{
    if (message->kind == TROUPE_EVENT) {
        if (strcmp (message->verb, "ping") == 0)
            troupe_message_destroy (&message);
        else
            deliver (self, message);
        return;
    }
    if (message->id == 0) { //  the daemon could not read what we sent, and not even its id
        error_t err = message->error;
        troupe_message_destroy (&message);
        lose (self, &err);
        return;
    }
    autofree call_t *call = calls_take (&self->calls, message->id);
    if (!call) { //  we gave up on it before
        troupe_message_destroy (&message);
        return;
    }
    memcpy (message->verb, call->verb, sizeof message->verb);
    deliver (self, message);
}

//  Reads what is there. False if nothing was.
static bool read_frame (troupe_t *self)
{
    zmq_msg_t frame;
    if (!wire_recv (self->wire, &frame))
        return false;
    error_t err;
    troupe_message_t *message = message_parse (zmq_msg_data (&frame), zmq_msg_size (&frame), &err);
    zmq_msg_close (&frame);
    if (message)
        accept_message (self, message);
    else if (err.code != ERR_OK) {
        error_prefix (&err, "%s sent what is no message", wire_endpoint (self->wire));
        lose (self, &err);
    }
    return true;
}

//  Sees whether the connection changed. Answers that arrived before its end are read before.
static void check_wire (troupe_t *self)
{
    error_t err;
    if (wire_state (self->wire) == WIRE_DOWN) {
        if (wire_now () < self->next_attempt)
            return;
        self->next_attempt = wire_now () + RETRY_MS;
        if (wire_connect (self->wire, &err))
            return;
    }
    if (wire_check (self->wire, &err)) {
        lose (self, &err);
        return;
    }
    if (wire_state (self->wire) == WIRE_UP && !self->greeted) {
        self->greeted = true;
        deliver (self, message_notice (TROUPE_RENEWED));
    }
}

static void expire_calls (troupe_t *self)
{
    if (self->calls.count == 0)
        return;
    int64_t now = wire_now ();
    for (call_t *call; (call = calls_take_expired (&self->calls, now)); free (call)) {
        error_t err;
        error_set (&err, ERR_OPERATION_TIMEOUT,
                   "%s: %s gave no answer in time; it may still be carried out", call->verb,
                   wire_endpoint (self->wire));
        deliver (self, message_failure (call->id, call->verb, &err));
    }
}

//  Everything that can be done without waiting; at most one frame is read. False: nothing was.
static bool step (troupe_t *self)
{
    //  Before the first frame of a new connection comes the notice of it.
    if (!self->greeted)
        check_wire (self);
    if (read_frame (self))
        return true;
    size_t count = self->queue.count;
    check_wire (self);
    expire_calls (self);
    return self->queue.count > count;
}

static void wait_for_news (troupe_t *self, int64_t until)
{
    int64_t own = self->calls.soonest;
    if (wire_state (self->wire) == WIRE_DOWN && self->next_attempt < own)
        own = self->next_attempt;
    wire_wake_at (self->wire, own);
    wire_wait (self->wire, until);
}

static int wait_until_up (wire_t *wire, int timeout_ms, error_t *err)
{
    if (wire_connect (wire, err))
        return -1;
    for (int64_t until = after (timeout_ms); wire_state (wire) != WIRE_UP;) {
        if (wire_now () >= until)
            return error_set (
                err, ERR_NO_CONNECT,
                "connect to %s: it does not answer within %d ms; does a troupe daemon "
                "listen there?",
                wire_endpoint (wire), timeout_ms);
        wire_wait (wire, until);
        if (wire_check (wire, err))
            return -1;
    }
    return 0;
}

troupe_t *troupe_open (const char *endpoint, int timeout_ms, troupe_error_t *err)
{
    return troupe_open_with_keys (endpoint, NULL, timeout_ms, err);
}

troupe_t *troupe_open_with_keys (const char *endpoint, const char *keys, int timeout_ms,
                                 troupe_error_t *err)
{
    error_t failure;
    auto(wire_t) wire = wire_new (endpoint, keys, &failure);
    if (!wire || wait_until_up (wire, timeout_ms, &failure)) {
        fail (err, &failure);
        return NULL;
    }
    troupe_t *self = calloc (1, sizeof *self);
    assert (self);
    calls_init (&self->calls);
    self->wire = take (&wire);
    self->greeted = true;
    return self;
}

void troupe_close (troupe_t **self_p)
{
    troupe_t *self = take (self_p);
    if (!self)
        return;
    wire_destroy (&self->wire);
    for (call_t *call; (call = calls_take_expired (&self->calls, INT64_MAX));)
        free (call);
    for (troupe_message_t *message; (message = queue_take (&self->queue));)
        troupe_message_destroy (&message);
    free (self);
}

int troupe_fd (const troupe_t *self)
{
    return wire_fd (self->wire);
}

static void pack_args (pack_t *pack, const troupe_args_t *args)
{
    pack_key (pack, "args");
    if (!args) {
        pack_map (pack);
        pack_end (pack);
        return;
    }
    //  The map stays open for its owner: only its count is brought up to date.
    pack_t view = args->pack;
    pack_end (&view);
    pack_packed (pack, view.bytes, view.size);
}

static char *pack_request (uint64_t id, const char *verb, const troupe_args_t *args,
                           const troupe_options_t *options, int deadline_ms, size_t *size)
{
    pack_t pack;
    pack_init (&pack);
    pack_map (&pack);
    pack_key_u64 (&pack, "id", id);
    pack_key_str (&pack, "kind", "request");
    pack_key_str (&pack, "verb", verb);
    pack_key_u64 (&pack, "deadline", (uint64_t) deadline_ms);
    if (options && options->trace)
        pack_key_str (&pack, "trace", options->trace);
    if (options && options->key)
        pack_key_str (&pack, "key", options->key);
    pack_args (&pack, args);
    pack_end (&pack);
    return pack_take (&pack, size);
}

//  Is there a connection to send on? After a loss, and when it is known to the caller that there
//  was one, a new one is begun.
static int ensure_wire (troupe_t *self, error_t *err)
{
    if (wire_state (self->wire) != WIRE_DOWN)
        return 0;
    self->next_attempt = wire_now () + RETRY_MS;
    return wire_connect (self->wire, err);
}

static int send_request (troupe_t *self, const char *verb, const troupe_args_t *args,
                         const troupe_options_t *options, error_t *err)
{
    if (self->calls.count >= TROUPE_MAX_OPEN) {
        error_set (err, ERR_RESOURCE_BUSY,
                   "%s: %d requests are open on this connection; receive "
                   "answers first",
                   verb, TROUPE_MAX_OPEN);
        err->retry = true;
        return -1;
    }
    if (ensure_wire (self, err))
        return -1;
    int deadline_ms =
        options && options->deadline_ms > 0 ? options->deadline_ms : TROUPE_DEADLINE_MS;
    int limit_ms = options && options->limit_ms ? options->limit_ms : deadline_ms + GRACE_MS;
    uint64_t id = self->last_id + 1;
    size_t size;
    char *bytes = pack_request (id, verb, args, options, deadline_ms, &size);
    if (size > VALUE_MAX_BYTES) {
        free (bytes);
        return error_set (err, ERR_INVALID_ARG, "%s: the request has %zu bytes; 8 MiB is the limit",
                          verb, size);
    }
    if (wire_send (self->wire, bytes, size, err))
        return -1;
    self->last_id = id;
    calls_add (&self->calls, id, verb, after (limit_ms));
    return 0;
}

uint64_t troupe_send (troupe_t *self, const char *verb, const troupe_args_t *args,
                      const troupe_options_t *options, troupe_error_t *err)
{
    error_t failure;
    if (send_request (self, verb, args, options, &failure)) {
        fail (err, &failure);
        return 0;
    }
    return self->last_id;
}

static troupe_message_t *nothing_came (troupe_error_t *err, const char *what, int timeout_ms)
{
    error_t failure;
    error_set (&failure, ERR_OPERATION_TIMEOUT, "%s did not come within %d ms", what, timeout_ms);
    fail (err, &failure);
    return NULL;
}

troupe_message_t *troupe_receive (troupe_t *self, int timeout_ms, troupe_error_t *err)
{
    int64_t until = after (timeout_ms);
    for (bool last = timeout_ms == 0;; last = timeout_ms >= 0 && wire_now () >= until) {
        while (self->queue.count == 0 && step (self))
            continue;
        troupe_message_t *message = queue_take (&self->queue);
        if (message)
            return message;
        //  Also sets the timer behind the descriptor, on which the caller may wait.
        wait_for_news (self, last ? 0 : until);
        if (last)
            return nothing_came (err, "a message", timeout_ms);
    }
}

troupe_message_t *troupe_wait (troupe_t *self, uint64_t id, int timeout_ms, troupe_error_t *err)
{
    int64_t until = after (timeout_ms);
    for (;;) {
        troupe_message_t *message = queue_take_answer (&self->queue, id);
        if (message)
            return message;
        if (!calls_has (&self->calls, id)) {
            error_t failure;
            error_set (&failure, ERR_INVALID_ARG, "wait for request %llu: it is not open",
                       (unsigned long long) id);
            fail (err, &failure);
            return NULL;
        }
        if (step (self))
            continue;
        if (wire_now () >= until)
            return nothing_came (err, "the answer", timeout_ms);
        wait_for_news (self, until);
    }
}

troupe_message_t *troupe_call (troupe_t *self, const char *verb, const troupe_args_t *args,
                               int timeout_ms, troupe_error_t *err)
{
    troupe_options_t options = { .deadline_ms = timeout_ms };
    uint64_t id = troupe_send (self, verb, args, &options, err);
    //  The request has a limit of its own: then its answer is a timeout.
    auto(troupe_message_t) message = id ? troupe_wait (self, id, -1, err) : NULL;
    if (!message || troupe_message_failed (message, err))
        return NULL;
    return take (&message);
}

void troupe_on_event (troupe_t *self, troupe_event_fn *on_event, void *arg)
{
    self->on_event = on_event;
    self->on_event_arg = arg;
}

uint64_t troupe_dropped (const troupe_t *self)
{
    return self->dropped;
}
