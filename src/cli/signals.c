//  signals.c: signals that end a command.

#include "cli/signals.h"

#include <stddef.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

void signals_open (signals_t *self)
{
    sigset_t set;
    sigemptyset (&set);
    sigaddset (&set, SIGINT);
    sigaddset (&set, SIGTERM);
    sigaddset (&set, SIGHUP);
    sigaddset (&set, SIGQUIT);
    self->fd = signalfd (-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    sigaddset (&set, SIGPIPE);
    sigprocmask (SIG_BLOCK, &set, &self->before);
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
