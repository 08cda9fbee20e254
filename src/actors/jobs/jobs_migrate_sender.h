//  jobs_migrate_sender.h: the sender of a migration: what is the same whether its own job drives
//  the receiver (jobs_migrate.c) or a client of both does (jobs_migrate_client.c).

#ifndef TROUPE_JOBS_MIGRATE_SENDER_H
#define TROUPE_JOBS_MIGRATE_SENDER_H

#include "actors/jobs/jobs_migrate.h"

typedef struct {
    job_actor_t *job;
    migration_t migration;
    migration_record_t *record;
    char peer[MSG_ADDRESS_MAX]; //  "": no connection to the other daemon is open
    char *host;                 //  of the other daemon, for URIs that leave it out
    char *uri, *storage;
} sender_t;

void sender_close (sender_t *self);
//  In the guest's record, once that is written.
void sender_make_record (sender_t *self, const char *token, const char *peer);
//  The pairs `xml` and, if it is to be persistent there, `persistent_xml`, into an open map.
int sender_pack_documents (sender_t *self, pack_t *pack, error_t *err);
//  Where it is to be sent: `uri` and `storage` of a map.
int sender_take_places (sender_t *self, const value_t *places, error_t *err);
//  Until all is sent, and the guest handed over. If it fails the guest is still this host's: call
//  off.
int sender_send (sender_t *self, error_t *err);
//  Whether it is to run there, into the record. From here on ERR is dealt with by sender_settle.
int sender_know_wish (sender_t *self, error_t *err);
//  The receiver has it: the guest ends here.
int sender_leave (sender_t *self, error_t *err);
//  Nobody told us that the receiver has it: it is asked, and the guest ends here, or goes on. ERR
//  is why, and kept.
int sender_settle (sender_t *self, error_t *err);
//  The guest was not handed over, and is this host's.
void sender_call_off (sender_t *self);

//  jobs_migrate_client.c: all of it, as the client of both daemons says.
int sender_follow_client (sender_t *self, error_t *err);

#endif
