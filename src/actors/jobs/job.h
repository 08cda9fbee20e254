//  job.h: jobs: what takes steps over time, as straight-line code in an actor of its own.
//
//  A job is spawned with `{config, kind, owner, ...}`; its run function (jobs_*.c) does its steps
//  and may wait in job_ask, and in the drivers' calls (drivers/job.h). Its result is the reply to
//  its spawn. A job that fails, is cancelled (`job.cancel`, or its actor is stopped) or whose owner
//  dies runs its undo stack backwards before it answers.

#ifndef TROUPE_JOB_ACTOR_H
#define TROUPE_JOB_ACTOR_H

#include "actors/config.h"
#include "drivers/driver.h"

#include "util/text.h"

#include <czmq.h>

extern const actor_class_t job_class;

//  How much of the guest the owner gets back (job_actor_t.parts).
enum {
    PART_DEFINITION = 1, //  definition, config summary
    PART_LIVE = 2,       //  live document, live summary, id, record
    PART_RECORD = 4,     //  the driver's record
    PART_STATUS = 8,     //  state and reason, which the job has set
    PART_UNDO = 16,      //  what is left to be undone
    PART_BACKUP = 32,    //  the backup under way; none if guest->backup is NULL
    PART_CHECKPOINTS = 64
};

typedef struct {
    char *kind, *argument;
} undo_entry_t;

typedef struct job_kind job_kind_t;

typedef struct job_actor {
    job_t base; //  first: drivers see only this
    actor_t *actor;
    const config_t *config;
    const driver_t *driver; //  NULL in jobs that find it out themselves
    const job_kind_t *kind;
    const msg_t *start; //  the start message
    char owner[MSG_ADDRESS_MAX];
    char *helpers; //  base.helpers
    char monitor[MSG_ADDRESS_MAX];
    zlistx_t *undo; //  undo_entry_t, oldest first
    bool cancelled, unwinding;
    bool unanswered;  //  what is not undone waits for one that does not answer
    bool abandoned;   //  its owner ended
    bool doomed;      //  the guest is to end when it is cancelled
    bool ended;       //  it is cancelled because the guest has ended
    bool committed;   //  it is too late to cancel it
    bool writing;     //  a file is on its way to the disk: a cancel is heard behind that
    uint64_t waiting; //  number of the request that job_ask waits for
    msg_t *answer;
    pack_t value;     //  the result's own value, if one was written
    strings_t *fates; //  of devices, as the owner told: "gone vdb", "refused net1"
    pack_t blocks;    //  of the guest's block jobs, for the owner, if it is written
    unsigned parts;
    bool transient;
} job_actor_t;

struct job_kind {
    const char *name;
    int (*run) (job_actor_t *self, error_t *err);
};

extern const job_kind_t job_kinds[]; //  name NULL at the end

//  What the job's owner owns: "domain", "network".
const char *job_noun (const job_actor_t *self);

//  The arguments of the request that the job was made for.
const value_t *job_arg (const job_actor_t *self, const char *name);
//  A descriptor that came with the request (util/lent.h), from 0 on; NULL: not so many did.
const char *job_lent (const job_actor_t *self, size_t index);

//  Asks and waits. *REPLY is the caller's; -1 with the error of an error reply, or
//  ERR_OPERATION_ABORTED when the job was cancelled.
int job_ask (job_actor_t *self, const char *to, msg_t **request_p, int deadline_ms, msg_t **reply_p,
             error_t *err);
//  The same where only success counts.
int job_tell (job_actor_t *self, const char *to, msg_t **request_p, int deadline_ms, error_t *err);

//  Runs the undo stack backwards; each failure is logged, and stays on it. True: there was none.
bool job_unwind (job_actor_t *self);
//  The owner hears of the guest's documents before the job's result, or without one.
void job_tell_documents (job_actor_t *self);

//  Parses a definition from outside, finds its driver and has it completed.
xml_t *job_complete_definition (job_actor_t *self, const char *text, error_t *err);

#endif
