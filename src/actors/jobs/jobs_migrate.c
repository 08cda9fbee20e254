//  jobs_migrate.c: the sender of a migration.

#include "actors/jobs/jobs_migrate_sender.h"

#include "actors/jobs/job_ops.h"
#include "actors/jobs/jobs.h"
#include "drivers/state.h"
#include "util/text.h"

#include <string.h>

enum {
    FINISH_MS = 300000, //  the rest of the guest's state
    SETTLE_MS = 20000,  //  how long this job asks; afterwards the owner does
    COURTESY_MS = 2000,
    AGAIN_MS = 200,
    WISH_MS = 10000
};

static bool wants (const job_actor_t *self, const char *name)
{
    return value_bool (job_arg (self, name), false);
}

//  The job.

void sender_close (sender_t *self)
{
    migration_record_destroy (&self->record);
    strings_destroy (&self->migration.disks);
    free (self->host);
    free (self->uri);
    free (self->storage);
}

static void make_token (job_actor_t *self, char token[MIGRATION_TOKEN_SIZE])
{
    unsigned char bytes[(MIGRATION_TOKEN_SIZE - 1) / 2];
    actor_random (self->actor, bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf (token + 2 * i, 3, "%02x", bytes[i]);
}

void sender_make_record (sender_t *self, const char *token, const char *peer)
{
    job_actor_t *job = self->job;
    migration_record_t *record = memory_new (1, sizeof *record);
    snprintf (record->token, sizeof record->token, "%s", token);
    record->peer = text_copy (peer);
    record->since_us = actor_wall_clock (job->actor);
    record->persistent = wants (job, "persistent");
    record->undefine = wants (job, "undefine_source");
    record->copy = self->migration.copy != COPY_NONE;
    record->run = job->base.guest->status.state == STATE_RUNNING && !wants (job, "suspend");
    self->record = record;
    self->migration.token = record->token;
    migration_record_write (record, job->base.guest->record);
}

static const char *uri_wish (sender_t *self)
{
    if (self->migration.uri || self->migration.local)
        return self->migration.uri ? self->migration.uri : "unix:";
    free (self->uri);
    self->uri = text_format ("tcp://%s", self->host ? self->host : "");
    return self->uri;
}

int sender_pack_documents (sender_t *self, pack_t *pack, error_t *err)
{
    job_actor_t *job = self->job;
    const char *name = value_str (job_arg (job, "name"));
    auto(xml_t) document = job->driver->migrate_begin (&job->base, value_str (job_arg (job, "xml")),
                                                       &self->migration, err);
    if (!document)
        return -1;
    if (name)
        xml_set (xml_root (document), "name", name);
    autofree char *text = xml_text (document);
    pack_key_str (pack, "xml", text);
    const char *given = value_str (job_arg (job, "persistent_xml"));
    if (!self->record->persistent || (!given && !job->base.guest->definition))
        return 0;
    autofree char *definition = given ? NULL : xml_text (job->base.guest->definition);
    pack_key_str (pack, "persistent_xml", given ? given : definition);
    return 0;
}

static int pack_prepare (sender_t *self, pack_t *pack, error_t *err)
{
    autofree char *origin = migrate_origin (self->job->config, self->migration.local, err);
    if (!origin || sender_pack_documents (self, pack, err))
        return -1;
    pack_key_str (pack, "token", self->record->token);
    pack_key_str (pack, "origin", origin);
    pack_key_str (pack, "uri", uri_wish (self));
    pack_key_bool (pack, "persistent", self->record->persistent);
    migrate_pack_wishes (&self->migration, pack);
    return 0;
}

int sender_take_places (sender_t *self, const value_t *places, error_t *err)
{
    free (self->uri);
    self->uri = migrate_with_host (self->host, value_get_str (places, "uri"));
    free (self->storage);
    self->storage = migrate_with_host (self->host, value_get_str (places, "storage"));
    self->migration.uri = self->uri;
    self->migration.storage = self->storage;
    bool known = self->uri && (self->storage || self->migration.copy == COPY_NONE);
    return known ? 0 : error_set (err, ERR_RPC, "the other daemon does not say where to send it");
}

static int prepare (sender_t *self, error_t *err)
{
    pack_t args;
    auto(msg_t) reply = NULL;
    migrate_begin_args (&args);
    if (pack_prepare (self, &args, err)) {
        pack_close (&args);
        return -1;
    }
    if (job_record (&self->job->base, err)) {
        pack_close (&args);
        return -1;
    }
    if (migrate_call (self->job, self->peer, "migration.prepare", &args, self->migration.prepare_ms,
                      &reply, err))
        return error_prefix (err, "the other daemon");
    return sender_take_places (self, msg_value (reply), err);
}

//  From here on the guest may not run here unless the other side gave it up.
static int hand_over (sender_t *self, error_t *err)
{
    job_actor_t *job = self->job;
    self->record->handed = true;
    migration_record_write (self->record, job->base.guest->record);
    return job_commit (&job->base, err);
}

static int ask_wish (sender_t *self, error_t *err)
{
    job_actor_t *job = self->job;
    auto(msg_t) msg = msg_request ("migration.wish");
    auto(msg_t) reply = NULL;
    if (job_ask (job, job->owner, &msg, MIGRATE_CALL_MS, &reply, err))
        return -1;
    self->record->run = value_get_bool (msg_value (reply), "run", false) && !wants (job, "suspend");
    migration_record_write (self->record, job->base.guest->record);
    return job_record (&job->base, err);
}

//  Nobody can pause it or let it go on any more, so what its user wants is final.
static int learn_wish (sender_t *self, error_t *err)
{
    job_actor_t *job = self->job;
    int64_t until = actor_now (job->actor) + WISH_MS;
    while (ask_wish (self, err)) {
        if (!err->retry || actor_now (job->actor) >= until)
            return -1;
        if (job_wait (&job->base, AGAIN_MS, err))
            return -1;
    }
    return 0;
}

//  It was let go on here in the last moment: what was sent is old. A QEMU that has ended meanwhile
//  is no reason not to go on there.
static int check_still (sender_t *self, error_t *err)
{
    transfer_t transfer;
    job_t *job = &self->job->base;
    if (self->job->driver->migrate_state (job, &transfer, err))
        return -1;
    return transfer == TRANSFER_FAILED
               ? error_set (err, ERR_OPERATION_ABORTED, "it was resumed in the last moment")
               : 0;
}

//  The answer to finish did not come, or was an error. ERR is why; it is kept.
static outcome_t find_out (sender_t *self, error_t *err)
{
    job_actor_t *job = self->job;
    int64_t until = actor_now (job->actor) + SETTLE_MS;
    for (error_t asked = { 0 };;) {
        outcome_t outcome = migrate_ask_receiver (job, self->peer, self->record->token, false,
                                                  MIGRATE_CALL_MS, &asked);
        if (outcome != OUTCOME_UNKNOWN)
            return outcome;
        if (actor_now (job->actor) >= until || job_wait (&job->base, AGAIN_MS, &asked)) {
            error_t why = *err;
            error_set (err, why.code,
                       "%s; whether the guest runs there is not known (%s): it stays paused here "
                       "until the other daemon can be asked, which is tried again and again",
                       why.message, asked.message);
            return OUTCOME_UNKNOWN;
        }
    }
}

//  The unwinding of this job lets it go on; so does the next daemon.
static int take_back (sender_t *self, error_t *err)
{
    job_actor_t *job = self->job;
    error_t failed = { 0 };
    autofree char *kind = text_format ("%s.migration", job->driver->name);
    migration_record_remove (job->base.guest->record);
    if (job_undo (&job->base, kind, self->record->run ? "run" : "stay", &failed) ||
        job_record (&job->base, &failed))
        *err = failed;
    return -1;
}

int sender_leave (sender_t *self, error_t *err)
{
    job_actor_t *job = self->job;
    error_t ignored = { 0 };
    if (job->driver->migrate_leave (&job->base, &self->migration, err))
        return -1;
    migrate_ask_receiver (job, self->peer, self->record->token, true, MIGRATE_CALL_MS, &ignored);
    job->parts = PART_STATUS;
    return 0;
}

int sender_send (sender_t *self, error_t *err)
{
    job_actor_t *job = self->job;
    migrate_take_limits (job, &self->migration);
    return job->driver->migrate_out (&job->base, &self->migration, err) || hand_over (self, err)
               ? -1
               : 0;
}

int sender_know_wish (sender_t *self, error_t *err)
{
    return learn_wish (self, err) || check_still (self, err) ? -1 : 0;
}

int sender_settle (sender_t *self, error_t *err)
{
    switch (find_out (self, err)) {
    case OUTCOME_TAKEN:
        return sender_leave (self, err);
    case OUTCOME_ABANDONED:
        return take_back (self, err);
    default:
        return -1;
    }
}

static int give (sender_t *self, error_t *err)
{
    if (sender_know_wish (self, err) == 0 &&
        migrate_call_finish (self->job, self->peer, self->record, FINISH_MS, err) == 0)
        return sender_leave (self, err);
    return sender_settle (self, err);
}

//  A courtesy to the receiver: it finds out by itself that nothing will come.
void sender_call_off (sender_t *self)
{
    job_actor_t *job = self->job;
    error_t ignored = { 0 };
    job->unwinding = true;
    if (*self->peer)
        migrate_ask_receiver (job, self->peer, self->record->token, false, COURTESY_MS, &ignored);
    migration_record_remove (job->base.guest->record);
    job_record (&job->base, &ignored);
    job->unwinding = false;
}

static int migrate (sender_t *self, error_t *err)
{
    job_actor_t *job = self->job;
    const char *peer = value_str (job_arg (job, "peer"));
    if (!job->driver->migrate_out)
        return job_unsupported (job, "migrate", err);
    if (migrate_read_wishes (job, &self->migration, err) || migrate_check_left (job, err) ||
        migrate_open_peer (job, peer, self->peer, err) || migrate_greet (job, self->peer, err))
        return -1;
    char token[MIGRATION_TOKEN_SIZE];
    self->host = migrate_host_of (peer);
    make_token (job, token);
    sender_make_record (self, token, peer);
    if (prepare (self, err) == 0 && sender_send (self, err) == 0)
        return give (self, err);
    sender_call_off (self);
    return -1;
}

int job_run_migrate (job_actor_t *self, error_t *err)
{
    sender_t sender = { .job = self };
    bool driven = job_arg (self, "token") != NULL;
    int rc = driven ? sender_follow_client (&sender, err) : migrate (&sender, err);
    sender_close (&sender);
    if (rc && driven)
        return error_prefix (err, "migrate domain '%s'", self->base.guest->name);
    return rc ? error_prefix (err, "migrate domain '%s' to %s", self->base.guest->name,
                              value_str (job_arg (self, "peer")))
              : 0;
}
