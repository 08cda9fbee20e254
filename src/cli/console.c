//  console.c: the command console: a terminal (or stdin and stdout) joined with a guest's console.
//
//  Input is read only when the guest took what was sent before, so a guest that does not read
//  makes us wait, not our memory grow. The terminal is restored on every way out.

#include "cli/run.h"
#include "cli/signals.h"
#include "cli/terminal.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum {
    ESCAPE = 0x1d, //  Ctrl + ]
    CLOSE_MS = 2000,
    CHUNK = 4096
};

typedef struct {
    cli_t *cli;
    const char *domain, *device;
    bool force;
    bool terminal;  //  stdin is one, and raw
    bool input;     //  stdin has not ended
    bool over;      //  the console ended, or we were asked to leave
    uint64_t open;  //  the request that opens it; 0: it was answered
    uint64_t write; //  the request that writes; 0: none under way
    uint64_t stream;
} console_t;

//  The way out of a raw terminal needs its own carriage return.
static void notice (const console_t *self, const char *text)
{
    if (!self->cli->quiet)
        fprintf (stderr, "%s%s%s", self->terminal ? "\r\n" : "", text,
                 self->terminal ? "\r\n" : "\n");
}

int run_print (const char *bytes, size_t size, error_t *err)
{
    while (size > 0) {
        ssize_t count = write (STDOUT_FILENO, bytes, size);
        if (count < 0 && errno == EAGAIN) {
            struct pollfd item = { .fd = STDOUT_FILENO, .events = POLLOUT };
            poll (&item, 1, -1);
        } else if (count < 0 && errno != EINTR)
            return error_errno (err, ERR_WRITE_FAILED, "write the output to stdout");
        bytes += count > 0 ? count : 0;
        size -= count > 0 ? (size_t) count : 0;
    }
    return 0;
}

static int send_open (console_t *self, error_t *err)
{
    auto(troupe_args_t) args = troupe_args_new ();
    troupe_args_str (args, "domain", self->domain);
    if (self->device)
        troupe_args_str (args, "device", self->device);
    if (self->force)
        troupe_args_bool (args, "force", true);
    troupe_error_t failure;
    troupe_options_t options = { .deadline_ms = self->cli->timeout_ms };
    self->open = troupe_send (self->cli->troupe, "console.open", args, &options, &failure);
    return self->open ? 0 : cli_failed (&failure, err);
}

static int handle_answer (console_t *self, const troupe_message_t *message, error_t *err)
{
    uint64_t id = troupe_message_id (message);
    troupe_error_t failure;
    bool failed = troupe_message_failed (message, &failure);
    if (id == self->open)
        self->open = 0;
    else if (id == self->write)
        self->write = 0;
    else
        return 0;
    if (failed) //  a lost connection is told by its own notice, and mends itself
        return failure.code == TROUPE_ERROR_NO_CONNECT ? 0 : cli_failed (&failure, err);
    const troupe_value_t *result = troupe_message_value (message);
    if (troupe_get (result, "stream"))
        self->stream = troupe_get_u64 (result, "stream", 0);
    return 0;
}

static int handle_event (console_t *self, const troupe_message_t *message, error_t *err)
{
    const troupe_value_t *args = troupe_message_value (message);
    const char *verb = troupe_message_verb (message);
    //  Output may overtake the answer that names the stream; there is only one on this connection.
    if (strcmp (verb, "console.data") == 0) {
        size_t size;
        const char *bytes = troupe_bin (troupe_get (args, "data"), &size);
        return run_print (bytes, size, err);
    }
    if (strcmp (verb, "console.end") == 0) {
        self->over = true;
        const char *reason = troupe_get_str (args, "reason");
        autofree char *text = text_format ("Console ended: %s", reason ? reason : "it was closed");
        notice (self, text);
    }
    return 0;
}

static int handle_notice (console_t *self, const troupe_message_t *message, error_t *err)
{
    if (strcmp (troupe_message_verb (message), TROUPE_LOST) == 0) {
        self->stream = self->open = self->write = 0;
        notice (self, "The connection was lost; waiting for the daemon");
        return 0;
    }
    notice (self, "The daemon is back");
    return send_open (self, err);
}

static int handle_messages (console_t *self, error_t *err)
{
    troupe_error_t nothing;
    for (;;) {
        auto(troupe_message_t) message = troupe_receive (self->cli->troupe, 0, &nothing);
        if (!message || self->over)
            return 0;
        troupe_kind_t kind = troupe_message_kind (message);
        int rc = kind == TROUPE_EVENT    ? handle_event (self, message, err)
                 : kind == TROUPE_NOTICE ? handle_notice (self, message, err)
                                         : handle_answer (self, message, err);
        if (rc)
            return -1;
    }
}

static int handle_input (console_t *self, error_t *err)
{
    char bytes[CHUNK];
    ssize_t count = read (STDIN_FILENO, bytes, sizeof bytes);
    if (count < 0)
        return errno == EINTR || errno == EAGAIN
                   ? 0
                   : error_errno (err, ERR_READ_FAILED, "read from stdin");
    self->input = count > 0;
    size_t size = (size_t) count;
    const char *escape = memchr (bytes, ESCAPE, size);
    if (escape) {
        self->over = true;
        size = (size_t) (escape - bytes);
    }
    if (size == 0 || self->stream == 0)
        return 0;
    troupe_error_t failure;
    self->write = troupe_console_write (self->cli->troupe, self->stream, bytes, size, &failure);
    return self->write || failure.code == TROUPE_ERROR_NO_CONNECT ? 0 : cli_failed (&failure, err);
}

static int console_loop (console_t *self, const signals_t *signals, error_t *err)
{
    while (!self->over) {
        if (handle_messages (self, err))
            return -1;
        if (self->over)
            break;
        //  While the daemon is away, what is typed is dropped, but the escape still works.
        bool away = self->stream == 0 && !self->terminal;
        bool ready = self->input && !self->write && !self->open && !away;
        struct pollfd items[] = { { .fd = signals->fd, .events = POLLIN },
                                  { .fd = troupe_fd (self->cli->troupe), .events = POLLIN },
                                  { .fd = ready ? STDIN_FILENO : -1, .events = POLLIN } };
        poll (items, 3, -1);
        if (items[0].revents)
            self->over = true;
        if (items[2].revents && handle_input (self, err))
            return -1;
    }
    return 0;
}

//  What was typed just before the escape still goes to the guest.
static void console_leave (console_t *self)
{
    troupe_error_t ignored;
    if (self->write)
        troupe_message_destroy (&(troupe_message_t *){
            troupe_wait (self->cli->troupe, self->write, CLOSE_MS, &ignored) });
    if (self->stream)
        troupe_console_close (self->cli->troupe, self->stream, CLOSE_MS, &ignored);
}

static void greet (const console_t *self, const char *name)
{
    if (isatty (STDOUT_FILENO))
        cli_say (self->cli, "Connected to domain '%s'\nEscape character is ^] (Ctrl + ])\n", name);
    fflush (stdout);
}

//  Opens it before the terminal changes: an error is a line like any other.
static int console_open (console_t *self, error_t *err)
{
    if (send_open (self, err))
        return -1;
    troupe_error_t failure;
    auto(troupe_message_t) answer = troupe_wait (self->cli->troupe, self->open, -1, &failure);
    if (!answer || troupe_message_failed (answer, &failure))
        return cli_refused (self->cli, "console.open", &failure, err);
    return handle_answer (self, answer, err);
}

int console_attach (cli_t *cli, const char *domain, const char *device, bool force, error_t *err)
{
    console_t self = {
        .cli = cli, .domain = domain, .device = device, .force = force, .input = true
    };
    if (cli_connect (cli, err) || console_open (&self, err))
        return -1;
    greet (&self, domain);
    auto_signals signals;
    signals_open (&signals);
    auto_terminal terminal;
    terminal_raw (&terminal);
    self.terminal = terminal.changed;
    int rc = console_loop (&self, &signals, err);
    console_leave (&self);
    return rc;
}

int console_check_terminal (const char *hint, error_t *err)
{
    if (isatty (STDIN_FILENO))
        return 0;
    return error_set (err, ERR_OPERATION_INVALID,
                      "Cannot run interactive console without a controlling TTY: stdin is no "
                      "terminal%s",
                      hint);
}

//  Who misspelt the domain is told that.
static int check_terminal (cli_t *cli, const options_t *options, error_t *err)
{
    if (isatty (STDIN_FILENO) || options_flag (options, "pipe"))
        return 0;
    auto(troupe_message_t) found =
        cli_call_domain (cli, "domain.lookup", options_str (options, "domain"), err);
    return found ? console_check_terminal ("; --pipe takes what it is", err) : -1;
}

int run_console (cli_t *cli, const options_t *options, error_t *err)
{
    if (cli->json)
        return cli_usage (cli, err, "console: it does not go with --output json");
    if (check_terminal (cli, options, err))
        return -1;
    return console_attach (cli, options_str (options, "domain"), options_str (options, "devname"),
                           options_flag (options, "force"), err);
}
