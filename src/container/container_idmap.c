//  container_idmap.c: makes a container's user namespace, and processes in it.

#include "container/container_idmap.h"
#include "container/container_clone.h"
#include "container/container_network.h"
#include "container/container_root.h"
#include "util/auto.h"
#include "util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

int64_t container_idmap_find (const char *map, uint32_t id)
{
    uint32_t inside, outside, count;
    int size;
    for (; sscanf (map, "%" SCNu32 " %" SCNu32 " %" SCNu32 " %n", &inside, &outside, &count,
                   &size) == 3;
         map += size)
        if (id >= inside && id - inside < count)
            return (int64_t) outside + (id - inside);
    return -1;
}

//  Until END is closed by whoever has the others.
static void await_close (int end)
{
    char byte;
    while (read (end, &byte, 1) < 0 && errno == EINTR)
        ;
}

//  A child in new namespaces, which stays until END is closed. *READY is read once it is in them.
static pid_t spawn_holder (int flags, int *ready, int *end)
{
    int up[2] = { -1, -1 }, down[2] = { -1, -1 };
    pid_t pid = pipe2 (up, O_CLOEXEC) || pipe2 (down, O_CLOEXEC) ? -1 : fork ();
    if (pid == 0) {
        close (down[1]);
        prctl (PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        int number = unshare (flags) ? errno : 0;
        (void) !write (up[1], &number, sizeof number);
        await_close (down[0]);
        _exit (0);
    }
    int number = errno;
    close (up[1]);
    close (down[0]);
    *ready = up[0];
    *end = down[1];
    errno = number;
    return pid;
}

static int await_holder (int ready)
{
    int number = EIO;
    ssize_t count;
    do
        count = read (ready, &number, sizeof number);
    while (count < 0 && errno == EINTR);
    errno = count == sizeof number ? number : EIO;
    return errno ? -1 : 0;
}

static int write_map (pid_t pid, const char *name, const char *map, error_t *err)
{
    autofree char *path = text_format ("/proc/%d/%s", (int) pid, name);
    autoclose int file = open (path, O_WRONLY | O_CLOEXEC);
    if (file < 0 || write (file, map, strlen (map)) < 0)
        return error_errno (err, ERR_SYSTEM_ERROR, "give the container the %s of its <idmap>",
                            name);
    return 0;
}

static int open_namespace (pid_t pid, const char *name, error_t *err)
{
    autofree char *path = text_format ("/proc/%d/ns/%s", (int) pid, name);
    int fd = open (path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        error_errno (err, ERR_SYSTEM_ERROR, "open the container's %s namespace", name);
    return fd;
}

static int join_network (pid_t holder, error_t *err)
{
    autoclose int network = open_namespace (holder, "net", err);
    if (network < 0)
        return -1;
    if (setns (network, CLONE_NEWNET))
        return error_errno (err, ERR_SYSTEM_ERROR, "enter the container's network namespace");
    return container_network_open (err);
}

static int make_with (const container_spec_t *spec, pid_t holder, int ready, error_t *err)
{
    if (holder < 0 || await_holder (ready))
        return error_errno (err, ERR_SYSTEM_ERROR,
                            "make the container's user namespace for <idmap>");
    if (write_map (holder, "gid_map", spec->gid_map, err) ||
        write_map (holder, "uid_map", spec->uid_map, err) ||
        (spec->network && join_network (holder, err)))
        return -1;
    return open_namespace (holder, "user", err);
}

int container_idmap_make (const container_spec_t *spec, error_t *err)
{
    autoclose int ready = -1;
    int end = -1;
    pid_t holder = spawn_holder (CLONE_NEWUSER | (spec->network ? CLONE_NEWNET : 0), &ready, &end);
    int user = make_with (spec, holder, ready, err);
    close (end);
    if (holder > 0)
        container_await (holder);
    return user;
}

//  The mounts first: of the host's.
static int enter_user (const void *arg, int report, error_t *err)
{
    (void) report;
    const int *user = arg;
    if (unshare (CLONE_NEWNS) || setns (*user, CLONE_NEWUSER) || container_idmap_become_root ())
        return error_errno (err, ERR_SYSTEM_ERROR, "enter the container's user namespace");
    return 0;
}

int container_idmap_become_root (void)
{
    return setgroups (0, NULL) || setresgid (0, 0, 0) || setresuid (0, 0, 0) ? -1 : 0;
}

pid_t container_idmap_clone (const container_spec_t *spec, int user, error_t *err)
{
    const int own = (CLONE_NEWUTS | CLONE_NEWIPC) & ~spec->shared;
    return container_clone (enter_user, &user, (unsigned long) (CLONE_NEWPID | own), err);
}

//  What it makes belongs to the container's root; it may still do all that root may.
static int own_as (const container_spec_t *spec, error_t *err)
{
    setfsgid ((gid_t) container_idmap_find (spec->gid_map, 0));
    setfsuid ((uid_t) container_idmap_find (spec->uid_map, 0));
    cap_t own = cap_get_proc ();
    bool failed = !own;
    for (cap_value_t cap = 0; !failed && cap < cap_max_bits (); cap++) {
        cap_flag_value_t has = CAP_CLEAR;
        failed = cap_get_flag (own, cap, CAP_PERMITTED, &has) ||
                 cap_set_flag (own, CAP_EFFECTIVE, 1, &cap, has);
    }
    failed = failed || cap_set_proc (own);
    int number = errno;
    cap_free (own);
    errno = number;
    return failed ? error_errno (err, ERR_SYSTEM_ERROR, "make files as the container's root") : 0;
}

//  /proc is of the pid namespace of whoever mounts it.
static int enter_init (const void *arg, int report, error_t *err)
{
    (void) report;
    const pid_t *init = arg;
    autoclose int process = (int) syscall (SYS_pidfd_open, *init, 0);
    if (process < 0 || setns (process, CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC))
        return error_errno (err, ERR_SYSTEM_ERROR, "enter the container's namespaces");
    return 0;
}

#define MOUNTED "mounted"

static _Noreturn void mount_in (const container_spec_t *spec, int out)
{
    error_t err = { 0 };
    const char *text =
        own_as (spec, &err) || container_root_enter (spec, &err) ? err.message : MOUNTED;
    (void) !write (out, text, strlen (text));
    _exit (0);
}

int container_idmap_mount (const container_spec_t *spec, pid_t init, error_t *err)
{
    int ends[2];
    char text[ERROR_MESSAGE_MAX];
    if (pipe2 (ends, O_CLOEXEC))
        return error_errno (err, ERR_SYSTEM_ERROR, "make a pipe for the container's mounts");
    pid_t child = container_clone (enter_init, &init, 0, err);
    if (child == 0)
        mount_in (spec, ends[1]);
    close (ends[1]);
    ssize_t count = child < 0 ? -1 : read (ends[0], text, sizeof text - 1);
    close (ends[0]);
    if (child < 0)
        return -1;
    container_await (child);
    text[count > 0 ? count : 0] = 0;
    if (strcmp (text, MOUNTED) == 0)
        return 0;
    return error_set (err, ERR_OPERATION_FAILED, "%s",
                      *text ? text : "mount the container's file systems: interrupted");
}
