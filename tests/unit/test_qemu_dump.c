//  test_qemu_dump.c: memory and screens of real guests, written to files.

#include "real_guest.h"

static void dump_to (const char *path, const dump_options_t *options)
{
    error_t err = { 0 };
    if (qemu_driver.dump (job (), path, options, &err))
        fail_msg ("%s", err.message);
    self.real.fake.undo_count = 0;
    assert_int_equal (real_guest_count (&self, ".troupe"), 0);
}

static void assert_begins (const char *path, const char *with)
{
    char bytes[16] = { 0 };
    autoclose int fd = open (path, O_RDONLY | O_CLOEXEC);
    assert_true (read (fd, bytes, strlen (with)) == (ssize_t) strlen (with));
    assert_string_equal (bytes, with);
}

static bool cancel_at_once (real_job_t *real)
{
    (void) real;
    return true;
}

static void test_memory_in_each_format_that_qemu_has (void **state)
{
    (void) state;
    autofree char *path = real_guest_path (&self, "core");
    dump_options_t options = { .memory_only = true };
    real_guest_start (&self, "", 0);
    dump_to (path, &options);
    assert_begins (path, "\177ELF");
    struct stat status;
    assert_int_equal (stat (path, &status), 0);
    assert_true (status.st_size > 64 << 20);
    assert_true (real_guest_runs (&self));
    assert_true (self.real.fake.progress.total >= 64 << 20);
    options.format = DUMP_KDUMP_ZLIB;
    dump_to (path, &options);
    assert_begins (path, "makedumpfile");
    assert_true (real_guest_runs (&self));
    real_guest_end (&self);
}

static void test_a_format_that_this_qemu_lacks (void **state)
{
    (void) state;
    autofree char *path = real_guest_path (&self, "none");
    error_t err = { 0 };
    dump_options_t options = { .memory_only = true, .format = DUMP_KDUMP_SNAPPY };
    real_guest_start (&self, "", 0);
    autofree char *has =
        real_guest_ask (&self, "{\"execute\":\"query-dump-guest-memory-capability\"}", false);
    int rc = qemu_driver.dump (job (), path, &options, &err);
    assert_int_equal (rc, strstr (has, "snappy") ? 0 : -1);
    if (rc) {
        assert_int_equal (err.code, ERR_OPERATION_UNSUPPORTED);
        assert_non_null (strstr (err.message, "not supported: the dump format kdump-snappy; this "
                                              "QEMU has elf"));
    }
    real_unwind (&self.real);
    assert_int_equal (access (path, F_OK), rc);
    real_guest_end (&self);
}

static void test_all_of_the_state (void **state)
{
    (void) state;
    autofree char *path = real_guest_path (&self, "state");
    dump_options_t options = { 0 };
    real_guest_start (&self, "", 0);
    dump_to (path, &options);
    assert_begins (path, "QEVM");
    assert_true (real_guest_runs (&self));
    options.live = true;
    dump_to (path, &options);
    assert_begins (path, "QEVM");
    assert_true (real_guest_runs (&self));
    assert_null (strstr (self.real.fake.trace + strlen (self.real.fake.trace) / 2, "qmp stop"));
    real_guest_end (&self);
}

static void test_a_paused_guest_stays_paused (void **state)
{
    (void) state;
    autofree char *path = real_guest_path (&self, "paused");
    dump_options_t options = { .memory_only = true };
    real_guest_start (&self, "", START_PAUSED);
    dump_to (path, &options);
    assert_false (real_guest_runs (&self));
    options.memory_only = false;
    dump_to (path, &options);
    assert_false (real_guest_runs (&self));
    real_guest_end (&self);
}

static void test_reset_and_crash (void **state)
{
    (void) state;
    autofree char *path = real_guest_path (&self, "end");
    dump_options_t options = { .memory_only = true, .reset = true };
    error_t err = { 0 };
    real_guest_start (&self, "", 0);
    dump_to (path, &options);
    assert_non_null (strstr (self.real.fake.trace, "qmp system_reset"));
    assert_true (real_guest_runs (&self));
    options.crash = true;
    assert_int_equal (qemu_driver.dump (job (), path, &options, &err), -1);
    assert_int_equal (err.code, ERR_INVALID_ARG);
    options.reset = false;
    dump_to (path, &options);
    assert_int_equal (guest_of (&self)->status.reason, SHUTOFF_CRASHED);
    assert_true (kill (self.real.pid, 0) < 0);
    real_guest_end (&self);
}

static void test_cancelled (void **state)
{
    (void) state;
    autofree char *path = real_guest_path (&self, "cancelled");
    dump_options_t options[] = { { .memory_only = true }, { .bandwidth = 20000 } };
    real_guest_start (&self, "", 0);
    for (int i = 0; i < 2; i++) {
        error_t err = { 0 };
        self.real.on_wait = cancel_at_once;
        assert_int_equal (qemu_driver.dump (job (), path, &options[i], &err), -1);
        assert_int_equal (err.code, ERR_OPERATION_ABORTED);
        real_unwind (&self.real);
        assert_null (strstr (self.real.fake.trace, "log "));
        assert_int_equal (access (path, F_OK), -1);
        assert_int_equal (real_guest_count (&self, ".troupe"), 0);
        assert_true (real_guest_runs (&self));
        self.real.on_wait = NULL;
        dump_to (path, &options[0]);
        assert_int_equal (unlink (path), 0);
    }
    real_guest_end (&self);
}

//  Screenshots.

static int count_of (const char *text, const char *word)
{
    int count = 0;
    for (size_t at = 0; text[at]; at++)
        count += strncmp (text + at, word, strlen (word)) == 0;
    return count;
}

static void test_a_screenshot (void **state)
{
    (void) state;
    screenshot_t shot;
    error_t err = { 0 };
    real_guest_start (&self, "<video><model type='vga'/></video>", 0);
    for (int i = 0; i < 2; i++) {
        const char *device = i ? "video0" : NULL;
        if (qemu_driver.screenshot (job (), device, 0, &shot, &err))
            fail_msg ("%s", err.message);
        assert_begins (shot.path, strcmp (shot.mime, "image/png") == 0 ? "\211PNG" : "P6");
        assert_int_equal (unlink (shot.path), 0);
        free (shot.path);
    }
    autofree char *sets = real_guest_ask (&self, "{\"execute\":\"query-fdsets\"}", false);
    assert_null (strstr (sets, "\"fd\":"));
    assert_true (count_of (sets, "fdset-id") <= 1);
    assert_int_equal (qemu_driver.screenshot (job (), "video7", 0, &shot, &err), -1);
    assert_string_equal (err.message,
                         "take a screenshot of domain 'real': it has no video device 'video7'");
    assert_int_equal (qemu_driver.screenshot (job (), NULL, 3, &shot, &err), -1);
    assert_int_equal (err.code, ERR_INVALID_ARG);
    real_guest_end (&self);
}

static void test_an_older_qemu_does_ppm (void **state)
{
    (void) state;
    fake_job_t fake;
    screenshot_t shot;
    error_t err = { 0 };
    static const char *const text = "<domain><devices/></domain>";
    char root[64];
    snprintf (root, sizeof root, "%s", self.real.root);
    fake_job_init (&fake, root);
    snprintf (fake.guest.uuid, sizeof fake.guest.uuid, "old");
    fake.guest.name = root;
    fake.guest.live = xml_parse (text, strlen (text), "test", &err);
    fake.fail = "qmp screendump {\"filename\":\"/dev/fdset/1000\",\"format\":\"png\"}";
    assert_int_equal (qemu_driver.screenshot (&fake.job, NULL, 0, &shot, &err), -1);
    assert_string_equal (shot.mime, "image/x-portable-pixmap");
    assert_non_null (strstr (fake.trace, "screendump {\"filename\":\"/dev/fdset/1000\"}"));
    assert_non_null (strstr (err.message, "QEMU wrote no picture"));
    xml_destroy (&fake.guest.live);
}

static void test_a_guest_without_a_screen (void **state)
{
    (void) state;
    screenshot_t shot;
    error_t err = { 0 };
    real_guest_start (&self, "", 0);
    assert_int_equal (qemu_driver.screenshot (job (), NULL, 0, &shot, &err), -1);
    assert_non_null (strstr (err.message, "There is no console to take a screendump from"));
    assert_null (shot.path);
    real_guest_end (&self);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_memory_in_each_format_that_qemu_has),
        cmocka_unit_test (test_a_format_that_this_qemu_lacks),
        cmocka_unit_test (test_all_of_the_state),
        cmocka_unit_test (test_a_paused_guest_stays_paused),
        cmocka_unit_test (test_reset_and_crash),
        cmocka_unit_test (test_cancelled),
        cmocka_unit_test (test_a_screenshot),
        cmocka_unit_test (test_an_older_qemu_does_ppm),
        cmocka_unit_test (test_a_guest_without_a_screen),
    };
    return cmocka_run_group_tests (tests, setup_guest, teardown_guest);
}
