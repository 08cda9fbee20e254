//  support_scene.c: see scene.h.

#include "scene.h"

#include "util/xml.h"

void scene_fail (const char *file, int line, const char *what, int64_t got, int64_t want)
{
    fprintf (stderr, "%s:%d: %s: got %lld, want %lld\n", file, line, what, (long long) got,
             (long long) want);
    abort ();
}

typedef struct {
    msg_t *answer;
} waiting_t;

static void keep_answer (actor_t *self, const msg_t *reply, void *arg)
{
    (void) self;
    ((waiting_t *) arg)->answer = msg_copy (reply);
}

static msg_t *await (actor_t *self, waiting_t *waiting)
{
    while (!waiting->answer)
        actor_step (self, INT64_MAX);
    return waiting->answer;
}

msg_t *scene_call (actor_t *self, const char *to, msg_t **request_p, int deadline_ms)
{
    waiting_t waiting = { NULL };
    actor_request (self, to, request_p, deadline_ms, keep_answer, &waiting);
    return await (self, &waiting);
}

msg_t *scene_ask (actor_t *self, const char *to, const char *verb, int deadline_ms)
{
    msg_t *request = msg_request (verb);
    return scene_call (self, to, &request, deadline_ms);
}

int scene_code (const msg_t *answer)
{
    error_t err;
    return msg_failed (answer, &err) ? (int) err.code : 0;
}

int scene_spawn (actor_t *self, const char *address, const actor_class_t *class, bool supervised)
{
    waiting_t waiting = { NULL };
    msg_t *args = msg_request ("start");
    actor_spawn (self, address, class, &args, supervised, 20000, keep_answer, &waiting);
    auto(msg_t) answer = await (self, &waiting);
    return scene_code (answer);
}

static int kept_count;
static msg_t *kept_last;

void scene_reset (void)
{
    kept_count = 0;
    msg_destroy (&kept_last);
}

void scene_keep (actor_t *self, const msg_t *reply, void *arg)
{
    (void) self;
    (void) arg;
    kept_count++;
    msg_destroy (&kept_last);
    kept_last = msg_copy (reply);
}

int scene_count (void)
{
    return kept_count;
}

msg_t *scene_await (actor_t *self, int count)
{
    while (kept_count < count)
        actor_step (self, INT64_MAX);
    return take (&kept_last);
}

static void is_down (actor_t *self, const char *address, const msg_t *down, void *arg)
{
    (void) self;
    (void) address;
    (void) down;
    *(bool *) arg = true;
}

static void await_down (actor_t *self, const bool *down)
{
    while (!*down)
        actor_step (self, INT64_MAX);
}

void scene_await_end (actor_t *self, const char *address)
{
    bool down = false;
    actor_watch (self, address, is_down, &down);
    await_down (self, &down);
}

//  One that somebody starts again at once may be there again before it is watched: watched first.
void scene_end_actor (actor_t *self, const char *address)
{
    bool down = false;
    actor_watch (self, address, is_down, &down);
    actor_stop (self, address);
    await_down (self, &down);
}

static void time_passed (actor_t *self, void *arg)
{
    (void) self;
    *(bool *) arg = true;
}

void scene_pass (actor_t *self, int ms)
{
    bool passed = false;
    actor_timer (self, ms, time_passed, &passed);
    while (!passed)
        actor_step (self, INT64_MAX);
}

static int root_start (actor_t *self, const msg_t *args, error_t *err)
{
    (void) err;
    scene_fn *scene = (scene_fn *) (uintptr_t) msg_u64 (args, "scene", 0);
    scene (self);
    actor_end (self);
    return 0;
}

static const actor_class_t root_class = {
    .kind = "root", .stop_rank = 3, .stack_size = 1024 * 1024, .start = root_start
};

void scene_run_limited (scene_fn *scene, int max_actors)
{
    error_t err;
    xml_init (); //  as main does, while there is one thread
    auto(switchboard_t) board = switchboard_new (max_actors, &err);
    assert_non_null (board);
    msg_t *args = msg_request ("start");
    pack_key_u64 (msg_args (args), "scene", (uintptr_t) scene);
    int rc = switchboard_run (board, "root", &root_class, &args, &err);
    if (rc)
        print_error ("%s\n", err.message);
    assert_int_equal (rc, 0);
}

void scene_run (scene_fn *scene)
{
    scene_run_limited (scene, 0);
}
