//  test_cpuset.c: sets of cpus.

#include "drivers/cpuset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static void test_ranges_and_exceptions (void **state)
{
    (void) state;
    cpu_set_t cpus;
    error_t err = { 0 };
    assert_int_equal (cpuset_parse ("1-4,^3,6", &cpus, &err), 0);
    assert_int_equal (CPU_COUNT (&cpus), 4);
    assert_true (CPU_ISSET (4, &cpus));
    assert_false (CPU_ISSET (3, &cpus));
    assert_true (CPU_ISSET (6, &cpus));
}

static void test_what_is_no_set (void **state)
{
    (void) state;
    static const char *const texts[] = { "", "x", "1-", "4-1", "1,,2", "^1", "1 2", "99999999999" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        cpu_set_t cpus;
        error_t err = { 0 };
        assert_int_equal (cpuset_parse (texts[i], &cpus, &err), -1);
        assert_int_equal (err.code, ERR_XML_ERROR);
    }
}

static void test_a_process_is_bound (void **state)
{
    (void) state;
    cpu_set_t before, after;
    error_t err = { 0 };
    assert_int_equal (sched_getaffinity (0, sizeof before, &before), 0);
    assert_int_equal (cpuset_apply ("1000", getpid (), &err), -1);
    assert_int_equal (err.code, ERR_CONFIG_UNSUPPORTED);
    assert_int_equal (cpuset_apply ("0,1000", getpid (), &err), 0);
    assert_int_equal (sched_getaffinity (0, sizeof after, &after), 0);
    assert_int_equal (CPU_COUNT (&after), 1);
    sched_setaffinity (0, sizeof before, &before);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_ranges_and_exceptions),
        cmocka_unit_test (test_what_is_no_set),
        cmocka_unit_test (test_a_process_is_bound),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
