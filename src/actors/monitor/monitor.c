//  monitor.c: owns one QMP connection: which command waits for which answer, and what of QEMU's
//  events is on its way to the owner.
//
//      GREETING      connected; QEMU speaks first
//      AGREEING      qmp_capabilities sent
//      READY         started
//      OVER          the reason is known; all who waited were told

#include "actors/monitor/monitor.h"

#include "actors/monitor/qmp.h"
#include "actors/monitor/qmp_output.h"
#include "actors/runtime/stream.h"
#include "actors/runtime/table.h"
#include "util/device.h"
#include "util/lent.h"
#include "util/text.h"
#include "util/unix_socket.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <sys/socket.h>

enum {
    CHUNK = 16 * 1024,
    CHUNKS = 16, //  read at one go, so that the mailbox gets its turn
    RECONNECT_MS = 10,
    SILENT_MS = 3000, //  without a word of QEMU, while it is asked something
    AGREE_ID = 0,
    //  What a client may be sent, with room for the message around it.
    ANSWER_MAX = VALUE_MAX_BYTES - 64 * 1024
};

typedef enum {
    GREETING,
    AGREEING,
    READY,
    OVER
} stage_t;

typedef struct {
    uint64_t id;
    msg_t *request;
    bool with_file; //  a descriptor went with it
} waiting_t;

typedef struct {
    stage_t stage;
    bool started; //  and who spawned it knows
    int fd;
    short watched;
    char owner[MSG_ADDRESS_MAX];
    char who[32];    //  answers: "QEMU"
    stream_t events; //  to the owner
    qmp_input_t input;
    qmp_output_t output;
    bool passing;       //  a descriptor went to QEMU, and the command with it is not answered
    zhashx_t *waiting;  //  waiting_t by id
    zlistx_t *requests; //  that came before it was ready
    uint64_t last_id;
    int64_t heard_ms;      //  when QEMU last said something, or was asked when nothing else waited
    int64_t asked_us;      //  wall clock of the same
    uint64_t silent_timer; //  runs while commands wait
    bool silent;           //  the owner was told that QEMU does not respond
    error_t reason;        //  why it is OVER
} monitor_t;

//  The end.

static void forget (monitor_t *monitor, waiting_t *waiting)
{
    zhashx_delete (monitor->waiting, &waiting->id);
    if (waiting->with_file)
        monitor->passing = false;
    msg_destroy (&waiting->request);
    free (waiting);
}

static void fail_waiting (actor_t *self, const error_t *err)
{
    monitor_t *monitor = actor_state (self);
    waiting_t *waiting;
    while ((waiting = zhashx_first (monitor->waiting))) {
        actor_reply_error (self, &waiting->request, err);
        forget (monitor, waiting);
    }
    msg_t *request;
    while ((request = zlistx_detach (monitor->requests, NULL)))
        actor_reply_error (self, &request, err);
}

//  Once: whoever waits gets the reason. While it starts, that is who spawned it.
static void finish (actor_t *self, bool tell_owner)
{
    monitor_t *monitor = actor_state (self);
    monitor->stage = OVER;
    actor_unwatch_fd (self, monitor->fd);
    fail_waiting (self, &monitor->reason);
    if (!monitor->started)
        return;
    if (tell_owner && *monitor->owner) {
        auto(msg_t) closed = msg_request ("monitor.closed");
        pack_key_str (msg_args (closed), "reason", monitor->reason.message);
        actor_send (self, monitor->owner, &closed);
    }
    actor_end (self);
}

static void finish_broken (actor_t *self, const error_t *why)
{
    monitor_t *monitor = actor_state (self);
    error_set (&monitor->reason, ERR_OPERATION_FAILED,
               "%s: the connection to %s was closed, because it is broken: %s",
               actor_address (self), monitor->who, why->message);
    actor_log (self, LEVEL_ERROR, "%s", monitor->reason.message);
    finish (self, true);
}

static void finish_eof (actor_t *self, const char *how)
{
    monitor_t *monitor = actor_state (self);
    bool half = qmp_input_left (&monitor->input) > 0;
    error_set (&monitor->reason, ERR_OPERATION_FAILED, "%s: %s %s (%s%s)", actor_address (self),
               monitor->who,
               monitor->started ? "ended or closed its monitor"
                                : "ended before its monitor answered",
               how, half ? ", in the middle of a line" : "");
    finish (self, true);
}

//  A QEMU that says nothing although it is asked something.

static bool is_held (const monitor_t *monitor);

static void tell_silent (actor_t *self, bool silent)
{
    monitor_t *monitor = actor_state (self);
    monitor->silent = silent;
    if (!*monitor->owner)
        return;
    auto(msg_t) msg = msg_request ("monitor.silent");
    pack_key_i64 (msg_args (msg), "since_us", silent ? monitor->asked_us : 0);
    actor_send (self, monitor->owner, &msg);
}

static void note_heard (actor_t *self)
{
    monitor_t *monitor = actor_state (self);
    monitor->heard_ms = actor_now (self);
    monitor->asked_us = actor_wall_clock (self);
}

//  What we hold back ourselves is not QEMU's silence.
static void look_silent (actor_t *self, void *arg)
{
    (void) arg;
    monitor_t *monitor = actor_state (self);
    monitor->silent_timer = 0;
    if (monitor->stage == OVER || zhashx_size (monitor->waiting) == 0 || monitor->silent)
        return;
    if (is_held (monitor))
        note_heard (self);
    int64_t left = monitor->heard_ms + SILENT_MS - actor_now (self);
    if (left <= 0)
        tell_silent (self, true);
    else
        monitor->silent_timer = actor_timer (self, (int) left, look_silent, NULL);
}

//  A command is about to wait.
static void watch_silence (actor_t *self)
{
    monitor_t *monitor = actor_state (self);
    if (zhashx_size (monitor->waiting) == 0 && !monitor->silent)
        note_heard (self);
    if (!monitor->silent_timer && !monitor->silent)
        monitor->silent_timer = actor_timer (self, SILENT_MS, look_silent, NULL);
}

//  What else waits may wait in vain: it goes on to be watched.
static void heard (actor_t *self)
{
    monitor_t *monitor = actor_state (self);
    note_heard (self);
    if (!monitor->silent)
        return;
    tell_silent (self, false);
    watch_silence (self);
}

//  Output.

static void update_watch (actor_t *self);

static void flush (actor_t *self)
{
    monitor_t *monitor = actor_state (self);
    qmp_output_flush (&monitor->output, monitor->fd);
    update_watch (self);
}

static void write_line (actor_t *self, const char *line, int file)
{
    monitor_t *monitor = actor_state (self);
    qmp_output_add (&monitor->output, line, file);
    flush (self);
}

static int check_room (actor_t *self, error_t *err)
{
    monitor_t *monitor = actor_state (self);
    size_t count = zhashx_size (monitor->waiting);
    size_t unwritten = qmp_output_left (&monitor->output);
    if (count < MONITOR_MAX_WAITING && unwritten < MONITOR_MAX_OUTPUT)
        return 0;
    error_set (err, ERR_RESOURCE_BUSY,
               "%s: %s has not answered %zu commands, %zu bytes of which it has not read; it "
               "may hang",
               actor_address (self), monitor->who, count, unwritten);
    err->retry = true;
    return -1;
}

static int open_device (const char *text, error_t *err)
{
    device_t device;
    if (lent_is (text))
        return lent_open (text, err);
    if (!device_read (text, &device))
        return error_set (err, ERR_INTERNAL_ERROR, "'%s' is no device", text);
    return device_open (&device, err);
}

//  The file that is to go with a command. QEMU would mix up two that are on their way.
static int open_file (actor_t *self, const msg_t *request, int *file, error_t *err)
{
    monitor_t *monitor = actor_state (self);
    const char *path = msg_str (request, "path"), *device = msg_str (request, "device");
    if (!path && !device)
        return 0;
    if (monitor->passing) {
        error_set (err, ERR_RESOURCE_BUSY,
                   "%s: QEMU has not answered the command that passes it another file",
                   actor_address (self));
        err->retry = true;
        return -1;
    }
    *file = device ? open_device (device, err)
                   : qmp_output_open_file (path, msg_flag (request, "write"),
                                           msg_u64 (request, "offset", 0), err);
    return *file < 0 ? -1 : 0;
}

static void send_command (actor_t *self, msg_t **request_p)
{
    monitor_t *monitor = actor_state (self);
    const char *command = msg_str (*request_p, "command");
    error_t err = { 0 };
    autofree char *line = NULL;
    int file = -1;
    if (check_room (self, &err) == 0)
        line = qmp_command (command ? command : "", ++monitor->last_id, &err);
    if (!line || open_file (self, *request_p, &file, &err)) {
        actor_reply_error (self, request_p, &err);
        return;
    }
    waiting_t *waiting = memory_new (1, sizeof *waiting);
    waiting->id = monitor->last_id;
    waiting->request = take (request_p);
    waiting->with_file = file >= 0;
    monitor->passing = monitor->passing || file >= 0;
    watch_silence (self);
    zhashx_insert (monitor->waiting, &waiting->id, waiting);
    write_line (self, line, file);
}

//  Input.

static void become_ready (actor_t *self, const qmp_line_t *answer)
{
    monitor_t *monitor = actor_state (self);
    if (answer->kind == QMP_ERROR) {
        error_t why;
        error_set (&why, ERR_OPERATION_FAILED, "QEMU refused qmp_capabilities: %s", answer->desc);
        finish_broken (self, &why);
        return;
    }
    monitor->stage = READY;
    msg_t *request;
    while ((request = zlistx_detach (monitor->requests, NULL)))
        send_command (self, &request);
}

static void answer_waiting (actor_t *self, waiting_t *waiting, const char *line, size_t size)
{
    monitor_t *monitor = actor_state (self);
    if (size > ANSWER_MAX) {
        error_t err;
        error_set (&err, ERR_OVERFLOW, "%s: QEMU's answer has %zu bytes, more than the %u allowed",
                   actor_address (self), size, (unsigned) ANSWER_MAX);
        actor_reply_error (self, &waiting->request, &err);
    } else {
        auto(msg_t) reply = msg_reply ();
        pack_map (msg_result (reply));
        pack_key_str (msg_result (reply), "json", line);
        pack_end (msg_result (reply));
        actor_reply (self, &waiting->request, &reply);
    }
    forget (monitor, waiting);
}

static void on_answer (actor_t *self, const qmp_line_t *answer, const char *line, size_t size)
{
    monitor_t *monitor = actor_state (self);
    waiting_t *waiting = zhashx_lookup (monitor->waiting, &answer->id);
    if (monitor->stage == AGREEING && answer->id == AGREE_ID)
        become_ready (self, answer);
    else if (waiting)
        answer_waiting (self, waiting, line, size);
    else
        actor_log (self, LEVEL_WARNING, "%s: QEMU answered a command that nobody sent%s%s",
                   actor_address (self), *answer->desc ? ": " : "", answer->desc);
}

static void on_event (actor_t *self, const qmp_line_t *event, const char *line, size_t size)
{
    monitor_t *monitor = actor_state (self);
    if (!*monitor->owner)
        return;
    if (size > ANSWER_MAX) {
        actor_log (self, LEVEL_ERROR, "%s: QEMU's event %s of %zu bytes is too long, and is lost",
                   actor_address (self), event->event, size);
        return;
    }
    auto(msg_t) msg = msg_request ("monitor.event");
    pack_key_str (msg_args (msg), "json", line);
    stream_send (&monitor->events, self, &msg);
}

static void on_line (actor_t *self, const char *line, size_t size)
{
    monitor_t *monitor = actor_state (self);
    qmp_line_t read;
    error_t err;
    heard (self);
    if (qmp_read (line, size, &read, &err)) {
        finish_broken (self, &err);
        return;
    }
    if (monitor->stage == GREETING && read.kind == QMP_GREETING) {
        monitor->stage = AGREEING;
        autofree char *command = qmp_command ("{\"execute\":\"qmp_capabilities\"}", AGREE_ID, &err);
        write_line (self, command, -1);
    } else if (monitor->stage == GREETING) {
        error_set (&err, ERR_OPERATION_FAILED, "its first line is no QMP greeting");
        finish_broken (self, &err);
    } else if (read.kind == QMP_RETURN || read.kind == QMP_ERROR)
        on_answer (self, &read, line, size);
    else if (read.kind == QMP_EVENT)
        on_event (self, &read, line, size);
    else
        actor_log (self, LEVEL_WARNING, "%s: QEMU sent an object that is no answer and no event",
                   actor_address (self));
}

//  The owner's window holds the whole line back: answers too, since what QEMU said before them
//  comes before them.
static bool is_held (const monitor_t *monitor)
{
    return *monitor->owner && !monitor->events.broken && !stream_has_space (&monitor->events);
}

static void run_lines (actor_t *self)
{
    monitor_t *monitor = actor_state (self);
    const char *line;
    size_t size;
    while (monitor->stage != OVER && !is_held (monitor) &&
           (line = qmp_input_next (&monitor->input, &size)))
        on_line (self, line, size);
    update_watch (self);
}

static void read_some (actor_t *self)
{
    monitor_t *monitor = actor_state (self);
    char bytes[CHUNK];
    for (int i = 0; i < CHUNKS && monitor->stage != OVER && !is_held (monitor); i++) {
        ssize_t count = recv (monitor->fd, bytes, sizeof bytes, 0);
        if (count < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (count <= 0) {
            finish_eof (self, count == 0 ? "end of file" : strerror (errno));
            return;
        }
        error_t err;
        if (qmp_input_add (&monitor->input, bytes, (size_t) count, &err))
            finish_broken (self, &err);
        else
            run_lines (self);
    }
}

static void on_ready (actor_t *self, int fd, short events, void *arg)
{
    (void) fd, (void) arg;
    monitor_t *monitor = actor_state (self);
    if (events & (POLLOUT | POLLHUP))
        flush (self);
    if (!is_held (monitor))
        read_some (self);
}

static void update_watch (actor_t *self)
{
    monitor_t *monitor = actor_state (self);
    if (monitor->stage == OVER)
        return;
    bool unwritten = qmp_output_left (&monitor->output) > 0;
    short wanted = (short) ((is_held (monitor) ? 0 : POLLIN) | (unwritten ? POLLOUT : 0));
    if (wanted == monitor->watched)
        return;
    monitor->watched = wanted;
    if (wanted)
        actor_watch_fd (self, monitor->fd, wanted, on_ready, NULL);
    else
        actor_unwatch_fd (self, monitor->fd);
}

//  The owner.

static void on_space (actor_t *self, void *arg)
{
    (void) arg;
    run_lines (self);
}

static void lose_owner (actor_t *self, const error_t *err)
{
    monitor_t *monitor = actor_state (self);
    if (monitor->stage == OVER)
        return;
    error_set (&monitor->reason, ERR_OPERATION_ABORTED,
               "%s was closed, because who used it ended: %s", actor_address (self), err->message);
    finish (self, false);
}

static void on_broken (actor_t *self, const error_t *err, void *arg)
{
    (void) arg;
    lose_owner (self, err);
}

static void on_owner_down (actor_t *self, const char *address, const msg_t *down, void *arg)
{
    (void) address, (void) arg;
    error_t err = { 0 };
    msg_failed (down, &err);
    lose_owner (self, &err);
}

//  The actor.

//  Waits while the listener's queue is full.
static int connect_to (actor_t *self, const char *path, int64_t until, error_t *err)
{
    monitor_t *monitor = actor_state (self);
    while ((monitor->fd = unix_connect (path, err)) < 0 && err->retry && actor_now (self) < until) {
        int64_t next = actor_now (self) + RECONNECT_MS;
        while (actor_now (self) < next && monitor->stage != OVER)
            if (!actor_step (self, next))
                return error_set (err, ERR_OPERATION_ABORTED, "%s was stopped while it connected",
                                  actor_address (self));
    }
    if (monitor->stage == OVER)
        *err = monitor->reason;
    return monitor->fd < 0 || monitor->stage == OVER ? -1 : 0;
}

static int agree (actor_t *self, int64_t until, int ms, error_t *err)
{
    monitor_t *monitor = actor_state (self);
    while (monitor->stage != READY && monitor->stage != OVER && actor_now (self) < until)
        if (!actor_step (self, until))
            return error_set (err, ERR_OPERATION_ABORTED, "%s was stopped while it connected",
                              actor_address (self));
    if (monitor->stage == READY)
        return 0;
    if (monitor->stage != OVER)
        return error_set (
            err, ERR_OPERATION_TIMEOUT, "%s: %s is there, but %s within %d ms",
            actor_address (self), monitor->who,
            monitor->stage == GREETING ? "did not greet" : "did not answer qmp_capabilities", ms);
    *err = monitor->reason;
    return -1;
}

static int monitor_start (actor_t *self, const msg_t *args, error_t *err)
{
    monitor_t *monitor = actor_state (self);
    monitor->fd = -1;
    qmp_output_open (&monitor->output);
    monitor->waiting = table_by_u64 ();
    monitor->requests = zlistx_new ();
    const char *path = msg_str (args, "path"), *owner = msg_str (args, "owner");
    const char *who = msg_str (args, "who");
    int ms = (int) msg_u64 (args, "deadline_ms", 10000);
    snprintf (monitor->who, sizeof monitor->who, "%s", who ? who : "QEMU");
    snprintf (monitor->owner, sizeof monitor->owner, "%s", owner ? owner : "");
    stream_open (&monitor->events, monitor->owner, STREAM_WINDOW,
                 (stream_events_t){ on_space, on_broken }, NULL);
    actor_watch (self, *monitor->owner ? monitor->owner : msg_head (args)->from, on_owner_down,
                 NULL);
    int64_t until = actor_now (self) + ms;
    if (connect_to (self, path ? path : "", until, err)) {
        error_prefix (err, "%s", actor_address (self));
        return -1;
    }
    update_watch (self);
    if (agree (self, until, ms, err))
        return -1;
    monitor->started = true;
    return 0;
}

static void monitor_close (actor_t *self, msg_t **msg_p)
{
    monitor_t *monitor = actor_state (self);
    auto(msg_t) reply = msg_reply ();
    actor_reply (self, msg_p, &reply);
    if (monitor->stage == OVER)
        return;
    error_set (&monitor->reason, ERR_OPERATION_ABORTED, "%s was closed", actor_address (self));
    finish (self, false);
}

static void monitor_handle (actor_t *self, msg_t **msg_p)
{
    monitor_t *monitor = actor_state (self);
    if (msg_is (*msg_p, "monitor.close"))
        monitor_close (self, msg_p);
    else if (!msg_is (*msg_p, "qmp"))
        return;
    else if (monitor->stage == OVER)
        actor_reply_error (self, msg_p, &monitor->reason);
    else if (monitor->stage == READY)
        send_command (self, msg_p);
    else
        zlistx_add_end (monitor->requests, take (msg_p));
}

static void monitor_stop (actor_t *self)
{
    monitor_t *monitor = actor_state (self);
    if (!monitor->output.bytes)
        return; //  it was stopped before it started
    waiting_t *waiting;
    while ((waiting = zhashx_first (monitor->waiting)))
        forget (monitor, waiting);
    msg_t *request;
    while ((request = zlistx_detach (monitor->requests, NULL)))
        msg_destroy (&request);
    zhashx_destroy (&monitor->waiting);
    zlistx_destroy (&monitor->requests);
    qmp_input_close (&monitor->input);
    qmp_output_close (&monitor->output);
    if (monitor->fd >= 0)
        close (monitor->fd);
}

const actor_class_t monitor_class = {
    .kind = "monitor",
    .state_size = sizeof (monitor_t),
    .stop_rank = 1,
    .stack_size = 1024 * 1024, //  JSON may nest QMP_MAX_DEPTH deep
    .start = monitor_start,
    .handle = monitor_handle,
    .stop = monitor_stop,
};
