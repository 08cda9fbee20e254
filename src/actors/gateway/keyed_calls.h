//  keyed_calls.h: owns the calls that clients made with a key (idempotency keys), and sees to it
//  that each is carried out once, whatever clients, network and daemon do.
//
//  `keyed.call` {key, verb, to, error, domain, args}, from the gateway, by who asks: VERB with ARGS
//  is to be asked of the actor TO; ERROR instead of TO if the domain that the client named (DOMAIN)
//  is not there, as it may be after the first call. The answer is the owner's.
//
//  The order: the intent is on disk before the owner is asked, the answer before anybody gets it.
//  Who asks again meanwhile waits for the same answer; after a restart a call whose intent has no
//  answer is answered with an error that says so. What was refused before anything was begun
//  (busy, a deadline that passed) leaves nothing behind, so that the same key may be used again.

#ifndef TROUPE_KEYED_CALLS_H
#define TROUPE_KEYED_CALLS_H

#include "actors/runtime/actor.h"

#define KEYED_CALLS_ADDRESS "keyed_calls"

//  Start argument: config.
extern const actor_class_t keyed_calls_class;

#endif
