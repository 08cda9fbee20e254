//  test_peer.c: the connection to another daemon, against a ROUTER that answers as it is told.

#include "scene.h"
#include "unit.h"

#include "actors/services/peer.h"
#include "util/text.h"

#include <zmq.h>

enum {
    ROUTER_MS = 30000,
    ID_MAX = 64
};

//  The other daemon, in the scene's own thread: the peer has another.
typedef struct {
    void *context, *router;
    char client[ID_MAX];
    size_t client_size;
    uint64_t id; //  of the last request
} other_t;

//  Scenes run in another thread; what they need of the test is passed to them here.
static const char *folder;

static char *endpoint (void)
{
    return text_format ("ipc://%s/socket", folder);
}

static void other_open (other_t *self)
{
    autofree char *at = endpoint ();
    *self = (other_t){ .context = zmq_ctx_new () };
    self->router = zmq_socket (self->context, ZMQ_ROUTER);
    zmq_setsockopt (self->router, ZMQ_RCVTIMEO, &(int){ ROUTER_MS }, sizeof (int));
    zmq_setsockopt (self->router, ZMQ_LINGER, &(int){ ROUTER_MS }, sizeof (int));
    check_equal (zmq_bind (self->router, at), 0);
}

static void other_close (other_t *self)
{
    zmq_close (self->router);
    zmq_ctx_term (self->context);
}

//  The next request, which has to be VERB with the argument NUMBER.
static void other_receive (other_t *self, const char *verb, uint64_t number)
{
    error_t err;
    zmq_msg_t frame;
    int size = zmq_recv (self->router, self->client, sizeof self->client, 0);
    check (size > 0);
    self->client_size = (size_t) size;
    zmq_msg_init (&frame);
    check (zmq_msg_recv (&frame, self->router, 0) >= 0);
    auto(document_t) document =
        document_parse (zmq_msg_data (&frame), zmq_msg_size (&frame), VALUE_MAX_BYTES, &err);
    check (document);
    const value_t *request = document_root (document);
    check_text (value_get_str (request, "kind"), "request");
    check_text (value_get_str (request, "verb"), verb);
    check_equal (value_get_u64 (request, "deadline", 0), PATIENCE_MS);
    check_equal (value_get_u64 (value_get (request, "args"), "number", 0), number);
    self->id = value_get_u64 (request, "id", 0);
    zmq_msg_close (&frame);
}

static void other_send (other_t *self, const void *bytes, size_t size)
{
    zmq_send (self->router, self->client, self->client_size, ZMQ_SNDMORE);
    zmq_send (self->router, bytes, size, 0);
}

static void other_answer (other_t *self, uint64_t id, const char *text)
{
    pack_t pack;
    pack_init (&pack);
    pack_map (&pack);
    pack_key_u64 (&pack, "id", id);
    pack_key_str (&pack, "kind", "reply");
    pack_key_str (&pack, "result", text);
    pack_end (&pack);
    other_send (self, pack.bytes, pack.size);
    pack_close (&pack);
}

static void other_refuse (other_t *self, uint64_t id, error_code_t code, const char *why)
{
    pack_t pack;
    pack_init (&pack);
    pack_map (&pack);
    pack_key_u64 (&pack, "id", id);
    pack_key_str (&pack, "kind", "error");
    pack_key_map (&pack, "error");
    pack_key_i64 (&pack, "code", code);
    pack_key_str (&pack, "message", why);
    pack_end (&pack);
    pack_end (&pack);
    other_send (self, pack.bytes, pack.size);
    pack_close (&pack);
}

static int start_peer (actor_t *self)
{
    autofree char *at = endpoint ();
    scene_reset ();
    msg_t *args = msg_request ("start");
    pack_key_str (msg_args (args), "owner", actor_address (self));
    pack_key_str (msg_args (args), "endpoint", at);
    actor_spawn (self, "peer/1", &peer_class, &args, false, PATIENCE_MS, scene_keep, NULL);
    auto(msg_t) answer = scene_await (self, 1);
    scene_reset ();
    return scene_code (answer);
}

static void ask (actor_t *self, const char *verb, uint64_t number)
{
    msg_t *msg = msg_request ("peer.call");
    pack_t *pack = msg_args (msg);
    pack_key_str (pack, "verb", verb);
    pack_key_u64 (pack, "deadline_ms", PATIENCE_MS);
    pack_key_map (pack, "args");
    pack_key_u64 (pack, "number", number);
    pack_end (pack);
    actor_request (self, "peer/1", &msg, PATIENCE_MS, scene_keep, NULL);
}

static void scene_answers (actor_t *self)
{
    other_t other;
    other_open (&other);
    check_equal (start_peer (self), 0);
    ask (self, "first", 1);
    other_receive (&other, "first", 1);
    uint64_t first = other.id;
    ask (self, "second", 2);
    other_receive (&other, "second", 2);
    //  Nobody asked for these; nor do they harm.
    other_answer (&other, first + 100, "nobody's");
    other_refuse (&other, other.id, ERR_NO_DOMAIN, "there is none");
    auto(msg_t) refused = scene_await (self, 1);
    error_t err;
    check (msg_failed (refused, &err));
    check_equal (err.code, ERR_NO_DOMAIN);
    check_text (err.message, "there is none");
    other_answer (&other, first, "late, but good");
    auto(msg_t) answered = scene_await (self, 2);
    check_text (value_str (msg_value (answered)), "late, but good");
    scene_end_actor (self, "peer/1");
    other_close (&other);
}

//  All that wait hear of it; the next call connects again.
static void scene_lost (actor_t *self)
{
    other_t other;
    other_open (&other);
    check_equal (start_peer (self), 0);
    ask (self, "first", 1);
    ask (self, "second", 2);
    other_receive (&other, "first", 1);
    other_receive (&other, "second", 2);
    other_close (&other);
    auto(msg_t) lost = scene_await (self, 2);
    check_equal (scene_code (lost), ERR_NO_CONNECT);
    other_open (&other);
    scene_reset ();
    ask (self, "third", 3);
    other_receive (&other, "third", 3);
    other_answer (&other, other.id, "again");
    auto(msg_t) again = scene_await (self, 1);
    check_text (value_str (msg_value (again)), "again");
    scene_end_actor (self, "peer/1");
    other_close (&other);
}

static void scene_garbage (actor_t *self)
{
    other_t other;
    other_open (&other);
    check_equal (start_peer (self), 0);
    ask (self, "first", 1);
    other_receive (&other, "first", 1);
    other_send (&other, "\xc1", 1);
    auto(msg_t) answer = scene_await (self, 1);
    check_equal (scene_code (answer), ERR_RPC);
    scene_end_actor (self, "peer/1");
    other_close (&other);
}

static void scene_nobody (actor_t *self)
{
    check_equal (start_peer (self), ERR_NO_CONNECT);
}

static void run (void **state, scene_fn *scene)
{
    folder = *state;
    scene_run (scene);
}

static void test_answers (void **state)
{
    run (state, scene_answers);
}

static void test_lost (void **state)
{
    run (state, scene_lost);
}

static void test_garbage (void **state)
{
    run (state, scene_garbage);
}

static void test_nobody (void **state)
{
    run (state, scene_nobody);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        unit_test_in_folder (test_answers),
        unit_test_in_folder (test_lost),
        unit_test_in_folder (test_garbage),
        unit_test_in_folder (test_nobody),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
