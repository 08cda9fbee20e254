//  qemu_stats_parts.h: what the groups of a guest's statistics have in common.

#ifndef TROUPE_QEMU_STATS_PARTS_H
#define TROUPE_QEMU_STATS_PARTS_H

#include "drivers/job.h"

#define STATS_QMP_MS 5000 //  whoever asked waits for the budget only

//  Asks QEMU for what it may not have: *REPLY (the caller drops it) is NULL if it refuses. -1: it
//  did not answer.
int qemu_stats_ask (job_t *job, const char *execute, json_t *arguments, json_t **reply,
                    error_t *err);

void qemu_stats_set (json_t *stats, const char *name, uint64_t value);
//  "GROUP.N.NAME"; takes VALUE over.
void qemu_stats_set_nth (json_t *stats, const char *group, size_t n, const char *name,
                         json_t *value);

//  "block." and, the same for each image of the chains, "backing.".
int qemu_stats_block (job_t *job, json_t *stats, error_t *err);
//  "vm.", and what KVM counts for each vcpu.
int qemu_stats_kvm (job_t *job, json_t *stats, error_t *err);

#endif
