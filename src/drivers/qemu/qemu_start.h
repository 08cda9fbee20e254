//  qemu_start.h: starts a guest.

#ifndef TROUPE_QEMU_START_H
#define TROUPE_QEMU_START_H

#include "drivers/job.h"

//  driver_t's start. The intent is recorded before the first effect, the process before it may run:
//
//      live document, checks, command line    nothing has happened yet
//      undo pushed, record                    what will be there is on disk
//      spawn                                  QEMU's launcher waits, with the monitor's socket
//      undo pushed, record                    the process is on disk
//      go, monitor, questions, cont
//
//  The record is <driver> with <process identity='PID:START:BOOTID'/>, <monitor path='...'/>,
//  <folder path='...'/> if the guest has sockets of its own, <ram path='...'/> if its memory is
//  in files, <vcpu id='0' thread='TID'/>, <owner>.
int qemu_start (job_t *job, unsigned flags, error_t *err);

//  The same from a saved state: the guest's hardware is DOCUMENT's, what it was doing STATE's. It
//  is left paused.
int qemu_start_from (job_t *job, const xml_t *document, const job_file_t *state, error_t *err);

//  The same for a guest that comes from another host. FILES makes what the guest's disks need
//  (before they are looked at), LISTEN has QEMU wait for it; both with WITH.
typedef struct {
    int (*files) (job_t *job, void *with, error_t *err);
    int (*listen) (job_t *job, void *with, error_t *err);
    void *with;
} qemu_incoming_t;
int qemu_start_incoming (job_t *job, const xml_t *document, const qemu_incoming_t *incoming,
                         error_t *err);

//  The environment that QEMU runs in: all of it.
const char *const *qemu_start_environment (void);

//  Where a running guest has sockets of its own. The caller frees it.
char *qemu_folder_path (const job_t *job);

//  Makes that folder, for the user and the group that QEMU runs as (0: ours).
int qemu_make_folder (const char *folder, uid_t uid, gid_t gid, error_t *err);

//  LOG/qemu/NAME.log. The caller frees it.
char *qemu_log_path (const job_t *job);

#endif
