//  qemu_checkpoint.h: checkpoints of a guest, which are dirty bitmaps of QEMU's (its document on
//  dirty bitmaps): one of the checkpoint's name in the topmost image of each disk, persistent, and
//  recording until it is deleted.

#ifndef TROUPE_QEMU_CHECKPOINT_H
#define TROUPE_QEMU_CHECKPOINT_H

#include "drivers/driver.h"
#include "drivers/qemu/storage/qemu_checkpoint_xml.h"

//  driver_t's functions of these names.
int qemu_checkpoint_create (job_t *job, const checkpoint_options_t *options, char **name,
                            error_t *err);
int qemu_checkpoint_delete (job_t *job, const strings_t *names, bool metadata, error_t *err);
int qemu_checkpoint_measure (job_t *job, const char *name, xml_t **measured, error_t *err);

//  Takes back the checkpoint NAME, how far it may have come: bitmaps and document.
int qemu_checkpoint_undo (job_t *job, const char *name, error_t *err);

//  Within backups, which make one at the same instant as they begin.

//  Appends to ACTIONS of a transaction what makes CHECKPOINT's bitmaps. ERR_OPERATION_INVALID if
//  something has a bitmap of this name.
int qemu_checkpoint_plan (job_t *job, const xml_node_t *checkpoint, json_t *actions, error_t *err);
//  The bitmaps are there: CHECKPOINT is one, durably. Its undo was pushed before.
int qemu_checkpoint_keep (job_t *job, const xml_node_t *checkpoint, error_t *err);

//  Bitmaps.

void qemu_action_add (json_t *actions, const char *type, json_t *data); //  takes DATA over
json_t *qemu_bitmap_nodes (job_t *job, error_t *err); //  query-named-block-nodes; the caller's
//  The bitmap NAME of NODE in that; NULL: there is none.
const json_t *qemu_bitmap_find (const json_t *nodes, const char *node, const char *name);
//  It can be copied from: ERR_OPERATION_INVALID says that it is not whole, or not there.
int qemu_bitmap_check (const json_t *bitmap, const char *name, const char *disk, error_t *err);

#endif
