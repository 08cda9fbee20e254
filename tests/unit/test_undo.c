//  test_undo.c: how effects are taken back.

#include "drivers/undo.h"
#include "fake_job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define PROCESS "4242:77:11111111-2222-3333-4444-555555555555"

static void test_a_file_is_removed (void **state)
{
    (void) state;
    fake_job_t fake;
    fake_job_init (&fake, "/nowhere");
    error_t err = { 0 };
    assert_int_equal (undo_run (&fake.job, "file", "/run/x.sock", &err), 0);
    assert_string_equal (fake.trace, "remove_file /run/x.sock\n");
    assert_int_equal (undo_run (&fake.job, "file", "x.sock", &err), -1);
    assert_int_equal (err.code, ERR_INVALID_ARG);
}

static void test_exactly_this_process_is_killed_and_waited_for (void **state)
{
    (void) state;
    fake_job_t fake;
    fake_job_init (&fake, "/nowhere");
    error_t err = { 0 };
    assert_int_equal (undo_run (&fake.job, "process", PROCESS, &err), 0);
    assert_string_equal (fake.trace, "kill 4242 9\nwait_exit 4242\n");
}

static void test_a_link_is_removed_by_its_key (void **state)
{
    (void) state;
    fake_job_t fake;
    fake_job_init (&fake, "/nowhere");
    error_t err = { 0 };
    assert_int_equal (undo_run (&fake.job, "link", "net0", &err), 0);
    assert_string_equal (fake.trace, "link_delete net0\n");
}

static void test_a_process_that_ended_before_is_no_failure (void **state)
{
    (void) state;
    fake_job_t fake;
    fake_job_init (&fake, "/nowhere");
    fake.fail = "kill";
    error_t err = { 0 };
    assert_int_equal (undo_run (&fake.job, "process", PROCESS, &err), 0);
    assert_int_equal (err.code, ERR_OK);
}

static void test_a_process_that_stays_is_a_failure (void **state)
{
    (void) state;
    fake_job_t fake;
    fake_job_init (&fake, "/nowhere");
    fake.fail = "wait_exit";
    fake.fail_code = ERR_OPERATION_TIMEOUT;
    error_t err = { 0 };
    assert_int_equal (undo_run (&fake.job, "process", PROCESS, &err), -1);
    assert_int_equal (err.code, ERR_OPERATION_TIMEOUT);
}

static void test_the_owner_of_a_missing_file_is_no_failure (void **state)
{
    (void) state;
    fake_job_t fake;
    fake_job_init (&fake, "/nowhere");
    error_t err = { 0 };
    assert_int_equal (undo_run (&fake.job, "owner", "0:0:/no/such/disk", &err), 0);
    assert_int_equal (undo_run (&fake.job, "owner", "/no/such/disk", &err), -1);
    assert_int_equal (err.code, ERR_INVALID_ARG);
}

static void test_unknown_kinds_are_named (void **state)
{
    (void) state;
    fake_job_t fake;
    fake_job_init (&fake, "/nowhere");
    error_t err = { 0 };
    assert_int_equal (undo_run (&fake.job, "tunnel", "eth7", &err), -1);
    assert_int_equal (err.code, ERR_INVALID_ARG);
    assert_non_null (strstr (err.message, "undo 'tunnel' of 'eth7'"));
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_a_file_is_removed),
        cmocka_unit_test (test_exactly_this_process_is_killed_and_waited_for),
        cmocka_unit_test (test_a_link_is_removed_by_its_key),
        cmocka_unit_test (test_a_process_that_ended_before_is_no_failure),
        cmocka_unit_test (test_a_process_that_stays_is_a_failure),
        cmocka_unit_test (test_the_owner_of_a_missing_file_is_no_failure),
        cmocka_unit_test (test_unknown_kinds_are_named),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
