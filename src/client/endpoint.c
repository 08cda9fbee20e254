//  endpoint.c: where a daemon listens, and whether one does.

#include "client/endpoint.h"
#include "client/public.h"
#include "util/paths.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

char *troupe_endpoint (const char *root, bool read_only, troupe_error_t *err)
{
    error_t failure;
    bool session = root ? strcmp (root, TROUPE_SESSION) == 0 : geteuid () != 0;
    paths_mode_t mode = session ? PATHS_SESSION : root ? PATHS_ROOT : PATHS_SYSTEM;
    auto(paths_t) paths = paths_new (mode, session ? NULL : root, &failure);
    char *endpoint = NULL;
    if (paths)
        endpoint = paths_endpoint (paths, read_only ? "troupe-ro.sock" : "troupe.sock", &failure);
    if (!endpoint)
        public_error (err, &failure);
    return endpoint;
}

const char *endpoint_path (const char *endpoint)
{
    return strncmp (endpoint, "ipc://", 6) == 0 ? endpoint + 6 : NULL;
}

static int explain (const char *endpoint, int number, error_t *err)
{
    if (number == ENOENT || number == ECONNREFUSED)
        return error_set (err, ERR_NO_CONNECT,
                          "connect to %s: nobody listens there; start trouped, or give another "
                          "endpoint",
                          endpoint);
    if (number == EACCES || number == EPERM)
        return error_set (err, ERR_NO_CONNECT,
                          "connect to %s: permission denied; be root or in the socket's group, or "
                          "look only (--readonly)",
                          endpoint);
    errno = number;
    return error_errno (err, ERR_NO_CONNECT, "connect to %s", endpoint);
}

int endpoint_probe (const char *endpoint, error_t *err)
{
    const char *path = endpoint_path (endpoint);
    if (!path)
        return 0;
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t size = strlen (path);
    if (size == 0 || size >= sizeof address.sun_path)
        return error_set (err, ERR_NO_CONNECT,
                          "connect to %s: a UNIX socket's path has 1 to %zu bytes, this one %zu",
                          endpoint, sizeof address.sun_path - 1, size);
    memcpy (address.sun_path, path, size);
    socklen_t length = sizeof address;
    if (path[0] == '@') { //  ZeroMQ's way to write an abstract address
        address.sun_path[0] = 0;
        length = (socklen_t) (offsetof (struct sockaddr_un, sun_path) + size);
    }
    autoclose int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return explain (endpoint, errno, err);
    //  EAGAIN: its queue of connections is full, so somebody listens.
    if (connect (fd, (struct sockaddr *) &address, length) && errno != EAGAIN)
        return explain (endpoint, errno, err);
    return 0;
}
