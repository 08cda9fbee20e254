//  past_jobs.h: the last asynchronous jobs of a domain, and changes that took long, and how they
//  ended. Pure; the owner keeps it in a file of its own, so that the next daemon can tell what
//  became of a job that it found half done.

#ifndef TROUPE_PAST_JOBS_H
#define TROUPE_PAST_JOBS_H

#include "msg/pack.h"
#include "msg/value.h"

#define PAST_JOBS_MAX 16 //  the oldest are forgotten

typedef struct past_jobs past_jobs_t;

past_jobs_t *past_jobs_new (void);
void past_jobs_destroy (past_jobs_t **self_p);
DEFINE_AUTO (past_jobs_t, past_jobs_destroy)

//  What one begins with. Times are wall clock. BY: who asked, as requests have it; NULL: the
//  daemon.
void past_jobs_begin (past_jobs_t *self, const char *kind, const char *verb, const value_t *by,
                      int64_t now_us);
//  How far the one that is under way has come: the numbers of job.progress. NULL: nothing is known.
void past_jobs_reached (past_jobs_t *self, const value_t *progress);
//  The one that is under way is over. ERR: why it did not do what it was to do; NULL: it did.
void past_jobs_end (past_jobs_t *self, int64_t now_us, const char *outcome, const error_t *err);
bool past_jobs_is_open (const past_jobs_t *self); //  one is under way
bool past_jobs_is_empty (const past_jobs_t *self);

//  Of the one under way (the last one, if none is): when it began, and a map's key "by".
int64_t past_jobs_since (const past_jobs_t *self);
void past_jobs_pack_by (const past_jobs_t *self, pack_t *pack);

//  One that is over, and was none of those.
typedef struct {
    const char *kind, *verb, *outcome, *error; //  error NULL: it did what it was to do
    int64_t since_us, ended_us;
    bool asked; //  by a client: uid or (of another host) key, client
    uint64_t uid, client;
    const char *key;      //  its name; NULL: uid counts
    uint64_t done, total; //  bytes
} past_job_t;

void past_jobs_add (past_jobs_t *self, const past_job_t *job);

//  An array of {kind, verb, since_us, ended_us, outcome, error, by, done, total, remaining (bytes),
//  passes}, the oldest first; without the one under way.
void past_jobs_pack (const past_jobs_t *self, pack_t *pack);
//  The same of the one that ended last, into the map under construction.
void past_jobs_pack_last (const past_jobs_t *self, pack_t *pack);
const char *past_jobs_last_verb (const past_jobs_t *self); //  NULL: there is none

//  As a file, which the caller frees; and back. NULL and ERR when it is none.
char *past_jobs_text (const past_jobs_t *self);
past_jobs_t *past_jobs_parse (const char *text, error_t *err);

#endif
