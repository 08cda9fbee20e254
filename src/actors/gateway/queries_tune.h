//  queries_tune.h: the answers about a domain's share of the host's resources, for queries.c.

#ifndef TROUPE_QUERIES_TUNE_H
#define TROUPE_QUERIES_TUNE_H

#include "actors/gateway/queries.h"

int answer_parameters (const query_t *self, const snapshot_t *domain, pack_t *result, error_t *err);
int answer_vcpu_pins (const query_t *self, const snapshot_t *domain, pack_t *result, error_t *err);
int answer_emulator_pins (const query_t *self, const snapshot_t *domain, pack_t *result,
                          error_t *err);
int answer_iothread_pins (const query_t *self, const snapshot_t *domain, pack_t *result,
                          error_t *err);
int answer_block_io (const query_t *self, const snapshot_t *domain, pack_t *result, error_t *err);
int answer_interface_limits (const query_t *self, const snapshot_t *domain, pack_t *result,
                             error_t *err);

#endif
