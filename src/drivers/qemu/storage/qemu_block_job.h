//  qemu_block_job.h: block jobs of QEMU (drivers/block.h), and how the guest's record has them:
//
//      <blockjob id='copy-vda' type='copy|active-commit|commit|pull' disk='vda'
//                path='...'            the disk's image when it began
//                state='starting|running|pivoting|aborting' ready='yes'
//                told='yes'            QEMU knows that it is to pivot or abort
//                over='0' error='...'  how it ended (block_status_t), while that is dealt with
//                since_us='..' uid='..' client='..' bandwidth='..'>
//        <dest path='...' format='...' block='yes'    what the disk may go over to
//              node='disk-vda-1' made='yes' inode='...' kept='yes'/>  of a copy: its node; the file
//                                      was made for it, and is this one; it stays
//        <node name='...'/>            to be removed as soon as it is in the chain no more
//        <drop path='...'/>            a file to be removed if the job succeeds
//      </blockjob>
//
//  QEMU's jobs are started with auto-dismiss off, so that QEMU still says how one ended to a daemon
//  that was not there. (QEMU's QMP reference: blockdev-mirror, block-commit, block-stream,
//  query-jobs, job-complete, job-dismiss.)

#ifndef TROUPE_QEMU_BLOCK_JOB_H
#define TROUPE_QEMU_BLOCK_JOB_H

#include "drivers/block.h"
#include "drivers/qemu/storage/qemu_block.h"

extern const block_driver_t qemu_block_driver;

//  The guest is about to end. If a disk may have gone over to another image just now, QEMU is asked
//  a last time, as far as it still answers.
void qemu_block_last_look (job_t *job);
//  It has ended: what was made for copies that are not complete is removed.
void qemu_block_forget (job_t *job);
//  qemu.blockjob ID: the job ends, and all that was made for it is removed.
int qemu_block_undo (job_t *job, const char *id, error_t *err);

//  block_driver_t's measure.
int qemu_block_measure (job_t *job, const char *name, json_t *list, error_t *err);

//  For the files of this module.

//  How the commands start that begin a job: the disk, once it is sure that it can be in one. WORD:
//  what it is called ("copy"). The caller owns it; NULL and ERR.
qemu_disk_t *qemu_block_claim (job_t *job, const char *name, const char *word, error_t *err);
//  The entry, in the record, and its undo pushed; it is not on disk yet. TYPE as above.
xml_node_t *qemu_block_begin (job_t *job, const qemu_disk_t *disk, const char *type,
                              const block_start_t *start, error_t *err);
//  The same without an undo: whoever asks has one of its own.
xml_node_t *qemu_block_enter (job_t *job, const qemu_disk_t *disk, const char *type,
                              const block_start_t *start);
//  Image number I of the disk is to be removed from QEMU once it is not in the chain any more.
void qemu_block_leaves (xml_node_t *entry, const qemu_disk_t *disk, size_t i);
//  QEMU takes ARGUMENTS over, with the job's id and speed added; the entry is "running" then, and
//  the undo forgotten.
int qemu_block_launch (job_t *job, xml_node_t *entry, const char *execute, json_t *arguments,
                       error_t *err);
//  The same, and nothing is forgotten.
int qemu_block_send (job_t *job, xml_node_t *entry, const char *execute, json_t *arguments,
                     error_t *err);
//  Merges the image TOP of the disk into BASE right below it, as far as can still be called off:
//  when QEMU's job is "ready" or "pending", qemu_block_finish has the guest go over. RELATIVE: as
//  in block_commit_t. What was begun is in the record; its undo is the caller's.
int qemu_block_merge (job_t *job, const char *target, const char *top, const char *base,
                      bool relative, error_t *err);
//  Ends such a job, and waits until it is over.
int qemu_block_finish (job_t *job, xml_node_t *entry, error_t *err);
//  Tells QEMU to end the job in the way that the entry says: "pivoting" or "aborting".
int qemu_block_tell_end (job_t *job, xml_node_t *entry, error_t *err);

typedef struct {
    char state[32];       //  "running", "ready", "concluded", ...; "": QEMU does not have it
    char *error;          //  of one that is concluded; NULL: it succeeded
    uint64_t done, total; //  bytes, as QEMU counts them
} qemu_block_state_t;

void qemu_block_state_close (qemu_block_state_t *self);
int qemu_block_ask_job (job_t *job, const char *id, qemu_block_state_t *state, error_t *err);
bool qemu_block_is_over (const qemu_block_state_t *state);

block_type_t qemu_block_type (const xml_node_t *entry);
//  {device, path, type, since_us, asked, uid, client}. The caller owns it.
json_t *qemu_block_describe (const xml_node_t *entry);
//  <mirror> of the live document, as the entry says; OVER: none.
void qemu_block_show_mirror (job_t *job, const xml_node_t *entry, bool over);

int qemu_block_resize (job_t *job, const char *name, uint64_t bytes, bool capacity, error_t *err);
int qemu_block_copy (job_t *job, const block_start_t *start, const block_copy_t *copy,
                     error_t *err);
int qemu_block_commit (job_t *job, const block_start_t *start, const block_commit_t *commit,
                       error_t *err);
int qemu_block_pull (job_t *job, const block_start_t *start, const block_pull_t *pull,
                     error_t *err);
int qemu_block_conclude (job_t *job, json_t *news, error_t *err);

#endif
