//  qemu_block_job.h: block jobs of QEMU (block.h), and how the guest's record has them:
//
//      <blockjob id='copy-vda' type='copy|active-commit|commit|pull' disk='vda'
//                path='...'             the disk's image when it began
//                state='starting|running|pivoting|aborting' ready='yes'
//                over='0' error='...'   how it ended (block_status_t), while that is dealt with
//                since_us='..' uid='..' client='..' bandwidth='..'>
//        <dest path='...' format='...' block='yes' node='disk-vda-1' inode='...'/>  of a copy; the
//                                       inode of the file that was made for it
//        <image path='...' node='...' remove='yes'/>   that leaves the chain if it succeeds
//        <file path='...'/>             that QEMU's user was given for it
//      </blockjob>
//
//  QEMU's jobs are started with auto-dismiss off, so that QEMU still says how one ended to a daemon
//  that was not there. (QEMU's QMP reference: blockdev-mirror, block-commit, block-stream,
//  query-jobs, job-complete, job-dismiss.)

#ifndef TROUPE_QEMU_BLOCK_JOB_H
#define TROUPE_QEMU_BLOCK_JOB_H

#include "drivers/block.h"
#include "drivers/qemu/qemu_block.h"

extern const block_driver_t qemu_block_driver;

//  The guest has ended: what was made for jobs that had not started is removed.
void qemu_block_forget (job_t *job);

//  For the files of this module.

//  The intent, in the record and on disk. TYPE as above. NULL and ERR: the disk has another job, or
//  no medium. The entry is then to be completed, and recorded again before each effect.
xml_node_t *qemu_block_begin (job_t *job, const qemu_disk_t *disk, const char *type,
                              const block_start_t *start, error_t *err);
//  Makes PATH usable for QEMU, and notes in ENTRY that it has to be given back.
int qemu_block_take_file (job_t *job, xml_node_t *entry, const char *path, error_t *err);
//  QEMU takes ARGUMENTS over, with the job's id and speed added; the entry is "running" then.
int qemu_block_launch (job_t *job, xml_node_t *entry, const char *execute, json_t *arguments,
                       error_t *err);
//  What QEMU says of the job: "running", "ready", "concluded", ...; "" if it does not have it.
//  ERROR (may be NULL) is the caller's.
int qemu_block_ask_job (job_t *job, const char *id, char state[32], char **error, error_t *err);
//  One command whose result does not matter.
int qemu_block_command (job_t *job, const char *execute, json_t *arguments, error_t *err);
block_type_t qemu_block_type (const xml_node_t *entry);
//  <mirror> of the live document, as the entry says, or none.
void qemu_block_show_mirror (job_t *job, const xml_node_t *entry, bool over);

int qemu_block_copy (job_t *job, const char *disk, const block_copy_t *copy,
                     const block_start_t *start, error_t *err);
int qemu_block_commit (job_t *job, const char *disk, const block_commit_t *commit,
                       const block_start_t *start, error_t *err);
int qemu_block_pull (job_t *job, const char *disk, const char *base, const block_start_t *start,
                     error_t *err);
int qemu_block_conclude (job_t *job, block_news_t *news, error_t *err);
int qemu_block_resize (job_t *job, const char *disk, uint64_t bytes, error_t *err);
int qemu_block_size (job_t *job, const char *disk, block_size_t *size, error_t *err);
int qemu_block_errors (job_t *job, json_t *list, error_t *err);

#endif
