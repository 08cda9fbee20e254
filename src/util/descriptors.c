//  descriptors.c: see descriptors.h.

#include "util/descriptors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef union {
    struct cmsghdr align;
    char bytes[CMSG_SPACE (DESCRIPTORS_MAX * sizeof (int))];
} space_t;

int descriptors_send (int socket, const char *text, const int *fds, size_t count)
{
    space_t space;
    struct iovec part = { .iov_base = (char *) text, .iov_len = strlen (text) };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
    if (count > DESCRIPTORS_MAX) {
        errno = EINVAL;
        return -1;
    }
    if (count) {
        memset (&space, 0, sizeof space);
        message.msg_control = space.bytes;
        message.msg_controllen = CMSG_SPACE (count * sizeof (int));
        struct cmsghdr *header = CMSG_FIRSTHDR (&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN (count * sizeof (int));
        memcpy (CMSG_DATA (header), fds, count * sizeof (int));
    }
    return sendmsg (socket, &message, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

//  Those of one header. Each is ours now, wanted or not.
static void take (const struct cmsghdr *header, int *fds, size_t max, size_t *count)
{
    size_t came = (header->cmsg_len - CMSG_LEN (0)) / sizeof (int);
    for (size_t i = 0; i < came; i++) {
        int fd;
        memcpy (&fd, CMSG_DATA (header) + i * sizeof fd, sizeof fd);
        if (*count < max)
            fds[(*count)++] = fd;
        else
            close (fd);
    }
}

ssize_t descriptors_receive (int socket, char *text, size_t size, int *fds, size_t max,
                             size_t *count, int flags)
{
    space_t space;
    struct iovec part = { .iov_base = text, .iov_len = size - 1 };
    struct msghdr message = { .msg_iov = &part,
                              .msg_iovlen = 1,
                              .msg_control = space.bytes,
                              .msg_controllen = sizeof space.bytes };
    ssize_t got;
    do
        got = recvmsg (socket, &message, flags | MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    text[got > 0 ? got : 0] = 0;
    *count = 0;
    struct cmsghdr *header = got > 0 ? CMSG_FIRSTHDR (&message) : NULL;
    for (; header; header = CMSG_NXTHDR (&message, header))
        if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
            take (header, fds, max, count);
    return got;
}

static int by_number (const void *one, const void *other)
{
    return *(const int *) one - *(const int *) other;
}

void descriptors_close_others (const int *keep, size_t count)
{
    int sorted[DESCRIPTORS_MAX];
    unsigned first = STDERR_FILENO + 1;
    memcpy (sorted, keep, count * sizeof *keep);
    qsort (sorted, count, sizeof *sorted, by_number);
    for (size_t i = 0; i < count; i++) {
        if (sorted[i] < (int) first)
            continue;
        if ((unsigned) sorted[i] > first)
            close_range (first, (unsigned) sorted[i] - 1, 0);
        first = (unsigned) sorted[i] + 1;
    }
    close_range (first, ~0u, 0);
}
