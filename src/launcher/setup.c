//  setup.c: the steps between the launcher's start and the program's.

#include "launcher/setup.h"
#include "util/auto.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

void setup_session (void)
{
    setsid (); //  fails only if it leads one already
    umask (0077);
    for (int number = 1; number <= SIGRTMAX; number++)
        signal (number, SIG_DFL); //  fails for SIGKILL, SIGSTOP and the C library's own
    sigset_t none;
    sigemptyset (&none);
    sigprocmask (SIG_SETMASK, &none, NULL);
}

static bool is_kept (const spec_t *spec, int fd)
{
    for (size_t i = 0; i < spec->keep_count; i++)
        if (spec->keep[i] == fd)
            return true;
    return false;
}

int setup_descriptors (const spec_t *spec, int control, error_t *err)
{
    for (int fd = LAUNCH_FD; fd <= LAUNCH_FD_MAX; fd++) {
        if (!is_kept (spec, fd))
            close (fd);
        else if (fcntl (fd, F_SETFD, 0))
            return error_errno (err, ERR_SYSTEM_ERROR, "keep descriptor %d", fd);
    }
    const unsigned between = LAUNCH_FD_MAX + 1, last = (unsigned) control;
    if ((last > between && close_range (between, last - 1, 0)) || close_range (last + 1, ~0u, 0))
        return error_errno (err, ERR_SYSTEM_ERROR, "close the daemon's descriptors");
    return 0;
}

int setup_pass (int fd, int wanted, error_t *err)
{
    int rc = fd == wanted ? fcntl (fd, F_SETFD, 0) : dup2 (fd, wanted);
    if (rc < 0)
        error_errno (err, ERR_SYSTEM_ERROR, "pass descriptor %d on", wanted);
    if (rc < 0 || fd != wanted)
        close (fd);
    return rc < 0 ? -1 : 0;
}

int setup_devices (const spec_t *spec, error_t *err)
{
    for (size_t i = 0; i < spec->device_count; i++) {
        const int fd = device_open (&spec->devices[i].device, err);
        if (fd < 0 || setup_pass (fd, spec->devices[i].fd, err))
            return -1;
    }
    return 0;
}

int setup_output (const spec_t *spec, error_t *err)
{
    autoclose int null = open ("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        return error_errno (err, ERR_SYSTEM_ERROR, "open /dev/null");
    autoclose int log = -1;
    if (spec->log) {
        log = open (spec->log, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (log < 0)
            return error_errno (err, ERR_OPEN_FAILED, "open log '%s'", spec->log);
    }
    const int output = spec->log ? log : null;
    if (dup2 (null, 0) < 0 || dup2 (output, 1) < 0 || dup2 (output, 2) < 0)
        return error_errno (err, ERR_SYSTEM_ERROR, "redirect the output");
    return 0;
}

int setup_cgroups (const spec_t *spec, error_t *err)
{
    for (size_t i = 0; i < spec->cgroup_count; i++) {
        autoclose int folder = open (spec->cgroups[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
        autoclose int file =
            folder < 0 ? -1 : openat (folder, "cgroup.procs", O_WRONLY | O_CLOEXEC);
        if (file < 0 || dprintf (file, "%d\n", (int) getpid ()) < 0)
            return error_errno (err, ERR_SYSTEM_ERROR, "join cgroup '%s'", spec->cgroups[i]);
    }
    return 0;
}

int setup_limits (const spec_t *spec, error_t *err)
{
    struct rlimit limit;
    if (spec->memlock == 0)
        return 0;
    if (getrlimit (RLIMIT_MEMLOCK, &limit))
        return error_errno (err, ERR_SYSTEM_ERROR, "read the limit of locked memory");
    limit.rlim_cur = spec->memlock;
    if (limit.rlim_max < limit.rlim_cur)
        limit.rlim_max = limit.rlim_cur;
    if (setrlimit (RLIMIT_MEMLOCK, &limit) == 0)
        return 0;
    char bytes[32] = "infinity";
    if (spec->memlock != UINT64_MAX)
        snprintf (bytes, sizeof bytes, "%ju bytes", (uintmax_t) spec->memlock);
    return error_errno (err, ERR_SYSTEM_ERROR,
                        "raise the limit of locked memory to %s (the daemon needs "
                        "CAP_SYS_RESOURCE, or a higher LimitMEMLOCK in its unit)",
                        bytes);
}

int setup_folder (const spec_t *spec, error_t *err)
{
    if (chdir (spec->folder))
        return error_errno (err, ERR_SYSTEM_ERROR, "enter folder '%s'", spec->folder);
    return 0;
}

static bool has (cap_t set, cap_flag_t flag, cap_value_t cap)
{
    cap_flag_value_t value = CAP_CLEAR;
    return cap_get_flag (set, cap, flag, &value) == 0 && value == CAP_SET;
}

static int drop_bounds (const spec_t *spec, cap_t own, error_t *err)
{
    //  An ordinary user: what it executes gets nothing that it does not have, and no_new_privs
    //  keeps the set from being of any use.
    if (!has (own, CAP_EFFECTIVE, CAP_SETPCAP))
        return 0;
    for (cap_value_t cap = 0; cap < cap_max_bits (); cap++) {
        bool stays = !spec->drop_capabilities && has (own, CAP_INHERITABLE, cap);
        if (!stays && cap_get_bound (cap) == 1 && cap_drop_bound (cap))
            return error_errno (err, ERR_SYSTEM_ERROR, "drop capability %d", (int) cap);
    }
    return 0;
}

//  The bounding set first: without it, a program executed as root would get everything back.
static int drop_bounding_set (const spec_t *spec, error_t *err)
{
    cap_t own = cap_get_proc ();
    if (!own)
        return error_errno (err, ERR_SYSTEM_ERROR, "read the launcher's capabilities");
    int rc = drop_bounds (spec, own, err);
    cap_free (own);
    return rc;
}

static int drop_capabilities (error_t *err)
{
    cap_t none = cap_init ();
    const bool failed = !none || cap_reset_ambient () || cap_set_proc (none) ||
                        prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    const int number = errno;
    cap_free (none);
    errno = number;
    return failed ? error_errno (err, ERR_SYSTEM_ERROR, "drop all capabilities") : 0;
}

int setup_identity (const spec_t *spec, error_t *err)
{
    if ((spec->drop_capabilities || spec->bounded) && drop_bounding_set (spec, err))
        return -1;
    if (spec->has_uid && (setgroups (spec->group_count, spec->groups) ||
                          setresgid (spec->gid, spec->gid, spec->gid) ||
                          setresuid (spec->uid, spec->uid, spec->uid)))
        return error_errno (err, ERR_SYSTEM_ERROR, "become user %u, group %u", spec->uid,
                            spec->gid);
    return spec->drop_capabilities ? drop_capabilities (err) : 0;
}

int setup_tie (const spec_t *spec, int control, error_t *err)
{
    char byte;
    if (!spec->tied)
        return 0;
    if (prctl (PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0))
        return error_errno (err, ERR_SYSTEM_ERROR, "tie the process to the daemon");
    //  It may have died before the tie was there; then its end of the socket is closed.
    if (recv (control, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0) {
        setup_undo_listeners (spec);
        _exit (0);
    }
    return 0;
}
