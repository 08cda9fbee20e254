//  test_monitor.c: one QMP connection. The test is QEMU: it listens, and says what it likes.

#include "monitor_peer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void command_with_file (actor_t *self, const char *path, actor_reply_fn *on_reply, void *arg)
{
    msg_t *request = msg_request ("qmp");
    pack_t *pack = msg_args (request);
    pack_key_str (pack, "command", "{\"execute\": \"getfd\", \"arguments\": {\"fdname\": \"f\"}}");
    pack_key_str (pack, "path", path);
    pack_key_bool (pack, "write", false);
    pack_key_u64 (pack, "offset", 0);
    actor_request (self, MONITOR, &request, PATIENCE_MS, on_reply, arg);
}

//  Scenes: starting.

static void scene_command_and_answer (actor_t *self)
{
    peer_t qemu;
    set_up (self, &qemu);
    scene_reset ();
    command (self, "{\"execute\": \"query-status\"}", PATIENCE_MS, scene_keep, NULL);
    autofree char *line = peer_hear (&qemu);
    check_text (line, "{\"execute\":\"query-status\",\"id\":\"troupe-1\"}");
    const char *answer = "{\"return\": {\"running\": true, \"big\": 18446744073709551615}, "
                         "\"id\": \"troupe-1\"}";
    peer_say (&qemu, answer);
    peer_say (&qemu, "\r\n");
    auto(msg_t) reply = scene_await (self, 1);
    check_equal (scene_code (reply), 0);
    check_text (value_get_str (msg_value (reply), "json"), answer);
    peer_close (&qemu);
}

static void scene_refusal_is_an_answer (actor_t *self)
{
    peer_t qemu;
    set_up (self, &qemu);
    scene_reset ();
    command (self, "{\"execute\": \"nonsense\"}", PATIENCE_MS, scene_keep, NULL);
    free (peer_hear (&qemu));
    peer_say (&qemu, "{\"id\": \"troupe-1\", \"error\": {\"class\": \"C\", \"desc\": \"d\"}}\n");
    auto(msg_t) reply = scene_await (self, 1);
    check_equal (scene_code (reply), 0);
    check (strstr (value_get_str (msg_value (reply), "json"), "\"desc\": \"d\""));
    scene_reset ();
    command (self, "nonsense", PATIENCE_MS, scene_keep, NULL);
    await_error (self, ERR_INVALID_ARG, "QMP command: not a JSON object");
    peer_close (&qemu);
}

//  QEMU keeps one descriptor: a second one waits until the first was taken.
static void scene_files_go_one_at_a_time (actor_t *self)
{
    peer_t qemu;
    set_up (self, &qemu);
    scene_reset ();
    command_with_file (self, "/no/such/file", scene_keep, NULL);
    await_error (self, ERR_OPEN_FAILED, "open '/no/such/file' for QEMU: No such file");
    scene_reset ();
    command_with_file (self, "/proc/self/exe", scene_keep, NULL);
    autofree char *line = peer_hear (&qemu);
    check (strstr (line, "getfd"));
    scene_reset ();
    command_with_file (self, "/proc/self/exe", scene_keep, NULL);
    await_error (self, ERR_RESOURCE_BUSY, "another file");
    autofree char *answer =
        text_format ("{\"return\": {}, \"id\": \"troupe-%lu\"}\n", number_of (line));
    peer_say (&qemu, answer);
    peer_await_read (&qemu);
    scene_reset ();
    command_with_file (self, "/proc/self/exe", scene_keep, NULL);
    autofree char *next = peer_hear (&qemu);
    check (strstr (next, "getfd"));
    peer_close (&qemu);
}

static void scene_nobody_listens (actor_t *self)
{
    spawn (self, "/no/such/socket", "", PATIENCE_MS);
    await_error (self, ERR_NO_CONNECT, "connect to '/no/such/socket': No such file");
}

static void scene_ends_before_greeting (actor_t *self)
{
    peer_t qemu;
    peer_listen (&qemu);
    spawn (self, qemu.path, "", PATIENCE_MS);
    peer_accept (&qemu);
    peer_hang_up (&qemu);
    await_error (self, ERR_OPERATION_FAILED, "QEMU ended before its monitor answered");
    //  The same when it never even accepted.
    spawn (self, qemu.path, "", PATIENCE_MS);
    peer_await_connection (&qemu);
    close (qemu.listener);
    qemu.listener = -1;
    await_error (self, ERR_OPERATION_FAILED, "QEMU ended before its monitor answered");
    peer_close (&qemu);
}

static void scene_silent_before_greeting (actor_t *self)
{
    peer_t qemu;
    peer_listen (&qemu);
    spawn (self, qemu.path, "", 50);
    await_error (self, ERR_OPERATION_TIMEOUT, "did not greet within 50 ms");
    peer_accept (&qemu);
    peer_hang_up (&qemu);
    spawn (self, qemu.path, "", 50);
    peer_accept (&qemu);
    peer_say (&qemu, GREETING);
    await_error (self, ERR_OPERATION_TIMEOUT, "did not answer qmp_capabilities within 50 ms");
    peer_close (&qemu);
}

static void scene_no_qmp (actor_t *self)
{
    peer_t qemu;
    peer_listen (&qemu);
    spawn (self, qemu.path, "", PATIENCE_MS);
    peer_accept (&qemu);
    peer_say (&qemu, "220 mail.example.org ESMTP\r\n");
    await_error (self, ERR_OPERATION_FAILED, "not a JSON object");
    peer_hang_up (&qemu);
    spawn (self, qemu.path, "", PATIENCE_MS);
    peer_accept (&qemu);
    peer_say (&qemu, "{\"return\": {}}\n");
    await_error (self, ERR_OPERATION_FAILED, "its first line is no QMP greeting");
    peer_close (&qemu);
}

static void scene_long_path (actor_t *self)
{
    peer_t qemu;
    peer_listen (&qemu);
    char folder[200], path[256];
    snprintf (folder, sizeof folder, "%s/%0120d", qemu.folder, 7);
    snprintf (path, sizeof path, "%s/peer", folder);
    check_equal (mkdir (folder, 0700), 0);
    check_equal (rename (qemu.path, path), 0);
    spawn (self, path, "", PATIENCE_MS);
    qemu_agree (&qemu);
    auto(msg_t) started = scene_await (self, 1);
    check_equal (scene_code (started), 0);
    unlink (path);
    rmdir (folder);
    peer_close (&qemu);
}

//  Requests that come while it starts wait, and are answered.
static void scene_early_requests (actor_t *self)
{
    peer_t qemu;
    peer_listen (&qemu);
    spawn (self, qemu.path, "", PATIENCE_MS);
    command (self, "{\"execute\": \"query-status\"}", PATIENCE_MS, scene_keep, NULL);
    scene_pass (self, 20);
    qemu_agree (&qemu);
    free (peer_hear (&qemu));
    peer_say (&qemu, "{\"return\": {}, \"id\": \"troupe-1\"}\n");
    auto(msg_t) both = scene_await (self, 2);
    check_equal (scene_code (both), 0);
    peer_close (&qemu);
}

//  Scenes: events and the end.

static void scene_events_in_order_then_closed (actor_t *self)
{
    peer_t qemu;
    set_up (self, &qemu);
    for (int i = 0; i < 100; i++) {
        autofree char *event = text_format ("{\"event\": \"E\", \"data\": %d}\r\n", i);
        peer_say (&qemu, event);
    }
    peer_hang_up (&qemu);
    await_told (self, "closed", "QEMU ended or closed its monitor");
    auto(text_t) wanted = text_new ();
    for (int i = 0; i < 100; i++)
        text_addf (wanted, "{\"event\": \"E\", \"data\": %d}\n", i);
    autofree char *events = told (self, "events"), *closed = told (self, "closed");
    check_text (events, wanted->data);
    check (strchr (closed, '\n') == strrchr (closed, '\n')); //  told once
    auto(msg_t) answer = scene_ask (self, MONITOR, "monitor.close", PATIENCE_MS);
    check_equal (scene_code (answer), ERR_OPERATION_INVALID); //  it ended
    peer_close (&qemu);
}

static void scene_waiting_requests_learn_the_cause (actor_t *self)
{
    peer_t qemu;
    set_up (self, &qemu);
    scene_reset ();
    for (int i = 0; i < 10; i++)
        command (self, "{\"execute\": \"stop\"}", 60000, scene_keep, NULL);
    for (int i = 0; i < 10; i++)
        free (peer_hear (&qemu));
    peer_say (&qemu, "{\"ret");
    peer_hang_up (&qemu);
    auto(msg_t) last = scene_await (self, 10);
    error_t err;
    check (msg_failed (last, &err));
    check_equal (err.code, ERR_OPERATION_FAILED);
    check (strstr (err.message, "(end of file, in the middle of a line)"));
    peer_close (&qemu);
}

static void scene_malformed_line_breaks (actor_t *self)
{
    peer_t qemu;
    set_up (self, &qemu);
    scene_reset ();
    command (self, "{\"execute\": \"stop\"}", 60000, scene_keep, NULL);
    free (peer_hear (&qemu));
    peer_say (&qemu, "{\"event\": \"BEFORE\"}\n{\"return\": \xff\xfe}\n{\"event\": \"AFTER\"}\n");
    auto(msg_t) last = scene_await (self, 1);
    check_equal (scene_code (last), ERR_OPERATION_FAILED);
    await_told (self, "closed", "it is broken: not a JSON object");
    autofree char *events = told (self, "events");
    check_text (events, "{\"event\": \"BEFORE\"}\n");
    check_equal (read (qemu.fd, &(char){ 0 }, 1), 0); //  it hung up
    peer_close (&qemu);
}

static void scene_closed_on_request (actor_t *self)
{
    peer_t qemu;
    set_up (self, &qemu);
    scene_reset ();
    command (self, "{\"execute\": \"stop\"}", 60000, scene_keep, NULL);
    free (peer_hear (&qemu));
    auto(msg_t) answer = scene_ask (self, MONITOR, "monitor.close", PATIENCE_MS);
    check_equal (scene_code (answer), 0);
    auto(msg_t) last = scene_await (self, 1);
    check_equal (scene_code (last), ERR_OPERATION_ABORTED);
    scene_pass (self, 20);
    autofree char *closed = told (self, "closed");
    check_text (closed, "");
    //  And the address is free for the next.
    peer_hang_up (&qemu);
    spawn (self, qemu.path, "owner", PATIENCE_MS);
    qemu_agree (&qemu);
    auto(msg_t) started = scene_await (self, 1);
    check_equal (scene_code (started), 0);
    peer_close (&qemu);
}

static void scene_ends_with_its_owner (actor_t *self)
{
    peer_t qemu;
    set_up (self, &qemu);
    auto(msg_t) panicked = scene_ask (self, "owner", "panic", PATIENCE_MS);
    check_equal (scene_code (panicked), ERR_INTERNAL_ERROR);
    check_equal (read (qemu.fd, &(char){ 0 }, 1), 0);
    peer_close (&qemu);
}

//  The owner's window is full: what QEMU says stays in its socket, and not in our memory.
static void scene_pressure (actor_t *self)
{
    peer_t qemu;
    set_up (self, &qemu);
    tell_owner (self, "slow");
    autofree char *pad = memory_new (1001, 1);
    memset (pad, '.', 1000);
    check_equal (fcntl (qemu.fd, F_SETFL, O_NONBLOCK), 0);
    auto(text_t) sent = text_new ();
    int count = 0;
    //  Not all of a line may fit: say no more than what surely does.
    for (int quiet = 0; quiet < 50;) {
        struct pollfd poll_fd = { .fd = qemu.fd, .events = POLLOUT };
        if (poll (&poll_fd, 1, 20) != 1) {
            quiet++;
            continue;
        }
        autofree char *event = text_format ("{\"event\": \"%d %s\"}\n", count++, pad);
        peer_say (&qemu, event);
        text_add (sent, event);
        check (sent->size < 2 * 1024 * 1024);
    }
    check (count > STREAM_WINDOW);
    tell_owner (self, "read on");
    peer_hang_up (&qemu);
    await_told (self, "closed", "QEMU ended");
    autofree char *events = told (self, "events");
    check_text (events, sent->data);
    peer_close (&qemu);
}

//  A QEMU that is silent, as one that was sent SIGSTOP.
static void scene_silence (actor_t *self)
{
    peer_t qemu;
    set_up (self, &qemu);
    scene_reset ();
    command (self, "{\"execute\": \"a\"}", 50, scene_keep, NULL);
    await_error (self, ERR_OPERATION_TIMEOUT, "no answer from monitor/1 within the deadline");
    scene_reset ();
    command (self, "{\"execute\": \"b\"}", PATIENCE_MS, scene_keep, NULL);
    free (peer_hear (&qemu));
    free (peer_hear (&qemu));
    peer_say (&qemu, "{\"return\": \"late\", \"id\": \"troupe-1\"}\n"
                     "{\"return\": \"b\", \"id\": \"troupe-2\"}\n");
    auto(msg_t) reply = scene_await (self, 1);
    check (strstr (value_get_str (msg_value (reply), "json"), "\"b\""));
    peer_close (&qemu);
}

//  It answers one of two questions, and is silent again.
static void scene_silence_is_told (actor_t *self)
{
    peer_t qemu;
    set_up (self, &qemu);
    scene_reset ();
    command (self, "{\"execute\": \"a\"}", 20000, scene_keep, NULL);
    command (self, "{\"execute\": \"b\"}", 20000, scene_keep, NULL);
    free (peer_hear (&qemu));
    await_told (self, "silence", "silent ");
    peer_say (&qemu, "{\"return\": \"a\", \"id\": \"troupe-1\"}\n");
    await_told (self, "silence", "silent heard ");
    await_told (self, "silence", "silent heard silent ");
    peer_say (&qemu, "{\"return\": \"b\", \"id\": \"troupe-2\"}\n");
    await_told (self, "silence", "silent heard silent heard ");
    auto(msg_t) reply = scene_await (self, 2);
    check_equal (scene_code (reply), 0);
    peer_close (&qemu);
}

static void scene_too_many_unanswered (actor_t *self)
{
    peer_t qemu;
    set_up (self, &qemu);
    for (int i = 0; i < MONITOR_MAX_WAITING; i += ACTOR_MAX_REQUESTS) {
        scene_reset ();
        for (int j = 0; j < ACTOR_MAX_REQUESTS; j++)
            command (self, "{\"execute\": \"a\"}", 30, scene_keep, NULL);
        auto(msg_t) last = scene_await (self, ACTOR_MAX_REQUESTS);
        check_equal (scene_code (last), ERR_OPERATION_TIMEOUT);
    }
    scene_reset ();
    command (self, "{\"execute\": \"a\"}", PATIENCE_MS, scene_keep, NULL);
    await_error (self, ERR_RESOURCE_BUSY, "QEMU has not answered 256 commands");
    peer_say (&qemu, "{\"return\": {}, \"id\": \"troupe-3\"}\n");
    peer_await_read (&qemu);
    command (self, "{\"execute\": \"b\"}", PATIENCE_MS, scene_keep, NULL);
    for (int i = 0; i < MONITOR_MAX_WAITING; i++)
        free (peer_hear (&qemu));
    autofree char *line = peer_hear (&qemu);
    check (strstr (line, "\"b\""));
    peer_close (&qemu);
}

//  Answers and events in any order, number and cut.

enum {
    ROUNDS = 40,
    COMMANDS = 24
};

static void say_in_pieces (peer_t *qemu, const char *text, unsigned *seed)
{
    size_t size = strlen (text);
    for (size_t at = 0; at < size;) {
        size_t piece = rand_r (seed) % 3 ? 1 + (size_t) rand_r (seed) % 50 : 1;
        piece = piece < size - at ? piece : size - at;
        check_equal (send (qemu->fd, text + at, piece, MSG_NOSIGNAL), (int64_t) piece);
        at += piece;
    }
}

//  What may stand between answers, and must not confuse anybody.
static void add_noise (text_t *text, unsigned long id, int *events, text_t *wanted, unsigned *seed)
{
    switch (rand_r (seed) % 7) {
    case 0:
    case 1:
        text_addf (wanted, "{\"event\": \"E\", \"data\": %d}\n", *events);
        text_addf (text, "{\"event\": \"E\", \"data\": %d}\r\n", (*events)++);
        break;
    case 2: //  a second answer
        text_addf (text, "{\"return\": \"again\", \"id\": \"troupe-%lu\"}\n", id);
        break;
    case 3:
        text_addf (text, "{\"return\": {}, \"id\": \"troupe-%lu\"}\n", id + 1000000);
        break;
    case 4:
        text_add (text, "{\"error\": {\"class\": \"GenericError\", \"desc\": \"whom?\"}}\n\r\n");
        break;
    case 5:
        text_add (text, "{\"return\": {}, \"id\": {\"a\": [1]}}\n{\"strange\": null}\n");
        break;
    default:
        break;
    }
}

static void one_round (actor_t *self, peer_t *qemu, int *events, text_t *wanted, unsigned *seed)
{
    asked_t asked[COMMANDS] = { 0 };
    unsigned long ids[COMMANDS], numbers[COMMANDS];
    for (int i = 0; i < COMMANDS; i++) {
        asked[i].number = i;
        autofree char *json = text_format ("{\"execute\": \"%d\"}", i);
        command (self, json, 20000, on_answer, &asked[i]);
    }
    for (int i = 0; i < COMMANDS; i++) {
        autofree char *line = peer_hear (qemu);
        ids[i] = number_of (line);
        numbers[i] = strtoul (line + strlen ("{\"execute\":\""), NULL, 10);
    }
    for (int left = COMMANDS; left > 0; left--) {
        int pick = (int) ((unsigned) rand_r (seed) % (unsigned) left);
        auto(text_t) text = text_new ();
        text_addf (text, "{\"return\": %lu, \"id\": \"troupe-%lu\"}\r\n", numbers[pick], ids[pick]);
        add_noise (text, ids[pick], events, wanted, seed);
        ids[pick] = ids[left - 1];
        numbers[pick] = numbers[left - 1];
        say_in_pieces (qemu, text->data, seed);
    }
    check_answers (self, asked, COMMANDS);
}

static void scene_any_order (actor_t *self)
{
    peer_t qemu;
    set_up (self, &qemu);
    auto(text_t) wanted = text_new ();
    int events = 0;
    unsigned seed = 1;
    for (int i = 0; i < ROUNDS; i++)
        one_round (self, &qemu, &events, wanted, &seed);
    peer_hang_up (&qemu);
    await_told (self, "closed", "QEMU ended");
    autofree char *got = told (self, "events");
    check_text (got, wanted->data);
    peer_close (&qemu);
}

SCENE_TEST (command_and_answer)
SCENE_TEST (refusal_is_an_answer)
SCENE_TEST (files_go_one_at_a_time)
SCENE_TEST (nobody_listens)
SCENE_TEST (ends_before_greeting)
SCENE_TEST (silent_before_greeting)
SCENE_TEST (no_qmp)
SCENE_TEST (long_path)
SCENE_TEST (early_requests)
SCENE_TEST (events_in_order_then_closed)
SCENE_TEST (waiting_requests_learn_the_cause)
SCENE_TEST (malformed_line_breaks)
SCENE_TEST (closed_on_request)
SCENE_TEST (ends_with_its_owner)
SCENE_TEST (pressure)
SCENE_TEST (silence)
SCENE_TEST (silence_is_told)
SCENE_TEST (too_many_unanswered)
SCENE_TEST (any_order)

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_command_and_answer),
        cmocka_unit_test (test_refusal_is_an_answer),
        cmocka_unit_test (test_files_go_one_at_a_time),
        cmocka_unit_test (test_nobody_listens),
        cmocka_unit_test (test_ends_before_greeting),
        cmocka_unit_test (test_silent_before_greeting),
        cmocka_unit_test (test_no_qmp),
        cmocka_unit_test (test_long_path),
        cmocka_unit_test (test_early_requests),
        cmocka_unit_test (test_events_in_order_then_closed),
        cmocka_unit_test (test_waiting_requests_learn_the_cause),
        cmocka_unit_test (test_malformed_line_breaks),
        cmocka_unit_test (test_closed_on_request),
        cmocka_unit_test (test_ends_with_its_owner),
        cmocka_unit_test (test_pressure),
        cmocka_unit_test (test_silence),
        cmocka_unit_test (test_silence_is_told),
        cmocka_unit_test (test_too_many_unanswered),
        cmocka_unit_test (test_any_order),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
