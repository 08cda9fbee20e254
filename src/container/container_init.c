//  container_init.c: the supervisor's side of starting init.

#include "container/container_idmap.h"
#include "container/container_init.h"
#include "util/auto.h"
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

//  Two descriptors a pty.
#define DESCRIPTORS_MAX (2 * CONTAINER_CONSOLES_MAX)

static size_t count_consoles (const container_spec_t *spec)
{
    size_t count = 0;
    while (spec->consoles[count])
        count++;
    return count;
}

//  As fork, in new namespaces: a program with one thread may do that.
static pid_t clone_init (void)
{
    const unsigned long flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | SIGCHLD;
    return (pid_t) syscall (SYS_clone, flags, NULL, NULL, NULL, NULL);
}

static int spawn (container_init_t *self, const container_spec_t *spec, int user, error_t *err)
{
    int ends[2];
    if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
        return error_errno (err, ERR_SYSTEM_ERROR, "make a socket for init");
    self->pid = user < 0 ? clone_init () : container_idmap_clone (user);
    if (self->pid == 0) {
        close (ends[0]);
        container_child_run (spec, ends[1]);
    }
    int number = errno;
    close (ends[1]);
    self->control = ends[0];
    errno = number;
    if (self->pid > 0)
        return 0;
    self->pid = 0;
    return error_errno (
        err, ERR_SYSTEM_ERROR,
        "make the container's namespaces (the daemon has to be root, and the "
        "kernel has to have mount, pid, uts, ipc and, for <idmap>, user namespaces)");
}

static int place (const container_init_t *self, const container_spec_t *spec, error_t *err)
{
    for (const char **folder = spec->cgroups; *folder; folder++) {
        autofree char *path = text_format ("%s/cgroup.procs", *folder);
        autoclose int file = open (path, O_WRONLY | O_CLOEXEC);
        if (file < 0 || dprintf (file, "%d\n", (int) self->pid) < 0)
            return error_errno (err, ERR_SYSTEM_ERROR, "put the container into the cgroup '%s'",
                                *folder);
    }
    return 0;
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

//  What came, of SIZE bytes and as text; how many descriptors came with it. 0: it is gone.
static ssize_t receive (const container_init_t *self, char *text, size_t size, int *fds,
                        size_t *fd_count)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE (DESCRIPTORS_MAX * sizeof (int))];
    } control;
    struct iovec part = { .iov_base = text, .iov_len = size - 1 };
    struct msghdr message = { .msg_iov = &part,
                              .msg_iovlen = 1,
                              .msg_control = control.bytes,
                              .msg_controllen = sizeof control.bytes };
    ssize_t count;
    do
        count = recvmsg (self->control, &message, MSG_CMSG_CLOEXEC);
    while (count < 0 && errno == EINTR);
    text[count > 0 ? count : 0] = 0;
    *fd_count = 0;
    const struct cmsghdr *header = count > 0 ? CMSG_FIRSTHDR (&message) : NULL;
    if (header && header->cmsg_type == SCM_RIGHTS) {
        *fd_count = (header->cmsg_len - CMSG_LEN (0)) / sizeof (int);
        memcpy (fds, CMSG_DATA (header), *fd_count * sizeof (int));
    }
    return count;
}

static int await_ready (container_init_t *self, const container_spec_t *spec, error_t *err)
{
    char text[ERROR_MESSAGE_MAX];
    int fds[DESCRIPTORS_MAX];
    size_t fd_count, consoles = count_consoles (spec);
    ssize_t count = receive (self, text, sizeof text, fds, &fd_count);
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
    if (self->pid) {
        kill (self->pid, SIGKILL);
        while (waitpid (self->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    if (self->control >= 0)
        close (self->control);
    self->pid = 0;
    self->control = -1;
}

int container_init_create (container_init_t *self, const container_spec_t *spec, int user,
                           error_t *err)
{
    *self = (container_init_t){ .control = -1 };
    if (spawn (self, spec, user, err) == 0 &&
        process_identify (self->pid, &self->identity, err) == 0 && place (self, spec, err) == 0 &&
        (user < 0 || container_idmap_mount (spec, self->pid, err) == 0) &&
        say (self, CONTAINER_PLACED, err) == 0 && await_ready (self, spec, err) == 0)
        return 0;
    container_init_end (self);
    return -1;
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
    ssize_t count = receive (self, text, sizeof text, fds, &fd_count);
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
