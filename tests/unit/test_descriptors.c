//  test_descriptors.c: descriptors that travel with a text.

#include "unit.h"
#include "util/descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
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

int main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (travel) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
