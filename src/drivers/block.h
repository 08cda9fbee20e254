//  block.h: block jobs: what goes on with the disks of a running guest for as long as it takes,
//  beside everything else; one a disk. They belong to the hypervisor: a call starts one and
//  returns, and what became of it is found out later, in this daemon or the next.
//
//  A job that has begun is in the guest's record. Whatever happens to the call that began it,
//  conclude finds it there, and either takes note of it or undoes it: that is its undo.

#ifndef TROUPE_BLOCK_H
#define TROUPE_BLOCK_H

#include "drivers/job.h"

//  virDomainBlockJobType.
typedef enum {
    BLOCK_NONE = 0,
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

//  Who asked for it, and how fast it may be.
typedef struct {
    int64_t since_us; //  wall clock
    bool asked;       //  by a client: uid, client
    uint64_t uid, client;
    uint64_t bandwidth; //  bytes a second; 0: no limit
} block_start_t;

//  Disks are named by target or by path; images by path, or as "vda[1]".

typedef struct {
    const char *path;   //  absolute
    const char *format; //  NULL: as the source has it
    bool shallow;       //  only the first image; the copy has the same backing images
    bool reuse;         //  the image is there; the file is not made
    bool block;         //  PATH has to be a block device
    uint64_t granularity, buffer; //  bytes; 0: the hypervisor's own
} block_copy_t;

typedef struct {
    const char *base, *top; //  NULL: the last and the first image
    bool shallow;           //  the base is the image below the top
    bool active;            //  the top may be the first image
    bool remove;            //  the files of the images that are in the base then
} block_commit_t;

typedef struct {
    bool pivot; //  the disk goes over to the copy, or to the base of an active commit
    bool async; //  do not wait until the job is over
} block_abort_t;

typedef struct {
    uint64_t capacity, allocation, physical; //  bytes
} block_size_t;

//  What calls tell of jobs.
typedef struct {
    json_t *events;  //  array, each {disk, path, type, status, error, since_us, asked, uid, client}
    bool definition; //  job->guest->definition is another one
} block_news_t;

typedef struct {
    int (*copy) (job_t *job, const char *disk, const block_copy_t *copy,
                 const block_start_t *start, error_t *err);
    int (*commit) (job_t *job, const char *disk, const block_commit_t *commit,
                   const block_start_t *start, error_t *err);
    //  Into the disk's own image, what is in those below it, down to BASE (NULL: all).
    int (*pull) (job_t *job, const char *disk, const char *base, const block_start_t *start,
                 error_t *err);
    //  Ends the disk's job. ERR_OPERATION_INVALID: there is none, or it is not ready to be pivoted.
    int (*abort) (job_t *job, const char *disk, const block_abort_t *how, block_news_t *news,
                  error_t *err);
    int (*speed) (job_t *job, const char *disk, uint64_t bandwidth, error_t *err);

    //  Looks at all jobs of the guest: those that are over are removed, with what they leave
    //  behind; what was begun and did not start is undone.
    int (*conclude) (job_t *job, block_news_t *news, error_t *err);
    //  Appends the jobs to LIST: {disk, path, type, ready, cur, end, bandwidth, since_us, asked, uid,
    //  client}.
    int (*list) (job_t *job, json_t *list, error_t *err);

    int (*resize) (job_t *job, const char *disk, uint64_t bytes, error_t *err);
    //  Of a guest that need not run.
    int (*size) (job_t *job, const char *disk, block_size_t *size, error_t *err);
    //  Appends {disk, error} for each disk that failed.
    int (*errors) (job_t *job, json_t *list, error_t *err);
} block_driver_t;

#endif
