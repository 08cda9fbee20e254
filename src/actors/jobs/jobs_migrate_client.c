//  jobs_migrate_client.c: the sender of a migration that a client of both daemons drives: it tells
//  the receiver what to expect, us where to send it, and both when that is done. One job from
//  beginning to end; between its phases it waits for the client's next call, which the owner hands
//  to it (domain_phases.c).
//
//  The client is not trusted with the guest: only the receiver's proof, or its answer to us, ends
//  the guest here. A client that goes away, or does not go on, is as one that says nothing.

#include "actors/jobs/job_ops.h"
#include "actors/jobs/jobs.h"
#include "actors/jobs/jobs_migrate_sender.h"
#include "util/text.h"

enum {
    BEGUN_MS = 600000, //  the receiver may have to make images
    SENT_MS = 120000   //  the guest stands still meanwhile
};

//  The answer to the call that we worked on, and the next one: its `verb` and `args`.
static int next_call (sender_t *self, const char *phase, const pack_t *result, int ms,
                      msg_t **call_p, error_t *err)
{
    job_actor_t *job = self->job;
    auto(msg_t) msg = msg_request ("migration.next");
    pack_t *pack = msg_args (msg);
    pack_key_str (pack, "token", self->record->token);
    pack_key_str (pack, "phase", phase);
    pack_key (pack, "result");
    pack_packed (pack, result->bytes, result->size);
    return job_ask (job, job->owner, &msg, ms, call_p, err);
}

static bool is_call (const msg_t *call, const char *verb)
{
    return call && text_equals (value_get_str (msg_value (call), "verb"), verb);
}

static const value_t *args_of (const msg_t *call)
{
    return value_get (msg_value (call), "args");
}

static int pack_offer (sender_t *self, pack_t *pack, error_t *err)
{
    pack_map (pack);
    if (sender_pack_documents (self, pack, err))
        return -1;
    pack_key_str (pack, "token", self->record->token);
    pack_key_bool (pack, "persistent", self->record->persistent);
    migrate_pack_wishes (&self->migration, pack);
    pack_end (pack);
    return job_record (&self->job->base, err);
}

static int await_perform (sender_t *self, msg_t **call_p, error_t *err)
{
    pack_t offer;
    pack_init (&offer);
    int rc = pack_offer (self, &offer, err);
    bool offered = rc == 0;
    if (offered)
        rc = next_call (self, "begun", &offer, BEGUN_MS, call_p, err);
    pack_close (&offer);
    if (offered && rc && err->code == ERR_OPERATION_TIMEOUT)
        return error_set (err, ERR_OPERATION_TIMEOUT,
                          "its client did not go on with it within %d minutes", BEGUN_MS / 60000);
    if (rc)
        return -1;
    return is_call (*call_p, "migration.perform")
               ? 0
               : error_set (err, ERR_OPERATION_ABORTED, "its client gave it up");
}

//  What was only said now: where to, and how fast.
static int take_perform (sender_t *self, const msg_t *call, error_t *err)
{
    const value_t *args = args_of (call);
    const char *peer = value_get_str (args, "peer");
    self->host = migrate_host_of (peer);
    self->migration.local = text_starts (peer, "ipc://");
    value_u64 (value_get (args, "bandwidth"), &self->migration.bandwidth);
    free (self->record->peer);
    self->record->peer = text_copy (peer);
    migration_record_write (self->record, self->job->base.guest->record);
    return sender_take_places (self, args, err) ||
                   migrate_open_peer (self->job, peer, self->peer, err) ||
                   migrate_greet (self->job, self->peer, err) || job_record (&self->job->base, err)
               ? -1
               : 0;
}

static int await_confirm (sender_t *self, msg_t **call_p, error_t *err)
{
    pack_t result;
    pack_init (&result);
    pack_map (&result);
    pack_key_bool (&result, "run", self->record->run);
    pack_end (&result);
    int rc = next_call (self, "sent", &result, SENT_MS, call_p, err);
    pack_close (&result);
    return rc;
}

//  Of the client's word only that counts which the receiver gave it.
static int conclude (sender_t *self, error_t *err)
{
    auto(msg_t) call = NULL;
    if (await_confirm (self, &call, err))
        return sender_settle (self, err);
    const value_t *args = args_of (call);
    if (is_call (call, "migration.confirm") && value_get_bool (args, "taken", false))
        return sender_leave (self, err);
    error_set (err, ERR_OPERATION_ABORTED,
               is_call (call, "migration.confirm")
                   ? "its client said that the guest does not run there"
                   : "its client went away before it said whether the guest runs there");
    return sender_settle (self, err);
}

int sender_follow_client (sender_t *self, error_t *err)
{
    job_actor_t *job = self->job;
    auto(msg_t) call = NULL;
    if (!job->driver->migrate_out)
        return job_unsupported (job, "migrate", err);
    if (migrate_check_token (job, err) || migrate_read_wishes (job, &self->migration, err) ||
        migrate_check_left (job, err))
        return -1;
    sender_make_record (self, value_str (job_arg (job, "token")), "?");
    if (await_perform (self, &call, err) || take_perform (self, call, err) ||
        sender_send (self, err)) {
        sender_call_off (self);
        return -1;
    }
    return sender_know_wish (self, err) ? sender_settle (self, err) : conclude (self, err);
}
