//  interrupt.c: finds out what became of our request, and aborts that, and nobody else's.

#include "cli/interrupt.h"

#include <sys/signalfd.h>
#include <unistd.h>

#define ASK_MS 1000

//  The row of domain.jobs that is ours: this session has one request under way.
static const troupe_value_t *find_own (const troupe_value_t *rows, uint64_t session)
{
    for (size_t i = 0; i < troupe_count (rows); i++) {
        const troupe_value_t *by = troupe_get (troupe_at (rows, i), "by");
        if (by && troupe_get_u64 (by, "client", 0) == session)
            return troupe_at (rows, i);
    }
    return NULL;
}

//  True once it was told; false: it did not begin yet, or is over already.
static bool abort_own (cli_t *cli)
{
    troupe_error_t ignored;
    auto(troupe_args_t) args = troupe_args_new ();
    auto(troupe_message_t) self = troupe_call (cli->troupe, "session.ping", NULL, ASK_MS, &ignored);
    troupe_args_str (args, "domain", cli->abortable);
    auto(troupe_message_t) jobs =
        self ? troupe_call (cli->troupe, "domain.jobs", args, ASK_MS, &ignored) : NULL;
    if (!jobs)
        return false;
    uint64_t session = troupe_get_u64 (troupe_message_value (self), "session", 0);
    const troupe_value_t *own = find_own (troupe_message_value (jobs), session);
    uint64_t number = troupe_get_u64 (own, "number", 0);
    if (number > 0)
        troupe_args_u64 (args, "number", number); //  it waits
    auto(troupe_message_t) told =
        own ? troupe_call (cli->troupe, "domain.job_abort", args, ASK_MS, &ignored) : NULL;
    return told != NULL;
}

void interrupt_open (interrupt_t *self, cli_t *cli)
{
    *self = (interrupt_t){ .cli = cli, .listening = cli->abortable != NULL };
    if (self->listening)
        signals_open_interrupt (&self->signals);
}

void interrupt_look (interrupt_t *self)
{
    struct signalfd_siginfo came;
    if (self->listening && read (self->signals.fd, &came, sizeof came) == sizeof came) {
        self->wanted = true;
        interrupt_close (self);
    }
    if (self->wanted)
        self->wanted = !abort_own (self->cli);
}

void interrupt_close (interrupt_t *self)
{
    if (self->listening)
        signals_close (&self->signals);
    self->listening = false;
}
