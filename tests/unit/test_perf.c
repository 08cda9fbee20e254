//  test_perf.c: counters of a process: this one, and a child.

#include "unit.h"

#include "util/perf.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static size_t number_of (const char *name)
{
    size_t i = 0;
    while (strcmp (perf_event_name (i), name) != 0)
        i++;
    return i;
}

static process_t ourselves (void)
{
    process_t process;
    error_t err;
    assert_int_equal (process_identify (getpid (), &process, &err), 0);
    return process;
}

//  Some kernels do not let us count at all: then that is what the error says.
static perf_t *follow (const char *name)
{
    error_t err;
    process_t process = ourselves ();
    auto(strings_t) names = strings_new ();
    strings_add (names, name);
    auto(perf_t) self = perf_new ();
    if (perf_follow (self, &process, names, &err) == 0)
        return take (&self);
    assert_true (err.code == ERR_OPERATION_DENIED || err.code == ERR_NO_SUPPORT);
    assert_non_null (strstr (err.message, name));
    return NULL;
}

static void touch_pages (size_t count)
{
    size_t size = count * 4096;
    char *memory = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true (memory != MAP_FAILED);
    madvise (memory, size, MADV_NOHUGEPAGE);
    for (size_t i = 0; i < count; i++)
        memory[i * 4096] = 1;
    munmap (memory, size);
}

static void test_names (void **state)
{
    (void) state;
    assert_true (perf_is_event ("page_faults"));
    assert_false (perf_is_event ("cmt"));
    for (size_t i = 0; perf_event_name (i); i++)
        assert_int_equal (number_of (perf_event_name (i)), i);
}

static void test_counts (void **state)
{
    (void) state;
    int before = unit_count_descriptors ();
    auto(perf_t) self = follow ("page_faults");
    uint64_t first, second;
    if (!self)
        skip ();
    assert_true (perf_read (self, number_of ("page_faults"), &first));
    touch_pages (1000);
    assert_true (perf_read (self, number_of ("page_faults"), &second));
    assert_true (second >= first + 1000);
    assert_false (perf_read (self, number_of ("cpu_clock"), &first));
    perf_destroy (&self);
    assert_int_equal (unit_count_descriptors (), before);
}

//  What is added begins, what is left goes on, what is not named ends.
static void test_changes (void **state)
{
    (void) state;
    error_t err;
    process_t process = ourselves ();
    auto(perf_t) self = follow ("page_faults");
    if (!self)
        skip ();
    touch_pages (1000);
    auto(strings_t) both = strings_new ();
    strings_add (both, "page_faults");
    strings_add (both, "task_clock");
    uint64_t value;
    assert_int_equal (perf_follow (self, &process, both, &err), 0);
    assert_true (perf_read (self, number_of ("page_faults"), &value) && value >= 1000);
    assert_true (perf_read (self, number_of ("task_clock"), &value));
    auto(strings_t) none = strings_new ();
    assert_int_equal (perf_follow (self, &process, none, &err), 0);
    assert_false (perf_read (self, number_of ("page_faults"), &value));
}

//  Of one that is refused nothing is left, and the others go on.
static void test_refused (void **state)
{
    (void) state;
    error_t err;
    process_t process = ourselves ();
    auto(perf_t) self = follow ("page_faults");
    auto(perf_t) hardware = self ? follow ("cpu_cycles") : NULL;
    if (!self || hardware)
        skip ();
    int before = unit_count_descriptors ();
    auto(strings_t) names = strings_new ();
    strings_add (names, "page_faults");
    strings_add (names, "cpu_clock");
    strings_add (names, "cpu_cycles");
    uint64_t value;
    assert_int_equal (perf_follow (self, &process, names, &err), -1);
    assert_int_equal (err.code, ERR_NO_SUPPORT);
    assert_int_equal (unit_count_descriptors (), before);
    assert_true (perf_read (self, number_of ("page_faults"), &value));
    assert_false (perf_read (self, number_of ("cpu_clock"), &value));
}

static pid_t killed_child (process_t *process)
{
    error_t err;
    siginfo_t info;
    pid_t child = fork ();
    if (child == 0)
        for (;;)
            pause ();
    assert_int_equal (process_identify (child, process, &err), 0);
    kill (child, SIGKILL);
    assert_int_equal (waitid (P_PID, (id_t) child, &info, WEXITED | WNOWAIT), 0);
    return child;
}

//  First one that is still listed, with no thread to be counted, asked again and again; then none.
static void test_no_process (void **state)
{
    (void) state;
    error_t err;
    process_t process;
    pid_t child = killed_child (&process);
    auto(perf_t) self = perf_new ();
    auto(strings_t) names = strings_new ();
    strings_add (names, "cpu_clock");
    uint64_t value;
    for (int i = 0; i < 3; i++) {
        if (i == 2)
            waitpid (child, NULL, 0);
        perf_follow (self, &process, names, &err);
        assert_false (perf_read (self, number_of ("cpu_clock"), &value));
    }
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_names),      cmocka_unit_test (test_counts),
        cmocka_unit_test (test_changes),    cmocka_unit_test (test_refused),
        cmocka_unit_test (test_no_process),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
