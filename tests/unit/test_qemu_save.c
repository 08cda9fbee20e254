//  test_qemu_save.c: guests saved to a file and restored from it, with the QEMU of this machine;
//  and what is left when that is called off, fails, or the daemon is killed meanwhile.

#include "drivers/save_image.h"
#include "real_guest.h"

#include <sys/mount.h>

#define SLOW 20000 //  bytes a second: the guest's state takes half a minute

static const save_options_t as_it_is = { .go_on = GO_ON_AS_SAVED };
static const restore_options_t keep_file = { .go_on = GO_ON_AS_SAVED };

static void save_to (const char *path, const save_options_t *options)
{
    error_t err = { 0 };
    if (qemu_driver.save (job (), path, options, &err))
        fail_msg ("%s", err.message);
    assert_int_equal (guest_of (&self)->status.state, STATE_SHUTOFF);
    assert_int_equal (guest_of (&self)->status.reason, SHUTOFF_SAVED);
    assert_true (kill (self.real.pid, 0) < 0);
    real_guest_forget_live (&self);
}

static void restore_from (const char *path, const restore_options_t *options)
{
    error_t err = { 0 };
    if (qemu_driver.restore (job (), path, options, &err))
        fail_msg ("%s", err.message);
    self.real.fake.undo_count = 0;
}

//  A job that failed is undone; the guest runs on, and nothing is left.
static void assert_called_off (const char *path, bool runs)
{
    real_unwind (&self.real);
    if (strstr (self.real.fake.trace, "log "))
        fail_msg ("%s", strstr (self.real.fake.trace, "log "));
    assert_int_equal (real_guest_runs (&self), runs);
    assert_int_equal (access (path, F_OK), -1);
    assert_int_equal (real_guest_count (&self, ".troupe"), 0);
}

static bool cancel_at_the_fifth (real_job_t *real)
{
    return real->waits == 5;
}

static bool kill_at_the_fifth (real_job_t *real)
{
    if (real->waits == 5)
        kill (real->pid, SIGKILL);
    return false;
}

//  What goes well.

static void test_a_restored_guest_is_the_saved_one (void **state)
{
    (void) state;
    autofree char *path = real_guest_path (&self, "a.save");
    real_guest_start (&self,
                      "<serial/><video><model type='vga'/></video><memballoon model='virtio'/>", 0);
    error_t err = { 0 };
    poll (NULL, 0, 300);
    assert_int_equal (qemu_driver.suspend (job (), &err), 0);
    autofree char *registers = real_guest_ask (&self, "info registers", true);
    autofree char *memory = real_guest_ask (&self, "xp /256wx 0x400", true);
    save_to (path, &as_it_is);
    assert_true (self.real.fake.progress.total >= 64 << 20);
    assert_int_equal (self.real.fake.progress.processed, self.real.fake.progress.total);
    restore_from (path, &keep_file);
    assert_int_equal (guest_of (&self)->status.state, STATE_PAUSED);
    assert_false (real_guest_runs (&self));
    autofree char *registers_now = real_guest_ask (&self, "info registers", true);
    autofree char *memory_now = real_guest_ask (&self, "xp /256wx 0x400", true);
    assert_string_equal (registers, registers_now);
    assert_string_equal (memory, memory_now);
    //  With what each start has of its own.
    console_source_t source;
    assert_int_equal (qemu_driver.console (guest_of (&self)->live, NULL, &source, &err), 0);
    assert_int_equal (access (source.path, F_OK), 0);
    assert_int_equal (access (path, F_OK), 0);
    real_guest_end (&self);
}

static void test_a_managed_save_is_used_once (void **state)
{
    (void) state;
    autofree char *path = real_guest_path (&self, "b.save");
    restore_options_t remove = { .go_on = GO_ON_AS_SAVED, .remove = true };
    real_guest_start (&self, "", 0);
    save_to (path, &as_it_is);
    restore_from (path, &remove);
    assert_true (real_guest_runs (&self));
    assert_int_equal (guest_of (&self)->status.reason, RUNNING_RESTORED);
    assert_int_equal (access (path, F_OK), -1);
    assert_int_equal (real_guest_count (&self, ".troupe"), 0);
    assert_null (xml_find (xml_root (guest_of (&self)->record), "used"));
    real_guest_end (&self);
}

static void test_how_it_goes_on_can_be_chosen (void **state)
{
    (void) state;
    autofree char *path = real_guest_path (&self, "c.save");
    save_options_t run_later = { .go_on = GO_ON_RUNNING };
    restore_options_t paused = { .go_on = GO_ON_PAUSED };
    real_guest_start (&self, "", START_PAUSED);
    save_to (path, &run_later);
    restore_from (path, &keep_file);
    assert_true (real_guest_runs (&self));
    save_to (path, &as_it_is);
    restore_from (path, &paused);
    assert_false (real_guest_runs (&self));
    error_t err = { 0 };
    assert_int_equal (qemu_driver.resume (job (), &err), 0);
    save_to (path, &as_it_is);
    assert_int_equal (qemu_driver.image_define (job (), path, NULL, GO_ON_PAUSED, &err), 0);
    restore_from (path, &keep_file);
    assert_false (real_guest_runs (&self));
    real_guest_end (&self);
}

static void make_disk (const char *path)
{
    int fd = open (path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal (ftruncate (fd, 1 << 20), 0);
    close (fd);
}

//  The document that PATH is restored from, with PLACE set to VALUE.
static char *changed (const char *path, const char *place, const char *value)
{
    error_t err = { 0 };
    auto(save_image_t) image = save_image_open (path, &err);
    assert_non_null (image);
    xml_set (xml_root (image->live), place, value);
    return xml_text (image->live);
}

static void test_a_changed_document_has_to_fit (void **state)
{
    (void) state;
    autofree char *path = real_guest_path (&self, "d.save");
    autofree char *one = real_guest_path (&self, "one.img");
    autofree char *two = real_guest_path (&self, "two.img");
    autofree char *disk = text_format ("<disk><source file='%s'/><target dev='vda'/></disk>", one);
    error_t err = { 0 };
    make_disk (one);
    real_guest_start (&self, disk, 0);
    save_to (path, &as_it_is);
    assert_int_equal (rename (one, two), 0);
    //  The disk moved.
    assert_int_equal (qemu_driver.restore (job (), path, &keep_file, &err), -1);
    assert_non_null (strstr (err.message, "disk 'vda': can't use the file"));
    real_unwind (&self.real);
    autofree char *moved = changed (path, "devices/disk/source/@file", two);
    autofree char *larger = changed (path, "memory", "131072");
    restore_options_t options = { .xml = larger };
    assert_int_equal (qemu_driver.restore (job (), path, &options, &err), -1);
    assert_non_null (strstr (err.message, "memory/# is '131072', and was '65536'"));
    options.xml = moved;
    restore_from (path, &options);
    assert_string_equal (
        xml_string (xml_root (guest_of (&self)->live), "devices/disk/source/@file"), two);
    save_to (path, &as_it_is);
    assert_int_equal (qemu_driver.image_define (job (), path, larger, GO_ON_AS_SAVED, &err), -1);
    autofree char *titled = changed (path, "title", "later");
    assert_int_equal (qemu_driver.image_define (job (), path, titled, GO_ON_AS_SAVED, &err), 0);
    restore_from (path, &keep_file);
    assert_string_equal (xml_string (xml_root (guest_of (&self)->live), "title"), "later");
    real_guest_end (&self);
}

//  What does not.

static void test_cancelled_in_the_middle (void **state)
{
    (void) state;
    autofree char *path = real_guest_path (&self, "e.save");
    save_options_t slow = { .bandwidth = SLOW };
    error_t err = { 0 };
    real_guest_start (&self, "", 0);
    self.real.on_wait = cancel_at_the_fifth;
    assert_int_equal (qemu_driver.save (job (), path, &slow, &err), -1);
    assert_int_equal (err.code, ERR_OPERATION_ABORTED);
    assert_int_equal (real_guest_count (&self, ".troupe"), 1);
    assert_string_equal (self.real.fake.progress.step, "saving");
    assert_called_off (path, true);
    //  It can still be saved.
    self.real.on_wait = NULL;
    save_to (path, &as_it_is);
    real_guest_end (&self);
}

static void test_a_paused_guest_stays_paused (void **state)
{
    (void) state;
    autofree char *path = real_guest_path (&self, "f.save");
    save_options_t slow = { .bandwidth = SLOW };
    error_t err = { 0 };
    real_guest_start (&self, "", START_PAUSED);
    self.real.on_wait = cancel_at_the_fifth;
    assert_int_equal (qemu_driver.save (job (), path, &slow, &err), -1);
    assert_called_off (path, false);
    real_guest_end (&self);
}

static void test_qemu_killed_in_the_middle (void **state)
{
    (void) state;
    autofree char *path = real_guest_path (&self, "g.save");
    save_options_t slow = { .bandwidth = SLOW };
    error_t err = { 0 };
    real_guest_start (&self, "", 0);
    self.real.on_wait = kill_at_the_fifth;
    assert_int_equal (qemu_driver.save (job (), path, &slow, &err), -1);
    assert_int_equal (err.code, ERR_OPERATION_FAILED);
    real_unwind (&self.real);
    assert_null (strstr (self.real.fake.trace, "log "));
    assert_int_equal (access (path, F_OK), -1);
    assert_int_equal (real_guest_count (&self, ".troupe"), 0);
    real_guest_end (&self);
}

static void test_a_full_disk (void **state)
{
    (void) state;
    autofree char *folder = real_guest_path (&self, "small");
    autofree char *path = real_guest_path (&self, "small/h.save");
    error_t err = { 0 };
    assert_int_equal (mkdir (folder, 0700), 0);
    if (mount ("none", folder, "tmpfs", 0, "size=256k"))
        skip ();
    real_guest_start (&self, "", 0);
    int rc = qemu_driver.save (job (), path, &as_it_is, &err);
    real_unwind (&self.real);
    auto(strings_t) left = strings_new ();
    DIR *small = opendir (folder);
    for (struct dirent *entry; (entry = readdir (small));)
        strings_add (left, entry->d_name);
    closedir (small);
    assert_int_equal (umount (folder), 0);
    assert_int_equal (rc, -1);
    assert_int_equal (left->count, 2); //  "." and ".."
    assert_non_null (strstr (err.message, "No space left on device"));
    assert_true (real_guest_runs (&self));
    real_guest_end (&self);
}

static void test_an_older_file_outlives_a_failure (void **state)
{
    (void) state;
    autofree char *path = real_guest_path (&self, "i.save");
    save_options_t slow = { .bandwidth = SLOW };
    error_t err = { 0 };
    real_guest_start (&self, "", 0);
    save_to (path, &as_it_is);
    restore_from (path, &keep_file);
    self.real.on_wait = cancel_at_the_fifth;
    self.real.waits = 0;
    assert_int_equal (qemu_driver.save (job (), path, &slow, &err), -1);
    real_unwind (&self.real);
    auto(save_image_t) image = save_image_open (path, &err);
    assert_non_null (image);
    real_guest_end (&self);
}

static void test_what_cannot_be_written_is_named (void **state)
{
    (void) state;
    error_t err = { 0 };
    real_guest_start (&self, "", 0);
    assert_int_equal (qemu_driver.save (job (), "relative", &as_it_is, &err), -1);
    assert_string_equal (err.message,
                         "save domain 'real' to 'relative': write 'relative': the path "
                         "is not absolute");
    assert_int_equal (qemu_driver.save (job (), "/dev/null", &as_it_is, &err), -1);
    assert_non_null (strstr (err.message, "it is there, and no regular file"));
    assert_int_equal (qemu_driver.save (job (), "/no/such/folder/x", &as_it_is, &err), -1);
    assert_non_null (strstr (err.message, "No such file or directory"));
    guest_of (&self)->status.state = STATE_PMSUSPENDED;
    assert_int_equal (qemu_driver.save (job (), "/tmp/x", &as_it_is, &err), -1);
    assert_non_null (strstr (err.message, "only a guest that runs or is paused can be saved"));
    real_unwind (&self.real);
    assert_true (real_guest_runs (&self));
    real_guest_end (&self);
}

//  The daemon is killed: what it had recorded is done by the next one, which has no connection.

static void test_the_next_daemon_lets_the_guest_go_on (void **state)
{
    (void) state;
    autofree char *path = real_guest_path (&self, "j.save");
    save_options_t slow = { .bandwidth = SLOW };
    error_t err = { 0 };
    real_guest_start (&self, "", 0);
    self.real.on_wait = cancel_at_the_fifth;
    assert_int_equal (qemu_driver.save (job (), path, &slow, &err), -1);
    real_monitor_close (job (), &err);
    real_unwind (&self.real);
    assert_null (strstr (self.real.fake.trace, "log "));
    assert_int_equal (qemu_driver.adopt (job (), &err), 0);
    assert_int_equal (guest_of (&self)->status.state, STATE_RUNNING);
    assert_called_off (path, true);
    real_guest_end (&self);
}

static void test_the_next_daemon_ends_a_guest_that_is_saved (void **state)
{
    (void) state;
    autofree char *path = real_guest_path (&self, "k.save");
    error_t err = { 0 };
    real_guest_start (&self, "", 0);
    //  Killed right after the file got its name.
    self.real.fake.fail = "commit";
    assert_int_equal (qemu_driver.save (job (), path, &as_it_is, &err), -1);
    self.real.fake.fail = NULL;
    real_monitor_close (job (), &err);
    real_unwind (&self.real);
    assert_int_equal (qemu_driver.adopt (job (), &err), 0);
    assert_int_equal (guest_of (&self)->status.state, STATE_SHUTOFF);
    assert_int_equal (guest_of (&self)->status.reason, SHUTOFF_SAVED);
    real_guest_forget_live (&self);
    restore_from (path, &keep_file);
    assert_true (real_guest_runs (&self));
    real_guest_end (&self);
}

//  Files that can't be restored.

static void overwrite (const char *path, off_t at, size_t size)
{
    char noise[4096];
    memset (noise, 0xa5, sizeof noise);
    autoclose int fd = open (path, O_WRONLY | O_CLOEXEC);
    assert_true (size <= sizeof noise);
    assert_int_equal (pwrite (fd, noise, size, at), size);
}

static void assert_not_restored (const char *path, const char *why)
{
    error_t err = { 0 };
    restore_options_t remove = { .remove = true };
    assert_int_equal (qemu_driver.restore (job (), path, &remove, &err), -1);
    if (!strstr (err.message, why))
        fail_msg ("%s", err.message);
    real_unwind (&self.real);
    assert_true (kill (self.real.pid, 0) < 0);
    assert_int_equal (access (path, F_OK), 0);
    real_guest_forget_live (&self);
}

static void test_a_damaged_file_is_refused_and_kept (void **state)
{
    (void) state;
    autofree char *path = real_guest_path (&self, "l.save");
    error_t err = { 0 };
    real_guest_start (&self, "", 0);
    save_to (path, &as_it_is);
    auto(save_image_t) image = save_image_open (path, &err);
    overwrite (path, (off_t) image->stream_at, 64);
    assert_not_restored (path, "QEMU ended over the saved state; its last words are:");
    overwrite (path, 4096, 10);
    assert_not_restored (path, "it is damaged: its checksum is wrong");
    assert_int_equal (truncate (path, (off_t) image->stream_at + 100), 0);
    assert_not_restored (path, "it was cut or changed");
    real_guest_end (&self);
}

static void test_a_guest_that_may_not_run_keeps_its_file (void **state)
{
    (void) state;
    autofree char *path = real_guest_path (&self, "m.save");
    real_guest_start (&self, "", 0);
    save_to (path, &as_it_is);
    self.real.fake.fail = "qmp cont";
    assert_not_restored (path, "the restored guest can't run: the test lets 'qmp' fail");
    assert_int_equal (real_guest_count (&self, ".troupe"), 0);
    real_guest_end (&self);
}

static void test_a_restore_that_is_not_durable_is_undone (void **state)
{
    (void) state;
    autofree char *path = real_guest_path (&self, "n.save");
    real_guest_start (&self, "", 0);
    save_to (path, &as_it_is);
    self.real.fake.fail = "commit";
    assert_not_restored (path, "the test lets 'commit' fail");
    assert_int_equal (real_guest_count (&self, ".troupe"), 0);
    real_guest_end (&self);
}

static void test_another_domain_is_not_restored (void **state)
{
    (void) state;
    autofree char *path = real_guest_path (&self, "o.save");
    error_t err = { 0 };
    real_guest_start (&self, "", 0);
    save_to (path, &as_it_is);
    real_guest_end (&self);
    real_guest_define (&self, "");
    assert_int_equal (qemu_driver.restore (job (), path, &keep_file, &err), -1);
    assert_int_equal (err.code, ERR_OPERATION_INVALID);
    assert_non_null (strstr (err.message, "it is of the domain"));
    real_guest_end (&self);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_a_restored_guest_is_the_saved_one),
        cmocka_unit_test (test_a_managed_save_is_used_once),
        cmocka_unit_test (test_how_it_goes_on_can_be_chosen),
        cmocka_unit_test (test_a_changed_document_has_to_fit),
        cmocka_unit_test (test_cancelled_in_the_middle),
        cmocka_unit_test (test_a_paused_guest_stays_paused),
        cmocka_unit_test (test_qemu_killed_in_the_middle),
        cmocka_unit_test (test_a_full_disk),
        cmocka_unit_test (test_an_older_file_outlives_a_failure),
        cmocka_unit_test (test_what_cannot_be_written_is_named),
        cmocka_unit_test (test_the_next_daemon_lets_the_guest_go_on),
        cmocka_unit_test (test_the_next_daemon_ends_a_guest_that_is_saved),
        cmocka_unit_test (test_a_damaged_file_is_refused_and_kept),
        cmocka_unit_test (test_a_guest_that_may_not_run_keeps_its_file),
        cmocka_unit_test (test_a_restore_that_is_not_durable_is_undone),
        cmocka_unit_test (test_another_domain_is_not_restored),
    };
    return cmocka_run_group_tests (tests, setup_guest, teardown_guest);
}
