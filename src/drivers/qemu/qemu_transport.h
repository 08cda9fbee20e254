//  qemu_transport.h: where a migration's bytes go, as users write it and as QEMU wants it.

#ifndef TROUPE_QEMU_TRANSPORT_H
#define TROUPE_QEMU_TRANSPORT_H

#include "util/error.h"

#include <jansson.h>
#include <stdbool.h>

typedef struct {
    bool local;     //  a UNIX socket at PATH; else HOST and PORT
    char host[256]; //  without brackets; "" if none was given
    char port[16];  //  "0": any
    char path[108];
} qemu_transport_t;

//  "tcp://HOST[:PORT]", also "tcp:HOST[:PORT]"; an IPv6 address in brackets; "unix:[PATH]".
//  ERR_INVALID_ARG says what it should be.
int qemu_transport_parse (qemu_transport_t *self, const char *uri, error_t *err);
//  Where to listen, so that others reach it at AT: the same, but for ADDRESS (NULL: it is the
//  same).
int qemu_transport_listen (qemu_transport_t *self, const qemu_transport_t *at, const char *address,
                           error_t *err);
//  In the first form. The caller frees it.
char *qemu_transport_text (const qemu_transport_t *self);
//  For QEMU's migrate and migrate-incoming. The caller frees it.
char *qemu_transport_uri (const qemu_transport_t *self);
//  QMP's SocketAddress; LEGACY: as nbd-server-start has it.
json_t *qemu_transport_address (const qemu_transport_t *self, bool legacy);

#endif
