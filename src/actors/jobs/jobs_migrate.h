//  jobs_migrate.h: what the jobs of a migration share: the other daemon, and what it has been told.
//
//  A migration has a token. Who may run the guest is decided by two durable steps:
//
//      the sender records "handed"    from then on it does not run here before the other side has
//                                     said that it gives up
//      the receiver writes a mark     LIB/migrations/UUID.TOKEN: it runs there. Without the mark, a
//                                     receiver that is asked gives up first, then says so
//
//  So whoever lost sight of the other asks, as often as it takes (job_run_migrate_settle).

#ifndef TROUPE_JOBS_MIGRATE_H
#define TROUPE_JOBS_MIGRATE_H

#include "actors/jobs/job.h"
#include "actors/domain/migration_record.h"

typedef enum {
    OUTCOME_UNKNOWN,   //  the other side can't be asked
    OUTCOME_TAKEN,     //  the guest is the receiver's
    OUTCOME_ABANDONED, //  it will never run there
    OUTCOME_WAIT       //  the other side is still at it
} outcome_t;

enum {
    MIGRATE_CALL_MS = 10000 //  for what the other daemon does at once
};

//  jobs_migrate_peer.c

//  The other daemon: opens a connection, one at a time. PEER is its address among our actors.
int migrate_open_peer (job_actor_t *self, const char *endpoint, char peer[MSG_ADDRESS_MAX],
                       error_t *err);
void migrate_close_peer (job_actor_t *self, const char *peer);
//  An open map, for the arguments of a call.
void migrate_begin_args (pack_t *pack);
//  One call: ARGS is an open map of arguments, which is taken. *REPLY (may be NULL) is the
//  caller's.
int migrate_call (job_actor_t *self, const char *peer, const char *verb, pack_t *args,
                  int deadline_ms, msg_t **reply, error_t *err);
//  The peer has to be another daemon, of our kind.
int migrate_greet (job_actor_t *self, const char *peer, error_t *err);
//  To the sender: may it still ask for the migration? Once it is not KNOWN, it never will.
int migrate_inquire (job_actor_t *self, const char *peer, const char *uuid, const char *token,
                     bool *known, error_t *err);
//  To the receiver: all was sent; the guest is to go on there.
int migrate_call_finish (job_actor_t *self, const char *peer, const migration_record_t *record,
                         int ms, error_t *err);
//  Of the receiver: what became of it. It gives up what it has not taken. CONFIRM instead: it may
//  forget that it has taken the guest.
outcome_t migrate_ask_receiver (job_actor_t *self, const char *peer, const char *token,
                                bool confirm, int ms, error_t *err);
//  The host in an endpoint; NULL: it has none. The caller frees the result, as of all that follow.
char *migrate_host_of (const char *endpoint);
//  Where the other daemon can ask us; LOCAL: it is on this host. NULL and ERR when it can't.
char *migrate_origin (const config_t *config, bool local, error_t *err);
//  URI with HOST in it: a receiver that listens everywhere does not say where that is.
char *migrate_with_host (const char *host, const char *uri);

//  jobs_migrate_wishes.c: how it is to be done. Texts are the request's; the disks are the
//  caller's.

//  Of the sender's request.
int migrate_read_wishes (const job_actor_t *self, migration_t *migration, error_t *err);
//  What of it concerns the receiver, into an open map of arguments; and what the receiver reads.
void migrate_pack_wishes (const migration_t *migration, pack_t *pack);
void migrate_read_prepared (const job_actor_t *self, migration_t *migration);

//  jobs_migrate_tune.c: what the request leaves open: as it was set ahead, or the driver's own.
void migrate_take_limits (const job_actor_t *self, migration_t *migration);

//  jobs_migrate_offline.c: what is not sent along: a definition that is undefined here has to stay
//  with it.
int migrate_check_left (job_actor_t *self, error_t *err);

//  jobs_migrate_marks.c: the receiver's mark. Paths are the caller's.
char *migrate_mark_path (const job_actor_t *self, const char *uuid, const char *token);
bool migrate_is_marked (const job_actor_t *self, const char *uuid, const char *token);
int migrate_write_mark (job_actor_t *self, const migration_record_t *record, error_t *err);
//  A mark that was on its way to the disk is there when this returns 0.
int migrate_await_mark (job_actor_t *self, const char *token, error_t *err);
//  Whether a status file says that UUID is being received under TOKEN, or can't be read. Until the
//  guest's new record is written, the mark is all that says that it is ours.
bool migrate_is_on_record (const paths_t *paths, const char *uuid, const char *token);
//  Removes a mark that the sender does not need any more; one that we still need stays, to be
//  looked at later (host_marks.c).
int migrate_forget_mark (job_actor_t *self, const char *uuid, const char *token, error_t *err);

//  jobs_migrate_in.c: the argument `token` is one.
int migrate_check_token (const job_actor_t *self, error_t *err);
//  The guest is ours from here on: the mark was written. RUN: it is to run.
int migrate_take (job_actor_t *self, const migration_record_t *record, error_t *err);

#endif
