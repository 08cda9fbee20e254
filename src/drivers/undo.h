//  undo.h: how effects are taken back. An undo is a kind and an argument, both text, so that the
//  daemon after a killed one can do it from the status file.
//
//      file     PATH               removes the file
//      folder   PATH               removes the folder and the files (no folders) in it
//      process  PID:START:BOOTID   kills exactly this process and waits for its end
//      monitor  (nothing)          closes the guest's monitor
//      owner    (file_owner.h)     gives the file back to the owner that it had
//      node     NAME [NOTE]        of a device that several guests share (job_device_leave): gives
//                                  its node back, if nobody else has it (file_owner.h)
//      link     KEY                removes the network link that the guest's owner has under this
//      key DRIVER.KIND ...             what driver_t's undo of this driver does
//
//  Each may be done twice, and when its effect never happened.

#ifndef TROUPE_UNDO_H
#define TROUPE_UNDO_H

#include "drivers/job.h"

//  Takes one effect back. ERR_INVALID_ARG for an unknown kind or an argument that is none. The
//  caller goes on with the next undo whatever the result is, and must not let a cancelled job
//  refuse the calls that undo needs.
int undo_run (job_t *job, const char *kind, const char *argument, error_t *err);

#endif
