//  test_qemu_sockets.c: a guest's devices do not take the sockets of others.

#include "drivers/qemu/qemu_sockets.h"
#include "fake_job.h"
#include "unit.h"
#include "unit_xml.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define UUID "c0ffee00-1111-4222-8333-444455556666"

static fake_job_t fake;
static char run[64];

static int setup (void **state)
{
    if (unit_make_folder (state))
        return -1;
    snprintf (run, sizeof run, "%s/run", (char *) *state);
    fake_job_init (&fake, run);
    snprintf (fake.guest.uuid, sizeof fake.guest.uuid, UUID);
    return 0;
}

static int teardown (void **state)
{
    fake_job_clear (&fake);
    return unit_remove_folder (state);
}

static void make_folders (char *path)
{
    for (char *slash = strchr (path + 1, '/'); slash; slash = strchr (slash + 1, '/')) {
        *slash = 0;
        mkdir (path, 0700);
        *slash = '/';
    }
}

//  What a channel at this path is refused with; "": it may be there.
static const char *refusal (const char *mode, const char *path)
{
    static error_t err;
    err = (error_t){ 0 };
    auto(xml_t) channel = unit_xmlf ("<channel type='unix'><source mode='%s' path='%s'/>"
                                     "<target type='virtio' name='org.x'/></channel>",
                                     mode, path);
    qemu_sockets_check_free (&fake.job, xml_root (channel), &err);
    assert_int_equal (err.code, *err.message ? ERR_OPERATION_INVALID : 0);
    return err.message;
}

static int make_socket (const char *path, bool listens)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf (address.sun_path, sizeof address.sun_path, "%s", path);
    assert_int_equal (bind (fd, (struct sockaddr *) &address, sizeof address), 0);
    assert_int_equal (listens ? listen (fd, 1) : 0, 0);
    return fd;
}

//  Also by another name of the folder.
static void test_where_somebody_listens (void **state)
{
    autofree char *path = text_format ("%s/agent", (char *) *state);
    autofree char *link = text_format ("%s/link", (char *) *state);
    autofree char *other = text_format ("%s/./agent", link);
    assert_int_equal (symlink (*state, link), 0);
    assert_string_equal (refusal ("bind", path), "");
    int fd = make_socket (path, true);
    assert_non_null (strstr (refusal ("bind", path), "channel 'org.x': another program, or another "
                                                     "guest, listens at its socket"));
    assert_non_null (strstr (refusal ("bind", other), "listens at its socket"));
    assert_string_equal (refusal ("connect", path), "");
    close (fd);
    assert_string_equal (refusal ("bind", path), "");
    unlink (path);
    fd = make_socket (path, false);
    assert_string_equal (refusal ("bind", path), "");
    close (fd);
}

//  A guest's monitor is not there yet before it starts.
static void test_in_the_daemons_folder (void **state)
{
    (void) state;
    autofree char *monitor = text_format ("%s/qemu/" UUID ".monitor", run);
    autofree char *own = text_format ("%s/qemu/" UUID "/agent", run);
    make_folders (own);
    assert_non_null (strstr (refusal ("bind", monitor), "is in the daemon's own folder"));
    assert_string_equal (refusal ("bind", own), "");
    autofree char *beside = text_format ("%s-not/x", run);
    make_folders (beside);
    assert_string_equal (refusal ("bind", beside), "");
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (test_where_somebody_listens, setup, teardown),
        cmocka_unit_test_setup_teardown (test_in_the_daemons_folder, setup, teardown),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
