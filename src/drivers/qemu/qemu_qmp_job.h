//  qemu_qmp_job.h: QEMU's own jobs (its QMP reference: jobs), of which we have one at a time:
//  started by a command, over when it is concluded, and then dismissed. While it works on a
//  snapshot, QEMU answers nothing at all.

#ifndef TROUPE_QEMU_QMP_JOB_H
#define TROUPE_QEMU_QMP_JOB_H

#include "drivers/job.h"

#define QEMU_JOB_ID "troupe-snapshot"

//  EXECUTE with ARGUMENTS (taken over) and a job-id, and its end; STEP is what its progress is
//  called.
int qemu_job_run (job_t *job, const char *execute, json_t *arguments, const char *step,
                  error_t *err);
//  The end of one that an earlier command began, if there is one; how it ended does not count.
int qemu_job_settle (job_t *job, error_t *err);

#endif
