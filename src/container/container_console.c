//  container_console.c: moves bytes between the terminal inside and the one outside.
//
//  A pty's master can't be waited for until somebody opens the other side: it reports a hang-up all
//  the time. So opening is noticed by inotify, and a pty that hangs up is not looked at until then.

#include "container/container_console.h"
#include "util/auto.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <termios.h>
#include <unistd.h>

//  Both pieces of what a ring holds, or has room for.
static int pieces (console_ring_t *ring, bool used, struct iovec parts[2])
{
    size_t room = sizeof ring->bytes, at = ring->begin, size = ring->size;
    if (!used) {
        at = (ring->begin + ring->size) % room;
        size = room - ring->size;
    }
    size_t first = size < room - at ? size : room - at;
    parts[0] = (struct iovec){ ring->bytes + at, first };
    parts[1] = (struct iovec){ ring->bytes, size - first };
    return parts[1].iov_len ? 2 : 1;
}

static void forget (console_ring_t *ring, size_t size)
{
    ring->begin = (ring->begin + size) % sizeof ring->bytes;
    ring->size -= size;
}

static bool is_full (const console_ring_t *ring)
{
    return ring->size == sizeof ring->bytes;
}

//  -1: the other side is closed.
static int fill (console_ring_t *ring, int fd)
{
    struct iovec parts[2];
    ssize_t count = readv (fd, parts, pieces (ring, false, parts));
    if (count > 0)
        ring->size += (size_t) count;
    return count < 0 && errno != EAGAIN && errno != EINTR ? -1 : 0;
}

static int drain (console_ring_t *ring, int fd)
{
    struct iovec parts[2];
    ssize_t count = ring->size ? writev (fd, parts, pieces (ring, true, parts)) : 0;
    if (count > 0)
        forget (ring, (size_t) count);
    return count < 0 && errno != EAGAIN && errno != EINTR ? -1 : 0;
}

//  The terminal inside does the line editing; that outside passes all bytes on as they are.
static int make_raw (const char *path)
{
    struct termios settings;
    autoclose int slave = open (path, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave < 0 || tcgetattr (slave, &settings))
        return -1;
    cfmakeraw (&settings);
    return tcsetattr (slave, TCSANOW, &settings);
}

int container_console_open (console_t *self, int watcher, error_t *err)
{
    *self = (console_t){ .inside = -1, .inside_slave = -1 };
    self->host = posix_openpt (O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (self->host < 0 || grantpt (self->host) || unlockpt (self->host) ||
        ptsname_r (self->host, self->path, sizeof self->path) || make_raw (self->path))
        return error_errno (err, ERR_SYSTEM_ERROR, "make a pty for the container's console");
    self->watch = inotify_add_watch (watcher, self->path, IN_OPEN);
    if (self->watch < 0)
        return error_errno (err, ERR_SYSTEM_ERROR, "watch '%s'", self->path);
    return 0;
}

void container_console_plug (console_t *self, int master, int slave)
{
    if (self->inside >= 0)
        close (self->inside);
    if (self->inside_slave >= 0)
        close (self->inside_slave);
    self->inside = master;
    self->inside_slave = slave;
    self->input.size = 0;
    if (master >= 0)
        fcntl (master, F_SETFL, O_RDWR | O_NONBLOCK);
}

void container_console_close (console_t *self)
{
    container_console_plug (self, -1, -1);
    close (self->host);
    self->host = -1;
}

void container_console_opened (console_t *self, int watch)
{
    if (watch == self->watch)
        self->connected = true;
}

void container_console_wait (const console_t *self, struct pollfd polls[2])
{
    polls[0] = (struct pollfd){ .fd = self->connected ? self->host : -1 };
    polls[1] = (struct pollfd){ .fd = self->inside };
    if (!is_full (&self->input))
        polls[0].events |= POLLIN;
    if (self->output.size)
        polls[0].events |= POLLOUT;
    if (!self->connected || !is_full (&self->output))
        polls[1].events |= POLLIN;
    if (self->input.size)
        polls[1].events |= POLLOUT;
}

static void read_inside (console_t *self)
{
    if (is_full (&self->output))
        forget (&self->output, sizeof self->output.bytes / 2);
    fill (&self->output, self->inside);
}

void container_console_move (console_t *self, const struct pollfd polls[2])
{
    bool broken = false;
    if (polls[1].revents & POLLIN)
        read_inside (self);
    if (polls[1].revents & POLLOUT)
        drain (&self->input, self->inside);
    if (polls[0].revents & POLLOUT)
        broken = drain (&self->output, self->host) != 0;
    if (polls[0].revents & POLLIN)
        broken = fill (&self->input, self->host) != 0 || broken;
    //  What was typed before the hang-up was read first.
    if (broken || ((polls[0].revents & (POLLHUP | POLLERR)) && !(polls[0].revents & POLLIN)))
        self->connected = false;
}
