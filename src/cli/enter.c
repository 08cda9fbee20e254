//  enter.c: the command lxc-enter-namespace. The daemon allows it; the program's stdin, stdout and
//  stderr then go to the container's supervisor as they are, but for a terminal: the program gets
//  one inside, whose bytes are moved here.

#include "cli/run.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "util/descriptors.h"
#include "util/unix_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    SIGNALLED = 128, //  as shells have it
    CHUNK = 4096
};

typedef struct {
    int control;     //  to the supervisor
    int terminal;    //  the program's; -1: it has none
    bool input;      //  what is typed goes there
    text_t *pending; //  that was typed
    text_t *lines;   //  of the supervisor, begun
    bool over;
    int status;
} visit_t;

static void visit_close (visit_t *self)
{
    if (self->control >= 0)
        close (self->control);
    if (self->terminal >= 0)
        close (self->terminal);
    text_destroy (&self->pending);
    text_destroy (&self->lines);
}

//  Another host's daemon would have us connect to any socket of this one.
static int check_local (cli_t *cli, error_t *err)
{
    const char *endpoint = cli_endpoint (cli, err);
    if (endpoint && !text_starts (endpoint, "ipc://"))
        return error_set (
            err, ERR_NO_SUPPORT,
            "not supported: lxc-enter-namespace of another host's container; run it there");
    return endpoint ? 0 : -1;
}

static troupe_message_t *ask (cli_t *cli, const options_t *options, error_t *err)
{
    const char *argv[OPTIONS_MAX];
    size_t count = 0;
    auto(troupe_args_t) args = troupe_args_new ();
    for (size_t i = 0; i < options->count; i++)
        if (strcmp (options->given[i].arg->name, "cmd") == 0)
            argv[count++] = options->given[i].text;
    troupe_args_str (args, "domain", options_str (options, "domain"));
    troupe_args_strs (args, "argv", argv, count);
    return cli_call (cli, "domain.enter", args, err);
}

//  The ticket, and what of ours is no terminal.
static int hand_over (const visit_t *self, const char *ticket, error_t *err)
{
    int fds[3];
    size_t count = 0;
    for (int fd = 0; fd < 3; fd++)
        if (!isatty (fd))
            fds[count++] = fd;
    autofree char *line = text_format ("%s %d%d%d\n", ticket, isatty (0), isatty (1), isatty (2));
    if (descriptors_send (self->control, line, fds, count))
        return error_errno (err, ERR_SYSTEM_ERROR, "talk to the container's supervisor");
    return 0;
}

static void follow_size (const visit_t *self)
{
    struct winsize size;
    if (self->terminal >= 0 &&
        (ioctl (0, TIOCGWINSZ, &size) == 0 || ioctl (1, TIOCGWINSZ, &size) == 0))
        ioctl (self->terminal, TIOCSWINSZ, &size);
}

static int take_line (visit_t *self, const char *line, error_t *err)
{
    int code;
    bool signalled = sscanf (line, "signal %d", &code) == 1;
    if (text_starts (line, "error "))
        return error_set (err, ERR_OPERATION_FAILED, "%.*s", (int) strcspn (line + 6, "\n"),
                          line + 6);
    if (!signalled && sscanf (line, "exit %d", &code) != 1)
        return 0;
    self->status = signalled ? SIGNALLED + code : code;
    self->over = true;
    return 0;
}

static int take_lines (visit_t *self, error_t *err)
{
    const char *end;
    while ((end = strchr (self->lines->data, '\n'))) {
        size_t size = (size_t) (end - self->lines->data) + 1;
        autofree char *line = text_copy_bytes (self->lines->data, size);
        memmove (self->lines->data, self->lines->data + size, self->lines->size - size + 1);
        self->lines->size -= size;
        if (take_line (self, line, err))
            return -1;
    }
    return 0;
}

static int read_control (visit_t *self, error_t *err)
{
    char text[CHUNK];
    size_t count;
    int fd = -1;
    ssize_t size =
        descriptors_receive (self->control, text, sizeof text, &fd, 1, &count, MSG_DONTWAIT);
    if (size < 0 && errno == EAGAIN)
        return 0;
    if (size <= 0)
        return error_set (err, ERR_OPERATION_FAILED,
                          "the container is gone, and the program with it");
    if (count && self->terminal < 0) {
        self->terminal = fd;
        fcntl (fd, F_SETFL, O_RDWR | O_NONBLOCK);
        follow_size (self);
    } else if (count)
        close (fd);
    text_add (self->lines, text);
    return take_lines (self, err);
}

//  False: there is no more for now.
static bool move_output (const visit_t *self, error_t *err)
{
    char bytes[CHUNK];
    ssize_t count = self->terminal < 0 ? -1 : read (self->terminal, bytes, sizeof bytes);
    return count > 0 && run_print (bytes, (size_t) count, err) == 0;
}

static void move_input (visit_t *self)
{
    char bytes[CHUNK];
    ssize_t count = read (STDIN_FILENO, bytes, sizeof bytes);
    self->input = count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR));
    if (count > 0)
        text_add_bytes (self->pending, bytes, (size_t) count);
}

static void pass_input (const visit_t *self)
{
    ssize_t count = write (self->terminal, self->pending->data, self->pending->size);
    if (count < 0 && errno != EAGAIN)
        count = (ssize_t) self->pending->size; //  nobody is there to read it
    if (count <= 0)
        return;
    self->pending->size -= (size_t) count;
    memmove (self->pending->data, self->pending->data + count, self->pending->size + 1);
}

//  Who is signalled leaves the program, which the supervisor tells so.
static void take_signals (visit_t *self, const signals_t *signals)
{
    for (int number = signals_next (signals); number; number = signals_next (signals)) {
        if (number == SIGWINCH)
            follow_size (self);
        else {
            self->over = true;
            self->status = SIGNALLED + number;
        }
    }
}

static int turn (visit_t *self, const signals_t *signals, error_t *err)
{
    bool typed = self->pending->size > 0, hears = self->terminal >= 0 && self->input && !typed;
    struct pollfd items[] = {
        { .fd = signals->fd, .events = POLLIN },
        { .fd = self->control, .events = POLLIN },
        { .fd = self->terminal, .events = (short) (POLLIN | (typed ? POLLOUT : 0)) },
        { .fd = hears ? STDIN_FILENO : -1, .events = POLLIN },
    };
    poll (items, 4, -1);
    if (items[2].revents & POLLOUT)
        pass_input (self);
    if (items[2].revents & (POLLIN | POLLHUP) && !move_output (self, err)) {
        if (*err->message)
            return -1;
        if (items[2].revents & POLLHUP) { //  nobody has it open any more
            close (self->terminal);
            self->terminal = -1;
        }
    }
    if (items[3].revents)
        move_input (self);
    if (items[0].revents)
        take_signals (self, signals);
    return items[1].revents ? read_control (self, err) : 0;
}

static int visit (visit_t *self, error_t *err)
{
    auto_signals signals;
    signals_open_terminal (&signals);
    auto_terminal terminal = { 0 };
    self->input = isatty (STDIN_FILENO);
    terminal_raw (&terminal);
    while (!self->over)
        if (turn (self, &signals, err))
            return -1;
    while (move_output (self, err)) //  its last words
        continue;
    return *err->message ? -1 : 0;
}

int run_enter (cli_t *cli, const options_t *options, error_t *err)
{
    if (cli->json)
        return cli_usage (cli, err, "lxc-enter-namespace: it does not go with --output json");
    if (check_local (cli, err))
        return -1;
    auto(troupe_message_t) reply = ask (cli, options, err);
    if (!reply)
        return -1;
    const troupe_value_t *result = troupe_message_value (reply);
    const char *socket = troupe_get_str (result, "socket"),
               *ticket = troupe_get_str (result, "ticket");
    __attribute__ ((cleanup (visit_close)))
    visit_t self = { .control = -1, .terminal = -1, .pending = text_new (), .lines = text_new () };
    fflush (stdout);
    self.control = unix_connect (socket ? socket : "", err);
    if (self.control < 0 || hand_over (&self, ticket ? ticket : "", err) || visit (&self, err))
        return error_prefix (err, "run a program in domain '%s'", options_str (options, "domain"));
    cli->status = self.status;
    return 0;
}
