//  test_switchboard.c: the runtime's promises: every request gets exactly one answer, whatever
//  happens to who was asked.

#include "scene.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

enum {
    DEADLINE_MS = 5000 //  of what has to be admitted before, and not to be answered
};

//  An actor with a verb for each way to treat a request.

typedef struct {
    msg_t *kept, *spawning;
    uint64_t streamed;
    unsigned woken;
} puppet_t;

static int puppet_start (actor_t *self, const msg_t *args, error_t *err)
{
    puppet_t *puppet = actor_state (self);
    if (msg_flag (args, "fail"))
        return error_set (err, ERR_OPERATION_FAILED, "told to fail");
    puppet->woken = (unsigned) msg_u64 (args, "woken", 0);
    return 0;
}

static void puppet_echo (actor_t *self, msg_t **msg_p)
{
    puppet_t *puppet = actor_state (self);
    auto(msg_t) reply = msg_reply ();
    pack_map (msg_result (reply));
    pack_key_str (msg_result (reply), "address", actor_address (self));
    pack_key_u64 (msg_result (reply), "number", msg_u64 (*msg_p, "number", 0));
    pack_key_u64 (msg_result (reply), "streamed", puppet->streamed);
    pack_key_u64 (msg_result (reply), "woken", puppet->woken);
    pack_end (msg_result (reply));
    actor_reply (self, msg_p, &reply);
}

static void puppet_twice (actor_t *self, msg_t **msg_p)
{
    msg_t *copy = msg_copy (*msg_p);
    puppet_echo (self, msg_p);
    puppet_echo (self, &copy);
}

static void puppet_sleep (actor_t *self, msg_t **msg_p)
{
    puppet_t *puppet = actor_state (self);
    puppet_echo (self, msg_p);
    msg_t *args = msg_request ("wake");
    pack_key_u64 (msg_args (args), "woken", puppet->woken + 1);
    actor_sleep (self, &args);
}

static const actor_class_t puppet_class;

//  Whether it was started is the answer to who asked for the spawn.
static void on_spawned (actor_t *self, const msg_t *reply, void *arg)
{
    (void) arg;
    puppet_t *puppet = actor_state (self);
    error_t err;
    if (msg_failed (reply, &err) && msg_is_late (reply))
        error_set (&err, ERR_OPERATION_ABORTED, "late");
    if (msg_kind (reply) == MSG_ERROR)
        actor_reply_error (self, &puppet->spawning, &err);
    else
        puppet_echo (self, &puppet->spawning);
}

static void write_byte (actor_t *self, const msg_t *reply, void *arg)
{
    (void) self;
    check_equal (scene_code (reply), 0);
    check_equal (write ((int) (intptr_t) arg, "x", 1), 1);
}

//  Has another one publish, and says so outside as soon as that has answered.
static void puppet_relay (actor_t *self, const msg_t *msg)
{
    msg_t *request = msg_request ("publish");
    pack_key_u64 (msg_args (request), "number", 1);
    actor_request (self, msg_str (msg, "to"), &request, PATIENCE_MS, write_byte,
                   (void *) (intptr_t) msg_u64 (msg, "fd", 0));
}

static void catch_up_and_tell (actor_t *self, int fd, short events, void *arg)
{
    char got;
    (void) events, (void) arg;
    check_equal (read (fd, &got, 1), 1);
    actor_catch_up (self);
    msg_t *event = msg_event ("told");
    actor_publish_once (self, actor_address (self), &event);
}

//  Nothing else is handled before there is something to read.
static void puppet_stall (actor_t *self, const msg_t *msg)
{
    struct pollfd readable = { (int) msg_u64 (msg, "fd", 0), POLLIN, 0 };
    actor_watch_fd (self, readable.fd, POLLIN, catch_up_and_tell, NULL);
    check_equal (poll (&readable, 1, PATIENCE_MS), 1);
}

static void puppet_handle (actor_t *self, msg_t **msg_p)
{
    puppet_t *puppet = actor_state (self);
    if (msg_is (*msg_p, "echo"))
        puppet_echo (self, msg_p);
    else if (msg_is (*msg_p, "twice"))
        puppet_twice (self, msg_p);
    else if (msg_is (*msg_p, "keep")) {
        msg_destroy (&puppet->kept);
        puppet->kept = take (msg_p);
    } else if (msg_is (*msg_p, "admit")) {
        actor_admit (self, *msg_p, 60000);
        msg_destroy (&puppet->kept);
        puppet->kept = take (msg_p);
    } else if (msg_is (*msg_p, "spawn_for_kept")) {
        msg_t *args = msg_request ("run");
        puppet->spawning = take (msg_p);
        actor_spawn_for (self, puppet->kept, "puppet/job", &puppet_class, &args, 5000, on_spawned,
                         NULL);
    } else if (msg_is (*msg_p, "answer_kept")) {
        puppet_echo (self, &puppet->kept);
        puppet_echo (self, msg_p);
    } else if (msg_is (*msg_p, "pass_on"))
        actor_forward (self, msg_p, msg_str (*msg_p, "to"), NULL);
    else if (msg_is (*msg_p, "relay"))
        puppet_relay (self, *msg_p);
    else if (msg_is (*msg_p, "stall"))
        puppet_stall (self, *msg_p);
    else if (msg_is (*msg_p, "panic"))
        actor_panic (self, "told to");
    else if (msg_is (*msg_p, "end")) {
        msg_destroy (msg_p);
        actor_end (self);
    } else if (msg_is (*msg_p, "sleep"))
        puppet_sleep (self, msg_p);
    else if (msg_is (*msg_p, "stream"))
        puppet->streamed++;
    else if (msg_is (*msg_p, "hold"))
        puppet->kept = actor_hold (self, msg_p);
    else if (msg_is (*msg_p, "publish")) {
        msg_t *event = msg_event ("snapshot");
        pack_key_u64 (msg_args (event), "number", msg_u64 (*msg_p, "number", 0));
        actor_publish (self, actor_address (self), &event);
        puppet_echo (self, msg_p);
    }
}

static void puppet_stop (actor_t *self)
{
    puppet_t *puppet = actor_state (self);
    msg_destroy (&puppet->kept);
    msg_destroy (&puppet->spawning);
}

static const actor_class_t puppet_class = { .kind = "puppet",
                                            .state_size = sizeof (puppet_t),
                                            .start = puppet_start,
                                            .handle = puppet_handle,
                                            .stop = puppet_stop };

static int ask_code (actor_t *self, const char *to, const char *verb, int deadline_ms)
{
    auto(msg_t) answer = scene_ask (self, to, verb, deadline_ms);
    return scene_code (answer);
}

static uint64_t echo_field (actor_t *self, const char *to, const char *field)
{
    auto(msg_t) answer = scene_ask (self, to, "echo", PATIENCE_MS);
    check_equal (scene_code (answer), 0);
    return value_get_u64 (msg_value (answer), field, 99);
}

static void spawn_puppet (actor_t *self, const char *address)
{
    check_equal (scene_spawn (self, address, &puppet_class, false), 0);
}

//  Scenes.

static void scene_request_and_reply (actor_t *self)
{
    spawn_puppet (self, "puppet/1");
    msg_t *request = msg_request ("echo");
    pack_key_u64 (msg_args (request), "number", 7);
    auto(msg_t) answer = scene_call (self, "puppet/1", &request, PATIENCE_MS);
    check_equal (scene_code (answer), 0);
    check_equal (value_get_u64 (msg_value (answer), "number", 0), 7);
    check_text (value_get_str (msg_value (answer), "address"), "puppet/1");
}

static void scene_nobody_there (actor_t *self)
{
    check_equal (ask_code (self, "puppet/none", "echo", PATIENCE_MS), ERR_OPERATION_INVALID);
    check_equal (ask_code (self, "domain/none", "echo", PATIENCE_MS), ERR_NO_DOMAIN);
}

static void scene_unknown_verb (actor_t *self)
{
    spawn_puppet (self, "puppet/1");
    check_equal (ask_code (self, "puppet/1", "dance", PATIENCE_MS), ERR_NO_SUPPORT);
}

static void scene_start_fails (actor_t *self)
{
    scene_reset ();
    msg_t *args = msg_request ("start");
    pack_key_bool (msg_args (args), "fail", true);
    actor_spawn (self, "puppet/1", &puppet_class, &args, false, PATIENCE_MS, scene_keep, NULL);
    auto(msg_t) answer = scene_await (self, 1);
    check_equal (scene_code (answer), ERR_OPERATION_FAILED);
    check_equal (ask_code (self, "puppet/1", "echo", PATIENCE_MS), ERR_OPERATION_INVALID);
}

static void scene_address_taken (actor_t *self)
{
    spawn_puppet (self, "puppet/1");
    check_equal (scene_spawn (self, "puppet/1", &puppet_class, false), ERR_OPERATION_INVALID);
    check_equal (ask_code (self, "puppet/1", "echo", PATIENCE_MS), 0);
}

static void scene_owner_dies_while_asked (actor_t *self)
{
    spawn_puppet (self, "puppet/1");
    scene_reset ();
    msg_t *kept = msg_request ("keep");
    actor_request (self, "puppet/1", &kept, 60000, scene_keep, NULL);
    check_equal (ask_code (self, "puppet/1", "end", PATIENCE_MS), ERR_OPERATION_ABORTED);
    auto(msg_t) answer = scene_await (self, 1);
    check_equal (scene_code (answer), ERR_OPERATION_ABORTED);
}

//  Its owner ends because nothing is left of it.
static void scene_domain_vanishes_while_asked (actor_t *self)
{
    spawn_puppet (self, "domain/1");
    scene_reset ();
    msg_t *kept = msg_request ("keep");
    actor_request (self, "domain/1", &kept, 60000, scene_keep, NULL);
    check_equal (ask_code (self, "domain/1", "end", PATIENCE_MS), ERR_NO_DOMAIN);
    auto(msg_t) answer = scene_await (self, 1);
    check_equal (scene_code (answer), ERR_NO_DOMAIN);
}

static void scene_owner_panics_while_asked (actor_t *self)
{
    spawn_puppet (self, "puppet/1");
    scene_reset ();
    msg_t *kept = msg_request ("keep");
    actor_request (self, "puppet/1", &kept, 60000, scene_keep, NULL);
    check_equal (ask_code (self, "puppet/1", "panic", PATIENCE_MS), ERR_INTERNAL_ERROR);
    auto(msg_t) answer = scene_await (self, 1);
    error_t err;
    check (msg_failed (answer, &err));
    check (strstr (err.message, "told to"));
    check (err.retry);
}

static void scene_deadline (actor_t *self)
{
    spawn_puppet (self, "puppet/1");
    check_equal (ask_code (self, "puppet/1", "keep", 30), ERR_OPERATION_TIMEOUT);
    //  The late reply finds nobody; the actor and we go on.
    check_equal (ask_code (self, "puppet/1", "answer_kept", PATIENCE_MS), 0);
    check_equal (ask_code (self, "puppet/1", "echo", PATIENCE_MS), 0);
}

static void scene_admitted_outlives_deadline (actor_t *self)
{
    spawn_puppet (self, "puppet/1");
    scene_reset ();
    msg_t *request = msg_request ("admit");
    actor_request (self, "puppet/1", &request, DEADLINE_MS, scene_keep, NULL);
    scene_pass (self, DEADLINE_MS + 100);
    check_equal (scene_count (), 0);
    msg_t *finish = msg_request ("answer_kept");
    actor_send (self, "puppet/1", &finish);
    auto(msg_t) answer = scene_await (self, 1);
    check_equal (scene_code (answer), 0);
}

//  What is spawned for a request makes its answer due later; but only while somebody waits for it.
static void scene_spawn_for_a_request (actor_t *self)
{
    spawn_puppet (self, "puppet/1");
    scene_reset ();
    msg_t *request = msg_request ("keep");
    actor_request (self, "puppet/1", &request, DEADLINE_MS, scene_keep, NULL);
    check_equal (ask_code (self, "puppet/1", "spawn_for_kept", PATIENCE_MS), 0);
    check_equal (ask_code (self, "puppet/job", "echo", PATIENCE_MS), 0);
    scene_end_actor (self, "puppet/job");
    scene_pass (self, DEADLINE_MS + 100);
    check_equal (scene_count (), 0);
    msg_t *finish = msg_request ("answer_kept");
    actor_send (self, "puppet/1", &finish);
    auto(msg_t) answer = scene_await (self, 1);
    check_equal (scene_code (answer), 0);
}

static void scene_spawn_for_a_late_request (actor_t *self)
{
    spawn_puppet (self, "puppet/1");
    check_equal (ask_code (self, "puppet/1", "keep", 30), ERR_OPERATION_TIMEOUT);
    check_equal (ask_code (self, "puppet/1", "spawn_for_kept", PATIENCE_MS), ERR_OPERATION_ABORTED);
    check_equal (ask_code (self, "puppet/job", "echo", PATIENCE_MS), ERR_OPERATION_INVALID);
    //  What comes after it is not concerned.
    scene_reset ();
    msg_t *request = msg_request ("keep");
    actor_request (self, "puppet/1", &request, PATIENCE_MS, scene_keep, NULL);
    check_equal (ask_code (self, "puppet/1", "spawn_for_kept", PATIENCE_MS), 0);
    check_equal (ask_code (self, "puppet/job", "echo", PATIENCE_MS), 0);
}

static void scene_second_reply_is_dropped (actor_t *self)
{
    spawn_puppet (self, "puppet/1");
    scene_reset ();
    msg_t *request = msg_request ("twice");
    actor_request (self, "puppet/1", &request, PATIENCE_MS, scene_keep, NULL);
    auto(msg_t) answer = scene_await (self, 1);
    check_equal (scene_code (answer), 0);
    check_equal (ask_code (self, "puppet/1", "echo", PATIENCE_MS), 0);
    check_equal (scene_count (), 1);
}

static void scene_forwarded (actor_t *self)
{
    spawn_puppet (self, "puppet/1");
    spawn_puppet (self, "puppet/2");
    msg_t *request = msg_request ("pass_on");
    pack_key_str (msg_args (request), "to", "puppet/none");
    auto(msg_t) refused = scene_call (self, "puppet/1", &request, PATIENCE_MS);
    check_equal (scene_code (refused), ERR_OPERATION_INVALID);
    request = msg_request ("pass_on");
    pack_key_str (msg_args (request), "to", "puppet/2");
    //  puppet/2 gets it as it is, passes it on to itself, for ever, until the deadline answers.
    auto(msg_t) late = scene_call (self, "puppet/1", &request, 50);
    check_equal (scene_code (late), ERR_OPERATION_TIMEOUT);
    check_equal (ask_code (self, "puppet/2", "echo", PATIENCE_MS), 0);
}

static void scene_busy (actor_t *self)
{
    spawn_puppet (self, "puppet/1");
    scene_reset ();
    for (int i = 0; i < ACTOR_MAX_REQUESTS; i++) {
        msg_t *request = msg_request ("keep");
        actor_request (self, "puppet/1", &request, 60000, scene_keep, NULL);
    }
    check_equal (ask_code (self, "puppet/1", "echo", PATIENCE_MS), ERR_RESOURCE_BUSY);
    msg_t *urgent = msg_request ("echo");
    msg_header (urgent)->flags = MSG_URGENT;
    auto(msg_t) answer = scene_call (self, "puppet/1", &urgent, PATIENCE_MS);
    check_equal (scene_code (answer), 0);
    actor_stop (self, "puppet/1");
    auto(msg_t) last = scene_await (self, ACTOR_MAX_REQUESTS);
    check_equal (scene_code (last), ERR_OPERATION_ABORTED);
}

static void scene_supervised_restart (actor_t *self)
{
    check_equal (scene_spawn (self, "puppet/1", &puppet_class, true), 0);
    check_equal (ask_code (self, "puppet/1", "panic", PATIENCE_MS), ERR_INTERNAL_ERROR);
    scene_reset ();
    msg_t *request = msg_request ("echo");
    actor_request (self, "puppet/1", &request, PATIENCE_MS, scene_keep, NULL);
    scene_pass (self, 20);
    check_equal (scene_count (), 0);
    check_equal (scene_spawn (self, "puppet/1", &puppet_class, true), 0);
    auto(msg_t) answer = scene_await (self, 1);
    check_equal (scene_code (answer), 0);
}

static void scene_supervised_given_up (actor_t *self)
{
    check_equal (scene_spawn (self, "puppet/1", &puppet_class, true), 0);
    check_equal (ask_code (self, "puppet/1", "panic", PATIENCE_MS), ERR_INTERNAL_ERROR);
    scene_reset ();
    msg_t *request = msg_request ("echo");
    actor_request (self, "puppet/1", &request, PATIENCE_MS, scene_keep, NULL);
    actor_stop (self, "puppet/1");
    auto(msg_t) answer = scene_await (self, 1);
    check_equal (scene_code (answer), ERR_OPERATION_INVALID);
}

static void scene_sleep_and_wake (actor_t *self)
{
    spawn_puppet (self, "puppet/1");
    for (unsigned round = 0; round < 50; round++) {
        check_equal (ask_code (self, "puppet/1", "sleep", PATIENCE_MS), 0);
        if (round % 2)
            scene_pass (self, 2);
        uint64_t woken = echo_field (self, "puppet/1", "woken");
        check (woken <= round + 1);
    }
    check_equal (ask_code (self, "puppet/1", "sleep", PATIENCE_MS), 0);
    scene_pass (self, 20);
    check (echo_field (self, "puppet/1", "woken") >= 1);
}

static void on_down (actor_t *self, const char *address, const msg_t *down, void *arg)
{
    (void) self;
    check_text (address, "puppet/1");
    *(int *) arg = (int) msg_head (down)->reason;
}

static void scene_watch (actor_t *self)
{
    int reason = -1;
    spawn_puppet (self, "puppet/1");
    actor_watch (self, "puppet/1", on_down, &reason);
    check_equal (ask_code (self, "puppet/1", "panic", PATIENCE_MS), ERR_INTERNAL_ERROR);
    scene_until (self, reason != -1);
    check_equal (reason, END_PANIC);
    reason = -1;
    actor_watch (self, "puppet/1", on_down, &reason); //  gone already
    scene_until (self, reason != -1);
    check_equal (reason, END_NORMAL);
}

typedef struct {
    int count;
    uint64_t last;
} seen_t;

static void on_snapshot (actor_t *self, const char *topic, const msg_t *event, void *arg)
{
    (void) self;
    seen_t *seen = arg;
    check_text (topic, "puppet/1");
    seen->count++;
    seen->last = msg_u64 (event, "number", 0);
}

static void publish_number (actor_t *self, uint64_t number)
{
    msg_t *request = msg_request ("publish");
    pack_key_u64 (msg_args (request), "number", number);
    auto(msg_t) answer = scene_call (self, "puppet/1", &request, PATIENCE_MS);
    check_equal (scene_code (answer), 0);
}

static void scene_publish (actor_t *self)
{
    seen_t early = { 0 }, late = { 0 }, other = { 0 };
    spawn_puppet (self, "puppet/1");
    actor_subscribe (self, "puppet/", on_snapshot, &early);
    actor_subscribe (self, "else/", on_snapshot, &other);
    publish_number (self, 1);
    //  The reply came behind the publication: it has been seen.
    check_equal (early.last, 1);
    publish_number (self, 2);
    actor_subscribe (self, "puppet/", on_snapshot, &late);
    publish_number (self, 3);
    check_equal (early.count, 3);
    check_equal (late.count, 2); //  the retained one, and the new one
    check_equal (late.last, 3);
    check_equal (other.count, 0);
}

static void scene_unsubscribe (actor_t *self)
{
    seen_t seen = { 0 }, other = { 0 };
    spawn_puppet (self, "puppet/1");
    uint64_t first = actor_subscribe (self, "puppet/", on_snapshot, &seen);
    actor_subscribe (self, "puppet/", on_snapshot, &other);
    publish_number (self, 1);
    actor_unsubscribe (self, &first);
    check_equal (first, 0);
    publish_number (self, 2);
    check_equal (seen.count, 1);
    check_equal (other.count, 2);
    actor_unsubscribe (self, &first); //  a second time changes nothing
}

static void scene_held_stream (actor_t *self)
{
    spawn_puppet (self, "puppet/1");
    scene_reset ();
    msg_t *chunk = msg_request ("hold");
    actor_stream (self, "puppet/1", &chunk, 60000, scene_keep, NULL);
    check_equal (ask_code (self, "puppet/1", "echo", PATIENCE_MS), 0);
    scene_pass (self, 20);
    check_equal (scene_count (), 0);
    msg_t *finish = msg_request ("answer_kept");
    actor_send (self, "puppet/1", &finish);
    auto(msg_t) ack = scene_await (self, 1);
    check_equal (scene_code (ack), 0);
}

static void scene_streams_are_acknowledged (actor_t *self)
{
    spawn_puppet (self, "puppet/1");
    scene_reset ();
    for (int i = 0; i < 10; i++) {
        msg_t *chunk = msg_request ("stream");
        actor_stream (self, "puppet/1", &chunk, PATIENCE_MS, scene_keep, NULL);
    }
    auto(msg_t) ack = scene_await (self, 10);
    check_equal (scene_code (ack), 0);
    check_equal (echo_field (self, "puppet/1", "streamed"), 10);
}

static void read_pipe (actor_t *self, int fd, short events, void *arg)
{
    (void) events;
    char byte;
    if (read (fd, &byte, 1) == 1)
        *(char *) arg = byte;
    actor_unwatch_fd (self, fd);
}

static void scene_descriptors_and_timers (actor_t *self)
{
    int ends[2];
    char got = 0;
    check_equal (pipe (ends), 0);
    actor_watch_fd (self, ends[0], 1, read_pipe, &got);
    scene_pass (self, 10);
    check_equal (got, 0);
    check_equal (write (ends[1], "x", 1), 1);
    scene_until (self, got == 'x');
    close (ends[0]);
    close (ends[1]);
}

//  Whoever has an answer may tell somebody else, who asks us: that is behind the publication.
static void scene_catch_up (actor_t *self)
{
    int ends[2];
    char got = 0;
    seen_t seen = { 0 };
    spawn_puppet (self, "puppet/1");
    spawn_puppet (self, "puppet/2");
    actor_subscribe (self, "puppet/1", on_snapshot, &seen);
    check_equal (ask_code (self, "puppet/1", "echo", PATIENCE_MS), 0); //  behind the subscription
    check_equal (pipe (ends), 0);
    msg_t *relay = msg_request ("relay");
    pack_key_str (msg_args (relay), "to", "puppet/1");
    pack_key_u64 (msg_args (relay), "fd", (uint64_t) ends[1]);
    actor_send (self, "puppet/2", &relay);
    struct pollfd readable = { ends[0], POLLIN, 0 };
    check_equal (poll (&readable, 1, PATIENCE_MS), 1);
    check_equal (read (ends[0], &got, 1), 1);
    check_equal (seen.count, 0);
    actor_catch_up (self);
    check_equal (seen.count, 1);
    check_equal (seen.last, 1);
    close (ends[0]);
    close (ends[1]);
}

//  Told to end among what it catches up with, it waits for nothing any more.
static void scene_stopped_in_a_catch_up (actor_t *self)
{
    int ends[2];
    spawn_puppet (self, "puppet/1");
    spawn_puppet (self, "puppet/2");
    check_equal (pipe (ends), 0);
    msg_t *stall = msg_request ("stall");
    pack_key_u64 (msg_args (stall), "fd", (uint64_t) ends[0]);
    actor_send (self, "puppet/1", &stall);
    //  So many that it looks at its descriptors before it has come to the last.
    for (int i = 0; i < 100; i++) {
        msg_t *msg = msg_request ("stream");
        actor_send (self, "puppet/1", &msg);
    }
    actor_stop (self, "puppet/1");
    check_equal (ask_code (self, "puppet/2", "echo", PATIENCE_MS), 0); //  all that is there by now
    check_equal (write (ends[1], "x", 1), 1);
    scene_await_end (self, "puppet/1");
    close (ends[0]);
    close (ends[1]);
}

static void scene_limit (actor_t *self)
{
    spawn_puppet (self, "puppet/1");
    spawn_puppet (self, "puppet/2");
    check_equal (scene_spawn (self, "puppet/3", &puppet_class, false), ERR_RESOURCE_BUSY);
    check_equal (ask_code (self, "puppet/1", "end", PATIENCE_MS), ERR_OPERATION_ABORTED);
    check_equal (scene_spawn (self, "puppet/3", &puppet_class, false), 0);
}

enum {
    MANY = 5000
};

static void scene_many (actor_t *self)
{
    scene_reset ();
    for (int i = 0; i < MANY; i++) {
        char address[MSG_ADDRESS_MAX];
        snprintf (address, sizeof address, "puppet/%d", i);
        msg_t *args = msg_request ("start");
        actor_spawn (self, address, &puppet_class, &args, false, 60000, scene_keep, NULL);
    }
    auto(msg_t) last = scene_await (self, MANY);
    check_equal (scene_code (last), 0);
    for (int i = 0; i < MANY; i += 500) {
        char address[MSG_ADDRESS_MAX];
        snprintf (address, sizeof address, "puppet/%d", i);
        check_equal (ask_code (self, address, "echo", 20000), 0);
    }
    auto(msg_t) ps = scene_ask (self, SWITCHBOARD_ADDRESS, "ps", 20000);
    check_equal (value_count (msg_value (ps)), MANY + 1);
}

SCENE_TEST (request_and_reply)
SCENE_TEST (nobody_there)
SCENE_TEST (unknown_verb)
SCENE_TEST (start_fails)
SCENE_TEST (address_taken)
SCENE_TEST (owner_dies_while_asked)
SCENE_TEST (domain_vanishes_while_asked)
SCENE_TEST (owner_panics_while_asked)
SCENE_TEST (deadline)
SCENE_TEST (admitted_outlives_deadline)
SCENE_TEST (spawn_for_a_request)
SCENE_TEST (spawn_for_a_late_request)
SCENE_TEST (second_reply_is_dropped)
SCENE_TEST (forwarded)
SCENE_TEST (busy)
SCENE_TEST (supervised_restart)
SCENE_TEST (supervised_given_up)
SCENE_TEST (sleep_and_wake)
SCENE_TEST (watch)
SCENE_TEST (publish)
SCENE_TEST (unsubscribe)
SCENE_TEST (streams_are_acknowledged)
SCENE_TEST (held_stream)
SCENE_TEST (descriptors_and_timers)
SCENE_TEST (catch_up)
SCENE_TEST (stopped_in_a_catch_up)
SCENE_TEST (many)

static void test_limit (void **state)
{
    (void) state;
    scene_run_limited (scene_limit, 3);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_request_and_reply),
        cmocka_unit_test (test_nobody_there),
        cmocka_unit_test (test_unknown_verb),
        cmocka_unit_test (test_start_fails),
        cmocka_unit_test (test_address_taken),
        cmocka_unit_test (test_owner_dies_while_asked),
        cmocka_unit_test (test_domain_vanishes_while_asked),
        cmocka_unit_test (test_owner_panics_while_asked),
        cmocka_unit_test (test_deadline),
        cmocka_unit_test (test_admitted_outlives_deadline),
        cmocka_unit_test (test_spawn_for_a_request),
        cmocka_unit_test (test_spawn_for_a_late_request),
        cmocka_unit_test (test_second_reply_is_dropped),
        cmocka_unit_test (test_forwarded),
        cmocka_unit_test (test_busy),
        cmocka_unit_test (test_supervised_restart),
        cmocka_unit_test (test_supervised_given_up),
        cmocka_unit_test (test_sleep_and_wake),
        cmocka_unit_test (test_watch),
        cmocka_unit_test (test_publish),
        cmocka_unit_test (test_unsubscribe),
        cmocka_unit_test (test_streams_are_acknowledged),
        cmocka_unit_test (test_held_stream),
        cmocka_unit_test (test_descriptors_and_timers),
        cmocka_unit_test (test_catch_up),
        cmocka_unit_test (test_stopped_in_a_catch_up),
        cmocka_unit_test (test_limit),
        cmocka_unit_test (test_many),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
