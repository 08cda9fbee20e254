//  switchboard.h: the one place that routes messages, and that keeps the runtime's promises.

#ifndef TROUPE_SWITCHBOARD_H
#define TROUPE_SWITCHBOARD_H

#include "actors/runtime/actor.h"

typedef struct switchboard switchboard_t;

//  NULL and ERR when ZeroMQ has no socket for us. MAX_ACTORS 0: as many as descriptors and threads
//  allow.
switchboard_t *switchboard_new (int max_actors, error_t *err);
void switchboard_destroy (switchboard_t **self_p);
DEFINE_AUTO (switchboard_t, switchboard_destroy)

//  Spawns the root actor at ADDRESS with ARGS and routes until it ended; then stops all others, by
//  rank, and returns. 0, or -1 with the root's error if it did not end by itself.
int switchboard_run (switchboard_t *self, const char *address, const actor_class_t *root,
                     msg_t **args_p, error_t *err);

//  Requests that the switchboard itself answers at this address:
//  `ps`: an array of {address, kind, state, mailbox, handled, longest_us, requests, parked,
//  restarts}.
#define SWITCHBOARD_ADDRESS "switchboard"
//  Who subscribes to this prefix gets a copy of each routed message's header as an event
//  {time_us, kind, from, to, verb, id, bytes}, until its mailbox is too full: then `lost` counts.
#define SWITCHBOARD_TRACE_TOPIC "trace"

#endif
