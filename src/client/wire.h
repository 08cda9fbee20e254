//  wire.h: the connection of one client: a DEALER socket, watched by a monitor, and one descriptor
//  that is ready whenever either has news or a moment has come. ZeroMQ reconnects by itself, and
//  would send again what it still holds; a wire does not: a lost socket is closed, with all that is
//  in it, and wire_connect makes a new one.

#ifndef TROUPE_WIRE_H
#define TROUPE_WIRE_H

#include "util/auto.h"
#include "util/error.h"

#include <stdint.h>
#include <zmq.h>

typedef struct wire wire_t;

typedef enum {
    WIRE_DOWN,
    WIRE_CONNECTING, //  sending is possible: it leaves when the daemon has shaken hands
    WIRE_UP
} wire_state_t;

//  The caller owns the result, which is down. KEYS: the folder of our keys, for tcp (keys.h); may
//  be NULL for others. NULL and ERR when a descriptor is missing.
wire_t *wire_new (const char *endpoint, const char *keys, error_t *err);
void wire_destroy (wire_t **self_p);
DEFINE_AUTO (wire_t, wire_destroy)

const char *wire_endpoint (const wire_t *self);
wire_state_t wire_state (const wire_t *self);

//  Begins to connect; does not wait. ERR_NO_CONNECT when nobody listens there, ERR_AUTH_FAILED when
//  a key is missing.
int wire_connect (wire_t *self, error_t *err);
void wire_drop (wire_t *self); //  down, at once
//  What has the monitor seen? -1 and ERR_NO_CONNECT when the connection is lost (it is down then).
int wire_check (wire_t *self, error_t *err);

//  Takes BYTES over. ERR_RESOURCE_BUSY when ZeroMQ takes no more.
int wire_send (wire_t *self, char *bytes, size_t size, error_t *err);
//  The caller closes FRAME when it is true.
bool wire_recv (wire_t *self, zmq_msg_t *frame);

int wire_fd (const wire_t *self);
//  Makes the descriptor ready at UNTIL (ms, monotonic), if it would not be earlier.
void wire_wake_at (wire_t *self, int64_t until);
//  Waits until the descriptor is ready, or until UNTIL (INT64_MAX: no limit).
void wire_wait (wire_t *self, int64_t until);
int64_t wire_now (void); //  ms, monotonic

#endif
