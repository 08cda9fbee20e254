//  terminal.c: see terminal.h.

#include "cli/terminal.h"

#include <unistd.h>

void terminal_raw (terminal_t *self)
{
    self->changed = isatty (STDIN_FILENO) && tcgetattr (STDIN_FILENO, &self->before) == 0;
    if (!self->changed)
        return;
    struct termios raw = self->before;
    cfmakeraw (&raw);
    tcsetattr (STDIN_FILENO, TCSAFLUSH, &raw);
}

void terminal_restore (terminal_t *self)
{
    if (self->changed)
        tcsetattr (STDIN_FILENO, TCSAFLUSH, &self->before);
}
