//  actor_thread.h: what the switchboard alone does with an actor: makes it, starts its thread,
//  joins it.

#ifndef TROUPE_ACTOR_THREAD_H
#define TROUPE_ACTOR_THREAD_H

#include "actors/runtime/actor.h"

//  With its mailbox connected to the switchboard's ROUTER under INCARNATION. The socket is made
//  here, in the switchboard's thread, so that a limit that was reached is known at once.
actor_t *actor_new (void *context, const char *address, const actor_class_t *class,
                    uint64_t incarnation, error_t *err);
//  Its thread says MSG_HELLO, waits for MSG_START, and ends with MSG_BYE as its last frame.
int actor_launch (actor_t *self, error_t *err);
//  After MSG_BYE: joins the thread, which is about to return, and closes the socket.
void actor_destroy (actor_t **self_p);
DEFINE_AUTO (actor_t, actor_destroy)

#endif
