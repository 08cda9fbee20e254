//  test_container_share.c: a supervisor enters exactly what it was told of, or nothing. That it
//  does shows in tests/integration/test_lxc_share.py.

#include "container/container_share.h"
#include "unit.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int enter (const container_share_t *share, error_t *err)
{
    container_spec_t spec = { .shares = { *share }, .share_count = 1, .shared = share->flag };
    return container_share_enter (&spec, err);
}

//  As after its end, when another process has its pid.
static void refuses_another_process (void **state)
{
    (void) state;
    error_t err = { 0 };
    container_share_t share = { .flag = CLONE_NEWUTS,
                                .what = "lxc:shareuts: name 'db1'",
                                .path = "" };
    assert_int_equal (process_identify (getpid (), &share.process, &err), 0);
    share.process.start_time++;
    assert_int_equal (enter (&share, &err), -1);
    assert_int_equal (err.code, ERR_OPERATION_INVALID);
    assert_int_equal (strncmp (err.message, "lxc:shareuts: name 'db1': process ", 34), 0);
}

static void refuses_other_files (void **state)
{
    (void) state;
    error_t err = { 0 };
    container_share_t share = { .flag = CLONE_NEWNET, .what = "w", .path = "/nowhere/x" };
    assert_int_equal (enter (&share, &err), -1);
    assert_string_equal (err.message, "w: open '/nowhere/x': No such file or directory");
    share.path = "/dev/null";
    assert_int_equal (enter (&share, &err), -1);
    assert_int_equal (strncmp (err.message, "w: enter its namespace: ", 24), 0);
    //  A namespace, and of another kind.
    share.path = "/proc/self/ns/uts";
    assert_int_equal (enter (&share, &err), -1);
    assert_int_equal (strncmp (err.message, "w: enter its namespace: ", 24), 0);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (refuses_another_process),
        cmocka_unit_test (refuses_other_files),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
