//  test_size.c: sizes with units.

#include "util/size.h"
#include "unit.h"

static void assert_size (const char *text, uint64_t scale, uint64_t expected)
{
    uint64_t bytes = 0;
    assert_true (size_from_text (text, scale, &bytes));
    assert_int_equal (bytes, expected);
}

static void test_units (void **state)
{
    (void) state;
    assert_int_equal (size_unit ("KiB"), 1024);
    assert_int_equal (size_unit ("kib"), 1024);
    assert_int_equal (size_unit ("KB"), 1000);
    assert_int_equal (size_unit ("bytes"), 1);
    assert_int_equal (size_unit ("XiB"), 0);
}

static void test_sizes (void **state)
{
    (void) state;
    assert_size ("8", 1024, 8192);
    assert_size ("8", 1, 8);
    assert_size ("8b", 1024, 8);
    assert_size ("10GiB", 1024, 10737418240);
    assert_size ("10g", 1024, 10737418240);
    assert_size ("1KB", 1, 1000);
    assert_size ("0", 1024, 0);
}

static void test_what_is_no_size (void **state)
{
    (void) state;
    static const char *const wrong[] = { "", "G", "-1", "1.5G", "1 G", "1X", "0x10", "16E", "1Gi" };
    uint64_t bytes;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false (size_from_text (wrong[i], 1024, &bytes));
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_units),
        cmocka_unit_test (test_sizes),
        cmocka_unit_test (test_what_is_no_size),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
