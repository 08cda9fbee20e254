//  qemu_save.h: saved guests, dumps, screenshots (driver_t's functions of these names), and what
//  they leave in a guest's record:
//
//      <save path='...' token='...'/>   the state is on disk under this name, or about to be: if
//      the
//                                       file is there and complete, the guest must not run on
//      <used path='...'/>               the file that the guest was restored from, to be removed

#ifndef TROUPE_QEMU_SAVE_H
#define TROUPE_QEMU_SAVE_H

#include "drivers/driver.h"
#include "drivers/pending_file.h"
#include "drivers/save_image.h"

int qemu_save (job_t *job, const char *path, const save_options_t *options, error_t *err);
int qemu_restore (job_t *job, const char *path, const restore_options_t *options, error_t *err);
int qemu_image_define (job_t *job, const char *path, const char *xml, go_on_t go_on, error_t *err);
int qemu_dump (job_t *job, const char *path, const dump_options_t *options, error_t *err);
int qemu_screenshot (job_t *job, const char *device, unsigned head, screenshot_t *shot,
                     error_t *err);

//  Kinds of this driver's own:
//
//      qemu.pause   run or stay   what QEMU writes in the background ends, and the guest runs again
//                                 (run); unless it is saved, then its QEMU ends
//      qemu.migration  run, live or stay   a migration ends, and the guest goes on here: if it was
//                                 stopped for it (run), or by it (live)
//      qemu.used    PATH          the file of a saved guest gets its name back
//      qemu.snapshot, qemu.forget, qemu.revert: qemu_snapshot.h
//      qemu.overlay, qemu.branch: qemu_overlay.h
//      qemu.node    NODE          an image's nodes are removed (qemu_block.h)
//      qemu.backup  (nothing)     job->guest->backup ends (qemu_backup.h)
//      qemu.checkpoint NAME       it is none: no bitmap, no document (qemu_checkpoint.h)
//      qemu.blockjob  ID          the block job ends (qemu_block_job.h)
//      qemu.image   INODE:PATH    a new image's file is removed
int qemu_undo (job_t *job, const char *kind, const char *argument, error_t *err);

//  For undo: a daemon that just started is not connected to the guest's monitor yet. *OPENED: it is
//  now, and the caller closes it, so that adoption finds it as it was.
int qemu_reach_monitor (job_t *job, bool *opened, error_t *err);

//  Pushes qemu.pause, and records it, before anything is done to the guest.
int qemu_undo_pause (job_t *job, bool running, error_t *err);

//  In two steps, for whoever needs the guest afterwards: what a file of a guest that RUNNING says
//  begins with (the caller owns it), and the rest of the file, with the guest stopped before if
//  STOP. It is stopped then in any case, and qemu.pause has been pushed.
save_image_t *qemu_save_image (job_t *job, bool running, error_t *err);
int qemu_save_write (job_t *job, save_image_t *image, const pending_file_t *file, bool running,
                     bool stop, error_t *err);

//  A user's XML instead of DOCUMENT, completed and of the same hardware. The caller owns it.
xml_t *qemu_changed_document (job_t *job, const xml_t *document, const char *xml, error_t *err);

//  What a restored guest's file is called between its last use and its removal. The caller frees
//  it.
char *qemu_used_path (const guest_t *guest, const char *path);
//  Removes it, if the record names one; what fails is logged.
void qemu_drop_used (job_t *job);

#endif
