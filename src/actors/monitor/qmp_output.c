//  qmp_output.c: see qmp_output.h.

#include "actors/monitor/qmp_output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

void qmp_output_open (qmp_output_t *self)
{
    *self = (qmp_output_t){ .bytes = text_new (), .fd = -1 };
}

static void drop_fd (qmp_output_t *self)
{
    if (self->fd >= 0)
        close (self->fd);
    self->fd = -1;
}

void qmp_output_close (qmp_output_t *self)
{
    drop_fd (self);
    text_destroy (&self->bytes);
}

size_t qmp_output_left (const qmp_output_t *self)
{
    return self->bytes->size - self->written;
}

void qmp_output_add (qmp_output_t *self, const char *line, int fd)
{
    if (fd >= 0) {
        drop_fd (self);
        self->fd = fd;
        self->fd_at = self->bytes->size;
    }
    text_add (self->bytes, line);
}

static ssize_t send_with_fd (qmp_output_t *self, int socket)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE (sizeof (int))];
    } control = { 0 };
    struct iovec bytes = { self->bytes->data + self->written, qmp_output_left (self) };
    struct msghdr message = { .msg_iov = &bytes,
                              .msg_iovlen = 1,
                              .msg_control = control.room,
                              .msg_controllen = sizeof control.room };
    control.head = (struct cmsghdr){ .cmsg_len = CMSG_LEN (sizeof (int)),
                                     .cmsg_level = SOL_SOCKET,
                                     .cmsg_type = SCM_RIGHTS };
    memcpy (CMSG_DATA (&control.head), &self->fd, sizeof (int));
    ssize_t count = sendmsg (socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count > 0)
        drop_fd (self);
    return count;
}

static ssize_t send_some (qmp_output_t *self, int socket)
{
    bool before = self->fd >= 0 && self->written < self->fd_at;
    if (self->fd >= 0 && !before)
        return send_with_fd (self, socket);
    size_t end = before ? self->fd_at : self->bytes->size;
    return send (socket, self->bytes->data + self->written, end - self->written,
                 MSG_NOSIGNAL | MSG_DONTWAIT);
}

void qmp_output_flush (qmp_output_t *self, int socket)
{
    while (!self->deaf && qmp_output_left (self) > 0) {
        ssize_t count = send_some (self, socket);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && errno == EAGAIN)
            return;
        //  What QEMU said before it went is still to be read; the end of file comes after it.
        if (count < 0)
            self->deaf = true;
        else
            self->written += (size_t) count;
    }
    drop_fd (self);
    text_destroy (&self->bytes);
    self->bytes = text_new ();
    self->written = 0;
}

int qmp_output_open_file (const char *path, bool write, uint64_t offset, error_t *err)
{
    struct stat status;
    //  Non-blocking: a pipe would wait for its other end.
    autoclose int fd =
        open (path, (write ? O_WRONLY : O_RDONLY) | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || fstat (fd, &status))
        return error_errno (err, ERR_OPEN_FAILED, "open '%s' for QEMU", path);
    if (!S_ISREG (status.st_mode))
        return error_set (err, ERR_OPEN_FAILED, "open '%s' for QEMU: it is no regular file", path);
    if (fcntl (fd, F_SETFL, 0) || lseek (fd, (off_t) offset, SEEK_SET) < 0)
        return error_errno (err, ERR_OPEN_FAILED, "open '%s' for QEMU", path);
    int result = fd;
    fd = -1;
    return result;
}
