//  test_rpc_pattern.c: which names of events fit what a client asked for.

#include "actors/libvirt/rpc_pattern.h"

#include "util/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

static bool fits (const char *text, uint32_t flags, const char *name)
{
    error_t err;
    auto(rpc_pattern_t) pattern = rpc_pattern_new (text, flags, &err);
    assert_non_null (pattern);
    return rpc_pattern_fits (pattern, name);
}

static void test_names (void **state)
{
    (void) state;
    assert_true (fits ("STOP", 0, "STOP"));
    assert_false (fits ("STOP", 0, "STOPPED"));
    assert_false (fits ("stop", 0, "STOP"));
    assert_true (fits ("stop", RPC_PATTERN_NOCASE, "STOP"));
    assert_false (fits ("ST.P", 0, "STOP"));
    assert_false (fits ("", 0, "STOP"));
}

static void test_expressions (void **state)
{
    (void) state;
    assert_true (fits ("^(STOP|RESUME)$", RPC_PATTERN_REGEX, "RESUME"));
    assert_false (fits ("^(STOP|RESUME)$", RPC_PATTERN_REGEX, "RESUMED"));
    assert_true (fits ("JOB_", RPC_PATTERN_REGEX, "BLOCK_JOB_READY"));
    assert_false (fits ("job_", RPC_PATTERN_REGEX, "BLOCK_JOB_READY"));
    assert_true (fits ("job_", RPC_PATTERN_REGEX | RPC_PATTERN_NOCASE, "BLOCK_JOB_READY"));
}

static void refuse (const char *text, const char *words)
{
    error_t err;
    assert_null (rpc_pattern_new (text, RPC_PATTERN_REGEX, &err));
    assert_int_equal (err.code, ERR_INVALID_ARG);
    assert_non_null (strstr (err.message, words));
}

static void test_what_is_refused (void **state)
{
    (void) state;
    char text[RPC_PATTERN_MAX + 2];
    memset (text, 'a', sizeof text);
    text[sizeof text - 1] = 0;
    refuse (text, "257 bytes");
    refuse ("(STOP", "is no regular expression");
    //  glibc would take gigabytes for the first.
    refuse ("((a{1,255}){1,255}){1,255}", "leave out '{'");
    refuse ("(.*)(.*)\\1\\2", "leave out '{'");
    //  And for each more of these twice as much.
    refuse ("((((((((((((((((((((((((a+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+",
            "more than 4 times '+'");
    assert_true (fits ("^(JOB|BLOCK_JOB)_.+$", RPC_PATTERN_REGEX, "JOB_STATUS_CHANGE"));
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_names),
        cmocka_unit_test (test_expressions),
        cmocka_unit_test (test_what_is_refused),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
