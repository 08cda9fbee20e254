//  queries_addresses.h: the answer about a guest's addresses, for queries.c.

#ifndef TROUPE_QUERIES_ADDRESSES_H
#define TROUPE_QUERIES_ADDRESSES_H

#include "actors/gateway/queries.h"

int answer_addresses (const query_t *self, const snapshot_t *domain, pack_t *result, error_t *err);

#endif
