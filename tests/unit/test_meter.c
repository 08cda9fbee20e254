//  test_meter.c: the CPU time of a guest, by its process and by its cgroup.

#include "drivers/meter.h"
#include "unit.h"
#include "util/file.h"

#include <sys/wait.h>
#include <unistd.h>

static meter_t *meter_of (const meter_place_t *place)
{
    error_t err;
    pack_t pack;
    pack_init (&pack);
    meter_pack (place, &pack);
    auto(document_t) where = document_parse (pack.bytes, pack.size, VALUE_MAX_BYTES, &err);
    assert_non_null (where);
    pack_close (&pack);
    return meter_new (document_root (where));
}

static meter_t *meter_of_pid (pid_t pid)
{
    error_t err;
    process_t process;
    char identity[PROCESS_TEXT_SIZE];
    assert_int_equal (process_identify (pid, &process, &err), 0);
    process_to_text (&process, identity);
    return meter_of (&(meter_place_t){ .process = identity });
}

static void nothing_counts (void **state)
{
    (void) state;
    meter_t *none = meter_of (&(meter_place_t){ NULL });
    assert_null (none);
    assert_null (meter_of (&(meter_place_t){ .process = "1:2" }));
    assert_null (meter_new (NULL));
    meter_destroy (&none);
}

static void a_process_counts (void **state)
{
    (void) state;
    error_t err;
    uint64_t first, now, user_ns, system_ns;
    meter_t *meter = meter_of_pid (getpid ());
    assert_non_null (meter);
    assert_int_equal (meter_cpu_time (meter, &first, &err), 0);
    assert_true (first > 0);
    do
        assert_int_equal (meter_cpu_time (meter, &now, &err), 0);
    while (now < first + 30000000);
    //  The kernel tells these in ticks, each cut off.
    assert_int_equal (meter_cpu_times (meter, &user_ns, &system_ns, &err), 0);
    uint64_t tick_ns = 1000000000 / (uint64_t) sysconf (_SC_CLK_TCK);
    assert_true (user_ns + system_ns + 2 * tick_ns >= now);
    meter_destroy (&meter);
    assert_null (meter);
}

static pid_t waiting_child (void)
{
    const pid_t pid = fork ();
    assert_true (pid >= 0);
    while (pid == 0)
        pause ();
    return pid;
}

//  What was opened before it ended tells of no other process.
static void a_process_that_is_over_counts_no_more (void **state)
{
    (void) state;
    error_t err;
    uint64_t ns;
    const pid_t pid = waiting_child ();
    meter_t *opened = meter_of_pid (pid), *later = meter_of_pid (pid);
    assert_int_equal (meter_cpu_time (opened, &ns, &err), 0);
    kill (pid, SIGKILL);
    waitpid (pid, NULL, 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal (meter_cpu_time (opened, &ns, &err), -1);
        assert_int_equal (err.code, ERR_OPERATION_INVALID);
        assert_int_equal (meter_cpu_time (later, &ns, &err), -1);
        assert_int_equal (err.code, ERR_OPERATION_INVALID);
    }
    meter_destroy (&opened);
    meter_destroy (&later);
}

static void a_cgroup_counts (void **state)
{
    (void) state;
    error_t err;
    char folder[UNIT_PATH_SIZE];
    uint64_t ns, user_ns, system_ns;
    unit_new_folder (folder);
    autofree char *path = text_format ("%s/cpu.stat", folder);
    static const char text[] = "usage_usec 30\nuser_usec 20\nsystem_usec 11\n";
    meter_t *meter = meter_of (&(meter_place_t){ .cgroup = folder });
    assert_non_null (meter);
    assert_int_equal (meter_cpu_time (meter, &ns, &err), -1); //  it is gone
    FILE *file = fopen (path, "w");
    assert_non_null (file);
    fputs (text, file);
    fclose (file);
    assert_int_equal (meter_cpu_times (meter, &user_ns, &system_ns, &err), 0);
    assert_int_equal (user_ns, 20000);
    assert_int_equal (system_ns, 11000);
    assert_int_equal (meter_cpu_time (meter, &ns, &err), 0);
    assert_int_equal (ns, 31000);
    meter_destroy (&meter);
    unlink (path);
    rmdir (folder);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (nothing_counts),
        cmocka_unit_test (a_process_counts),
        cmocka_unit_test (a_process_that_is_over_counts_no_more),
        cmocka_unit_test (a_cgroup_counts),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
