//  qemu_overlay.h: external snapshots: a disk goes on in a new image above its own (an overlay),
//  which is never written again; the memory of a guest that runs goes to a file.
//
//  While one is being taken, the guest's record has all that its undo needs, or its end:
//
//      <snapshot known='yes' switching='yes'>     to be in the tree; QEMU may use the overlays
//        <domainsnapshot>...</domainsnapshot>
//        <new disk='vda' path='...' inode='...' node='...'/>   inode: if we made the file
//        <memory path='...' inode='...'/>
//      </snapshot>

#ifndef TROUPE_QEMU_OVERLAY_H
#define TROUPE_QEMU_OVERLAY_H

#include "drivers/driver.h"

//  driver_t's snapshot_create, and so on, of a snapshot of which a part is external.
int qemu_overlay_create (job_t *job, xml_node_t *snapshot, unsigned flags, error_t *err);
int qemu_overlay_check (job_t *job, const xml_node_t *snapshot, error_t *err);
int qemu_overlay_branch (job_t *job, const xml_node_t *snapshot, xml_t *document, error_t *err);
int qemu_overlay_start (job_t *job, const xml_node_t *snapshot, const xml_t *document,
                        error_t *err);
//  Writes into the file PATH an empty qcow2 image of CAPACITY bytes above BASE, which is in FORMAT.
int qemu_overlay_format (job_t *job, const char *path, const char *base, const char *format,
                         uint64_t capacity, error_t *err);
//  It is taken, and whether the guest runs is the user's to say, though it is not committed yet.
bool qemu_overlay_is_handed_back (const guest_t *guest);
//  What the record says of one that is taken is forgotten.
void qemu_overlay_taken (job_t *job);

//  Kinds of undo of this driver's own:
//
//      qemu.overlay   NAME          a snapshot that is half taken: to its end if the guest uses an
//                                   overlay already, or the tree has it; else nothing is left of it
//      qemu.branch    INODE:PATH    an overlay's file is removed, unless the definition names it
int qemu_undo_overlay (job_t *job, const char *name, error_t *err);
int qemu_undo_branch (job_t *job, const char *argument, error_t *err);

#endif
