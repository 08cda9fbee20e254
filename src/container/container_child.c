//  container_child.c: what init does before it executes its program, in this order: it ties itself
//  to the supervisor, enters its cgroup namespace and its file systems, opens its terminals, says
//  that it is ready, waits; and then gives up what it may not have.

#include "container/container_init.h"
#include "container/container_privileges.h"
#include "container/container_root.h"
#include "util/auto.h"
#include "util/descriptors.h"
#include "util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

static _Noreturn void give_up (int control, const error_t *err)
{
    //  If it can't be sent, there is nobody left to tell.
    (void) !send (control, err->message, strlen (err->message), MSG_NOSIGNAL);
    _exit (1);
}

//  The supervisor that is gone has nothing more to say.
static void await (int control, const char *word)
{
    char text[16] = "";
    ssize_t count;
    do
        count = recv (control, text, sizeof text - 1, 0);
    while (count < 0 && errno == EINTR);
    if (count <= 0 || strcmp (text, word) != 0)
        _exit (1);
}

//  A supervisor that is killed takes init with it, and that everything inside. It may have died
//  before the tie was there; then its end of the socket is closed.
static int tie (int control, error_t *err)
{
    char byte;
    if (prctl (PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0))
        return error_errno (err, ERR_SYSTEM_ERROR, "tie init to its supervisor");
    if (recv (control, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
        _exit (1);
    return 0;
}

void container_child_reset_signals (void)
{
    for (int number = 1; number <= SIGRTMAX; number++)
        signal (number, SIG_DFL); //  fails for SIGKILL, SIGSTOP and the C library's own
    sigset_t none;
    sigemptyset (&none);
    sigprocmask (SIG_SETMASK, &none, NULL);
}

//  With a user namespace the mounts are there: its root gets a copy of them.
static int enter (const container_spec_t *spec, error_t *err)
{
    bool mounted = *spec->uid_map;
    if (unshare (CLONE_NEWCGROUP | (mounted ? CLONE_NEWNS : 0)))
        return error_errno (err, ERR_SYSTEM_ERROR, "make the container's cgroup namespace");
    //  A shared name is the other's to give.
    bool named = spec->shared & CLONE_NEWUTS;
    if (!named && sethostname (spec->name, strnlen (spec->name, 64)))
        return error_errno (err, ERR_SYSTEM_ERROR, "name the container '%s'", spec->name);
    if (!mounted)
        return container_root_enter (spec, err);
    return chdir ("/") ? error_errno (err, ERR_SYSTEM_ERROR, "enter the container's root") : 0;
}

//  In the container's own devpts: the numbers begin at 0.
int container_child_terminal (const container_user_t *user, int *slave, error_t *err)
{
    int unlocked = 0;
    autoclose int master = open ("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0 || ioctl (master, TIOCSPTLCK, &unlocked))
        return error_errno (err, ERR_SYSTEM_ERROR, "make a terminal in the container");
    *slave = ioctl (master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (*slave < 0 || fchmod (*slave, 0600) || fchown (*slave, user->uid, user->gid))
        return error_errno (err, ERR_SYSTEM_ERROR, "open a terminal in the container");
    int result = master;
    master = -1;
    return result;
}

static int open_terminals (const container_spec_t *spec, const container_user_t *user, int *fds,
                           size_t *count, error_t *err)
{
    for (*count = 0; spec->consoles[*count / 2]; *count += 2) {
        fds[*count] = container_child_terminal (user, &fds[*count + 1], err);
        if (fds[*count] < 0)
            return -1;
    }
    return 0;
}

static int say_ready (int control, const int *fds, size_t count, error_t *err)
{
    if (descriptors_send (control, CONTAINER_READY, fds, count))
        return error_errno (err, ERR_SYSTEM_ERROR, "tell the supervisor of the terminals");
    return 0;
}

int container_child_set_output (const int fds[3], bool terminal, error_t *err)
{
    setsid (); //  fails only if it leads one already
    for (int fd = 0; fd <= 2; fd++)
        if (dup2 (fds[fd], fd) < 0)
            return error_errno (err, ERR_SYSTEM_ERROR, "give the program its terminal");
    int own = terminal ? isatty (0) ? 0 : isatty (1) ? 1 : 2 : -1;
    if (own >= 0 && ioctl (own, TIOCSCTTY, 0))
        return error_errno (err, ERR_SYSTEM_ERROR, "give the program its terminal");
    //  The kernel closes the rest, the control socket last of all, when the program is executed.
    if (close_range (3, ~0u, CLOSE_RANGE_CLOEXEC))
        return error_errno (err, ERR_SYSTEM_ERROR, "close the supervisor's descriptors");
    return 0;
}

//  The first terminal becomes init's own.
static int set_output (const int *fds, size_t count, error_t *err)
{
    autoclose int null = count ? -1 : open ("/dev/null", O_RDWR | O_CLOEXEC);
    int own = count ? fds[1] : null;
    return container_child_set_output ((const int[]){ own, own, own }, count > 0, err);
}

static int enter_folder (const container_spec_t *spec, error_t *err)
{
    if (chdir (spec->folder))
        return error_errno (err, ERR_SYSTEM_ERROR, "enter <initdir> '%s' in the container",
                            spec->folder);
    return 0;
}

static int prepare (const container_spec_t *spec, container_user_t *user, int *fds, size_t *count,
                    error_t *err)
{
    return enter (spec, err) || container_user_find (spec, user, err) ||
                   open_terminals (spec, user, fds, count, err)
               ? -1
               : 0;
}

_Noreturn void container_child_run (const container_spec_t *spec,
                                    const container_cgroups_t *cgroups, int control)
{
    error_t err;
    int fds[2 * CONTAINER_CONSOLES_MAX];
    size_t count = 0;
    container_user_t user;
    container_child_reset_signals ();
    if (tie (control, &err) || container_cgroup_join (cgroups, &err))
        give_up (control, &err);
    await (control, CONTAINER_PLACED);
    if (prepare (spec, &user, fds, &count, &err) || say_ready (control, fds, count, &err))
        give_up (control, &err);
    await (control, CONTAINER_GO);
    umask (0022);
    //  The change of identity takes the tie away.
    if (set_output (fds, count, &err) || container_privileges_drop (spec, &user, &err) ||
        tie (control, &err) || enter_folder (spec, &err))
        give_up (control, &err);
    execve (spec->argv[0], (char *const *) spec->argv, (char *const *) spec->env);
    error_errno (&err, ERR_OPERATION_FAILED, "execute '%s' in the container", spec->argv[0]);
    give_up (control, &err);
}
