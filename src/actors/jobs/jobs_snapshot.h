//  jobs_snapshot.h: what the jobs about snapshots have in common.

#ifndef TROUPE_JOBS_SNAPSHOT_H
#define TROUPE_JOBS_SNAPSHOT_H

#include "actors/jobs/jobs.h"
#include "drivers/snapshot_tree.h"
#include "drivers/snapshot_xml.h"

//  From the domain's file; the caller owns it.
snapshot_tree_t *job_load_snapshots (const job_actor_t *self, error_t *err);
//  Durable; then the owner is told. An empty tree has no file.
int job_save_snapshots (job_actor_t *self, const snapshot_tree_t *tree, error_t *err);
void job_tell_snapshots (job_actor_t *self, const snapshot_tree_t *tree);
//  The one that the request names; NULL and ERR_NO_DOMAIN_SNAPSHOT.
xml_node_t *job_named_snapshot (const job_actor_t *self, const snapshot_tree_t *tree, error_t *err);
//  ERR_OPERATION_INVALID if there is memory of the guest that fits its disks only as they are.
int job_check_no_managed_save (const job_actor_t *self, error_t *err);

#endif
