//  test_ini.c: what a configuration file says, and what it may not.

#include "unit.h"

#include "util/ini.h"
#include "util/text.h"

#include <stdbool.h>

typedef struct {
    bool take_over;
    char *path;
} values_t;

static int read_text (const char *folder, const char *text, values_t *values, error_t *err)
{
    autofree char *path = text_format ("%s/troupe.conf", folder);
    const ini_setting_t settings[] = { { "libvirt", "take_over", INI_BOOL, &values->take_over },
                                       { "other", "path", INI_TEXT, &values->path },
                                       { NULL, NULL, INI_BOOL, NULL } };
    FILE *file = fopen (path, "w");
    assert_non_null (file);
    fputs (text, file);
    fclose (file);
    return ini_read (path, settings, err);
}

static void test_settings (void **state)
{
    values_t values = { 0 };
    error_t err;
    assert_int_equal (read_text (*state,
                                 "# comment\n\n[libvirt]\n  take_over = yes\r\n[other]\n; more\n"
                                 "path=a b = c \npath = /x",
                                 &values, &err),
                      0);
    assert_true (values.take_over);
    assert_string_equal (values.path, "/x");
    assert_int_equal (read_text (*state, "[libvirt]\ntake_over=no\n", &values, &err), 0);
    assert_false (values.take_over);
    free (values.path);
}

static void test_refused (void **state)
{
    static const struct {
        const char *text, *words;
    } cases[] = {
        { "take_over = yes\n", "line 1: no section before 'take_over'" },
        { "[libvirt]\ntake_ovr = yes\n", "line 2: this section has no setting 'take_ovr'" },
        { "[libvirt]\npath = yes\n", "line 2: this section has no setting 'path'" },
        { "[libvrt]\n", "line 1: there is no section 'libvrt'" },
        { "[libvirt\n", "line 1: a section ends in" },
        { "\n[libvirt]\ntake_over\n", "line 3: it has to be NAME = VALUE: 'take_over'" },
        { "[libvirt]\ntake_over = 1\n", "line 2: it has to be yes or no, and is '1'" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        values_t values = { 0 };
        error_t err;
        assert_int_equal (read_text (*state, cases[i].text, &values, &err), -1);
        assert_int_equal (err.code, ERR_CONF_SYNTAX);
        assert_non_null (strstr (err.message, cases[i].words));
        assert_false (values.take_over);
    }
}

static void test_no_file (void **state)
{
    (void) state;
    const ini_setting_t none[] = { { NULL, NULL, INI_BOOL, NULL } };
    error_t err;
    assert_int_equal (ini_read ("/nowhere/troupe.conf", none, &err), 0);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (test_settings, unit_make_folder, unit_remove_folder),
        cmocka_unit_test_setup_teardown (test_refused, unit_make_folder, unit_remove_folder),
        cmocka_unit_test (test_no_file),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
