//  qemu_merge.h: deleting external snapshots: the image that stands on a snapshot's own is merged
//  into it, by QEMU where the guest uses it, else by qemu-img.
//
//  First all data is copied, which can be called off: then the snapshot is still there, but its
//  images have newer data by then, so it is marked (<snapshotDeleteInProgress/> in its disks, as in
//  libvirt's format), and nobody goes back to it; it can be deleted again. Then nothing is called
//  off any more: the guest goes over, documents and the tree follow, files are removed. Meanwhile
//  the guest's record has
//
//      <deletion name='one' stage='begun|merging|ending' last='yes'>
//        <merge .../> <drop .../>      as qemu_chains_plan has them; merge/@done: the guest went
//        over
//      </deletion>

#ifndef TROUPE_QEMU_MERGE_H
#define TROUPE_QEMU_MERGE_H

#include "drivers/job.h"
#include "drivers/snapshot_tree.h"
#include "util/text.h"

//  Can all snapshots of these NAMES be deleted, in this order? Nothing is changed.
int qemu_merge_check (job_t *job, const snapshot_tree_t *tree, const strings_t *names,
                      error_t *err);
//  Deletes the external snapshot NAME, also from the TREE and its file. LAST: the job has none left
//  to delete after it.
int qemu_merge_delete (job_t *job, snapshot_tree_t *tree, const char *name, bool last,
                       error_t *err);
//  Was its deletion begun, and called off?
bool qemu_merge_is_begun (const xml_node_t *snapshot);

//  A kind of undo of this driver's own:
//
//      qemu.merge   NAME   one that is half deleted: to its end if the guest may have gone over,
//                          else what copies data ends, and all stays as it was
int qemu_undo_merge (job_t *job, const char *name, error_t *err);

#endif
