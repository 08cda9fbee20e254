//  listen.c: the listening sockets that a program inherits, so that nobody has to wait for it to
//  create them.

#include "launcher/setup.h"
#include "util/auto.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 16

//  Fills in ADDRESS for PATH. One that is too long goes by way of a descriptor of its folder, which
//  *FOLDER must keep open while the address is used.
static int set_address (struct sockaddr_un *address, const char *path, int *folder, error_t *err)
{
    *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    if (strlen (path) < sizeof address->sun_path) {
        strcpy (address->sun_path, path);
        return 0;
    }
    const char *name = strrchr (path, '/') + 1;
    autofree char *parent = strndup (path, (size_t) (name - path));
    *folder = parent ? open (parent, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    if (*folder < 0)
        return error_errno (err, ERR_OPEN_FAILED, "listen at '%s': open its folder", path);
    const int size = snprintf (address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/%s",
                               *folder, name);
    if (size >= (int) sizeof address->sun_path)
        return error_set (err, ERR_INVALID_ARG, "listen at '%s': the socket's name is too long",
                          path);
    return 0;
}

//  What a guest that ended in disorder left at PATH. Anything but a socket is not ours.
static int remove_old (const char *path, error_t *err)
{
    struct stat status;
    if (lstat (path, &status))
        return errno == ENOENT ? 0 : error_errno (err, ERR_OPEN_FAILED, "listen at '%s'", path);
    if (!S_ISSOCK (status.st_mode))
        return error_set (err, ERR_OPEN_FAILED,
                          "listen at '%s': there is a file that is not a socket; remove it", path);
    if (unlink (path))
        return error_errno (err, ERR_WRITE_FAILED, "listen at '%s': remove the old socket", path);
    return 0;
}

static int bind_socket (int fd, listener_t *listener, error_t *err)
{
    struct sockaddr_un address;
    autoclose int folder = -1;
    if (remove_old (listener->path, err) || set_address (&address, listener->path, &folder, err))
        return -1;
    const mode_t mask = umask (0177); //  no moment at which others may connect
    const int failed = bind (fd, (const struct sockaddr *) &address, sizeof address);
    umask (mask);
    struct stat status;
    if (failed || lstat (listener->path, &status))
        return error_errno (err, ERR_OPEN_FAILED, "listen at '%s'", listener->path);
    listener->device = status.st_dev;
    listener->inode = status.st_ino;
    return listen (fd, BACKLOG)
               ? error_errno (err, ERR_OPEN_FAILED, "listen at '%s'", listener->path)
               : 0;
}

static int setup_listener (listener_t *listener, error_t *err)
{
    autoclose int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_errno (err, ERR_OPEN_FAILED, "listen at '%s'", listener->path);
    if (bind_socket (fd, listener, err))
        return -1;
    const int passed = fd;
    fd = -1;
    if (setup_pass (passed, listener->fd, err))
        return error_prefix (err, "listen at '%s'", listener->path);
    return 0;
}

int setup_listeners (spec_t *spec, error_t *err)
{
    for (size_t i = 0; i < spec->listener_count; i++)
        if (setup_listener (&spec->listeners[i], err))
            return -1;
    return 0;
}

void setup_undo_listeners (const spec_t *spec)
{
    for (size_t i = 0; i < spec->listener_count; i++) {
        const listener_t *listener = &spec->listeners[i];
        struct stat status;
        if (listener->inode && lstat (listener->path, &status) == 0 &&
            status.st_dev == listener->device && status.st_ino == listener->inode)
            unlink (listener->path);
    }
}
