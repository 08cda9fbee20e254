//  queries_snapshots.h: answers about the snapshots of a domain's disks, for queries.c.

#ifndef TROUPE_QUERIES_SNAPSHOTS_H
#define TROUPE_QUERIES_SNAPSHOTS_H

#include "actors/gateway/queries.h"

int answer_snapshots (const query_t *self, const snapshot_t *domain, pack_t *result, error_t *err);
int answer_snapshot_info (const query_t *self, const snapshot_t *domain, pack_t *result,
                          error_t *err);
int answer_snapshot_xml (const query_t *self, const snapshot_t *domain, pack_t *result,
                         error_t *err);

#endif
