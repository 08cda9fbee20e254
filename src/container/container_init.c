//  container_init.c: the supervisor's side of starting init.

#include "container/container_cgroup.h"
#include "container/container_idmap.h"
#include "container/container_init.h"
#include "util/auto.h"
#include "util/descriptors.h"
#include "util/file.h"
#include "util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

_Static_assert(2 * CONTAINER_CONSOLES_MAX <= DESCRIPTORS_MAX, "two descriptors a pty");

static size_t count_consoles (const container_spec_t *spec)
{
    size_t count = 0;
    while (spec->consoles[count])
        count++;
    return count;
}

//  As fork, in new namespaces: a program with one thread may do that.
static pid_t clone_init (const container_spec_t *spec, container_cgroups_t *cgroups, error_t *err)
{
    pid_t pid = container_cgroup_clone (
        cgroups, CLONE_NEWNS | CLONE_NEWPID | ((CLONE_NEWUTS | CLONE_NEWIPC) & ~spec->shared));
    if (pid < 0)
        error_errno (err, ERR_SYSTEM_ERROR,
                     "make the container's namespaces (the daemon has to be root, and the kernel "
                     "has to have mount, pid, uts and ipc namespaces)");
    return pid;
}

static int spawn (container_init_t *self, const container_spec_t *spec, int user,
                  container_cgroups_t *cgroups, error_t *err)
{
    int ends[2];
    if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
        return error_errno (err, ERR_SYSTEM_ERROR, "make a socket for init");
    self->pid =
        user < 0 ? clone_init (spec, cgroups, err) : container_idmap_clone (spec, user, err);
    if (self->pid == 0) {
        close (ends[0]);
        container_child_run (spec, cgroups, ends[1]);
    }
    close (ends[1]);
    self->control = ends[0];
    if (self->pid > 0)
        return 0;
    self->pid = 0;
    return -1;
}

static int say (const container_init_t *self, const char *word, error_t *err)
{
    if (send (self->control, word, strlen (word), MSG_NOSIGNAL) >= 0)
        return 0;
    if (errno == EPIPE || errno == ECONNRESET)
        return error_set (
            err, ERR_OPERATION_FAILED,
            "somebody ended the container's init before it could execute its program");
    return error_errno (err, ERR_SYSTEM_ERROR, "talk to init");
}

static int await_ready (container_init_t *self, const container_spec_t *spec, error_t *err)
{
    char text[ERROR_MESSAGE_MAX];
    int fds[DESCRIPTORS_MAX];
    size_t fd_count, consoles = count_consoles (spec);
    ssize_t count =
        descriptors_receive (self->control, text, sizeof text, fds, DESCRIPTORS_MAX, &fd_count, 0);
    if (count <= 0)
        return error_set (err, ERR_OPERATION_FAILED, "init ended before it was ready");
    if (strcmp (text, CONTAINER_READY) != 0)
        return error_set (err, ERR_OPERATION_FAILED, "%s", text);
    if (fd_count != 2 * consoles)
        return error_set (err, ERR_INTERNAL_ERROR, "init has %zu terminals instead of %zu",
                          fd_count / 2, consoles);
    for (size_t i = 0; i < consoles; i++) {
        self->masters[i] = fds[2 * i];
        self->slaves[i] = fds[2 * i + 1];
    }
    return 0;
}

void container_init_end (container_init_t *self)
{
    //  Init is over when all of its pid namespace are, and some may be children of ours.
    pid_t ended = 0;
    if (self->pid)
        kill (self->pid, SIGKILL);
    while (self->pid && ended != self->pid && (ended >= 0 || errno == EINTR))
        ended = waitpid (-1, NULL, 0);
    if (self->control >= 0)
        close (self->control);
    self->pid = 0;
    self->control = -1;
}

int container_init_create (container_init_t *self, const container_spec_t *spec, int user,
                           error_t *err)
{
    container_cgroups_t cgroups;
    *self = (container_init_t){ .control = -1 };
    bool ready = container_cgroup_open (&cgroups, spec, err) == 0 &&
                 spawn (self, spec, user, &cgroups, err) == 0 &&
                 process_identify (self->pid, &self->identity, err) == 0 &&
                 container_cgroup_place (&cgroups, self->pid, err) == 0 &&
                 (user < 0 || container_idmap_mount (spec, self->pid, err) == 0) &&
                 say (self, CONTAINER_PLACED, err) == 0 && await_ready (self, spec, err) == 0;
    container_cgroup_close (&cgroups);
    if (!ready)
        container_init_end (self);
    return ready ? 0 : -1;
}

//  For a daemon that finds no supervisor any more.
static int write_identity (const container_init_t *self, const container_spec_t *spec, error_t *err)
{
    char text[PROCESS_TEXT_SIZE];
    process_to_text (&self->identity, text);
    return file_write (spec->identity, text, strlen (text), err);
}

static int await_program (container_init_t *self, error_t *err)
{
    char text[ERROR_MESSAGE_MAX];
    int fds[DESCRIPTORS_MAX];
    size_t fd_count;
    ssize_t count =
        descriptors_receive (self->control, text, sizeof text, fds, DESCRIPTORS_MAX, &fd_count, 0);
    if (count < 0)
        return error_errno (err, ERR_SYSTEM_ERROR, "talk to init");
    return count ? error_set (err, ERR_OPERATION_FAILED, "%s", text) : 0;
}

int container_init_run (container_init_t *self, const container_spec_t *spec, error_t *err)
{
    if (write_identity (self, spec, err) || say (self, CONTAINER_GO, err) ||
        await_program (self, err)) {
        container_init_end (self);
        return -1;
    }
    close (self->control);
    self->control = -1;
    return 0;
}
