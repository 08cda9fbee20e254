//  actor_wait.c: what an actor waits for: its mailbox, its timers, its descriptors.

#include "actors/runtime/actor_self.h"

#include "actors/runtime/mailbox.h"

#include <poll.h>

enum {
    POLL_EVERY = 32,     //  messages, after which descriptors get their turn in a full mailbox
    REPORT_IDLE_MS = 100 //  after which an idle actor tells how much it has handled
};

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

msg_t *mailbox_recv (actor_t *self, int64_t until)
{
    const bool ending = self->stopping;
    if (++self->since_poll >= POLL_EVERY)
        wait_and_run (self, 0);
    msg_t *msg = msg_recv (self->socket, NULL);
    //  What ran may have ended us: then nothing is waited for any more.
    if (msg || self->stopping != ending)
        return msg;
    if (self->reported != self->handled) {
        int64_t idle = mailbox_now () + REPORT_IDLE_MS;
        wait_and_run (self, idle < until ? idle : until);
        msg = msg_recv (self->socket, NULL);
        if (!msg && self->now >= idle)
            actor_report (self);
        return msg;
    }
    wait_and_run (self, until);
    return msg_recv (self->socket, NULL);
}
