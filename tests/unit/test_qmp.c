//  test_qmp.c: QMP's lines, cut and read, whatever QEMU (or something else) sends.

#include "actors/monitor/qmp.h"
#include "unit.h"
#include "util/text.h"

static void lines_come_out_whole_however_they_came_in (void **state)
{
    (void) state;
    const char *sent = "{\"a\":1}\r\n\r\n  \n{\"b\":2}\n{\"c\"";
    for (size_t chunk = 1; chunk <= strlen (sent); chunk++) {
        qmp_input_t input = { 0 };
        auto(text_t) got = text_new ();
        error_t err;
        for (size_t at = 0; at < strlen (sent); at += chunk) {
            size_t left = strlen (sent) - at, size;
            assert_int_equal (qmp_input_add (&input, sent + at, left < chunk ? left : chunk, &err),
                              0);
            const char *line;
            while ((line = qmp_input_next (&input, &size))) {
                assert_int_equal (strlen (line), size);
                text_addf (got, "%s|", line);
            }
        }
        assert_string_equal (got->data, "{\"a\":1}|{\"b\":2}|");
        assert_int_equal (qmp_input_left (&input), strlen ("{\"c\""));
        qmp_input_close (&input);
    }
}

static void a_line_without_end_is_refused (void **state)
{
    (void) state;
    qmp_input_t input = { 0 };
    size_t size = 1024 * 1024, line_size;
    autofree char *chunk = memory_new (size, 1);
    memset (chunk, 'x', size);
    error_t err = { 0 };
    int count = 0;
    while (count < 100 && qmp_input_add (&input, chunk, size, &err) == 0) {
        assert_null (qmp_input_next (&input, &line_size));
        count++;
    }
    assert_int_equal (count, 16);
    assert_int_equal (err.code, ERR_OVERFLOW);
    assert_string_equal (err.message, "QEMU sent a line of more than 16 MiB");
    qmp_input_close (&input);
}

static qmp_line_t read_line (const char *line)
{
    qmp_line_t read;
    error_t err = { 0 };
    if (qmp_read (line, strlen (line), &read, &err))
        fail_msg ("%s: %s", line, err.message);
    return read;
}

static void kinds_of_lines (void **state)
{
    (void) state;
    static const struct {
        const char *line;
        qmp_kind_t kind;
    } lines[] = {
        { "{\"QMP\": {\"version\": {}, \"capabilities\": [\"oob\"]}}", QMP_GREETING },
        { "{\"return\": {}, \"id\": \"troupe-7\"}", QMP_RETURN },
        { "{\"return\": [18446744073709551615], \"id\": \"troupe-7\"}", QMP_RETURN },
        { "{\"error\": {\"class\": \"A\", \"desc\": \"b\"}}", QMP_ERROR },
        { "{\"event\": \"STOP\", \"timestamp\": {}}", QMP_EVENT },
        { "{\"event\": \"X\", \"data\": {\"name\": \"a\\u0000b\"}}", QMP_EVENT },
        { "{\"event\": 5}", QMP_OTHER },
        { "{}", QMP_OTHER },
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_int_equal (read_line (lines[i].line).kind, lines[i].kind);
    assert_string_equal (read_line (lines[4].line).event, "STOP");
    assert_string_equal (read_line (lines[3].line).desc, "A: b");
}

static void only_our_ids_are_ids (void **state)
{
    (void) state;
    assert_int_equal (read_line ("{\"return\":1,\"id\":\"troupe-12\"}").id, 12);
    static const char *const others[] = {
        "{\"return\":1}",
        "{\"return\":1,\"id\":12}",
        "{\"return\":1,\"id\":\"12\"}",
        "{\"return\":1,\"id\":\"troupe-\"}",
        "{\"return\":1,\"id\":\"troupe--1\"}",
        "{\"return\":1,\"id\":\"troupe-99999999999999999999999\"}",
        "{\"return\":1,\"id\":{\"troupe-1\":1}}",
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_true (read_line (others[i]).id == UINT64_MAX);
}

static void what_is_no_object_is_refused (void **state)
{
    (void) state;
    autofree char *deep = memory_new (200001, 1);
    memset (deep, '[', 200000);
    const char *const lines[] = {
        "",        "{",        "[]",           "5",    "{\"a\":1}x",         "null",
        "{'a':1}", "{\"a\":}", "{\"\xff\":1}", "\x01", "{\"a\":1}{\"b\":1}", deep
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        qmp_line_t read;
        error_t err = { 0 };
        assert_int_equal (qmp_read (lines[i], strlen (lines[i]), &read, &err), -1);
        assert_non_null (strstr (err.message, "not a JSON object"));
    }
    qmp_line_t read;
    error_t err;
    assert_int_equal (qmp_read ("{\"a\":1}\0", 8, &read, &err), -1);
}

static void no_change_of_a_line_does_harm (void **state)
{
    (void) state;
    const char *line = "{\"return\": {\"a\": [1, -2.5e3, \"x\\u00e9\\\"y\", null, true]}, \"id\": "
                       "\"troupe-3\", \"timestamp\": {\"seconds\": 18446744073709551615}}";
    unsigned seed = 7;
    for (int round = 0; round < 20000; round++) {
        autofree char *changed = text_copy (line);
        size_t size = strlen (line);
        for (int i = rand_r (&seed) % 4; i >= 0; i--)
            changed[(size_t) rand_r (&seed) % size] = (char) (rand_r (&seed) % 256);
        size -= (size_t) rand_r (&seed) % 8;
        qmp_line_t read;
        error_t err;
        qmp_read (changed, size, &read, &err);
        json_decref (qmp_result (changed, "QEMU", "x", &err));
    }
}

static void commands_get_their_number (void **state)
{
    (void) state;
    error_t err = { 0 };
    autofree char *line =
        qmp_command ("{ \"execute\": \"eject\",\n\"arguments\": {\"id\": \"cd\"} }", 9, &err);
    assert_string_equal (
        line, "{\"execute\":\"eject\",\"arguments\":{\"id\":\"cd\"},\"id\":\"troupe-9\"}\n");
}

static void what_is_no_command_is_refused (void **state)
{
    (void) state;
    static const struct {
        const char *command, *why;
    } commands[] = {
        { "query-status", "QMP command: not a JSON object" },
        { "{}", "QMP command: one of 'execute' and 'exec-oob'" },
        { "{\"execute\": 1}", "QMP command: one of 'execute' and 'exec-oob'" },
        { "{\"execute\":\"a\",\"exec-oob\":\"a\"}", "QMP command: one of" },
        { "{\"execute\":\"a\",\"id\":1}", "QMP command: leave 'id' out" },
        { "{\"execute\":\"a\",\"args\":1}", "QMP command: unknown member 'args'" },
    };
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        error_t err = { 0 };
        assert_null (qmp_command (commands[i].command, 1, &err));
        assert_int_equal (err.code, ERR_INVALID_ARG);
        assert_ptr_equal (strstr (err.message, commands[i].why), err.message);
    }
}

static void results (void **state)
{
    (void) state;
    error_t err = { 0 };
    json_t *result = qmp_result ("{\"return\": {\"unknown\": 18446744073709551615, \"real\": "
                                 "99999999999999999999.5, \"text\": \"18446744073709551615\\\"\", "
                                 "\"most\": 9223372036854775807}}",
                                 "QEMU", "query-x", &err);
    assert_non_null (result);
    assert_true (json_integer_value (json_object_get (result, "unknown")) == INT64_MAX);
    assert_true (json_integer_value (json_object_get (result, "most")) == INT64_MAX);
    assert_true (json_real_value (json_object_get (result, "real")) > 9e19);
    assert_string_equal (json_string_value (json_object_get (result, "text")),
                         "18446744073709551615\"");
    json_decref (result);
    assert_null (qmp_result ("{\"error\":{\"class\":\"GenericError\",\"desc\":\"No medium\"}}",
                             "QEMU", "eject", &err));
    assert_int_equal (err.code, ERR_OPERATION_FAILED);
    assert_string_equal (err.message, "QEMU refused eject: GenericError: No medium");
    assert_null (qmp_result ("{}", "QEMU", "eject", &err));
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (lines_come_out_whole_however_they_came_in),
        cmocka_unit_test (a_line_without_end_is_refused),
        cmocka_unit_test (kinds_of_lines),
        cmocka_unit_test (only_our_ids_are_ids),
        cmocka_unit_test (what_is_no_object_is_refused),
        cmocka_unit_test (no_change_of_a_line_does_harm),
        cmocka_unit_test (commands_get_their_number),
        cmocka_unit_test (what_is_no_command_is_refused),
        cmocka_unit_test (results),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
