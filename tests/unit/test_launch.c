//  test_launch.c: the daemon's side of starting a program, with the real launcher on the other end.

#include "util/launch.h"
#include "util/file.h"
#include "util/text.h"

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

typedef struct {
    pid_t pid;
    int socket;
    char bytes[LAUNCH_ANSWER_MAX];
    size_t size;
} child_t;

static const char *const no_environment[] = { NULL };

//  What a spawner actor does: the launcher gets one end of a socket as descriptor 3, then the spec.
//  It also gets descriptor 9, which no program was promised, and 10.
static child_t start (const launch_t *launch)
{
    error_t err;
    int ends[2];
    size_t size = 0;
    child_t child = { 0 };
    autofree char *spec = launch_encode (launch, &size, &err);
    assert_non_null (spec);
    assert_int_equal (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init (&actions);
    posix_spawn_file_actions_adddup2 (&actions, ends[1], 20);
    posix_spawn_file_actions_adddup2 (&actions, 20, LAUNCH_FD);
    posix_spawn_file_actions_adddup2 (&actions, 20, 9);
    posix_spawn_file_actions_addopen (&actions, 10, "/dev/null", O_RDONLY, 0);
    char *argv[] = { "troupe-launch", NULL };
    assert_int_equal (posix_spawn (&child.pid, TROUPE_LAUNCH, &actions, NULL, argv, environ), 0);
    posix_spawn_file_actions_destroy (&actions);
    close (ends[1]);
    child.socket = ends[0];
    assert_int_equal (send (ends[0], spec, size, MSG_NOSIGNAL), size);
    return child;
}

//  One answer; LAUNCH_WAITING at the end of the stream.
static launch_answer_t answer (child_t *child, error_t *err)
{
    while (true) {
        size_t used = 0;
        const launch_answer_t result = launch_answer (child->bytes, child->size, &used, err);
        memmove (child->bytes, child->bytes + used, child->size - used);
        child->size -= used;
        if (result != LAUNCH_WAITING)
            return result;
        const ssize_t count =
            recv (child->socket, child->bytes + child->size, sizeof child->bytes - child->size, 0);
        if (count <= 0)
            return LAUNCH_WAITING;
        child->size += (size_t) count;
    }
}

static void expect_ready (child_t *child)
{
    error_t err = { 0 };
    if (answer (child, &err) != LAUNCH_READY)
        fail_msg ("not ready: %s", err.message);
}

static int exit_status (child_t *child)
{
    int status = 0;
    assert_int_equal (waitpid (child->pid, &status, 0), child->pid);
    close (child->socket);
    return WIFEXITED (status) ? WEXITSTATUS (status) : 128 + WTERMSIG (status);
}

//  Lets it go, which must end in exec; the program's exit status.
static int go (child_t *child)
{
    error_t err = { 0 };
    assert_int_equal (send (child->socket, LAUNCH_GO, strlen (LAUNCH_GO), MSG_NOSIGNAL), 3);
    if (answer (child, &err) != LAUNCH_WAITING)
        fail_msg ("not executed: %s", err.message);
    return exit_status (child);
}

//  Runs a shell script to its end; what it wrote is in the log.
static char *output_of (launch_t *launch, const char *script, const char *folder)
{
    error_t err;
    const char *const argv[] = { "/bin/sh", "-c", script, NULL };
    autofree char *log = text_format ("%s/log", folder);
    launch->argv = argv;
    launch->env = launch->env ? launch->env : no_environment;
    launch->log = log;
    child_t child = start (launch);
    expect_ready (&child);
    assert_int_equal (go (&child), 0);
    return file_read (log, 1 << 20, NULL, &err);
}

//  A launch that must fail before "ready", with PART in its error.
static void expect_failure (const launch_t *launch, const char *part)
{
    error_t err = { 0 };
    child_t child = start (launch);
    assert_int_equal (answer (&child, &err), LAUNCH_FAILED);
    if (!strstr (err.message, part))
        fail_msg ("'%s', not '%s'", err.message, part);
    assert_int_equal (exit_status (&child), 127);
}

static void program_runs_after_go (void **state)
{
    static const char *const env[] = { "A=1", "B=x y", NULL };
    launch_t launch = { .env = env, .folder = *state };
    autofree char *output =
        output_of (&launch, "echo $A-$B; pwd; umask; echo oops >&2; read line || echo end", *state);
    autofree char *expected = text_format ("1-x y\n%s\n0077\noops\nend\n", (char *) *state);
    assert_string_equal (output, expected);
}

static void log_is_appended (void **state)
{
    launch_t launch = { 0 };
    autofree char *first = output_of (&launch, "echo one", *state);
    assert_string_equal (first, "one\n");
    autofree char *second = output_of (&launch, "echo two", *state);
    assert_string_equal (second, "one\ntwo\n");
    autofree char *log = text_format ("%s/log", (char *) *state);
    struct stat status;
    assert_int_equal (stat (log, &status), 0);
    assert_int_equal (status.st_mode & 07777, 0600);
}

static void leads_a_session_with_fresh_signals (void **state)
{
    launch_t launch = { 0 };
    sigset_t blocked, before;
    sigemptyset (&blocked);
    sigaddset (&blocked, SIGUSR2);
    sigprocmask (SIG_BLOCK, &blocked, &before);
    signal (SIGUSR1, SIG_IGN);
    autofree char *output =
        output_of (&launch,
                   "read pid name state parent group session rest </proc/$$/stat; "
                   "[ $pid = $session ] && echo leader; exec 2>/dev/null; "
                   "sh -c 'kill -USR1 $$'; echo $?; sh -c 'kill -USR2 $$'; echo $?",
                   *state);
    signal (SIGUSR1, SIG_DFL);
    sigprocmask (SIG_SETMASK, &before, NULL);
    assert_string_equal (output, "leader\n138\n140\n");
}

static void only_promised_descriptors_are_open (void **state)
{
    launch_t launch = { .keep = { 10 } };
    autofree char *output = output_of (
        &launch, "for i in 3 9 10 64 65; do [ -e /proc/$$/fd/$i ] && echo $i; done; true", *state);
    assert_string_equal (output, "10\n");
}

static void missing_program_fails_early (void **state)
{
    (void) state;
    static const char *const argv[] = { "/none/qemu", NULL };
    const launch_t launch = { .argv = argv, .env = no_environment };
    expect_failure (&launch, "execute '/none/qemu': No such file or directory");
}

static void failing_exec_is_reported (void **state)
{
    error_t err;
    autofree char *program = text_format ("%s/program", (char *) *state);
    autofree char *socket_path = text_format ("%s/socket", (char *) *state);
    assert_int_equal (file_write (program, "nonsense", 8, &err), 0);
    assert_int_equal (chmod (program, 0700), 0);
    const char *const argv[] = { program, NULL };
    const launch_t launch = { .argv = argv,
                              .env = no_environment,
                              .listen = { { socket_path, 3 } } };
    child_t child = start (&launch);
    expect_ready (&child);
    assert_int_equal (access (socket_path, F_OK), 0);
    assert_int_equal (send (child.socket, LAUNCH_GO, strlen (LAUNCH_GO), MSG_NOSIGNAL), 3);
    assert_int_equal (answer (&child, &err), LAUNCH_FAILED);
    assert_int_equal (err.code, ERR_OPERATION_FAILED);
    assert_non_null (strstr (err.message, "Exec format error"));
    assert_int_equal (exit_status (&child), 127);
    assert_int_equal (access (socket_path, F_OK), -1);
}

static void goes_without_a_trace_if_the_daemon_dies (void **state)
{
    static const char *const argv[] = { "/bin/sh", "-c", "echo never", NULL };
    autofree char *socket_path = text_format ("%s/socket", (char *) *state);
    autofree char *log = text_format ("%s/log", (char *) *state);
    const launch_t launch = {
        .argv = argv, .env = no_environment, .log = log, .listen = { { socket_path, 3 } }
    };
    child_t child = start (&launch);
    expect_ready (&child);
    assert_int_equal (access (socket_path, F_OK), 0);
    shutdown (child.socket, SHUT_RDWR);
    assert_int_equal (exit_status (&child), 0);
    assert_int_equal (access (socket_path, F_OK), -1);
    error_t err;
    autofree char *output = file_read (log, 100, NULL, &err);
    assert_string_equal (output, "");
}

static void keeps_a_socket_that_is_not_its_own (void **state)
{
    static const char *const argv[] = { "/bin/true", NULL };
    autofree char *path = text_format ("%s/socket", (char *) *state);
    const launch_t launch = { .argv = argv, .env = no_environment, .listen = { { path, 5 } } };
    child_t first = start (&launch);
    expect_ready (&first);
    child_t second = start (&launch);
    expect_ready (&second);
    shutdown (first.socket, SHUT_RDWR);
    assert_int_equal (exit_status (&first), 0);
    assert_int_equal (access (path, F_OK), 0);
    shutdown (second.socket, SHUT_RDWR);
    assert_int_equal (exit_status (&second), 0);
    assert_int_equal (access (path, F_OK), -1);
}

//  A connection that is queued until the program accepts it.
static void expect_listening (const char *folder, const char *name)
{
    struct stat status;
    autofree char *path = text_format ("%s/%s", folder, name);
    assert_int_equal (stat (path, &status), 0);
    assert_true (S_ISSOCK (status.st_mode));
    assert_int_equal (status.st_mode & 07777, 0600);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    assert_int_equal (chdir (folder), 0);
    strcpy (address.sun_path, name);
    autoclose int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal (connect (fd, (struct sockaddr *) &address, sizeof address), 0);
    assert_int_equal (chdir ("/"), 0);
}

static void program_inherits_listening_sockets (void **state)
{
    error_t err;
    char name[101];
    memset (name, 'n', 100);
    name[100] = 0;
    autofree char *deep = text_format ("%s/%s", (char *) *state, name);
    autofree char *long_path = text_format ("%s/long", deep);
    autofree char *short_path = text_format ("%s/short", (char *) *state);
    autofree char *log = text_format ("%s/log", (char *) *state);
    assert_int_equal (file_make_folders (deep, 0700, &err), 0);
    assert_true (strlen (long_path) > 107);
    static const char *const argv[] = {
        "/bin/sh", "-c", "[ -S /proc/$$/fd/3 ] && [ -S /proc/$$/fd/7 ] && [ ! -e /proc/$$/fd/4 ]",
        NULL
    };
    const launch_t launch = { .argv = argv,
                              .env = no_environment,
                              .log = log,
                              .listen = { { short_path, 7 }, { long_path, 3 } } };
    //  Twice: the second time it finds the old sockets.
    for (int i = 0; i < 2; i++) {
        child_t child = start (&launch);
        expect_ready (&child);
        expect_listening (*state, "short");
        expect_listening (deep, "long");
        assert_int_equal (go (&child), 0);
    }
}

static void program_inherits_devices (void **state)
{
    static const char *const argv[] = {
        "/bin/sh", "-c", "[ /dev/fd/5 -ef /dev/zero ] && [ /dev/fd/3 -ef /dev/full ]", NULL
    };
    static const char *const devices[] = { "5:file:0:/dev/zero", "3:file:0:/dev/full", NULL };
    static const char *const none[] = { "5:file:0:/dev/none", NULL };
    static const char *const twice[] = { "5:file:0:/dev/zero", "5:file:0:/dev/zero", NULL };
    autofree char *log = text_format ("%s/log", (char *) *state);
    launch_t launch = { .argv = argv, .env = no_environment, .log = log, .devices = devices };
    child_t child = start (&launch);
    expect_ready (&child);
    assert_int_equal (go (&child), 0);
    launch.devices = none;
    expect_failure (&launch, "open the device '/dev/none': No such file");
    launch.devices = twice;
    expect_failure (&launch, "can't use device '5:file:0:/dev/zero'");
}

static void removes_nothing_but_sockets (void **state)
{
    error_t err;
    static const char *const argv[] = { "/bin/true", NULL };
    autofree char *path = text_format ("%s/data", (char *) *state);
    assert_int_equal (file_write (path, "x", 1, &err), 0);
    const launch_t launch = { .argv = argv, .env = no_environment, .listen = { { path, 5 } } };
    expect_failure (&launch, "there is a file that is not a socket");
    assert_int_equal (access (path, F_OK), 0);
}

static void joins_cgroups (void **state)
{
    error_t err;
    autofree char *group = text_format ("%s/group", (char *) *state);
    autofree char *procs = text_format ("%s/cgroup.procs", group);
    assert_int_equal (file_make_folders (group, 0700, &err), 0);
    assert_int_equal (file_write (procs, "", 0, &err), 0);
    const char *const cgroups[] = { group, NULL };
    launch_t launch = { .cgroups = cgroups };
    autofree char *pid = output_of (&launch, "echo $$", *state);
    autofree char *joined = file_read (procs, 100, NULL, &err);
    assert_string_equal (joined, pid);

    static const char *const argv[] = { "/bin/true", NULL };
    launch.argv = argv;
    launch.log = NULL;
    assert_int_equal (unlink (procs), 0);
    assert_int_equal (symlink ("/dev/full", procs), 0);
    expect_failure (&launch, "/group': No space left on device");
    assert_int_equal (unlink (procs), 0);
    expect_failure (&launch, "/group': No such file or directory");
}

static void drops_all_capabilities (void **state)
{
    launch_t launch = { .drop_capabilities = true };
    autofree char *output = output_of (
        &launch, "grep -E '^(Cap(Inh|Prm|Eff|Amb)|NoNewPrivs)' /proc/self/status", *state);
    assert_string_equal (output, "CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\n"
                                 "CapEff:\t0000000000000000\nCapAmb:\t0000000000000000\n"
                                 "NoNewPrivs:\t1\n");
}

//  What is not inheritable can't be got by a program that is executed as root, either.
static void leaves_inheritable_capabilities (void **state)
{
    if (geteuid () != 0)
        skip ();
    launch_t launch = { .bounded = true };
    cap_t before = cap_get_proc (), now = cap_dup (before);
    cap_value_t cap = CAP_KILL;
    assert_int_equal (cap_clear_flag (now, CAP_INHERITABLE), 0);
    assert_int_equal (cap_set_flag (now, CAP_INHERITABLE, 1, &cap, CAP_SET), 0);
    assert_int_equal (cap_set_proc (now), 0);
    autofree char *output =
        output_of (&launch, "grep -E '^Cap(Prm|Eff|Bnd)' /proc/self/status", *state);
    assert_int_equal (cap_set_proc (before), 0);
    cap_free (before);
    cap_free (now);
    assert_string_equal (output, "CapPrm:\t0000000000000020\nCapEff:\t0000000000000020\n"
                                 "CapBnd:\t0000000000000020\n");
}

//  The thread that started the launcher ends, and the program with it; another one goes on.
static void *start_two (void *arg)
{
    static const char *const argv[] = { "/bin/sleep", "60", NULL };
    child_t *children = arg;
    for (int i = 0; i < 2; i++) {
        const launch_t launch = { .argv = argv, .env = no_environment, .tied = i == 0 };
        children[i] = start (&launch);
        expect_ready (&children[i]);
        error_t err;
        assert_int_equal (send (children[i].socket, LAUNCH_GO, strlen (LAUNCH_GO), MSG_NOSIGNAL),
                          3);
        assert_int_equal (answer (&children[i], &err), LAUNCH_WAITING);
    }
    return NULL;
}

static void tied_program_ends_with_its_starter (void **state)
{
    (void) state;
    child_t children[2];
    pthread_t starter;
    assert_int_equal (pthread_create (&starter, NULL, start_two, children), 0);
    pthread_join (starter, NULL);
    assert_int_equal (exit_status (&children[0]), 128 + SIGKILL);
    assert_int_equal (waitpid (children[1].pid, NULL, WNOHANG), 0);
    kill (children[1].pid, SIGTERM);
    assert_int_equal (exit_status (&children[1]), 128 + SIGTERM);
}

static void changes_identity (void **state)
{
    if (geteuid () != 0)
        skip ();
    static const gid_t groups[] = { 65533, 65532 };
    launch_t launch = {
        .uid = 65534, .gid = 65531, .groups = groups, .group_count = 2, .drop_capabilities = true
    };
    autofree char *output = output_of (
        &launch, "grep -E '^(Uid|Gid|Groups|CapBnd)' /proc/self/status | tr '\\t' ' '", *state);
    assert_string_equal (output, "Uid: 65534 65534 65534 65534\nGid: 65531 65531 65531 65531\n"
                                 "Groups: 65532 65533 \nCapBnd: 0000000000000000\n");
}

static void sets_memlock (void **state)
{
    launch_t launch = { .memlock_bytes = 1 << 20 };
    autofree char *output = output_of (&launch,
                                       "while read a b c d e; do [ $b = locked ] && echo $d; done "
                                       "</proc/self/limits; true",
                                       *state);
    assert_string_equal (output, "1048576\n");
}

static void other_failures_name_their_object (void **state)
{
    static const char *const argv[] = { "/bin/true", NULL };
    static const char *const relative[] = { "true", NULL };
    launch_t launch = { .argv = argv, .env = no_environment, .folder = "/none" };
    expect_failure (&launch, "enter folder '/none': No such file");
    launch.folder = NULL;
    launch.log = *state;
    expect_failure (&launch, "open log '/tmp/");
    launch.log = NULL;
    launch.listen[0].path = "/none/socket";
    launch.listen[0].fd = 5;
    expect_failure (&launch, "listen at '/none/socket': No such file");
    launch.keep[0] = 5;
    expect_failure (&launch, "can't use listen '5:/none/socket'");
    launch.keep[0] = 0;
    launch.listen[0].fd = 64;
    expect_failure (&launch, "can't use listen '64:/none/socket'");
    launch.listen[0].path = NULL;
    launch.argv = relative;
    expect_failure (&launch, "can't use program 'true'");
}

static void spec_has_a_limit (void **state)
{
    (void) state;
    error_t err;
    size_t size = 0;
    //  The kernel admits 128 KiB in one string.
    autofree char *half = memory_new (LAUNCH_SPEC_MAX / 2, 1);
    memset (half, 'x', LAUNCH_SPEC_MAX / 2 - 100);
    const char *const argv[] = { "/bin/sh", "-c", "[ $1$2 ]", "sh", half, half, NULL };
    launch_t launch = { .argv = argv, .env = no_environment };
    child_t child = start (&launch);
    expect_ready (&child);
    assert_int_equal (go (&child), 0);
    memset (half, 'x', LAUNCH_SPEC_MAX / 2 - 1);
    assert_null (launch_encode (&launch, &size, &err));
    assert_int_equal (err.code, ERR_INVALID_ARG);
    assert_non_null (strstr (err.message, "start '/bin/sh'"));
}

static void answers_are_parsed_piece_by_piece (void **state)
{
    (void) state;
    error_t err;
    size_t used = 0;
    static const char stream[] = "ready\nerror: execute 'x': no\n";
    assert_int_equal (launch_answer (stream, 5, &used, &err), LAUNCH_WAITING);
    assert_int_equal (used, 0);
    assert_int_equal (launch_answer (stream, sizeof stream - 1, &used, &err), LAUNCH_READY);
    assert_int_equal (used, 6);
    assert_int_equal (launch_answer (stream + 6, 10, &used, &err), LAUNCH_WAITING);
    assert_int_equal (launch_answer (stream + 6, sizeof stream - 7, &used, &err), LAUNCH_FAILED);
    assert_string_equal (err.message, "execute 'x': no");
    assert_int_equal (launch_answer ("what\n", 5, &used, &err), LAUNCH_FAILED);
    assert_int_equal (err.code, ERR_INTERNAL_ERROR);
    static const char endless[LAUNCH_ANSWER_MAX] = "x";
    assert_int_equal (launch_answer (endless, sizeof endless, &used, &err), LAUNCH_FAILED);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        unit_test_in_folder (program_runs_after_go),
        unit_test_in_folder (log_is_appended),
        unit_test_in_folder (leads_a_session_with_fresh_signals),
        unit_test_in_folder (only_promised_descriptors_are_open),
        cmocka_unit_test (missing_program_fails_early),
        unit_test_in_folder (failing_exec_is_reported),
        unit_test_in_folder (goes_without_a_trace_if_the_daemon_dies),
        unit_test_in_folder (keeps_a_socket_that_is_not_its_own),
        unit_test_in_folder (program_inherits_listening_sockets),
        unit_test_in_folder (program_inherits_devices),
        unit_test_in_folder (removes_nothing_but_sockets),
        unit_test_in_folder (joins_cgroups),
        unit_test_in_folder (drops_all_capabilities),
        unit_test_in_folder (leaves_inheritable_capabilities),
        cmocka_unit_test (tied_program_ends_with_its_starter),
        unit_test_in_folder (changes_identity),
        unit_test_in_folder (sets_memlock),
        unit_test_in_folder (other_failures_name_their_object),
        cmocka_unit_test (spec_has_a_limit),
        cmocka_unit_test (answers_are_parsed_piece_by_piece),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
