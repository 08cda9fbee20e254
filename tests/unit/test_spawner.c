//  test_spawner.c: real processes, through the real launcher: how they end is known exactly once,
//  and whatever goes wrong before leaves none behind.

#include "scene.h"
#include "unit.h"

#include "actors/config.h"
#include "actors/services/spawner.h"
#include "util/file.h"
#include "util/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

//  Scenes run in another thread; what they need of the test is passed to them here.
static const char *folder;
static const char *launcher = TROUPE_LAUNCH;
static int go_ms = 20000;
static config_t config;

//  An actor that owns processes and remembers what it was told; and that starts one itself.

typedef struct {
    uint64_t count;
    char process[PROCESS_TEXT_SIZE];
    int64_t code, signal;
    msg_t *asked;
} owner_t;

static void owner_report (actor_t *self, msg_t **msg_p)
{
    const owner_t *owner = actor_state (self);
    auto(msg_t) reply = msg_reply ();
    pack_map (msg_result (reply));
    pack_key_u64 (msg_result (reply), "count", owner->count);
    pack_key_str (msg_result (reply), "process", owner->process);
    pack_key_i64 (msg_result (reply), "code", owner->code);
    pack_key_i64 (msg_result (reply), "signal", owner->signal);
    pack_end (msg_result (reply));
    actor_reply (self, msg_p, &reply);
}

static void owner_on_spawned (actor_t *self, const msg_t *reply, void *arg)
{
    (void) arg;
    owner_t *owner = actor_state (self);
    const char *process = value_get_str (msg_value (reply), "process");
    snprintf (owner->process, sizeof owner->process, "%s", process ? process : "");
    owner_report (self, &owner->asked);
}

static msg_t *spawn_request (const char *const *argv, const char *owner);

static void owner_handle (actor_t *self, msg_t **msg_p)
{
    owner_t *owner = actor_state (self);
    if (msg_is (*msg_p, "process.exited")) {
        owner->count++;
        snprintf (owner->process, sizeof owner->process, "%s", msg_str (*msg_p, "process"));
        owner->code = msg_i64 (*msg_p, "code", 99);
        owner->signal = msg_i64 (*msg_p, "signal", 99);
    } else if (msg_is (*msg_p, "report"))
        owner_report (self, msg_p);
    else if (msg_is (*msg_p, "spawn")) {
        owner->asked = take (msg_p);
        msg_t *request = spawn_request ((const char *[]){ "/bin/sleep", "60", NULL }, "owner");
        actor_request (self, "spawner", &request, 20000, owner_on_spawned, NULL);
    }
}

static const actor_class_t owner_class = { .kind = "owner",
                                           .state_size = sizeof (owner_t),
                                           .handle = owner_handle };

//  Requests.

static void pack_strings (pack_t *pack, const char *key, const char *const *strings)
{
    pack_key_array (pack, key);
    for (; *strings; strings++)
        pack_str (pack, *strings);
    pack_end (pack);
}

static msg_t *spawn_request (const char *const *argv, const char *owner)
{
    msg_t *request = msg_request ("process.spawn");
    pack_t *pack = msg_args (request);
    pack_strings (pack, "argv", argv);
    pack_strings (pack, "env", (const char *[]){ "PATH=/usr/bin:/bin", NULL });
    pack_key_str (pack, "owner", owner);
    return request;
}

static void start_spawner (actor_t *self)
{
    config.launcher = launcher;
    scene_reset ();
    msg_t *args = msg_request ("start");
    config_pack (&config, msg_args (args));
    pack_key_i64 (msg_args (args), "go_ms", go_ms);
    actor_spawn (self, "spawner", &spawner_class, &args, false, PATIENCE_MS, scene_keep, NULL);
    auto(msg_t) answer = scene_await (self, 1);
    check_equal (scene_code (answer), 0);
    check_equal (scene_spawn (self, "owner", &owner_class, false), 0);
}

//  The process that REQUEST spawned, or NULL with ERR. The caller frees it.
static char *call_spawn (actor_t *self, msg_t **request_p, error_t *err)
{
    auto(msg_t) answer = scene_call (self, "spawner", request_p, 20000);
    if (msg_failed (answer, err))
        return NULL;
    return text_copy (value_get_str (msg_value (answer), "process"));
}

static char *spawn (actor_t *self, const char *const *argv)
{
    error_t err = { 0 };
    msg_t *request = spawn_request (argv, "owner");
    char *process = call_spawn (self, &request, &err);
    if (!process)
        fprintf (stderr, "%s\n", err.message);
    check (process);
    return process;
}

static char *spawn_shell (actor_t *self, const char *script)
{
    return spawn (self, (const char *[]){ "/bin/sh", "-c", script, NULL });
}

//  VERB about PROCESS: the answer, which the caller destroys.
static msg_t *call (actor_t *self, const char *verb, const char *process, int64_t signal,
                    int deadline_ms)
{
    msg_t *request = msg_request (verb);
    pack_key_str (msg_args (request), "process", process);
    pack_key_i64 (msg_args (request), "signal", signal);
    pack_key_str (msg_args (request), "owner", "owner");
    return scene_call (self, "spawner", &request, deadline_ms);
}

static int call_code (actor_t *self, const char *verb, const char *process, int64_t signal)
{
    auto(msg_t) answer = call (self, verb, process, signal, 20000);
    error_t err;
    if (msg_failed (answer, &err) && err.code == ERR_INTERNAL_ERROR)
        fprintf (stderr, "%s\n", err.message);
    return scene_code (answer);
}

static void go (actor_t *self, const char *process)
{
    check_equal (call_code (self, "process.go", process, 0), 0);
}

static void wait_end (actor_t *self, const char *process)
{
    check_equal (call_code (self, "process.wait", process, 0), 0);
}

//  The owner was told COUNT times, last of the end of PROCESS with CODE and SIGNAL.
static void check_told (actor_t *self, int count, const char *process, int code, int signal)
{
    auto(msg_t) answer = scene_ask (self, "owner", "report", PATIENCE_MS);
    const value_t *report = msg_value (answer);
    check_equal (value_get_u64 (report, "count", 99), count);
    check_equal (value_get_i64 (report, "code", 99), code);
    check_equal (value_get_i64 (report, "signal", 99), signal);
    check_text (value_get_str (report, "process"), process);
}

static void check_told_nothing (actor_t *self)
{
    auto(msg_t) answer = scene_ask (self, "owner", "report", PATIENCE_MS);
    check_equal (value_get_u64 (msg_value (answer), "count", 99), 0);
}

//  Lets all children of ours end.
static void wait_no_children (actor_t *self)
{
    for (int i = 0; i < PATIENCE_MS / 20; i++) {
        siginfo_t info;
        if (waitid (P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == -1 && errno == ECHILD)
            return;
        scene_pass (self, 20);
    }
    check (!"a child is left");
}

//  0: there is none yet.
static pid_t only_child (void)
{
    int pid;
    autofree char *command = text_format ("pgrep -P %d troupe-launch", (int) getpid ());
    FILE *output = popen (command, "r");
    bool found = output && fscanf (output, "%d", &pid) == 1;
    pclose (output);
    return found ? pid : 0;
}

//  Scenes.

static void scene_exit_codes (actor_t *self)
{
    start_spawner (self);
    autofree char *good = spawn_shell (self, "exit 0");
    go (self, good);
    wait_end (self, good);
    check_told (self, 1, good, 0, 0);
    autofree char *bad = spawn_shell (self, "exit 42");
    go (self, bad);
    wait_end (self, bad);
    check_told (self, 2, bad, 42, 0);
    autofree char *shot = spawn_shell (self, "kill -SEGV $$");
    go (self, shot);
    wait_end (self, shot);
    check_told (self, 3, shot, -1, SIGSEGV);
}

static void scene_kill (actor_t *self)
{
    start_spawner (self);
    autofree char *process = spawn (self, (const char *[]){ "/bin/sleep", "60", NULL });
    go (self, process);
    auto(msg_t) late = call (self, "process.wait", process, 0, 50);
    check_equal (scene_code (late), ERR_OPERATION_TIMEOUT);
    check_equal (call_code (self, "process.kill", process, 0), ERR_INVALID_ARG);
    check_equal (call_code (self, "process.kill", process, SIGTERM), 0);
    wait_end (self, process);
    check_told (self, 1, process, -1, SIGTERM);
    //  It is over: nothing to kill, nothing to wait for.
    check_equal (call_code (self, "process.kill", process, SIGKILL), 0);
    wait_end (self, process);
    check_equal (call_code (self, "process.go", process, 0), ERR_OPERATION_INVALID);
    check_told (self, 1, process, -1, SIGTERM);
}

//  The program gets what was asked for, and no descriptor of ours.
static void scene_program_sees (actor_t *self)
{
    start_spawner (self);
    autofree char *log = text_format ("%s/log", folder);
    msg_t *request = msg_request ("process.spawn");
    pack_t *pack = msg_args (request);
    pack_strings (pack, "argv",
                  (const char *[]){ "/bin/sh", "-c", "pwd; echo $WORD; ls /proc/$$/fd", NULL });
    pack_strings (pack, "env", (const char *[]){ "PATH=/usr/bin:/bin", "WORD=hello", NULL });
    pack_key_str (pack, "folder", folder);
    pack_key_str (pack, "log", log);
    error_t err;
    autofree char *process = call_spawn (self, &request, &err);
    check (process);
    go (self, process);
    wait_end (self, process);
    autofree char *text = file_read (log, 4096, NULL, &err);
    autofree char *want = text_format ("%s\nhello\n0\n1\n2\n", folder);
    check (text);
    check_text (text, want);
    check_told_nothing (self); //  no owner was named
}

//  The spec does not fit into the socket's buffer, and the launcher does not read for a while.
static void scene_large_spec (actor_t *self)
{
    start_spawner (self);
    autofree char *log = text_format ("%s/log", folder);
    autofree char *word = memory_new (1, 2001);
    memset (word, 'x', 2000);
    msg_t *request = msg_request ("process.spawn");
    pack_t *pack = msg_args (request);
    pack_strings (pack, "argv", (const char *[]){ "/usr/bin/env", NULL });
    pack_key_array (pack, "env");
    for (int i = 0; i < 125; i++) {
        autofree char *entry = text_format ("W%03d=%s", i, word);
        pack_str (pack, entry);
    }
    pack_end (pack);
    pack_key_str (pack, "log", log);
    error_t err;
    autofree char *process = call_spawn (self, &request, &err);
    check (process);
    go (self, process);
    wait_end (self, process);
    struct stat status;
    check_equal (stat (log, &status), 0);
    check_equal (status.st_size, 125 * 2006);
}

static void scene_refused (actor_t *self)
{
    start_spawner (self);
    error_t err;
    msg_t *request = spawn_request ((const char *[]){ "/no/such/program", NULL }, "owner");
    autofree char *missing = call_spawn (self, &request, &err);
    check (!missing && strstr (err.message, "'/no/such/program'") &&
           strstr (err.message, "No such file"));
    request = spawn_request ((const char *[]){ "sleep", NULL }, "owner");
    autofree char *relative = call_spawn (self, &request, &err);
    check (!relative && err.code == ERR_INVALID_ARG);
    request = spawn_request ((const char *[]){ NULL }, "owner");
    autofree char *nothing = call_spawn (self, &request, &err);
    check (!nothing && err.code == ERR_INVALID_ARG);
    check_equal (call_code (self, "process.kill", "1", SIGKILL), ERR_INVALID_ARG);
    wait_no_children (self);
    check_told_nothing (self);
}

//  A file that may be executed, but is no program: only exec finds out.
static void scene_exec_fails (actor_t *self)
{
    start_spawner (self);
    autofree char *program = text_format ("%s/garbage", folder);
    error_t err;
    check_equal (file_write (program, "garbage", 7, &err), 0);
    check_equal (chmod (program, 0755), 0);
    autofree char *process = spawn (self, (const char *[]){ program, NULL });
    auto(msg_t) answer = call (self, "process.go", process, 0, PATIENCE_MS);
    check (msg_failed (answer, &err));
    check (strstr (err.message, program) && strstr (err.message, "Exec format error"));
    wait_end (self, process);
    check_told (self, 1, process, 127, 0);
}

static void scene_no_launcher (actor_t *self)
{
    start_spawner (self);
    error_t err;
    msg_t *request = spawn_request ((const char *[]){ "/bin/true", NULL }, "owner");
    autofree char *process = call_spawn (self, &request, &err);
    check (!process && strstr (err.message, "/no/troupe-launch") &&
           strstr (err.message, "No such file"));
}

//  A launcher that can't get ready: its log is a FIFO that nobody reads.
static msg_t *stuck_request (void)
{
    autofree char *log = text_format ("%s/fifo", folder);
    check (mkfifo (log, 0600) == 0);
    msg_t *request = spawn_request ((const char *[]){ "/bin/true", NULL }, "owner");
    pack_key_str (msg_args (request), "log", log);
    return request;
}

static void scene_launcher_killed (actor_t *self)
{
    start_spawner (self);
    scene_reset ();
    msg_t *request = stuck_request ();
    actor_request (self, "spawner", &request, 20000, scene_keep, NULL);
    scene_until (self, only_child () > 0);
    scene_pass (self, 100);
    check_equal (kill (only_child (), SIGKILL), 0);
    auto(msg_t) answer = scene_await (self, 1);
    error_t err;
    check (msg_failed (answer, &err));
    check (strstr (err.message, "'/bin/true'") && strstr (err.message, "killed by signal 9"));
    check_told_nothing (self);
}

static void scene_not_ready_in_time (actor_t *self)
{
    start_spawner (self);
    error_t err;
    msg_t *request = stuck_request ();
    autofree char *process = call_spawn (self, &request, &err);
    check (!process && err.code == ERR_OPERATION_TIMEOUT);
    autofree char *log = text_format ("%s/fifo", folder);
    autoclose int reader = open (log, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    check (reader >= 0);
    wait_no_children (self);
    check_told_nothing (self);
}

static void scene_no_go_in_time (actor_t *self)
{
    start_spawner (self);
    autofree char *process = spawn_shell (self, "exit 3");
    wait_end (self, process);
    check_told (self, 1, process, 0, 0);
    check_equal (call_code (self, "process.go", process, 0), ERR_OPERATION_INVALID);
}

static void scene_killed_before_go (actor_t *self)
{
    start_spawner (self);
    autofree char *process = spawn_shell (self, "exit 3");
    check_equal (call_code (self, "process.kill", process, SIGKILL), 0);
    //  Whether its end was seen already or not.
    check (call_code (self, "process.go", process, 0) != 0);
    wait_end (self, process);
    check_told (self, 1, process, -1, SIGKILL);
}

//  "go" is on its way to a launcher that will never read it.
static void scene_killed_at_go (actor_t *self)
{
    start_spawner (self);
    autofree char *name = spawn_shell (self, "exit 3");
    process_t process;
    check (process_from_text (name, &process));
    check_equal (kill (process.pid, SIGSTOP), 0);
    scene_reset ();
    msg_t *request = msg_request ("process.go");
    pack_key_str (msg_args (request), "process", name);
    actor_request (self, "spawner", &request, 20000, scene_keep, NULL);
    scene_pass (self, 50);
    check_equal (scene_count (), 0);
    check_equal (kill (process.pid, SIGKILL), 0);
    auto(msg_t) answer = scene_await (self, 1);
    error_t err;
    check (msg_failed (answer, &err));
    check (strstr (err.message, "'/bin/sh'") && strstr (err.message, "killed by signal 9"));
    wait_end (self, name);
    check_told (self, 1, name, -1, SIGKILL);
}

static char *spawn_by (actor_t *self, const char *requester)
{
    auto(msg_t) answer = scene_ask (self, requester, "spawn", 20000);
    check_equal (scene_code (answer), 0);
    return text_copy (value_get_str (msg_value (answer), "process"));
}

static void scene_requester_ends (actor_t *self)
{
    start_spawner (self);
    check_equal (scene_spawn (self, "owner/1", &owner_class, false), 0);
    autofree char *let_go = spawn_by (self, "owner/1");
    autofree char *gone = spawn_by (self, "owner/1");
    check (let_go[0] && gone[0]);
    go (self, gone);
    actor_stop (self, "owner/1");
    wait_end (self, let_go);
    check_told (self, 1, let_go, 0, 0);
    //  What was told to go lives on.
    auto(msg_t) late = call (self, "process.wait", gone, 0, 50);
    check_equal (scene_code (late), ERR_OPERATION_TIMEOUT);
    check_equal (call_code (self, "process.kill", gone, SIGKILL), 0);
    wait_end (self, gone);
}

//  A process that is nobody's we know: its parent ended.
static char *stranger (void)
{
    int pid = 0;
    FILE *output = popen ("sleep 60 >/dev/null 2>&1 & echo $!", "r");
    check (output && fscanf (output, "%d", &pid) == 1);
    pclose (output);
    process_t process;
    error_t err;
    check_equal (process_identify (pid, &process, &err), 0);
    char text[PROCESS_TEXT_SIZE];
    process_to_text (&process, text);
    return text_copy (text);
}

static bool is_alive (actor_t *self, const char *process)
{
    auto(msg_t) answer = call (self, "process.watch", process, 0, PATIENCE_MS);
    check_equal (scene_code (answer), 0);
    return value_get_bool (msg_value (answer), "alive", false);
}

static void scene_not_our_child (actor_t *self)
{
    start_spawner (self);
    autofree char *process = stranger ();
    check (is_alive (self, process));
    check (is_alive (self, process)); //  twice is told once
    check_equal (call_code (self, "process.kill", process, SIGKILL), 0);
    wait_end (self, process);
    check_told (self, 1, process, -1, 0);
    //  A waiter alone, who gives up first; the next one sees the end.
    autofree char *other = stranger ();
    auto(msg_t) late = call (self, "process.wait", other, 0, 30);
    check_equal (scene_code (late), ERR_OPERATION_TIMEOUT);
    scene_pass (self, 60);
    check_equal (call_code (self, "process.kill", other, SIGKILL), 0);
    wait_end (self, other);
    check_told (self, 1, process, -1, 0);
}

//  The same pid with another start time or boot is another process.
static void scene_impostor (actor_t *self)
{
    start_spawner (self);
    autofree char *real = stranger ();
    process_t process;
    check (process_from_text (real, &process));
    process.start_time++;
    char text[PROCESS_TEXT_SIZE];
    process_to_text (&process, text);
    check (!is_alive (self, text));
    check_equal (call_code (self, "process.kill", text, SIGKILL), 0);
    wait_end (self, text);
    check (is_alive (self, real));
    check_equal (call_code (self, "process.kill", real, SIGKILL), 0);
    wait_end (self, real);
    check_told (self, 1, real, -1, 0);
}

enum {
    MANY = 200
};

static void go_on_spawned (actor_t *self, const msg_t *reply, void *arg)
{
    (void) arg;
    error_t err;
    check (!msg_failed (reply, &err));
    msg_t *request = msg_request ("process.go");
    pack_key_str (msg_args (request), "process", value_get_str (msg_value (reply), "process"));
    actor_request (self, "spawner", &request, 60000, scene_keep, NULL);
}

//  Of how many ends the owner knows; all were with code 0.
static uint64_t told_of (actor_t *self)
{
    auto(msg_t) answer = scene_ask (self, "owner", "report", PATIENCE_MS);
    check_equal (value_get_i64 (msg_value (answer), "code", 99), 0);
    return value_get_u64 (msg_value (answer), "count", 0);
}

static void scene_many (actor_t *self)
{
    start_spawner (self);
    scene_reset ();
    for (int i = 0; i < MANY; i++) {
        msg_t *request = spawn_request ((const char *[]){ "/bin/true", NULL }, "owner");
        actor_request (self, "spawner", &request, 60000, go_on_spawned, NULL);
    }
    auto(msg_t) last = scene_await (self, MANY);
    check_equal (scene_code (last), 0);
    wait_no_children (self);
    //  The last one was reaped; that the owner is told comes behind it.
    const int64_t limit = actor_now (self) + PATIENCE_MS;
    while (told_of (self) < MANY && actor_now (self) < limit)
        scene_pass (self, 10);
    check_equal (told_of (self), MANY);
}

//  A program outlives the daemon; a launcher that waits does not.
static void scene_stop (actor_t *self)
{
    start_spawner (self);
    autofree char *waiting = spawn_shell (self, "exit 3");
    autofree char *running = spawn (self, (const char *[]){ "/bin/sleep", "60", NULL });
    go (self, running);
    actor_stop (self, "spawner");
    process_t process;
    check (process_from_text (waiting, &process));
    check_equal (waitpid (process.pid, NULL, 0), process.pid);
    check (process_from_text (running, &process));
    check_equal (waitpid (process.pid, NULL, WNOHANG), 0);
    check_equal (kill (process.pid, SIGKILL), 0);
    check_equal (waitpid (process.pid, NULL, 0), process.pid);
    check_told_nothing (self);
}

//  After each scene: no descriptor, no child and no zombie is left.
static void run (scene_fn *scene, const char *where)
{
    folder = where;
    const int before = unit_count_descriptors ();
    scene_run (scene);
    assert_int_equal (unit_count_descriptors (), before);
    assert_int_equal (waitpid (-1, NULL, WNOHANG), -1);
}

#define FOLDER_TEST(name)                                                                          \
    static void test_##name (void **state)                                                         \
    {                                                                                              \
        run (scene_##name, *state);                                                                \
    }

FOLDER_TEST (exit_codes)
FOLDER_TEST (kill)
FOLDER_TEST (program_sees)
FOLDER_TEST (large_spec)
FOLDER_TEST (refused)
FOLDER_TEST (exec_fails)
FOLDER_TEST (launcher_killed)
FOLDER_TEST (killed_before_go)
FOLDER_TEST (killed_at_go)
FOLDER_TEST (requester_ends)
FOLDER_TEST (not_our_child)
FOLDER_TEST (impostor)
FOLDER_TEST (many)
FOLDER_TEST (stop)

static void test_no_launcher (void **state)
{
    launcher = "/no/troupe-launch";
    run (scene_no_launcher, *state);
    launcher = TROUPE_LAUNCH;
}

static void test_no_go_in_time (void **state)
{
    const int usual = go_ms;
    go_ms = 3000;
    run (scene_no_go_in_time, *state);
    go_ms = usual;
}

static void test_not_ready_in_time (void **state)
{
    const int usual = go_ms;
    go_ms = 300;
    run (scene_not_ready_in_time, *state);
    go_ms = usual;
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        unit_test_in_folder (test_exit_codes),
        unit_test_in_folder (test_kill),
        unit_test_in_folder (test_program_sees),
        unit_test_in_folder (test_large_spec),
        unit_test_in_folder (test_refused),
        unit_test_in_folder (test_exec_fails),
        unit_test_in_folder (test_no_launcher),
        unit_test_in_folder (test_launcher_killed),
        unit_test_in_folder (test_killed_before_go),
        unit_test_in_folder (test_killed_at_go),
        unit_test_in_folder (test_requester_ends),
        unit_test_in_folder (test_not_our_child),
        unit_test_in_folder (test_impostor),
        unit_test_in_folder (test_no_go_in_time),
        unit_test_in_folder (test_not_ready_in_time),
        unit_test_in_folder (test_many),
        unit_test_in_folder (test_stop),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
