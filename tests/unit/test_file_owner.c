//  test_file_owner.c: a file goes back to whom it belonged to, and only the file that it was.

#include "drivers/file_owner.h"
#include "drivers/undo.h"
#include "fake_job.h"
#include "folder.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define GUEST_USER 64055

static char folder[UNIT_PATH_SIZE];
static char file[64];

static int setup (void **state)
{
    (void) state;
    if (!*file)
        unit_new_folder (folder);
    snprintf (file, sizeof file, "%s/node", folder);
    int fd = open (file, O_WRONLY | O_CREAT | O_EXCL, 0600);
    return fd < 0 ? -1 : close (fd);
}

static int teardown (void **state)
{
    (void) state;
    return unlink (file);
}

static int remove_folder (void **state)
{
    (void) state;
    return rmdir (folder);
}

//  What is noted before it is the guest's. The caller frees it.
static char *note_and_give (void)
{
    error_t err;
    int fd = open (file, O_PATH | O_CLOEXEC);
    assert_true (fd >= 0);
    char *note = file_owner_note (fd, file, &err);
    assert_non_null (note);
    assert_string_equal (file_owner_path (note), file);
    close (fd);
    assert_int_equal (chown (file, GUEST_USER, GUEST_USER), 0);
    return note;
}

static uid_t owner_now (void)
{
    struct stat status;
    assert_int_equal (stat (file, &status), 0);
    return status.st_uid;
}

static void test_goes_back (void **state)
{
    (void) state;
    error_t err;
    if (geteuid () != 0)
        skip ();
    autofree char *note = note_and_give ();
    assert_int_equal (owner_now (), GUEST_USER);
    assert_int_equal (file_owner_restore (note, &err), 0);
    assert_int_equal (owner_now (), 0);
    assert_int_equal (file_owner_restore (note, &err), 0);
}

//  By another, which has another inode: both are there for a moment.
static void replace_file (void)
{
    char other[sizeof file + 4];
    snprintf (other, sizeof other, "%s.new", file);
    int fd = open (other, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true (fd >= 0);
    close (fd);
    assert_int_equal (rename (other, file), 0);
}

//  The number of its inode came again: only its birth says that it is another one.
static void test_born_later (void **state)
{
    (void) state;
    error_t err;
    if (geteuid () != 0)
        skip ();
    autofree char *note = note_and_give ();
    char *path = strrchr (note, ':'), *born = path;
    while (born[-1] != ':')
        born--;
    autofree char *earlier = text_format ("%.*s12345%s", (int) (born - note), note, path);
    assert_int_equal (file_owner_restore (earlier, &err), 1);
    assert_int_equal (owner_now (), GUEST_USER);
}

//  The kernel made another node at its path: it may be another guest's by now.
static void test_another_stays (void **state)
{
    (void) state;
    error_t err = { 0 };
    fake_job_t fake;
    fake_job_init (&fake, "/nowhere");
    if (geteuid () != 0)
        skip ();
    autofree char *note = note_and_give ();
    replace_file ();
    assert_int_equal (chown (file, GUEST_USER, GUEST_USER), 0);
    assert_int_equal (file_owner_restore (note, &err), 1);
    assert_int_equal (owner_now (), GUEST_USER);
    assert_int_equal (undo_run (&fake.job, "owner", note, &err), 0);
    assert_int_equal (owner_now (), GUEST_USER);
    fake_job_clear (&fake);
}

//  The file is in the lower layer of an overlay. False: the kernel does not let us.
static bool mount_overlay (void)
{
    static const char *const parts[] = { "lower", "upper", "work", "node" };
    if (unshare (CLONE_NEWNS) || mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
        mount ("none", folder, "tmpfs", 0, NULL) || chdir (folder))
        return false;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (mkdir (parts[i], 0700))
            return false;
    int fd = open ("lower/image", O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (fd < 0 || close (fd) ||
        mount ("overlay", file, "overlay", 0, "lowerdir=lower,upperdir=upper,workdir=work"))
        return false;
    snprintf (file, sizeof file, "%s/node/image", folder);
    return true;
}

//  Changed for the first time, it is copied into the upper layer.
static void test_overlay (void **state)
{
    enum {
        SKIPPED = 77
    };
    (void) state;
    int status;
    pid_t child = geteuid () == 0 ? fork () : -1;
    if (child < 0)
        skip ();
    if (child == 0) {
        error_t err;
        if (!mount_overlay ())
            _exit (SKIPPED);
        autofree char *note = note_and_give ();
        _exit (file_owner_restore (note, &err) || owner_now () != 0);
    }
    assert_int_equal (waitpid (child, &status, 0), child);
    if (WIFEXITED (status) && WEXITSTATUS (status) == SKIPPED)
        skip ();
    assert_int_equal (status, 0);
}

static void test_of_an_earlier_daemon (void **state)
{
    (void) state;
    error_t err;
    autofree char *note = text_format ("0:0:%s", file);
    if (geteuid () != 0)
        skip ();
    assert_string_equal (file_owner_path (note), file);
    assert_int_equal (chown (file, GUEST_USER, GUEST_USER), 0);
    assert_int_equal (file_owner_restore (note, &err), 0);
    assert_int_equal (owner_now (), 0);
}

static void test_nothing_there (void **state)
{
    (void) state;
    error_t err;
    assert_int_equal (file_owner_restore ("0:0:/no/such/node", &err), 0);
    assert_int_equal (file_owner_restore ("0:0:1:2:3:/no/such/node", &err), 0);
}

static void test_no_notes (void **state)
{
    (void) state;
    static const char *const texts[] = { "",         "/node",       "0:/node",
                                         "0:0:node", "0:0:1:/node", "0:0:1:2:3:node" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        error_t err = { 0 };
        assert_null (file_owner_path (texts[i]));
        assert_int_equal (file_owner_restore (texts[i], &err), -1);
        assert_int_equal (err.code, ERR_INVALID_ARG);
    }
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (test_goes_back, setup, teardown),
        cmocka_unit_test_setup_teardown (test_another_stays, setup, teardown),
        cmocka_unit_test_setup_teardown (test_born_later, setup, teardown),
        cmocka_unit_test_setup_teardown (test_of_an_earlier_daemon, setup, teardown),
        cmocka_unit_test_setup_teardown (test_overlay, setup, teardown),
        cmocka_unit_test (test_nothing_there),
        cmocka_unit_test (test_no_notes),
    };
    return cmocka_run_group_tests (tests, NULL, remove_folder);
}
