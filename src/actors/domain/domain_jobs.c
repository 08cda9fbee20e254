//  domain_jobs.c: how a domain's owner starts its jobs, and takes their results.

#include "actors/domain/domain_self.h"
#include "actors/jobs/job.h"
#include "drivers/state.h"
#include "util/text.h"

enum {
    SHOW_MS = 500,  //  a change that takes longer is shown among the jobs
    LONG_MS = 5000, //  ... and afterwards in the history
    BEGUN_MS = 50
};

//  Starting a job.

//  Of a guest that ended by itself: how it did, which is on record before what is left of it goes.
static guest_status_t status_for (const domain_t *self, const operation_t *operation)
{
    guest_state_t state = self->ending.status.state;
    bool over =
        self->ending.kind != CHANGE_NONE && (state == STATE_SHUTOFF || state == STATE_CRASHED);
    return operation == &domain_cleanup && over ? self->ending.status : self->status;
}

static bool is_migrating (const domain_t *self)
{
    async_kind_t kind = domain_async_kind (self);
    return kind == ASYNC_MIGRATE_OUT || kind == ASYNC_MIGRATE_IN || kind == ASYNC_MIGRATE_HANDED;
}

static void pack_guest (const domain_t *self, const operation_t *operation, pack_t *pack)
{
    const guest_status_t status = status_for (self, operation);
    config_pack (self->config, pack);
    pack_key_str (pack, "kind", operation->job);
    pack_key_str (pack, "owner", actor_address (self->actor));
    pack_key_str (pack, "driver", self->driver->name);
    pack_key_str (pack, "uuid", self->uuid);
    pack_key_str (pack, "name", self->name);
    pack_key_i64 (pack, "id", self->id);
    pack_key_i64 (pack, "state", status.state);
    pack_key_i64 (pack, "reason", status.reason);
    pack_key_bool (pack, "transient", !self->persistent);
    pack_key_bool (pack, "migrating", is_migrating (self));
    pack_key_str (pack, "definition", operation->without_definition ? NULL : self->definition);
    pack_key_str (pack, "live", self->live);
    pack_key_str (pack, "record", self->record);
    pack_key_str (pack, "backup", self->backup);
    pack_key_str (pack, "checkpoints", self->checkpoints);
}

msg_t *domain_job_arguments (const domain_t *self, const operation_t *operation,
                             const msg_t *request)
{
    msg_t *args = msg_request ("run");
    pack_t *pack = msg_args (args);
    pack_guest (self, operation, pack);
    const value_t *given = request ? value_get (msg_root (request), "args") : NULL;
    if (given) {
        pack_key (pack, "args");
        pack_value (pack, given);
    }
    if (operation == &domain_ports)
        domain_agent_pack_ports (self, pack);
    const value_t *by = request ? value_get (msg_root (request), "by") : NULL;
    if (by) {
        pack_key (pack, "by");
        pack_value (pack, by);
    }
    if (operation == &domain_unwinding && self->undo) {
        pack_key (pack, "undo");
        pack_value (pack, document_root (self->undo));
    }
    return args;
}

static void on_job_done (actor_t *actor, const msg_t *reply, void *arg);

static void forget_progress (domain_t *self)
{
    document_destroy (&self->progress);
}

//  What takes longer is told even if it has recorded nothing when the daemon ends.
static void write_begun (actor_t *actor, void *arg)
{
    (void) arg;
    domain_t *self = actor_state (actor);
    self->past_timer = 0;
    if (!self->past_due)
        return;
    self->past_due = false;
    self->dirty |= DIRTY_PAST;
    domain_commit (self, NULL, NULL, NULL);
}

static void begin_async (domain_t *self, const operation_t *operation, const msg_t *request)
{
    forget_progress (self);
    self->finished = false;
    //  It began in an earlier job.
    if (operation == &domain_backup_follow && past_jobs_is_open (self->past))
        return;
    past_jobs_begin (self->past, operation->job, operation->verb,
                     request ? value_get (msg_root (request), "by") : NULL,
                     actor_wall_clock (self->actor));
    self->past_due = true;
    if (!self->past_timer)
        self->past_timer = actor_timer (self->actor, BEGUN_MS, write_begun, NULL);
}

//  How it ended, and how far it had come by then.
static void pack_completed (pack_t *pack, const void *arg)
{
    const domain_t *self = arg;
    const char *verb = past_jobs_last_verb (self->past);
    past_jobs_pack_last (self->past, pack);
    pack_key_i64 (pack, "operation", domain_job_number (verb));
}

void domain_end_async (domain_t *self, const char *outcome, const error_t *err)
{
    past_jobs_reached (self->past, self->progress ? document_root (self->progress) : NULL);
    past_jobs_end (self->past, actor_wall_clock (self->actor), outcome, err);
    self->past_due = false;
    self->dirty |= DIRTY_PAST;
    domain_add_event (self, "domain.job_completed", pack_completed, self);
}

static void show_now (actor_t *actor, void *arg)
{
    (void) arg;
    domain_t *self = actor_state (actor);
    self->show_timer = 0;
    if (self->sync.operation)
        domain_commit (self, NULL, NULL, NULL);
}

//  What concerns the whole guest is shown at once; a short change only if it takes long.
static void show_job (domain_t *self, const running_t *slot)
{
    if (slot == &self->async)
        domain_commit (self, NULL, NULL, NULL);
    else if (!self->show_timer)
        self->show_timer = actor_timer (self->actor, SHOW_MS, show_now, NULL);
}

void domain_run (domain_t *self, running_t *slot, const operation_t *operation, msg_t **request_p)
{
    actor_check (self->actor, !slot->operation);
    slot->operation = operation;
    slot->request = request_p ? take (request_p) : NULL;
    slot->cancelled = slot->doomed = slot->committed = slot->late = slot->undoes = false;
    slot->written = slot->ended = false;
    slot->told = (guest_status_t){ STATE_NOSTATE, 0 };
    if (operation->async != ASYNC_NONE)
        begin_async (self, operation, slot->request);
    slot->since_us = operation == &domain_backup_follow ? past_jobs_since (self->past)
                                                        : actor_wall_clock (self->actor);
    slot->since_ms = actor_now (self->actor);
    char **known = &self->known_records[slot == &self->async];
    free (*known);
    *known = text_copy (self->record);
    snprintf (slot->address, sizeof slot->address, "job/%s/%llu", self->uuid,
              (unsigned long long) ++self->job_count);
    auto(msg_t) args = domain_job_arguments (self, operation, slot->request);
    actor_spawn_for (self->actor, slot->request, slot->address, &job_class, &args,
                     operation->limit_ms, on_job_done, slot);
    show_job (self, slot);
}

void domain_cancel_ended (domain_t *self, running_t *slot)
{
    if (slot->ended)
        return;
    slot->cancelled = slot->ended = true;
    auto(msg_t) cancel = msg_request ("job.cancel");
    pack_key_bool (msg_args (cancel), "ended", true);
    actor_send (self->actor, slot->address, &cancel);
}

void domain_cancel (domain_t *self, running_t *slot, bool end)
{
    end = end && slot->operation && slot->operation->class == CLASS_JOB;
    if (!slot->operation || (slot->cancelled && (slot->doomed || !end)))
        return;
    slot->cancelled = true;
    slot->doomed = end;
    auto(msg_t) cancel = msg_request ("job.cancel");
    pack_key_bool (msg_args (cancel), "end", end);
    actor_send (self->actor, slot->address, &cancel);
    if (slot == &self->async)
        domain_hurry_phases (self);
}

//  Results.

static void take_text (const value_t *result, const char *key, char **text_p)
{
    free (*text_p);
    *text_p = text_copy (value_get_str (result, key));
}

static void take_document (const value_t *result, const char *key, document_t **document_p)
{
    document_destroy (document_p);
    *document_p = document_of_value (value_get (result, key));
}

static void take_past (domain_t *self, const char *text)
{
    error_t err;
    past_jobs_t *past = text ? past_jobs_parse (text, &err) : NULL;
    if (text && !past)
        actor_log (self->actor, LEVEL_WARNING, "domain '%s': %s", self->name, err.message);
    if (!past)
        return;
    past_jobs_destroy (&self->past);
    self->past = past;
}

static void take_loaded (domain_t *self, const value_t *result, const value_t *value)
{
    take_text (value, "name", &self->name);
    self->autostart = self->written_autostart = value_get_bool (value, "autostart", false);
    self->undone = value_get_bool (value, "undone", false);
    self->managed_save = value_get_bool (value, "managed_save", false);
    if (value_get (result, "undo"))
        take_document (result, "undo", &self->undo);
    if (value_count (value_get (value, "snapshots")) > 0)
        take_document (value, "snapshots", &self->snapshots);
    self->snapshots_new = self->snapshots != NULL;
    take_past (self, value_get_str (value, "past"));
}

static void take_definition (domain_t *self, const value_t *result)
{
    take_text (result, "definition", &self->definition);
    take_document (result, "config_summary", &self->config_summary);
}

static void take_live (domain_t *self, const value_t *result)
{
    take_text (result, "live", &self->live);
    take_document (result, "live_summary", &self->live_summary);
    self->id = (int) value_get_i64 (result, "id", -1);
}

//  A guest that ended meanwhile stays ended.
void domain_take_documents (domain_t *self, msg_t **msg_p)
{
    const value_t *args = value_get (msg_root (*msg_p), "args");
    if (!domain_is_our_job (self, *msg_p))
        return;
    take_definition (self, args);
    self->dirty |= DIRTY_DEFINITION;
    if (value_get (args, "live_summary") && domain_active (self)) {
        take_live (self, args);
        self->dirty |= DIRTY_STATUS;
    }
    domain_commit (self, NULL, NULL, NULL);
}

//  Two jobs may be under way, each with a copy: what one did not change is not its to set.
void domain_take_record_of (domain_t *self, const running_t *slot, const char *record)
{
    char **known = &self->known_records[slot == &self->async];
    bool changed = !text_equals (*known, record);
    free (*known);
    *known = text_copy (record);
    if (changed)
        domain_set_record (self, text_copy (record));
}

//  A job knows what it was answered; the guest may have gone on since, as one does that was resumed
//  and whose disk is still full. What it told last is how it is, but for an end.
void domain_take_status (domain_t *self, const running_t *slot, const value_t *from)
{
    const guest_status_t status = { (guest_state_t) value_get_i64 (from, "state", 0),
                                    (int) value_get_i64 (from, "reason", 0) };
    const bool outdated = slot->told.state != STATE_NOSTATE && status.state != STATE_SHUTOFF &&
                          status.state != slot->told.state;
    if (!outdated)
        self->status = status;
    else if (self->status.state != slot->told.state)
        self->status = slot->told;
}

static void take_parts (domain_t *self, const running_t *slot, const value_t *result)
{
    const value_t *value = value_get (result, "value");
    self->finished = self->finished || value_get_bool (value, "finished", false);
    if (value_get (result, "config_summary"))
        take_definition (self, result);
    if (value_get (result, "live_summary"))
        take_live (self, result);
    if (value_get (result, "record"))
        domain_take_record_of (self, slot, value_get_str (result, "record"));
    if (value_get (result, "state"))
        domain_take_status (self, slot, result);
    const uint64_t told = value_get_u64 (result, "balloon_kib", 0);
    self->balloon_kib = told ? told : self->balloon_kib;
    if (value_get_bool (result, "redefined", false))
        self->dirty |= DIRTY_DEFINITION;
    domain_take_backup (self, result);
    if (value_get (result, "checkpoint_list")) {
        take_text (result, "checkpoints", &self->checkpoints);
        take_document (result, "checkpoint_list", &self->checkpoint_list);
    }
    domain_take_blocks (self, result);
    domain_take_device_news (self, result);
    if (self->loading && value_get_str (value, "name"))
        take_loaded (self, result, value);
}

static msg_t *reply_with_value (const domain_t *self, const operation_t *operation,
                                const value_t *value)
{
    msg_t *reply = msg_reply ();
    pack_t *pack = msg_result (reply);
    if (operation->class == CLASS_START && operation->async != ASYNC_MIGRATE_IN) {
        pack_map (pack);
        pack_key_str (pack, "uuid", self->uuid);
        pack_key_str (pack, "name", self->name);
        pack_key_i64 (pack, "id", self->id);
        pack_end (pack);
    } else if (value)
        pack_value (pack, value);
    return reply;
}

//  What changed the domain, or was to, and kept others waiting: in the history as well.
static void note_long (domain_t *self, const running_t *slot, const char *outcome,
                       const error_t *err)
{
    const value_t *by = slot->request ? value_get (msg_root (slot->request), "by") : NULL;
    if (slot != &self->sync || !slot->request || actor_now (self->actor) - slot->since_ms < LONG_MS)
        return;
    const past_job_t past = { .kind = slot->operation->job,
                              .verb = slot->operation->verb,
                              .outcome = outcome,
                              .error = err ? err->message : NULL,
                              .since_us = slot->since_us,
                              .ended_us = actor_wall_clock (self->actor),
                              .asked = by != NULL,
                              .uid = value_get_u64 (by, "uid", 0),
                              .key = value_get_str (by, "key"),
                              .client = value_get_u64 (by, "client", 0) };
    past_jobs_add (self->past, &past);
    self->dirty |= DIRTY_PAST;
}

static void job_succeeded (domain_t *self, running_t *slot, const msg_t *reply)
{
    const operation_t *operation = slot->operation;
    note_long (self, slot, "completed", NULL);
    bool changes = !operation->without_definition;
    char *old_definition = changes ? text_copy (self->definition) : NULL;
    document_t *old_summary = changes ? document_copy (self->config_summary) : NULL;
    bool old_persistent = self->persistent;
    take_parts (self, slot, msg_value (reply));
    if (operation->class == CLASS_START || operation == &domain_unwinding || slot->undoes) {
        document_destroy (&self->undo);
        free (take (&self->recorded_live));
        self->unwindings = 0;
    }
    operation->done (self, slot->request);
    if (value_get (msg_value (reply), "live_summary"))
        domain_agent_follow (self, operation->class == CLASS_START ? AGENT_REASON_STARTED
                                                                   : AGENT_REASON_UNKNOWN);
    bool goes_on = operation->async == ASYNC_BACKUP_BEGIN || operation->async == ASYNC_MIGRATE_IN;
    if (slot == &self->async && !goes_on)
        domain_end_async (self, "completed", NULL);
    auto(msg_t) request = take (&slot->request);
    auto(msg_t) answer =
        request ? reply_with_value (self, operation, value_get (msg_value (reply), "value")) : NULL;
    if (slot == &self->async) {
        domain_end_phases (self);
        *slot = (running_t){ 0 };
    } else
        slot->over = true;
    domain_go_on (self);
    domain_commit_definition (self, &old_definition, &old_summary, old_persistent, &request,
                              &answer, slot == &self->sync ? slot : NULL);
}

//  The guest of a failed start is not there; whatever its job did not undo, another job does.
static void start_failed (domain_t *self)
{
    domain_set_record (self, NULL);
    free (take (&self->recorded_live));
    self->id = -1;
    self->exited = false;
    domain_agent_over (self);
    self->status = (guest_status_t){ STATE_SHUTOFF, SHUTOFF_FAILED };
    self->dirty |= DIRTY_STATUS;
}

//  A hypervisor whose guest has just ended refuses in its own words (qmp_return) what it would have
//  done before.
static void say_that_it_ended (const domain_t *self, const running_t *slot, error_t *err)
{
    bool ended = self->ending.kind != CHANGE_NONE || self->restart_due;
    if (slot == &self->sync && slot->operation->class != CLASS_DESTROY && ended &&
        err->code == ERR_OPERATION_FAILED && strstr (err->message, " refused "))
        error_set (err, ERR_OPERATION_FAILED,
                   "%s of domain '%s' came to nothing: the guest ended meanwhile",
                   slot->operation->job, self->name);
}

static void job_failed (domain_t *self, running_t *slot, const error_t *err)
{
    const operation_t *operation = slot->operation;
    note_long (self, slot, slot->cancelled ? "cancelled" : "failed", err);
    auto(msg_t) request = take (&slot->request);
    //  One that goes back to a snapshot may have failed before it ended what runs.
    bool cancelled = slot->cancelled;
    bool start = operation->class == CLASS_START && !domain_active (self);
    error_t why = *err;
    actor_log (self->actor, LEVEL_WARNING, "domain '%s': %s failed: %s", self->name, operation->job,
               err->message);
    say_that_it_ended (self, slot, &why);
    if (start && !slot->late)
        start_failed (self);
    else
        domain_own_job_failed (self, operation, cancelled, err);
    if (strcmp (operation->verb, "domain.rename") == 0)
        domain_tell_name (self);
    bool open =
        domain_leaves_alone (self, slot, err) || domain_pending_migration (self) != ASYNC_NONE;
    if (slot == &self->async && !open)
        domain_end_async (self, domain_background_failed (self, slot, &why), &why);
    if (!start && (slot->committed || operation->class == CLASS_START))
        domain_look_again (self);
    bool destroyed = start && cancelled && !self->undo;
    if (slot == &self->async)
        domain_end_phases (self);
    *slot = (running_t){ 0 };
    bool again = request && domain_errands_fall_back (self, &request, err);
    auto(msg_t) answer = !request || again              ? NULL
                         : domain_is_given_up (request) ? msg_reply ()
                                                        : msg_error (&why);
    domain_commit (self, &request, &answer, NULL);
    if (destroyed)
        domain_answer_destroys (self);
}

static void job_over (domain_t *self, running_t *slot, const error_t *err)
{
    job_failed (self, slot, err);
    domain_settle (self);
}

//  The job itself has ended now, and its undo with it.
static void on_job_down (actor_t *actor, const char *address, const msg_t *down, void *arg)
{
    (void) address;
    (void) down;
    running_t *slot = arg;
    autofree error_t *err = take (&slot->overdue);
    job_over (actor_state (actor), slot, err);
}

//  Else it is a step of the job that took too long, and the job is over.
static bool is_overdue (const domain_t *self, const running_t *slot)
{
    return actor_now (self->actor) - slot->since_ms >= slot->operation->limit_ms;
}

//  A job may go on after its limit passed: it is cancelled, and nothing else starts before it is
//  over.
static void on_job_done (actor_t *actor, const msg_t *reply, void *arg)
{
    domain_t *self = actor_state (actor);
    running_t *slot = arg;
    if (slot->operation == &domain_loading)
        self->ready_due = true;
    error_t err;
    if (!msg_failed (reply, &err)) {
        job_succeeded (self, slot, reply);
        domain_settle (self);
    } else if (msg_is_late (reply)) {
        slot->late = true;
        error_set (&err, ERR_OPERATION_TIMEOUT,
                   "domain '%s': '%s' was not begun: whoever asked for it does not wait any more",
                   self->name, slot->operation->job);
        job_over (self, slot, &err);
    } else if (err.code == ERR_OPERATION_TIMEOUT && is_overdue (self, slot)) {
        slot->overdue = memory_new (1, sizeof err);
        error_set (slot->overdue, err.code,
                   "domain '%s': '%s' did not end within %d s; it was cancelled, and undone",
                   self->name, slot->operation->job, slot->operation->limit_ms / 1000);
        domain_cancel (self, slot, false);
        actor_watch (actor, slot->address, on_job_down, slot);
    } else
        job_over (self, slot, &err);
}
