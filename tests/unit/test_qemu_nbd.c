//  test_qemu_nbd.c: which connections the kernel's tables show to be a server's.

#include "drivers/qemu/storage/qemu_nbd.h"
#include "unit.h"
#include "util/file.h"
#include "util/text.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void test_unix_lines (void **state)
{
    (void) state;
    static const struct {
        const char *line;
        bool client;
    } cases[] = {
        { "Num       RefCount Protocol Flags    Type St Inode Path\n", false },
        { "0000000051fc324c: 00000002 00000000 00010000 0001 01 3958355 /run/nbd\n", false },
        { "0000000051fc324c: 00000003 00000000 00000000 0001 03 3958356 /run/nbd\n", true },
        { "0000000051fc324c: 00000002 00000000 00000000 0001 02 0 /run/nbd\n", true },
        { "0000000051fc324c: 00000003 00000000 00000000 0001 03 3958356 /run/nbd2\n", false },
        { "0000000051fc324c: 00000003 00000000 00000000 0001 03 3958356\n", false },
        { "0000000051fc324c: 00000003 00000000 00000000 0001 03 3958356 @/run/nbd\n", false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal (qemu_nbd_is_unix_client (cases[i].line, "/run/nbd"), cases[i].client);
    assert_true (qemu_nbd_is_unix_client ("0: 3 0 0 1 03 7 /a b\n", "/a b"));
}

static void test_tcp_lines (void **state)
{
    (void) state;
    static const struct {
        const char *line;
        bool client;
    } cases[] = {
        { "  sl  local_address rem_address   st tx_queue rx_queue\n", false },
        { "   0: 0100007F:2A39 00000000:0000 0A 00000000:00000000 00:00000000\n", false },
        { "   1: 0100007F:2A39 0100007F:D8A6 01 00000000:00000000 00:00000000\n", true },
        { "   2: 0100007F:D8A6 0100007F:2A39 01 00000000:00000000 00:00000000\n", false },
        { "   3: 0100007F:2A39 0100007F:D8A6 08 00000000:00000000 00:00000000\n", true },
        { "   4: 0100007F:2A39 0100007F:D8A6 06 00000000:00000000 00:00000000\n", false },
        { "   5: 00000000000000000000000001000000:2A39 00000000000000000000000001000000:D8A6 01 "
          "0:0\n",
          true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal (qemu_nbd_is_tcp_client (cases[i].line, "10809"), cases[i].client);
}

//  As this kernel writes it.
static void test_this_process (void **state)
{
    (void) state;
    error_t err;
    process_t process;
    assert_int_equal (process_identify (getpid (), &process, &err), 0);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    unit_path (address.sun_path, "nbd");
    int server = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int client = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal (bind (server, (struct sockaddr *) &address, sizeof address), 0);
    assert_int_equal (listen (server, 1), 0);
    qemu_nbd_t nbd = { .socket = address.sun_path };
    assert_int_equal (qemu_nbd_clients (&process, &nbd, &err), 0);
    assert_int_equal (connect (client, (struct sockaddr *) &address, sizeof address), 0);
    assert_int_equal (qemu_nbd_clients (&process, &nbd, &err), 1);
    int accepted = accept (server, NULL, NULL);
    assert_true (accepted >= 0);
    assert_int_equal (qemu_nbd_clients (&process, &nbd, &err), 1);
    close (accepted);
    assert_int_equal (qemu_nbd_clients (&process, &nbd, &err), 0);
    close (client);
    close (server);
    unlink (address.sun_path);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_unix_lines),
        cmocka_unit_test (test_tcp_lines),
        cmocka_unit_test (test_this_process),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
