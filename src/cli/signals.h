//  signals.h: signals that end a command are read from a descriptor, so that it can clean up:
//  restore the terminal, close its console.

#ifndef TROUPE_SIGNALS_H
#define TROUPE_SIGNALS_H

#include <signal.h>

typedef struct {
    int fd; //  readable when SIGINT, SIGTERM, SIGHUP or SIGQUIT came
    sigset_t before;
} signals_t;

void signals_open (signals_t *self);           //  SIGPIPE is held back too: a write fails instead
void signals_open_terminal (signals_t *self);  //  and SIGWINCH
void signals_open_interrupt (signals_t *self); //  the same for SIGINT alone
//  The next that came; 0: none.
int signals_next (const signals_t *self);
void signals_close (signals_t *self);
#define auto_signals __attribute__ ((cleanup (signals_close))) signals_t

#endif
