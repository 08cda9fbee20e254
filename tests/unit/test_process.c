//  test_process.c: the identity of a process: alive, dead, and when its pid is another's.

#include "util/process.h"
#include "util/auto.h"

#include "unit.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

//  A child that waits for its end, named so that a careless reader of /proc/PID/stat fails.
static pid_t start_child (void)
{
    const pid_t pid = fork ();
    if (pid == 0) {
        FILE *name = fopen ("/proc/self/comm", "w");
        fputs (") R 1 (x", name);
        fclose (name);
        while (true)
            pause ();
    }
    assert_true (pid > 0);
    return pid;
}

static void end_child (pid_t pid)
{
    kill (pid, SIGKILL);
    waitpid (pid, NULL, 0);
}

static bool is_over (int pidfd)
{
    struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };
    return poll (&poll_fd, 1, 30000) == 1;
}

static void is_found_again (void **state)
{
    (void) state;
    error_t err;
    process_t process, again;
    char text[PROCESS_TEXT_SIZE];
    const pid_t pid = start_child ();
    assert_int_equal (process_identify (pid, &process, &err), 0);
    process_to_text (&process, text);
    assert_true (process_from_text (text, &again));
    autoclose int fd = process_open (&again, &err);
    assert_true (fd >= 0);
    kill (pid, SIGKILL);
    assert_true (is_over (fd));
    //  Not reaped yet: a pidfd all the same, and it is readable.
    autoclose int zombie = process_open (&again, &err);
    assert_true (zombie >= 0);
    assert_true (is_over (zombie));
    waitpid (pid, NULL, 0);
    assert_int_equal (process_open (&again, &err), -1);
    assert_int_equal (err.code, ERR_OPERATION_INVALID);
    assert_int_equal (process_identify (pid, &again, &err), -1);
    assert_int_equal (err.code, ERR_OPERATION_INVALID);
}

static void another_with_its_pid_is_not_it (void **state)
{
    (void) state;
    error_t err;
    process_t process;
    uint64_t cpu_ns, rss_kib;
    assert_int_equal (process_identify (getpid (), &process, &err), 0);
    process.start_time--;
    assert_int_equal (process_open (&process, &err), -1);
    assert_int_equal (err.code, ERR_OPERATION_INVALID);
    assert_int_equal (process_usage (&process, &cpu_ns, &rss_kib, &err), -1);
    process.start_time++;
    process.boot_id[0] ^= 1;
    assert_int_equal (process_open (&process, &err), -1);
    assert_int_equal (err.code, ERR_OPERATION_INVALID);
}

static void usage_is_measured (void **state)
{
    (void) state;
    error_t err;
    process_t process;
    uint64_t before, after, rss_kib;
    assert_int_equal (process_identify (getpid (), &process, &err), 0);
    assert_int_equal (process_usage (&process, &before, &rss_kib, &err), 0);
    assert_true (rss_kib > 500);
    do
        assert_int_equal (process_usage (&process, &after, &rss_kib, &err), 0);
    while (after < before + 30000000);
}

static void threads_are_measured (void **state)
{
    (void) state;
    thread_times_t times;
    thread_times_parse (&times, "123456789012 4567 89\n",
                        "qemu (1, #threads: 3)\nse.exec_start : 5.1\n"
                        "se.statistics.wait_sum             :           12.000345\n",
                        "7 (CPU 0/TCG) a) S 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 "
                        "24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 139 40 41\n");
    assert_int_equal (times.run_ns, 123456789012);
    assert_true (times.has_delay && times.delay_ns == 4567);
    assert_true (times.has_wait && times.wait_ns == 12000345);
    assert_true (times.has_cpu && times.cpu == 139);
    thread_times_parse (&times, "7", "se.exec_start : 5.1\n", "7 (qemu) S 4 5");
    assert_true (times.run_ns == 7 && !times.has_delay && !times.has_wait && !times.has_cpu);
    thread_times_parse (&times, NULL, NULL, NULL);
    assert_true (times.run_ns == 0 && !times.has_delay && !times.has_wait && !times.has_cpu);
    process_thread_times (getpid (), (uint64_t) getpid (), &times);
    assert_true (times.run_ns > 0 && times.has_delay);
    assert_true (times.has_cpu && times.cpu < (unsigned) sysconf (_SC_NPROCESSORS_CONF));
}

static void text_is_strict (void **state)
{
    (void) state;
    static const char *const bad[] = {
        "",
        "1:2",
        "0:2:01234567-89ab-cdef-0123-456789abcdef",
        "-1:2:01234567-89ab-cdef-0123-456789abcdef",
        "4294967296:2:01234567-89ab-cdef-0123-456789abcdef",
        "1:99999999999999999999999:01234567-89ab-cdef-0123-456789abcdef",
        "1:2:01234567",
        "1:2:01234567-89ab-cdef-0123-456789abcdef0",
    };
    process_t process;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false (process_from_text (bad[i], &process));
    assert_true (process_from_text ("1:2:01234567-89ab-cdef-0123-456789abcdef", &process));
    assert_int_equal (process.pid, 1);
    assert_int_equal (process.start_time, 2);
}

static void no_leftovers (void **state)
{
    (void) state;
    error_t err;
    process_t process;
    const pid_t pid = start_child ();
    assert_int_equal (process_identify (pid, &process, &err), 0);
    end_child (pid);
    //  A hundred failures must not cost a descriptor.
    const int before = dup (0);
    close (before);
    for (int i = 0; i < 100; i++)
        assert_int_equal (process_open (&process, &err), -1);
    const int after = dup (0);
    close (after);
    assert_int_equal (before, after);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (is_found_again),    cmocka_unit_test (another_with_its_pid_is_not_it),
        cmocka_unit_test (usage_is_measured), cmocka_unit_test (text_is_strict),
        cmocka_unit_test (no_leftovers),      cmocka_unit_test (threads_are_measured),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
