//  test_qmp_output.c: bytes to QEMU, and the descriptors that go with them. The test is QEMU.

#include "actors/monitor/qmp_output.h"
#include "unit.h"

#include <fcntl.h>
#include <sys/socket.h>

typedef struct {
    int ours, qemus;
    qmp_output_t output;
} pair_t;

static void pair_open (pair_t *pair)
{
    int fds[2];
    assert_int_equal (socketpair (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    pair->ours = fds[0];
    pair->qemus = fds[1];
    qmp_output_open (&pair->output);
}

static void pair_close (pair_t *pair)
{
    qmp_output_close (&pair->output);
    close (pair->ours);
    if (pair->qemus >= 0)
        close (pair->qemus);
}

//  What one read of QEMU's gives: bytes, and the descriptor that came with them or -1.
static ssize_t hear (pair_t *pair, char *text, size_t size, int *fd)
{
    char control[CMSG_SPACE (sizeof (int))];
    struct iovec bytes = { text, size - 1 };
    struct msghdr message = {
        .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control
    };
    ssize_t count = recvmsg (pair->qemus, &message, MSG_DONTWAIT);
    struct cmsghdr *head = count > 0 ? CMSG_FIRSTHDR (&message) : NULL;
    *fd = -1;
    if (head)
        memcpy (fd, CMSG_DATA (head), sizeof *fd);
    text[count > 0 ? count : 0] = 0;
    return count;
}

static int make_file (const char *folder, char path[256])
{
    snprintf (path, 256, "%s/file", folder);
    int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal (write (fd, "0123456789", 10), 10);
    close (fd);
    error_t err = { 0 };
    return qmp_output_open_file (path, false, 4, &err);
}

static void test_a_descriptor_comes_with_its_own_command (void **state)
{
    pair_t pair;
    char path[256], text[64], byte[2] = "";
    int fd;
    pair_open (&pair);
    qmp_output_add (&pair.output, "one\n", -1);
    qmp_output_add (&pair.output, "two\n", make_file (*state, path));
    qmp_output_add (&pair.output, "three\n", -1);
    assert_int_equal (qmp_output_left (&pair.output), 14);
    qmp_output_flush (&pair.output, pair.ours);
    assert_int_equal (qmp_output_left (&pair.output), 0);
    hear (&pair, text, sizeof text, &fd);
    //  The kernel may join bytes before a descriptor to it, never a later command's to its bytes.
    if (fd < 0) {
        assert_string_equal (text, "one\n");
        hear (&pair, text, sizeof text, &fd);
    }
    assert_true (fd >= 0);
    assert_non_null (strstr (text, "two\n"));
    assert_int_equal (read (fd, byte, 1), 1);
    assert_string_equal (byte, "4");
    close (fd);
    pair_close (&pair);
}

static void test_a_full_socket_keeps_the_rest_for_later (void **state)
{
    pair_t pair;
    char path[256];
    static char text[1 << 20];
    int fd, got = -1;
    size_t heard = 0;
    pair_open (&pair);
    memset (text, 'x', sizeof text - 1);
    qmp_output_add (&pair.output, text, -1);
    qmp_output_add (&pair.output, "getfd\n", make_file (*state, path));
    size_t all = qmp_output_left (&pair.output);
    qmp_output_flush (&pair.output, pair.ours);
    assert_true (qmp_output_left (&pair.output) > 0);
    for (ssize_t count; heard < all; heard += (size_t) count) {
        count = hear (&pair, text, sizeof text, &fd);
        assert_true (count > 0);
        got = fd >= 0 ? fd : got;
        qmp_output_flush (&pair.output, pair.ours);
    }
    assert_true (got >= 0);
    close (got);
    pair_close (&pair);
}

static void test_a_qemu_that_is_gone_gets_nothing (void **state)
{
    pair_t pair;
    char path[256];
    pair_open (&pair);
    close (pair.qemus);
    pair.qemus = -1;
    qmp_output_add (&pair.output, "quit\n", make_file (*state, path));
    qmp_output_flush (&pair.output, pair.ours);
    assert_true (pair.output.deaf);
    assert_int_equal (pair.output.fd, -1);
    pair_close (&pair);
}

static void test_only_regular_files_are_passed (void **state)
{
    char path[256];
    error_t err = { 0 };
    snprintf (path, sizeof path, "%s/pipe", (char *) *state);
    assert_int_equal (mkfifo (path, 0600), 0);
    assert_int_equal (qmp_output_open_file (path, false, 0, &err), -1);
    assert_non_null (strstr (err.message, "it is no regular file"));
    assert_int_equal (qmp_output_open_file ("/no/such/file", true, 0, &err), -1);
    assert_string_equal (err.message, "open '/no/such/file' for QEMU: No such file or directory");
    assert_int_equal (err.code, ERR_OPEN_FAILED);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_a_descriptor_comes_with_its_own_command),
        cmocka_unit_test (test_a_full_socket_keeps_the_rest_for_later),
        cmocka_unit_test (test_a_qemu_that_is_gone_gets_nothing),
        cmocka_unit_test (test_only_regular_files_are_passed),
    };
    return cmocka_run_group_tests (tests, unit_make_folder, unit_remove_folder);
}
