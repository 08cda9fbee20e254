//  test_options.c: how command lines are understood.

#include "cli/options.h"
#include "folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define MAX_WORDS 16

//  Parses LINE, whose words are parted by one space each ("_" stands for a space inside a word).
static options_t *parse (cli_t *cli, const char *line, error_t *err)
{
    static command_t command; //  the options point at it
    char *copy = text_copy (line);
    const char *words[MAX_WORDS];
    size_t count = 0;
    for (char *word = strtok (copy, " "); word; word = strtok (NULL, " ")) {
        for (char *c = word; *c; c++)
            *c = *c == '_' ? ' ' : *c;
        words[count++] = word;
    }
    assert_true (command_find (words[0], &command));
    options_t *options = options_parse (cli, &command, count - 1, words + 1, err);
    free (copy);
    return options;
}

static void assert_same (const char *line)
{
    cli_t cli = { 0 };
    error_t err;
    auto(options_t) options = parse (&cli, line, &err);
    assert_non_null (options);
    assert_string_equal (options_str (options, "domain"), "web1");
    assert_true (options_flag (options, "paused"));
    assert_false (options_flag (options, "console"));
}

static void test_ways_to_say_the_same (void **state)
{
    (void) state;
    assert_same ("start web1 --paused");
    assert_same ("start --paused web1");
    assert_same ("start --domain web1 --paused");
    assert_same ("start --paused --domain=web1");
    assert_same ("domain.create web1 --paused");
}

static void assert_refused (const char *line, const char *message)
{
    cli_t cli = { 0 };
    error_t err = { 0 };
    auto(options_t) options = parse (&cli, line, &err);
    assert_null (options);
    assert_true (cli.usage);
    if (!strstr (err.message, message))
        fail_msg ("'%s': %s", line, err.message);
}

static void test_refused (void **state)
{
    (void) state;
    assert_refused ("start", "<domain> is missing");
    assert_refused ("start web1 web2", "'web2' is one word too many");
    assert_refused ("start --nosuch web1", "there is no option '--nosuch'");
    assert_refused ("start -x web1", "there is no option '-x'");
    assert_refused ("start web1 --domain web2", "--domain is given twice");
    assert_refused ("start web1 --paused=yes", "a flag and takes no value");
    assert_refused ("start --domain", "its value is missing");
    assert_refused ("shutdown web1 --mode gently", "it may be one of acpi|agent");
    assert_refused ("trace --count many", "is no whole number");
    assert_refused ("start \xff", "no text in UTF-8");
    assert_refused ("start web1 --output yaml", "it has to be table or json");
    assert_refused ("start web1 --timeout 0", "a number of seconds");
}

static void test_rest_of_the_line (void **state)
{
    (void) state;
    cli_t cli = { 0 };
    error_t err;
    auto(options_t) options = parse (&cli, "desc web1 --title a new_title --live", &err);
    assert_non_null (options);
    assert_string_equal (options_str (options, "new_desc"), "a new title");
    assert_true (options_flag (options, "title"));
    assert_true (options_flag (options, "live"));
    auto(options_t) text = parse (&cli, "desc web1 -- a --live b", &err);
    assert_non_null (text);
    assert_string_equal (options_str (text, "new_desc"), "a --live b");
    assert_false (options_flag (text, "live"));
    auto(options_t) human = parse (&cli, "qemu-monitor-command --hmp web1 info registers -a", &err);
    assert_non_null (human);
    assert_string_equal (options_str (human, "cmd"), "info registers -a");
    assert_refused ("desc web1 a --nothing", "no option '--nothing'");
}

static void test_words_after_two_dashes_are_no_options (void **state)
{
    (void) state;
    cli_t cli = { 0 };
    error_t err;
    auto(options_t) options = parse (&cli, "domrename web1 -- --odd", &err);
    assert_non_null (options);
    assert_string_equal (options_str (options, "new_name"), "--odd");
}

static void test_global_options_may_follow (void **state)
{
    (void) state;
    cli_t cli = { 0 };
    error_t err;
    auto(options_t) options = parse (&cli, "list --all --output json -q --timeout=3", &err);
    assert_non_null (options);
    assert_true (cli.json);
    assert_true (cli.quiet);
    assert_int_equal (cli.timeout_ms, 3000);
    //  A command's own option of the same name is meant first.
    cli = (cli_t){ 0 };
    auto(options_t) event = parse (&cli, "event --all --timeout 3", &err);
    assert_non_null (event);
    assert_int_equal (cli.timeout_ms, 0);
    assert_int_equal (options_u64 (event, "timeout", 0), 3);
}

static void test_a_file_that_is_no_text (void **state)
{
    (void) state;
    char path[UNIT_PATH_SIZE];
    int fd = unit_new_file (path);
    assert_int_equal (write (fd, "<domain>\0</domain>", 18), 18);
    close (fd);
    autofree char *line = text_format ("define %s", path);
    for (char *c = line; *c; c++)
        assert_int_not_equal (*c, '_');
    cli_t cli = { 0 };
    error_t err = { 0 };
    auto(options_t) options = parse (&cli, line, &err);
    assert_non_null (options);
    assert_null (options_args (options, &err));
    assert_non_null (strstr (err.message, "no text in UTF-8"));
    unlink (path);
    assert_null (options_args (options, &err));
    assert_int_equal (err.code, ERR_OPEN_FAILED);
}

//  Every verb can be called, and every command names a verb that exists or has a function.
static void test_tables_fit_together (void **state)
{
    (void) state;
    command_t command;
    size_t count = 0;
    for (; command_at (count, &command); count++) {
        if (command.verb_name)
            assert_non_null (command.verb);
        assert_true (command.run || command.verb);
        assert_true (strlen (command_help (&command)) > 0);
        for (size_t i = 0; command_arg (&command, i); i++)
            assert_true (i < OPTIONS_MAX);
    }
    for (const verb_t *verb = verbs; verb->name; verb++) {
        assert_true (command_find (verb->name, &command));
        assert_true (!verb->command || command_find (verb->command, &command));
    }
    assert_false (command_find ("nosuch", &command));
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_ways_to_say_the_same),
        cmocka_unit_test (test_refused),
        cmocka_unit_test (test_rest_of_the_line),
        cmocka_unit_test (test_words_after_two_dashes_are_no_options),
        cmocka_unit_test (test_global_options_may_follow),
        cmocka_unit_test (test_a_file_that_is_no_text),
        cmocka_unit_test (test_tables_fit_together),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
