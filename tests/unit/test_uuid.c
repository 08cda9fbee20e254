//  test_uuid.c: what is a uuid, and what is made of it.

#include "util/uuid.h"

#include "unit.h"

#include <string.h>

static void normalizes (void **state)
{
    (void) state;
    static const char *const same[] = {
        "01234567-89ab-cdef-0123-456789abcdef",
        "0123456789ABCDEF0123456789abcdef",
        "\n  0123-4567-89ab-cdef-0123-4567-89AB-CDEF \t\n",
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        char uuid[UUID_TEXT_SIZE];
        assert_true (uuid_normalize (same[i], uuid));
        assert_string_equal (uuid, same[0]);
    }
}

static void refuses_others (void **state)
{
    (void) state;
    static const char *const bad[] = {
        "",
        "  ",
        "demo",
        "01234567-89ab-cdef-0123-456789abcde",
        "01234567-89ab-cdef-0123-456789abcdef0",
        "01234567-89ab-cdef-0123-456789abcdeg",
        "01234567-89ab-cdef-0123 456789abcdef",
        "-01234567-89ab-cdef-0123-456789abcdef",
        "01234567-89ab-cdef-0123-456789abcdef x",
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-FFFF-ffff-ffff-ffffffffffff",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char uuid[UUID_TEXT_SIZE] = "untouched";
        assert_false (uuid_normalize (bad[i], uuid));
        assert_string_equal (uuid, "untouched");
    }
}

static void makes_version_4 (void **state)
{
    (void) state;
    uint8_t bytes[16];
    char uuid[UUID_TEXT_SIZE], again[UUID_TEXT_SIZE];
    memset (bytes, 0xff, sizeof bytes);
    uuid_from_random (bytes, uuid);
    assert_string_equal (uuid, "ffffffff-ffff-4fff-bfff-ffffffffffff");
    memset (bytes, 0, sizeof bytes);
    bytes[0] = 0x1a;
    uuid_from_random (bytes, uuid);
    assert_string_equal (uuid, "1a000000-0000-4000-8000-000000000000");
    assert_true (uuid_normalize (uuid, again));
    assert_string_equal (uuid, again);
}

static void to_bytes_and_back (void **state)
{
    (void) state;
    uint8_t bytes[16];
    char uuid[UUID_TEXT_SIZE];
    const char *text = "1a000000-0000-4000-8000-0123456789ab";
    assert_true (uuid_to_bytes (text, bytes));
    assert_int_equal (bytes[0], 0x1a);
    assert_int_equal (bytes[15], 0xab);
    uuid_to_text (bytes, uuid);
    assert_string_equal (uuid, text);
    static const char *const none[] = { "", "1a", "1a000000-0000-4000-8000-0123456789a",
                                        "1a000000-0000-4000-8000-0123456789ab0",
                                        "1a000000-0000-4000-8000-0123456789ag" };
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false (uuid_to_bytes (none[i], bytes));
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (normalizes),
        cmocka_unit_test (refuses_others),
        cmocka_unit_test (makes_version_4),
        cmocka_unit_test (to_bytes_and_back),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
