//  test_text.c: growing strings, and command lines built of them.

#include "util/text.h"

#include "unit.h"

#include <string.h>

static void grows (void **state)
{
    (void) state;
    auto(text_t) text = text_new ();
    for (int i = 0; i < 1000; i++)
        text_addf (text, "%d,", i % 10);
    assert_int_equal (text->size, 2000);
    assert_int_equal (strlen (text->data), 2000);
    assert_memory_equal (text->data, "0,1,2,3,4,5,6,7,8,9,0,", 22);
    text_add (text, "end");
    text_add_char (text, '.');
    autofree char *string = text_finish (&text);
    assert_null (text);
    assert_string_equal (string + 2000, "end.");
}

static void takes_bytes (void **state)
{
    (void) state;
    auto(text_t) text = text_new ();
    text_add_bytes (text, "a\0b", 3);
    text_add_bytes (text, NULL, 0);
    assert_int_equal (text->size, 3);
    assert_memory_equal (text->data, "a\0b", 4);
}

static void builds_an_argv (void **state)
{
    (void) state;
    static const char *const more[] = { "-m", "512", NULL };
    auto(strings_t) args = strings_new ();
    assert_null (strings_list (args)[0]);
    strings_add (args, "/usr/bin/qemu");
    strings_add_all (args, more);
    for (int i = 0; i < 40; i++)
        strings_addf (args, "id=%d", i);
    const char *const *argv = strings_list (args);
    assert_int_equal (args->count, 43);
    assert_string_equal (argv[2], "512");
    assert_string_equal (argv[42], "id=39");
    assert_null (argv[43]);
    assert_true (strings_contain (args, "-m"));
    assert_false (strings_contain (args, "-M"));
}

static void sorts_by_bytes (void **state)
{
    (void) state;
    auto(strings_t) list = strings_new ();
    strings_add (list, "b");
    strings_add (list, "B");
    strings_add (list, "a10");
    strings_add (list, "a1");
    strings_sort (list);
    assert_string_equal (list->items[0], "B");
    assert_string_equal (list->items[1], "a1");
    assert_string_equal (list->items[2], "a10");
    assert_string_equal (list->items[3], "b");
}

static void compares (void **state)
{
    (void) state;
    assert_true (text_starts ("domain/1", "domain/"));
    assert_false (text_starts ("dom", "domain/"));
    assert_true (text_ends ("a.xml", ".xml"));
    assert_true (text_ends ("a.xml", ""));
    assert_false (text_ends ("xml", ".xml"));
    assert_true (text_equals (NULL, NULL));
    assert_false (text_equals (NULL, ""));
    assert_null (text_copy (NULL));
    autofree char *part = text_copy_bytes ("abc", 2);
    assert_string_equal (part, "ab");
    autofree char *made = text_format ("%s-%03d", "x", 7);
    assert_string_equal (made, "x-007");
}

static void reads_numbers (void **state)
{
    (void) state;
    static const char *const bad[] = {
        "", "0x", "-1", "+1", " 1", "1 ", "1e3", "0xg", "18446744073709551616", "ten"
    };
    uint64_t value = 5;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false (text_to_u64 (bad[i], &value));
    assert_int_equal (value, 5);
    assert_true (text_to_u64 ("18446744073709551615", &value));
    assert_true (value == UINT64_MAX);
    assert_true (text_to_u64 ("0x1F", &value) && value == 31);
    assert_true (text_to_u64 ("010", &value) && value == 10);
}

//  RFC 4648's own examples.
static void test_base64 (void **state)
{
    (void) state;
    static const char *const rows[][2] = {
        { "", "" },        { "f", "Zg==" },        { "fo", "Zm8=" },
        { "foo", "Zm9v" }, { "foob", "Zm9vYg==" }, { "\xff\xfe\xfd", "//79" }
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        autofree char *text = text_base64 (rows[i][0], strlen (rows[i][0]));
        assert_string_equal (text, rows[i][1]);
    }
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_base64),    cmocka_unit_test (grows),
        cmocka_unit_test (takes_bytes),    cmocka_unit_test (builds_an_argv),
        cmocka_unit_test (sorts_by_bytes), cmocka_unit_test (compares),
        cmocka_unit_test (reads_numbers),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
