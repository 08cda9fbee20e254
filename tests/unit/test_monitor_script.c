//  test_monitor_script.c: a QEMU that follows a script: whatever it says, and however the bytes
//  arrive, no answer reaches the wrong request, and events keep their order.

#include "monitor_peer.h"

#include <errno.h>

enum {
    MAX_COMMANDS = 4
};

//  How many bytes go at once; the next ones go when the monitor has read these.
enum {
    LINES = 0,
    ALL = 1000000
};
static const size_t cuts[] = { 1, 3, LINES, ALL };

//  In scripts, ' stands for ".
typedef struct {
    const char *what;
    int commands; //  sent before QEMU speaks: troupe-1, troupe-2, ... get 1, 2, ... as answer
    const char *says, *events;
} script_t;

static const script_t scripts[] = {
    { "several answers at once", 3,
      "{'return': 1, 'id': 'troupe-1'}\r\n{'return': 2, 'id': 'troupe-2'}\r\n"
      "{'return': 3, 'id': 'troupe-3'}\r\n",
      "" },
    { "answers in another order", 3,
      "{'id': 'troupe-3', 'return': 3, 'x': 0}\n{'return': 1, 'id': 'troupe-1'}\n"
      "{'return': 2, 'id': 'troupe-2'}\n",
      "" },
    { "an answer, then an event", 1,
      "{'return': 1, 'id': 'troupe-1'}\r\n{'event': 'A', 'data': {}}\r\n",
      "{'event': 'A', 'data': {}}\n" },
    { "an event, then an answer", 1,
      "{'event': 'A', 'data': {}}\r\n{'return': 1, 'id': 'troupe-1'}\r\n",
      "{'event': 'A', 'data': {}}\n" },
    { "events between commands and answers", 2,
      "{'event': 'A'}\r\n{'event': 'B'}\r\n{'return': 2, 'id': 'troupe-2'}\r\n{'event': 'C'}\r\n"
      "{'return': 1, 'id': 'troupe-1'}\r\n{'event': 'D'}\r\n",
      "{'event': 'A'}\n{'event': 'B'}\n{'event': 'C'}\n{'event': 'D'}\n" },
    { "two answers to one command", 2,
      "{'return': 1, 'id': 'troupe-1'}\r\n{'return': 'again', 'id': 'troupe-1'}\r\n"
      "{'error': {'class': 'C', 'desc': 'again'}, 'id': 'troupe-1'}\r\n"
      "{'return': 2, 'id': 'troupe-2'}\r\n",
      "" },
    { "answers to nobody", 1,
      "{'return': 0, 'id': 'troupe-7'}\r\n{'return': 0}\r\n{'return': 0, 'id': 1}\r\n"
      "{'return': 0, 'id': '1'}\r\n{'return': 0, 'id': 'troupe-0'}\r\n"
      "{'return': 0, 'id': 'troupe-18446744073709551617'}\r\n{'return': 0, 'id': ['troupe-1']}\r\n"
      "{'error': {'class': 'C', 'desc': 'd'}}\r\n{'return': 1, 'id': 'troupe-1'}\r\n",
      "" },
    { "what looks like an answer, inside of others", 1,
      "{'event': 'A', 'data': {'return': 0, 'id': 'troupe-1'}}\r\n"
      "{'event': 'B', 'data': '{\\'return\\': 0, \\'id\\': \\'troupe-1\\'}\\r\\n'}\r\n"
      "{'return': 1, 'id': 'troupe-1'}\r\n",
      "{'event': 'A', 'data': {'return': 0, 'id': 'troupe-1'}}\n"
      "{'event': 'B', 'data': '{\\'return\\': 0, \\'id\\': \\'troupe-1\\'}\\r\\n'}\n" },
    { "objects that are nothing, and empty lines", 1,
      "{}\r\n\r\n{'QMP': {}}\r\n \n{'event': 5}\n{'return': 1, 'id': 'troupe-1'}\n\n\n", "" },
    { "characters of several bytes", 1,
      "{'event': 'A', 'data': '\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80'}\r\n"
      "{'return': 1, 'x': '\xe2\x82\xac', 'id': 'troupe-1'}\r\n",
      "{'event': 'A', 'data': '\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80'}\n" },
};

static char *quoted (const char *text)
{
    char *copy = text_copy (text);
    for (char *at = copy; *at; at++)
        if (*at == '\'')
            *at = '"';
    return copy;
}

static size_t next_cut (const char *text, size_t cut)
{
    size_t left = strlen (text), line = strcspn (text, "\n") + 1;
    if (cut == LINES)
        cut = line;
    return cut < left ? cut : left;
}

static void say_cut (peer_t *qemu, const char *text, size_t cut)
{
    while (*text) {
        size_t size = next_cut (text, cut);
        check_equal (send (qemu->fd, text, size, MSG_NOSIGNAL), (int64_t) size);
        peer_await_read (qemu);
        text += size;
    }
}

static void send_commands (actor_t *self, peer_t *qemu, asked_t *asked, int count)
{
    for (int i = 0; i < count; i++) {
        asked[i].number = i + 1;
        autofree char *json = text_format ("{\"execute\": \"%d\"}", i + 1);
        command (self, json, PATIENCE_MS, on_answer, &asked[i]);
        autofree char *line = peer_hear (qemu);
        check_equal (number_of (line), i + 1);
    }
}

//  One more command: once it is answered, whatever came before has had its effect.
static void ask_last (actor_t *self, peer_t *qemu)
{
    scene_reset ();
    command (self, "{\"execute\": \"last\"}", PATIENCE_MS, scene_keep, NULL);
    autofree char *line = peer_hear (qemu);
    autofree char *answer = text_format ("{\"return\": {\"last\": %lu}, \"id\": \"troupe-%lu\"}\n",
                                         number_of (line), number_of (line));
    peer_say (qemu, answer);
    auto(msg_t) reply = scene_await (self, 1);
    check_equal (scene_code (reply), 0);
    check (strstr (value_get_str (msg_value (reply), "json"), "\"last\""));
}

static const script_t *script;
static size_t cut;

static void scene_script (actor_t *self)
{
    peer_t qemu;
    asked_t asked[MAX_COMMANDS] = { 0 };
    set_up (self, &qemu);
    send_commands (self, &qemu, asked, script->commands);
    autofree char *says = quoted (script->says), *wanted = quoted (script->events);
    say_cut (&qemu, says, cut);
    ask_last (self, &qemu);
    check_answers (self, asked, script->commands);
    peer_hang_up (&qemu);
    await_told (self, "closed", "QEMU ended");
    autofree char *events = told (self, "events");
    check_text (events, wanted);
    peer_close (&qemu);
}

static void test_scripts (void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++)
        for (size_t j = 0; j < sizeof cuts / sizeof *cuts; j++) {
            script = &scripts[i];
            cut = cuts[j];
            print_message ("%s, %zu bytes at once\n", script->what, cut);
            scene_run (scene_script);
        }
}

//  What ends a connection: the one command that waits and the owner learn why, and get what came
//  before, and nothing of what comes after.

typedef struct {
    const char *what, *says, *events, *why;
} end_t;

#define BROKEN "it is broken: not a JSON object"
#define HALF "(end of file, in the middle of a line)"

static const end_t ends[] = {
    { "the end within an answer", "{'event': 'A'}\r\n{'return': 1, 'id': 'troupe-1'",
      "{'event': 'A'}\n", HALF },
    { "the end before an answer's line ends", "{'return': 1, 'id': 'troupe-1'}", "", HALF },
    { "the end within an event", "{'event': 'A'}\n{'eve", "{'event': 'A'}\n", HALF },
    { "the end within a character", "{'event': 'A'}\n{'event': '\xe2\x82", "{'event': 'A'}\n",
      HALF },
    { "the end between lines", "{'event': 'A'}\n\r\n", "{'event': 'A'}\n", "(end of file)" },
    { "a stray byte", "{'return': 1, 'x': '\xff', 'id': 'troupe-1'}\n{'event': 'B'}\n", "",
      BROKEN },
    { "half a character", "{'event': 'A'}\n{'event': '\xe2\x82'}\n{'event': 'B'}\n",
      "{'event': 'A'}\n", BROKEN },
    { "a character that is too long", "{'event': '\xc0\xaf'}\n{'event': 'B'}\n", "", BROKEN },
    { "half a surrogate pair", "{'event': '\xed\xa0\x80'}\n{'event': 'B'}\n", "", BROKEN },
    { "a character beyond the last", "{'event': '\xf5\x80\x80\x80'}\n{'event': 'B'}\n", "",
      BROKEN },
    { "two objects in a line", "{'return': 1, 'id': 'troupe-1'}{'event': 'B'}\n", "", BROKEN },
    { "an array", "['troupe-1']\n{'return': 1, 'id': 'troupe-1'}\n", "", BROKEN },
};

static const end_t *ending;

static void scene_end (actor_t *self)
{
    peer_t qemu;
    set_up (self, &qemu);
    scene_reset ();
    command (self, "{\"execute\": \"stop\"}", PATIENCE_MS, scene_keep, NULL);
    free (peer_hear (&qemu));
    autofree char *says = quoted (ending->says), *wanted = quoted (ending->events);
    peer_say (&qemu, says);
    if (strcmp (ending->why, BROKEN) != 0)
        peer_hang_up (&qemu);
    await_error (self, ERR_OPERATION_FAILED, ending->why);
    await_told (self, "closed", ending->why);
    autofree char *events = told (self, "events");
    check_text (events, wanted);
    peer_close (&qemu);
}

static void test_ends (void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        ending = &ends[i];
        print_message ("%s\n", ending->what);
        scene_run (scene_end);
    }
}

//  Answers after the deadline: also when it passes in the middle of them.

static void scene_late_answers (actor_t *self)
{
    peer_t qemu;
    set_up (self, &qemu);
    scene_reset ();
    command (self, "{\"execute\": \"a\"}", 50, scene_keep, NULL);
    free (peer_hear (&qemu));
    peer_say (&qemu, "{\"event\": \"A\"}\r\n{\"return\": \"late\", \"id\":");
    await_error (self, ERR_OPERATION_TIMEOUT, "within the deadline");
    asked_t asked = { .number = 2 };
    command (self, "{\"execute\": \"b\"}", PATIENCE_MS, on_answer, &asked);
    free (peer_hear (&qemu));
    say_cut (&qemu, " \"troupe-1\"}\r\n", 1);
    check_equal (asked.answers, 0);
    peer_say (&qemu, "{\"return\": \"late again\", \"id\": \"troupe-1\"}\r\n{\"event\": \"B\"}\r\n"
                     "{\"return\": 2, \"id\": \"troupe-2\"}\r\n");
    ask_last (self, &qemu);
    check_answers (self, &asked, 1);
    check_equal (scene_count (), 1);
    await_told (self, "events", "{\"event\": \"A\"}\n{\"event\": \"B\"}\n");
    peer_close (&qemu);
}

//  Lines that are too long.

enum {
    MIB = 1024 * 1024
};

//  Says a line of COUNT MiB without its end. How many MiB the monitor took before it hung up.
static int say_long (peer_t *qemu, const char *begin, int count)
{
    autofree char *mib = memory_new (MIB, 1);
    memset (mib, 'x', MIB);
    peer_say (qemu, begin);
    for (int i = 0; i < count; i++)
        for (size_t at = 0; at < MIB;) {
            ssize_t sent = send (qemu->fd, mib + at, MIB - at, MSG_NOSIGNAL);
            if (sent < 0)
                check (errno == EPIPE || errno == ECONNRESET);
            if (sent < 0)
                return i;
            at += (size_t) sent;
        }
    return count;
}

static void scene_line_of_100_mib (actor_t *self)
{
    peer_t qemu;
    set_up (self, &qemu);
    scene_reset ();
    command (self, "{\"execute\": \"stop\"}", PATIENCE_MS, scene_keep, NULL);
    free (peer_hear (&qemu));
    peer_say (&qemu, "{\"event\": \"BEFORE\"}\n");
    int took = say_long (&qemu, "{\"return\": \"", 100);
    check (took >= 16 && took < 20);
    await_error (self, ERR_OPERATION_FAILED, "a line of more than 16 MiB");
    await_told (self, "closed", "a line of more than 16 MiB");
    autofree char *events = told (self, "events");
    check_text (events, "{\"event\": \"BEFORE\"}\n");
    peer_close (&qemu);
}

//  Lines that fit, but into no message: they alone are lost, and who waited is told.
static void scene_lines_of_15_mib (actor_t *self)
{
    peer_t qemu;
    set_up (self, &qemu);
    scene_reset ();
    command (self, "{\"execute\": \"a\"}", PATIENCE_MS, scene_keep, NULL);
    free (peer_hear (&qemu));
    check_equal (say_long (&qemu, "{\"id\": \"troupe-1\", \"return\": \"", 15), 15);
    peer_say (&qemu, "\"}\r\n");
    await_error (self, ERR_OVERFLOW, "more than the");
    check_equal (say_long (&qemu, "{\"event\": \"LONG\", \"data\": \"", 15), 15);
    peer_say (&qemu, "\"}\r\n{\"event\": \"AFTER\"}\r\n");
    ask_last (self, &qemu);
    await_told (self, "events", "AFTER");
    autofree char *events = told (self, "events");
    check_text (events, "{\"event\": \"AFTER\"}\n");
    peer_close (&qemu);
}

//  A flood of events, and commands that are answered in the middle of it.

enum {
    FLOOD = 100000,
    A_COMMAND = 2500 //  one every so many events
};

static void say_some (peer_t *qemu, int from)
{
    auto(text_t) text = text_new ();
    for (int i = from; i < from + A_COMMAND; i++)
        text_addf (text, "{\"event\": \"E\", \"data\": %d}\r\n", i);
    for (size_t at = 0; at < text->size;) {
        ssize_t sent = send (qemu->fd, text->data + at, text->size - at, MSG_NOSIGNAL);
        check (sent > 0);
        at += (size_t) sent;
    }
}

static void scene_flood (actor_t *self)
{
    peer_t qemu;
    static asked_t asked[FLOOD / A_COMMAND];
    set_up (self, &qemu);
    tell_owner (self, "count");
    for (int i = 0; i < FLOOD / A_COMMAND; i++) {
        asked[i].number = i + 1;
        command (self, "{\"execute\": \"a\"}", PATIENCE_MS, on_answer, &asked[i]);
        say_some (&qemu, i * A_COMMAND);
        autofree char *line = peer_hear (&qemu);
        autofree char *answer =
            text_format ("{\"return\": %d, \"id\": \"troupe-%lu\"}\r\n", i + 1, number_of (line));
        peer_say (&qemu, answer);
    }
    check_answers (self, asked, FLOOD / A_COMMAND);
    peer_hang_up (&qemu);
    await_told (self, "closed", "QEMU ended");
    auto(msg_t) report = scene_ask (self, "owner", "report", 20000);
    check_equal (value_get_i64 (msg_value (report), "count", 0), FLOOD);
    peer_close (&qemu);
}

SCENE_TEST (late_answers)
SCENE_TEST (line_of_100_mib)
SCENE_TEST (lines_of_15_mib)
SCENE_TEST (flood)

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_scripts),         cmocka_unit_test (test_ends),
        cmocka_unit_test (test_late_answers),    cmocka_unit_test (test_line_of_100_mib),
        cmocka_unit_test (test_lines_of_15_mib), cmocka_unit_test (test_flood),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
