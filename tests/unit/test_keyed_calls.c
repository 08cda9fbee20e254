//  test_keyed_calls.c: a call with a key is carried out once, with a fake owner that counts.

#include "scene.h"
#include "unit.h"

#include "actors/config.h"
#include "actors/services/disk.h"
#include "actors/gateway/kept_calls.h"
#include "actors/gateway/keyed_calls.h"
#include "util/file.h"

#include <unistd.h>

static config_t config;
static paths_t paths;

//  The owner: counts, and answers as its mode says.

static enum {
    OWNER_ANSWERS,
    OWNER_BUSY,
    OWNER_FAILS,
    OWNER_KEEPS, //  the request, until `go`
    OWNER_ADMITS //  and never answers: its limit is 50 ms
} mode;
static int asked_count;

//  The scene looks while the owner's thread counts.
static int asked (void)
{
    return __atomic_load_n (&asked_count, __ATOMIC_ACQUIRE);
}

typedef struct {
    msg_t *kept;
} owner_t;

static void answer_count (actor_t *self, msg_t **msg_p)
{
    auto(msg_t) reply = msg_reply ();
    pack_u64 (msg_result (reply), (uint64_t) asked ());
    actor_reply (self, msg_p, &reply);
}

static void owner_handle (actor_t *self, msg_t **msg_p)
{
    owner_t *owner = actor_state (self);
    error_t err;
    if (msg_is (*msg_p, "go")) {
        if (owner->kept)
            answer_count (self, &owner->kept);
        answer_count (self, msg_p);
        return;
    }
    const int now = mode; //  the scene changes it once it has seen the count
    __atomic_add_fetch (&asked_count, 1, __ATOMIC_RELEASE);
    check_text (msg_verb (*msg_p), "domain.create");
    check_equal (value_get_u64 (value_get (msg_root (*msg_p), "by"), "uid", 99), 7);
    check (msg_flag (*msg_p, "paused"));
    if (now == OWNER_KEEPS)
        owner->kept = take (msg_p);
    else if (now == OWNER_ADMITS) {
        actor_admit (self, *msg_p, 50);
        msg_destroy (msg_p);
    } else if (now == OWNER_ANSWERS)
        answer_count (self, msg_p);
    else {
        error_set (&err, now == OWNER_BUSY ? ERR_RESOURCE_BUSY : ERR_OPERATION_INVALID,
                   "no, for the time %d", asked ());
        err.retry = now == OWNER_BUSY;
        actor_reply_error (self, msg_p, &err);
    }
}

static void owner_stop (actor_t *self)
{
    owner_t *owner = actor_state (self);
    msg_destroy (&owner->kept);
}

static const actor_class_t owner_class = {
    .kind = "owner", .state_size = sizeof (owner_t), .handle = owner_handle, .stop = owner_stop
};

//  Calls.

static msg_t *call_with (const char *key, const char *domain, const char *to)
{
    pack_t by;
    pack_init (&by);
    pack_map (&by);
    pack_key_u64 (&by, "uid", 7);
    pack_end (&by);
    msg_t *msg = msg_request ("keyed.call");
    msg_set_by (msg, by.bytes, by.size);
    pack_close (&by);
    pack_t *pack = msg_args (msg);
    pack_key_str (pack, "key", key);
    pack_key_str (pack, "verb", "domain.create");
    pack_key_str (pack, "domain", domain);
    if (to)
        pack_key_str (pack, "to", to);
    else {
        error_t err;
        error_set (&err, ERR_NO_DOMAIN, "no domain '%s'", domain);
        pack_key (pack, "error");
        error_pack (&err, pack);
    }
    pack_key_map (pack, "args");
    pack_key_bool (pack, "paused", true);
    pack_end (pack);
    return msg;
}

//  The answer: the owner's count, or minus the error's code.
static int64_t outcome (const msg_t *answer)
{
    int code = scene_code (answer);
    int64_t count = 0;
    value_i64 (msg_value (answer), &count);
    return code ? -code : count;
}

static int64_t ask_at (actor_t *self, const char *key, const char *domain, const char *to, int ms)
{
    msg_t *msg = call_with (key, domain, to);
    auto(msg_t) answer = scene_call (self, KEYED_CALLS_ADDRESS, &msg, ms);
    return outcome (answer);
}

static int64_t ask (actor_t *self, const char *key)
{
    return ask_at (self, key, "web", "owner", PATIENCE_MS);
}

static void ask_later (actor_t *self, const char *key)
{
    msg_t *msg = call_with (key, "web", "owner");
    actor_request (self, KEYED_CALLS_ADDRESS, &msg, PATIENCE_MS, scene_keep, NULL);
}

//  Until the owner was asked COUNT times.
static void await_asked (actor_t *self, int count)
{
    while (asked () < count)
        scene_pass (self, 5);
}

static void start_keyed (actor_t *self)
{
    scene_reset ();
    msg_t *args = msg_request ("start");
    config_pack (&config, msg_args (args));
    actor_spawn (self, KEYED_CALLS_ADDRESS, &keyed_calls_class, &args, false, PATIENCE_MS,
                 scene_keep, NULL);
    auto(msg_t) answer = scene_await (self, 1);
    check_equal (scene_code (answer), 0);
    scene_reset ();
}

static void start_all (actor_t *self)
{
    check_equal (scene_spawn (self, "disk/0", &disk_class, false), 0);
    check_equal (scene_spawn (self, "disk/1", &disk_class, false), 0);
    check_equal (scene_spawn (self, "owner", &owner_class, false), 0);
    start_keyed (self);
}

static void restart (actor_t *self)
{
    scene_end_actor (self, KEYED_CALLS_ADDRESS);
    start_keyed (self);
}

static size_t count_files (void)
{
    error_t err;
    autofree char *folder = text_format ("%s/calls", paths.lib);
    auto(strings_t) names = file_list (folder, "", &err);
    return names->count;
}

//  Scenes.

static void scene_once (actor_t *self)
{
    start_all (self);
    for (int i = 0; i < 3; i++) {
        check_equal (ask (self, "a"), 1);
        check_equal (ask (self, "b"), 2);
        restart (self);
    }
    check_equal (ask_at (self, "a", "db", "owner", PATIENCE_MS), -ERR_INVALID_ARG);
    //  The first call may be why the domain is not there any more.
    check_equal (ask_at (self, "a", "web", NULL, PATIENCE_MS), 1);
    check_equal (asked (), 2);
}

static void scene_no_domain (actor_t *self)
{
    start_all (self);
    check_equal (ask_at (self, "a", "web", NULL, PATIENCE_MS), -ERR_NO_DOMAIN);
    check_equal (count_files (), 0);
    check_equal (ask (self, "a"), 1);
}

static void scene_failure_is_an_answer (actor_t *self)
{
    start_all (self);
    mode = OWNER_FAILS;
    check_equal (ask (self, "a"), -ERR_OPERATION_INVALID);
    mode = OWNER_ANSWERS;
    check_equal (ask (self, "a"), -ERR_OPERATION_INVALID);
    restart (self);
    check_equal (ask (self, "a"), -ERR_OPERATION_INVALID);
    check_equal (asked (), 1);
}

static void scene_meanwhile (actor_t *self)
{
    start_all (self);
    mode = OWNER_KEEPS;
    for (int i = 0; i < 50; i++)
        ask_later (self, "a");
    await_asked (self, 1);
    for (int i = 0; i < 50; i++)
        ask_later (self, "a");
    check_equal (ask_at (self, "a", "db", "owner", PATIENCE_MS), -ERR_INVALID_ARG);
    check_equal (scene_count (), 0);
    auto(msg_t) gone = scene_ask (self, "owner", "go", PATIENCE_MS);
    auto(msg_t) last = scene_await (self, 100);
    check_equal (outcome (last), 1);
    check_equal (asked (), 1);
}

//  What was refused before it was begun may be tried again.
static void scene_busy (actor_t *self)
{
    start_all (self);
    mode = OWNER_BUSY;
    check_equal (ask (self, "a"), -ERR_RESOURCE_BUSY);
    check_equal (ask (self, "a"), -ERR_RESOURCE_BUSY);
    mode = OWNER_ANSWERS;
    check_equal (ask (self, "a"), 3);
    check_equal (ask (self, "a"), 3);
}

static void scene_deadline (actor_t *self)
{
    start_all (self);
    mode = OWNER_KEEPS;
    check_equal (ask_at (self, "a", "web", "owner", 300), -ERR_OPERATION_TIMEOUT);
    mode = OWNER_ANSWERS;
    int before = asked (); //  0 if the disk took so long
    check_equal (ask (self, "a"), before + 1);
    check_equal (ask (self, "a"), before + 1);
}

//  Begun, and its end is not known: that is the answer, for good.
static void scene_no_end (actor_t *self)
{
    start_all (self);
    mode = OWNER_ADMITS;
    check_equal (ask (self, "a"), -ERR_OPERATION_TIMEOUT);
    mode = OWNER_ANSWERS;
    check_equal (ask (self, "a"), -ERR_OPERATION_TIMEOUT);
    check_equal (asked (), 1);
}

static void scene_cut_off (actor_t *self)
{
    start_all (self);
    mode = OWNER_KEEPS;
    ask_later (self, "a");
    await_asked (self, 1);
    restart (self);
    mode = OWNER_ANSWERS;
    check_equal (ask (self, "a"), -ERR_OPERATION_FAILED);
    restart (self);
    check_equal (ask (self, "a"), -ERR_OPERATION_FAILED);
    check_equal (asked (), 1);
    check_equal (ask (self, "b"), 2);
}

//  Without its intent on disk nothing is begun.
static void scene_no_disk (actor_t *self)
{
    start_all (self);
    autofree char *folder = text_format ("%s/calls", paths.lib);
    check_equal (rmdir (folder), 0);
    check (ask (self, "a") < 0);
    check_equal (asked (), 0);
    check_equal (mkdir (folder, 0700), 0);
    check_equal (ask (self, "a"), 1);
}

static void scene_strange_files (actor_t *self)
{
    error_t err;
    start_all (self);
    check_equal (ask (self, "a"), 1);
    autofree char *strange = text_format ("%s/calls/notes", paths.lib);
    check_equal (file_write (strange, "hello", 5, &err), 0);
    restart (self);
    check_equal (ask (self, "a"), 1);
    check_equal (asked (), 1);
}

static void run (scene_fn *scene, char *folder)
{
    paths = (paths_t){ .lib = folder, .run = folder };
    config = (config_t){ .paths = &paths };
    mode = OWNER_ANSWERS;
    asked_count = 0;
    const int before = unit_count_descriptors ();
    scene_run (scene);
    assert_int_equal (unit_count_descriptors (), before);
}

#define FOLDER_TEST(name)                                                                          \
    static void test_##name (void **state)                                                         \
    {                                                                                              \
        run (scene_##name, *state);                                                                \
    }

FOLDER_TEST (once)
FOLDER_TEST (no_domain)
FOLDER_TEST (failure_is_an_answer)
FOLDER_TEST (meanwhile)
FOLDER_TEST (busy)
FOLDER_TEST (deadline)
FOLDER_TEST (no_end)
FOLDER_TEST (cut_off)
FOLDER_TEST (no_disk)
FOLDER_TEST (strange_files)

int main (void)
{
    const struct CMUnitTest tests[] = {
        unit_test_in_folder (test_once),
        unit_test_in_folder (test_no_domain),
        unit_test_in_folder (test_failure_is_an_answer),
        unit_test_in_folder (test_meanwhile),
        unit_test_in_folder (test_busy),
        unit_test_in_folder (test_deadline),
        unit_test_in_folder (test_no_end),
        unit_test_in_folder (test_cut_off),
        unit_test_in_folder (test_no_disk),
        unit_test_in_folder (test_strange_files),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
