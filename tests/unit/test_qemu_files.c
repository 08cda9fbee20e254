//  test_qemu_files.c: the host's files that a guest uses, and their owner while it runs.

#include "drivers/qemu/qemu_files.h"
#include "drivers/undo.h"
#include "fake_job.h"
#include "folder.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define GUEST_USER 64055

static char folder[UNIT_PATH_SIZE];
static char written[64], shared[64], secret[64];

static void make_file (char path[64], const char *name, mode_t mode)
{
    snprintf (path, 64, "%s/%s", folder, name);
    int fd = open (path, O_WRONLY | O_CREAT, mode);
    assert_true (fd >= 0);
    fchmod (fd, mode);
    close (fd);
}

static int setup (void **state)
{
    (void) state;
    unit_new_folder (folder);
    make_file (written, "disk", 0600);
    make_file (shared, "kernel", 0644);
    make_file (secret, "initrd", 0600);
    return 0;
}

static int teardown (void **state)
{
    (void) state;
    unlink (written);
    unlink (shared);
    unlink (secret);
    return rmdir (folder);
}

static uid_t owner_of (const char *path)
{
    struct stat status;
    assert_int_equal (stat (path, &status), 0);
    return status.st_uid;
}

static xml_t *document (const char *disk)
{
    char text[512];
    error_t err = { 0 };
    snprintf (text, sizeof text,
              "<domain><os><kernel>%s</kernel><initrd>%s</initrd></os><devices>"
              "<emulator>/bin/true</emulator><disk><source file='%s'/><target dev='vda'/></disk>"
              "</devices></domain>",
              shared, secret, disk);
    return xml_parse (text, strlen (text), "test", &err);
}

static void test_missing_files_are_named (void **state)
{
    (void) state;
    error_t err = { 0 };
    auto(xml_t) good = document (written);
    assert_int_equal (qemu_check_files (good, &err), 0);
    auto(xml_t) bad = document ("/no/such/disk");
    assert_int_equal (qemu_check_files (bad, &err), -1);
    assert_string_equal (err.message, "disk 'vda': can't use the file '/no/such/disk': "
                                      "No such file or directory");
}

static void test_files_are_lent_and_given_back (void **state)
{
    (void) state;
    if (geteuid () != 0)
        skip ();
    fake_job_t fake;
    fake_job_init (&fake, folder);
    error_t err = { 0 };
    fake.guest.live = document (written);
    fake.guest.record = xml_parse ("<driver/>", 9, "record", &err);
    assert_int_equal (qemu_take_files (&fake.job, GUEST_USER, GUEST_USER, &err), 0);
    assert_int_equal (owner_of (written), GUEST_USER);
    assert_int_equal (owner_of (secret), GUEST_USER);
    //  Everybody may read it, and the guest only reads it.
    assert_int_equal (owner_of (shared), 0);
    //  Each undo is there before its effect, and on disk.
    assert_non_null (strstr (fake.trace, "undo owner 0:0:"));
    assert_non_null (strstr (fake.trace, "record"));
    qemu_give_files_back (&fake.job);
    assert_int_equal (owner_of (written), 0);
    assert_int_equal (owner_of (secret), 0);
    fake_job_clear (&fake);
}

//  In a mount namespace of this test's own, the system has a user for QEMU.
static bool make_user (void)
{
    char path[64];
    if (geteuid () != 0 || unshare (CLONE_NEWNS) ||
        mount ("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
        return false;
    make_file (path, "passwd", 0644);
    FILE *file = fopen (path, "w");
    assert_true (
        file && fprintf (file, "troupe-qemu:x:%d:%d::/:/bin/false\n", GUEST_USER, GUEST_USER) > 0 &&
        fclose (file) == 0);
    assert_int_equal (mount (path, "/etc/passwd", NULL, MS_BIND, NULL), 0);
    return unlink (path) == 0;
}

static void test_a_shared_node_is_on_record (void **state)
{
    (void) state;
    fake_job_t fake;
    if (!make_user ())
        skip ();
    fake_job_init (&fake, folder);
    error_t err = { 0 };
    fake.guest.name = (char *) (uintptr_t) "fixture";
    fake.guest.record = xml_parse ("<driver/>", 9, "record", &err);
    fake.paths.mode = PATHS_SYSTEM;
    xml_node_t *note = xml_add (xml_root (fake.guest.record), "device");
    assert_int_equal (qemu_take_shared (&fake.job, note, "scsi:1:0:2:0", written, &err), 0);
    assert_non_null (strstr (fake.trace, "undo node scsi:1:0:2:0\n"));
    assert_true (xml_equals (note, "@shared", "yes"));
    assert_int_equal (owner_of (written), GUEST_USER);
    assert_non_null (strstr (fake.trace, "undo node scsi:1:0:2:0 0:0:"));
    assert_int_equal (undo_run (&fake.job, "node", fake.undos[1].argument, &err), 0);
    assert_int_equal (owner_of (written), 0);
    assert_null (xml_find (xml_root (fake.guest.record), "owner"));
    fake_job_clear (&fake);
}

static void test_only_the_systems_daemon_has_another_user (void **state)
{
    (void) state;
    fake_job_t fake;
    fake_job_init (&fake, folder);
    uid_t uid = 1;
    gid_t gid = 1;
    qemu_identity (&fake.job, &uid, &gid);
    assert_int_equal (uid, 0);
    assert_int_equal (gid, 0);
    assert_string_equal (fake.trace, "");
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_missing_files_are_named),
        cmocka_unit_test (test_files_are_lent_and_given_back),
        cmocka_unit_test (test_only_the_systems_daemon_has_another_user),
        cmocka_unit_test (test_a_shared_node_is_on_record),
    };
    return cmocka_run_group_tests (tests, setup, teardown);
}
