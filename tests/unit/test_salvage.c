//  test_salvage.c: who listens at the monitor's socket of a guest whose status file is lost.

#include "drivers/salvage.h"

#include "fake_job.h"
#include "folder.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

//  Says in its pipe whether it is as it is to be, and stays until it is killed.
static void say_and_stay (int pipe, bool well)
{
    prctl (PR_SET_PDEATHSIG, SIGKILL);
    if (write (pipe, well ? "y" : "n", 1) == 1)
        pause ();
    _exit (0);
}

//  A thread whose process ends but for it: the arguments are gone, the descriptors are not.
static void *outlive (void *arg)
{
    const int *pipe = arg;
    char byte;
    for (ssize_t count = 1; count > 0;) {
        autoclose int fd = open ("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
        count = read (fd, &byte, 1);
    }
    say_and_stay (*pipe, true);
    return NULL;
}

static void listen_here (const char *path, bool ending, int pipe)
{
    pthread_t thread;
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf (address.sun_path, sizeof address.sun_path, "%.100s", path);
    int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool well = bind (fd, (struct sockaddr *) &address, sizeof address) == 0 && listen (fd, 4) == 0;
    if (!well || !ending)
        say_and_stay (pipe, well);
    if (pthread_create (&thread, NULL, outlive, &pipe))
        say_and_stay (pipe, false);
    syscall (SYS_exit, 0); //  this thread alone
}

//  Its process, which listens. ENDING: and is as one is on its way out.
static pid_t listen_at (const char *path, bool ending)
{
    int told[2];
    char said;
    assert_int_equal (pipe (told), 0);
    pid_t pid = fork ();
    if (pid == 0)
        listen_here (path, ending, told[1]);
    close (told[1]);
    assert_int_equal (read (told[0], &said, 1), 1);
    close (told[0]);
    assert_int_equal (said, 'y');
    return pid;
}

static void end (pid_t pid)
{
    kill (pid, SIGKILL);
    assert_int_equal (waitpid (pid, NULL, 0), pid);
}

static pid_t begin (fake_job_t *fake, char monitor[UNIT_PATH_SIZE], bool ending)
{
    fake_job_init (fake, "/nowhere");
    unit_path (monitor, "monitor");
    return listen_at (monitor, ending);
}

static void test_one_that_runs (void **state)
{
    (void) state;
    error_t err;
    fake_job_t fake;
    salvage_t found;
    char monitor[UNIT_PATH_SIZE];
    pid_t pid = begin (&fake, monitor, false);
    assert_int_equal (salvage_find (&fake.job, monitor, &found, &err), 0);
    assert_int_equal (found.process.pid, pid);
    assert_non_null (strstr (found.command->items[0], "test_salvage"));
    salvage_close (&found);
    assert_string_equal (fake.trace, "");
    end (pid);
    //  Its socket is there, and nobody listens.
    assert_int_equal (salvage_find (&fake.job, monitor, &found, &err), 0);
    assert_null (found.command);
    assert_non_null (strstr (fake.trace, "remove_file "));
    unlink (monitor);
    assert_int_equal (salvage_find (&fake.job, monitor, &found, &err), 0);
    assert_null (found.command);
    fake_job_clear (&fake);
}

//  It is no stranger who took the guest's socket: its end is waited for, and then it has left it.
static void test_one_that_ends (void **state)
{
    (void) state;
    error_t err;
    fake_job_t fake;
    salvage_t found;
    char monitor[UNIT_PATH_SIZE];
    pid_t pid = begin (&fake, monitor, true);
    assert_int_equal (salvage_find (&fake.job, monitor, &found, &err), 0);
    assert_null (found.command);
    autofree char *trace = text_format ("wait_exit %d\nremove_file %s\n", (int) pid, monitor);
    assert_string_equal (fake.trace, trace);
    fake.fail = "wait_exit";
    assert_int_equal (salvage_find (&fake.job, monitor, &found, &err), -1);
    assert_non_null (strstr (err.message, "and is about to end: "));
    end (pid);
    unlink (monitor);
    fake_job_clear (&fake);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_one_that_runs),
        cmocka_unit_test (test_one_that_ends),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
