//  endpoint.h: where a daemon listens, and whether one does.

#ifndef TROUPE_ENDPOINT_H
#define TROUPE_ENDPOINT_H

#include "util/error.h"

//  The socket's path in an "ipc://PATH" endpoint; NULL for other transports.
const char *endpoint_path (const char *endpoint);

//  ZeroMQ's connect to an ipc endpoint never fails, it waits for ever: so a plain UNIX connection
//  is tried first. 0, or -1 with ERR_NO_CONNECT and what to do. Other transports: 0.
int endpoint_probe (const char *endpoint, error_t *err);

#endif
