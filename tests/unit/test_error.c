//  test_error.c: messages are one line of UTF-8, whatever they quote.

#include "unit.h"
#include "util/error.h"

static void makes_one_line_of_anything (void **state)
{
    (void) state;
    static const struct {
        const char *from, *to;
    } lines[] = {
        { "a\nb\tc\x7f d \r\n", "a b c  d" },
        { "na\xc3\xafve \xe2\x82\xac \xf0\x9f\x98\x80",
          "na\xc3\xafve \xe2\x82\xac \xf0\x9f\x98\x80" },
        { "caf\xe9", "caf?" },                        //  Latin-1
        { "cut \xe2\x82", "cut ??" },                 //  in the middle of a character
        { "\xc0\xaf \xed\xa0\x80 \xff", "?? ??? ?" }, //  overlong, surrogate, no byte of UTF-8
        { "  ", "" },
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char text[64];
        snprintf (text, sizeof text, "%s", lines[i].from);
        error_one_line (text);
        assert_string_equal (text, lines[i].to);
    }
}

static void a_message_is_cut_between_characters (void **state)
{
    (void) state;
    char name[2000];
    for (size_t i = 0; i + 1 < sizeof name; i++)
        name[i] = i % 2 ? '\xbc' : '\xc3';
    name[sizeof name - 1] = 0;
    error_t err;
    assert_int_equal (error_set (&err, ERR_NO_DOMAIN, "-%s", name), -1);
    assert_int_equal (err.code, ERR_NO_DOMAIN);
    assert_int_equal (strlen (err.message), ERROR_MESSAGE_MAX - 1);
    assert_int_equal (error_set (&err, ERR_NO_DOMAIN, "%s", name), -1);
    assert_string_equal (err.message + ERROR_MESSAGE_MAX - 2, "?");
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (makes_one_line_of_anything),
        cmocka_unit_test (a_message_is_cut_between_characters),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
