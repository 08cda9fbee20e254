//  cli.c: the connection of the command line, and its messages.

#include "cli/cli.h"
#include "cli/interrupt.h"
#include "cli/json.h"
#include "cli/spinner.h"
#include "msg/verbs.h"
#include "util/paths.h"
#include "util/text.h"

#include <string.h>
#include <unistd.h>

enum {
    CONNECT_MS = 5000,
    LIMIT_MS = 600 * 1000, //  for an answer, when --timeout does not say
    PATIENT_MS = 25 * 3600000,
    SLICE_MS = 100
};

void cli_close (cli_t *self)
{
    troupe_close (&self->troupe);
    free (take (&self->endpoint));
}

int cli_failed (const troupe_error_t *from, error_t *err)
{
    error_set (err, (error_code_t) from->code, "%s", from->message);
    err->retry = from->retry;
    return -1;
}

int cli_usage (cli_t *self, error_t *err, const char *format, ...)
{
    va_list args;
    va_start (args, format);
    autofree char *text = text_format_args (format, args);
    va_end (args);
    self->usage = true;
    return error_set (err, ERR_INVALID_ARG, "%s", text);
}

//  As an ordinary user without --root and -c (or with -c session) the daemon is the user's own.
static bool is_session (const cli_t *self)
{
    if (self->connect)
        return strcmp (self->connect, "session") == 0;
    return !self->root && geteuid () != 0;
}

static char *make_endpoint (const cli_t *self, error_t *err)
{
    if (self->connect && strstr (self->connect, "://"))
        return text_copy (self->connect);
    if (self->connect && !is_session (self) && strcmp (self->connect, "system") != 0) {
        error_set (err, ERR_INVALID_ARG,
                   "connect to '%s': an endpoint is ipc://PATH, tcp://HOST:PORT, system or session",
                   self->connect);
        return NULL;
    }
    troupe_error_t failure;
    const char *root = is_session (self) ? TROUPE_SESSION : self->connect ? "/" : self->root;
    char *endpoint = troupe_endpoint (root, self->read_only, &failure);
    if (!endpoint)
        cli_failed (&failure, err);
    return endpoint;
}

const char *cli_endpoint (cli_t *self, error_t *err)
{
    if (!self->endpoint)
        self->endpoint = make_endpoint (self, err);
    return self->endpoint;
}

char *cli_keys (const cli_t *self, error_t *err)
{
    bool session = is_session (self) || (!self->root && geteuid () != 0);
    paths_mode_t mode = session ? PATHS_SESSION : self->root ? PATHS_ROOT : PATHS_SYSTEM;
    auto(paths_t) paths = paths_new (mode, session ? NULL : self->root, err);
    return paths ? text_copy (paths->keys) : NULL;
}

int cli_connect (cli_t *self, error_t *err)
{
    if (self->troupe)
        return 0;
    const char *endpoint = cli_endpoint (self, err);
    if (!endpoint)
        return -1;
    troupe_error_t failure;
    int timeout_ms = self->timeout_ms ? self->timeout_ms : CONNECT_MS;
    autofree char *keys = cli_keys (self, err);
    if (!keys)
        return -1;
    self->troupe = troupe_open_with_keys (endpoint, keys, timeout_ms, &failure);
    if (!self->troupe && failure.code == TROUPE_ERROR_NO_CONNECT && is_session (self) &&
        !self->no_start) {
        if (session_start (endpoint, err))
            return -1;
        self->troupe = troupe_open (endpoint, timeout_ms, &failure);
    }
    return self->troupe ? 0 : cli_failed (&failure, err);
}

//  As virsh's --verbose does. That there is no job yet, or no longer, shows nothing: then false.
static bool show_progress (const cli_t *self)
{
    troupe_error_t ignored;
    auto(troupe_args_t) args = troupe_args_new ();
    troupe_args_str (args, "domain", self->watched);
    auto(troupe_message_t) reply =
        troupe_call (self->troupe, "domain.job_info", args, SLICE_MS * 10, &ignored);
    const troupe_value_t *job = reply ? troupe_message_value (reply) : NULL;
    uint64_t total = troupe_get_u64 (job, "total", 0), done = troupe_get_u64 (job, "done", 0);
    if (total > 0)
        fprintf (stderr, "\r%s: [%3d %%]", self->command, (int) (done * 100 / total));
    return total > 0;
}

static void ring_in_time (cli_t *self, int64_t since_ms)
{
    cli_alarm_t *alarm = self->alarm;
    if (!alarm || alarm->after_ms == 0 || spinner_now_ms () - since_ms < alarm->after_ms)
        return;
    alarm->after_ms = 0;
    alarm->ring (self, alarm->arg);
}

static troupe_message_t *wait_for_answer (cli_t *self, uint64_t id, const char *verb,
                                          interrupt_t *interrupt, troupe_error_t *failure)
{
    spinner_t spinner;
    spinner_start (&spinner, verb, !self->quiet && !self->json && !self->watched);
    troupe_message_t *message;
    bool shown = false;
    do {
        message = troupe_wait (self->troupe, id, SLICE_MS, failure);
        if (self->watched)
            shown |= show_progress (self);
        else
            spinner_turn (&spinner);
        ring_in_time (self, spinner.since_ms);
        if (!message)
            interrupt_look (interrupt);
    } while (!message && failure->code == TROUPE_ERROR_TIMEOUT);
    spinner_stop (&spinner);
    if (shown)
        fputc ('\n', stderr);
    return message;
}

//  The daemon's errors begin with the verb; people typed a command.
int cli_refused (const cli_t *self, const char *verb, const troupe_error_t *from, error_t *err)
{
    size_t size = strlen (verb);
    cli_failed (from, err);
    if (!self->command || !text_starts (err->message, verb) || err->message[size] != ':')
        return -1;
    autofree char *message = text_format ("%s%s", self->command, err->message + size);
    snprintf (err->message, sizeof err->message, "%s", message);
    return -1;
}

//  A command may change several things, one after another: each call has a key of its own, the
//  same when the command is run again. NULL: this one has none. The caller frees it.
static char *number_key (cli_t *self, const char *name)
{
    const verb_t *verb = verb_find (name);
    if (!self->key || !verb || !verb_takes_key (verb))
        return NULL;
    return ++self->keyed == 1 ? text_copy (self->key)
                              : text_format ("%s/%u", self->key, self->keyed);
}

troupe_message_t *cli_call (cli_t *self, const char *verb, const troupe_args_t *args, error_t *err)
{
    if (cli_connect (self, err))
        return NULL;
    troupe_error_t failure;
    autofree char *key = number_key (self, verb);
    troupe_options_t options = { .deadline_ms = self->timeout_ms,
                                 .key = key,
                                 .limit_ms = self->timeout_ms ? 0
                                             : self->patient  ? PATIENT_MS
                                                              : LIMIT_MS };
    //  From then on there may be a job, which Ctrl+C has to abort.
    interrupt_t interrupt;
    interrupt_open (&interrupt, self);
    uint64_t id = troupe_send (self->troupe, verb, args, &options, &failure);
    auto(troupe_message_t) message =
        id ? wait_for_answer (self, id, verb, &interrupt, &failure) : NULL;
    interrupt_close (&interrupt);
    if (message && !troupe_message_failed (message, &failure))
        return take (&message);
    cli_refused (self, verb, &failure, err);
    if (failure.code == TROUPE_ERROR_NO_CONNECT)
        troupe_close (&self->troupe); //  the next command of a shell looks for a daemon again
    return NULL;
}

troupe_message_t *cli_call_domain (cli_t *self, const char *verb, const char *domain, error_t *err)
{
    auto(troupe_args_t) args = troupe_args_new ();
    troupe_args_str (args, "domain", domain);
    return cli_call (self, verb, args, err);
}

void cli_say (const cli_t *self, const char *format, ...)
{
    if (self->quiet || self->json)
        return;
    va_list args;
    va_start (args, format);
    vprintf (format, args);
    va_end (args);
}

bool cli_json (const cli_t *self, const troupe_value_t *value)
{
    if (!self->json)
        return false;
    json_print (stdout, value);
    return true;
}
