//  queries_jobs.h: answers about jobs, for queries.c.

#ifndef TROUPE_QUERIES_JOBS_H
#define TROUPE_QUERIES_JOBS_H

#include "actors/gateway/queries.h"

int answer_job_info (const query_t *self, const snapshot_t *domain, pack_t *result, error_t *err);
int answer_backup_xml (const query_t *self, const snapshot_t *domain, pack_t *result, error_t *err);
int answer_block_jobs (const query_t *self, const snapshot_t *domain, pack_t *result, error_t *err);
//  DOMAIN NULL: of all.
int answer_jobs (const query_t *self, const snapshot_t *domain, pack_t *result, error_t *err);

#endif
