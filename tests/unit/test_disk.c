//  test_disk.c: what is written through a disk actor is there when it says so, and each requester
//  hears about its own files only.

#include "scene.h"
#include "unit.h"

#include "actors/config.h"
#include "actors/services/disk.h"
#include "util/file.h"

#include <unistd.h>

//  Scenes run in another thread; the folder of the test is passed to them here.
static const char *folder;

static char *in_folder (const char *name)
{
    return text_format ("%s/%s", folder, name);
}

typedef struct {
    const char *name; //  in the folder, or absolute; NULL at the end
    const char *text;
} file_t;

static msg_t *write_request (const file_t *files)
{
    msg_t *request = msg_request ("disk.write");
    pack_t *pack = msg_args (request);
    pack_key_array (pack, "files");
    for (; files->name; files++) {
        autofree char *path =
            files->name[0] == '/' ? text_copy (files->name) : in_folder (files->name);
        pack_map (pack);
        pack_key_str (pack, "path", path);
        pack_key_str (pack, "text", files->text);
        pack_end (pack);
    }
    pack_end (pack);
    return request;
}

static int write_files (actor_t *self, const file_t *files, error_t *err)
{
    msg_t *request = write_request (files);
    auto(msg_t) answer = scene_call (self, "disk/0", &request, 20000);
    return msg_failed (answer, err) ? -1 : 0;
}

static int write_one (actor_t *self, const char *name, const char *text, error_t *err)
{
    return write_files (self, (file_t[]){ { name, text }, { 0 } }, err);
}

static void check_content (const char *name, const char *want)
{
    error_t err;
    autofree char *path = in_folder (name);
    autofree char *got = file_read (path, 65536, NULL, &err);
    check (want ? got && strcmp (got, want) == 0 : !got);
}

//  Counts temporary files that were left, too: they are hidden, so file_list alone would not do.
static void check_file_count (int want)
{
    int count = 0;
    autofree char *command = text_format ("ls -A1 '%s' | wc -l", folder);
    FILE *pipe_end = popen (command, "r");
    check (pipe_end && fscanf (pipe_end, "%d", &count) == 1);
    pclose (pipe_end);
    check_equal (count, want);
}

static void start_disk (actor_t *self)
{
    check_equal (scene_spawn (self, "disk/0", &disk_class, false), 0);
}

static void scene_write_and_remove (actor_t *self)
{
    error_t err;
    start_disk (self);
    check_equal (write_files (self, (file_t[]){ { "a", "one" }, { "b", "" }, { 0 } }, &err), 0);
    check_content ("a", "one");
    check_content ("b", "");
    check_equal (write_files (self, (file_t[]){ { "a", "two" }, { "b", NULL }, { 0 } }, &err), 0);
    check_content ("a", "two");
    check_content ("b", NULL);
    check_equal (write_one (self, "never-was", NULL, &err), 0);
    check_equal (write_one (self, "no-folder/never-was", NULL, &err), 0);
    check_file_count (1);
}

static void scene_mode (actor_t *self)
{
    start_disk (self);
    autofree char *path = in_folder ("a");
    msg_t *request = msg_request ("disk.write");
    pack_t *pack = msg_args (request);
    pack_key_array (pack, "files");
    pack_map (pack);
    pack_key_str (pack, "path", path);
    pack_key_str (pack, "text", "x");
    pack_key_u64 (pack, "mode", 0644);
    auto(msg_t) answer = scene_call (self, "disk/0", &request, 20000);
    check_equal (scene_code (answer), 0);
    struct stat status;
    check_equal (stat (path, &status), 0);
    check_equal (status.st_mode & 07777, 0644);
    error_t err;
    check_equal (write_one (self, "b", "x", &err), 0);
    autofree char *usual = in_folder ("b");
    check_equal (stat (usual, &status), 0);
    check_equal (status.st_mode & 07777, 0600);
}

enum {
    WRITES = 600,
    PATHS = 100
};

//  Hundreds at once, to fewer paths: each path ends with what was sent last.
static void scene_many_at_once (actor_t *self)
{
    start_disk (self);
    scene_reset ();
    for (int i = 0; i < WRITES; i++) {
        char name[16], other[16], text[16];
        snprintf (name, sizeof name, "a%d", i % PATHS);
        snprintf (other, sizeof other, "b%d", i % PATHS);
        snprintf (text, sizeof text, "%d", i);
        msg_t *request = write_request ((file_t[]){ { name, text }, { other, text }, { 0 } });
        actor_request (self, "disk/0", &request, 60000, scene_keep, NULL);
    }
    auto(msg_t) last = scene_await (self, WRITES);
    check_equal (scene_code (last), 0);
    for (int i = 0; i < PATHS; i++) {
        char name[16], text[16];
        snprintf (text, sizeof text, "%d", WRITES - PATHS + i);
        snprintf (name, sizeof name, "a%d", i);
        check_content (name, text);
        name[0] = 'b';
        check_content (name, text);
    }
    check_file_count (2 * PATHS);
}

//  Three requests in one round: the bad one fails as a whole, and alone.
static void scene_one_fails (actor_t *self)
{
    start_disk (self);
    scene_reset ();
    const file_t requests[][3] = {
        { { "a", "good" }, { 0 } },
        { { "b", "bad" }, { "missing/c", "bad" }, { 0 } },
        { { "d", "good" }, { 0 } },
    };
    for (int i = 0; i < 2; i++) {
        msg_t *request = write_request (requests[i == 0 ? 0 : 2]);
        actor_request (self, "disk/0", &request, 20000, scene_keep, NULL);
    }
    error_t err;
    check_equal (write_files (self, requests[1], &err), -1);
    check (strstr (err.message, "missing/c'") && strstr (err.message, "No such file or directory"));
    auto(msg_t) last = scene_await (self, 2);
    check_equal (scene_code (last), 0);
    check_content ("a", "good");
    check_content ("d", "good");
    check_content ("b", NULL);
    check_file_count (2);
}

static void scene_order (actor_t *self)
{
    start_disk (self);
    error_t err;
    scene_reset ();
    const file_t requests[][2] = { { { "a", "1" } }, { { "a", NULL } }, { { "a", "3" } } };
    for (int i = 0; i < 3; i++) {
        msg_t *request = write_request (requests[i]);
        actor_request (self, "disk/0", &request, 20000, scene_keep, NULL);
    }
    auto(msg_t) last = scene_await (self, 3);
    check_equal (scene_code (last), 0);
    check_content ("a", "3");
    check_equal (write_files (self, (file_t[]){ { "b", "1" }, { "b", "2" }, { 0 } }, &err), 0);
    check_content ("b", "2");
    check_equal (write_files (self, (file_t[]){ { "b", "1" }, { "b", NULL }, { 0 } }, &err), 0);
    check_content ("b", NULL);
}

static void scene_errors (actor_t *self)
{
    start_disk (self);
    error_t err;
    check_equal (write_one (self, "/proc/version", "x", &err), -1);
    check (strstr (err.message, "/proc/version"));
    check_equal (write_one (self, "/sys/kernel/troupe", "x", &err), -1);
    autofree char *directory = in_folder ("taken");
    check_equal (mkdir (directory, 0700), 0);
    check_equal (write_one (self, "taken", "x", &err), -1);
    check (strstr (err.message, "taken") && strstr (err.message, "directory"));
    check_equal (write_one (self, "taken", NULL, &err), -1);
    check_equal (write_one (self, "a/../b", "x", &err), -1);
    check_equal (err.code, ERR_INVALID_ARG);
    check_equal (write_files (self, (file_t[]){ { 0 } }, &err), -1);
    check_equal (err.code, ERR_INVALID_ARG);
    check_equal (write_one (self, "good", "x", &err), 0);
    check_file_count (2);
}

//  As the daemon starts it: with a run folder, whose files get the same treatment but for the
//  fsync.
static void scene_run_folder (actor_t *self)
{
    autofree char *run = in_folder ("run"), *beside = in_folder ("runner");
    check_equal (mkdir (run, 0700) | mkdir (beside, 0700), 0);
    const paths_t paths = { .run = run };
    const config_t config = { .paths = &paths };
    scene_reset ();
    auto(msg_t) args = msg_request ("start");
    config_pack (&config, msg_args (args));
    actor_spawn (self, "disk/0", &disk_class, &args, false, 20000, scene_keep, NULL);
    auto(msg_t) started = scene_await (self, 1);
    check_equal (scene_code (started), 0);
    error_t err;
    const file_t both[] = { { "run/a", "one" }, { "runner/b", "two" }, { "c", "three" }, { 0 } };
    check_equal (write_files (self, both, &err), 0);
    check_content ("run/a", "one");
    check_content ("runner/b", "two");
    check_content ("c", "three");
    check_equal (write_files (self, (file_t[]){ { "run/a", NULL }, { "c", "four" }, { 0 } }, &err),
                 0);
    check_content ("run/a", NULL);
    check_content ("c", "four");
    check_equal (
        write_files (self, (file_t[]){ { "run/none/a", "x" }, { "c", "five" }, { 0 } }, &err), -1);
    check (strstr (err.message, "run/none/a'"));
    check_content ("c", "four");
    scene_end_actor (self, "disk/0"); //  before its config goes
}

//  What was asked for before the end is done.
static void scene_stop (actor_t *self)
{
    start_disk (self);
    scene_reset ();
    for (int i = 0; i < 20; i++) {
        char name[16];
        snprintf (name, sizeof name, "a%d", i);
        msg_t *request = write_request ((file_t[]){ { name, "x" }, { 0 } });
        actor_request (self, "disk/0", &request, 20000, scene_keep, NULL);
    }
    actor_stop (self, "disk/0");
    auto(msg_t) last = scene_await (self, 20);
    check_equal (scene_code (last), 0);
    check_file_count (20);
}

#define FOLDER_TEST(name)                                                                          \
    static void test_##name (void **state)                                                         \
    {                                                                                              \
        folder = *state;                                                                           \
        const int before = unit_count_descriptors ();                                              \
        scene_run (scene_##name);                                                                  \
        assert_int_equal (unit_count_descriptors (), before);                                      \
    }

FOLDER_TEST (write_and_remove)
FOLDER_TEST (mode)
FOLDER_TEST (many_at_once)
FOLDER_TEST (one_fails)
FOLDER_TEST (order)
FOLDER_TEST (errors)
FOLDER_TEST (run_folder)
FOLDER_TEST (stop)

int main (void)
{
    const struct CMUnitTest tests[] = {
        unit_test_in_folder (test_write_and_remove),
        unit_test_in_folder (test_mode),
        unit_test_in_folder (test_many_at_once),
        unit_test_in_folder (test_one_fails),
        unit_test_in_folder (test_order),
        unit_test_in_folder (test_errors),
        unit_test_in_folder (test_run_folder),
        unit_test_in_folder (test_stop),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
