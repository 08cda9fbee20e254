//  unix_socket.c: see unix_socket.h.

#include "util/unix_socket.h"

#include "util/auto.h"
#include "util/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

//  Fills in the address of PATH; *FOLDER_FD, which it may open, has to stay open until connect.
static int make_address (const char *path, struct sockaddr_un *address, int *folder_fd,
                         error_t *err)
{
    address->sun_family = AF_UNIX;
    if (strlen (path) < sizeof address->sun_path) {
        memcpy (address->sun_path, path, strlen (path) + 1);
        return 0;
    }
    autofree char *folder = file_folder (path);
    *folder_fd = open (folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (*folder_fd < 0)
        return error_errno (err, ERR_NO_CONNECT, "connect to '%s': open its folder", path);
    int size = snprintf (address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/%s",
                         *folder_fd, strrchr (path, '/') + 1);
    if (size >= (int) sizeof address->sun_path)
        return error_set (err, ERR_NO_CONNECT,
                          "connect to '%s': the socket's own name is too long for an address",
                          path);
    return 0;
}

int unix_connect (const char *path, error_t *err)
{
    struct sockaddr_un address = { 0 };
    autoclose int folder_fd = -1;
    if (path[0] != '/')
        return error_set (err, ERR_NO_CONNECT, "connect to '%s': the path is not absolute", path);
    if (make_address (path, &address, &folder_fd, err))
        return -1;
    autoclose int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_errno (err, ERR_NO_CONNECT, "connect to '%s': make a socket", path);
    if (connect (fd, (struct sockaddr *) &address, sizeof address)) {
        bool full = errno == EAGAIN;
        error_errno (err, ERR_NO_CONNECT, "connect to '%s'", path);
        err->retry = full;
        return -1;
    }
    int connected = fd;
    fd = -1;
    return connected;
}
