//  test_paths.c: the folders of the three kinds of daemon.

#include "util/paths.h"
#include "util/text.h"

#include "unit.h"

#include <string.h>

static const char *const variables[] = { "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME",
                                         "XDG_RUNTIME_DIR" };

static int clear_environment (void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        unsetenv (variables[i]);
    return setenv ("HOME", "/home/ann", 1);
}

static void system_folders (void **state)
{
    (void) state;
    error_t err;
    auto(paths_t) paths = paths_new (PATHS_SYSTEM, NULL, &err);
    assert_string_equal (paths->etc, "/etc/troupe");
    assert_string_equal (paths->run, "/run/troupe");
    assert_string_equal (paths->lib, "/var/lib/troupe");
    assert_string_equal (paths->log, "/var/log/troupe");
    assert_string_equal (paths->cache, "/var/cache/troupe");
    autofree char *endpoint = paths_endpoint (paths, "troupe.sock", &err);
    assert_string_equal (endpoint, "ipc:///run/troupe/troupe.sock");
}

static void session_defaults (void **state)
{
    (void) state;
    error_t err;
    setenv ("XDG_CONFIG_HOME", "relative/is/ignored", 1);
    auto(paths_t) paths = paths_new (PATHS_SESSION, NULL, &err);
    assert_string_equal (paths->etc, "/home/ann/.config/troupe");
    assert_string_equal (paths->run, "/home/ann/.cache/troupe/run");
    assert_string_equal (paths->lib, "/home/ann/.local/state/troupe");
    assert_string_equal (paths->log, "/home/ann/.local/state/troupe/log");
    assert_string_equal (paths->cache, "/home/ann/.cache/troupe");
}

static void session_from_environment (void **state)
{
    (void) state;
    error_t err;
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        autofree char *value = text_format ("/x/%s", variables[i] + 4);
        setenv (variables[i], value, 1);
    }
    auto(paths_t) paths = paths_new (PATHS_SESSION, NULL, &err);
    assert_string_equal (paths->etc, "/x/CONFIG_HOME/troupe");
    assert_string_equal (paths->run, "/x/RUNTIME_DIR/troupe");
    assert_string_equal (paths->lib, "/x/STATE_HOME/troupe");
    assert_string_equal (paths->log, "/x/STATE_HOME/troupe/log");
    assert_string_equal (paths->cache, "/x/CACHE_HOME/troupe");
}

static void session_without_home (void **state)
{
    (void) state;
    error_t err;
    unsetenv ("HOME"); //  the user database knows it
    auto(paths_t) paths = paths_new (PATHS_SESSION, NULL, &err);
    assert_non_null (paths);
    assert_true (paths->etc[0] == '/' && text_ends (paths->etc, "/.config/troupe"));
}

static void everything_below_root (void **state)
{
    error_t err;
    autofree char *root = text_format ("%s/new/", (char *) *state);
    auto(paths_t) paths = paths_new (PATHS_ROOT, root, &err);
    autofree char *etc = text_format ("%s/new/etc/troupe", (char *) *state);
    assert_string_equal (paths->etc, etc);
    assert_int_equal (paths_create (paths, &err), 0);
    assert_int_equal (paths_create (paths, &err), 0);
    const char *const all[] = { paths->etc, paths->run, paths->lib, paths->log, paths->cache };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct stat status;
        assert_int_equal (stat (all[i], &status), 0);
        assert_int_equal (status.st_mode & 07777, 0711);
    }
}

static void root_that_is_no_text (void **state)
{
    (void) state;
    error_t err;
    assert_null (paths_new (PATHS_ROOT, "/tmp/\xff", &err));
    assert_non_null (strstr (err.message, "no text in UTF-8"));
}

static void relative_root (void **state)
{
    error_t err;
    assert_int_equal (chdir (*state), 0);
    autofree char *run = text_format ("%s/here/run/troupe", (char *) *state);
    auto(paths_t) before = paths_new (PATHS_ROOT, "here", &err);
    assert_string_equal (before->run, run);
    assert_int_equal (paths_create (before, &err), 0);
    auto(paths_t) after = paths_new (PATHS_ROOT, "./here/../here", &err);
    assert_string_equal (after->run, run);
    assert_int_equal (chdir ("/"), 0);
    assert_null (paths_new (PATHS_ROOT, "", &err));
    assert_int_equal (err.code, ERR_INVALID_ARG);
}

static void long_sockets_are_refused (void **state)
{
    (void) state;
    error_t err;
    char root[120] = "/tmp/";
    //  "/run/troupe/s" makes 107 with 94 bytes before it.
    memset (root + 5, 'x', sizeof root - 6);
    root[94] = 0;
    auto(paths_t) fits = paths_new (PATHS_ROOT, root, &err);
    autofree char *endpoint = paths_endpoint (fits, "s", &err);
    assert_non_null (endpoint);
    assert_null (paths_endpoint (fits, "s2", &err));
    assert_non_null (strstr (err.message, "108 bytes long"));
    assert_non_null (strstr (err.message, "choose a shorter --root"));
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (system_folders),
        cmocka_unit_test_setup (session_defaults, clear_environment),
        cmocka_unit_test_setup (session_from_environment, clear_environment),
        cmocka_unit_test_setup (session_without_home, clear_environment),
        unit_test_in_folder (everything_below_root),
        unit_test_in_folder (root_that_is_no_text),
        unit_test_in_folder (relative_root),
        cmocka_unit_test (long_sockets_are_refused),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
