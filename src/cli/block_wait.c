//  block_wait.c: see block_wait.h.

#include "cli/block_wait.h"

#include <string.h>

enum {
    SHOW_MS = 500
};

static const char *domain_of (const block_wait_t *self)
{
    return options_str (self->options, "domain");
}

static troupe_args_t *disk_args (const block_wait_t *self)
{
    troupe_args_t *args = troupe_args_new ();
    troupe_args_str (args, "domain", domain_of (self));
    troupe_args_str (args, "disk", options_str (self->options, "path"));
    return args;
}

int block_wait_begin (block_wait_t *self, error_t *err)
{
    const char *verb = "domain.block_job";
    auto(troupe_args_t) args = troupe_args_new ();
    troupe_args_str (args, "domain", domain_of (self));
    troupe_args_strs (args, "verbs", &verb, 1);
    auto(troupe_message_t) reply = cli_call (self->cli, "event.subscribe", args, err);
    return reply ? 0 : -1;
}

int block_percent (const troupe_value_t *job)
{
    uint64_t total = troupe_get_u64 (job, "total", 0), done = troupe_get_u64 (job, "done", 0);
    if (troupe_get_bool (job, "ready", false))
        return 100;
    int percent = total > 0 ? (int) ((double) done * 100 / (double) total) : 0;
    return percent > 99 ? 99 : percent;
}

static void show (const block_wait_t *self)
{
    error_t ignored;
    auto(troupe_args_t) args = disk_args (self);
    auto(troupe_message_t) reply = cli_call (self->cli, "domain.block_jobs", args, &ignored);
    const troupe_value_t *job = reply ? troupe_at (troupe_message_value (reply), 0) : NULL;
    if (job)
        fprintf (stderr, "\r%s: [%3d %%]", troupe_get_str (job, "type_text"), block_percent (job));
}

static int end_job (const block_wait_t *self, bool pivot, bool async, error_t *err)
{
    auto(troupe_args_t) args = disk_args (self);
    if (pivot)
        troupe_args_bool (args, "pivot", true);
    if (async)
        troupe_args_bool (args, "async", true);
    auto(troupe_message_t) reply = cli_call (self->cli, "domain.block_abort", args, err);
    return reply ? 0 : -1;
}

static bool is_ours (const block_wait_t *self, const troupe_value_t *args)
{
    const char *path = options_str (self->options, "path");
    return text_equals (troupe_get_str (args, "device"), path) ||
           text_equals (troupe_get_str (args, "path"), path);
}

static int take_end (const block_wait_t *self, const char *status, const char *error, error_t *err)
{
    const char *name = self->options->command->name;
    bool ended = self->ready && self->when_ready == WHEN_READY_END;
    if (strcmp (status, "completed") == 0 || (ended && strcmp (status, "canceled") == 0))
        return 1;
    return error_set (err, ERR_OPERATION_FAILED, "%s: the job %s%s%s", name,
                      strcmp (status, "canceled") == 0 ? "was canceled" : status, error ? ": " : "",
                      error ? error : "");
}

//  1: there is nothing more to wait for.
static int take_event (block_wait_t *self, const troupe_value_t *args, error_t *err)
{
    const char *status = troupe_get_str (args, "status_text");
    if (!status || !is_ours (self, args))
        return 0;
    if (strcmp (status, "ready") != 0)
        return take_end (self, status, troupe_get_str (args, "error"), err);
    self->ready = true;
    if (self->when_ready == WHEN_READY_LEAVE)
        return 1;
    return end_job (self, self->when_ready == WHEN_READY_PIVOT, false, err);
}

static int take_message (block_wait_t *self, const troupe_message_t *message, error_t *err)
{
    if (troupe_message_kind (message) == TROUPE_EVENT &&
        strcmp (troupe_message_verb (message), "domain.block_job") == 0)
        return take_event (self, troupe_message_value (message), err);
    if (troupe_message_kind (message) != TROUPE_NOTICE)
        return 0;
    return error_set (err, ERR_NO_CONNECT,
                      "%s: the connection was lost; the job goes on: 'troupe blockjob' shows it",
                      self->options->command->name);
}

static int give_up (const block_wait_t *self, came_t came, error_t *err)
{
    const char *name = self->options->command->name;
    if (end_job (self, false, options_flag (self->options, "async"), err))
        return error_prefix (err, "%s: abort", name);
    return came == CAME_END ? error_set (err, ERR_OPERATION_TIMEOUT,
                                         "%s: it took too long, and was aborted", name)
                            : error_set (err, ERR_OPERATION_ABORTED, "%s: aborted", name);
}

static int wait (block_wait_t *self, const signals_t *signals, error_t *err)
{
    bool verbose = options_flag (self->options, "verbose");
    int64_t end = incoming_end (self->options);
    if (verbose)
        show (self);
    for (int over = 0; over == 0;) {
        auto(troupe_message_t) message = NULL;
        int64_t tick = verbose ? incoming_now () + SHOW_MS : INT64_MAX;
        came_t came = incoming_next (self->cli, signals, tick < end ? tick : end, &message);
        if (message)
            over = take_message (self, message, err);
        else if (came == CAME_END && incoming_now () < end)
            show (self);
        else
            return give_up (self, came, err);
        if (over < 0)
            return -1;
    }
    return 0;
}

int block_wait (block_wait_t *self, error_t *err)
{
    auto_signals signals;
    signals_open (&signals);
    int rc = wait (self, &signals, err);
    if (options_flag (self->options, "verbose"))
        fputc ('\n', stderr);
    //  In a shell the connection lives on.
    error_t ignored;
    auto(troupe_message_t) over =
        self->cli->shell ? cli_call (self->cli, "event.unsubscribe", NULL, &ignored) : NULL;
    return rc;
}
