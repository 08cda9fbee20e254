//  monitor_peer.h: for tests of monitors: a QEMU that says what the test likes, and the domain's
//  owner, which writes down what it is told.

#ifndef TROUPE_MONITOR_PEER_H
#define TROUPE_MONITOR_PEER_H

#include "actors/monitor/monitor.h"
#include "actors/runtime/stream.h"

#include "peer.h"

#define GREETING "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n"
#define MONITOR "monitor/1"

//  The owner: writes down what it is told.

typedef struct {
    text_t *events, *closed, *silence;
    bool slow; //  acknowledges no event before it is told to read on
    msg_t *held[STREAM_WINDOW];
    size_t held_count;
    bool counting; //  of a flood of events, each numbered in its data, keeps the count only
    int64_t count; //  -1: one came out of its turn
} owner_t;

static inline int owner_start (actor_t *self, const msg_t *args, error_t *err)
{
    (void) args, (void) err;
    owner_t *owner = actor_state (self);
    owner->events = text_new ();
    owner->closed = text_new ();
    owner->silence = text_new ();
    return 0;
}

static inline void owner_report (actor_t *self, msg_t **msg_p)
{
    owner_t *owner = actor_state (self);
    auto(msg_t) reply = msg_reply ();
    pack_map (msg_result (reply));
    pack_key_str (msg_result (reply), "events", owner->events->data);
    pack_key_str (msg_result (reply), "closed", owner->closed->data);
    pack_key_str (msg_result (reply), "silence", owner->silence->data);
    pack_key_i64 (msg_result (reply), "count", owner->count);
    pack_end (msg_result (reply));
    actor_reply (self, msg_p, &reply);
}

static inline void count_event (owner_t *owner, const char *json)
{
    const char *data = strstr (json, "\"data\": ");
    if (owner->count >= 0 && data && strtoll (data + 8, NULL, 10) == owner->count)
        owner->count++;
    else
        owner->count = -1;
}

static inline void take_event (actor_t *self, msg_t **msg_p)
{
    owner_t *owner = actor_state (self);
    if (owner->counting) {
        count_event (owner, msg_str (*msg_p, "json"));
        return;
    }
    text_addf (owner->events, "%s\n", msg_str (*msg_p, "json"));
    if (!owner->slow)
        return;
    check (owner->held_count < STREAM_WINDOW);
    owner->held[owner->held_count++] = actor_hold (self, msg_p);
}

static inline void read_on (actor_t *self)
{
    owner_t *owner = actor_state (self);
    owner->slow = false;
    for (size_t i = 0; i < owner->held_count; i++) {
        auto(msg_t) reply = msg_reply ();
        actor_reply (self, &owner->held[i], &reply);
    }
    owner->held_count = 0;
}

static inline void owner_handle (actor_t *self, msg_t **msg_p)
{
    owner_t *owner = actor_state (self);
    if (msg_is (*msg_p, "monitor.event"))
        take_event (self, msg_p);
    else if (msg_is (*msg_p, "monitor.closed"))
        text_addf (owner->closed, "%s\n", msg_str (*msg_p, "reason"));
    else if (msg_is (*msg_p, "monitor.silent"))
        text_add (owner->silence, msg_i64 (*msg_p, "since_us", -1) > 0 ? "silent " : "heard ");
    else if (msg_is (*msg_p, "slow"))
        owner->slow = true;
    else if (msg_is (*msg_p, "count"))
        owner->counting = true;
    else if (msg_is (*msg_p, "read on"))
        read_on (self);
    else if (msg_is (*msg_p, "panic"))
        actor_panic (self, "told to");
    else if (msg_is (*msg_p, "report"))
        owner_report (self, msg_p);
}

static inline void owner_stop (actor_t *self)
{
    owner_t *owner = actor_state (self);
    text_destroy (&owner->events);
    text_destroy (&owner->closed);
    text_destroy (&owner->silence);
}

static const actor_class_t owner_class = { .kind = "owner",
                                           .state_size = sizeof (owner_t),
                                           .stop_rank = 2,
                                           .start = owner_start,
                                           .handle = owner_handle,
                                           .stop = owner_stop };

//  What the owner has been told so far of a FIELD.
static inline char *told (actor_t *self, const char *field)
{
    auto(msg_t) answer = scene_ask (self, "owner", "report", 20000);
    check_equal (scene_code (answer), 0);
    return text_copy (value_get_str (msg_value (answer), field));
}

static inline void await_told (actor_t *self, const char *field, const char *text)
{
    for (int i = 0; i < PATIENCE_MS / 10; i++) {
        autofree char *now = told (self, field);
        if (strstr (now, text))
            return;
        scene_pass (self, 10);
    }
    fprintf (stderr, "%s: not told '%s'\n", field, text);
    check (false);
}

//  Returns once it has heard: what QEMU says next may come to it on a shorter way.
static inline void tell_owner (actor_t *self, const char *verb)
{
    msg_t *msg = msg_request (verb);
    actor_send (self, "owner", &msg);
    autofree char *heard = told (self, "events");
    check (heard);
}

//  QEMU.

//  The number under which a command came.
static inline unsigned long number_of (const char *command)
{
    const char *id = strstr (command, "\"id\":\"troupe-");
    check (id);
    return strtoul (id + strlen ("\"id\":\"troupe-"), NULL, 10);
}

static inline void qemu_agree (peer_t *qemu)
{
    peer_accept (qemu);
    peer_say (qemu, GREETING);
    autofree char *command = peer_hear (qemu);
    check (strstr (command, "qmp_capabilities"));
    peer_say (qemu, "{\"return\": {}, \"id\": \"troupe-0\"}\r\n");
}

static inline void spawn (actor_t *self, const char *path, const char *owner, int deadline_ms)
{
    scene_reset ();
    msg_t *args = msg_request ("start");
    pack_key_str (msg_args (args), "path", path);
    pack_key_str (msg_args (args), "owner", owner);
    pack_key_i64 (msg_args (args), "deadline_ms", deadline_ms);
    actor_spawn (self, MONITOR, &monitor_class, &args, false, 20000, scene_keep, NULL);
}

static inline void await_error (actor_t *self, int code, const char *words)
{
    auto(msg_t) answer = scene_await (self, 1);
    error_t err = { 0 };
    check (msg_failed (answer, &err));
    if (!strstr (err.message, words))
        fprintf (stderr, "got: %s\n", err.message);
    check_equal (err.code, code);
    check (strstr (err.message, words));
}

//  An owner, a QEMU and a monitor between them.
static inline void set_up (actor_t *self, peer_t *qemu)
{
    check_equal (scene_spawn (self, "owner", &owner_class, false), 0);
    peer_listen (qemu);
    spawn (self, qemu->path, "owner", 10000);
    qemu_agree (qemu);
    auto(msg_t) started = scene_await (self, 1);
    check_equal (scene_code (started), 0);
}

static inline void command (actor_t *self, const char *json, int deadline_ms,
                            actor_reply_fn *on_reply, void *arg)
{
    msg_t *request = msg_request ("qmp");
    pack_key_str (msg_args (request), "command", json);
    actor_request (self, MONITOR, &request, deadline_ms, on_reply, arg);
}

//  Commands whose answers are not mixed up.

typedef struct {
    int number; //  QEMU answers with the number that was asked
    int answers, wrong;
} asked_t;

static inline void on_answer (actor_t *self, const msg_t *reply, void *arg)
{
    (void) self;
    asked_t *asked = arg;
    asked->answers++;
    const char *json = value_get_str (msg_value (reply), "json");
    autofree char *wanted = text_format ("\"return\": %d,", asked->number);
    if (!json || !strstr (json, wanted))
        asked->wrong++;
}

static inline void check_answers (actor_t *self, const asked_t *asked, int count)
{
    for (int i = 0; i < count; i++) {
        for (int wait = 0; asked[i].answers == 0 && wait < PATIENCE_MS / 10; wait++)
            scene_pass (self, 10);
        check_equal (asked[i].answers, 1);
        check_equal (asked[i].wrong, 0);
    }
}

#endif
