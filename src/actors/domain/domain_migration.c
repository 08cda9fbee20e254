//  domain_migration.c: a guest between two hosts: what its owner does about it when no job does,
//  and what is new once a job has.

#include "actors/domain/domain_self.h"
#include "drivers/state.h"
#include "util/text.h"

enum {
    FIRST_CHECK_MS = 1000,
    LAST_CHECK_MS = 30000,
    SETTLE_MS = 120000
};

const operation_t domain_settling_migration = { "", CLASS_MODIFY, ASYNC_NONE, "migrate_settle",
                                                0,  SETTLE_MS,    false,      domain_done_take };

void domain_set_record (domain_t *self, char *record)
{
    bool receiving = self->migration && self->migration->incoming;
    bool persistent = receiving && self->migration->persistent;
    error_t err;
    if (domain_follow_perf (self, record, &err))
        actor_log (self->actor, LEVEL_WARNING, "domain '%s': %s", self->name, err.message);
    domain_set_meter (self, record);
    free (self->record);
    self->record = record;
    migration_record_destroy (&self->migration);
    self->migration = migration_record_parse (record);
    if (receiving && record && !self->migration) {
        self->arrived = true;
        self->received = persistent;
    }
}

async_kind_t domain_pending_migration (const domain_t *self)
{
    const migration_record_t *migration = self->migration;
    return !migration            ? ASYNC_NONE
           : migration->incoming ? ASYNC_MIGRATE_IN
           : migration->handed   ? ASYNC_MIGRATE_HANDED
                                 : ASYNC_NONE;
}

bool domain_end_is_open (const domain_t *self)
{
    const guest_status_t *over = &self->ending.status;
    bool known = over->state == STATE_SHUTOFF &&
                 (over->reason == SHUTOFF_MIGRATED || over->reason == SHUTOFF_DESTROYED);
    return domain_pending_migration (self) == ASYNC_MIGRATE_HANDED && !known;
}

//  Asking again and again, ever more rarely.

static void check_now (actor_t *actor, void *arg)
{
    (void) arg;
    domain_t *self = actor_state (actor);
    self->migration_timer = 0;
    bool busy = self->sync.operation || self->async.operation || self->undo;
    if (domain_active (self) && domain_pending_migration (self) != ASYNC_NONE && !busy)
        domain_run (self, &self->sync, &domain_settling_migration, NULL);
    else
        domain_follow_migration (self);
}

void domain_follow_migration (domain_t *self)
{
    if (domain_pending_migration (self) == ASYNC_NONE) {
        actor_timer_cancel (self->actor, &self->migration_timer);
        self->migration_checks = 0;
        return;
    }
    if (self->migration_timer || !domain_active (self))
        return;
    int shift = self->migration_checks < 5 ? self->migration_checks : 5;
    int ms = FIRST_CHECK_MS << shift;
    self->migration_checks++;
    self->migration_timer =
        actor_timer (self->actor, ms < LAST_CHECK_MS ? ms : LAST_CHECK_MS, check_now, NULL);
}

//  What jobs ask.

//  Whether the guest is to run where it is going. Not while somebody is changing just that.
void domain_tell_wish (domain_t *self, msg_t **msg_p)
{
    error_t err;
    if (self->sync.operation && self->sync.operation->class == CLASS_SUSPEND) {
        error_set (&err, ERR_RESOURCE_BUSY, "domain '%s' is just being paused or resumed",
                   self->name);
        err.retry = true;
        domain_refuse (self, msg_p, &err);
        return;
    }
    bool stopped_by_it =
        self->status.state == STATE_PAUSED && self->status.reason == PAUSED_MIGRATION;
    auto(msg_t) reply = msg_reply ();
    pack_map (msg_result (reply));
    pack_key_bool (msg_result (reply), "run", self->status.state == STATE_RUNNING || stopped_by_it);
    pack_end (msg_result (reply));
    actor_reply (self->actor, msg_p, &reply);
}

static bool is_receiving (const domain_t *self, const char *token)
{
    const running_t *slot = &self->async;
    if (self->migration && self->migration->incoming && text_equals (self->migration->token, token))
        return true;
    return slot->operation && slot->operation->async == ASYNC_MIGRATE_IN && slot->request &&
           text_equals (msg_str (slot->request, "token"), token);
}

bool domain_refuse_abandon (domain_t *self, msg_t **msg_p)
{
    if (self->loading || is_receiving (self, msg_str (*msg_p, "token")))
        return false;
    auto(msg_t) reply = msg_reply ();
    pack_map (msg_result (reply));
    pack_key_str (msg_result (reply), "outcome", "unknown");
    pack_end (msg_result (reply));
    actor_reply (self->actor, msg_p, &reply);
    return true;
}

//  What is new.

static void say_why (const domain_t *self, const guest_status_t *status, error_t *err)
{
    bool receiving = domain_pending_migration (self) == ASYNC_MIGRATE_IN;
    if (status->state != STATE_SHUTOFF)
        error_set (err, ERR_OPERATION_FAILED, "the other host gave it up: it goes on here");
    else if (receiving && status->reason == SHUTOFF_FAILED)
        error_set (err, ERR_OPERATION_FAILED, "the guest did not come: its sender gave it up");
    else
        error_set (err, ERR_OPERATION_FAILED, "the guest ended here before it was decided: %s",
                   state_reason_name (status->state, status->reason));
}

void domain_end_migration (domain_t *self, const guest_status_t *status)
{
    bool moved = status->state == STATE_SHUTOFF && status->reason == SHUTOFF_MIGRATED;
    error_t err;
    if (self->async.operation || !past_jobs_is_open (self->past))
        return;
    if (moved || self->arrived)
        domain_end_async (self, "completed", NULL);
    else {
        say_why (self, status, &err);
        domain_end_async (self, "failed", &err);
    }
}

static void forget_definition (domain_t *self)
{
    self->persistent = self->autostart = self->managed_save = false;
    self->dirty |= DIRTY_DEFINITION | DIRTY_AUTOSTART;
    domain_add_lifecycle (self, EVENT_UNDEFINED, UNDEFINED_REMOVED);
}

void domain_undefine_migrated (domain_t *self, guest_status_t status)
{
    bool gone = status.state == STATE_SHUTOFF && status.reason == SHUTOFF_MIGRATED;
    if (gone && self->migration && self->migration->undefine && self->persistent)
        forget_definition (self);
}

//  The guest runs on another host.
static void gone (domain_t *self)
{
    domain_set_inactive (self, (guest_status_t){ STATE_SHUTOFF, SHUTOFF_MIGRATED },
                         STOPPED_MIGRATED);
}

void domain_done_migrate (domain_t *self, const msg_t *request)
{
    (void) request;
    gone (self);
}

void domain_done_migrate_offline (domain_t *self, const msg_t *request)
{
    if (msg_flag (request, "undefine_source"))
        forget_definition (self);
}

void domain_done_receive (domain_t *self, const msg_t *request)
{
    (void) request;
    self->announced = self->status.state;
    self->dirty |= DIRTY_STATUS;
    actor_log (self->actor, LEVEL_INFO, "domain '%s' is being received, with id %d", self->name,
               self->id);
}

//  The guest has come, and is ours.
static void arrived (domain_t *self)
{
    domain_add_lifecycle (self, EVENT_STARTED, STARTED_MIGRATED);
    if (self->status.state == STATE_RUNNING)
        domain_add_lifecycle (self, EVENT_RESUMED, RESUMED_MIGRATED);
    if (self->received) {
        domain_add_lifecycle (self, EVENT_DEFINED,
                              self->persistent ? DEFINED_UPDATED : DEFINED_ADDED);
        self->persistent = true;
        self->dirty |= DIRTY_DEFINITION;
    }
    self->arrived = self->received = false;
    self->dirty |= DIRTY_STATUS;
    actor_log (self->actor, LEVEL_INFO, "domain '%s' has come from another host, with id %d",
               self->name, self->id);
}

void domain_done_abandon (domain_t *self, const msg_t *request)
{
    (void) request;
    if (domain_active (self) && self->status.state == STATE_SHUTOFF)
        domain_set_inactive (self, self->status, STOPPED_FAILED);
}

static void went_on (domain_t *self)
{
    self->dirty |= DIRTY_STATUS;
    if (self->status.state == STATE_RUNNING && self->announced != STATE_RUNNING)
        domain_add_lifecycle (self, EVENT_RESUMED, RESUMED_MIGRATED);
}

//  Of finish, and of each look at what is not decided: which of all it was, the result says.
void domain_done_take (domain_t *self, const msg_t *request)
{
    bool over = self->status.state == STATE_SHUTOFF;
    if (over && self->status.reason == SHUTOFF_MIGRATED)
        gone (self);
    else if (over)
        domain_done_abandon (self, request);
    else if (self->migration)
        self->dirty |= DIRTY_STATUS; //  still not decided
    else {
        domain_end_migration (self, &self->status);
        if (self->arrived)
            arrived (self);
        else
            went_on (self);
    }
}

//  Post-copy: the guest runs there, and part of its memory is here.

static void set_postcopy (domain_t *self, int reason, int detail)
{
    if (self->status.reason == reason)
        return;
    self->status.reason = reason;
    self->dirty |= DIRTY_STATUS;
    if (detail >= 0)
        domain_add_lifecycle (
            self, self->status.state == STATE_RUNNING ? EVENT_RESUMED : EVENT_SUSPENDED, detail);
    domain_commit (self, NULL, NULL, NULL);
}

static void take_at_receiver (domain_t *self, postcopy_t postcopy)
{
    bool incomplete =
        self->status.reason == RUNNING_POSTCOPY || self->status.reason == RUNNING_POSTCOPY_FAILED;
    if (postcopy == POSTCOPY_BROKEN)
        set_postcopy (self, RUNNING_POSTCOPY_FAILED, RESUMED_POSTCOPY_FAILED);
    else if (incomplete && postcopy == POSTCOPY_ACTIVE)
        set_postcopy (self, RUNNING_POSTCOPY, RESUMED_POSTCOPY);
    else if (incomplete)
        set_postcopy (self, RUNNING_MIGRATED, -1);
}

static void take_at_sender (domain_t *self, postcopy_t postcopy)
{
    if (postcopy == POSTCOPY_BROKEN)
        set_postcopy (self, PAUSED_POSTCOPY_FAILED, SUSPENDED_POSTCOPY_FAILED);
    else if (postcopy == POSTCOPY_ACTIVE && self->status.reason == PAUSED_POSTCOPY_FAILED)
        set_postcopy (self, PAUSED_POSTCOPY, SUSPENDED_POSTCOPY);
}

void domain_take_postcopy (domain_t *self, postcopy_t postcopy)
{
    async_kind_t kind = domain_async_kind (self);
    if (!domain_active (self))
        return;
    if (self->status.state == STATE_RUNNING && kind == ASYNC_NONE)
        take_at_receiver (self, postcopy);
    else if (self->status.state == STATE_PAUSED && kind == ASYNC_MIGRATE_HANDED)
        take_at_sender (self, postcopy);
}

//  Showing.

void domain_pack_migration (const domain_t *self, pack_t *pack)
{
    const migration_record_t *migration = self->migration;
    bool sending = domain_pending_migration (self) == ASYNC_NONE;
    pack_key (pack, "migration");
    if (!migration || (sending && !self->async.operation)) {
        pack_nil (pack);
        return;
    }
    pack_map (pack);
    pack_key_str (pack, "role", migration->incoming ? "in" : "out");
    pack_key_str (pack, "phase",
                  migration->incoming ? "receiving"
                  : sending           ? "sending"
                                      : "handed over");
    pack_key_str (pack, "peer", migration->peer);
    pack_key_str (pack, "token", migration->token);
    pack_key_i64 (pack, "since_us", migration->since_us);
    pack_key_str (pack, "trouble", migration->trouble);
    pack_end (pack);
}
