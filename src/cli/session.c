//  session.c: an ordinary user's daemon is started by the first command that needs it, as virsh
//  does. It ends by itself when it is idle.

#include "cli/cli.h"
#include "cli/spinner.h"
#include "client/endpoint.h"
#include "util/notify.h"
#include "util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define IDLE_EXIT_SECONDS "120"

enum {
    START_MS = 10000,
    OTHER_MS = 1000,
    STEP_MS = 20
};

extern char **environ;

//  The trouped beside this program, or the one in PATH. The caller frees the result.
static char *find_daemon (void)
{
    char self[4096];
    ssize_t size = readlink ("/proc/self/exe", self, sizeof self - 1);
    char *slash = size > 0 ? memrchr (self, '/', (size_t) size) : NULL;
    if (slash) {
        *slash = 0;
        char *beside = text_format ("%s/trouped", self);
        if (access (beside, X_OK) == 0)
            return beside;
        free (beside);
    }
    return text_copy ("trouped");
}

//  This environment, and where the daemon says that it is ready. The caller frees only the result.
static char **make_environment (char *notify)
{
    size_t count = 0;
    while (environ[count])
        count++;
    char **result = memory_new (count + 2, sizeof *result);
    char **next = result;
    for (size_t i = 0; i < count; i++)
        if (!text_starts (environ[i], NOTIFY_VARIABLE "="))
            *next++ = environ[i];
    *next = notify;
    return result;
}

//  ERRORS: a file for what it says if it can't start. READY: the socket where it says that it is.
static int spawn_detached (const char *daemon, int errors, const char *ready, pid_t *pid,
                           error_t *err)
{
    const char *const argv[] = { daemon,        "--session",       "--quiet",
                                 "--idle-exit", IDLE_EXIT_SECONDS, NULL };
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init (&actions);
    posix_spawnattr_init (&attributes);
    for (int fd = 0; fd <= 1; fd++)
        posix_spawn_file_actions_addopen (&actions, fd, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2 (&actions, errors, 2);
    posix_spawnattr_setflags (&attributes, POSIX_SPAWN_SETSID);
    autofree char *notify = text_format (NOTIFY_VARIABLE "=%s", ready);
    autofree char **environment = make_environment (notify);
    errno = posix_spawnp (pid, daemon, &actions, &attributes, (char *const *) argv, environment);
    bool failed = errno != 0;
    if (failed)
        error_errno (err, ERR_NO_CONNECT,
                     "start the session daemon '%s' (none runs); install trouped or put it in PATH",
                     daemon);
    posix_spawn_file_actions_destroy (&actions);
    posix_spawnattr_destroy (&attributes);
    return failed ? -1 : 0;
}

//  The first line that the daemon wrote, without its name.
static char *read_reason (int errors)
{
    char text[1024];
    ssize_t size = pread (errors, text, sizeof text - 1, 0);
    text[size > 0 ? size : 0] = 0;
    text[strcspn (text, "\n")] = 0;
    const char *reason = text_starts (text, "trouped: ") ? text + strlen ("trouped: ") : text;
    return *reason ? text_copy (reason) : text_copy ("it ended at once, without a word");
}

//  Until the daemon is ready, or ended, or there is no time left. 1: it ended; 0: it did not.
static int wait_for_own (pid_t pid, int ready, error_t *err)
{
    autoclose int process = (int) syscall (SYS_pidfd_open, pid, 0);
    if (process < 0)
        return error_errno (err, ERR_SYSTEM_ERROR, "watch the session daemon, process %d", pid);
    struct pollfd events[] = { { .fd = ready, .events = POLLIN },
                               { .fd = process, .events = POLLIN } };
    int64_t left, until = spinner_now_ms () + START_MS;
    while ((left = until - spinner_now_ms ()) > 0) {
        if (poll (events, 2, (int) left) < 0 && errno != EINTR)
            return error_errno (err, ERR_SYSTEM_ERROR, "wait for the session daemon");
        if (notify_heard (ready, NOTIFY_READY))
            return 0;
        if (events[1].revents)
            return waitpid (pid, NULL, 0) == pid;
    }
    return 0;
}

//  Another command's daemon tells that command, and nobody else, that it is ready.
static int wait_for_other (const char *endpoint)
{
    error_t ignored; //  our own daemon's is shown
    for (int past = 0; past < OTHER_MS; past += STEP_MS) {
        if (endpoint_probe (endpoint, &ignored) == 0)
            return 0;
        poll (NULL, 0, STEP_MS);
    }
    return -1;
}

//  Two commands may start a daemon at the same time: one of the daemons then ends at once, and the
//  other is what we wait for.
int session_start (const char *endpoint, error_t *err)
{
    pid_t pid;
    char name[NOTIFY_NAME_SIZE];
    error_t ignored;
    autofree char *daemon = find_daemon ();
    autoclose int errors = memfd_create ("errors", MFD_CLOEXEC);
    if (errors < 0)
        return error_errno (err, ERR_SYSTEM_ERROR, "start the session daemon '%s'", daemon);
    autoclose int ready = notify_listen (name, err);
    if (ready < 0 || spawn_detached (daemon, errors, name, &pid, err))
        return -1;
    int ended = wait_for_own (pid, ready, err);
    if (ended < 0)
        return -1;
    if (ended ? wait_for_other (endpoint) == 0 : endpoint_probe (endpoint, &ignored) == 0)
        return 0;
    autofree char *reason =
        ended ? read_reason (errors) : text_copy ("it does not listen after 10 s; see its log");
    return error_set (err, ERR_NO_CONNECT, "start the session daemon '%s': %s", daemon, reason);
}
