//  spinner.h: something turns on a terminal's stderr while a call takes long.

#ifndef TROUPE_SPINNER_H
#define TROUPE_SPINNER_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    const char *what; //  NULL: it is not wanted, or stderr is no terminal
    int64_t since_ms;
    unsigned turns;
} spinner_t;

void spinner_start (spinner_t *self, const char *what, bool wanted);
void spinner_turn (spinner_t *self); //  a few times a second
void spinner_stop (spinner_t *self); //  and wipes it away

int64_t spinner_now_ms (void); //  the clock of since_ms

#endif
