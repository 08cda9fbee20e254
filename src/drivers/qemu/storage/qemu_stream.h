//  qemu_stream.h: a guest's state to a file and from one, as QEMU's migration stream; and how what
//  QEMU does in the background is watched and ended.

#ifndef TROUPE_QEMU_STREAM_H
#define TROUPE_QEMU_STREAM_H

#include "drivers/job.h"

//  What QEMU calls the file that it is passed.
#define QEMU_FILE_NAME "troupe-file"

//  What a background operation of QEMU says of itself.
typedef enum {
    QEMU_WORK_NONE,
    QEMU_WORK_ACTIVE,
    QEMU_WORK_DONE,
    QEMU_WORK_FAILED
} qemu_work_t;

//  Refuses if QEMU could not send the state: some of its devices, as those of the host, have one
//  that nobody can read (its QMP reference: MigrationInfo's blocked-reasons). Before anything is
//  done for it: QEMU itself would say so at the very last.
int qemu_stream_check (job_t *job, error_t *err);

//  Sets every migration parameter and capability that matters to a file, whatever an earlier
//  migration left; BANDWIDTH is in bytes a second, 0 for no limit.
int qemu_stream_prepare (job_t *job, uint64_t bandwidth, error_t *err);

//  Writes the state to FILE until it is all there, and tells the job's progress as STEP. FD is the
//  same file: what QEMU wrote is sent to the disk all along, so that the sync at the end is short.
//  The guest may run; then it is stopped at the end.
int qemu_stream_write (job_t *job, const job_file_t *file, int fd, const char *step,
                       uint64_t bandwidth, error_t *err);
//  Lets a QEMU that was started with -incoming defer read the state. ERR_OPERATION_FAILED when it
//  ended over it; the caller adds what its log says.
int qemu_stream_read (job_t *job, const job_file_t *file, error_t *err);

//  Passes FILE to QEMU, for one command that names "fd:" QEMU_FILE_NAME.
int qemu_stream_pass (job_t *job, const job_file_t *file, error_t *err);

//  QEMU's own word for how far a migration is ("active", "pre-switchover", ...; "none" if there was
//  never one). PROGRESS may be NULL.
#define QEMU_STATUS_SIZE 32
int qemu_stream_status (job_t *job, char status[QEMU_STATUS_SIZE], job_progress_t *progress,
                        error_t *err);

//  One question about each kind of work. PROGRESS may be NULL. When it failed, 0 is returned, and
//  ERR says why.
int qemu_stream_ask (job_t *job, qemu_work_t *work, job_progress_t *progress, error_t *err);
int qemu_dump_ask (job_t *job, qemu_work_t *work, job_progress_t *progress, error_t *err);

//  What goes to another host has to get on: ERR_OPERATION_TIMEOUT if it has not for 30 s, and for
//  as long as the limit of its speed has QEMU rest after one piece. SELF is zeroed at first, but
//  for that.
typedef struct {
    int64_t rest_ms;
    int64_t since;
    uint64_t remaining, processed, passes;
} qemu_stall_t;

int qemu_stall_check (job_t *job, qemu_stall_t *self, const job_progress_t *progress, error_t *err);

//  Asks until the work is over; ERR_OPERATION_FAILED with QEMU's reason when it failed. FD (or -1)
//  as above; QEMU_WORK_REMOTE: it goes to another host.
#define QEMU_WORK_REMOTE (-2)
typedef int qemu_work_ask_fn (job_t *job, qemu_work_t *work, job_progress_t *progress,
                              error_t *err);
int qemu_work_follow (job_t *job, qemu_work_ask_fn *ask, const char *step, int fd, error_t *err);

//  Whether the guest stands still for a stream: STATUS is query-status's.
bool qemu_stream_holds (const char *status);

//  Lets the guest go on, once the state is written or was given up.
int qemu_stream_go_on (job_t *job, error_t *err);

//  Ends what QEMU still writes or reads in the background: a migration is cancelled, a dump, for
//  which QEMU has no such command, is waited for.
int qemu_work_stop (job_t *job, error_t *err);

//  Whether the guest's cpus run now, whatever the owner has heard.
int qemu_is_running (job_t *job, bool *running, error_t *err);

#endif
