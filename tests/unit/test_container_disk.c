//  test_container_disk.c: what file system an image has.

#include "container/container_disk.h"
#include "unit.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define IMAGE_BYTES (8 * 1024 * 1024)

typedef struct {
    off_t offset;
    const char *bytes;
    size_t size;
} mark_t;

//  The header of a squashfs 4.0, and an xfs's: what they say of themselves at the least.
static const mark_t squashfs[] = {
    { 0, "hsqs", 4 },
    { 28, "\x04\0\0\0", 4 },
};
static const mark_t swap[] = {
    { 4096 - 10, "SWAPSPACE2", 10 },
    { 1024, "\x01\0\0\0\x10\0\0\0", 8 },
};
static const mark_t luks[] = {
    { 0, "LUKS\xba\xbe\0\x01", 8 },
};

static int image_with (const mark_t *marks, size_t count)
{
    int fd = memfd_create ("image", MFD_CLOEXEC);
    assert_true (fd >= 0);
    assert_int_equal (ftruncate (fd, IMAGE_BYTES), 0);
    for (size_t i = 0; i < count; i++)
        assert_int_equal (pwrite (fd, marks[i].bytes, marks[i].size, marks[i].offset),
                          (ssize_t) marks[i].size);
    return fd;
}

static int probe (const mark_t *marks, size_t count, container_fs_t *fs, error_t *err)
{
    *fs = (container_fs_t){ .source = "/images/a", .target = "/data" };
    int fd = image_with (marks, count);
    int rc = container_disk_probe (fs, fd, err);
    close (fd);
    return rc;
}

static void finds_the_type (void **state)
{
    (void) state;
    container_fs_t fs;
    error_t err;
    assert_int_equal (probe (squashfs, 2, &fs, &err), 0);
    assert_string_equal (fs.type, "squashfs");
}

static void refuses_what_is_none (void **state)
{
    (void) state;
    container_fs_t fs;
    error_t err;
    assert_int_equal (probe (NULL, 0, &fs, &err), -1);
    assert_non_null (strstr (err.message, "filesystem '/data': '/images/a' has no file system"));
    assert_int_equal (probe (swap, 2, &fs, &err), -1);
    assert_non_null (strstr (err.message, "something else than a file system"));
    assert_int_equal (probe (luks, 1, &fs, &err), -1);
    assert_string_equal (fs.type, "");
}

//  Which of them is meant, nobody knows.
static void refuses_two_at_once (void **state)
{
    (void) state;
    const mark_t both[] = { squashfs[0], squashfs[1], swap[0], swap[1] };
    container_fs_t fs;
    error_t err;
    assert_int_equal (probe (both, 4, &fs, &err), -1);
    assert_non_null (strstr (err.message, "more than one file system"));
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (finds_the_type),
        cmocka_unit_test (refuses_what_is_none),
        cmocka_unit_test (refuses_two_at_once),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
