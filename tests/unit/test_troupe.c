//  test_troupe.c: the client library against a small daemon in a thread, which does what each
//  request's verb says.

#include "folder.h"
#include "msg/pack.h"
#include "msg/value.h"
#include "troupe.h"
#include "util/text.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include <cmocka.h>

enum {
    PATIENCE_MS = 30000 //  for what has to come, however busy the machine is
};

DEFINE_AUTO (troupe_t, troupe_close)
DEFINE_AUTO (troupe_args_t, troupe_args_destroy)
DEFINE_AUTO (troupe_message_t, troupe_message_destroy)

typedef struct {
    pthread_t thread;
    void *context, *router;
    char endpoint[128];
} daemon_t;

static void daemon_send (daemon_t *self, zmq_msg_t *peer, pack_t *pack)
{
    zmq_msg_t to;
    zmq_msg_init (&to);
    zmq_msg_copy (&to, peer);
    zmq_msg_send (&to, self->router, ZMQ_SNDMORE);
    zmq_send (self->router, pack->bytes, pack->size, 0);
    pack_close (pack);
}

static void daemon_event (daemon_t *self, zmq_msg_t *peer, const char *verb, uint64_t number)
{
    pack_t pack;
    pack_init (&pack);
    pack_map (&pack);
    pack_key_str (&pack, "kind", "event");
    pack_key_str (&pack, "verb", verb);
    pack_key_map (&pack, "args");
    pack_key_u64 (&pack, "number", number);
    pack_end (&pack);
    pack_end (&pack);
    daemon_send (self, peer, &pack);
}

static void daemon_answer (daemon_t *self, zmq_msg_t *peer, const value_t *request)
{
    bool refuse = strcmp (value_get_str (request, "verb"), "refuse") == 0;
    pack_t pack;
    pack_init (&pack);
    pack_map (&pack);
    pack_key_u64 (&pack, "id", value_get_u64 (request, "id", 0));
    pack_key_str (&pack, "kind", refuse ? "error" : "reply");
    pack_key (&pack, refuse ? "error" : "result");
    if (refuse) {
        pack_map (&pack);
        pack_key_i64 (&pack, "code", TROUPE_ERROR_NO_DOMAIN);
        pack_key_str (&pack, "message", "no domain is called 'nobody'");
        pack_end (&pack);
    } else
        pack_value (&pack, request);
    pack_end (&pack);
    daemon_send (self, peer, &pack);
}

static void daemon_bind (daemon_t *self)
{
    self->router = zmq_socket (self->context, ZMQ_ROUTER);
    zmq_setsockopt (self->router, ZMQ_LINGER, &(int){ 100 }, sizeof (int));
    //  A ROUTER drops what a client has not read yet, beyond this.
    zmq_setsockopt (self->router, ZMQ_SNDHWM, &(int){ 0 }, sizeof (int));
    assert_int_equal (zmq_bind (self->router, self->endpoint), 0);
}

//  False: it is over.
static bool daemon_handle (daemon_t *self, zmq_msg_t *peer, const value_t *request)
{
    const char *verb = value_get_str (request, "verb");
    uint64_t number = value_get_u64 (value_get (request, "args"), "number", 0);
    if (strcmp (verb, "stop") == 0)
        return false;
    if (strcmp (verb, "ignore") == 0)
        return true;
    if (strcmp (verb, "garbage") == 0) {
        pack_t pack;
        pack_init (&pack);
        pack_str (&pack, "not a map");
        daemon_send (self, peer, &pack);
        return true;
    }
    if (strcmp (verb, "restart") == 0) {
        zmq_close (self->router);
        poll (NULL, 0, (int) number);
        daemon_bind (self);
        return true;
    }
    if (strcmp (verb, "emit") == 0) {
        daemon_event (self, peer, "ping", 0);
        for (uint64_t i = 1; i <= number; i++)
            daemon_event (self, peer, "domain.lifecycle", i);
    }
    daemon_answer (self, peer, request);
    return true;
}

static void *daemon_run (void *arg)
{
    daemon_t *self = arg;
    for (bool more = true; more;) {
        zmq_msg_t peer, frame;
        zmq_msg_init (&peer);
        zmq_msg_init (&frame);
        if (zmq_msg_recv (&peer, self->router, 0) >= 0 &&
            zmq_msg_recv (&frame, self->router, 0) >= 0) {
            error_t err;
            auto(document_t) document = document_parse (
                zmq_msg_data (&frame), zmq_msg_size (&frame), VALUE_MAX_BYTES, &err);
            assert_non_null (document);
            more = daemon_handle (self, &peer, document_root (document));
        }
        zmq_msg_close (&peer);
        zmq_msg_close (&frame);
    }
    zmq_close (self->router);
    return NULL;
}

static int start_daemon (void **state)
{
    daemon_t *self = memory_new (1, sizeof *self);
    char path[UNIT_PATH_SIZE];
    unit_path (path, "daemon");
    snprintf (self->endpoint, sizeof self->endpoint, "ipc://%s", path);
    self->context = zmq_ctx_new ();
    daemon_bind (self);
    *state = self;
    return pthread_create (&self->thread, NULL, daemon_run, self);
}

static troupe_t *connect_to (void **state)
{
    troupe_error_t err = { 0 };
    troupe_t *self = troupe_open (((daemon_t *) *state)->endpoint, 2000, &err);
    if (!self)
        fail_msg ("%s", err.message);
    return self;
}

static int stop_daemon (void **state)
{
    daemon_t *self = *state;
    troupe_t *troupe = connect_to (state);
    troupe_error_t err;
    troupe_send (troupe, "stop", NULL, NULL, &err);
    pthread_join (self->thread, NULL);
    troupe_close (&troupe);
    zmq_ctx_term (self->context);
    //  Of a socket that was bound again right after the close, ZeroMQ sometimes leaves the file.
    unlink (self->endpoint + strlen ("ipc://"));
    free (self);
    return 0;
}

static troupe_args_t *number (uint64_t value)
{
    troupe_args_t *args = troupe_args_new ();
    troupe_args_u64 (args, "number", value);
    return args;
}

static void test_call (void **state)
{
    auto(troupe_t) troupe = connect_to (state);
    auto(troupe_args_t) args = number (7);
    const char *const names[] = { "a", "b" };
    troupe_args_str (args, "text", "Grüße");
    troupe_args_strs (args, "names", names, 2);
    troupe_args_bin (args, "data", "\0\1", 2);
    troupe_error_t err;
    auto(troupe_message_t) reply = troupe_call (troupe, "echo", args, PATIENCE_MS, &err);
    assert_non_null (reply);
    assert_int_equal (troupe_message_kind (reply), TROUPE_REPLY);
    assert_string_equal (troupe_message_verb (reply), "echo");
    const troupe_value_t *request = troupe_message_value (reply);
    assert_string_equal (troupe_get_str (request, "kind"), "request");
    assert_int_equal (troupe_get_u64 (request, "deadline", 0), PATIENCE_MS);
    const troupe_value_t *echoed = troupe_get (request, "args");
    assert_int_equal (troupe_type (echoed), TROUPE_MAP);
    assert_int_equal (troupe_count (echoed), 4);
    assert_string_equal (troupe_key_at (echoed, 0), "number");
    assert_int_equal (troupe_i64 (troupe_at (echoed, 0), 0), 7);
    assert_string_equal (troupe_get_str (echoed, "text"), "Grüße");
    assert_string_equal (troupe_str (troupe_at (troupe_get (echoed, "names"), 1)), "b");
    size_t size;
    assert_memory_equal (troupe_bin (troupe_get (echoed, "data"), &size), "\0\1", 2);
    assert_int_equal (size, 2);
    assert_null (troupe_get (echoed, "nothing"));
}

static void test_args_stay_the_callers (void **state)
{
    auto(troupe_t) troupe = connect_to (state);
    auto(troupe_args_t) args = number (1);
    troupe_error_t err;
    auto(troupe_message_t) first = troupe_call (troupe, "echo", args, PATIENCE_MS, &err);
    troupe_args_bool (args, "more", true);
    auto(troupe_message_t) second = troupe_call (troupe, "echo", args, PATIENCE_MS, &err);
    const char *path = "args";
    assert_int_equal (troupe_count (troupe_get (troupe_message_value (first), path)), 1);
    assert_int_equal (troupe_count (troupe_get (troupe_message_value (second), path)), 2);
}

static void test_error (void **state)
{
    auto(troupe_t) troupe = connect_to (state);
    troupe_error_t err;
    assert_null (troupe_call (troupe, "refuse", NULL, PATIENCE_MS, &err));
    assert_int_equal (err.code, TROUPE_ERROR_NO_DOMAIN);
    assert_string_equal (err.message, "no domain is called 'nobody'");
    assert_string_equal (troupe_error_name (err.code), "VIR_ERR_NO_DOMAIN");
}

static void test_nobody_listens (void **state)
{
    (void) state;
    troupe_error_t err;
    assert_null (troupe_open ("ipc:///tmp/test_troupe.nobody", 2000, &err));
    assert_int_equal (err.code, TROUPE_ERROR_NO_CONNECT);
    assert_non_null (strstr (err.message, "nobody listens there; start trouped"));
    assert_null (troupe_open ("tcp://127.0.0.1:1", 2000, &err));
    assert_int_equal (err.code, TROUPE_ERROR_AUTH);
    assert_non_null (strstr (err.message, "troupe_open_with_keys"));
    assert_null (troupe_open_with_keys ("tcp://127.0.0.1:1", "/nowhere", 2000, &err));
    assert_int_equal (err.code, TROUPE_ERROR_AUTH);
    assert_non_null (strstr (err.message, "'troupe key-own' makes it"));
}

static void test_no_answer (void **state)
{
    auto(troupe_t) troupe = connect_to (state);
    troupe_error_t err;
    troupe_options_t soon = { .limit_ms = 1000 };
    uint64_t id = troupe_send (troupe, "ignore", NULL, &soon, &err);
    assert_null (troupe_wait (troupe, id, 1, &err)); //  still open
    assert_int_equal (err.code, TROUPE_ERROR_TIMEOUT);
    auto(troupe_message_t) answer = troupe_wait (troupe, id, PATIENCE_MS, &err);
    assert_non_null (answer);
    assert_true (troupe_message_failed (answer, &err));
    assert_int_equal (err.code, TROUPE_ERROR_TIMEOUT);
    assert_null (troupe_wait (troupe, id, 1000, &err)); //  answered
    assert_int_equal (err.code, TROUPE_ERROR_INVALID_ARG);
}

static void test_pipelining (void **state)
{
    enum {
        COUNT = 2000
    };
    auto(troupe_t) troupe = connect_to (state);
    troupe_error_t err;
    uint64_t sum = 0, expected = 0;
    for (uint64_t i = 0; i < COUNT; i++) {
        auto(troupe_args_t) args = number (i);
        assert_int_not_equal (troupe_send (troupe, "echo", args, NULL, &err), 0);
        expected += i;
    }
    for (uint64_t i = 0; i < COUNT; i++) {
        auto(troupe_message_t) reply = troupe_receive (troupe, 5000, &err);
        assert_non_null (reply);
        sum += troupe_get_u64 (troupe_get (troupe_message_value (reply), "args"), "number", 0);
    }
    assert_int_equal (sum, expected);
    assert_null (troupe_receive (troupe, 0, &err));
}

static void test_too_many_open (void **state)
{
    auto(troupe_t) troupe = connect_to (state);
    troupe_error_t err;
    for (int i = 0; i < TROUPE_MAX_OPEN; i++)
        assert_int_not_equal (troupe_send (troupe, "ignore", NULL, NULL, &err), 0);
    assert_int_equal (troupe_send (troupe, "ignore", NULL, NULL, &err), 0);
    assert_int_equal (err.code, TROUPE_ERROR_BUSY);
    assert_true (err.retry);
}

static void test_events_are_kept_while_a_call_waits (void **state)
{
    auto(troupe_t) troupe = connect_to (state);
    auto(troupe_args_t) args = number (3);
    troupe_error_t err;
    auto(troupe_message_t) reply = troupe_call (troupe, "emit", args, PATIENCE_MS, &err);
    assert_non_null (reply);
    for (uint64_t i = 1; i <= 3; i++) {
        auto(troupe_message_t) event = troupe_receive (troupe, 0, &err);
        assert_int_equal (troupe_message_kind (event), TROUPE_EVENT);
        assert_string_equal (troupe_message_verb (event), "domain.lifecycle");
        assert_int_equal (troupe_get_u64 (troupe_message_value (event), "number", 0), i);
    }
    assert_null (troupe_receive (troupe, 0, &err));
}

static void count_event (troupe_t *self, const troupe_message_t *event, void *arg)
{
    (void) self;
    assert_int_equal (troupe_message_kind (event), TROUPE_EVENT);
    ++*(int *) arg;
}

static void test_events_to_a_callback (void **state)
{
    auto(troupe_t) troupe = connect_to (state);
    auto(troupe_args_t) args = number (3);
    int count = 0;
    troupe_on_event (troupe, count_event, &count);
    troupe_error_t err;
    auto(troupe_message_t) reply = troupe_call (troupe, "emit", args, PATIENCE_MS, &err);
    assert_non_null (reply);
    assert_int_equal (count, 3);
}

static void expect_notice (troupe_t *troupe, const char *verb)
{
    troupe_error_t err;
    auto(troupe_message_t) notice = troupe_receive (troupe, PATIENCE_MS, &err);
    assert_non_null (notice);
    assert_int_equal (troupe_message_kind (notice), TROUPE_NOTICE);
    assert_string_equal (troupe_message_verb (notice), verb);
}

static void test_restarted_daemon (void **state)
{
    auto(troupe_t) troupe = connect_to (state);
    auto(troupe_args_t) args = number (300);
    troupe_error_t err;
    //  The open request gets its error at once, not at its deadline.
    assert_null (troupe_call (troupe, "restart", args, 30000, &err));
    assert_int_equal (err.code, TROUPE_ERROR_NO_CONNECT);
    assert_true (err.retry);
    expect_notice (troupe, TROUPE_LOST);
    expect_notice (troupe, TROUPE_RENEWED);
    auto(troupe_message_t) reply = troupe_call (troupe, "echo", NULL, PATIENCE_MS, &err);
    assert_non_null (reply);
}

//  Until somebody listens again.
static troupe_message_t *call_until_answered (troupe_t *troupe)
{
    troupe_error_t err;
    troupe_message_t *reply = NULL;
    for (int i = 0; i < PATIENCE_MS / 10 && !reply; i++) {
        reply = troupe_call (troupe, "echo", NULL, PATIENCE_MS, &err);
        if (!reply)
            poll (NULL, 0, 10);
    }
    return reply;
}

static void test_call_while_the_daemon_is_away (void **state)
{
    auto(troupe_t) troupe = connect_to (state);
    auto(troupe_args_t) args = number (2000);
    troupe_error_t err;
    assert_null (troupe_call (troupe, "restart", args, PATIENCE_MS, &err));
    assert_null (troupe_call (troupe, "echo", NULL, 1000, &err));
    assert_int_equal (err.code, TROUPE_ERROR_NO_CONNECT);
    assert_non_null (strstr (err.message, "nobody listens there"));
    auto(troupe_message_t) reply = call_until_answered (troupe);
    assert_non_null (reply);
}

static void test_garbage_ends_the_connection (void **state)
{
    auto(troupe_t) troupe = connect_to (state);
    troupe_error_t err;
    assert_null (troupe_call (troupe, "garbage", NULL, PATIENCE_MS, &err));
    assert_int_equal (err.code, TROUPE_ERROR_RPC);
    auto(troupe_message_t) reply = troupe_call (troupe, "echo", NULL, PATIENCE_MS, &err);
    assert_non_null (reply);
}

//  A program that waits for many things polls one descriptor, without a timeout.
static void test_descriptor (void **state)
{
    auto(troupe_t) troupe = connect_to (state);
    troupe_error_t err;
    troupe_options_t soon = { .limit_ms = 1000 };
    uint64_t echo = troupe_send (troupe, "echo", NULL, NULL, &err);
    uint64_t ignored = troupe_send (troupe, "ignore", NULL, &soon, &err);
    struct pollfd item = { .fd = troupe_fd (troupe), .events = POLLIN };
    int answers = 0;
    while (answers < 2) {
        for (;;) {
            auto(troupe_message_t) message = troupe_receive (troupe, 0, &err);
            if (!message)
                break;
            assert_int_equal (troupe_message_id (message), answers == 0 ? echo : ignored);
            answers++;
        }
        if (answers < 2)
            assert_int_equal (poll (&item, 1, PATIENCE_MS), 1);
    }
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_call),
        cmocka_unit_test (test_args_stay_the_callers),
        cmocka_unit_test (test_error),
        cmocka_unit_test (test_nobody_listens),
        cmocka_unit_test (test_no_answer),
        cmocka_unit_test (test_pipelining),
        cmocka_unit_test (test_too_many_open),
        cmocka_unit_test (test_events_are_kept_while_a_call_waits),
        cmocka_unit_test (test_events_to_a_callback),
        cmocka_unit_test (test_restarted_daemon),
        cmocka_unit_test (test_call_while_the_daemon_is_away),
        cmocka_unit_test (test_garbage_ends_the_connection),
        cmocka_unit_test (test_descriptor),
    };
    return cmocka_run_group_tests (tests, start_daemon, stop_daemon);
}
