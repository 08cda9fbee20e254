//  queries_checkpoints.h: answers about checkpoints, for queries.c.

#ifndef TROUPE_QUERIES_CHECKPOINTS_H
#define TROUPE_QUERIES_CHECKPOINTS_H

#include "actors/gateway/queries.h"

int answer_checkpoints (const query_t *self, const snapshot_t *domain, pack_t *result,
                        error_t *err);
int answer_checkpoint_info (const query_t *self, const snapshot_t *domain, pack_t *result,
                            error_t *err);
int answer_checkpoint_xml (const query_t *self, const snapshot_t *domain, pack_t *result,
                           error_t *err);

#endif
