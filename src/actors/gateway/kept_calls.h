//  kept_calls.h: the calls that were asked for with a key, each with its answer, and what of it is
//  on disk. Pure: no files, no messages.
//
//  A call is OPEN from the moment that its intent is being written until its answer was. One whose
//  file has no answer when the daemon starts was cut off: LOST. It is not carried out again.

#ifndef TROUPE_KEPT_CALLS_H
#define TROUPE_KEPT_CALLS_H

#include "msg/msg.h"
#include "util/sha256.h"

#include <czmq.h>

//  For so long an answer is kept; when there are too many, at least for so long.
#define KEPT_US (24 * 3600 * INT64_C (1000000))
#define KEPT_MIN_US (3600 * INT64_C (1000000))
#define KEPT_MAX_CALLS 16384
#define KEPT_MAX_BYTES (64u << 20)
#define KEPT_MAX_ANSWER (256u << 10) //  of a larger one only that it was one
#define KEPT_FILE_MAX (2 * KEPT_MAX_ANSWER)

typedef enum {
    KEPT_OPEN,
    KEPT_ANSWERED,
    KEPT_LOST
} kept_state_t;

typedef struct {
    char id[SHA256_TEXT_SIZE];     //  of who asked, and the key: the name of its file
    char digest[SHA256_TEXT_SIZE]; //  of what was asked for
    char *verb;
    kept_state_t state;
    int64_t begun_us, ended_us; //  since 1970; ended_us of KEPT_LOST: the same
    document_t *answer;         //  {result} or {error} or {bytes: how large it was}; NULL: none
    size_t answer_size;
    zlistx_t *waiting; //  msg_t: who gets the answer; the first one's request is carried out
} kept_call_t;

typedef struct kept_calls kept_calls_t;

kept_calls_t *kept_calls_new (void);
void kept_calls_destroy (kept_calls_t **self_p);
size_t kept_calls_count (const kept_calls_t *self);

//  Which call is this? BY is who asks, as a request has it, KEY what it chose.
void kept_call_id (const value_t *by, const char *key, char id[SHA256_TEXT_SIZE]);
//  What is asked for: VERB, DOMAIN as it was named (may be NULL), ARGS in whatever order.
void kept_call_digest (const char *verb, const value_t *domain, const value_t *args,
                       char digest[SHA256_TEXT_SIZE]);

kept_call_t *kept_calls_find (const kept_calls_t *self, const char *id);
//  A new call, open; SELF owns it. There has to be none with this id.
kept_call_t *kept_calls_add (kept_calls_t *self, const char *id, const char *digest,
                             const char *verb, int64_t now_us);
void kept_calls_remove (kept_calls_t *self, kept_call_t **call_p);
//  The answer, a reply or an error.
void kept_calls_answer (kept_calls_t *self, kept_call_t *call, const msg_t *answer, int64_t now_us);
//  What who asks again gets; the caller destroys it. An error that says so if the outcome is not
//  known, or the answer was too large.
msg_t *kept_call_answer (const kept_call_t *call);

//  One that need not be kept any more: too old, or, if ROOM is wanted, the oldest that had its
//  KEPT_MIN_US. NULL: none.
kept_call_t *kept_calls_find_old (const kept_calls_t *self, bool room, int64_t now_us);
//  Is there no room for one more?
bool kept_calls_are_full (const kept_calls_t *self);

//  The call as a file: the bytes, which the caller frees.
char *kept_call_pack (const kept_call_t *call, size_t *size);
//  From the file named ID. -1 and ERR: it is none of ours, or damaged.
int kept_calls_load (kept_calls_t *self, const char *id, const void *bytes, size_t size,
                     int64_t now_us, error_t *err);

#endif
