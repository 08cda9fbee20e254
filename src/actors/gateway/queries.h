//  queries.h: what a gateway answers by itself, from the snapshots: the verbs about the state of
//  domains and networks. Pure: no sockets, no messages; every gateway can use it.

#ifndef TROUPE_QUERIES_H
#define TROUPE_QUERIES_H

#include "actors/gateway/networks.h"
#include "actors/gateway/snapshots.h"
#include "msg/pack.h"
#include "msg/verbs.h"

typedef struct {
    const snapshots_t *snapshots;
    const networks_t *networks;
    const verb_t *verb;
    const value_t *args; //  checked by verb_check_args
    access_t role;       //  of who asks
    int64_t now_us;      //  wall clock
} query_t;

//  Is this verb answered here?
bool query_known (const verb_t *verb);
//  Writes the result (one value) to RESULT. -1 and ERR: what was written so far is to be thrown
//  away.
int query_answer (const query_t *self, pack_t *result, error_t *err);

//  For the files that answer groups of verbs: is the document wanted with its passwords? -1 and ERR
//  if who asks may not see them.
int query_secure (const query_t *self, const snapshot_t *domain, bool *secure, error_t *err);

#endif
