//  test_listener.c: listening UNIX sockets: who may connect, and who was there before.

#include "unit.h"

#include "util/listener.h"
#include "util/text.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

static int connect_to (const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf (address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket (AF_UNIX, SOCK_STREAM, 0);
    int rc = connect (fd, (struct sockaddr *) &address, sizeof address);
    close (fd);
    return rc;
}

static void test_mode_and_end (void **state)
{
    error_t err;
    autofree char *path = text_format ("%s/a.sock", (char *) *state);
    auto(listener_t) self = listener_open (path, 0600, NULL, &err);
    assert_non_null (self);
    struct stat status;
    assert_int_equal (stat (path, &status), 0);
    assert_int_equal (status.st_mode & 07777, 0600);
    assert_int_equal (connect_to (path), 0);
    listener_destroy (&self);
    assert_int_equal (access (path, F_OK), -1);
}

static void test_left_behind (void **state)
{
    error_t err;
    autofree char *path = text_format ("%s/a.sock", (char *) *state);
    listener_t *old = listener_open (path, 0600, NULL, &err);
    close (listener_take (old)); //  as if killed: the file stays
    assert_int_equal (connect_to (path), -1);
    auto(listener_t) self = listener_open (path, 0666, NULL, &err);
    assert_non_null (self);
    listener_destroy (&old); //  the file is not its own any more
    assert_int_equal (connect_to (path), 0);
}

static void test_another_daemon (void **state)
{
    error_t err;
    autofree char *path = text_format ("%s/a.sock", (char *) *state);
    auto(listener_t) self = listener_open (path, 0600, NULL, &err);
    pid_t child = fork ();
    if (child == 0) {
        listener_t *second = listener_open (path, 0600, NULL, &err);
        _exit (second || err.code != ERR_OPERATION_INVALID || !strstr (err.message, "another"));
    }
    int status;
    assert_int_equal (waitpid (child, &status, 0), child);
    assert_int_equal (status, 0);
    assert_int_equal (connect_to (path), 0);
}

static void test_refused (void **state)
{
    error_t err;
    autofree char *path = text_format ("%s/a.sock", (char *) *state);
    autofree char *nowhere = text_format ("%s/no/a.sock", (char *) *state);
    autofree char *longer = text_format ("%s/%0120d", (char *) *state, 0);
    assert_null (listener_open (path, 0660, "no-such-group", &err));
    assert_int_equal (err.code, ERR_INVALID_ARG);
    assert_null (listener_open (nowhere, 0600, NULL, &err));
    assert_int_equal (err.code, ERR_OPEN_FAILED);
    assert_null (listener_open (longer, 0600, NULL, &err));
    assert_int_equal (err.code, ERR_INVALID_ARG);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        unit_test_in_folder (test_mode_and_end),
        unit_test_in_folder (test_left_behind),
        unit_test_in_folder (test_another_daemon),
        unit_test_in_folder (test_refused),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
