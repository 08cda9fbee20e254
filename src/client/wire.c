//  wire.c: the connection of one client.

#include "client/wire.h"

#include "client/endpoint.h"
#include "client/keys.h"
#include "msg/frame.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>

enum {
    LINGER_MS = 200,
    RECEIVE_QUEUE = 10000,
    HEARTBEAT_MS = 5000, //  over TCP: a host that is gone says nothing
    DEAD_MS = 15000,
    MONITORED = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |
                ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CLOSED
};

struct wire {
    char *endpoint, *keys;
    void *context, *dealer, *monitor;
    unsigned connections; //  so far
    int epoll, timer;
    int64_t wake_at; //  when the timer goes off; INT64_MAX: it is not set
    wire_state_t state;
};

int64_t wire_now (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int watch (wire_t *self, int fd)
{
    struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
    return epoll_ctl (self->epoll, EPOLL_CTL_ADD, fd, &event);
}

static int socket_fd (void *socket)
{
    int fd = -1;
    size_t size = sizeof fd;
    zmq_getsockopt (socket, ZMQ_FD, &fd, &size);
    return fd;
}

wire_t *wire_new (const char *endpoint, const char *keys, error_t *err)
{
    auto(wire_t) self = calloc (1, sizeof *self);
    assert (self);
    self->endpoint = strdup (endpoint);
    self->keys = text_copy (keys);
    self->wake_at = INT64_MAX;
    self->context = zmq_ctx_new ();
    self->epoll = epoll_create1 (EPOLL_CLOEXEC);
    self->timer = timerfd_create (CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (!self->endpoint || !self->context || self->epoll < 0 || self->timer < 0 ||
        watch (self, self->timer)) {
        error_errno (err, ERR_SYSTEM_ERROR, "connect to %s: no descriptors", endpoint);
        return NULL;
    }
    return take (&self);
}

void wire_destroy (wire_t **self_p)
{
    wire_t *self = take (self_p);
    if (!self)
        return;
    if (self->state == WIRE_UP)
        zmq_setsockopt (self->dealer, ZMQ_LINGER, &(int){ LINGER_MS }, sizeof (int));
    wire_drop (self);
    if (self->context)
        zmq_ctx_term (self->context);
    if (self->epoll >= 0)
        close (self->epoll);
    if (self->timer >= 0)
        close (self->timer);
    free (self->endpoint);
    free (self->keys);
    free (self);
}

const char *wire_endpoint (const wire_t *self)
{
    return self->endpoint;
}

wire_state_t wire_state (const wire_t *self)
{
    return self->state;
}

static void close_socket (wire_t *self, void **socket_p)
{
    void *socket = take (socket_p);
    if (!socket)
        return;
    epoll_ctl (self->epoll, EPOLL_CTL_DEL, socket_fd (socket), NULL);
    zmq_close (socket);
}

void wire_drop (wire_t *self)
{
    if (self->dealer)
        zmq_socket_monitor (self->dealer, NULL, 0);
    close_socket (self, &self->monitor);
    close_socket (self, &self->dealer);
    self->state = WIRE_DOWN;
}

//  As a client of a server whose key is known.
static int use_keys (void *dealer, const curve_t *curve)
{
    const struct {
        int option;
        const char *key;
    } keys[] = { { ZMQ_CURVE_SERVERKEY, curve->server },
                 { ZMQ_CURVE_PUBLICKEY, curve->public },
                 { ZMQ_CURVE_SECRETKEY, curve->secret } };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (zmq_setsockopt (dealer, keys[i].option, keys[i].key, KEY_TEXT_SIZE))
            return -1;
    int interval = HEARTBEAT_MS, dead = DEAD_MS;
    return zmq_setsockopt (dealer, ZMQ_HEARTBEAT_IVL, &interval, sizeof interval) ||
                   zmq_setsockopt (dealer, ZMQ_HEARTBEAT_TIMEOUT, &dead, sizeof dead) ||
                   zmq_setsockopt (dealer, ZMQ_CONNECT_TIMEOUT, &dead, sizeof dead)
               ? -1
               : 0;
}

//  CURVE may be NULL.
static int open_sockets (wire_t *self, const curve_t *curve)
{
    self->dealer = zmq_socket (self->context, ZMQ_DEALER);
    self->monitor = zmq_socket (self->context, ZMQ_PAIR);
    if (!self->dealer || !self->monitor)
        return -1;
    const struct {
        int option, value;
    } options[] = { { ZMQ_LINGER, 0 },
                    { ZMQ_SNDHWM, 0 }, //  bounded by the open requests
                    { ZMQ_RCVHWM, RECEIVE_QUEUE },
                    { ZMQ_RECONNECT_IVL, -1 } };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (zmq_setsockopt (self->dealer, options[i].option, &options[i].value, sizeof (int)))
            return -1;
    if (curve && use_keys (self->dealer, curve))
        return -1;
    //  A name of its own: that of a closed monitor is taken until libzmq's thread gets to it.
    char address[40];
    snprintf (address, sizeof address, "inproc://monitor-%u", self->connections++);
    if (zmq_socket_monitor (self->dealer, address, MONITORED) ||
        zmq_connect (self->monitor, address) || zmq_connect (self->dealer, self->endpoint))
        return -1;
    return watch (self, socket_fd (self->dealer)) || watch (self, socket_fd (self->monitor)) ? -1
                                                                                             : 0;
}

int wire_connect (wire_t *self, error_t *err)
{
    if (self->state != WIRE_DOWN)
        return 0;
    curve_t curve;
    bool remote = text_starts (self->endpoint, "tcp://");
    if (remote && !self->keys)
        return error_set (err, ERR_AUTH_FAILED,
                          "connect to %s: this needs keys (troupe_open_with_keys)", self->endpoint);
    if (endpoint_probe (self->endpoint, err) ||
        (remote && keys_for (self->keys, self->endpoint, &curve, err)))
        return -1;
    if (open_sockets (self, remote ? &curve : NULL)) {
        error_set (err, ERR_NO_CONNECT, "connect to %s: %s", self->endpoint, zmq_strerror (errno));
        wire_drop (self);
        return -1;
    }
    self->state = WIRE_CONNECTING;
    return 0;
}

//  The next event of the monitor: two frames, of which the first starts with its number (16 bits,
//  zmq_socket_monitor(3)). 0 if there is none.
static unsigned monitor_event (wire_t *self)
{
    char event[6], address[256];
    if (zmq_recv (self->monitor, event, sizeof event, ZMQ_DONTWAIT) < (int) sizeof event)
        return 0;
    if (zmq_recv (self->monitor, address, sizeof address, ZMQ_DONTWAIT) < 0)
        return 0;
    uint16_t number;
    memcpy (&number, event, sizeof number);
    return number;
}

int wire_check (wire_t *self, error_t *err)
{
    for (unsigned event; self->monitor && (event = monitor_event (self));) {
        if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED) {
            self->state = WIRE_UP;
            continue;
        }
        bool was_up = self->state == WIRE_UP;
        wire_drop (self);
        if (event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)
            return error_set (err, ERR_AUTH_FAILED, "connect to %s: the daemon refused us%s",
                              self->endpoint,
                              text_starts (self->endpoint, "tcp://")
                                  ? "; is our key known there ('troupe key-own' prints it)?"
                                  : "; a read-only connection may be allowed (--readonly)");
        return error_set (err, ERR_NO_CONNECT,
                          was_up ? "the connection to %s was lost: the daemon ended it"
                                 : "connect to %s: the other side ended it; is a troupe daemon "
                                   "there?",
                          self->endpoint);
    }
    return 0;
}

int wire_send (wire_t *self, char *bytes, size_t size, error_t *err)
{
    zmq_msg_t frame;
    frame_init (&frame, bytes, size);
    FRAME_GIVEN (bytes);
    if (self->dealer && zmq_msg_send (&frame, self->dealer, ZMQ_DONTWAIT) >= 0)
        return 0;
    error_set (err, ERR_RESOURCE_BUSY, "send to %s: it takes no more; try again later",
               self->endpoint);
    err->retry = true;
    zmq_msg_close (&frame);
    return -1;
}

bool wire_recv (wire_t *self, zmq_msg_t *frame)
{
    if (!self->dealer)
        return false;
    zmq_msg_init (frame);
    if (zmq_msg_recv (frame, self->dealer, ZMQ_DONTWAIT) >= 0)
        return true;
    zmq_msg_close (frame);
    return false;
}

int wire_fd (const wire_t *self)
{
    return self->epoll;
}

static void set_timer (wire_t *self, int64_t at)
{
    self->wake_at = at;
    struct itimerspec when = { 0 };
    if (at != INT64_MAX) {
        when.it_value.tv_sec = at / 1000;
        when.it_value.tv_nsec = at % 1000 * 1000000 + 1; //  all zeros would switch it off
    }
    timerfd_settime (self->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

void wire_wake_at (wire_t *self, int64_t until)
{
    if (self->wake_at <= wire_now ())
        set_timer (self, until); //  it went off: this also makes the descriptor quiet
    else if (until < self->wake_at)
        set_timer (self, until);
}

void wire_wait (wire_t *self, int64_t until)
{
    struct pollfd item = { .fd = self->epoll, .events = POLLIN };
    int64_t left = until == INT64_MAX ? -1 : until - wire_now ();
    if (until != INT64_MAX && left < 0)
        left = 0;
    poll (&item, 1, left > INT32_MAX ? INT32_MAX : (int) left);
}
