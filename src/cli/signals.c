//  signals.c: signals that end a command.

#include "cli/signals.h"

#include <stddef.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

static void open_some (signals_t *self, const int *numbers, size_t count)
{
    sigset_t set;
    sigemptyset (&set);
    for (size_t i = 0; i < count; i++)
        sigaddset (&set, numbers[i]);
    self->fd = signalfd (-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    sigaddset (&set, SIGPIPE);
    sigprocmask (SIG_BLOCK, &set, &self->before);
}

void signals_open (signals_t *self)
{
    static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
    open_some (self, numbers, sizeof numbers / sizeof *numbers);
}

void signals_open_terminal (signals_t *self)
{
    static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH };
    open_some (self, numbers, sizeof numbers / sizeof *numbers);
}

int signals_next (const signals_t *self)
{
    struct signalfd_siginfo info;
    return read (self->fd, &info, sizeof info) == sizeof info ? (int) info.ssi_signo : 0;
}

void signals_open_interrupt (signals_t *self)
{
    static const int numbers[] = { SIGINT };
    open_some (self, numbers, 1);
}

void signals_close (signals_t *self)
{
    //  What came has done its work: it must not end us once it is let through.
    sigset_t all;
    sigfillset (&all);
    while (sigtimedwait (&all, NULL, &(struct timespec){ 0 }) > 0)
        continue;
    if (self->fd >= 0)
        close (self->fd);
    sigprocmask (SIG_SETMASK, &self->before, NULL);
}
