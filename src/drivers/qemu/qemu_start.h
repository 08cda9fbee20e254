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
//  <folder path='...'/> if the guest has sockets of its own, <vcpu id='0' thread='TID'/>, <owner>.
int qemu_start (job_t *job, unsigned flags, error_t *err);

//  The same from a saved state: the guest's hardware is DOCUMENT's, what it was doing STATE's. It
//  is left paused.
int qemu_start_from (job_t *job, const xml_t *document, const job_file_t *state, error_t *err);

//  LOG/qemu/NAME.log. The caller frees it.
char *qemu_log_path (const job_t *job);

#endif
