//  test_zap.c: the authentication requests of libzmq, real ones and wrong ones.

#include "actors/config.h"
#include "actors/gateway/zap.h"
#include "folder.h"
#include "scene.h"

#include <string.h>
#include <unistd.h>
#include <zmq.h>

#define STRANGER "neither a local peer nor a key that is known"
#define KEY "0123456789012345678901234567890123456789"

static void test_user_ids_of_keys (void **state)
{
    (void) state;
    peer_t peer;
    assert_true (peer_from_user_id ("key:0:write:host2:" KEY, &peer));
    assert_string_equal (peer.key, "host2");
    assert_int_equal (peer.most, ACCESS_WRITE);
    const char *wrong[] = { "key:",
                            "key::write:host2:" KEY,
                            "key:1:write:host2:",
                            "key:1:write:host2:" KEY "0",
                            "key:1:write::" KEY,
                            "key:1::host2:" KEY,
                            "key:1:root:host2:" KEY,
                            "key:1:write:a-name-of-thirty-three-characters:" KEY };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false (peer_from_user_id (wrong[i], &peer));
}

static void test_user_ids (void **state)
{
    (void) state;
    peer_t peer;
    assert_true (peer_from_user_id ("0:1000:77", &peer));
    assert_int_equal (peer.uid, 0);
    assert_int_equal (peer.gid, 1000);
    assert_int_equal (peer.pid, 77);
    assert_true (peer_from_user_id ("4294967295:4294967295:2147483647", &peer));
    const char *wrong[] = { "",
                            "1",
                            "1:2",
                            "1:2:",
                            "1:2:3:4",
                            ":1:2",
                            "-1:2:3",
                            "1:2:3 ",
                            "a:b:c",
                            "4294967296:1:1",
                            "1:1:2147483648",
                            "99999999999999999999999:1:1" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false (peer_from_user_id (wrong[i], &peer));
    assert_false (peer_from_user_id (NULL, &peer));
}

static void *open_socket (void *context, int type)
{
    int wait_ms = 5000, none = 0;
    void *socket = zmq_socket (context, type);
    check (socket);
    zmq_setsockopt (socket, ZMQ_RCVTIMEO, &wait_ms, sizeof wait_ms);
    zmq_setsockopt (socket, ZMQ_LINGER, &none, sizeof none);
    return socket;
}

//  Sends FRAMES (NULL at the end) behind an empty one; the answer's frames, "|" between them.
static const char *ask (void *socket, const char *const *frames, char *text, size_t room)
{
    zmq_send (socket, "", 0, ZMQ_SNDMORE);
    for (; *frames; frames++)
        zmq_send (socket, *frames, strlen (*frames), frames[1] ? ZMQ_SNDMORE : 0);
    size_t used = 0;
    int more = 1;
    for (size_t size = sizeof more; more; zmq_getsockopt (socket, ZMQ_RCVMORE, &more, &size)) {
        int got = zmq_recv (socket, text + used, room - used - 2, 0);
        check (got >= 0);
        used += (size_t) got;
        text[used++] = '|';
    }
    text[used] = 0;
    return text;
}

static void scene_answers (actor_t *self)
{
    check_equal (scene_spawn (self, "zap", &zap_class, true), 0);
    void *socket = open_socket (actor_context (self), ZMQ_DEALER);
    check_equal (zmq_connect (socket, "inproc://zeromq.zap.01"), 0);
    struct {
        const char *frames[20];
        const char *answer;
    } cases[] = {
        { { "1.0", "1", "ipc", "localhost:1:2:3", "", "NULL" }, "|1.0|1|200|OK|1:2:3||" },
        { { "1.0", "2", "ipc", ":1:2:3", "id", "NULL" }, "|1.0|2|200|OK|1:2:3||" },
        { { "1.0", "3", "tcp", "localhost:1:2:3", "", "NULL" }, "|1.0|3|400|" STRANGER "|||" },
        { { "1.0", "4", "ipc", "192.168.0.1", "", "NULL" }, "|1.0|4|400|" STRANGER "|||" },
        { { "1.0", "5", "ipc", "a:1:2:3", "", "PLAIN", "u", "p" }, "|1.0|5|400|" STRANGER "|||" },
        { { "2.0", "6", "ipc", "a:1:2:3", "", "NULL" }, "|1.0|6|500|malformed request|||" },
        { { "1.0", "7" }, "|1.0|7|500|malformed request|||" },
        { { "1.0", "8", "ipc", "a:1:2:3", "", "NULL", "1", "2", "3", "4", "5", "6", "7", "8", "9" },
          "|1.0|8|500|malformed request|||" },
    };
    char text[1024];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_text (ask (socket, cases[i].frames, text, sizeof text), cases[i].answer);
    //  Nobody to answer; what comes next is answered all the same.
    zmq_send (socket, "x", 1, 0);
    zmq_send (socket, "", 0, 0);
    check_text (ask (socket, cases[0].frames, text, sizeof text), cases[0].answer);
    zmq_close (socket);
}

static void scene_real_peer (actor_t *self)
{
    check_equal (scene_spawn (self, "zap", &zap_class, true), 0);
    char endpoint[64], expected[64], byte;
    char path[UNIT_PATH_SIZE];
    unit_path (path, "zap");
    snprintf (endpoint, sizeof endpoint, "ipc://%s", path);
    snprintf (expected, sizeof expected, "%u:%u:%d", getuid (), getgid (), (int) getpid ());
    void *server = open_socket (actor_context (self), ZMQ_DEALER);
    zmq_setsockopt (server, ZMQ_ZAP_DOMAIN, ZAP_DOMAIN_IPC, strlen (ZAP_DOMAIN_IPC));
    check_equal (zmq_bind (server, endpoint), 0);
    void *context = zmq_ctx_new ();
    void *client = open_socket (context, ZMQ_DEALER);
    check_equal (zmq_connect (client, endpoint), 0);
    check_equal (zmq_send (client, "x", 1, 0), 1);
    zmq_msg_t frame;
    zmq_msg_init (&frame);
    check_equal (zmq_msg_recv (&frame, server, 0), 1);
    check_text (zmq_msg_gets (&frame, "User-Id"), expected);
    check_equal (zmq_recv (server, &byte, 1, ZMQ_DONTWAIT), -1);
    zmq_msg_close (&frame);
    zmq_close (client);
    zmq_close (server);
    zmq_ctx_term (context);
    unlink (path);
}

static void test_answers (void **state)
{
    (void) state;
    scene_run (scene_answers);
}

static void test_real_peer (void **state)
{
    (void) state;
    scene_run (scene_real_peer);
}

//  Stands in for the gateway: the sessions that it has, and what it is told.

typedef struct {
    char revoked[USER_ID_SIZE];
} fake_t;

static void gateway_handle (actor_t *self, msg_t **msg_p)
{
    fake_t *fake = actor_state (self);
    if (msg_is (*msg_p, "key.revoked"))
        snprintf (fake->revoked, sizeof fake->revoked, "%s", msg_str (*msg_p, "user_id"));
    if (msg_is (*msg_p, "test.revoked")) {
        auto(msg_t) reply = msg_reply ();
        pack_str (msg_result (reply), fake->revoked);
        actor_reply (self, msg_p, &reply);
        return;
    }
    if (!msg_is (*msg_p, "keys.wanted"))
        return;
    auto(msg_t) msg = msg_request ("key.used");
    pack_key_str (msg_args (msg), "user_id", "key:5:write:node2:" KEY);
    actor_send (self, "zap", &msg);
}

static int gateway_start (actor_t *self, const msg_t *args, error_t *err)
{
    (void) self, (void) args, (void) err;
    return 0;
}

static const actor_class_t gateway_class = { .kind = "zmq_gateway",
                                             .state_size = sizeof (fake_t),
                                             .start = gateway_start,
                                             .handle = gateway_handle };

//  A key that an earlier zap let in, and that is not known any more.
static void scene_restarted (actor_t *self)
{
    const paths_t paths = { .keys = "/nonexistent" };
    const config_t config = { .paths = &paths, .listen = "tcp://127.0.0.1:1" };
    auto(msg_t) args = msg_request ("start");
    config_pack (&config, msg_args (args));
    check_equal (scene_spawn (self, "zmq_gateway", &gateway_class, true), 0);
    scene_reset ();
    actor_spawn (self, "zap", &zap_class, &args, true, 20000, scene_keep, NULL);
    for (int64_t until = actor_now (self) + PATIENCE_MS; actor_now (self) < until;) {
        auto(msg_t) answer = scene_ask (self, "zmq_gateway", "test.revoked", PATIENCE_MS);
        if (strcmp (value_str (msg_value (answer)), "key:5:write:node2:" KEY) == 0)
            return;
        scene_pass (self, 50);
    }
    check (!"the key was cut off");
}

static void test_restarted (void **state)
{
    (void) state;
    scene_run (scene_restarted);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_user_ids),  cmocka_unit_test (test_user_ids_of_keys),
        cmocka_unit_test (test_answers),   cmocka_unit_test (test_real_peer),
        cmocka_unit_test (test_restarted),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
