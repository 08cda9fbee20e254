//  jobs_migrate_resume.c: a post-copy migration whose connection broke goes on over a new one. The
//  guest is the receiver's already, and part of its memory still here.

#include "actors/jobs/jobs.h"
#include "actors/jobs/jobs_migrate.h"
#include "util/text.h"

#include <string.h>

enum {
    RECOVER_MS = 60000
};

static int check_broken (job_actor_t *self, const migration_record_t *record, error_t *err)
{
    transfer_t transfer = TRANSFER_NONE;
    if (!record || record->incoming || !record->handed)
        return error_set (err, ERR_OPERATION_INVALID,
                          "no post-copy migration began here; ask the host that the guest comes "
                          "from");
    if (!text_equals (value_str (job_arg (self, "peer")), record->peer))
        return error_set (err, ERR_INVALID_ARG, "it is being migrated to %s", record->peer);
    if (self->driver->migrate_state (&self->base, &transfer, err))
        return -1;
    return transfer == TRANSFER_BROKEN
               ? 0
               : error_set (err, ERR_OPERATION_INVALID, "its connection is not broken");
}

//  Where the receiver waits now; the caller frees it.
static char *ask_where (job_actor_t *self, const migration_record_t *record, error_t *err)
{
    char peer[MSG_ADDRESS_MAX];
    pack_t args;
    auto(msg_t) reply = NULL;
    const char *wish = value_str (job_arg (self, "uri"));
    autofree char *host = migrate_host_of (record->peer);
    autofree char *usual = host ? text_format ("tcp://%s", host) : text_copy ("unix:");
    if (migrate_open_peer (self, record->peer, peer, err))
        return NULL;
    migrate_begin_args (&args);
    pack_key_str (&args, "domain", self->base.guest->uuid);
    pack_key_str (&args, "token", record->token);
    pack_key_str (&args, "uri", wish ? wish : usual);
    if (migrate_call (self, peer, "migration.recover", &args, RECOVER_MS, &reply, err)) {
        error_prefix (err, "the other daemon");
        return NULL;
    }
    char *uri = migrate_with_host (host, value_get_str (msg_value (reply), "uri"));
    if (!uri)
        error_set (err, ERR_RPC, "the other daemon does not say where to send it");
    return uri;
}

int job_run_migrate_resume (job_actor_t *self, error_t *err)
{
    if (!self->driver->migrate_resume)
        return job_unsupported (self, "migrate", err);
    auto(migration_record_t) record = migration_record_read (self->base.guest->record);
    autofree char *uri = check_broken (self, record, err) ? NULL : ask_where (self, record, err);
    return uri && self->driver->migrate_resume (&self->base, uri, err) == 0
               ? 0
               : error_prefix (err, "resume the migration of domain '%s'", self->base.guest->name);
}

//  The receiver. Who knows the token of what we have taken is its sender.
int job_run_migrate_recover (job_actor_t *self, error_t *err)
{
    autofree char *uri = NULL;
    const char *token = value_str (job_arg (self, "token"));
    if (migrate_check_token (self, err))
        return -1;
    if (!self->driver->migrate_recover)
        return job_unsupported (self, "receive", err);
    if (!migrate_is_marked (self, self->base.guest->uuid, token))
        return error_set (err, ERR_OPERATION_INVALID, "domain '%s' did not come under this token",
                          self->base.guest->name);
    if (self->driver->migrate_recover (&self->base, value_str (job_arg (self, "uri")), &uri, err))
        return error_prefix (err, "receive the rest of domain '%s'", self->base.guest->name);
    pack_map (&self->value);
    pack_key_str (&self->value, "uri", uri);
    pack_end (&self->value);
    return 0;
}
