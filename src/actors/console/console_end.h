//  console_end.h: the guest's end of a console: a pty, a UNIX socket, or a driver's pure functions.
//  Nothing here waits.

#ifndef TROUPE_CONSOLE_END_H
#define TROUPE_CONSOLE_END_H

#include "drivers/driver.h"
#include "msg/msg.h"

typedef struct {
    console_kind_t kind;
    int fd; //  -1: CONSOLE_SIMULATED
    //  CONSOLE_SIMULATED.
    const driver_t *driver;
    xml_t *live;
    console_line_t line;
    text_t *output; //  not yet read, from `read` on
    size_t read;
    bool off; //  the guest powered itself off
} console_end_t;

//  From the console's start arguments: kind, path; driver and live for a simulated one.
int console_end_open (console_end_t *self, const msg_t *args, error_t *err);
void console_end_close (console_end_t *self);

//  How many bytes were read or taken; 0: none at present; -1: the end is closed.
ssize_t console_end_read (console_end_t *self, void *bytes, size_t size);
ssize_t console_end_write (console_end_t *self, const void *bytes, size_t size);

#endif
