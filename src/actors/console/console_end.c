//  console_end.c: see console_end.h.

#include "actors/console/console_end.h"

#include "util/unix_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>

enum {
    SIMULATED_CHUNK = 512 //  of input, so that its output stays small
};

//  Raw: the guest alone echoes, and sees every byte.
static int open_pty (console_end_t *self, const char *path, error_t *err)
{
    self->fd = open (path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (self->fd < 0)
        return error_errno (err, ERR_OPEN_FAILED, "open console '%s'", path);
    struct termios mode;
    if (tcgetattr (self->fd, &mode))
        return error_errno (err, ERR_OPEN_FAILED, "open console '%s': it is no terminal", path);
    cfmakeraw (&mode);
    if (tcsetattr (self->fd, TCSANOW, &mode))
        return error_errno (err, ERR_OPEN_FAILED, "open console '%s': make it raw", path);
    return 0;
}

static int open_unix (console_end_t *self, const char *path, error_t *err)
{
    self->fd = unix_connect (path, err);
    return self->fd < 0 ? -1 : 0;
}

static int open_simulated (console_end_t *self, const msg_t *args, error_t *err)
{
    const char *name = msg_str (args, "driver"), *live = msg_str (args, "live");
    self->driver = name ? driver_by_name (name) : NULL;
    if (!self->driver || !self->driver->console_boot || !self->driver->console_input)
        return error_set (err, ERR_NO_SUPPORT, "the driver '%s' has no simulated consoles",
                          name ? name : "");
    self->live = xml_parse_own (live ? live : "", live ? strlen (live) : 0, "live XML", err);
    if (!self->live)
        return -1;
    self->output = text_new ();
    self->driver->console_boot (self->live, self->output);
    return 0;
}

int console_end_open (console_end_t *self, const msg_t *args, error_t *err)
{
    memset (self, 0, sizeof *self);
    self->fd = -1;
    const char *kind = msg_str (args, "kind"), *path = msg_str (args, "path");
    if (kind && path && strcmp (kind, "pty") == 0)
        return open_pty (self, path, err);
    if (kind && path && strcmp (kind, "unix") == 0) {
        self->kind = CONSOLE_UNIX;
        return open_unix (self, path, err);
    }
    self->kind = CONSOLE_SIMULATED;
    if (kind && strcmp (kind, "simulated") == 0)
        return open_simulated (self, args, err);
    return error_set (err, ERR_INVALID_ARG, "a console of kind '%s' %s a path is unknown",
                      kind ? kind : "", path ? "with" : "without");
}

void console_end_close (console_end_t *self)
{
    if (self->fd >= 0)
        close (self->fd);
    self->fd = -1;
    xml_destroy (&self->live);
    text_destroy (&self->output);
}

//  A pty whose other side is closed reads as an error (EIO), a socket as the end.
static ssize_t count_of (ssize_t result)
{
    if (result > 0)
        return result;
    return result < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

static ssize_t read_simulated (console_end_t *self, void *bytes, size_t size)
{
    size_t left = self->output->size - self->read;
    if (left == 0)
        return self->off ? -1 : 0;
    size = size < left ? size : left;
    memcpy (bytes, self->output->data + self->read, size);
    self->read += size;
    return (ssize_t) size;
}

static ssize_t write_simulated (console_end_t *self, const void *bytes, size_t size)
{
    if (self->off)
        return -1;
    if (self->read < self->output->size)
        return 0;
    text_destroy (&self->output);
    self->output = text_new ();
    self->read = 0;
    size = size < SIMULATED_CHUNK ? size : SIMULATED_CHUNK;
    self->off = self->driver->console_input (self->live, &self->line, bytes, size, self->output);
    return (ssize_t) size;
}

ssize_t console_end_read (console_end_t *self, void *bytes, size_t size)
{
    if (self->kind == CONSOLE_SIMULATED)
        return read_simulated (self, bytes, size);
    return count_of (read (self->fd, bytes, size));
}

ssize_t console_end_write (console_end_t *self, const void *bytes, size_t size)
{
    if (self->kind == CONSOLE_SIMULATED)
        return write_simulated (self, bytes, size);
    if (self->kind == CONSOLE_UNIX)
        return count_of (send (self->fd, bytes, size, MSG_NOSIGNAL));
    return count_of (write (self->fd, bytes, size));
}
