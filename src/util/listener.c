//  listener.c: a listening UNIX socket at a path.

#include "util/listener.h"

#include "util/text.h"

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

enum {
    BACKLOG = 128
};

struct listener {
    char *path;
    int fd;
    struct stat file; //  by which we know it again
};

static int set_path (struct sockaddr_un *address, const char *path, error_t *err)
{
    *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    if (strlen (path) >= sizeof address->sun_path)
        return error_set (err, ERR_INVALID_ARG,
                          "listen at %s: a socket's path has %zu bytes at most", path,
                          sizeof address->sun_path - 1);
    memcpy (address->sun_path, path, strlen (path));
    return 0;
}

//  The process that listens there. 0: none; -1: one that can't be named.
static pid_t listening (const struct sockaddr_un *address)
{
    autoclose int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if (connect (fd, (const struct sockaddr *) address, sizeof *address) == -1)
        return errno == ENOENT || errno == ECONNREFUSED ? 0 : -1;
    struct ucred who;
    socklen_t size = sizeof who;
    return getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 ? who.pid : -1;
}

//  Our own process may still have one there that is about to be closed: an owner that was
//  restarted.
static int check_free (const struct sockaddr_un *address, error_t *err)
{
    pid_t pid = listening (address);
    if (pid == 0 || pid == getpid ())
        return 0;
    if (pid > 0)
        return error_set (err, ERR_OPERATION_INVALID,
                          "listen at %s: another daemon (process %d) serves it; stop that one, or "
                          "give this one another --root",
                          address->sun_path, (int) pid);
    return error_errno (err, ERR_OPERATION_INVALID,
                        "listen at %s: another daemon seems to serve it", address->sun_path);
}

static int find_group (const char *path, const char *name, gid_t *gid, error_t *err)
{
    char buffer[16384];
    struct group entry, *found = NULL;
    *gid = (gid_t) -1;
    if (!name)
        return 0;
    getgrnam_r (name, &entry, buffer, sizeof buffer, &found);
    if (!found)
        return error_set (
            err, ERR_INVALID_ARG,
            "listen at %s: there is no group '%s'; create it (groupadd --system %s) or "
            "name another",
            path, name, name);
    *gid = found->gr_gid;
    return 0;
}

static int bind_file (listener_t *self, const struct sockaddr_un *address, mode_t mode, gid_t gid,
                      error_t *err)
{
    const char *path = self->path;
    unlink (path);
    if (bind (self->fd, (const struct sockaddr *) address, sizeof *address) == -1)
        return error_errno (err, ERR_OPEN_FAILED, "listen at %s", path);
    if ((gid != (gid_t) -1 && chown (path, (uid_t) -1, gid) == -1) || chmod (path, mode) == -1)
        return error_errno (err, ERR_OPEN_FAILED, "listen at %s: set who may connect", path);
    if (lstat (path, &self->file) == -1)
        return error_errno (err, ERR_OPEN_FAILED, "listen at %s", path);
    if (listen (self->fd, BACKLOG) == -1)
        return error_errno (err, ERR_OPEN_FAILED, "listen at %s", path);
    return 0;
}

listener_t *listener_open (const char *path, mode_t mode, const char *group, error_t *err)
{
    struct sockaddr_un address;
    gid_t gid;
    if (set_path (&address, path, err) || check_free (&address, err) ||
        find_group (path, group, &gid, err))
        return NULL;
    auto(listener_t) self = memory_new (1, sizeof *self);
    self->path = text_copy (path);
    self->fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (self->fd == -1) {
        error_errno (err, ERR_RESOURCE_BUSY, "listen at %s", path);
        return NULL;
    }
    return bind_file (self, &address, mode, gid, err) ? NULL : take (&self);
}

//  An inode number may soon be another file's; its time of change tells them apart.
static bool is_ours (const listener_t *self)
{
    struct stat now;
    return self->file.st_ino && lstat (self->path, &now) == 0 && now.st_dev == self->file.st_dev &&
           now.st_ino == self->file.st_ino && now.st_ctim.tv_sec == self->file.st_ctim.tv_sec &&
           now.st_ctim.tv_nsec == self->file.st_ctim.tv_nsec;
}

void listener_destroy (listener_t **self_p)
{
    listener_t *self = take (self_p);
    if (!self)
        return;
    if (is_ours (self))
        unlink (self->path);
    auto_close (&self->fd);
    free (self->path);
    free (self);
}

int listener_take (listener_t *self)
{
    int fd = self->fd;
    self->fd = -1;
    return fd;
}
