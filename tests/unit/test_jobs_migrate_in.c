//  test_jobs_migrate_in.c: the receiver's mark: when it is believed, and when it is forgotten.

#include "scene.h"
#include "unit.h"

#include "actors/services/disk.h"
#include "actors/jobs/job.h"
#include "actors/jobs/jobs_migrate.h"
#include "drivers/state.h"
#include "util/file.h"
#include "util/process.h"

#include <unistd.h>

#define UUID "11111111-2222-4333-8444-555555555555"
#define TOKEN "0123456789abcdef0123456789abcdef"
#define MARK "lib/troupe/migrations/" UUID "." TOKEN
#define STATUS "run/troupe/qemu/" UUID ".status"
#define MIGRATION                                                                                  \
    "<migration role='in' phase='receiving' token='" TOKEN "' peer='ipc:///none' run='yes'/>"
#define CALL_MS 30000

static const char *folder; //  of the test
static paths_t *paths;
static config_t config;

static const actor_class_t owner_class = { .kind = "domain" };

static char *path_of (const char *name)
{
    return text_starts (name, "lib/") ? text_format ("%s/var/%s", folder, name)
                                      : text_format ("%s/%s", folder, name);
}

static void put_file (const char *name, const char *text)
{
    error_t err;
    autofree char *path = path_of (name);
    autofree char *above = file_folder (path);
    check_equal (file_make_folders (above, 0700, &err), 0);
    check_equal (file_write (path, text, strlen (text), &err), 0);
}

static bool is_there (const char *name)
{
    autofree char *path = path_of (name);
    return access (path, F_OK) == 0;
}

static void remove_file (const char *name)
{
    autofree char *path = path_of (name);
    check_equal (unlink (path), 0);
}

static void open_scene (actor_t *self)
{
    error_t err;
    paths = paths_new (PATHS_ROOT, folder, &err);
    check (paths && paths_create (paths, &err) == 0);
    config = (config_t){ .paths = paths, .launcher = "/bin/false", .instance = "01234567" };
    check_equal (scene_spawn (self, "disk/0", &disk_class, false), 0);
    check_equal (scene_spawn (self, "disk/1", &disk_class, false), 0);
    check_equal (scene_spawn (self, "host", &owner_class, false), 0);
    check_equal (scene_spawn (self, "domain/" UUID, &owner_class, true), 0);
    put_file (MARK, "ipc:///none\n");
}

static void close_scene (actor_t *self)
{
    scene_end_actor (self, "domain/" UUID);
    scene_end_actor (self, "host");
    scene_end_actor (self, "disk/0");
    scene_end_actor (self, "disk/1");
    paths_destroy (&paths);
}

static msg_t *job_args (const char *kind, const char *owner)
{
    msg_t *args = msg_request ("run");
    config_pack (&config, msg_args (args));
    pack_key_str (msg_args (args), "kind", kind);
    pack_key_str (msg_args (args), "owner", owner);
    return args;
}

//  The answer to a job's spawn; the caller destroys it.
static msg_t *run_job (actor_t *self, msg_t **args_p)
{
    static int number;
    char address[MSG_ADDRESS_MAX];
    snprintf (address, sizeof address, "job/%d", ++number);
    scene_reset ();
    actor_spawn (self, address, &job_class, args_p, false, CALL_MS, scene_keep, NULL);
    return scene_await (self, 1);
}

static void confirm (actor_t *self)
{
    msg_t *args = job_args ("migrate_resolve", "host");
    pack_key_map (msg_args (args), "args");
    pack_key_str (msg_args (args), "uuid", UUID);
    pack_key_str (msg_args (args), "token", TOKEN);
    pack_key_bool (msg_args (args), "confirm", true);
    pack_end (msg_args (args));
    auto(msg_t) answer = run_job (self, &args);
    check_equal (scene_code (answer), 0);
}

//  The daemon ended between the mark and the guest's record: the mark is all that says whose it is.
static void scene_confirmed_too_early (actor_t *self)
{
    open_scene (self);
    put_file (STATUS, "<domstatus><record><driver>" MIGRATION "</driver></record></domstatus>");
    confirm (self);
    check (is_there (MARK));
    //  What can't be read may say the same.
    autofree char *status = path_of (STATUS);
    check_equal (unlink (status), 0);
    check_equal (symlink (status, status), 0);
    confirm (self);
    check (is_there (MARK));
    check_equal (unlink (status), 0);
    put_file (STATUS, "<domstatus><record><driver/></record></domstatus>");
    confirm (self);
    check (!is_there (MARK));
    close_scene (self);
}

static void scene_confirmed_when_gone (actor_t *self)
{
    open_scene (self);
    confirm (self);
    check (!is_there (MARK));
    confirm (self);
    close_scene (self);
}

static int settle (actor_t *self)
{
    process_t us;
    error_t err;
    char identity[PROCESS_TEXT_SIZE];
    check_equal (process_identify (getpid (), &us, &err), 0);
    process_to_text (&us, identity);
    autofree char *record =
        text_format ("<driver><process identity='%s'/>" MIGRATION "</driver>", identity);
    msg_t *args = job_args ("migrate_settle", "domain/" UUID);
    pack_key_str (msg_args (args), "driver", "qemu");
    pack_key_str (msg_args (args), "uuid", UUID);
    pack_key_str (msg_args (args), "name", "web");
    pack_key_i64 (msg_args (args), "state", STATE_PAUSED);
    pack_key_str (msg_args (args), "record", record);
    auto(msg_t) answer = run_job (self, &args);
    return scene_code (answer);
}

//  A guest whose QEMU can't be asked now is not taken, paused, on the word of its mark alone.
static void scene_no_monitor (actor_t *self)
{
    open_scene (self);
    check (settle (self) != 0);
    check (is_there (MARK));
    remove_file (MARK);
    check (settle (self) != 0);
    close_scene (self);
}

#define migrate_test(name)                                                                         \
    static void name (void **state)                                                                \
    {                                                                                              \
        folder = *state;                                                                           \
        scene_run (scene_##name);                                                                  \
    }

migrate_test (confirmed_too_early) migrate_test (confirmed_when_gone) migrate_test (no_monitor)

    int main (void)
{
    const struct CMUnitTest tests[] = {
        unit_test_in_folder (confirmed_too_early),
        unit_test_in_folder (confirmed_when_gone),
        unit_test_in_folder (no_monitor),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
