//  jobs_migrate_in.c: the receiver of a migration; and how either side finds out what became of
//  it.

#include "actors/jobs/job_ops.h"
#include "actors/jobs/jobs.h"
#include "actors/jobs/jobs_migrate.h"
#include "client/keys.h"
#include "drivers/state.h"
#include "util/file.h"
#include "util/text.h"
#include "util/uuid.h"

#include <string.h>

enum {
    ABANDON_MS = 60000,
    FINISH_MS = 60000,             //  what had not come yet can't come any more
    NOTHING_CAME_US = 60 * 1000000 //  and the sender can't be asked: it does not come any more
};

//  Preparing.

//  It becomes part of a file's name.
int migrate_check_token (const job_actor_t *self, error_t *err)
{
    const char *token = value_str (job_arg (self, "token"));
    if (strspn (token, "0123456789abcdef") == MIGRATION_TOKEN_SIZE - 1 &&
        token[MIGRATION_TOKEN_SIZE - 1] == 0)
        return 0;
    return error_set (err, ERR_INVALID_ARG, "'%.64s' is no token of a migration", token);
}

//  A job of the host: which domain it is, only the document says.
int job_run_migrate_prepare (job_actor_t *self, error_t *err)
{
    const char *origin = value_str (job_arg (self, "origin"));
    curve_t curve;
    if (migrate_check_token (self, err))
        return -1;
    //  Later it is too late to find out that it can't be asked.
    if (text_starts (origin, "tcp://") && keys_for (self->base.paths->keys, origin, &curve, err))
        return error_prefix (err, "to ask the sender");
    const char *persistent = value_str (job_arg (self, "persistent_xml"));
    auto(xml_t) definition = persistent ? job_complete_definition (self, persistent, err) : NULL;
    if (persistent && !definition)
        return -1;
    auto(xml_t) doc = job_complete_definition (self, value_str (job_arg (self, "xml")), err);
    if (!doc)
        return -1;
    return job_hand_over (self, "migration.receive", doc, JOB_START_MS, err);
}

//  Also what it is to be defined as here, once it is ours.
static int write_record (job_actor_t *self, error_t *err)
{
    xml_t *into = self->base.guest->record;
    const char *xml = value_str (job_arg (self, "persistent_xml"));
    migration_record_t record = { .incoming = true,
                                  .persistent = value_bool (job_arg (self, "persistent"), false),
                                  .copy = job_arg (self, "copy") != NULL,
                                  .since_us = actor_wall_clock (self->actor) };
    snprintf (record.token, sizeof record.token, "%s", value_str (job_arg (self, "token")));
    record.peer = text_copy (value_str (job_arg (self, "origin")));
    migration_record_write (&record, into);
    free (record.peer);
    if (!record.persistent || !xml)
        return 0;
    auto(xml_t) definition = xml_parse (xml, strlen (xml), "definition", err);
    if (!definition)
        return -1;
    xml_set (xml_root (definition), "name", self->base.guest->name);
    xml_set (xml_root (definition), "uuid", self->base.guest->uuid);
    if (self->driver->complete (&self->base, definition, err))
        return -1;
    xml_add_copy (xml_find (xml_root (into), "migration"), xml_root (definition));
    return 0;
}

static int receive (job_actor_t *self, const migration_t *migration, char **uri, char **storage,
                    error_t *err)
{
    const char *text = value_str (job_arg (self, "definition"));
    auto(xml_t) document = xml_parse_own (text, strlen (text), "domain", err);
    if (!document || job_next_id (self, err) ||
        self->driver->migrate_in (&self->base, document, migration, uri, storage, err) ||
        write_record (self, err))
        return -1;
    pack_map (&self->value);
    pack_key_str (&self->value, "uri", *uri);
    pack_key_str (&self->value, "storage", *storage);
    pack_end (&self->value);
    self->parts = PART_LIVE | PART_STATUS;
    return 0;
}

int job_run_migrate_receive (job_actor_t *self, error_t *err)
{
    migration_t migration;
    autofree char *uri = NULL;
    autofree char *storage = NULL;
    if (!self->driver->migrate_in)
        return job_unsupported (self, "receive", err);
    migrate_read_prepared (self, &migration);
    int rc = receive (self, &migration, &uri, &storage, err);
    strings_destroy (&migration.disks);
    return rc;
}

//  Taking over.

static void take_definition (guest_t *guest)
{
    const xml_node_t *given = xml_find (xml_root (guest->record), "migration/domain");
    if (!given)
        return;
    xml_destroy (&guest->definition);
    guest->definition = xml_from_node (given);
}

int migrate_take (job_actor_t *self, const migration_record_t *record, error_t *err)
{
    guest_t *guest = self->base.guest;
    error_t stays = { 0 };
    self->committed = true;
    if (record->persistent)
        take_definition (guest);
    migration_record_remove (guest->record);
    //  It is ours, in whatever state.
    bool failed = self->driver->migrate_run (&self->base, record->run, &stays);
    //  The next daemon takes it again.
    if (failed && stays.code == ERR_OPERATION_ABORTED) {
        *err = stays;
        return -1;
    }
    if (failed) {
        actor_log (self->actor, LEVEL_ERROR, "domain '%s' has come, but does not run: %s",
                   guest->name, stays.message);
        guest->status = (guest_status_t){ STATE_PAUSED, PAUSED_UNKNOWN };
    }
    self->parts = PART_LIVE | PART_STATUS | (record->persistent ? PART_DEFINITION : 0u);
    return 0;
}

static migration_record_t *own_record (job_actor_t *self, const char *token, error_t *err)
{
    auto(migration_record_t) record = migration_record_read (self->base.guest->record);
    if (record && record->incoming && text_equals (record->token, token))
        return take (&record);
    error_set (err, ERR_OPERATION_INVALID, "domain '%s' is not being received under this token",
               self->base.guest->name);
    return NULL;
}

int job_run_migrate_finish (job_actor_t *self, error_t *err)
{
    const char *token = value_str (job_arg (self, "token"));
    auto(migration_record_t) record = own_record (self, token, err);
    if (!record)
        return -1;
    record->run = value_bool (job_arg (self, "run"), false);
    migration_record_write (record, self->base.guest->record);
    if (self->driver->migrate_complete (&self->base, err) || job_record (&self->base, err))
        return error_prefix (err, "take domain '%s' over", self->base.guest->name);
    //  A mark that is on its way to the disk can't be taken back.
    self->base.closed = true;
    if (migrate_write_mark (self, record, err))
        return error_prefix (err, "take domain '%s' over", self->base.guest->name);
    return migrate_take (self, record, err);
}

//  Giving up.

static void pack_outcome (job_actor_t *self, const char *outcome)
{
    pack_map (&self->value);
    pack_key_str (&self->value, "outcome", outcome);
    pack_end (&self->value);
}

static int give_up (job_actor_t *self, error_t *err)
{
    if (self->driver->destroy (&self->base, false, err))
        return -1;
    self->base.guest->status = (guest_status_t){ STATE_SHUTOFF, SHUTOFF_FAILED };
    self->parts = PART_STATUS;
    return 0;
}

int job_run_migrate_abandon (job_actor_t *self, error_t *err)
{
    const char *token = value_str (job_arg (self, "token"));
    const char *uuid = self->base.guest->uuid;
    error_t ignored = { 0 };
    auto(migration_record_t) record = own_record (self, token, &ignored);
    //  One that was given up waiting for may still become one.
    if (migrate_await_mark (self, token, err))
        return -1;
    bool taken = migrate_is_marked (self, uuid, token);
    if (record && !taken && give_up (self, err))
        return -1;
    pack_outcome (self, taken ? "taken" : "abandoned");
    return 0;
}

static int ask_owner (job_actor_t *self, const char *uuid, const char *token, bool *taken,
                      error_t *err)
{
    auto(msg_t) reply = NULL;
    auto(msg_t) msg = msg_request ("migration.abandon");
    autofree char *owner = text_format ("domain/%s", uuid);
    pack_key_str (msg_args (msg), "token", token);
    *taken = false;
    //  Without an owner there is no domain.
    if (job_ask (self, owner, &msg, ABANDON_MS, &reply, err))
        return err->code == ERR_NO_DOMAIN ? 0 : -1;
    *taken = text_equals (value_get_str (msg_value (reply), "outcome"), "taken");
    return 0;
}

//  A job of the host: the domain may be gone by now.
int job_run_migrate_resolve (job_actor_t *self, error_t *err)
{
    bool taken;
    const char *uuid = value_str (job_arg (self, "uuid"));
    const char *token = value_str (job_arg (self, "token"));
    char normal[UUID_TEXT_SIZE];
    if (migrate_check_token (self, err))
        return -1;
    if (!uuid_normalize (uuid, normal))
        return error_set (err, ERR_INVALID_ARG, "migration.resolve: '%.64s' is no uuid", uuid);
    uuid = normal;
    if (value_bool (job_arg (self, "confirm"), false)) {
        pack_outcome (self, "confirmed");
        return migrate_forget_mark (self, uuid, token, err);
    }
    if (ask_owner (self, uuid, token, &taken, err))
        return -1;
    pack_outcome (self, taken || migrate_is_marked (self, uuid, token) ? "taken" : "abandoned");
    return 0;
}

//  Settling.

//  What the sender says: whether it still knows of this migration.
static outcome_t ask_sender (job_actor_t *self, const migration_record_t *record, error_t *err)
{
    char peer[MSG_ADDRESS_MAX];
    bool known;
    if (migrate_open_peer (self, record->peer, peer, err) ||
        migrate_inquire (self, peer, self->base.guest->uuid, record->token, &known, err))
        return OUTCOME_UNKNOWN;
    return known ? OUTCOME_WAIT : OUTCOME_ABANDONED;
}

static void note_trouble (job_actor_t *self, migration_record_t *record, const error_t *trouble)
{
    free (record->trouble);
    record->trouble = trouble ? text_copy (trouble->message) : NULL;
    migration_record_write (record, self->base.guest->record);
    self->parts = PART_RECORD;
}

static int settle_in (job_actor_t *self, migration_record_t *record, error_t *err)
{
    transfer_t transfer;
    error_t trouble = { 0 };
    //  One that can't be asked can't be let go on either: it is asked again.
    if (self->driver->migrate_state (&self->base, &transfer, err))
        return -1;
    if (migrate_is_marked (self, self->base.guest->uuid, record->token))
        return migrate_take (self, record, err);
    //  Also of what still comes: a network that was cut does not tell us that its other end is
    //  gone.
    bool over = transfer == TRANSFER_FAILED || transfer == TRANSFER_GONE;
    outcome_t outcome = over ? OUTCOME_ABANDONED : ask_sender (self, record, &trouble);
    int64_t age = actor_wall_clock (self->actor) - record->since_us;
    bool hopeless = transfer == TRANSFER_NONE && age > NOTHING_CAME_US;
    if (outcome == OUTCOME_ABANDONED || (outcome == OUTCOME_UNKNOWN && hopeless))
        return give_up (self, err);
    note_trouble (self, record, outcome == OUTCOME_UNKNOWN ? &trouble : NULL);
    return 0;
}

//  A guest whose hypervisor here has ended can only go on there: the receiver is told to take it.
//  Whether it could, is asked afterwards in any case.
static outcome_t ask_outcome (job_actor_t *self, const char *peer, const migration_record_t *record,
                              bool ended, error_t *err)
{
    error_t refused = { 0 };
    if (ended && migrate_call_finish (self, peer, record, FINISH_MS, &refused) == 0)
        return OUTCOME_TAKEN;
    outcome_t outcome =
        migrate_ask_receiver (self, peer, record->token, false, MIGRATE_CALL_MS, err);
    if (ended && outcome == OUTCOME_ABANDONED)
        actor_log (self->actor, LEVEL_ERROR,
                   "domain '%s': its hypervisor ended while it was handed over, and the other host "
                   "could not let it go on: %s",
                   self->base.guest->name, refused.message);
    return outcome;
}

static int leave (job_actor_t *self, const char *peer, const migration_record_t *record,
                  error_t *err)
{
    error_t ignored = { 0 };
    migration_t migration = { .copy = record->copy ? COPY_ALL : COPY_NONE };
    if (self->driver->migrate_leave (&self->base, &migration, err))
        return -1;
    migrate_ask_receiver (self, peer, record->token, true, MIGRATE_CALL_MS, &ignored);
    return 0;
}

//  It will not run there.
static int keep (job_actor_t *self, const migration_record_t *record, bool ended, error_t *err)
{
    guest_t *guest = self->base.guest;
    const guest_status_t over = { STATE_SHUTOFF, SHUTOFF_CRASHED };
    migration_record_remove (guest->record);
    if (!ended)
        return self->driver->migrate_stay (&self->base, record->run, err);
    guest->status = over;
    if (self->driver->destroy (&self->base, false, err))
        return -1;
    guest->status = over;
    return 0;
}

//  The guest there needs what is here.
static int note_broken (job_actor_t *self, migration_record_t *record)
{
    error_t broken = { 0 };
    error_set (&broken, ERR_OPERATION_FAILED,
               "the connection broke in post-copy: part of its memory is here; 'troupe migrate "
               "--postcopy-resume' connects again");
    note_trouble (self, record, &broken);
    self->base.guest->status = (guest_status_t){ STATE_PAUSED, PAUSED_POSTCOPY_FAILED };
    self->parts = PART_STATUS | PART_RECORD;
    return 0;
}

static int settle_out (job_actor_t *self, migration_record_t *record, error_t *err)
{
    char peer[MSG_ADDRESS_MAX];
    transfer_t transfer = TRANSFER_ACTIVE;
    error_t trouble = { 0 };
    outcome_t outcome = OUTCOME_UNKNOWN;
    //  One that does not answer now is asked again.
    self->driver->migrate_state (&self->base, &transfer, &trouble);
    bool ended = transfer == TRANSFER_GONE;
    if (migrate_open_peer (self, record->peer, peer, &trouble) == 0)
        outcome = ask_outcome (self, peer, record, ended, &trouble);
    if (outcome == OUTCOME_UNKNOWN) {
        if (ended)
            error_prefix (&trouble, "its hypervisor here has ended; whether it runs there");
        note_trouble (self, record, &trouble);
        return 0;
    }
    if (outcome == OUTCOME_TAKEN && transfer == TRANSFER_BROKEN)
        return note_broken (self, record);
    if (outcome == OUTCOME_TAKEN && transfer == TRANSFER_POSTCOPY) {
        note_trouble (self, record, NULL);
        return 0;
    }
    self->parts = PART_STATUS | PART_RECORD;
    return outcome == OUTCOME_TAKEN ? leave (self, peer, record, err)
                                    : keep (self, record, ended, err);
}

int job_run_migrate_settle (job_actor_t *self, error_t *err)
{
    auto(migration_record_t) record = migration_record_read (self->base.guest->record);
    if (!record)
        return 0;
    return record->incoming ? settle_in (self, record, err) : settle_out (self, record, err);
}
