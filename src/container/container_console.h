//  container_console.h: one terminal of a container, as it is seen from the host: a pty there,
//  whose bytes go to and fro between it and the one inside.

#ifndef TROUPE_CONTAINER_CONSOLE_H
#define TROUPE_CONTAINER_CONSOLE_H

#include "util/error.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct {
    char bytes[8192];
    size_t begin, size; //  a ring
} console_ring_t;

typedef struct {
    char path[64];  //  of the host's pty
    int host;       //  its master
    int watch;      //  of who opens it (inotify)
    bool connected; //  somebody has it open, or had a moment ago
    int inside;     //  the container's pty; -1: there is none now
    int inside_slave;
    //  While nobody looks, the newest output is kept, and the oldest forgotten.
    console_ring_t output, input;
} console_t;

//  Makes the host's pty. WATCHER is the supervisor's inotify descriptor.
int container_console_open (console_t *self, int watcher, error_t *err);
void container_console_close (console_t *self);
//  The container's pty, which is taken over; -1, -1: it is gone.
void container_console_plug (console_t *self, int master, int slave);

//  What it waits for: two entries. And what has come.
void container_console_wait (const console_t *self, struct pollfd polls[2]);
void container_console_move (console_t *self, const struct pollfd polls[2]);
//  inotify says that somebody opened WATCH.
void container_console_opened (console_t *self, int watch);

#endif
