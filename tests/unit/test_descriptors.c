//  test_descriptors.c: descriptors that travel with a text.

#include "unit.h"
#include "util/descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void travel (void **state)
{
    (void) state;
    int ends[2], pipes[2], fds[2];
    size_t count;
    char text[16];
    assert_int_equal (socketpair (AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_int_equal (pipe (pipes), 0);
    assert_int_equal (descriptors_send (ends[0], "hello", pipes, 2), 0);
    assert_int_equal (descriptors_receive (ends[1], text, sizeof text, fds, 2, &count, 0), 5);
    assert_string_equal (text, "hello");
    assert_int_equal (count, 2);
    assert_true (fcntl (fds[0], F_GETFD) & FD_CLOEXEC);
    assert_int_equal (write (fds[1], "x", 1), 1);
    assert_int_equal (read (pipes[0], text, 1), 1);
    for (int i = 0; i < 2; i++)
        close (fds[i]);

    //  Those that nobody wants are closed: the pipe has one end of this kind then.
    assert_int_equal (descriptors_send (ends[0], "more", &pipes[1], 1), 0);
    assert_int_equal (descriptors_receive (ends[1], text, sizeof text, fds, 0, &count, 0), 4);
    assert_int_equal (count, 0);
    close (pipes[1]);
    assert_int_equal (read (pipes[0], text, 1), 0);
    close (pipes[0]);

    assert_int_equal (
        descriptors_receive (ends[1], text, sizeof text, fds, 2, &count, MSG_DONTWAIT), -1);
    assert_int_equal (errno, EAGAIN);
    assert_int_equal (descriptors_send (ends[0], "none", NULL, 0), 0);
    close (ends[0]);
    assert_int_equal (descriptors_receive (ends[1], text, sizeof text, fds, 2, &count, 0), 4);
    assert_int_equal (descriptors_receive (ends[1], text, sizeof text, fds, 2, &count, 0), 0);
    assert_int_equal (descriptors_send (ends[1], "gone", NULL, 0), -1);
    close (ends[1]);
}

//  Bit by bit, which of the COUNT at FDS are open still.
static int open_ones (const int *fds, int count)
{
    int open = 0;
    for (int i = 0; i < count; i++)
        open |= (fcntl (fds[i], F_GETFD) >= 0) << i;
    return open;
}

//  In a child: cmocka has descriptors of its own.
static void closes_others (void **state)
{
    (void) state;
    int fds[5], status;
    pid_t child = fork ();
    if (child == 0) {
        for (int i = 0; i < 5; i++)
            fds[i] = fcntl (1, F_DUPFD, 100 + i);
        const int kept[] = { fds[3], -1, 1, fds[1], fds[3] };
        descriptors_close_others (kept, 5);
        int standard[] = { 0, 1, 2 };
        _exit (open_ones (fds, 5) | (open_ones (standard, 3) == 7) << 5);
    }
    assert_int_equal (waitpid (child, &status, 0), child);
    assert_true (WIFEXITED (status));
    assert_int_equal (WEXITSTATUS (status), 1 << 1 | 1 << 3 | 1 << 5);
}

int main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (travel),
                                        cmocka_unit_test (closes_others) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
