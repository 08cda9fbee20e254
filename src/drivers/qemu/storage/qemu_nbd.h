//  qemu_nbd.h: the end of QEMU's NBD server. A QEMU that is told to stop it while a client has not
//  finished its negotiation stands still, guest and monitor included, until for ever (seen
//  with 7.2: it waits for the client, and does not listen to it meanwhile). QEMU sends clients away
//  that take longer than ten seconds, so we wait until there are none.

#ifndef TROUPE_QEMU_NBD_H
#define TROUPE_QEMU_NBD_H

#include "drivers/job.h"

//  Which server: its socket's path, or (NULL) its port.
typedef struct {
    const char *socket;
    const char *port;
} qemu_nbd_t;

//  How many connections the server of this process has, as the kernel tells (/proc/PID/net). -1 and
//  ERR.
int qemu_nbd_clients (const process_t *process, const qemu_nbd_t *server, error_t *err);
//  The same in what is read from such a file: one line of it. Pure.
bool qemu_nbd_is_unix_client (const char *line, const char *socket);
bool qemu_nbd_is_tcp_client (const char *line, const char *port);

//  Ends the server; its exports have been removed, and a socket's name. It is no error if it does
//  not run. ERR_OPERATION_TIMEOUT: a client stays.
int qemu_nbd_stop (job_t *job, const qemu_nbd_t *server, error_t *err);

#endif
