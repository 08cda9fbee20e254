//  test_container_signal.c: processes are signalled as they are called in a pid namespace. The test
//  makes one: init, a process, and one in a namespace in it.

#include "container/container_signal.h"
#include "unit.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
    pid_t init;
    int told; //  a byte for each process that is there, and one for each that ended by a signal
} space_t;

static _Noreturn void wait_for_signal (int told)
{
    (void) !write (told, "+", 1);
    for (;;)
        pause ();
}

static pid_t clone_into_new (unsigned long flags)
{
    return (pid_t) syscall (SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);
}

//  As pid 1: its first child is 2, the other one 3, which is 1 in its own namespace. (A sanitizer's
//  fork makes a thread in the child, which has a number too.)
static _Noreturn void be_init (int told)
{
    prctl (PR_SET_PDEATHSIG, SIGKILL);
    if (clone_into_new (0) == 0)
        wait_for_signal (told);
    if (clone_into_new (CLONE_NEWPID) == 0)
        wait_for_signal (told);
    for (int status; wait (&status) > 0;)
        (void) !write (told, WIFSIGNALED (status) ? "-" : "?", 1);
    wait_for_signal (told);
}

static void expect (const space_t *self, char expected)
{
    char byte = 0;
    assert_int_equal (read (self->told, &byte, 1), 1);
    assert_int_equal (byte, expected);
}

//  False: this machine lets nobody make namespaces.
static bool space_open (space_t *self)
{
    int ends[2];
    assert_int_equal (pipe (ends), 0);
    self->told = ends[0];
    self->init = clone_into_new (CLONE_NEWPID | (geteuid () ? CLONE_NEWUSER : 0));
    if (self->init == 0)
        be_init (ends[1]);
    close (ends[1]);
    if (self->init < 0)
        return false;
    expect (self, '+');
    expect (self, '+');
    return true;
}

static void space_close (space_t *self)
{
    int status;
    if (self->init > 0) {
        kill (self->init, SIGKILL);
        waitpid (self->init, &status, 0);
    }
    close (self->told);
}

static void of_its_processes (void **state)
{
    (void) state;
    space_t space;
    error_t err;
    if (!space_open (&space)) {
        space_close (&space);
        skip ();
    }
    assert_int_equal (container_signal (space.init, 1, 0, &err), 0);
    assert_int_equal (container_signal (space.init, 2, 0, &err), 0);
    assert_int_equal (container_signal (space.init, 2, SIGTERM, &err), 0);
    expect (&space, '-');
    //  One that is called otherwise where it is.
    assert_int_equal (container_signal (space.init, 3, SIGKILL, &err), 0);
    expect (&space, '-');
    expect (&space, '+');
    assert_int_equal (container_signal (space.init, 3, SIGTERM, &err), -1);
    assert_int_equal (err.code, ERR_INVALID_ARG);
    assert_string_equal (err.message, "the container has no process 3");
    assert_int_equal (container_signal (space.init, 1, SIGKILL, &err), 0);
    assert_int_equal (waitpid (space.init, NULL, 0), space.init);
    space.init = -1;
    space_close (&space);
}

static void of_others_never (void **state)
{
    (void) state;
    space_t space;
    error_t err;
    if (!space_open (&space)) {
        space_close (&space);
        skip ();
    }
    assert_int_equal (container_signal (space.init, getpid (), SIGKILL, &err), -1);
    assert_int_equal (container_signal (space.init, 1, 500, &err), -1);
    assert_int_equal (err.code, ERR_INVALID_ARG);
    assert_non_null (strstr (err.message, "send signal 500 to process 1"));
    space_close (&space);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (of_its_processes),
        cmocka_unit_test (of_others_never),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
