//  spinner.c: something turns while a call takes long.

#include "cli/spinner.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum {
    PATIENCE_MS = 300
};

int64_t spinner_now_ms (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void spinner_start (spinner_t *self, const char *what, bool wanted)
{
    *self = (spinner_t){ .what = wanted && isatty (STDERR_FILENO) ? what : NULL,
                         .since_ms = spinner_now_ms () };
}

void spinner_turn (spinner_t *self)
{
    int64_t past = spinner_now_ms () - self->since_ms;
    if (!self->what || past < PATIENCE_MS)
        return;
    fprintf (stderr, "\r%c %s %d s ", "|/-\\"[self->turns++ % 4], self -> what,
             (int) (past / 1000));
}

void spinner_stop (spinner_t *self)
{
    if (self->turns > 0)
        fputs ("\r\033[K", stderr);
}
