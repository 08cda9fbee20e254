//  test_pending_file.c: when a large file has its name, and what it may not replace.

#include "drivers/pending_file.h"
#include "fake_job.h"
#include "unit.h"
#include "util/file.h"
#include "util/text.h"

#include <fcntl.h>
#include <unistd.h>

static fake_job_t fake;

static char *old_file (void **state)
{
    error_t err = { 0 };
    char *path = text_format ("%s/file", (const char *) *state);
    fake_job_init (&fake, "/nowhere");
    assert_int_equal (file_write (path, "old", 3, &err), 0);
    return path;
}

static void assert_holds (const char *path, const char *wanted)
{
    error_t err = { 0 };
    size_t size;
    autofree char *data = file_read (path, 100, &size, &err);
    assert_non_null (data);
    assert_string_equal (data, wanted);
}

static void test_what_was_there_stays_until_it_is_complete (void **state)
{
    error_t err = { 0 };
    autofree char *path = old_file (state);
    auto(pending_file_t) file = pending_file_new (&fake.job, path, &err);
    assert_non_null (file);
    assert_non_null (strstr (fake.trace, "undo file"));
    assert_int_equal (write (file->fd, "new", 3), 3);
    assert_holds (path, "old");
    assert_int_equal (pending_file_commit (file, &err), 0);
    assert_holds (path, "new");
    assert_int_equal (access (file->partial, F_OK), -1);
}

static void assert_refused (const char *path, const char *why)
{
    error_t err = { 0 };
    auto(pending_file_t) file = pending_file_new (&fake.job, path, &err);
    assert_null (file);
    assert_non_null (strstr (err.message, why));
    assert_string_equal (fake.trace, "");
}

static void test_what_may_not_be_replaced (void **state)
{
    fake_job_init (&fake, "/nowhere");
    assert_refused ("file", "not absolute");
    assert_refused (*state, "no regular file");
    assert_refused ("/dev/null", "no regular file");
}

//  As QEMU locks its images: for writing, and those below them for reading.
static void test_a_disk_of_a_running_guest_is_not_replaced (void **state)
{
    autofree char *path = old_file (state);
    static const short kinds[] = { F_WRLCK, F_RDLCK };
    for (size_t i = 0; i < 2; i++) {
        autoclose int fd = open (path, O_RDWR | O_CLOEXEC);
        struct flock range = {
            .l_type = kinds[i], .l_whence = SEEK_SET, .l_start = 100, .l_len = 1
        };
        assert_int_equal (fcntl (fd, F_OFD_SETLK, &range), 0);
        assert_refused (path, "in use");
    }
    assert_holds (path, "old");
    error_t err = { 0 };
    auto(pending_file_t) file = pending_file_new (&fake.job, path, &err);
    assert_non_null (file);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        unit_test_in_folder (test_what_was_there_stays_until_it_is_complete),
        unit_test_in_folder (test_what_may_not_be_replaced),
        unit_test_in_folder (test_a_disk_of_a_running_guest_is_not_replaced),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
