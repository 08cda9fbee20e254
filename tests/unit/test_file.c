//  test_file.c: reading within bounds, replacing atomically, folders.

#include "util/file.h"

#include "unit.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>

static void writes_and_reads (void **state)
{
    error_t err;
    autofree char *path = text_format ("%s/a.xml", (char *) *state);
    assert_int_equal (file_write (path, "one", 3, &err), 0);
    assert_int_equal (file_write (path, "second", 6, &err), 0);
    size_t size = 0;
    autofree char *text = file_read (path, 6, &size, &err);
    assert_string_equal (text, "second");
    assert_int_equal (size, 6);
    struct stat status;
    assert_int_equal (stat (path, &status), 0);
    assert_int_equal (status.st_mode & 07777, 0600);
}

//  A file that can't be reached is not taken for one that is gone.
static void missing_is_what_the_kernel_says (void **state)
{
    error_t err;
    autofree char *file = text_format ("%s/there", (char *) *state);
    autofree char *below = text_format ("%s/there/below", (char *) *state);
    autofree char *none = text_format ("%s/none", (char *) *state);
    autofree char *loop = text_format ("%s/loop", (char *) *state);
    assert_int_equal (file_write (file, "1", 1, &err), 0);
    assert_int_equal (symlink ("loop", loop), 0);
    assert_false (file_is_missing (file));
    assert_true (file_is_missing (none));
    assert_true (file_is_missing (below));
    assert_false (file_is_missing (loop));
}

static void read_has_bounds (void **state)
{
    error_t err;
    autofree char *path = text_format ("%s/big", (char *) *state);
    assert_int_equal (file_write (path, "1234567", 7, &err), 0);
    assert_null (file_read (path, 6, NULL, &err));
    assert_int_equal (errno, EFBIG);
    assert_non_null (strstr (err.message, "larger than 6 bytes"));
    assert_null (file_read ("/dev/zero", 100, NULL, &err));
    assert_non_null (strstr (err.message, "not a regular file"));
    //  A FIFO without a writer must not hold the reader.
    autofree char *fifo = text_format ("%s/fifo", (char *) *state);
    assert_int_equal (mkfifo (fifo, 0600), 0);
    assert_null (file_read (fifo, 100, NULL, &err));
}

static void read_says_what_is_missing (void **state)
{
    error_t err;
    autofree char *path = text_format ("%s/none", (char *) *state);
    assert_null (file_read (path, 100, NULL, &err));
    assert_int_equal (errno, ENOENT);
    assert_int_equal (err.code, ERR_OPEN_FAILED);
    assert_non_null (strstr (err.message, path));
}

static void reads_files_of_unknown_size (void **state)
{
    (void) state;
    error_t err;
    size_t size = 0;
    autofree char *text = file_read ("/proc/self/status", 1 << 20, &size, &err);
    assert_non_null (text);
    assert_true (size > 500);
    assert_int_equal (strlen (text), size);
}

static void nothing_changes_before_commit (void **state)
{
    error_t err;
    autofree char *path = text_format ("%s/a.xml", (char *) *state);
    assert_int_equal (file_write (path, "old", 3, &err), 0);
    auto(file_write_t) left = file_write_begin (path, 0640, "new", 3, &err);
    assert_non_null (left);
    assert_int_equal (file_write_sync (left, &err), 0);
    autofree char *before = file_read (path, 100, NULL, &err);
    assert_string_equal (before, "old");
    assert_int_equal (file_write_commit (left, &err), 0);
    file_write_destroy (&left);
    autofree char *after = file_read (path, 100, NULL, &err);
    assert_string_equal (after, "new");
}

static void abandoned_write_leaves_nothing (void **state)
{
    error_t err;
    autofree char *path = text_format ("%s/a.xml", (char *) *state);
    auto(file_write_t) file = file_write_begin (path, 0600, "new", 3, &err);
    file_write_destroy (&file);
    assert_int_equal (rmdir (*state), 0);
    assert_int_equal (mkdir (*state, 0700), 0);
}

static void write_names_the_file (void **state)
{
    error_t err;
    autofree char *path = text_format ("%s/none/a.xml", (char *) *state);
    assert_int_equal (file_write (path, "x", 1, &err), -1);
    assert_int_equal (err.code, ERR_WRITE_FAILED);
    assert_non_null (strstr (err.message, path));
}

static void lists_sorted (void **state)
{
    error_t err;
    static const char *const names[] = { "c.xml", "a.xml", "b.xml", "a.status", ".d.xml" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        autofree char *path = text_format ("%s/%s", (char *) *state, names[i]);
        assert_int_equal (file_write (path, "", 0, &err), 0);
    }
    auto(strings_t) list = file_list (*state, ".xml", &err);
    assert_int_equal (list->count, 3);
    assert_string_equal (list->items[0], "a.xml");
    assert_string_equal (list->items[2], "c.xml");
    autofree char *none = text_format ("%s/none", (char *) *state);
    auto(strings_t) empty = file_list (none, "", &err);
    assert_int_equal (empty->count, 0);
    assert_null (file_list ("/etc/passwd", "", &err));
    assert_int_equal (err.code, ERR_OPEN_FAILED);
}

static void removes_a_folder_with_its_files (void **state)
{
    error_t err;
    autofree char *folder = text_format ("%s/folder", (char *) *state);
    autofree char *file = text_format ("%s/file", folder);
    assert_int_equal (file_make_folders (folder, 0700, &err), 0);
    assert_int_equal (file_write (file, "", 0, &err), 0);
    assert_int_equal (file_remove_folder (folder, &err), 0);
    assert_int_equal (access (folder, F_OK), -1);
    assert_int_equal (file_remove_folder (folder, &err), 0);
}

static void sweeps_what_a_crash_left (void **state)
{
    error_t err;
    static const char *const names[] = { ".a.xml.new", "a.xml", "b.new", ".new.xml" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        autofree char *path = text_format ("%s/%s", (char *) *state, names[i]);
        assert_int_equal (file_write (path, "", 0, &err), 0);
    }
    assert_int_equal (file_sweep (*state, ".", ".new", &err), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        autofree char *path = text_format ("%s/%s", (char *) *state, names[i]);
        assert_int_equal (access (path, F_OK), i == 0 ? -1 : 0);
    }
    autofree char *none = text_format ("%s/none", (char *) *state);
    assert_int_equal (file_sweep (none, "", "", &err), 0);
    assert_int_equal (file_sweep ("/etc/passwd", "", "", &err), -1);
    assert_int_equal (err.code, ERR_OPEN_FAILED);
}

static void makes_folders (void **state)
{
    error_t err;
    autofree char *deep = text_format ("%s/a/b/c", (char *) *state);
    assert_int_equal (file_make_folders (deep, 0711, &err), 0);
    assert_int_equal (file_make_folders (deep, 0700, &err), 0);
    struct stat status;
    assert_int_equal (stat (deep, &status), 0);
    assert_int_equal (status.st_mode & 07777, 0711);
    autofree char *file = text_format ("%s/a/file", (char *) *state);
    assert_int_equal (file_write (file, "", 0, &err), 0);
    assert_int_equal (file_make_folders (file, 0711, &err), -1);
    assert_non_null (strstr (err.message, "Not a directory"));
}

static void tails (void **state)
{
    error_t err;
    autofree char *path = text_format ("%s/log", (char *) *state);
    assert_int_equal (file_write (path, "one\ntwo\n\nthree\n", 15, &err), 0);
    static const struct {
        unsigned lines;
        size_t bytes;
        const char *expected;
    } cases[] = {
        { 1, 100, "three\n" }, { 2, 100, "\nthree\n" },     { 9, 100, "one\ntwo\n\nthree\n" },
        { 0, 100, "" },        { 9, 9, "\nthree\n" },       { 9, 3, "ee\n" },
        { 9, 0, "" },          { 3, 15, "two\n\nthree\n" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        autofree char *text = file_tail (path, cases[i].lines, cases[i].bytes, &err);
        assert_string_equal (text, cases[i].expected);
    }
    assert_null (file_tail (*state, 1, 10, &err));
}

static void removes (void **state)
{
    error_t err;
    autofree char *path = text_format ("%s/a", (char *) *state);
    assert_int_equal (file_write (path, "", 0, &err), 0);
    assert_int_equal (file_remove (path, &err), 0);
    assert_int_equal (file_remove (path, &err), 0);
    assert_int_equal (file_remove (*state, &err), -1);
    assert_int_equal (err.code, ERR_WRITE_FAILED);
}

static void removes_what_a_read_only_file_system_does_not_have (void **state)
{
    error_t err;
    const char *folder = *state;
    autofree char *file = text_format ("%s/a", folder);
    autofree char *missing = text_format ("%s/b", folder);
    if (mount ("none", folder, "tmpfs", 0, "size=64k"))
        skip ();
    int written = file_write (file, "", 0, &err);
    int changed = mount ("none", folder, "tmpfs", MS_REMOUNT | MS_RDONLY, NULL);
    int gone = file_remove (missing, &err), there = file_remove (file, &err);
    assert_int_equal (umount (folder), 0);
    assert_int_equal (written, 0);
    assert_int_equal (changed, 0);
    assert_int_equal (gone, 0);
    assert_int_equal (there, -1);
    assert_non_null (strstr (err.message, "Read-only file system"));
}

static void names_the_folder (void **state)
{
    (void) state;
    static const char *const cases[][2] = { { "/a/b", "/a" }, { "/a", "/" }, { "a", "." } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        autofree char *folder = file_folder (cases[i][0]);
        assert_string_equal (folder, cases[i][1]);
    }
}

static void names_relative_paths (void **state)
{
    (void) state;
    static const char *const paths[][3] = {
        { "/a/b", "/a/b/c.img", "c.img" },       { "/a/b", "/a/c.img", "../c.img" },
        { "/a/b", "/c/d.img", "../../c/d.img" }, { "/a/b", "/a/bc/d.img", "../bc/d.img" },
        { "/a/bc", "/a/b/d.img", "../b/d.img" }, { "/", "/a/b.img", "a/b.img" },
        { "/a", "/b.img", "../b.img" },          { "/a", "/a/b/c.img", "b/c.img" },
    };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        autofree char *name = file_relative (paths[i][0], paths[i][1]);
        assert_string_equal (name, paths[i][2]);
    }
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        unit_test_in_folder (writes_and_reads),
        unit_test_in_folder (read_has_bounds),
        unit_test_in_folder (read_says_what_is_missing),
        unit_test_in_folder (missing_is_what_the_kernel_says),
        cmocka_unit_test (reads_files_of_unknown_size),
        unit_test_in_folder (nothing_changes_before_commit),
        unit_test_in_folder (abandoned_write_leaves_nothing),
        unit_test_in_folder (write_names_the_file),
        unit_test_in_folder (lists_sorted),
        unit_test_in_folder (removes_a_folder_with_its_files),
        unit_test_in_folder (sweeps_what_a_crash_left),
        unit_test_in_folder (makes_folders),
        unit_test_in_folder (tails),
        unit_test_in_folder (removes),
        unit_test_in_folder (removes_what_a_read_only_file_system_does_not_have),
        cmocka_unit_test (names_the_folder),
        cmocka_unit_test (names_relative_paths),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
