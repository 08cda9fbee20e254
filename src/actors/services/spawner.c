//  spawner.c: owns child processes. The way of a child is child_state_t's; what moves it is a
//  request, its socket, its pidfd, the end of its requester, or time.

#include "actors/services/spawner.h"

#include "actors/services/child.h"
#include "actors/config.h"
#include "actors/services/spawn_spec.h"
#include "util/text.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    const config_t *config;
    int go_ms;
    uint64_t last_id;
    zhashx_t *by_id;      //  child_t
    zhashx_t *by_text;    //  the same, those that have one
    zhashx_t *requesters; //  addresses that we watch the end of
} spawner_t;

static child_t *child_by_id (spawner_t *self, void *arg)
{
    const uint64_t id = (uint64_t) (uintptr_t) arg;
    return zhashx_lookup (self->by_id, &id);
}

static void *id_of (const child_t *child)
{
    return (void *) (uintptr_t) child->id;
}

//  Answers.

static void reply_nil (actor_t *self, msg_t **request_p)
{
    auto(msg_t) reply = msg_reply ();
    actor_reply (self, request_p, &reply);
}

//  Whoever waits for CHILD to start gets ERR, which names the program.
static void fail_start (actor_t *self, child_t *child, error_t *err)
{
    error_prefix (err, "start '%s'", child->program);
    if (child->spawn_request)
        actor_reply_error (self, &child->spawn_request, err);
    if (child->go_request)
        actor_reply_error (self, &child->go_request, err);
}

static void reply_spawned (actor_t *self, child_t *child)
{
    child->told = true;
    auto(msg_t) reply = msg_reply ();
    pack_map (msg_result (reply));
    pack_key_str (msg_result (reply), "process", child->text);
    pack_end (msg_result (reply));
    actor_reply (self, &child->spawn_request, &reply);
}

static void tell_owner (actor_t *self, const child_t *child, child_end_t end)
{
    auto(msg_t) msg = msg_request ("process.exited");
    pack_key_str (msg_args (msg), "process", child->text);
    pack_key_i64 (msg_args (msg), "code", end.code);
    pack_key_i64 (msg_args (msg), "signal", end.signal);
    actor_send (self, child->owner, &msg);
}

//  Children come and go.

static void on_pidfd (actor_t *self, int fd, short events, void *arg);
static void on_time (actor_t *self, void *arg);

static void add_child (actor_t *self, child_t *child)
{
    spawner_t *spawner = actor_state (self);
    child->id = ++spawner->last_id;
    zhashx_insert (spawner->by_id, &child->id, child);
    if (child->text[0])
        zhashx_insert (spawner->by_text, child->text, child);
    actor_watch_fd (self, child->pidfd, POLLIN, on_pidfd, id_of (child));
}

static void drop_child (actor_t *self, child_t *child)
{
    spawner_t *spawner = actor_state (self);
    actor_unwatch_fd (self, child->pidfd);
    if (child->socket >= 0)
        actor_unwatch_fd (self, child->socket);
    actor_timer_cancel (self, &child->timer);
    if (child->text[0])
        zhashx_delete (spawner->by_text, child->text);
    zhashx_delete (spawner->by_id, &child->id);
    child_destroy (&child);
}

static void hang_up (actor_t *self, child_t *child, child_state_t state)
{
    if (child->socket >= 0)
        actor_unwatch_fd (self, child->socket);
    child_hang_up (child);
    actor_timer_cancel (self, &child->timer);
    child->state = state;
}

//  A launcher that nobody will tell to go: it exits, and is reaped.
static void let_go (actor_t *self, child_t *child, error_t *err)
{
    fail_start (self, child, err);
    hang_up (self, child, CHILD_LEAVING);
}

//  The launcher's socket.

static void heard_ready (actor_t *self, child_t *child)
{
    if (child->state != CHILD_PREPARING)
        return;
    child->state = CHILD_WAITING;
    reply_spawned (self, child);
}

//  Who is to hear of its end as well can't ask afterwards: it may be over by then.
static void answer_go (actor_t *self, child_t *child)
{
    if (msg_flag (child->go_request, "wait"))
        zlistx_add_end (child->waits, take (&child->go_request));
    else
        reply_nil (self, &child->go_request);
}

static void heard_end (actor_t *self, child_t *child, child_heard_t heard)
{
    if (child->state == CHILD_GOING && heard == HEARD_END) {
        answer_go (self, child);
        hang_up (self, child, CHILD_RUNNING);
    } else
        //  It died; its pidfd will say how, and who waits is answered then.
        hang_up (self, child, CHILD_LEAVING);
}

static void hear_all (actor_t *self, child_t *child)
{
    error_t err;
    while (child->socket >= 0) {
        const child_heard_t heard = child_hear (child, &err);
        switch (heard) {
        case HEARD_NOTHING:
            return;
        case HEARD_READY:
            heard_ready (self, child);
            break;
        case HEARD_ERROR:
            let_go (self, child, &err);
            break;
        case HEARD_END:
        case HEARD_DEATH:
            heard_end (self, child, heard);
        }
    }
}

static void on_socket (actor_t *self, int fd, short events, void *arg)
{
    child_t *child = child_by_id (actor_state (self), arg);
    if (!child || child->socket != fd)
        return;
    if ((events & POLLOUT) && child_send_spec (child))
        actor_watch_fd (self, fd, POLLIN, on_socket, arg);
    if (events & (POLLIN | POLLHUP))
        hear_all (self, child);
}

//  Ends.

static void fail_ended (actor_t *self, child_t *child, child_end_t end)
{
    error_t err;
    if (end.signal)
        error_set (&err, ERR_OPERATION_FAILED, "its launcher was killed by signal %d", end.signal);
    else
        error_set (&err, ERR_OPERATION_FAILED, "its launcher ended with status %d", end.code);
    fail_start (self, child, &err);
}

static void reply_end (actor_t *self, msg_t **request_p, child_end_t end)
{
    auto(msg_t) reply = msg_reply ();
    pack_t *pack = msg_result (reply);
    pack_map (pack);
    pack_key_i64 (pack, "code", end.code);
    pack_key_i64 (pack, "signal", end.signal);
    pack_end (pack);
    actor_reply (self, request_p, &reply);
}

static void on_pidfd (actor_t *self, int fd, short events, void *arg)
{
    (void) events;
    child_t *child = child_by_id (actor_state (self), arg);
    child_end_t end;
    if (!child || child->pidfd != fd)
        return;
    hear_all (self, child); //  its last words explain the end
    if (!child_reap (child, &end))
        return;
    fail_ended (self, child, end);
    //  The owner first, so that it knows when those who waited ask it about their guest.
    if (child->told && child->owner[0])
        tell_owner (self, child, end);
    msg_t *request;
    while ((request = zlistx_detach (child->waits, NULL)))
        reply_end (self, &request, end);
    drop_child (self, child);
}

//  Those who started a process must live until it goes.

static void on_requester_down (actor_t *self, const char *address, const msg_t *down, void *arg)
{
    (void) down;
    (void) arg;
    spawner_t *spawner = actor_state (self);
    error_t err;
    zhashx_delete (spawner->requesters, address);
    for (child_t *child = zhashx_first (spawner->by_id); child;
         child = zhashx_next (spawner->by_id))
        if (child->state <= CHILD_WAITING && strcmp (child->requester, address) == 0) {
            error_set (&err, ERR_OPERATION_ABORTED, "%s ended before it said go", address);
            let_go (self, child, &err);
        }
}

static void watch_requester (actor_t *self, const char *address)
{
    spawner_t *spawner = actor_state (self);
    if (zhashx_insert (spawner->requesters, address, spawner) == 0) //  a set: the value is nothing
        actor_watch (self, address, on_requester_down, NULL);
}

//  Forgets the waits that the switchboard has answered already; the latest deadline of the others.
static int64_t drop_late_waits (actor_t *self, child_t *child)
{
    int64_t latest = 0;
    msg_t *wait = zlistx_first (child->waits);
    while (wait) {
        void *place = zlistx_cursor (child->waits);
        const int64_t deadline = msg_head (wait)->deadline;
        wait = zlistx_next (child->waits);
        if (deadline < actor_now (self))
            zlistx_delete (child->waits, place);
        else if (deadline > latest)
            latest = deadline;
    }
    return latest;
}

//  A process that is not ours and has no owner is looked at only as long as somebody waits for it.
static void tidy (actor_t *self, child_t *child)
{
    const int64_t latest = drop_late_waits (self, child);
    if (child->spawned || child->owner[0])
        return;
    actor_timer_cancel (self, &child->timer);
    if (latest == 0)
        drop_child (self, child);
    else
        child->timer =
            actor_timer (self, (int) (latest - actor_now (self)) + 1, on_time, id_of (child));
}

static void on_time (actor_t *self, void *arg)
{
    spawner_t *spawner = actor_state (self);
    child_t *child = child_by_id (spawner, arg);
    error_t err;
    if (!child)
        return;
    child->timer = 0;
    if (child->state <= CHILD_WAITING) {
        error_set (&err, ERR_OPERATION_TIMEOUT, "it was not ready and told to go within %d ms",
                   spawner->go_ms);
        let_go (self, child, &err);
    } else
        tidy (self, child);
}

//  process.spawn.

static child_t *spawn (actor_t *self, const msg_t *request, error_t *err)
{
    spawner_t *spawner = actor_state (self);
    size_t size = 0;
    autofree char *spec = spawn_spec (request, &size, err);
    if (!spec)
        return NULL;
    const char *program = value_str (value_at (msg_arg (request, "argv"), 0));
    const char *owner = msg_str (request, "owner");
    child_t *child = child_spawn (spawner->config->launcher, &spec, size, err);
    if (!child) {
        error_prefix (err, "start '%s'", program);
        return NULL;
    }
    child->program = text_copy (program);
    snprintf (child->requester, sizeof child->requester, "%s", msg_head (request)->from);
    snprintf (child->owner, sizeof child->owner, "%s", owner ? owner : "");
    return child;
}

static void handle_spawn (actor_t *self, msg_t **msg_p)
{
    spawner_t *spawner = actor_state (self);
    error_t err;
    child_t *child = spawn (self, *msg_p, &err);
    if (!child) {
        actor_reply_error (self, msg_p, &err);
        return;
    }
    add_child (self, child);
    child->spawn_request = take (msg_p);
    if (child->state == CHILD_LEAVING) {
        let_go (self, child, &err);
        return;
    }
    watch_requester (self, child->requester);
    child->timer = actor_timer (self, spawner->go_ms, on_time, id_of (child));
    actor_watch_fd (self, child->socket, child_send_spec (child) ? POLLIN : POLLIN | POLLOUT,
                    on_socket, id_of (child));
}

//  The other verbs: each has the argument `process`.

//  The child with the identity of REQUEST; NULL with PROCESS filled if we do not know it, and -1
//  if it is none.
static int find (actor_t *self, const msg_t *request, child_t **child, process_t *process,
                 error_t *err)
{
    spawner_t *spawner = actor_state (self);
    const char *text = msg_str (request, "process");
    if (!text || !process_from_text (text, process))
        return error_set (err, ERR_INVALID_ARG, "process '%s': not PID:START:BOOTID",
                          text ? text : "");
    *child = zhashx_lookup (spawner->by_text, text);
    return 0;
}

//  The same, but opens a process that we do not know; *CHILD is NULL if it is over.
static int find_or_open (actor_t *self, const msg_t *request, child_t **child, error_t *err)
{
    process_t process;
    if (find (self, request, child, &process, err))
        return -1;
    if (*child)
        return 0;
    *child = child_adopt (&process, err);
    if (*child)
        add_child (self, *child);
    return *child || err->code == ERR_OPERATION_INVALID ? 0 : -1;
}

static int handle_go (actor_t *self, msg_t **msg_p, error_t *err)
{
    process_t process;
    child_t *child = NULL;
    if (find (self, *msg_p, &child, &process, err))
        return -1;
    if (!child || child->state != CHILD_WAITING)
        return error_set (err, ERR_OPERATION_INVALID, "let process %d go: %s", (int) process.pid,
                          child ? "it does not wait for that" : "it ended before");
    actor_timer_cancel (self, &child->timer);
    child->go_request = take (msg_p);
    child->state = CHILD_GOING;
    if (!child_send_go (child))
        hang_up (self, child, CHILD_LEAVING); //  it died just now; its end gives the answer
    return 0;
}

static int handle_kill (actor_t *self, msg_t **msg_p, error_t *err)
{
    process_t process;
    child_t *child = NULL;
    const int64_t signal = msg_i64 (*msg_p, "signal", 0);
    if (find (self, *msg_p, &child, &process, err))
        return -1;
    if (signal < 1 || signal > SIGRTMAX)
        return error_set (err, ERR_INVALID_ARG, "kill process %d: there is no signal %d",
                          (int) process.pid, (int) signal);
    auto(child_t) stranger = child ? NULL : child_adopt (&process, err);
    if (!child && !stranger && err->code != ERR_OPERATION_INVALID)
        return -1;
    if ((child || stranger) && child_kill (child ? child : stranger, (int) signal, err))
        return -1;
    reply_nil (self, msg_p);
    return 0;
}

static int handle_wait (actor_t *self, msg_t **msg_p, error_t *err)
{
    child_t *child = NULL;
    if (find_or_open (self, *msg_p, &child, err))
        return -1;
    if (!child) {
        reply_nil (self, msg_p);
        return 0;
    }
    zlistx_add_end (child->waits, take (msg_p));
    tidy (self, child);
    return 0;
}

static int handle_watch (actor_t *self, msg_t **msg_p, error_t *err)
{
    const char *owner = msg_str (*msg_p, "owner");
    child_t *child = NULL;
    if (!owner || !*owner)
        return error_set (err, ERR_INVALID_ARG, "watch a process: no owner is given");
    if (find_or_open (self, *msg_p, &child, err))
        return -1;
    if (child) {
        child->told = true;
        snprintf (child->owner, sizeof child->owner, "%s", owner);
    }
    auto(msg_t) reply = msg_reply ();
    pack_map (msg_result (reply));
    pack_key_bool (msg_result (reply), "alive", child != NULL);
    pack_end (msg_result (reply));
    actor_reply (self, msg_p, &reply);
    return 0;
}

static void spawner_handle (actor_t *self, msg_t **msg_p)
{
    static const struct {
        const char *verb;
        int (*handle) (actor_t *self, msg_t **msg_p, error_t *err);
    } verbs_known[] = {
        { "process.go", handle_go },
        { "process.kill", handle_kill },
        { "process.wait", handle_wait },
        { "process.watch", handle_watch },
    };
    error_t err;
    if (msg_is (*msg_p, "process.spawn"))
        handle_spawn (self, msg_p);
    for (size_t i = 0; *msg_p && i < sizeof verbs_known / sizeof *verbs_known; i++)
        if (msg_is (*msg_p, verbs_known[i].verb)) {
            if (verbs_known[i].handle (self, msg_p, &err))
                actor_reply_error (self, msg_p, &err);
            return;
        }
}

static int spawner_start (actor_t *self, const msg_t *args, error_t *err)
{
    (void) err;
    spawner_t *spawner = actor_state (self);
    spawner->config = config_of (args);
    spawner->go_ms = (int) msg_i64 (args, "go_ms", SPAWNER_GO_MS);
    spawner->by_id = table_by_u64 ();
    spawner->by_text = zhashx_new ();
    spawner->requesters = zhashx_new ();
    return 0;
}

//  Programs live on; launchers that wait see the socket close, and exit.
static void spawner_stop (actor_t *self)
{
    spawner_t *spawner = actor_state (self);
    if (!spawner->by_id)
        return; //  stopped before it started
    for (child_t *child = zhashx_first (spawner->by_id); child;
         child = zhashx_next (spawner->by_id))
        child_destroy (&child);
    zhashx_destroy (&spawner->by_id);
    zhashx_destroy (&spawner->by_text);
    zhashx_destroy (&spawner->requesters);
}

const actor_class_t spawner_class = { .kind = "spawner",
                                      .state_size = sizeof (spawner_t),
                                      .max_requests = 4096,
                                      .stop_rank = 2,
                                      .start = spawner_start,
                                      .handle = spawner_handle,
                                      .stop = spawner_stop };
