//  notify.h: readiness, told to whoever started this program: a datagram to the socket that the
//  environment's NOTIFY_SOCKET names, as services tell it to systemd.
//
//  https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html: the protocol is stable,
//  and programs may speak it by themselves; libsystemd would be a large library for one datagram.

#ifndef TROUPE_NOTIFY_H
#define TROUPE_NOTIFY_H

#include "util/error.h"

#define NOTIFY_VARIABLE "NOTIFY_SOCKET"
#define NOTIFY_READY "READY=1"
#define NOTIFY_STOPPING "STOPPING=1"

enum {
    NOTIFY_NAME_SIZE = 108 //  of a socket, with its end
};

//  SOCKET: a path, or "@NAME" of one that is abstract. Never waits.
int notify_send (const char *socket, const char *state, error_t *err);
//  The other side: a socket that the kernel names NAME. The caller closes it; -1: an error.
int notify_listen (char name[NOTIFY_NAME_SIZE], error_t *err);
//  Whether a datagram that came to it says STATE; others are dropped. Never waits.
bool notify_heard (int fd, const char *state);

#endif
