//  test_log.c: a line a message, nothing above the level, and a bound on the file.

#include "scene.h"
#include "unit.h"

#include "actors/config.h"
#include "actors/services/log.h"
#include "util/file.h"

#include <fcntl.h>
#include <unistd.h>

static const config_t *config;
static char *path;

static char *content (const char *suffix)
{
    error_t err;
    autofree char *name = text_format ("%s%s", path, suffix);
    char *text = file_read (name, 2 * LOG_MAX_BYTES, NULL, &err);
    check (text);
    return text;
}

static void start_log (actor_t *self)
{
    scene_reset ();
    msg_t *args = msg_request ("start");
    config_pack (config, msg_args (args));
    actor_spawn (self, "log", &log_class, &args, false, PATIENCE_MS, scene_keep, NULL);
    auto(msg_t) answer = scene_await (self, 1);
    check_equal (scene_code (answer), 0);
}

static void write_line (actor_t *self, log_level_t level, int64_t time_us, const char *text)
{
    msg_t *line = msg_request ("log");
    pack_key_u64 (msg_args (line), "level", level);
    pack_key_i64 (msg_args (line), "time_us", time_us);
    pack_key_str (msg_args (line), "text", text);
    auto(msg_t) answer = scene_call (self, "log", &line, PATIENCE_MS);
    check_equal (scene_code (answer), 0);
}

static void scene_lines (actor_t *self)
{
    start_log (self);
    write_line (self, LEVEL_INFO, 1751362200123456, "guest 'web' started");
    write_line (self, LEVEL_DEBUG, 1751362200123456, "not wanted");
    write_line (self, LEVEL_ERROR, 951782400000000, "two\nlines\tof text");
    autofree char *text = content ("");
    check_text (text, "2025-07-01T09:30:00.123Z info guest 'web' started\n"
                      "2000-02-29T00:00:00.000Z error two lines of text\n");
    actor_log (self, LEVEL_WARNING, "disk %d is slow", 7);
    write_line (self, LEVEL_INFO, 0, "last");
    autofree char *more = content ("");
    check (strstr (more, "Z warning disk 7 is slow\n1970-01-01T00:00:00.000Z info last\n"));
}

static void scene_appends (actor_t *self)
{
    FILE *file = fopen (path, "w");
    check (file && fputs ("before\n", file) >= 0 && fclose (file) == 0);
    start_log (self);
    write_line (self, LEVEL_INFO, 0, "after");
    autofree char *text = content ("");
    check_text (text, "before\n1970-01-01T00:00:00.000Z info after\n");
}

static void scene_rotates (actor_t *self)
{
    check (close (creat (path, 0600)) == 0 && truncate (path, LOG_MAX_BYTES - 50) == 0);
    start_log (self);
    write_line (self, LEVEL_INFO, 0, "fits");
    write_line (self, LEVEL_INFO, 0, "does not fit any more");
    autofree char *text = content ("");
    check_text (text, "1970-01-01T00:00:00.000Z info does not fit any more\n");
    struct stat status;
    autofree char *old = text_format ("%s.1", path);
    check_equal (stat (old, &status), 0);
    check_equal (status.st_size, LOG_MAX_BYTES - 50 + 35);
}

//  One actor can't fill the log's mailbox; what it lost is counted.
static void scene_flood (actor_t *self)
{
    start_log (self);
    for (int i = 0; i < 5000; i++)
        actor_log (self, LEVEL_WARNING, "line %d", i);
    int64_t later = actor_now (self) + 1100;
    while (actor_now (self) < later)
        actor_step (self, later);
    actor_log (self, LEVEL_WARNING, "the last line");
    write_line (self, LEVEL_INFO, 0, "written");
    autofree char *text = content ("");
    check (strstr (text, "line 199\n") && !strstr (text, "line 200\n"));
    check (strstr (text, "4800 more lines were not logged"));
    check (strstr (text, "the last line\n"));
}

//  A full log that can't be rotated takes nothing: the loss is counted, and told when writing works
//  again. (The line about it that this test leaves on stderr is meant.)
static void scene_lost_lines (actor_t *self)
{
    autofree char *old = text_format ("%s.1", path);
    autofree char *inside = text_format ("%s/x", old);
    check (mkdir (old, 0700) == 0 && mkdir (inside, 0700) == 0);
    check (close (creat (path, 0600)) == 0 && truncate (path, LOG_MAX_BYTES) == 0);
    start_log (self);
    write_line (self, LEVEL_INFO, 0, "lost");
    write_line (self, LEVEL_INFO, 0, "lost too");
    check (rmdir (inside) == 0 && rmdir (old) == 0);
    write_line (self, LEVEL_INFO, 0, "two");
    autofree char *text = content ("");
    check_text (text,
                "1970-01-01T00:00:00.000Z warning 2 lines before the next one are missing: the "
                "log was not writable\n1970-01-01T00:00:00.000Z info two\n");
}

static void scene_no_folder (actor_t *self)
{
    scene_reset ();
    msg_t *args = msg_request ("start");
    config_pack (config, msg_args (args));
    actor_spawn (self, "log", &log_class, &args, false, PATIENCE_MS, scene_keep, NULL);
    auto(msg_t) answer = scene_await (self, 1);
    error_t err;
    check (msg_failed (answer, &err));
    check (strstr (err.message, "no-such-folder/troupe.log"));
}

static void run (scene_fn *scene, char *folder)
{
    paths_t paths = { .log = folder };
    config_t made = { .paths = &paths, .log_level = LEVEL_INFO };
    config = &made;
    path = text_format ("%s/troupe.log", folder);
    const int before = unit_count_descriptors ();
    scene_run (scene);
    assert_int_equal (unit_count_descriptors (), before);
    free (path);
}

#define FOLDER_TEST(name)                                                                          \
    static void test_##name (void **state)                                                         \
    {                                                                                              \
        run (scene_##name, *state);                                                                \
    }

FOLDER_TEST (lines)
FOLDER_TEST (appends)
FOLDER_TEST (rotates)
FOLDER_TEST (flood)
FOLDER_TEST (lost_lines)

static void test_no_folder (void **state)
{
    autofree char *folder = text_format ("%s/no-such-folder", (char *) *state);
    run (scene_no_folder, folder);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        unit_test_in_folder (test_lines),   unit_test_in_folder (test_appends),
        unit_test_in_folder (test_rotates), unit_test_in_folder (test_lost_lines),
        unit_test_in_folder (test_flood),   unit_test_in_folder (test_no_folder),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
