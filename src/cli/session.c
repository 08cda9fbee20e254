//  session.c: an ordinary user's daemon is started by the first command that needs it, as virsh
//  does. It ends by itself when it is idle.

#include "cli/cli.h"
#include "client/endpoint.h"
#include "util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define IDLE_EXIT_SECONDS "120"

enum {
    START_MS = 10000,
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

//  ERRORS: a file for what it says if it can't start.
static int spawn_detached (const char *daemon, int errors, pid_t *pid, error_t *err)
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
    errno = posix_spawnp (pid, daemon, &actions, &attributes, (char *const *) argv, environ);
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

//  Two commands may start a daemon at the same time: one of the daemons then ends at once, and the
//  other is what we wait for.
int session_start (const char *endpoint, error_t *err)
{
    autofree char *daemon = find_daemon ();
    autoclose int errors = memfd_create ("errors", MFD_CLOEXEC);
    pid_t pid;
    if (errors < 0)
        return error_errno (err, ERR_SYSTEM_ERROR, "start the session daemon '%s'", daemon);
    if (spawn_detached (daemon, errors, &pid, err))
        return -1;
    bool ended = false;
    for (int past = 0; past < START_MS; past += STEP_MS) {
        error_t ignored;
        if (endpoint_probe (endpoint, &ignored) == 0)
            return 0;
        int status;
        if (!ended && waitpid (pid, &status, WNOHANG) == pid) {
            ended = true;
            past = START_MS - 1000; //  a second for the other one
        }
        nanosleep (&(struct timespec){ .tv_nsec = STEP_MS * 1000000 }, NULL);
    }
    autofree char *reason =
        ended ? read_reason (errors) : text_copy ("it does not listen after 10 s; see its log");
    return error_set (err, ERR_NO_CONNECT, "start the session daemon '%s': %s", daemon, reason);
}
