//  listener.h: a listening UNIX socket at a path: who may connect is settled before anybody can.

#ifndef TROUPE_LISTENER_H
#define TROUPE_LISTENER_H

#include "util/auto.h"
#include "util/error.h"

#include <sys/types.h>

typedef struct listener listener_t;

//  Listens at PATH with MODE; GROUP is its group (NULL: as the process's). A file of a daemon that
//  is gone is replaced; ERR_OPERATION_INVALID if another process listens there.
listener_t *listener_open (const char *path, mode_t mode, const char *group, error_t *err);
//  Removes the file, if it is still ours; closes the descriptor, if it was not taken.
void listener_destroy (listener_t **self_p);
DEFINE_AUTO (listener_t, listener_destroy)

//  The listening descriptor, non-blocking, which from now on is the caller's.
int listener_take (listener_t *self);

#endif
