//  container_monitor.c: speaks QMP (QEMU's "QMP protocol specification") to the daemon.

#include "container/container_monitor.h"
#include "util/auto.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define LINE_MAX_BYTES (1024 * 1024)
#define OUTPUT_MAX_BYTES (4 * 1024 * 1024)

void container_monitor_open (monitor_t *self, int listener, container_command_fn *run, void *arg)
{
    *self = (monitor_t){ .listener = listener, .fd = -1, .run = run, .arg = arg };
}

static void disconnect (monitor_t *self)
{
    if (self->fd >= 0)
        close (self->fd);
    self->fd = -1;
    self->agreed = false;
    text_destroy (&self->input);
    text_destroy (&self->output);
}

static void flush (monitor_t *self)
{
    text_t *output = self->output;
    ssize_t count = send (self->fd, output->data, output->size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count > 0) {
        memmove (output->data, output->data + count, output->size - (size_t) count + 1);
        output->size -= (size_t) count;
    }
    bool broken = count < 0 && errno != EAGAIN && errno != EINTR;
    //  A daemon that reads nothing any more is as good as gone.
    if (broken || output->size > OUTPUT_MAX_BYTES)
        disconnect (self);
}

static void say (monitor_t *self, json_t *message)
{
    char *line = message && self->fd >= 0 ? json_dumps (message, JSON_COMPACT) : NULL;
    json_decref (message);
    if (!line)
        return;
    text_add (self->output, line);
    text_add_char (self->output, '\n');
    free (line);
    flush (self);
}

static json_t *with_id (json_t *answer, json_t *id)
{
    if (id)
        json_object_set (answer, "id", id);
    return answer;
}

static void refuse (monitor_t *self, json_t *id, const char *why)
{
    say (self, with_id (json_pack ("{s:{s:s, s:s}}", "error", "class", "", "desc", why), id));
}

static void run_command (monitor_t *self, const json_t *command)
{
    error_t err = { 0 };
    json_t *id = json_object_get (command, "id");
    const char *name = json_string_value (json_object_get (command, "execute"));
    bool agreeing = name && strcmp (name, "qmp_capabilities") == 0;
    if (!name || self->agreed == agreeing) {
        refuse (self, id, "the supervisor was sent no command");
        return;
    }
    self->agreed = true;
    json_t *result =
        agreeing ? json_object ()
                 : self->run (self->arg, name, json_object_get (command, "arguments"), &err);
    if (result)
        say (self, with_id (json_pack ("{s:o}", "return", result), id));
    else
        refuse (self, id, err.message);
}

static void take_line (monitor_t *self, const char *line, size_t size)
{
    json_t *command = json_loadb (line, size, JSON_REJECT_DUPLICATES, NULL);
    if (command)
        run_command (self, command);
    else if (strspn (line, " \r\n") < size)
        refuse (self, NULL, "the supervisor was sent no JSON");
    json_decref (command);
}

//  A command may end the connection: it can't be written to.
static void take_lines (monitor_t *self)
{
    const char *end;
    while (self->fd >= 0 && (end = memchr (self->input->data, '\n', self->input->size))) {
        size_t size = (size_t) (end - self->input->data) + 1;
        autofree char *line = text_copy_bytes (self->input->data, size);
        memmove (self->input->data, self->input->data + size, self->input->size - size + 1);
        self->input->size -= size;
        take_line (self, line, size);
    }
}

static void read_some (monitor_t *self)
{
    char bytes[16 * 1024];
    ssize_t count = recv (self->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (count <= 0 || self->input->size > LINE_MAX_BYTES) {
        disconnect (self);
        return;
    }
    text_add_bytes (self->input, bytes, (size_t) count);
    take_lines (self);
}

//  Only root can connect; the one before may be a daemon that was killed, or that gave up.
static void accept_daemon (monitor_t *self)
{
    int fd = accept4 (self->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    disconnect (self);
    self->fd = fd;
    self->input = text_new ();
    self->output = text_new ();
    say (self, json_pack ("{s:{s:{s:s}, s:[]}}", "QMP", "version", "package",
                          "troupe-container " TROUPE_VERSION, "capabilities"));
}

void container_monitor_wait (const monitor_t *self, struct pollfd polls[2])
{
    polls[0] = (struct pollfd){ .fd = self->listener, .events = POLLIN };
    polls[1] = (struct pollfd){ .fd = self->fd, .events = POLLIN };
    if (self->fd >= 0 && self->output->size)
        polls[1].events |= POLLOUT;
}

void container_monitor_move (monitor_t *self, const struct pollfd polls[2])
{
    if (self->fd >= 0 && polls[1].revents & POLLOUT)
        flush (self);
    if (self->fd >= 0 && polls[1].revents & (POLLIN | POLLHUP | POLLERR))
        read_some (self);
    if (polls[0].revents & POLLIN)
        accept_daemon (self);
}

void container_monitor_event (monitor_t *self, const char *name, json_t *data)
{
    struct timeval now;
    gettimeofday (&now, NULL);
    if (self->fd < 0 || !self->agreed) {
        json_decref (data);
        return;
    }
    say (self,
         json_pack ("{s:s, s:o, s:{s:I, s:I}}", "event", name, "data", data, "timestamp", "seconds",
                    (json_int_t) now.tv_sec, "microseconds", (json_int_t) now.tv_usec));
}
