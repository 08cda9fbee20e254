//  agent.c: owns the connection to one guest agent: which command is under way, and which wait.
//  (QEMU's "QEMU Guest Agent Protocol Reference".)
//
//      port closed --> not connected --> connected, not in sync --> in sync --> a command
//                            ^                     ^                               |
//                            +---- end of file     +---- no answer in time, nonsense
//
//  The guest's end may have said anything to whoever was connected before, and may do so late. So
//  guest-sync-delimited comes first: all up to its answer, which a byte 0xFF precedes, is stale.
//  One command at a time, since an agent does not do two.

#include "actors/monitor/agent.h"

#include "actors/monitor/agent_calls.h"
#include "actors/monitor/qmp.h"
#include "actors/monitor/qmp_output.h"
#include "util/text.h"
#include "util/unix_socket.h"

#include <czmq.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <sys/socket.h>

enum {
    CHUNK = 16 * 1024,
    CHUNKS = 16, //  read at one go, so that the mailbox gets its turn
    SYNC_AGAIN_MS = 1000,
    RECONNECT_MS = 100, //  twice as long each time, up to
    RECONNECT_MAX_MS = 3200,
    SLEEP_MS = 10000, //  a guest that falls asleep closes its channels first
    DELIMITER = 0xff,
    //  What a client may be sent, with room for the message around it.
    ANSWER_MAX = VALUE_MAX_BYTES - 64 * 1024
};

typedef enum {
    PORT_UNKNOWN,
    PORT_OPEN,
    PORT_CLOSED
} port_t;

typedef struct {
    char path[256];
    port_t port;
    int fd;
    short watched;
    qmp_input_t input;
    qmp_output_t output;
    bool synced;
    bool plain;         //  an old agent: it takes no ids
    uint64_t sync;      //  number of the last guest-sync-delimited, not yet answered; 0: none
    int64_t sync_ms;    //  when it was sent
    int64_t sync_until; //  when we give up; 0: we do not try
    uint64_t last_sync; //  numbers begin anywhere, so that no answer to somebody before us fits
    agent_calls_t calls;
    uint64_t last_id;   //  of the first call, if it was sent
    uint64_t timer;     //  for the first deadline
    uint64_t reconnect; //  timer
    int reconnect_ms;   //  how long it takes the next time
    bool over;
} agent_t;

//  The connection.

//  What was not written of a command that nobody waits for is never to be done.
static void lose_sync (agent_t *agent)
{
    agent->synced = false;
    agent->sync = 0;
    qmp_output_close (&agent->output);
    qmp_output_open (&agent->output);
}

static void hang_up (actor_t *self)
{
    agent_t *agent = actor_state (self);
    lose_sync (agent);
    qmp_input_close (&agent->input);
    if (agent->fd < 0)
        return;
    actor_unwatch_fd (self, agent->fd);
    close (agent->fd);
    agent->fd = -1;
    agent->watched = 0;
}

static void go_on (actor_t *self);

static void on_reconnect (actor_t *self, void *arg)
{
    (void) arg;
    agent_t *agent = actor_state (self);
    agent->reconnect = 0;
    go_on (self);
}

static void reconnect_later (actor_t *self)
{
    agent_t *agent = actor_state (self);
    if (agent->reconnect || agent->over)
        return;
    agent->reconnect = actor_timer (self, agent->reconnect_ms, on_reconnect, NULL);
    if (agent->reconnect_ms < RECONNECT_MAX_MS)
        agent->reconnect_ms *= 2;
}

//  Connected as long as the guest has the channel open: an agent polls a channel that nobody is at.
static void dial (actor_t *self)
{
    agent_t *agent = actor_state (self);
    error_t err;
    if (agent->fd >= 0 || agent->port == PORT_CLOSED || agent->reconnect || agent->over)
        return;
    agent->fd = unix_connect (agent->path, &err);
    if (agent->fd < 0)
        reconnect_later (self);
}

static void update_watch (actor_t *self);

static void flush (actor_t *self)
{
    agent_t *agent = actor_state (self);
    qmp_output_flush (&agent->output, agent->fd);
}

//  Deadlines.

static void fail_late (actor_t *self, agent_call_t *call)
{
    agent_t *agent = actor_state (self);
    bool sent = agent->calls.sent && call == agent_calls_first (&agent->calls);
    error_t err;
    if (call->left)
        error_set (&err, ERR_AGENT_UNRESPONSIVE,
                   "the guest agent left, and the guest did not go to sleep");
    else
        error_set (&err, sent ? ERR_AGENT_COMMAND_TIMEOUT : ERR_AGENT_UNRESPONSIVE,
                   "the guest agent did not %s within %d ms",
                   sent ? "answer the command" : "get to the command", call->ms);
    agent_calls_fail (self, &agent->calls, call, &err);
    if (sent)
        lose_sync (agent);
}

static void fail_silent (actor_t *self)
{
    agent_t *agent = actor_state (self);
    error_t err;
    error_set (&err, ERR_AGENT_UNRESPONSIVE,
               "the guest agent does not respond: it said nothing of use for %d ms", AGENT_SYNC_MS);
    agent_calls_fail_all (self, &agent->calls, &err);
    lose_sync (agent);
}

static void on_time (actor_t *self, void *arg)
{
    (void) arg;
    agent_t *agent = actor_state (self);
    agent->timer = 0;
    agent_call_t *late;
    while ((late = agent_calls_late (&agent->calls, actor_now (self))))
        fail_late (self, late);
    if (agent->sync_until && agent->sync_until <= actor_now (self))
        fail_silent (self);
    go_on (self);
}

static void set_timer (actor_t *self)
{
    agent_t *agent = actor_state (self);
    int64_t first = agent_calls_deadline (&agent->calls);
    if (agent->sync_until && agent->sync_until < first)
        first = agent->sync_until;
    actor_timer_cancel (self, &agent->timer);
    int64_t left = first - actor_now (self);
    if (first != INT64_MAX)
        agent->timer = actor_timer (self, left < 1 ? 1 : (int) left, on_time, NULL);
}

//  Output.

//  0xFF first: the agent forgets what it has of a command that was cut off. Again only if the one
//  before was read and came to nothing, so that a silent agent is not buried in them.
static void begin_sync (actor_t *self)
{
    agent_t *agent = actor_state (self);
    int64_t now = actor_now (self);
    if (agent->sync &&
        (qmp_output_left (&agent->output) > 0 || now - agent->sync_ms < SYNC_AGAIN_MS))
        return;
    agent->sync = ++agent->last_sync;
    agent->sync_ms = now;
    autofree char *command = text_format (
        "{\"execute\":\"guest-sync-delimited\",\"arguments\":{\"id\":%" PRIu64 "}}", agent->sync);
    error_t err;
    autofree char *line = qmp_command (command, agent->plain ? QMP_NO_ID : ++agent->last_id, &err);
    actor_check (self, line);
    autofree char *delimited = text_format ("%c%s", DELIMITER, line);
    qmp_output_add (&agent->output, delimited, -1);
    flush (self);
}

static void send_call (actor_t *self, agent_call_t *call)
{
    agent_t *agent = actor_state (self);
    const char *command = msg_str (call->request, "command");
    error_t err;
    autofree char *line =
        qmp_command (command ? command : "", agent->plain ? QMP_NO_ID : ++agent->last_id, &err);
    if (!line) {
        agent_calls_fail (self, &agent->calls, call, &err);
        return;
    }
    qmp_output_add (&agent->output, line, -1);
    flush (self);
    agent->calls.sent = true;
    if (!call->unheard)
        return;
    agent_calls_answer (self, &agent->calls, call, "{}");
    agent->synced = false; //  its answer is of no use to the next
}

//  Nothing is there that could be taken for the answer to what is sent next.
static bool is_quiet (const agent_t *agent)
{
    char byte;
    return qmp_input_left (&agent->input) == 0 &&
           recv (agent->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0;
}

static void send_waiting (actor_t *self)
{
    agent_t *agent = actor_state (self);
    while (agent->synced && !agent->calls.sent && agent_calls_first (&agent->calls)) {
        agent->synced = is_quiet (agent);
        if (agent->synced)
            send_call (self, agent_calls_first (&agent->calls));
    }
}

//  What comes next, whatever has happened.
static void go_on (actor_t *self)
{
    agent_t *agent = actor_state (self);
    dial (self);
    send_waiting (self);
    bool unsynced = agent_calls_first (&agent->calls) && !agent->calls.sent;
    if (!agent_calls_first (&agent->calls) && agent->sync)
        lose_sync (agent); //  nobody waits for it: nothing is read
    if (!unsynced)
        agent->sync_until = 0;
    else if (!agent->sync_until)
        agent->sync_until = actor_now (self) + AGENT_SYNC_MS;
    if (unsynced && agent->fd >= 0)
        begin_sync (self);
    update_watch (self);
    set_timer (self);
}

//  Input.

static void fail_nonsense (actor_t *self, const error_t *why)
{
    agent_t *agent = actor_state (self);
    error_t err;
    error_set (&err, ERR_AGENT_UNSYNCED, "the guest agent's answer makes no sense: %s",
               why->message);
    if (agent->calls.sent)
        agent_calls_fail (self, &agent->calls, agent_calls_first (&agent->calls), &err);
    lose_sync (agent);
}

static bool is_answer_to_sync (const agent_t *agent, const char *line)
{
    error_t ignored;
    json_auto_t *number =
        qmp_return (line, "the guest agent", "guest-sync-delimited", ERR_AGENT_UNSYNCED, &ignored);
    return json_is_integer (number) && (uint64_t) json_integer_value (number) == agent->sync;
}

//  Agents before QEMU 3 refuse a command that has an id.
static void look_for_plain (actor_t *self, const char *line, size_t size)
{
    static const char refusal[] = "'id' is unexpected";
    agent_t *agent = actor_state (self);
    qmp_line_t read;
    error_t ignored;
    if (agent->plain || !strstr (line, refusal) || qmp_read (line, size, &read, &ignored) ||
        read.kind != QMP_ERROR || !strstr (read.desc, refusal))
        return;
    agent->plain = true;
    agent->sync = 0;
    begin_sync (self);
}

static void take_answer (actor_t *self, const char *line, size_t size)
{
    agent_t *agent = actor_state (self);
    qmp_line_t read;
    error_t err;
    if (qmp_read (line, size, &read, &err)) {
        fail_nonsense (self, &err);
        return;
    }
    bool answer = read.kind == QMP_RETURN || read.kind == QMP_ERROR;
    //  A late one, or one to nobody. What an agent can't read it answers without an id.
    if (!answer || !agent->calls.sent || (read.has_id && read.id != agent->last_id))
        return;
    if (size <= ANSWER_MAX) {
        agent_calls_answer (self, &agent->calls, agent_calls_first (&agent->calls), line);
        return;
    }
    error_set (&err, ERR_OVERFLOW, "the guest agent's answer has %zu bytes; at most %u are allowed",
               size, (unsigned) ANSWER_MAX);
    agent_calls_fail (self, &agent->calls, agent_calls_first (&agent->calls), &err);
}

static void on_line (actor_t *self, const char *line, size_t size)
{
    agent_t *agent = actor_state (self);
    const char *delimiter = memrchr (line, DELIMITER, size);
    const char *text = delimiter ? delimiter + 1 : line;
    if (agent->synced && !delimiter)
        take_answer (self, line, size);
    else if (agent->sync && delimiter && is_answer_to_sync (agent, text)) {
        agent->synced = true;
        agent->sync = 0;
        agent->reconnect_ms = RECONNECT_MS;
    } else if (agent->sync && !delimiter)
        look_for_plain (self, line, size);
}

static void on_end (actor_t *self, const char *how)
{
    agent_t *agent = actor_state (self);
    error_t err;
    error_set (&err, ERR_AGENT_UNRESPONSIVE, "the guest agent's channel was closed (%s)", how);
    agent_calls_fail_sent (self, &agent->calls, &err);
    hang_up (self);
    reconnect_later (self);
}

static bool is_listening (const agent_t *agent)
{
    return agent->fd >= 0 && (agent->sync || agent->calls.sent);
}

static void take_bytes (actor_t *self, const char *bytes, size_t size)
{
    agent_t *agent = actor_state (self);
    error_t err;
    if (qmp_input_add (&agent->input, bytes, size, &err)) {
        qmp_input_close (&agent->input);
        if (agent->synced)
            fail_nonsense (self, &err);
        return;
    }
    const char *line;
    while (is_listening (agent) && (line = qmp_input_next (&agent->input, &size))) {
        on_line (self, line, size);
        send_waiting (self);
    }
}

static void read_some (actor_t *self)
{
    agent_t *agent = actor_state (self);
    char bytes[CHUNK];
    for (int i = 0; i < CHUNKS && is_listening (agent); i++) {
        ssize_t count = recv (agent->fd, bytes, sizeof bytes, 0);
        if (count < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (count <= 0)
            on_end (self, count == 0 ? "end of file" : strerror (errno));
        else
            take_bytes (self, bytes, (size_t) count);
    }
}

static void on_ready (actor_t *self, int fd, short events, void *arg)
{
    (void) fd, (void) arg;
    if (events & (POLLOUT | POLLHUP))
        flush (self);
    read_some (self);
    go_on (self);
}

static void update_watch (actor_t *self)
{
    agent_t *agent = actor_state (self);
    if (agent->fd < 0)
        return;
    bool unwritten = qmp_output_left (&agent->output) > 0;
    short wanted = (short) ((is_listening (agent) ? POLLIN : 0) | (unwritten ? POLLOUT : 0));
    if (wanted == agent->watched)
        return;
    agent->watched = wanted;
    if (wanted)
        actor_watch_fd (self, agent->fd, wanted, on_ready, NULL);
    else
        actor_unwatch_fd (self, agent->fd);
}

//  Messages.

static void take_call (actor_t *self, msg_t **msg_p)
{
    agent_t *agent = actor_state (self);
    error_t err;
    bool gone = agent->port == PORT_CLOSED || agent->over;
    if (gone)
        error_set (&err, ERR_AGENT_UNRESPONSIVE,
                   "the guest agent is not connected: qemu-ga does not run in the guest");
    if (gone || agent_calls_add (self, &agent->calls, msg_p, &err))
        actor_reply_error (self, msg_p, &err);
    else
        go_on (self);
}

//  An agent that left does not come back to what it was asked; and what it has not read is not for
//  the one that comes next.
static void take_port (actor_t *self, bool open)
{
    agent_t *agent = actor_state (self);
    error_t err;
    agent->port = open ? PORT_OPEN : PORT_CLOSED;
    agent->reconnect_ms = RECONNECT_MS;
    if (!open) {
        error_set (&err, ERR_AGENT_UNRESPONSIVE,
                   "the guest agent left: the guest closed its channel");
        agent_calls_fail_left (self, &agent->calls, SLEEP_MS, &err);
        hang_up (self);
        actor_timer_cancel (self, &agent->reconnect);
    }
    go_on (self);
}

//  What an agent was saying when its guest fell asleep is not what the next one waits for.
static void take_sleep (actor_t *self)
{
    agent_t *agent = actor_state (self);
    bool sent = agent->calls.sent;
    agent_calls_end_asleep (self, &agent->calls);
    if (sent && !agent->calls.sent)
        lose_sync (agent);
    go_on (self);
}

static void close_agent (actor_t *self, const char *why)
{
    agent_t *agent = actor_state (self);
    error_t err;
    if (agent->over)
        return;
    error_set (&err, ERR_AGENT_UNRESPONSIVE, "the guest agent is gone: %s", why);
    agent->over = true;
    agent_calls_fail_all (self, &agent->calls, &err);
    hang_up (self);
    actor_end (self);
}

static void on_owner_down (actor_t *self, const char *address, const msg_t *down, void *arg)
{
    (void) address, (void) down, (void) arg;
    close_agent (self, "who used it ended");
}

static void agent_handle (actor_t *self, msg_t **msg_p)
{
    if (msg_is (*msg_p, "agent"))
        take_call (self, msg_p);
    else if (msg_is (*msg_p, "agent.port"))
        take_port (self, msg_flag (*msg_p, "open"));
    else if (msg_is (*msg_p, "agent.asleep"))
        take_sleep (self);
    else if (msg_is (*msg_p, "agent.close")) {
        close_agent (self, "the guest is over");
        auto(msg_t) reply = msg_reply ();
        actor_reply (self, msg_p, &reply);
    }
}

//  Life.

static int agent_start (actor_t *self, const msg_t *args, error_t *err)
{
    agent_t *agent = actor_state (self);
    const char *path = msg_str (args, "path"), *owner = msg_str (args, "owner");
    const char *port = msg_str (args, "port");
    agent->fd = -1;
    agent->reconnect_ms = RECONNECT_MS;
    agent_calls_open (&agent->calls);
    qmp_output_open (&agent->output);
    if (!path || !owner || strlen (path) >= sizeof agent->path)
        return error_set (err, ERR_INVALID_ARG, "%s: it has no path, or a too long one",
                          actor_address (self));
    snprintf (agent->path, sizeof agent->path, "%s", path);
    agent->port = text_equals (port, "open")     ? PORT_OPEN
                  : text_equals (port, "closed") ? PORT_CLOSED
                                                 : PORT_UNKNOWN;
    uint32_t number;
    actor_random (self, &number, sizeof number);
    agent->last_sync = number;
    actor_watch (self, owner, on_owner_down, NULL);
    go_on (self);
    return 0;
}

static void agent_stop (actor_t *self)
{
    agent_t *agent = actor_state (self);
    if (!agent->calls.list)
        return; //  it was stopped before it started
    agent_calls_close (&agent->calls);
    qmp_input_close (&agent->input);
    qmp_output_close (&agent->output);
    if (agent->fd >= 0)
        close (agent->fd);
}

const actor_class_t agent_class = {
    .kind = "agent",
    .state_size = sizeof (agent_t),
    .stop_rank = 1,
    .stack_size = 1024 * 1024, //  JSON may nest QMP_MAX_DEPTH deep
    .start = agent_start,
    .handle = agent_handle,
    .stop = agent_stop,
};
