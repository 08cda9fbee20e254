//  qemu_agent.h: what a QEMU guest's agent (qemu-ga) is asked to do. (QEMU's "QEMU Guest Agent
//  Protocol Reference".)

#ifndef TROUPE_QEMU_AGENT_H
#define TROUPE_QEMU_AGENT_H

#include "drivers/job.h"

//  Around a snapshot: what the file systems hold is on their disks, and stays so until the thaw.
//  The undo is pushed, and <freeze/> in the guest's record is durable, before the guest is told: a
//  job that fails, or a daemon that is killed, thaws. File systems that the user froze stay so, in
//  both calls. Fails with job_agent's errors.
int qemu_agent_freeze (job_t *job, error_t *err);
//  Thaws what qemu_agent_freeze froze; 0 if it froze nothing. If it fails, or says nothing, the
//  owner of the guest tries again as soon as the agent answers: a job need not fail because of it.
int qemu_agent_thaw (job_t *job, error_t *err);
//  Undo "qemu.thaw". Never fails: see above.
int qemu_agent_undo_thaw (job_t *job, const char *argument, error_t *err);

//  driver_t's function.
json_t *qemu_agent (job_t *job, const char *what, const json_t *args, error_t *err);

#endif
