//  notify.c: see notify.h.

#include "util/notify.h"

#include "util/auto.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

static int open_socket (error_t *err)
{
    int fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return fd >= 0 ? fd : error_errno (err, ERR_SYSTEM_ERROR, "make a socket for readiness");
}

int notify_send (const char *name, const char *state, error_t *err)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t length = strlen (name);
    if ((*name != '/' && *name != '@') || length >= sizeof address.sun_path)
        return error_set (err, ERR_INVALID_ARG,
                          NOTIFY_VARIABLE " '%s': it has to be a path from /, or @NAME, of at most "
                                          "%zu bytes",
                          name, sizeof address.sun_path - 1);
    memcpy (address.sun_path, name, length);
    if (*name == '@')
        *address.sun_path = 0;
    autoclose int fd = open_socket (err);
    if (fd < 0)
        return -1;
    socklen_t size = (socklen_t) (offsetof (struct sockaddr_un, sun_path) + length);
    if (sendto (fd, state, strlen (state), MSG_NOSIGNAL, (struct sockaddr *) &address, size) < 0)
        return error_errno (err, ERR_SYSTEM_ERROR, "tell '%s', of " NOTIFY_VARIABLE ", '%s'", name,
                            state);
    return 0;
}

int notify_listen (char name[NOTIFY_NAME_SIZE], error_t *err)
{
    //  An address without a name: the kernel chooses one.
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    socklen_t size = sizeof address.sun_family;
    autoclose int fd = open_socket (err);
    if (fd < 0)
        return -1;
    if (bind (fd, (struct sockaddr *) &address, size))
        return error_errno (err, ERR_SYSTEM_ERROR, "bind a socket for readiness");
    size = sizeof address;
    if (getsockname (fd, (struct sockaddr *) &address, &size))
        return error_errno (err, ERR_SYSTEM_ERROR, "name a socket for readiness");
    int length = (int) (size - offsetof (struct sockaddr_un, sun_path)) - 1;
    snprintf (name, NOTIFY_NAME_SIZE, "@%.*s", length, address.sun_path + 1);
    int listening = fd;
    fd = -1;
    return listening;
}

//  A datagram has one assignment a line.
static bool has_line (const char *text, const char *line)
{
    size_t length = strlen (line);
    for (const char *at = text; (at = strstr (at, line)); at += length)
        if ((at == text || at[-1] == '\n') && (!at[length] || at[length] == '\n'))
            return true;
    return false;
}

bool notify_heard (int fd, const char *state)
{
    char text[512];
    ssize_t size;
    while ((size = recv (fd, text, sizeof text - 1, MSG_DONTWAIT)) >= 0) {
        text[size] = 0;
        if (has_line (text, state))
            return true;
    }
    return false;
}
