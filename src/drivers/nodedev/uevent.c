//  uevent.c: see uevent.h.

#include "drivers/nodedev/uevent.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    KERNEL_GROUP = 1, //  what the kernel says; udev's own words are in another
    MESSAGE_BYTES = 16 * 1024,
    BUFFER_BYTES = 1024 * 1024
};

int uevent_open (error_t *err)
{
    struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP };
    const int room = BUFFER_BYTES;
    int fd = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
    if (fd < 0 || bind (fd, (const struct sockaddr *) &address, sizeof address)) {
        error_errno (err, ERR_SYSTEM_ERROR, "hear the kernel's events of devices");
        if (fd >= 0)
            close (fd);
        return -1;
    }
    //  A smaller buffer does, too: what is lost is looked at.
    if (setsockopt (fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room))
        setsockopt (fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    return fd;
}

bool uevent_parse (const char *bytes, size_t size, uevent_t *event)
{
    const struct {
        const char *key;
        const char **value;
    } keys[] = { { "ACTION=", &event->action },
                 { "SUBSYSTEM=", &event->subsystem },
                 { "DEVPATH=", &event->path },
                 { "DEVPATH_OLD=", &event->old_path } };
    *event = (uevent_t){ 0 };
    if (size == 0 || bytes[size - 1] != 0 || !strchr (bytes, '@'))
        return false;
    for (const char *at = bytes; at < bytes + size; at += strlen (at) + 1)
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
            if (strncmp (at, keys[i].key, strlen (keys[i].key)) == 0)
                *keys[i].value = at + strlen (keys[i].key);
    return event->action && event->subsystem && event->path;
}

bool uevent_hear (int fd, uevent_fn *on_event, void *arg)
{
    bool complete = true;
    for (;;) {
        char bytes[MESSAGE_BYTES];
        struct sockaddr_nl from = { 0 };
        socklen_t length = sizeof from;
        ssize_t size = recvfrom (fd, bytes, sizeof bytes, MSG_DONTWAIT | MSG_TRUNC,
                                 (struct sockaddr *) &from, &length);
        uevent_t event;
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return complete;
        if (size < 0 && errno != ENOBUFS)
            return false;
        if (size < 0 || size > (ssize_t) sizeof bytes)
            complete = false;
        else if (from.nl_pid == 0 && uevent_parse (bytes, (size_t) size, &event))
            on_event (arg, &event);
    }
}
