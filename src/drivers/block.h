//  block.h: what can be done with the disks of a running guest; above all block jobs, which go on
//  for as long as they take, beside everything else, one a disk. They belong to the hypervisor: a
//  call starts one and returns, and what became of it is found out later, in this daemon or the
//  next one.
//
//  A job that has begun is in the guest's record. Whatever happens to who began it, conclude finds
//  it there, and either takes note of its end or undoes it.

#ifndef TROUPE_BLOCK_H
#define TROUPE_BLOCK_H

#include "drivers/job.h"

//  virDomainBlockJobType.
typedef enum {
    BLOCK_PULL = 1,
    BLOCK_COPY = 2,
    BLOCK_COMMIT = 3,
    BLOCK_ACTIVE_COMMIT = 4
} block_type_t;

//  virConnectDomainEventBlockJobStatus.
typedef enum {
    BLOCK_COMPLETED = 0,
    BLOCK_FAILED = 1,
    BLOCK_CANCELED = 2,
    BLOCK_READY = 3
} block_status_t;

//  What all block jobs are begun with.
typedef struct {
    const char *disk;
    uint64_t bandwidth; //  bytes a second; 0: no limit
    int64_t since_us;   //  wall clock
    bool asked;         //  by a client: uid or (of another host) key, client
    uint64_t uid, client;
    const char *key; //  its name; NULL: uid counts
} block_start_t;

//  Disks are named by target ("vda") or by the path of their source; images by path, or by their
//  place in the chain, as "vda[1]".

typedef struct {
    const char *path;             //  absolute
    const char *format;           //  NULL: as the source has it
    bool shallow;                 //  only the first image; the copy has the same ones below it
    bool reuse;                   //  the image is there; it is not made
    bool block;                   //  PATH is a block device
    bool synchronous;             //  what the guest writes is in the copy before it goes on
    uint64_t granularity, buffer; //  bytes; 0: the hypervisor's own
} block_copy_t;

typedef struct {
    const char *base, *top; //  NULL: the last and the first image
    bool shallow;           //  the base is the image below the top
    bool active;            //  the top may be the first image
    bool remove;            //  the files of the images that are in the base then
    bool relative;          //  the base is named relative to the image above it
} block_commit_t;

typedef struct {
    const char *base; //  NULL: all images below the first one
    bool relative;
} block_pull_t;

typedef struct {
    bool pivot; //  the disk goes over to the copy, or to the base of an active commit
    bool async; //  do not wait until the job is over
} block_abort_t;

//  All functions name disk and cause in their errors.
typedef struct {
    //  What the guest sees is BYTES large from now on (rounded up to sectors); CAPACITY: as large
    //  as the block device that it is on. To make it smaller loses what is beyond the new end.
    int (*resize) (job_t *job, const char *disk, uint64_t bytes, bool capacity, error_t *err);

    //  ERR_OPERATION_INVALID: the disk is in a job already.
    int (*copy) (job_t *job, const block_start_t *start, const block_copy_t *copy, error_t *err);
    int (*commit) (job_t *job, const block_start_t *start, const block_commit_t *commit,
                   error_t *err);
    int (*pull) (job_t *job, const block_start_t *start, const block_pull_t *pull, error_t *err);
    //  Ends the disk's job. ERR_OPERATION_INVALID: there is none; ERR_BLOCK_COPY_ACTIVE: it can't
    //  be pivoted yet.
    int (*abort) (job_t *job, const char *disk, const block_abort_t *how, error_t *err);
    int (*speed) (job_t *job, const char *disk, uint64_t bandwidth, error_t *err);

    //  Looks at all jobs of the guest. Those that are over are removed, with what they leave
    //  behind, and the guest's documents follow; appends to NEWS {device, path, type, status,
    //  error, since_us, asked, uid, client} of each that is over or ready.
    int (*conclude) (job_t *job, json_t *news, error_t *err);
    //  Appends to LIST {device, path, type, ready, cur, end, bandwidth, since_us, asked, uid,
    //  client, changed} of each. CHANGED: conclude has something to do.
    int (*list) (job_t *job, json_t *list, error_t *err);

    //  Appends to LIST {device, path, capacity, allocation, physical (bytes), error} of the disk
    //  NAME (NULL: of each): of the guest that runs, or of its definition. Without a medium there
    //  is no path, and no sizes. ERROR: how the disk failed, so that the guest stopped; or "".
    int (*measure) (job_t *job, const char *name, json_t *list, error_t *err);
} block_driver_t;

#endif
