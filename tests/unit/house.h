//  house.h: for tests of domains' owners: a real host with its helpers, below the folder of a test,
//  and what a gateway would see of one domain. Its owner can be made to fail: `test.panic`; and to
//  hear that its guest does something by itself: `test.change`.
//
//  For one test program only, which links with -Wl,--wrap=domain_class.

#ifndef TROUPE_HOUSE_H
#define TROUPE_HOUSE_H

#include "scene.h"
#include "unit.h"

#include "actors/domain/domain.h"
#include "actors/domain/domain_self.h"
#include "actors/host/host.h"
#include "drivers/qemu/qemu_driver.h"
#include "drivers/state.h"
#include "util/file.h"
#include "util/text.h"

#define UUID_A "11111111-2222-4333-8444-555555555555"
#define UUID_B "99999999-2222-4333-8444-555555555555"
#define OWNER_A "domain/" UUID_A
#define CALL_MS 30000

//  The owner, and verbs of the test's.

extern const actor_class_t __real_domain_class;

static int house_start_domain (actor_t *actor, const msg_t *args, error_t *err)
{
    return __real_domain_class.start (actor, args, err);
}

//  What the guest does once the owner has begun with VERB.
static struct {
    char verb[32]; //  "": nothing
    guest_change_t change;
} house_next;

static void house_change (actor_t *actor, const msg_t *msg)
{
    const char *behind = msg_str (msg, "behind");
    const guest_change_t change = { .kind = (change_kind_t) msg_i64 (msg, "kind", 0),
                                    .status = { (guest_state_t) msg_i64 (msg, "state", 0),
                                                (int) msg_i64 (msg, "reason", 0) },
                                    .event = (int) msg_i64 (msg, "event", -1) };
    house_next.change = change;
    snprintf (house_next.verb, sizeof house_next.verb, "%s", behind ? behind : "");
    if (!behind)
        domain_take_change (actor_state (actor), &change);
}

//  As if its guest had an agent; what is asked of that fails, since nobody is there.
static void house_give_agent (domain_t *domain)
{
    domain->driver = &qemu_driver;
    domain->agent = CHANNEL_OPEN;
    domain->agent_runs = true;
    snprintf (domain->agent_alias, sizeof domain->agent_alias, "channel0");
}

//  True: it was one of the test's own.
static bool house_take (actor_t *actor, const msg_t *msg)
{
    if (msg_is (msg, "test.panic"))
        actor_panic (actor, "a test asked for it");
    if (msg_is (msg, "test.change"))
        house_change (actor, msg);
    else if (msg_is (msg, "test.agent"))
        house_give_agent (actor_state (actor));
    else
        return false;
    return true;
}

static void house_handle_domain (actor_t *actor, msg_t **msg_p)
{
    if (house_take (actor, *msg_p))
        return;
    bool next = *house_next.verb && msg_is (*msg_p, house_next.verb);
    __real_domain_class.handle (actor, msg_p);
    if (next) {
        *house_next.verb = 0;
        domain_take_change (actor_state (actor), &house_next.change);
    }
}

static void house_stop_domain (actor_t *actor)
{
    __real_domain_class.stop (actor);
}

extern const actor_class_t __wrap_domain_class;
const actor_class_t __wrap_domain_class = { .kind = "domain",
                                            .state_size = sizeof (domain_t),
                                            .max_requests = DOMAIN_MAX_REQUESTS,
                                            .stop_rank = 1,
                                            .start = house_start_domain,
                                            .handle = house_handle_domain,
                                            .stop = house_stop_domain };

//  What is seen of domain UUID_A.
static struct {
    bool there, persistent, autostart, busy, loading;
    int gone;
    int64_t id, state, reason, silent_us;
    char name[64], title[64];
    char events[4096]; //  "Started Booted, " ...
} seen;

static const char *house_folder; //  of the test

static void house_see (actor_t *self, const char *topic, const msg_t *event, void *arg)
{
    (void) self, (void) arg;
    if (strcmp (topic, OWNER_A) != 0)
        return;
    seen.there = !msg_is (event, "gone");
    seen.gone += msg_is (event, "gone");
    seen.persistent = msg_flag (event, "persistent");
    seen.autostart = msg_flag (event, "autostart");
    seen.loading = msg_flag (event, "loading");
    seen.busy = value_get (msg_arg (event, "job"), "kind") != NULL;
    seen.id = msg_i64 (event, "id", -1);
    seen.state = msg_i64 (event, "state", -1);
    seen.reason = msg_i64 (event, "reason", -1);
    seen.silent_us = msg_i64 (event, "silent_since_us", -1);
    snprintf (seen.name, sizeof seen.name, "%s", msg_str (event, "name"));
    const char *title = msg_str (event, "title");
    snprintf (seen.title, sizeof seen.title, "%s", title ? title : "");
    const value_t *events = msg_arg (event, "events");
    for (size_t i = 0; i < value_count (events); i++) {
        const value_t *args = value_get (value_at (events, i), "args");
        const char *text = value_get_str (args, "event_text");
        const char *detail = value_get_str (args, "detail_text");
        size_t used = strlen (seen.events);
        if (value_get (args, "responding"))
            snprintf (seen.events + used, sizeof seen.events - used, "%s, ",
                      value_get_bool (args, "responding", false) ? "Heard" : "Silent");
        if (text)
            snprintf (seen.events + used, sizeof seen.events - used, "%s %s, ", text, detail);
    }
}

static inline void house_open (actor_t *self, config_t *config, paths_t **paths)
{
    error_t err;
    memset (&seen, 0, sizeof seen);
    *paths = paths_new (PATHS_ROOT, house_folder, &err);
    check (*paths && paths_create (*paths, &err) == 0);
    *config = (config_t){
        .paths = *paths, .launcher = "/bin/false", .instance = "01234567", .log_level = LEVEL_DEBUG
    };
    actor_subscribe (self, "domain/", house_see, NULL);
    scene_reset ();
    auto(msg_t) args = msg_request ("start");
    config_pack (config, msg_args (args));
    actor_spawn (self, "host", &host_class, &args, false, CALL_MS, scene_keep, NULL);
    auto(msg_t) answer = scene_await (self, 1);
    check_equal (scene_code (answer), 0);
}

//  As the daemon ends: the host first. Jobs and owners that it began may go on for a moment, so
//  what they were given stays until the program ends.
static inline void house_close (actor_t *self, paths_t **paths)
{
    static paths_t *kept[64];
    static size_t count;
    scene_end_actor (self, "host");
    scene_end_actor (self, "libvirt_gateway");
    scene_end_actor (self, "zmq_gateway");
    scene_end_actor (self, OWNER_A);
    scene_end_actor (self, "domain/" UUID_B);
    for (int i = 0; i < 2; i++)
        scene_end_actor (self, i ? "disk/1" : "disk/0");
    check (count < sizeof kept / sizeof *kept);
    kept[count++] = take (paths);
}

//  Steps until CONDITION; fails after half a minute.
#define house_until(self, condition)                                                               \
    do {                                                                                           \
        int64_t limit_ = actor_now (self) + CALL_MS;                                               \
        while (!(condition) && actor_now (self) < limit_)                                          \
            actor_step (self, actor_now (self) + 20);                                              \
        check (condition);                                                                         \
    } while (0)

//  Its text; the caller frees it. BEHAVIOUR: elements of the test driver, or "".
static inline char *house_xml (const char *uuid, const char *name, const char *behaviour)
{
    return text_format ("<domain type='test'><name>%s</name><uuid>%s</uuid>"
                        "<memory unit='MiB'>64</memory><os><type>hvm</type></os>"
                        "<test:behaviour xmlns:test='https://troupe.dev/xml/test/1'>%s"
                        "</test:behaviour></domain>",
                        name, uuid, behaviour);
}

static inline msg_t *house_xml_request (const char *verb, const char *uuid, const char *name,
                                        const char *behaviour)
{
    autofree char *xml = house_xml (uuid, name, behaviour);
    msg_t *request = msg_request (verb);
    pack_key_str (msg_args (request), "xml", xml);
    return request;
}

//  `domain.define` or `domain.create_xml`: the code of the answer.
static inline int house_bring (actor_t *self, const char *verb, const char *uuid, const char *name,
                               const char *behaviour)
{
    msg_t *request = house_xml_request (verb, uuid, name, behaviour);
    auto(msg_t) answer = scene_call (self, "host", &request, CALL_MS);
    return scene_code (answer);
}

static inline int house_define (actor_t *self, const char *behaviour)
{
    return house_bring (self, "domain.define", UUID_A, "web", behaviour);
}

//  A verb without arguments, or with one.
static inline int house_do (actor_t *self, const char *verb, const char *key, const char *value)
{
    msg_t *request = msg_request (verb);
    if (key)
        pack_key_str (msg_args (request), key, value);
    auto(msg_t) answer = scene_call (self, OWNER_A, &request, CALL_MS);
    return scene_code (answer);
}

//  Its answer comes to scene_await.
static inline void house_ask (actor_t *self, const char *verb)
{
    msg_t *request = msg_request (verb);
    actor_request (self, OWNER_A, &request, CALL_MS, scene_keep, NULL);
}

//  Behind what was asked of the owner before; or, with BEHIND, before it hears anything else once
//  it has begun with that verb.
static inline void house_tell (actor_t *self, const guest_change_t *change, const char *behind)
{
    msg_t *msg = msg_request ("test.change");
    pack_key_i64 (msg_args (msg), "kind", change->kind);
    pack_key_i64 (msg_args (msg), "state", change->status.state);
    pack_key_i64 (msg_args (msg), "reason", change->status.reason);
    pack_key_i64 (msg_args (msg), "event", change->event);
    pack_key_str (msg_args (msg), "behind", behind);
    actor_send (self, OWNER_A, &msg);
}

static inline void house_panic (actor_t *self)
{
    msg_t *msg = msg_request ("test.panic");
    actor_send (self, OWNER_A, &msg);
}

//  Right behind a panic, what was on its way to the old owner has an error.
static inline int house_do_after_panic (actor_t *self, const char *verb)
{
    int code = ERR_INTERNAL_ERROR;
    for (int i = 0; i < 10 && code == ERR_INTERNAL_ERROR; i++)
        code = house_do (self, verb, NULL, NULL);
    return code;
}

static inline char *house_path (const char *name)
{
    return text_format ("%s/%s", house_folder, name);
}

//  Files of the simulated guest, and its status.
static inline size_t house_count_files (void)
{
    error_t err;
    autofree char *run = house_path ("run/troupe/test");
    auto(strings_t) names = file_list (run, "", &err);
    check (names != NULL);
    return names->count;
}

//  Domains whose past jobs are kept.
static inline size_t house_count_past (void)
{
    error_t err;
    autofree char *jobs = house_path ("run/troupe/jobs");
    auto(strings_t) names = file_list (jobs, "", &err);
    check (names != NULL);
    return names->count;
}

//  Makes all writes below this folder fail, or not any more.
static inline void house_take_away (const char *name, bool away)
{
    autofree char *path = house_path (name);
    autofree char *aside = text_format ("%s.away", path);
    check (away ? rename (path, aside) == 0 : rename (aside, path) == 0);
}

#define house_scene(name)                                                                          \
    static void name (void **state)                                                                \
    {                                                                                              \
        house_folder = *state;                                                                     \
        scene_run (scene_##name);                                                                  \
    }

#endif
