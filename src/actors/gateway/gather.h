//  gather.h: statistics of many domains in one call: all owners are asked at once, each answers
//  within the budget, from its last values if it has to. The same for every gateway.

#ifndef TROUPE_GATHER_H
#define TROUPE_GATHER_H

#include "actors/gateway/view.h"

#include <czmq.h>

typedef struct gather gather_t; //  one call under way

//  The last answer has come: gather_pack says all. Called once, unless gather_forget was; SELF is
//  gone afterwards.
typedef void (gather_done_fn) (actor_t *actor, const gather_t *self, void *arg);

//  What the gateway can read itself of a running domain's CPU time, as its owner would tell it:
//  {stats, measured_us, stale}; the caller owns it. NULL and ERR: the owner has to be asked.
document_t *gather_read_cpu (const snapshot_t *domain, int64_t now_us, error_t *err);

//  Begins what `domain.stats` with ARGS asks for. ALL: the gathers of ACTOR that are under way.
//  DONE may be called before this returns. -1 and ERR: it will not be called.
int gather_begin (actor_t *actor, zlistx_t *all, const view_t *view, const value_t *args,
                  gather_done_fn *done, void *arg, error_t *err);
//  The result of `domain.stats`. A domain that is gone meanwhile is left out. NOW_US: wall clock.
void gather_pack (const gather_t *self, const view_t *view, int64_t now_us, pack_t *pack);
//  At the end of the actor: nobody will answer any more.
void gather_forget (zlistx_t **all_p);

#endif
