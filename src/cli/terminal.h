//  terminal.h: stdin's terminal, raw while a guest is at its other end.

#ifndef TROUPE_TERMINAL_H
#define TROUPE_TERMINAL_H

#include <stdbool.h>
#include <termios.h>

typedef struct {
    bool changed; //  stdin is one
    struct termios before;
} terminal_t;

void terminal_raw (terminal_t *self);
void terminal_restore (terminal_t *self);
#define auto_terminal __attribute__ ((cleanup (terminal_restore))) terminal_t

#endif
