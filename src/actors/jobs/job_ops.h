//  job_ops.h: the calls that drivers make (drivers/job.h), as requests to the actors that can do
//  it.

#ifndef TROUPE_JOB_OPS_H
#define TROUPE_JOB_OPS_H

#include "actors/jobs/job.h"

extern const job_ops_t job_actor_ops;

//  For one request of this job that job_await then waits for: its on_reply, and the argument of it.
actor_reply_fn *job_expect (job_actor_t *self, void **arg_p);
int job_await (job_actor_t *self, msg_t **reply_p, error_t *err);
//  Waits until nobody is at ADDRESS any more; at once if nobody is.
int job_await_end (job_actor_t *self, const char *address, int ms, error_t *err);
int job_check_cancelled (const job_actor_t *self, error_t *err);
zlistx_t *job_undo_new (void);
//  The key "undo", as owners keep it.
void job_pack_undo (pack_t *pack, zlistx_t *undo);
void job_push_undo (job_actor_t *self, const char *kind, const char *argument);

#endif
