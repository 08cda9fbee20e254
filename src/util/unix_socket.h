//  unix_socket.h: connecting to UNIX sockets, also below folders with long names.

#ifndef TROUPE_UNIX_SOCKET_H
#define TROUPE_UNIX_SOCKET_H

#include "util/error.h"

//  A connected stream socket, non-blocking, which the caller closes; or -1 with ERR_NO_CONNECT,
//  whose retry says that the listener's queue was full. A path longer than the 107 bytes that an
//  address has room for is reached through its folder's descriptor.
int unix_connect (const char *path, error_t *err);

#endif
