//  container_cgroup.c: see container_cgroup.h.

#include "container/container_cgroup.h"
#include "util/auto.h"
#include "util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int refuse (const char *folder, error_t *err)
{
    return error_errno (err, ERR_SYSTEM_ERROR, "put the container into the cgroup '%s'", folder);
}

//  Only folders of version 1 have this file.
static int open_one (container_cgroups_t *self, const char *folder, error_t *err)
{
    autofree char *path = text_format ("%s/tasks", folder);
    int tasks = open (path, O_WRONLY | O_CLOEXEC);
    if (tasks >= 0) {
        self->tasks[self->count++] = tasks;
        return 0;
    }
    if (errno != ENOENT || self->folder)
        return refuse (folder, err);
    self->folder = folder;
    self->into = open (folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return self->into < 0 ? refuse (folder, err) : 0;
}

int container_cgroup_open (container_cgroups_t *self, const container_spec_t *spec, error_t *err)
{
    *self = (container_cgroups_t){ .into = -1 };
    for (const char **folder = spec->cgroups; *folder; folder++) {
        if (self->count == CONTAINER_CGROUPS_MAX)
            return error_set (err, ERR_INVALID_ARG, "the container is to be in too many cgroups");
        if (open_one (self, *folder, err))
            return -1;
    }
    return 0;
}

void container_cgroup_close (container_cgroups_t *self)
{
    while (self->count > 0)
        close (self->tasks[--self->count]);
    if (self->into >= 0)
        close (self->into);
    self->into = -1;
}

pid_t container_cgroup_clone (container_cgroups_t *self, int namespaces)
{
    pid_t pid = -1;
    if (self->into >= 0) {
        const struct clone_args args = { .flags = (unsigned long long) (unsigned) namespaces |
                                                  CLONE_INTO_CGROUP,
                                         .exit_signal = SIGCHLD,
                                         .cgroup = (unsigned) self->into };
        pid = (pid_t) syscall (SYS_clone3, &args, sizeof args);
    }
    self->born = pid >= 0;
    //  It failed before Linux 5.7, or by a filter of system calls around us. Whatever else it is
    //  shows again.
    return pid >= 0 ? pid
                    : (pid_t) syscall (SYS_clone, namespaces | SIGCHLD, NULL, NULL, NULL, NULL);
}

static int move (const char *folder, pid_t pid, error_t *err)
{
    autofree char *path = text_format ("%s/cgroup.procs", folder);
    autoclose int file = open (path, O_WRONLY | O_CLOEXEC);
    return file < 0 || dprintf (file, "%d\n", (int) pid) < 0 ? refuse (folder, err) : 0;
}

int container_cgroup_place (const container_cgroups_t *self, pid_t init, error_t *err)
{
    return self->folder && !self->born ? move (self->folder, init, err) : 0;
}

int container_cgroup_move (const container_spec_t *spec, pid_t pid, error_t *err)
{
    for (const char **folder = spec->cgroups; *folder; folder++)
        if (move (*folder, pid, err))
            return -1;
    return 0;
}

//  0 is who writes it.
int container_cgroup_join (const container_cgroups_t *self, error_t *err)
{
    for (size_t i = 0; i < self->count; i++)
        if (write (self->tasks[i], "0", 1) < 0)
            return error_errno (err, ERR_SYSTEM_ERROR, "enter the container's cgroup");
    return 0;
}
