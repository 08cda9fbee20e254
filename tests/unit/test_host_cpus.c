//  test_host_cpus.c: the processors of machines that are not this one.

#include "actors/host/host_cpus.h"

#include "tree.h"

#include <unistd.h>

static const char proc_stat[] = "cpu  100 20 30 400 50 6 7 0 0 0\n"
                                "cpu0 60 10 10 100 20 1 2 0 0 0\n"
                                "cpu10 40 10 20 300 30 5 5 0 0 0\n"
                                "intr 12345 0 0\n";

static uint64_t ns (unsigned ticks)
{
    return ticks * (UINT64_C (1000000000) / (uint64_t) sysconf (_SC_CLK_TCK));
}

static void times_of_all_and_of_one (void **state)
{
    error_t err;
    host_cpu_times_t times;
    tree_put (*state, "/proc/stat", proc_stat);
    assert_int_equal (host_cpu_times (*state, HOST_ALL_CPUS, &times, &err), 0);
    assert_int_equal (times.user_ns, ns (120));
    assert_int_equal (times.system_ns, ns (43));
    assert_int_equal (times.idle_ns, ns (400));
    assert_int_equal (times.iowait_ns, ns (50));
    assert_int_equal (host_cpu_times (*state, 10, &times, &err), 0);
    assert_int_equal (times.idle_ns, ns (300));
    assert_int_equal (host_cpu_times (*state, 1, &times, &err), -1);
    assert_int_equal (err.code, ERR_INVALID_ARG);
    assert_non_null (strstr (err.message, "no CPU 1 "));
}

static void what_is_no_stat_is_refused (void **state)
{
    error_t err;
    host_cpu_times_t times;
    assert_int_equal (host_cpu_times (*state, HOST_ALL_CPUS, &times, &err), -1);
    assert_int_equal (err.code, ERR_OPEN_FAILED);
    tree_put (*state, "/proc/stat", "cpu  12 nothing\n");
    assert_int_equal (host_cpu_times (*state, HOST_ALL_CPUS, &times, &err), -1);
    assert_int_equal (err.code, ERR_PARSE_FAILED);
}

static void a_map_has_all_cpus (void **state)
{
    error_t err;
    unsigned present, online;
    tree_put (*state, "/sys/devices/system/cpu/present", "0-5\n");
    tree_put (*state, "/sys/devices/system/cpu/online", "0-1,3\n");
    autofree char *map = host_cpu_map (*state, &present, &online, &err);
    assert_string_equal (map, "yy-y--");
    assert_int_equal (present, 6);
    assert_int_equal (online, 3);
}

static void lists_of_the_kernel (void **state)
{
    (void) state;
    static const struct {
        const char *list, *map;
        unsigned count;
    } lists[] = {
        { "0\n", "y", 1 }, { "0-2,4", "yyy-y", 4 }, { "", "", 0 },
        { NULL, "", 0 },   { "3-1", "", 0 },        { "0-99999", "", 0 },
        { "x", "", 0 },    { "1,1", "-y", 1 },      { "2-3,0", "y-yy", 3 },
    };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        unsigned count;
        autofree char *map = host_list_map (lists[i].list, &count);
        assert_string_equal (map, lists[i].map);
        assert_int_equal (count, lists[i].count);
    }
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        unit_test_in_folder (times_of_all_and_of_one),
        unit_test_in_folder (what_is_no_stat_is_refused),
        unit_test_in_folder (a_map_has_all_cpus),
        cmocka_unit_test (lists_of_the_kernel),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
