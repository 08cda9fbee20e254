//  test_stream.c: the sending end of a stream: a window, and one word when the receiver is gone.

#include "actors/runtime/stream.h"

#include "scene.h"

#include <string.h>
#include <unistd.h>

//  Takes what comes, one thing at a time; "keep" is never answered.

typedef struct {
    uint64_t taken;
    msg_t *kept[ACTOR_MAX_REQUESTS];
    size_t count;
} sink_t;

static void sink_handle (actor_t *self, msg_t **msg_p)
{
    sink_t *sink = actor_state (self);
    if (msg_is (*msg_p, "chunk"))
        check_equal (msg_u64 (*msg_p, "number", 999), sink->taken++);
    else if (msg_is (*msg_p, "keep"))
        sink->kept[sink->count++] = take (msg_p);
    else if (msg_is (*msg_p, "stall"))
        usleep (100 * 1000);
    else if (msg_is (*msg_p, "end"))
        actor_end (self);
}

static void sink_stop (actor_t *self)
{
    sink_t *sink = actor_state (self);
    for (size_t i = 0; i < sink->count; i++)
        msg_destroy (&sink->kept[i]);
}

static const actor_class_t sink_class = {
    .kind = "sink", .state_size = sizeof (sink_t), .handle = sink_handle, .stop = sink_stop
};

typedef struct {
    stream_t stream;
    uint64_t sent, limit;
    int spaces, broken;
} source_t;

static void pour (actor_t *self, source_t *source)
{
    while (source->sent < source->limit && stream_has_space (&source->stream)) {
        msg_t *chunk = msg_request ("chunk");
        pack_key_u64 (msg_args (chunk), "number", source->sent++);
        stream_send (&source->stream, self, &chunk);
    }
}

static void on_space (actor_t *self, void *arg)
{
    source_t *source = arg;
    source->spaces++;
    pour (self, source);
}

static void on_broken (actor_t *self, const error_t *err, void *arg)
{
    (void) self;
    check (*err->message);
    ((source_t *) arg)->broken++;
}

static void set_up (actor_t *self, source_t *source, int window, uint64_t limit)
{
    check_equal (scene_spawn (self, "sink", &sink_class, false), 0);
    memset (source, 0, sizeof *source);
    source->limit = limit;
    stream_open (&source->stream, "sink", window, (stream_events_t){ on_space, on_broken }, source);
}

static void tell (actor_t *self, const char *verb)
{
    msg_t *msg = msg_request (verb);
    actor_send (self, "sink", &msg);
}

static void scene_window (actor_t *self)
{
    source_t source;
    set_up (self, &source, 4, 100);
    tell (self, "stall");
    pour (self, &source);
    check_equal (source.sent, 4);
    check (!stream_has_space (&source.stream));
    while (source.sent < 100 || !stream_is_idle (&source.stream))
        actor_step (self, INT64_MAX);
    check (source.spaces > 0);
    check_equal (source.broken, 0);
}

static void scene_receiver_ends (actor_t *self)
{
    source_t source;
    set_up (self, &source, 0, 1000000);
    tell (self, "stall");
    tell (self, "end");
    pour (self, &source);
    check_equal (source.sent, STREAM_WINDOW);
    while (!stream_is_idle (&source.stream))
        actor_step (self, INT64_MAX);
    check_equal (source.broken, 1);
    msg_t *chunk = msg_request ("chunk");
    stream_send (&source.stream, self, &chunk);
    check (!chunk && stream_is_idle (&source.stream));
}

static void scene_closed (actor_t *self)
{
    source_t source;
    set_up (self, &source, 0, 1000000);
    tell (self, "stall");
    tell (self, "end");
    pour (self, &source);
    stream_close (&source.stream);
    check (!stream_has_space (&source.stream));
    while (!stream_is_idle (&source.stream))
        actor_step (self, INT64_MAX);
    check_equal (source.broken + source.spaces, 0);
}

//  A chunk that was refused would be lost: streams don't count among an address's requests.
static void scene_busy_receiver (actor_t *self)
{
    source_t source;
    set_up (self, &source, 0, 100);
    scene_reset ();
    for (int i = 0; i < ACTOR_MAX_REQUESTS; i++) {
        msg_t *request = msg_request ("keep");
        actor_request (self, "sink", &request, 60000, scene_keep, NULL);
    }
    pour (self, &source);
    while (source.sent < 100 || !stream_is_idle (&source.stream))
        actor_step (self, INT64_MAX);
    check_equal (source.broken, 0);
    auto(msg_t) refused = scene_ask (self, "sink", "stall", PATIENCE_MS);
    check_equal (scene_code (refused), ERR_RESOURCE_BUSY);
    tell (self, "end");
    auto(msg_t) last = scene_await (self, ACTOR_MAX_REQUESTS);
    check_equal (scene_code (last), ERR_OPERATION_ABORTED);
}

SCENE_TEST (window)
SCENE_TEST (receiver_ends)
SCENE_TEST (closed)
SCENE_TEST (busy_receiver)

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_window),
        cmocka_unit_test (test_receiver_ends),
        cmocka_unit_test (test_closed),
        cmocka_unit_test (test_busy_receiver),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
