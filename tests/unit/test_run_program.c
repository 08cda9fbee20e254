//  test_run_program.c: what a program said when it failed is in the error, and what it wrote is
//  not.

#include "drivers/run_program.h"
#include "fake_job.h"
#include "folder.h"
#include "util/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static char folder[UNIT_PATH_SIZE];
static char output[64];
static const char *written; //  by the program; NULL: nothing
static size_t count;
static const char *cut_off; //  "run": it did not end in time

static int run (job_t *self, const process_t *process, int ms, int *code, error_t *err)
{
    if (written && file_write (output, written, count, err))
        return -1;
    return fake_run (self, process, ms, code, err);
}

static int run_one (const char *bytes, size_t size, int code, size_t *got, error_t *err)
{
    static const char *const argv[] = { "/usr/bin/dd", NULL };
    const spawn_t spawn = { .argv = argv, .log = output };
    fake_job_t fake;
    job_ops_t ops = fake_ops;
    char *said = NULL;
    fake_job_init (&fake, folder);
    ops.run = run;
    fake.job.ops = &ops;
    fake.code = code;
    fake.fail = cut_off;
    written = bytes;
    count = size;
    int rc = run_program_bytes (&fake.job, &spawn, "dd", 1000, &said, got, err);
    if (rc == 0)
        assert_memory_equal (said, bytes ? bytes : "", size);
    free (said);
    fake_job_clear (&fake);
    return rc;
}

static void test_bytes (void **state)
{
    (void) state;
    static const char bytes[] = "\1\0\2/usr/bin/dd: not an error";
    error_t err;
    size_t got = 0;
    assert_int_equal (run_one (bytes, sizeof bytes - 1, 0, &got, &err), 0);
    assert_int_equal (got, sizeof bytes - 1);
    assert_int_equal (run_one (NULL, 0, 0, NULL, &err), 0);
}

static void test_words (void **state)
{
    (void) state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *message;
    } cases[] = {
#define CASE(bytes, message) { bytes, sizeof bytes - 1, message }
        CASE ("/usr/bin/dd: failed to open\n", "dd failed: /usr/bin/dd: failed to open"),
        CASE ("se\0cret \377\n/usr/bin/dd: error reading\n",
              "dd failed: /usr/bin/dd: error reading"),
        CASE ("secret", "dd failed: it said nothing"),
        CASE ("", "dd failed: it said nothing"),
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        error_t err;
        size_t got = 0;
        assert_int_equal (run_one (cases[i].bytes, cases[i].size, 1, &got, &err), -1);
        assert_string_equal (err.message, cases[i].message);
    }
}

static void test_text (void **state)
{
    (void) state;
    error_t err;
    static const char words[] = "qemu-img: no such image\n";
    assert_int_equal (run_one (words, sizeof words - 1, 1, NULL, &err), -1);
    assert_string_equal (err.message, "dd failed: qemu-img: no such image");
}

//  Nobody reads what it wrote until it was cut off.
static void test_cut_off (void **state)
{
    (void) state;
    error_t err;
    cut_off = "run";
    assert_int_equal (run_one ("secret", 6, 0, NULL, &err), -1);
    cut_off = NULL;
    assert_int_equal (access (output, F_OK), -1);
}

static int make_folder (void **state)
{
    (void) state;
    unit_new_folder (folder);
    snprintf (output, sizeof output, "%s/output", folder);
    return 0;
}

static int remove_folder (void **state)
{
    (void) state;
    return rmdir (folder);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_bytes),
        cmocka_unit_test (test_words),
        cmocka_unit_test (test_text),
        cmocka_unit_test (test_cut_off),
    };
    return cmocka_run_group_tests (tests, make_folder, remove_folder);
}
