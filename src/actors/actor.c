//  actor.c: the life of an actor's thread: its mailbox, its handler, its timers and descriptors.

#include "actors/actor_thread.h"

#include "actors/mailbox.h"
#include "actors/switchboard.h"
#include "actors/table.h"
#include "actors/timers.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/random.h>

enum {
    POLL_EVERY = 32,    //  messages, after which descriptors get their turn in a full mailbox
    REPORT_EVERY = 256, //  messages, after which the switchboard learns how many were handled
    REPORT_IDLE_MS = 100
};

//  What an answer, event or end of another actor leads to.
typedef struct {
    uint64_t id;
    bool lasting; //  a subscription
    actor_reply_fn *on_reply;
    actor_event_fn *on_event;
    actor_down_fn *on_down;
    void *arg;
} pending_t;

typedef struct {
    timer_node_t node; //  first: the heap's nodes are our timers
    uint64_t id;
    actor_timer_fn *on_time;
    void *arg;
} alarm_t;

typedef struct {
    void *socket;
    int fd;
    short events;
    actor_fd_fn *on_ready;
    void *arg;
} watched_t;

struct actor {
    const actor_class_t *class;
    char address[MSG_ADDRESS_MAX];
    uint64_t incarnation;
    void *context, *socket, *state;
    pthread_t thread;
    bool launched;
    uint64_t last_id;
    zhashx_t *pending; //  pending_t by id
    timers_t timers;   //  of alarm_t
    zhashx_t *timers_by_id;
    watched_t *watched;
    zmq_pollitem_t *items; //  the mailbox and the watched, as zmq_poll wants them
    size_t watched_count, watched_room;
    int64_t now;
    uint64_t handled, reported;
    uint32_t longest_us;
    unsigned since_poll;
    bool stopping, dozing, asleep;
    msg_t *result; //  of start
    error_t end;   //  why it ends, when it fails or panics
    end_reason_t reason;
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

//  Every frame tells the switchboard how far we are.
static void actor_post (actor_t *self, msg_t **msg_p)
{
    msg_header_t *head = msg_header (*msg_p);
    head->handled = self->handled;
    head->longest_us = self->longest_us;
    self->reported = self->handled;
    int rc = msg_send (self->socket, 0, msg_p);
    assert (rc == 0); //  the pipe to the switchboard has no limit
}

static void set_address (char *field, const char *address)
{
    size_t size = strlen (address);
    assert (size < MSG_ADDRESS_MAX);
    memcpy (field, address, size + 1);
}

static void post_to (actor_t *self, msg_kind_t kind, const char *to, uint64_t id, msg_t **msg_p)
{
    msg_header_t *head = msg_header (*msg_p);
    head->kind = (uint8_t) kind;
    head->id = id;
    set_address (head->to, to);
    actor_post (self, msg_p);
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
    post_to (self, MSG_SEND, to, 0, msg_p);
}

static void post_request (actor_t *self, msg_kind_t kind, const char *to, msg_t **msg_p,
                          int deadline_ms, actor_reply_fn *on_reply, void *arg)
{
    pending_t *pending = pending_new (self, arg);
    pending->on_reply = on_reply;
    msg_header (*msg_p)->deadline = mailbox_now () + deadline_ms;
    post_to (self, kind, to, pending->id, msg_p);
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
    post_to (self, MSG_STOP, address, 0, &msg);
}

void actor_watch (actor_t *self, const char *address, actor_down_fn *on_down, void *arg)
{
    pending_t *pending = pending_new (self, arg);
    pending->on_down = on_down;
    auto(msg_t) msg = msg_new (MSG_WATCH);
    post_to (self, MSG_WATCH, address, pending->id, &msg);
}

void actor_subscribe (actor_t *self, const char *prefix, actor_event_fn *on_event, void *arg)
{
    pending_t *pending = pending_new (self, arg);
    pending->on_event = on_event;
    pending->lasting = true;
    auto(msg_t) msg = msg_new (MSG_SUBSCRIBE);
    post_to (self, MSG_SUBSCRIBE, prefix, pending->id, &msg);
}

static void publish (actor_t *self, const char *topic, msg_t **event_p, msg_retain_t retain)
{
    msg_header (*event_p)->reason = (uint16_t) retain;
    post_to (self, MSG_EVENT, topic, 0, event_p);
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

//  A reply or error to the request with this header; what was only sent wants none.
static void answer (actor_t *self, const msg_header_t *request, msg_t **reply_p)
{
    if (request->kind == MSG_SEND || !request->id) {
        msg_destroy (reply_p);
        return;
    }
    msg_header (*reply_p)->peer = request->peer;
    msg_header (*reply_p)->id = request->id;
    actor_post (self, reply_p);
}

void actor_reply (actor_t *self, msg_t **request_p, msg_t **reply_p)
{
    answer (self, msg_head (*request_p), reply_p);
    msg_destroy (request_p);
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
    post_to (self, MSG_ADMIT, "", msg_head (request)->id, &msg);
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
    post_to (self, kind, to, from->id, &msg);
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
    post_to (self, MSG_DOZE, self->address, 0, &args);
    self->handled--;
}

//  Timers.

uint64_t actor_timer (actor_t *self, int ms, actor_timer_fn *on_time, void *arg)
{
    alarm_t *timer = calloc (1, sizeof *timer);
    assert (timer);
    timer->id = ++self->last_id;
    timer->on_time = on_time;
    timer->arg = arg;
    timers_set (&self->timers, &timer->node, mailbox_now () + ms);
    zhashx_insert (self->timers_by_id, &timer->id, timer);
    return timer->id;
}

static void timer_drop (actor_t *self, alarm_t *timer)
{
    timers_remove (&self->timers, &timer->node);
    zhashx_delete (self->timers_by_id, &timer->id);
    free (timer);
}

void actor_timer_cancel (actor_t *self, uint64_t *id_p)
{
    alarm_t *timer = *id_p ? zhashx_lookup (self->timers_by_id, id_p) : NULL;
    *id_p = 0;
    if (timer)
        timer_drop (self, timer);
}

static void run_timers (actor_t *self)
{
    timer_node_t *node;
    while ((node = timers_pop (&self->timers, self->now))) {
        alarm_t due = *(alarm_t *) node;
        timer_drop (self, (alarm_t *) node);
        due.on_time (self, due.arg);
    }
}

//  Descriptors.

static void watch (actor_t *self, watched_t watched)
{
    if (self->watched_count == self->watched_room) {
        self->watched_room = self->watched_room * 2 + 4;
        self->watched = realloc (self->watched, self->watched_room * sizeof *self->watched);
        self->items = realloc (self->items, (self->watched_room + 1) * sizeof *self->items);
        assert (self->watched && self->items);
    }
    self->watched[self->watched_count++] = watched;
}

void actor_watch_fd (actor_t *self, int fd, short events, actor_fd_fn *on_ready, void *arg)
{
    actor_unwatch_fd (self, fd);
    watch (self, (watched_t){ NULL, fd, events, on_ready, arg });
}

void actor_watch_socket (actor_t *self, void *socket, actor_fd_fn *on_ready, void *arg)
{
    watch (self, (watched_t){ socket, -1, ZMQ_POLLIN, on_ready, arg });
}

void actor_unwatch_fd (actor_t *self, int fd)
{
    for (size_t i = 0; i < self->watched_count; i++)
        if (self->watched[i].fd == fd && !self->watched[i].socket) {
            memmove (&self->watched[i], &self->watched[i + 1],
                     (self->watched_count - i - 1) * sizeof *self->watched);
            self->watched_count--;
            return;
        }
}

static bool still_watched (const actor_t *self, const watched_t *ready)
{
    for (size_t i = 0; i < self->watched_count; i++)
        if (self->watched[i].fd == ready->fd && self->watched[i].socket == ready->socket &&
            self->watched[i].arg == ready->arg)
            return true;
    return false;
}

//  poll(2)'s bits from zmq_poll's: for descriptors zmq_poll says ERR for all that is not data.
static short poll_bits (short ready)
{
    return (short) ((ready & ZMQ_POLLIN ? POLLIN : 0) | (ready & ZMQ_POLLOUT ? POLLOUT : 0) |
                    (ready & ZMQ_POLLERR ? POLLHUP : 0));
}

//  Callbacks may watch and unwatch: go by a copy of what was ready.
static void run_ready (actor_t *self, size_t count)
{
    autofree watched_t *ready = calloc (count + 1, sizeof *ready);
    assert (ready);
    size_t ready_count = 0;
    for (size_t i = 0; i < count; i++)
        if (self->items[i + 1].revents) {
            ready[ready_count] = self->watched[i];
            ready[ready_count++].events = poll_bits (self->items[i + 1].revents);
        }
    for (size_t i = 0; i < ready_count; i++)
        if (still_watched (self, &ready[i]))
            ready[i].on_ready (self, ready[i].fd, ready[i].events, ready[i].arg);
}

//  Waits for the mailbox, descriptors and timers; runs what became due but for messages.
static void wait_and_run (actor_t *self, int64_t until)
{
    timer_node_t *first = timers_first (&self->timers);
    if (first && first->due < until)
        until = first->due;
    size_t count = self->watched_count;
    self->items[0] = (zmq_pollitem_t){ self->socket, 0, ZMQ_POLLIN, 0 };
    for (size_t i = 0; i < count; i++) {
        const watched_t *watched = &self->watched[i];
        short events = (short) ((watched->events & POLLIN ? ZMQ_POLLIN : 0) |
                                (watched->events & POLLOUT ? ZMQ_POLLOUT : 0));
        self->items[i + 1] = (zmq_pollitem_t){ watched->socket, watched->fd,
                                               watched->socket ? ZMQ_POLLIN : events, 0 };
    }
    int ready = mailbox_wait (self->items, (int) count + 1, until);
    self->since_poll = 0;
    self->now = mailbox_now ();
    if (ready > 0)
        run_ready (self, count);
    run_timers (self);
}

static void report (actor_t *self)
{
    auto(msg_t) msg = msg_new (MSG_REPORT);
    post_to (self, MSG_REPORT, "", 0, &msg);
}

//  The next message, or NULL when UNTIL passed or something else was run first.
static msg_t *mailbox_recv (actor_t *self, int64_t until)
{
    if (++self->since_poll >= POLL_EVERY)
        wait_and_run (self, 0);
    msg_t *msg = msg_recv (self->socket, NULL);
    if (msg)
        return msg;
    if (self->reported != self->handled) {
        int64_t idle = mailbox_now () + REPORT_IDLE_MS;
        wait_and_run (self, idle < until ? idle : until);
        msg = msg_recv (self->socket, NULL);
        if (!msg && self->now >= idle)
            report (self);
        return msg;
    }
    wait_and_run (self, until);
    return msg_recv (self->socket, NULL);
}

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
    self->class->handle (self, msg_p);
    if (head.kind == MSG_STREAM) {
        auto(msg_t) ack = msg_reply ();
        answer (self, &head, &ack);
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
        report (self);
}

bool actor_step (actor_t *self, int64_t until)
{
    auto(msg_t) msg = mailbox_recv (self, until);
    if (msg)
        handle_one (self, &msg);
    return !self->stopping;
}

//  The thread.

static void say_bye (actor_t *self)
{
    auto(msg_t) bye = self->reason == END_FAILED || self->reason == END_PANIC
                          ? msg_error (&self->end)
                          : msg_new (MSG_BYE);
    msg_header (bye)->reason = (uint16_t) self->reason;
    post_to (self, MSG_BYE, self->address, 0, &bye);
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
    actor_log (self, LOG_ERROR, "panic in %s: %s", self->address, text);
    pthread_exit (NULL);
}

static msg_t *wait_for_start (actor_t *self)
{
    auto(msg_t) hello = msg_new (MSG_HELLO);
    post_to (self, MSG_HELLO, self->address, 0, &hello);
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
    answer (self, &head, &reply);
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
    set_address (self->address, address);
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

void actor_log (actor_t *self, log_level_t level, const char *format, ...)
{
    char text[ERROR_MESSAGE_MAX];
    va_list args;
    va_start (args, format);
    vsnprintf (text, sizeof text, format, args);
    va_end (args);
    auto(msg_t) msg = msg_request ("log");
    pack_t *pack = msg_args (msg);
    pack_key_u64 (pack, "level", level);
    pack_key_i64 (pack, "time_us", mailbox_wall_clock ());
    pack_key_str (pack, "text", text);
    actor_send (self, "log", &msg);
}
