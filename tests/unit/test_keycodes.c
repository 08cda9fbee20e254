//  test_keycodes.c: one key by all its numbers.

#include "drivers/keycodes.h"
#include "util/text.h"

#include "unit.h"

static unsigned qnum (const char *codeset, const char *key)
{
    error_t err = { 0 };
    unsigned number = 0;
    if (keycode_qnum (codeset, key, &number, &err))
        fail_msg ("%s", err.message);
    return number;
}

static void one_key_by_all_its_numbers (void **state)
{
    (void) state;
    static const struct {
        const char *linux_name, *numbers[7]; //  linux, atset1, atset2, atset3, usb, win32, qnum
        unsigned qnum;
    } keys[] = {
        { "KEY_A", { "30", "0x1e", "0x1c", "0x1c", "4", "0x41", "0x1e" }, 0x1e },
        { "KEY_0", { "11", "0x0b", "0x45", "0x45", "39", "0x30", "0x0b" }, 0x0b },
        { "KEY_DELETE", { "111", "0xe053", "0xe071", "0x64", "76", "46", "0xd3" }, 0xd3 },
        { "KEY_LEFTALT", { "56", "56", "17", "25", "226", "0xa4", "56" }, 0x38 },
        { "KEY_F12", { "88", "0x58", "0x07", "0x5e", "69", "0x7b", "0x58" }, 0x58 },
        { "KEY_SYSRQ", { "99", "0x54", "0x7f", "0x57", "70", "0x2c", "0x54" }, 0x54 },
        { "KEY_PAUSE", { "119", "0xe046", "0xe077", "0x62", "72", "0x13", "0xc6" }, 0xc6 },
        { "KEY_RIGHTMETA", { "126", "0xe05c", "0xe027", "0x8c", "231", "0x5c", "0xdc" }, 0xdc },
    };
    static const char *const sets[] = { "linux", "atset1", "atset2", "atset3",
                                        "usb",   "win32",  "qnum" };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        assert_int_equal (qnum ("linux", keys[i].linux_name), keys[i].qnum);
        for (size_t set = 0; set < sizeof sets / sizeof *sets; set++)
            assert_int_equal (qnum (sets[set], keys[i].numbers[set]), keys[i].qnum);
    }
}

//  Up to 83 the kernel's numbers are those of set 1, and of the XT.
static void numbers_of_the_first_keyboards (void **state)
{
    (void) state;
    for (unsigned code = 1; code <= 83; code++) {
        autofree char *text = text_format ("%u", code);
        assert_int_equal (qnum ("linux", text), code);
        assert_int_equal (qnum ("atset1", text), code);
        assert_int_equal (qnum ("xt", text), code);
    }
}

static void windows_has_one_for_both_sides (void **state)
{
    (void) state;
    assert_int_equal (qnum ("win32", "0x10"), qnum ("linux", "KEY_LEFTSHIFT"));
    assert_int_equal (qnum ("win32", "0x11"), qnum ("linux", "KEY_LEFTCTRL"));
    assert_int_equal (qnum ("win32", "0x12"), qnum ("linux", "KEY_LEFTALT"));
}

static void what_is_no_key (void **state)
{
    (void) state;
    static const char *const wrong[][3] = {
        { "linux", "KEY_NOTHING", "no key 'KEY_NOTHING'" },
        { "linux", "0", "no key '0'" },
        { "linux", "70000", "no key '70000'" },
        { "linux", "", "no key ''" },
        { "usb", "KEY_A", "to be a number" },
        { "xt", "0xe053", "no key" },
        { "xt", "0x57", "no key" },
        { "win32", "0", "no key" },
        { "atset3", "0", "no key" },
        { "qnum", "256", "no key" },
        { "qnum", "KEY_A", "no key" },
        { "osx", "1", "there is no codeset 'osx'" },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        error_t err = { 0 };
        unsigned number;
        assert_int_equal (keycode_qnum (wrong[i][0], wrong[i][1], &number, &err), -1);
        assert_int_equal (err.code, ERR_INVALID_ARG);
        assert_non_null (strstr (err.message, wrong[i][2]));
    }
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (one_key_by_all_its_numbers),
        cmocka_unit_test (numbers_of_the_first_keyboards),
        cmocka_unit_test (windows_has_one_for_both_sides),
        cmocka_unit_test (what_is_no_key),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
