//  test_emulators.c: an emulator is probed once, until its file changes, whatever happens to the
//  cache.

#include "scene.h"
#include "unit.h"

#include "actors/config.h"
#include "actors/services/disk.h"
#include "actors/services/disk_request.h"
#include "actors/services/emulator_cache.h"
#include "actors/services/emulators.h"
#include "util/file.h"

#include <fcntl.h>
#include <unistd.h>

#define CAPS "troupe-qemu-caps 2\nversion 7.2.22\narch x86_64\n"

//  Scenes run in another thread; what they need of the test is passed to them here.
static char *emulator;
static config_t config;

//  The probe: answers with how often it was asked, after a while.

typedef enum {
    PROBE_GOOD,
    PROBE_FAILS,
    PROBE_NONSENSE,
    PROBE_HANGS_TWICE,
    PROBE_CRASHES_TWICE,
    PROBE_HANGS,
    PROBE_UPDATED //  the first time, the emulator is replaced meanwhile
} probe_kind_t;

static probe_kind_t probe_kind;
static int probe_count;

static void touch_emulator (const char *text)
{
    error_t err;
    check_equal (file_write (emulator, text, strlen (text), &err), 0);
    check_equal (chmod (emulator, 0755), 0);
}

static int probe_start (actor_t *self, const msg_t *args, error_t *err)
{
    probe_count++;
    check (config_of (args) == &config);
    check_text (msg_str (args, "path"), emulator);
    const int64_t until = actor_now (self) + 30;
    while (actor_now (self) < until)
        actor_step (self, until);
    actor_end (self);
    if (probe_kind == PROBE_FAILS)
        return error_set (err, ERR_OPERATION_FAILED, "the probe was told to fail");
    if (probe_kind == PROBE_HANGS || (probe_kind == PROBE_HANGS_TWICE && probe_count < 3))
        return error_set (err, ERR_OPERATION_TIMEOUT, "QEMU did not greet");
    if (probe_kind == PROBE_CRASHES_TWICE && probe_count < 3) {
        error_set (err, ERR_CONFIG_UNSUPPORTED, "QEMU ended without a word");
        err->retry = true;
        return -1;
    }
    if (probe_kind == PROBE_UPDATED && probe_count == 1)
        touch_emulator ("a newer version");
    autofree char *text = text_format ("%sprobe %d\n", CAPS, probe_count);
    msg_t *reply = msg_reply ();
    pack_map (msg_result (reply));
    pack_key_str (msg_result (reply), "capabilities", probe_kind == PROBE_NONSENSE ? "?" : text);
    pack_end (msg_result (reply));
    actor_set_result (self, &reply);
    return 0;
}

const actor_class_t probe_job_class = { .kind = "job", .start = probe_start };

//  Requests.

static void start_emulators (actor_t *self)
{
    scene_reset ();
    msg_t *args = msg_request ("start");
    config_pack (&config, msg_args (args));
    actor_spawn (self, "emulators", &emulators_class, &args, false, PATIENCE_MS, scene_keep, NULL);
    auto(msg_t) answer = scene_await (self, 1);
    check_equal (scene_code (answer), 0);
}

static void start_all (actor_t *self)
{
    check_equal (scene_spawn (self, "disk/0", &disk_class, false), 0);
    start_emulators (self);
}

//  The cache is on its way to the disk when the answer comes: a later write is done later.
static void await_disk (actor_t *self)
{
    autofree char *none = text_format ("%s/none", config.paths->cache);
    msg_t *request = disk_request ();
    disk_add_file (request, none, NULL);
    auto(msg_t) written = scene_call (self, "disk/0", &request, PATIENCE_MS);
    check_equal (scene_code (written), 0);
}

static void restart (actor_t *self)
{
    await_disk (self);
    scene_end_actor (self, "emulators");
    start_emulators (self);
}

static msg_t *get_request (const char *path)
{
    msg_t *request = msg_request ("emulator.get");
    pack_key_str (msg_args (request), "path", path);
    return request;
}

static int get_error (actor_t *self, const char *path, error_t *err)
{
    msg_t *request = get_request (path);
    auto(msg_t) answer = scene_call (self, "emulators", &request, PATIENCE_MS);
    return msg_failed (answer, err) ? -1 : 0;
}

//  The answer came from probe number PROBE.
static void check_answer (const msg_t *answer, int probe)
{
    autofree char *want = text_format ("%sprobe %d\n", CAPS, probe);
    error_t err;
    if (msg_failed (answer, &err)) {
        fprintf (stderr, "%s\n", err.message);
        check (!"the answer is an error");
    }
    const char *text = value_get_str (msg_value (answer), "capabilities");
    check (text);
    check_text (text, want);
}

static void check_get (actor_t *self, int probe)
{
    msg_t *request = get_request (emulator);
    auto(msg_t) answer = scene_call (self, "emulators", &request, PATIENCE_MS);
    check_answer (answer, probe);
}

//  Scenes.

static void scene_probed_once (actor_t *self)
{
    start_all (self);
    scene_reset ();
    for (int i = 0; i < 100; i++) {
        msg_t *request = get_request (emulator);
        actor_request (self, "emulators", &request, PATIENCE_MS, scene_keep, NULL);
    }
    auto(msg_t) last = scene_await (self, 100);
    check_answer (last, 1);
    check_get (self, 1);
    check_equal (probe_count, 1);
}

static void scene_kept_on_disk (actor_t *self)
{
    start_all (self);
    check_get (self, 1);
    restart (self);
    check_get (self, 1);
    touch_emulator ("a newer version");
    check_get (self, 2);
    restart (self);
    check_get (self, 2);
    check_equal (probe_count, 2);
}

static void scene_failed_probe_is_retried (actor_t *self)
{
    start_all (self);
    error_t err;
    probe_kind = PROBE_FAILS;
    scene_reset ();
    for (int i = 0; i < 10; i++) {
        msg_t *request = get_request (emulator);
        actor_request (self, "emulators", &request, PATIENCE_MS, scene_keep, NULL);
    }
    auto(msg_t) last = scene_await (self, 10);
    check (msg_failed (last, &err) && strstr (err.message, "told to fail"));
    check_equal (probe_count, 1);
    probe_kind = PROBE_NONSENSE;
    check_equal (get_error (self, emulator, &err), -1);
    check (strstr (err.message, emulator));
    probe_kind = PROBE_GOOD;
    check_get (self, 3);
}

static void scene_hung_probe_is_tried_again (actor_t *self)
{
    start_all (self);
    error_t err;
    probe_kind = PROBE_HANGS;
    check_equal (get_error (self, emulator, &err), -1);
    check_equal (err.code, ERR_OPERATION_TIMEOUT);
    check_equal (probe_count, 3);
    probe_count = 0;
    probe_kind = PROBE_HANGS_TWICE;
    check_get (self, 3);
}

static void scene_crashed_probe_is_tried_again (actor_t *self)
{
    start_all (self);
    probe_kind = PROBE_CRASHES_TWICE;
    check_get (self, 3);
    check_equal (probe_count, 3);
}

static void scene_no_emulator (actor_t *self)
{
    start_all (self);
    error_t err;
    check_equal (get_error (self, "/no/such/qemu", &err), -1);
    check (strstr (err.message, "'/no/such/qemu'") && strstr (err.message, "No such file"));
    check_equal (get_error (self, "/tmp", &err), -1);
    check (strstr (err.message, "not a regular file"));
    check_equal (get_error (self, "/etc/passwd", &err), -1);
    check (strstr (err.message, "Permission denied"));
    check_equal (get_error (self, "qemu", &err), -1);
    check_equal (err.code, ERR_INVALID_ARG);
    check_equal (probe_count, 0);
    //  It goes away after it was known.
    check_get (self, 1);
    check_equal (unlink (emulator), 0);
    check_equal (get_error (self, emulator, &err), -1);
}

static void scene_updated_meanwhile (actor_t *self)
{
    start_all (self);
    probe_kind = PROBE_UPDATED;
    check_get (self, 2);
    check_get (self, 2);
    check_equal (probe_count, 2);
}

static char *cache_file (void)
{
    return emulator_cache_path (config.paths->cache, emulator);
}

static void scene_bad_cache (actor_t *self)
{
    start_all (self);
    check_get (self, 1);
    await_disk (self);
    error_t err;
    autofree char *name = cache_file ();
    autofree char *good = file_read (name, 65536, NULL, &err);
    check (good);
    autofree char *cut = text_copy_bytes (good, strlen (good) - 3);
    const char *const contents[] = { "", "nonsense", "troupe-emulator 2\n", cut };
    int probe = 1;
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
        check_equal (file_write (name, contents[i], strlen (contents[i]), &err), 0);
        restart (self);
        check_get (self, ++probe);
        restart (self); //  it was overwritten
        check_get (self, probe);
    }
}

//  The cache is no condition for an answer.
static void scene_no_cache (actor_t *self)
{
    check_equal (scene_spawn (self, "disk/0", &disk_class, false), 0);
    autofree char *folder = text_format ("%s/qemu", config.paths->cache);
    check (close (creat (folder, 0600)) == 0);
    start_emulators (self);
    check_get (self, 1);
    check_get (self, 1);
}

static void run (scene_fn *scene, char *folder)
{
    paths_t paths = { .cache = folder };
    config = (config_t){ .paths = &paths };
    emulator = text_format ("%s/emulator", folder);
    touch_emulator ("an emulator");
    probe_kind = PROBE_GOOD;
    probe_count = 0;
    const int before = unit_count_descriptors ();
    scene_run (scene);
    assert_int_equal (unit_count_descriptors (), before);
    free (emulator);
}

#define FOLDER_TEST(name)                                                                          \
    static void test_##name (void **state)                                                         \
    {                                                                                              \
        run (scene_##name, *state);                                                                \
    }

FOLDER_TEST (probed_once)
FOLDER_TEST (kept_on_disk)
FOLDER_TEST (failed_probe_is_retried)
FOLDER_TEST (hung_probe_is_tried_again)
FOLDER_TEST (crashed_probe_is_tried_again)
FOLDER_TEST (no_emulator)
FOLDER_TEST (updated_meanwhile)
FOLDER_TEST (bad_cache)
FOLDER_TEST (no_cache)

int main (void)
{
    const struct CMUnitTest tests[] = {
        unit_test_in_folder (test_probed_once),
        unit_test_in_folder (test_kept_on_disk),
        unit_test_in_folder (test_failed_probe_is_retried),
        unit_test_in_folder (test_hung_probe_is_tried_again),
        unit_test_in_folder (test_crashed_probe_is_tried_again),
        unit_test_in_folder (test_no_emulator),
        unit_test_in_folder (test_updated_meanwhile),
        unit_test_in_folder (test_bad_cache),
        unit_test_in_folder (test_no_cache),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
