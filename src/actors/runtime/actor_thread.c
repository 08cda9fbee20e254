//  actor_thread.c: the life of an actor: its thread, how it handles what comes, how it ends.

#include "actors/runtime/actor_self.h"

#include "actors/runtime/mailbox.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/prctl.h>

enum {
    REPORT_EVERY = 256, //  messages, after which the switchboard learns how many were handled
    CATCH_UP_MAX = 1024 //  messages that may go before a question; with more, nobody would get on
};

//  Handling.

static void run_pending (actor_t *self, const msg_t *msg)
{
    const msg_header_t *head = msg_head (msg);
    uint64_t id = head->id;
    pending_t *pending = zhashx_lookup (self->pending, &id);
    if (!pending)
        return;
    pending_t due = *pending;
    if (!due.lasting) {
        zhashx_delete (self->pending, &id);
        free (pending);
    }
    if (due.on_event)
        due.on_event (self, head->to, msg, due.arg);
    else if (due.on_down)
        due.on_down (self, head->from, msg, due.arg);
    else if (due.on_reply)
        due.on_reply (self, msg, due.arg);
}

static void reply_unknown (actor_t *self, msg_t **request_p)
{
    error_t err;
    error_set (&err, ERR_NO_SUPPORT, "%s does not know the verb '%s'", self->address,
               msg_verb (*request_p));
    actor_reply_error (self, request_p, &err);
}

static void handle_request (actor_t *self, msg_t **msg_p)
{
    msg_header_t head = *msg_head (*msg_p);
    self->held = false;
    self->class->handle (self, msg_p);
    if (head.kind == MSG_STREAM && !self->held) {
        auto(msg_t) ack = msg_reply ();
        actor_answer (self, &head, &ack);
        msg_destroy (msg_p);
    } else if (*msg_p && head.kind == MSG_REQUEST)
        reply_unknown (self, msg_p);
}

static void dispatch (actor_t *self, msg_t **msg_p)
{
    switch (msg_kind (*msg_p)) {
    case MSG_REQUEST:
    case MSG_SEND:
    case MSG_STREAM:
        handle_request (self, msg_p);
        break;
    case MSG_STOP:
        self->asleep = msg_head (*msg_p)->reason == END_SLEEP;
        self->stopping = true;
        break;
    default:
        run_pending (self, *msg_p);
    }
}

static void handle_one (actor_t *self, msg_t **msg_p)
{
    int64_t before = mailbox_wall_clock ();
    self->now = mailbox_now ();
    self->dozing = false;
    dispatch (self, msg_p);
    int64_t took = mailbox_wall_clock () - before;
    if (took > self->longest_us)
        self->longest_us = (uint32_t) took;
    self->handled++;
    if (self->handled - self->reported >= REPORT_EVERY)
        actor_report (self);
}

bool actor_step (actor_t *self, int64_t until)
{
    auto(msg_t) msg = mailbox_recv (self, until);
    if (msg)
        handle_one (self, &msg);
    return !self->stopping;
}

//  A publication is in the mailboxes of all before the answer to whoever caused it is in one.
void actor_catch_up (actor_t *self)
{
    for (int i = 0; i < CATCH_UP_MAX && !self->stopping; i++) {
        auto(msg_t) msg = msg_recv (self->socket, NULL);
        if (!msg)
            return;
        handle_one (self, &msg);
    }
}

//  The thread.

static void say_bye (actor_t *self)
{
    auto(msg_t) bye = self->reason == END_FAILED || self->reason == END_PANIC
                          ? msg_error (&self->end)
                          : msg_new (MSG_BYE);
    msg_header (bye)->reason = (uint16_t) self->reason;
    actor_post (self, MSG_BYE, self->address, 0, &bye);
}

//  Runs also when the thread unwinds from a panic: descriptors and memory must not leak.
static void last_words (void *arg)
{
    actor_t *self = arg;
    if (self->class->stop)
        self->class->stop (self);
    say_bye (self);
}

void actor_panic (actor_t *self, const char *format, ...)
{
    char text[ERROR_MESSAGE_MAX / 2];
    va_list args;
    va_start (args, format);
    vsnprintf (text, sizeof text, format, args);
    va_end (args);
    error_set (&self->end, ERR_INTERNAL_ERROR, "%s ended: %s; it is started again", self->address,
               text);
    self->end.retry = true;
    self->reason = END_PANIC;
    actor_log (self, LEVEL_ERROR, "panic in %s: %s", self->address, text);
    pthread_exit (NULL);
}

static msg_t *wait_for_start (actor_t *self)
{
    auto(msg_t) hello = msg_new (MSG_HELLO);
    actor_post (self, MSG_HELLO, self->address, 0, &hello);
    msg_t *start = NULL;
    while (!start)
        start = mailbox_recv (self, INT64_MAX);
    self->now = mailbox_now ();
    return start;
}

static void live (actor_t *self)
{
    auto(msg_t) start = wait_for_start (self);
    if (msg_kind (start) == MSG_STOP)
        return;
    msg_header_t head = *msg_head (start);
    self->handled++;
    if (self->class->start && self->class->start (self, start, &self->end)) {
        self->reason = END_FAILED;
        return;
    }
    auto(msg_t) reply = self->result ? take (&self->result) : msg_reply ();
    actor_answer (self, &head, &reply);
    while (!self->stopping)
        actor_step (self, INT64_MAX);
    self->reason = self->asleep ? END_SLEEP : END_NORMAL;
}

static void *actor_main (void *arg)
{
    actor_t *self = arg;
    prctl (PR_SET_NAME, self->class->kind);
    pthread_cleanup_push (last_words, self);
    live (self);
    pthread_cleanup_pop (1);
    return NULL;
}

actor_t *actor_new (void *context, const char *address, const actor_class_t *class,
                    uint64_t incarnation, error_t *err)
{
    auto(actor_t) self = calloc (1, sizeof *self);
    assert (self);
    self->class = class;
    self->incarnation = incarnation;
    self->context = context;
    actor_set_address (self->address, address);
    self->socket = zmq_socket (context, ZMQ_DEALER);
    if (!self->socket) {
        error_errno (err, ERR_RESOURCE_BUSY,
                     "start actor %s: no more sockets (limits: open files, RLIMIT_NOFILE)",
                     address);
        err->retry = true;
        return NULL;
    }
    int none = 0;
    zmq_setsockopt (self->socket, ZMQ_SNDHWM, &none, sizeof none);
    zmq_setsockopt (self->socket, ZMQ_RCVHWM, &none, sizeof none);
    zmq_setsockopt (self->socket, ZMQ_LINGER, &none, sizeof none);
    zmq_setsockopt (self->socket, ZMQ_ROUTING_ID, &incarnation, sizeof incarnation);
    if (zmq_connect (self->socket, "inproc://switchboard") == -1) {
        error_set (err, ERR_RESOURCE_BUSY, "start actor %s: connect its mailbox: %s", address,
                   zmq_strerror (errno));
        return NULL;
    }
    self->pending = table_by_u64 ();
    self->timers_by_id = table_by_u64 ();
    self->items = calloc (1, sizeof *self->items);
    self->state = calloc (1, class->state_size ? class->state_size : 1);
    assert (self->items && self->state);
    return take (&self);
}

//  Sanitizers put much more on the stack.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum {
    STACK_FACTOR = 8
};
#else
enum {
    STACK_FACTOR = 1
};
#endif

int actor_launch (actor_t *self, error_t *err)
{
    size_t size = self->class->stack_size ? self->class->stack_size : ACTOR_STACK_SIZE;
    pthread_attr_t attributes;
    pthread_attr_init (&attributes);
    pthread_attr_setstacksize (&attributes, size * STACK_FACTOR);
    int rc = pthread_create (&self->thread, &attributes, actor_main, self);
    pthread_attr_destroy (&attributes);
    if (rc) {
        errno = rc;
        error_errno (err, ERR_RESOURCE_BUSY,
                     "start actor %s: no more threads (limits: pid_max, cgroup pids, "
                     "max_map_count)",
                     self->address);
        err->retry = true;
        return -1;
    }
    self->launched = true;
    return 0;
}

static void free_all (zhashx_t **table_p)
{
    if (!*table_p)
        return;
    for (void *item = zhashx_first (*table_p); item; item = zhashx_next (*table_p))
        free (item);
    zhashx_destroy (table_p);
}

void actor_destroy (actor_t **self_p)
{
    actor_t *self = take (self_p);
    if (!self)
        return;
    if (self->launched)
        pthread_join (self->thread, NULL);
    if (self->socket)
        zmq_close (self->socket);
    msg_destroy (&self->result);
    free_all (&self->pending);
    free_all (&self->timers_by_id);
    timers_close (&self->timers);
    free (self->watched);
    free (self->items);
    free (self->state);
    free (self);
}
