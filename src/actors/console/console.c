//  console.c: owns one console: what waits to be shown, who sees it, and what waits to be typed.
//
//      guest's end --> ring --> stream --> gateway     as far as the window lets it
//      guest's end <-- inputs <-------- gateway        in order, as far as the guest takes it

#include "actors/console/console.h"

#include "actors/console/console_end.h"
#include "actors/runtime/ring.h"
#include "actors/runtime/stream.h"
#include "drivers/state.h"

#include <czmq.h>
#include <poll.h>

enum {
    READERS = 4 //  of which one has it; the others' last chunks are still on their way
};

typedef struct {
    stream_t stream;
    uint64_t id; //  of the gateway's stream
} reader_t;

typedef struct {
    bool started, closed;
    console_end_t end;
    short watched;
    char domain[MSG_ADDRESS_MAX], alias[64];
    ring_t ring;
    reader_t readers[READERS], *reader; //  who has it, or NULL
    zlistx_t *inputs;                   //  msg_t: requests
    size_t written;                     //  of the first one
    uint64_t idle;                      //  timer while nobody has it
    char gateway[MSG_ADDRESS_MAX];      //  that is watched
} console_t;

static void pump (actor_t *self);

//  Readers.

static void on_idle (actor_t *self, void *arg)
{
    (void) arg;
    console_t *console = actor_state (self);
    console->idle = 0;
    actor_end (self);
}

static void fail_inputs (actor_t *self, const char *why)
{
    console_t *console = actor_state (self);
    error_t err;
    error_set (&err, ERR_OPERATION_FAILED, "type into %s: %s", actor_address (self), why);
    msg_t *request;
    while ((request = zlistx_detach (console->inputs, NULL)))
        actor_reply_error (self, &request, &err);
    console->written = 0;
}

//  REASON NULL: it knows.
static void drop_reader (actor_t *self, const char *reason)
{
    console_t *console = actor_state (self);
    reader_t *reader = take (&console->reader);
    if (!reader)
        return;
    if (reason) {
        auto(msg_t) msg = msg_request ("console.end");
        pack_key_u64 (msg_args (msg), "stream", reader->id);
        pack_key_str (msg_args (msg), "reason", reason);
        pack_key_bool (msg_args (msg), "closed", console->closed);
        actor_send (self, reader->stream.to, &msg);
    }
    stream_close (&reader->stream);
    fail_inputs (self, reason ? reason : "the console was detached");
    console->idle = actor_timer (self, CONSOLE_IDLE_MS, on_idle, NULL);
}

static void on_space (actor_t *self, void *arg)
{
    (void) arg;
    pump (self);
}

static void on_broken (actor_t *self, const error_t *err, void *arg)
{
    console_t *console = actor_state (self);
    if (console->reader == arg)
        drop_reader (self, err->message);
}

static void on_gateway_down (actor_t *self, const char *address, const msg_t *down, void *arg)
{
    (void) down, (void) arg;
    console_t *console = actor_state (self);
    *console->gateway = 0;
    if (console->reader && strcmp (console->reader->stream.to, address) == 0)
        drop_reader (self, NULL);
}

static void watch_gateway (actor_t *self, const char *gateway)
{
    console_t *console = actor_state (self);
    if (strcmp (console->gateway, gateway) == 0)
        return;
    snprintf (console->gateway, sizeof console->gateway, "%s", gateway);
    actor_watch (self, gateway, on_gateway_down, NULL);
}

//  Moving bytes.

static bool move_output (actor_t *self)
{
    console_t *console = actor_state (self);
    char bytes[4096];
    size_t space = ring_space (&console->ring);
    if (console->closed || space == 0)
        return false;
    size_t size = space < sizeof bytes ? space : sizeof bytes;
    ssize_t count = console_end_read (&console->end, bytes, size);
    console->closed = count < 0;
    if (count > 0)
        ring_write (&console->ring, bytes, (size_t) count);
    return count > 0;
}

static bool show_output (actor_t *self)
{
    console_t *console = actor_state (self);
    size_t size;
    const void *bytes = ring_peek (&console->ring, CONSOLE_CHUNK, &size);
    if (!console->reader || size == 0 || !stream_has_space (&console->reader->stream))
        return false;
    auto(msg_t) msg = msg_request ("console.data");
    pack_key_u64 (msg_args (msg), "stream", console->reader->id);
    pack_key (msg_args (msg), "data");
    pack_bin (msg_args (msg), bytes, size);
    stream_send (&console->reader->stream, self, &msg);
    ring_drop (&console->ring, size);
    return true;
}

static void finish_input (actor_t *self)
{
    console_t *console = actor_state (self);
    msg_t *request = zlistx_detach (console->inputs, NULL);
    auto(msg_t) reply = msg_reply ();
    actor_reply (self, &request, &reply);
    console->written = 0;
}

//  What waited for too long is not typed: its client is told so.
static bool drop_late_input (actor_t *self)
{
    console_t *console = actor_state (self);
    msg_t *request = zlistx_first (console->inputs);
    int64_t deadline = msg_head (request)->deadline;
    if (console->written > 0 || deadline == 0 || deadline > actor_now (self))
        return false;
    error_t err;
    error_set (&err, ERR_OPERATION_TIMEOUT, "type into %s: the guest took no input in time",
               actor_address (self));
    zlistx_detach (console->inputs, NULL);
    actor_reply_error (self, &request, &err);
    return true;
}

static bool move_input (actor_t *self)
{
    console_t *console = actor_state (self);
    const msg_t *request = zlistx_first (console->inputs);
    if (!request || console->closed)
        return false;
    if (drop_late_input (self))
        return true;
    size_t size;
    const char *bytes = value_bin (msg_arg (request, "data"), &size);
    ssize_t count = 0;
    if (size > 0)
        count =
            console_end_write (&console->end, bytes + console->written, size - console->written);
    if (count < 0) {
        //  What the guest showed last is still to be read.
        fail_inputs (self, "the guest's console was closed");
        return true;
    }
    console->written += (size_t) count;
    bool done = console->written >= size;
    if (done)
        finish_input (self);
    return done || count > 0;
}

static void on_ready (actor_t *self, int fd, short events, void *arg)
{
    (void) fd, (void) events, (void) arg;
    pump (self);
}

static void update_watch (actor_t *self)
{
    console_t *console = actor_state (self);
    bool reads = ring_space (&console->ring) > 0, writes = zlistx_size (console->inputs) > 0;
    short wanted = (short) ((reads ? POLLIN : 0) | (writes ? POLLOUT : 0));
    if (console->closed)
        wanted = 0;
    if (console->end.fd < 0 || wanted == console->watched)
        return;
    console->watched = wanted;
    if (wanted)
        actor_watch_fd (self, console->end.fd, wanted, on_ready, NULL);
    else
        actor_unwatch_fd (self, console->end.fd);
}

static void tell_poweroff (actor_t *self)
{
    console_t *console = actor_state (self);
    auto(msg_t) msg = msg_request ("guest.poweroff");
    pack_key_str (msg_args (msg), "alias", console->alias);
    actor_send (self, console->domain, &msg);
}

//  Ends, since the window fills up and is emptied by messages only.
static void pump (actor_t *self)
{
    console_t *console = actor_state (self);
    bool was_off = console->end.off, moved = true;
    while (moved) {
        moved = move_input (self);
        moved = move_output (self) || moved;
        moved = show_output (self) || moved;
    }
    if (console->end.off && !was_off)
        tell_poweroff (self);
    update_watch (self);
    if (console->closed && (!console->reader || ring_count (&console->ring) == 0)) {
        drop_reader (self, "the guest's console was closed");
        actor_end (self);
    }
}

//  A simulated guest's end does not show at its console's.
static void on_domain (actor_t *self, const char *topic, const msg_t *event, void *arg)
{
    (void) arg;
    console_t *console = actor_state (self);
    uint64_t state = msg_u64 (event, "state", STATE_NOSTATE);
    bool over = msg_is (event, "gone") || state == STATE_SHUTOFF || state == STATE_CRASHED;
    if (!over || strcmp (topic, console->domain) != 0 || console->closed)
        return;
    console->closed = true;
    pump (self);
}

//  Requests.

static int check_attach (actor_t *self, const msg_t *request, reader_t **reader, error_t *err)
{
    console_t *console = actor_state (self);
    const char *gateway = msg_str (request, "gateway");
    if (!gateway || !*gateway || strlen (gateway) >= MSG_ADDRESS_MAX)
        return error_set (err, ERR_INVALID_ARG, "attach %s: no gateway", actor_address (self));
    if (console->closed)
        return error_set (err, ERR_OPERATION_FAILED, "attach %s: the guest's console was closed",
                          actor_address (self));
    if (console->reader && !msg_flag (request, "force"))
        return error_set (err, ERR_OPERATION_FAILED,
                          "attach %s: it is in use by another client; with 'force' you take it "
                          "over",
                          actor_address (self));
    for (size_t i = 0; i < READERS; i++)
        if (&console->readers[i] != console->reader &&
            stream_is_idle (&console->readers[i].stream)) {
            *reader = &console->readers[i];
            return 0;
        }
    error_set (err, ERR_RESOURCE_BUSY,
               "attach %s: its last clients have not yet read what was sent to them",
               actor_address (self));
    err->retry = true;
    return -1;
}

static void handle_attach (actor_t *self, msg_t **msg_p)
{
    console_t *console = actor_state (self);
    reader_t *reader = NULL;
    error_t err;
    if (check_attach (self, *msg_p, &reader, &err)) {
        actor_reply_error (self, msg_p, &err);
        return;
    }
    drop_reader (self, "taken over by another client");
    actor_timer_cancel (self, &console->idle);
    const char *gateway = msg_str (*msg_p, "gateway");
    stream_open (&reader->stream, gateway, STREAM_WINDOW, (stream_events_t){ on_space, on_broken },
                 reader);
    reader->id = msg_u64 (*msg_p, "stream", 0);
    console->reader = reader;
    watch_gateway (self, gateway);
    auto(msg_t) reply = msg_reply ();
    pack_map (msg_result (reply));
    pack_key_u64 (msg_result (reply), "stream", reader->id);
    pack_key_str (msg_result (reply), "device", console->alias);
    pack_end (msg_result (reply));
    actor_reply (self, msg_p, &reply);
    pump (self);
}

//  Is this request from who has the console?
static int check_reader (actor_t *self, const msg_t *request, error_t *err)
{
    console_t *console = actor_state (self);
    uint64_t stream = msg_u64 (request, "stream", 0);
    if (console->reader && console->reader->id == stream &&
        strcmp (console->reader->stream.to, msg_head (request)->from) == 0)
        return 0;
    return error_set (err, ERR_INVALID_STREAM, "%s: the stream %llu is not attached to it",
                      actor_address (self), (unsigned long long) stream);
}

static int check_input (actor_t *self, const msg_t *request, error_t *err)
{
    size_t size = 0;
    if (check_reader (self, request, err))
        return -1;
    if (!value_bin (msg_arg (request, "data"), &size) || size > CONSOLE_MAX_INPUT)
        return error_set (err, ERR_INVALID_ARG,
                          "type into %s: data has to be at most %u bytes, and has %zu",
                          actor_address (self), CONSOLE_MAX_INPUT, size);
    return 0;
}

static void handle_input (actor_t *self, msg_t **msg_p)
{
    console_t *console = actor_state (self);
    error_t err;
    if (check_input (self, *msg_p, &err)) {
        actor_reply_error (self, msg_p, &err);
        return;
    }
    zlistx_add_end (console->inputs, take (msg_p));
    pump (self);
}

static void handle_detach (actor_t *self, msg_t **msg_p)
{
    error_t err;
    if (check_reader (self, *msg_p, &err)) {
        actor_reply_error (self, msg_p, &err);
        return;
    }
    drop_reader (self, NULL);
    auto(msg_t) reply = msg_reply ();
    actor_reply (self, msg_p, &reply);
}

static void console_handle (actor_t *self, msg_t **msg_p)
{
    if (msg_is (*msg_p, "console.attach"))
        handle_attach (self, msg_p);
    else if (msg_is (*msg_p, "console.input"))
        handle_input (self, msg_p);
    else if (msg_is (*msg_p, "console.detach"))
        handle_detach (self, msg_p);
}

static int console_start (actor_t *self, const msg_t *args, error_t *err)
{
    console_t *console = actor_state (self);
    const char *uuid = msg_str (args, "uuid"), *alias = msg_str (args, "alias");
    console->started = true;
    console->inputs = zlistx_new ();
    ring_open (&console->ring, CONSOLE_RING);
    snprintf (console->domain, sizeof console->domain, "domain/%s", uuid ? uuid : "");
    snprintf (console->alias, sizeof console->alias, "%s", alias ? alias : "");
    if (console_end_open (&console->end, args, err))
        return -1;
    if (console->end.kind == CONSOLE_SIMULATED)
        actor_subscribe (self, console->domain, on_domain, NULL);
    console->idle = actor_timer (self, CONSOLE_IDLE_MS, on_idle, NULL);
    update_watch (self);
    return 0;
}

static void console_stop (actor_t *self)
{
    console_t *console = actor_state (self);
    if (!console->started)
        return;
    msg_t *request;
    while ((request = zlistx_detach (console->inputs, NULL)))
        msg_destroy (&request);
    zlistx_destroy (&console->inputs);
    ring_close (&console->ring);
    console_end_close (&console->end);
}

const actor_class_t console_class = {
    .kind = "console",
    .state_size = sizeof (console_t),
    .stop_rank = 1,
    .start = console_start,
    .handle = console_handle,
    .stop = console_stop,
};
