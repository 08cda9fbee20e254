//  qemu_snapshot.h: snapshots (driver_t's functions of these names).

#ifndef TROUPE_QEMU_SNAPSHOT_H
#define TROUPE_QEMU_SNAPSHOT_H

#include "drivers/driver.h"
#include "drivers/snapshot_tree.h"

int qemu_snapshot_create (job_t *job, xml_node_t *snapshot, unsigned flags, error_t *err);
int qemu_snapshot_check (job_t *job, const xml_node_t *snapshot, error_t *err);
int qemu_snapshot_apply (job_t *job, const xml_node_t *snapshot, error_t *err);
int qemu_snapshot_start (job_t *job, const xml_node_t *snapshot, const xml_t *document,
                         error_t *err);
int qemu_snapshot_branch (job_t *job, const xml_node_t *snapshot, xml_t *document, error_t *err);
int qemu_snapshot_delete (job_t *job, snapshot_tree_t *tree, const char *name, bool last,
                          error_t *err);

//  Kinds of undo of this driver's own:
//
//      qemu.snapshot   NAME   an internal snapshot is removed again, unless the tree has it
//      qemu.forget     NAME   ... is removed, for good, and from the tree as well
int qemu_undo_snapshot (job_t *job, const char *name, error_t *err);
//      qemu.revert     NAME   the guest ends, and its disks and definition go back, all of them
int qemu_undo_forget (job_t *job, const char *name, error_t *err);
int qemu_undo_revert (job_t *job, const char *name, error_t *err);

int qemu_snapshot_write_tree (job_t *job, const snapshot_tree_t *tree, error_t *err);

#endif
