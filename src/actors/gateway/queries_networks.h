//  queries_networks.h: answers about networks, from what their owners published. Pure.

#ifndef TROUPE_QUERIES_NETWORKS_H
#define TROUPE_QUERIES_NETWORKS_H

#include "actors/gateway/queries.h"

//  Is this verb answered here?
bool network_query_known (const verb_t *verb);
//  As query_answer (queries.h).
int network_query_answer (const query_t *self, pack_t *result, error_t *err);

#endif
