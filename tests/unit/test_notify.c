//  test_notify.c: readiness, told and heard.

#include "unit.h"
#include "util/auto.h"
#include "util/notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void told_by_an_abstract_name (void **state)
{
    (void) state;
    error_t err;
    char name[NOTIFY_NAME_SIZE], other[NOTIFY_NAME_SIZE];
    autoclose int fd = notify_listen (name, &err);
    autoclose int another = notify_listen (other, &err);
    assert_true (fd >= 0 && another >= 0);
    assert_int_equal (name[0], '@');
    assert_string_not_equal (name, other);
    assert_false (notify_heard (fd, NOTIFY_READY));
    assert_int_equal (notify_send (name, NOTIFY_STOPPING, &err), 0);
    assert_false (notify_heard (fd, NOTIFY_READY));
    assert_int_equal (notify_send (name, "STATUS=READY=1", &err), 0);
    assert_int_equal (notify_send (name, "STATUS=well\n" NOTIFY_READY "\nX=1", &err), 0);
    assert_true (notify_heard (fd, NOTIFY_READY));
    assert_false (notify_heard (fd, NOTIFY_READY));
    assert_false (notify_heard (another, NOTIFY_READY));
}

static void told_by_a_path (void **state)
{
    error_t err;
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf (address.sun_path, sizeof address.sun_path, "%s/notify", (char *) *state);
    autoclose int fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal (bind (fd, (struct sockaddr *) &address, sizeof address), 0);
    assert_int_equal (notify_send (address.sun_path, NOTIFY_READY, &err), 0);
    assert_true (notify_heard (fd, NOTIFY_READY));
}

static void refused (void **state)
{
    (void) state;
    error_t err;
    char large[200] = "/";
    memset (large + 1, 'x', sizeof large - 2);
    assert_int_equal (notify_send ("vsock:2:1", NOTIFY_READY, &err), -1);
    assert_non_null (strstr (err.message, "'vsock:2:1': it has to be a path"));
    assert_int_equal (notify_send (large, NOTIFY_READY, &err), -1);
    assert_int_equal (notify_send ("/nowhere/notify", NOTIFY_READY, &err), -1);
    assert_non_null (strstr (err.message, "/nowhere/notify"));
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (told_by_an_abstract_name),
        unit_test_in_folder (told_by_a_path),
        cmocka_unit_test (refused),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
