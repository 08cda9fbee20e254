//  left_behind.h: the jobs of an owner that ended: whoever is started in its place waits until they
//  have unwound, before it reads the files.

#ifndef TROUPE_LEFT_BEHIND_H
#define TROUPE_LEFT_BEHIND_H

#include "actors/runtime/actor.h"

//  PS: the switchboard's answer to that; without one this actor is of no use. Watches the jobs
//  "job/UUID/N" among them, each with ON_DOWN, and returns how many there are. Their numbers are
//  not used again: *JOB_COUNT is the highest one at least.
int left_behind_watch (actor_t *self, const char *uuid, const msg_t *ps, uint64_t *job_count,
                       actor_down_fn *on_down);

#endif
