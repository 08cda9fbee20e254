//  test_agent.c: one guest agent's connection. The test is the agent, and not always a good one.

#include "actors/monitor/agent.h"

#include "peer.h"

#include <errno.h>
#include <fcntl.h>

#define AGENT "agent/1"
#define PING "{\"execute\": \"guest-ping\"}"

static void spawn (actor_t *self, const peer_t *peer, const char *port)
{
    scene_reset ();
    msg_t *args = msg_request ("start");
    pack_key_str (msg_args (args), "path", peer->path);
    pack_key_str (msg_args (args), "owner", "root");
    pack_key_str (msg_args (args), "port", port);
    actor_spawn (self, AGENT, &agent_class, &args, false, 20000, scene_keep, NULL);
    auto(msg_t) started = scene_await (self, 1);
    check_equal (scene_code (started), 0);
}

static void set_up (actor_t *self, peer_t *peer)
{
    peer_listen (peer);
    spawn (self, peer, "open");
    peer_accept (peer);
    scene_reset ();
}

typedef enum {
    PLAIN,
    ENDS,
    SLEEPS,
    UNHEARD
} how_t;

static void ask_how (actor_t *self, const char *json, int ms, how_t how)
{
    msg_t *request = msg_request ("agent");
    pack_key_str (msg_args (request), "command", json);
    pack_key_i64 (msg_args (request), "ms", ms);
    pack_key_bool (msg_args (request), "ends", how == ENDS);
    pack_key_bool (msg_args (request), "sleeps", how == SLEEPS);
    pack_key_bool (msg_args (request), "unheard", how == UNHEARD);
    actor_request (self, AGENT, &request, ms + 10000, scene_keep, NULL);
}

static void ask (actor_t *self, const char *json, int ms)
{
    ask_how (self, json, ms, PLAIN);
}

static void tell_port (actor_t *self, bool open)
{
    msg_t *msg = msg_request ("agent.port");
    pack_key_bool (msg_args (msg), "open", open);
    actor_send (self, AGENT, &msg);
}

static void tell_sleep (actor_t *self)
{
    msg_t *msg = msg_request ("agent.asleep");
    actor_send (self, AGENT, &msg);
}

static void await_error (actor_t *self, int count, int code, const char *words)
{
    auto(msg_t) answer = scene_await (self, count);
    error_t err = { 0 };
    check (msg_failed (answer, &err));
    if (!strstr (err.message, words))
        fprintf (stderr, "got: %s\n", err.message);
    check_equal (err.code, code);
    check (strstr (err.message, words));
}

static void await_answer (actor_t *self, int count, const char *words)
{
    auto(msg_t) answer = scene_await (self, count);
    error_t err = { 0 };
    if (msg_failed (answer, &err))
        fprintf (stderr, "got: %s\n", err.message);
    check_equal (scene_code (answer), 0);
    check (strstr (value_get_str (msg_value (answer), "json"), words));
}

static unsigned long number_after (const char *text, const char *key)
{
    const char *at = strstr (text, key);
    check (at);
    return strtoul (at + strlen (key), NULL, 10);
}

//  The number of a guest-sync-delimited that comes next.
static unsigned long hear_sync (peer_t *peer)
{
    autofree char *line = peer_hear (peer);
    check (line[0] == '\xff' && strstr (line, "\"guest-sync-delimited\""));
    return number_after (line, "\"arguments\":{\"id\":");
}

static void say_synced (peer_t *peer, unsigned long number)
{
    autofree char *answer = text_format ("\xff{\"return\": %lu}\n", number);
    peer_say (peer, answer);
}

static void answer_sync (peer_t *peer)
{
    say_synced (peer, hear_sync (peer));
}

//  What comes next, but for syncs, which are answered: one that is answered late comes again.
static char *hear_other (peer_t *peer)
{
    for (;;) {
        char *line = peer_hear (peer);
        if (!strstr (line, "guest-sync-delimited"))
            return line;
        say_synced (peer, number_after (line, "\"arguments\":{\"id\":"));
        free (line);
    }
}

//  The id of a command that comes next, which has WORDS in it.
static unsigned long hear_command (peer_t *peer, const char *words)
{
    autofree char *line = hear_other (peer);
    if (!strstr (line, words))
        fprintf (stderr, "heard: %s\n", line);
    check (strstr (line, words));
    return number_after (line, "\"id\":\"troupe-");
}

static void say_answer (peer_t *peer, unsigned long id, const char *value)
{
    autofree char *answer = text_format ("{\"return\": %s, \"id\": \"troupe-%lu\"}\n", value, id);
    peer_say (peer, answer);
}

//  Scenes: in order.

static void scene_sync_once (actor_t *self)
{
    peer_t peer;
    set_up (self, &peer);
    ask (self, PING, 60000);
    answer_sync (&peer);
    say_answer (&peer, hear_command (&peer, "guest-ping"), "1");
    await_answer (self, 1, "\"return\": 1");
    ask (self, "{\"execute\": \"guest-info\"}", 60000);
    unsigned long id = hear_command (&peer, "guest-info");
    autofree char *answer = text_format (
        "{\"error\": {\"class\": \"C\", \"desc\": \"d\"}, \"id\": \"troupe-%lu\"}\n", id);
    peer_say (&peer, answer);
    await_answer (self, 2, "\"desc\": \"d\""); //  a refusal is an answer
    peer_close (&peer);
}

static void scene_one_at_a_time (actor_t *self)
{
    peer_t peer;
    set_up (self, &peer);
    ask (self, "{\"execute\": \"a\"}", 60000);
    ask (self, "{\"execute\": \"b\"}", 60000);
    answer_sync (&peer);
    unsigned long id = hear_command (&peer, "\"a\"");
    scene_pass (self, 30);
    check_equal (recv (peer.fd, &(char){ 0 }, 1, MSG_DONTWAIT), -1);
    say_answer (&peer, id, "1");
    say_answer (&peer, hear_command (&peer, "\"b\""), "2");
    await_answer (self, 2, "2");
    peer_close (&peer);
}

static void scene_split_bytes (actor_t *self)
{
    peer_t peer;
    set_up (self, &peer);
    ask (self, PING, 60000);
    autofree char *answer = text_format ("\xff{\"return\": %lu}\n", hear_sync (&peer));
    for (const char *at = answer; *at; at++) {
        check_equal (send (peer.fd, at, 1, MSG_NOSIGNAL), 1);
        scene_pass (self, 1);
    }
    say_answer (&peer, hear_command (&peer, "guest-ping"), "{}");
    await_answer (self, 1, "{}");
    peer_close (&peer);
}

//  Scenes: what an agent, or somebody before us, may have said.

static void scene_garbage_before_sync (actor_t *self)
{
    peer_t peer;
    set_up (self, &peer);
    peer_say (&peer, "{\"return\": \"stale\", \"id\": \"troupe-2\"}\nhalf a li");
    ask (self, PING, 60000);
    unsigned long number = hear_sync (&peer);
    //  The agent's parser met the byte 0xFF, and somebody's sync is answered as well.
    peer_say (&peer,
              "{\"error\": {\"class\": \"GenericError\", \"desc\": \"JSON parse error\"}}\n");
    peer_say (&peer, "\x01\xfe\xff{\"return\": 5}\n{\"return\": 7}\nmore of ha");
    say_synced (&peer, number);
    say_answer (&peer, hear_command (&peer, "guest-ping"), "\"mine\"");
    await_answer (self, 1, "\"mine\"");
    peer_close (&peer);
}

static void scene_wrong_ids (actor_t *self)
{
    peer_t peer;
    set_up (self, &peer);
    ask (self, PING, 60000);
    answer_sync (&peer);
    unsigned long id = hear_command (&peer, "guest-ping");
    peer_say (&peer, "{\"return\": \"x\", \"id\": 7}\n{\"return\": \"x\", \"id\": \"other\"}\n");
    say_answer (&peer, id - 1, "\"x\"");
    say_answer (&peer, id + 1, "\"x\"");
    peer_say (&peer, "{\"event\": \"X\"}\n\n{\"strange\": 1}\n");
    say_answer (&peer, id, "\"mine\"");
    await_answer (self, 1, "\"mine\"");
    //  A second answer is there before the next command: nobody can tell what it is to.
    say_answer (&peer, id, "\"again\"");
    peer_say (&peer, "{\"return\": \"without an id\"}\n");
    ask (self, PING, 60000);
    answer_sync (&peer);
    say_answer (&peer, hear_command (&peer, "guest-ping"), "\"next\"");
    await_answer (self, 2, "\"next\"");
    peer_close (&peer);
}

//  The next command is sent as soon as it is asked.
static void get_in_sync (actor_t *self, peer_t *peer)
{
    ask (self, PING, 60000);
    say_answer (peer, hear_command (peer, "guest-ping"), "{}");
    await_answer (self, 1, "{}");
}

static void scene_late_answer (actor_t *self)
{
    peer_t peer;
    set_up (self, &peer);
    get_in_sync (self, &peer);
    ask (self, "{\"execute\": \"slow\"}", 2000);
    unsigned long id = hear_command (&peer, "slow");
    await_error (self, 2, ERR_AGENT_COMMAND_TIMEOUT, "did not answer the command within 2000 ms");
    ask (self, "{\"execute\": \"next\"}", 60000);
    unsigned long number = hear_sync (&peer);
    say_answer (&peer, id, "\"late\"");
    say_synced (&peer, number);
    say_answer (&peer, hear_command (&peer, "next"), "\"next\"");
    await_answer (self, 3, "\"next\"");
    peer_close (&peer);
}

static void scene_nonsense (actor_t *self)
{
    peer_t peer;
    set_up (self, &peer);
    ask (self, PING, 60000);
    answer_sync (&peer);
    hear_command (&peer, "guest-ping");
    peer_say (&peer, "{\"return\": \xfe\xfe}\n");
    await_error (self, 1, ERR_AGENT_UNSYNCED, "makes no sense: not a JSON object");
    ask (self, PING, 60000);
    answer_sync (&peer);
    say_answer (&peer, hear_command (&peer, "guest-ping"), "1");
    await_answer (self, 2, "1");
    peer_close (&peer);
}

static void say_much (peer_t *peer, size_t bytes, const char *piece)
{
    auto(text_t) text = text_new ();
    while (text->size < 64 * 1024)
        text_add (text, piece);
    for (size_t sent = 0; sent < bytes; sent += text->size)
        peer_say (peer, text->data);
}

//  Until COUNT answers have come: then nobody reads it any more.
static void say_until_answered (actor_t *self, peer_t *peer, const char *text, int count)
{
    while (scene_count () < count)
        if (send (peer->fd, text, strlen (text), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
            scene_pass (self, 1);
}

static void scene_endless_line (actor_t *self)
{
    peer_t peer;
    set_up (self, &peer);
    ask (self, PING, 60000);
    answer_sync (&peer);
    hear_command (&peer, "guest-ping");
    autofree char *piece = memory_new (64 * 1024 + 1, 1);
    memset (piece, '.', 64 * 1024);
    say_until_answered (self, &peer, piece, 1);
    await_error (self, 1, ERR_AGENT_UNSYNCED, "a line of more than 16 MiB");
    ask (self, PING, 60000);
    unsigned long number = hear_sync (&peer);
    say_much (&peer, 1024 * 1024, "..........");
    say_synced (&peer, number);
    say_answer (&peer, hear_command (&peer, "guest-ping"), "1");
    await_answer (self, 2, "1");
    peer_close (&peer);
}

static void scene_flood (actor_t *self)
{
    peer_t peer;
    set_up (self, &peer);
    ask (self, PING, 60000);
    unsigned long number = hear_sync (&peer);
    say_much (&peer, 512 * 1024, "{\"return\": {}}\n");
    say_synced (&peer, number);
    unsigned long id = hear_command (&peer, "guest-ping");
    say_much (&peer, 4 * 1024 * 1024, "{\"return\": {}, \"id\": \"x\"}\n");
    say_answer (&peer, id, "1");
    await_answer (self, 1, "1");
    //  Nobody asks anything: it stays in the socket, and in the guest.
    check_equal (fcntl (peer.fd, F_SETFL, O_NONBLOCK), 0);
    size_t taken = 0;
    for (int quiet = 0; quiet < 20;) {
        ssize_t count = send (peer.fd, "flood\n", 6, MSG_NOSIGNAL);
        taken += count > 0 ? (size_t) count : 0;
        quiet = count > 0 ? 0 : quiet + 1;
        if (count < 0)
            scene_pass (self, 5);
        check (taken < 4 * 1024 * 1024);
    }
    peer_close (&peer);
}

static void scene_old_agent (actor_t *self)
{
    peer_t peer;
    set_up (self, &peer);
    ask (self, PING, 60000);
    hear_sync (&peer);
    peer_say (&peer,
              "{\"error\": {\"class\": \"GenericError\", \"desc\": \"QMP input member 'id' is "
              "unexpected\"}}\n");
    autofree char *sync = peer_hear (&peer);
    check (!strstr (sync, "troupe-"));
    say_synced (&peer, number_after (sync, "\"arguments\":{\"id\":"));
    autofree char *command = hear_other (&peer);
    check_text (command, "{\"execute\":\"guest-ping\"}");
    peer_say (&peer, "{\"return\": 1}\n");
    await_answer (self, 1, "1");
    peer_close (&peer);
}

//  Scenes: an agent that is not there.

//  Everybody fails when their own time is over, and the agent is not buried in questions.
static void scene_silence (actor_t *self)
{
    peer_t peer;
    set_up (self, &peer);
    for (int i = 0; i < 20; i++) {
        ask (self, PING, 10);
        await_error (self, i + 1, ERR_AGENT_UNRESPONSIVE,
                     "did not get to the command within 10 ms");
    }
    ask (self, PING, 24 * 3600000);
    ask (self, PING, 24 * 3600000);
    await_error (self, 22, ERR_AGENT_UNRESPONSIVE, "said nothing of use for 5000 ms");
    //  It comes back.
    scene_reset ();
    ask (self, "{\"execute\": \"back\"}", 60000);
    say_answer (&peer, hear_command (&peer, "back"), "1");
    await_answer (self, 1, "1");
    peer_close (&peer);
}

//  It takes nothing at all: what is not written is not kept.
static void scene_deaf (actor_t *self)
{
    peer_t peer;
    set_up (self, &peer);
    autofree char *pad = memory_new (1000001, 1);
    memset (pad, '.', 1000000);
    autofree char *big = text_format ("{\"execute\": \"%s\"}", pad);
    get_in_sync (self, &peer);
    ask (self, big, 2000);
    await_error (self, 2, ERR_AGENT_COMMAND_TIMEOUT, "did not answer the command");
    ask (self, "{\"execute\": \"next\"}", 60000);
    autofree char *line = peer_hear (&peer); //  as far as it was written, then the sync
    const char *sync = strchr (line, '\xff');
    check (sync && sync - line < 1000000);
    say_synced (&peer, number_after (sync, "\"arguments\":{\"id\":"));
    say_answer (&peer, hear_command (&peer, "next"), "1");
    await_answer (self, 3, "1");
    peer_close (&peer);
}

static void scene_end_of_file (actor_t *self)
{
    peer_t peer;
    set_up (self, &peer);
    ask (self, PING, 60000);
    ask (self, "{\"execute\": \"next\"}", 60000);
    answer_sync (&peer);
    hear_command (&peer, "guest-ping");
    peer_say (&peer, "{\"ret");
    peer_hang_up (&peer);
    await_error (self, 1, ERR_AGENT_UNRESPONSIVE, "channel was closed (end of file)");
    //  The one behind it is sent over a new connection.
    peer_accept (&peer);
    answer_sync (&peer);
    say_answer (&peer, hear_command (&peer, "next"), "1");
    await_answer (self, 2, "1");
    peer_close (&peer);
}

static void scene_nobody_listens (actor_t *self)
{
    peer_t peer;
    peer_listen (&peer);
    peer_close (&peer);
    spawn (self, &peer, "");
    scene_reset ();
    ask (self, PING, 300);
    await_error (self, 1, ERR_AGENT_UNRESPONSIVE, "did not get to the command within 300 ms");
}

static void scene_port (actor_t *self)
{
    peer_t peer;
    peer_listen (&peer);
    spawn (self, &peer, "closed");
    scene_reset ();
    ask (self, PING, 60000);
    await_error (self, 1, ERR_AGENT_UNRESPONSIVE, "not connected");
    tell_port (self, true);
    peer_accept (&peer);
    ask (self, "{\"execute\": \"a\"}", 60000);
    ask (self, "{\"execute\": \"b\"}", 60000);
    answer_sync (&peer);
    hear_command (&peer, "\"a\"");
    tell_port (self, false);
    await_error (self, 3, ERR_AGENT_UNRESPONSIVE, "the guest closed its channel");
    //  What the one that left has not read is not for the next.
    check_equal (read (peer.fd, &(char){ 0 }, 1), 0);
    peer_hang_up (&peer);
    tell_port (self, true);
    peer_accept (&peer);
    ask (self, "{\"execute\": \"c\"}", 60000);
    answer_sync (&peer);
    say_answer (&peer, hear_command (&peer, "\"c\""), "3");
    await_answer (self, 4, "3");
    peer_close (&peer);
}

//  A guest that shuts down answers nothing: that its agent goes says enough.
static void scene_ends (actor_t *self)
{
    peer_t peer;
    set_up (self, &peer);
    ask_how (self, "{\"execute\": \"guest-shutdown\"}", 60000, ENDS);
    answer_sync (&peer);
    hear_command (&peer, "guest-shutdown");
    tell_port (self, false);
    await_answer (self, 1, "return");
    peer_hang_up (&peer);
    tell_port (self, true);
    peer_accept (&peer);
    //  Not so before it was told.
    ask_how (self, "{\"execute\": \"guest-shutdown\"}", 60000, ENDS);
    hear_sync (&peer);
    tell_port (self, false);
    await_error (self, 2, ERR_AGENT_UNRESPONSIVE, "closed its channel");
    peer_close (&peer);
}

static void scene_sleeps (actor_t *self)
{
    peer_t peer;
    set_up (self, &peer);
    ask_how (self, "{\"execute\": \"guest-suspend-ram\"}", 60000, SLEEPS);
    answer_sync (&peer);
    hear_command (&peer, "guest-suspend-ram");
    tell_sleep (self);
    await_answer (self, 1, "return");
    //  What was asked for something else is still waited for, and in sync.
    ask (self, PING, 60000);
    unsigned long id = hear_command (&peer, "guest-ping");
    tell_sleep (self);
    say_answer (&peer, id, "2");
    await_answer (self, 2, "\"return\": 2");
    //  An agent that goes instead has not done it.
    ask_how (self, "{\"execute\": \"guest-suspend-ram\"}", 5000, SLEEPS);
    hear_command (&peer, "guest-suspend-ram");
    tell_port (self, false);
    await_error (self, 3, ERR_AGENT_UNRESPONSIVE, "did not go to sleep");
    //  But guests close it as they fall asleep. Others do not wait for that.
    peer_hang_up (&peer);
    tell_port (self, true);
    peer_accept (&peer);
    ask_how (self, "{\"execute\": \"guest-suspend-ram\"}", 60000, SLEEPS);
    answer_sync (&peer);
    hear_command (&peer, "guest-suspend-ram");
    ask (self, PING, 60000);
    tell_port (self, false);
    await_error (self, 4, ERR_AGENT_UNRESPONSIVE, "closed its channel");
    tell_sleep (self);
    await_answer (self, 5, "return");
    peer_close (&peer);
}

static void scene_unheard (actor_t *self)
{
    peer_t peer;
    set_up (self, &peer);
    ask_how (self, "{\"execute\": \"a\"}", 5000, UNHEARD);
    answer_sync (&peer);
    unsigned long id = hear_command (&peer, "\"a\"");
    await_answer (self, 1, "{}");
    ask (self, "{\"execute\": \"b\"}", 60000);
    unsigned long number = hear_sync (&peer);
    say_answer (&peer, id, "\"of a\"");
    say_synced (&peer, number);
    say_answer (&peer, hear_command (&peer, "\"b\""), "\"of b\"");
    await_answer (self, 2, "\"of b\"");
    peer_close (&peer);
}

static void scene_closed (actor_t *self)
{
    peer_t peer;
    set_up (self, &peer);
    ask (self, "{\"execute\": \"a\"}", 60000);
    answer_sync (&peer);
    hear_command (&peer, "\"a\"");
    auto(msg_t) closed = scene_ask (self, AGENT, "agent.close", 60000);
    check_equal (scene_code (closed), 0);
    await_error (self, 1, ERR_AGENT_UNRESPONSIVE, "the guest is over");
    peer_close (&peer);
}

static void scene_too_many (actor_t *self)
{
    peer_t peer;
    set_up (self, &peer);
    for (int i = 0; i <= AGENT_MAX_CALLS; i++) {
        msg_t *request = msg_request ("agent");
        pack_key_str (msg_args (request), "command", PING);
        pack_key_i64 (msg_args (request), "ms", 60000);
        msg_header (request)->flags |= MSG_NESTED;
        actor_request (self, AGENT, &request, 60000, scene_keep, NULL);
    }
    await_error (self, 1, ERR_RESOURCE_BUSY, "wait for the guest agent already");
    peer_close (&peer);
}

SCENE_TEST (sync_once)
SCENE_TEST (one_at_a_time)
SCENE_TEST (split_bytes)
SCENE_TEST (garbage_before_sync)
SCENE_TEST (wrong_ids)
SCENE_TEST (late_answer)
SCENE_TEST (nonsense)
SCENE_TEST (endless_line)
SCENE_TEST (flood)
SCENE_TEST (old_agent)
SCENE_TEST (silence)
SCENE_TEST (deaf)
SCENE_TEST (end_of_file)
SCENE_TEST (nobody_listens)
SCENE_TEST (port)
SCENE_TEST (ends)
SCENE_TEST (sleeps)
SCENE_TEST (unheard)
SCENE_TEST (closed)
SCENE_TEST (too_many)

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_sync_once),   cmocka_unit_test (test_one_at_a_time),
        cmocka_unit_test (test_split_bytes), cmocka_unit_test (test_garbage_before_sync),
        cmocka_unit_test (test_wrong_ids),   cmocka_unit_test (test_late_answer),
        cmocka_unit_test (test_nonsense),    cmocka_unit_test (test_endless_line),
        cmocka_unit_test (test_flood),       cmocka_unit_test (test_old_agent),
        cmocka_unit_test (test_silence),     cmocka_unit_test (test_deaf),
        cmocka_unit_test (test_end_of_file), cmocka_unit_test (test_nobody_listens),
        cmocka_unit_test (test_port),        cmocka_unit_test (test_ends),
        cmocka_unit_test (test_sleeps),      cmocka_unit_test (test_unheard),
        cmocka_unit_test (test_closed),      cmocka_unit_test (test_too_many),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
