//  domain_jobs.c: the jobs that a domain's owner starts, and what their results change.

#include "actors/domain_self.h"
#include "actors/job.h"
#include "drivers/state.h"
#include "util/text.h"

enum {
    SHORT_MS = 60000,
    START_MS = 300000,
    DESTROY_MS = 120000,
    MEASURE_MS = 200,
    SHOW_MS = 500 //  a change that takes longer is shown among the jobs
};

//  What is new once a job is done.

static void done_start (domain_t *self, const msg_t *request)
{
    domain_add_lifecycle (self, EVENT_STARTED, STARTED_BOOTED);
    if (self->status.state == STATE_PAUSED)
        domain_add_lifecycle (self, EVENT_SUSPENDED, SUSPENDED_PAUSED);
    (void) request;
    self->dirty |= DIRTY_STATUS;
    actor_log (self->actor, LEVEL_INFO, "domain '%s' started with id %d", self->name, self->id);
}

static void done_live (domain_t *self, const msg_t *request)
{
    (void) request;
    self->dirty |= DIRTY_STATUS;
}

static void done_suspend (domain_t *self, const msg_t *request)
{
    (void) request;
    domain_set_status (self, self->status, EVENT_SUSPENDED, SUSPENDED_PAUSED);
}

static void done_resume (domain_t *self, const msg_t *request)
{
    (void) request;
    domain_set_status (self, self->status, EVENT_RESUMED, RESUMED_UNPAUSED);
}

//  QEMU tells of a reset by itself; a simulated guest can't.
static void done_reboot (domain_t *self, const msg_t *request)
{
    (void) request;
    self->dirty |= DIRTY_STATUS;
    if (!self->driver->event)
        domain_add_event (self, "domain.reboot", NULL, NULL);
}

static void done_restart (domain_t *self, const msg_t *request)
{
    (void) request;
    self->restart_due = false;
    self->dirty |= DIRTY_STATUS;
}

static void done_destroy (domain_t *self, const msg_t *request)
{
    (void) request;
    domain_set_inactive (self, (guest_status_t){ STATE_SHUTOFF, SHUTOFF_DESTROYED },
                         STOPPED_DESTROYED);
}

static void done_cleanup (domain_t *self, const msg_t *request)
{
    (void) request;
    guest_change_t ending = self->ending;
    bool said = ending.event == EVENT_STOPPED;
    domain_set_inactive (self, ending.status,
                         said ? ending.detail : state_stopped_detail (&ending.status));
    self->restart_wanted = ending.kind == CHANGE_RESTART && self->definition;
}

static void done_adopt (domain_t *self, const msg_t *request)
{
    (void) request;
    self->dirty |= DIRTY_STATUS;
    if (self->status.state == STATE_SHUTOFF || self->status.state == STATE_CRASHED)
        self->ending = (guest_change_t){ .kind = CHANGE_ENDED, .status = self->status };
    actor_log (self->actor, LEVEL_INFO, "domain '%s': found %s (%s)", self->name,
               state_name (self->status.state),
               state_reason_name (self->status.state, self->status.reason));
}

static void done_load (domain_t *self, const msg_t *request)
{
    (void) request;
    self->loading = false;
    self->persistent = self->definition != NULL;
    if (self->undone)
        self->dirty |= DIRTY_STATUS;
    self->adoption_wanted = self->live != NULL;
}

static void done_unwind (domain_t *self, const msg_t *request)
{
    (void) request;
    self->dirty |= DIRTY_STATUS;
}

static void done_undefine (domain_t *self, const msg_t *request)
{
    (void) request;
    self->persistent = false;
    self->autostart = false;
    self->dirty |= DIRTY_DEFINITION | DIRTY_AUTOSTART;
    domain_add_lifecycle (self, EVENT_UNDEFINED, UNDEFINED_REMOVED);
}

static void done_rename (domain_t *self, const msg_t *request)
{
    domain_add_lifecycle (self, EVENT_UNDEFINED, UNDEFINED_RENAMED);
    self->old_name = take (&self->name);
    self->name = text_copy (msg_str (request, "name"));
    self->dirty |= DIRTY_DEFINITION;
    domain_add_lifecycle (self, EVENT_DEFINED, DEFINED_RENAMED);
}

static void pack_metadata_event (pack_t *pack, const void *arg)
{
    const msg_t *request = arg;
    pack_key_str (pack, "type", msg_str (request, "type"));
    pack_key_str (pack, "uri", msg_str (request, "uri"));
}

static void done_metadata (domain_t *self, const msg_t *request)
{
    self->dirty |= (self->persistent ? DIRTY_DEFINITION : 0u) | (self->live ? DIRTY_STATUS : 0u);
    domain_add_event (self, "domain.metadata", pack_metadata_event, request);
}

//  What users ask for. The job needs no inactive document unless it works on it.
static const operation_t operations[] = {
    { "domain.create", CLASS_START, ASYNC_START, "start", NEED_INACTIVE | NEED_PERSISTENT, START_MS,
      false, done_start },
    { "domain.shutdown", CLASS_MODIFY, ASYNC_NONE, "shutdown", NEED_ACTIVE, SHORT_MS, false,
      done_live },
    { "domain.reboot", CLASS_MODIFY, ASYNC_NONE, "reboot", NEED_ACTIVE, SHORT_MS, true,
      done_reboot },
    { "domain.reset", CLASS_MODIFY, ASYNC_NONE, "reset", NEED_ACTIVE, SHORT_MS, true, done_reboot },
    { "domain.suspend", CLASS_SUSPEND, ASYNC_NONE, "suspend", NEED_ACTIVE, SHORT_MS, true,
      done_suspend },
    { "domain.resume", CLASS_SUSPEND, ASYNC_NONE, "resume", NEED_ACTIVE, SHORT_MS, true,
      done_resume },
    { "domain.destroy", CLASS_DESTROY, ASYNC_NONE, "destroy", NEED_ACTIVE, DESTROY_MS, true,
      done_destroy },
    { "domain.undefine", CLASS_MODIFY, ASYNC_NONE, "undefine", NEED_PERSISTENT, SHORT_MS, false,
      done_undefine },
    { "domain.rename", CLASS_MODIFY, ASYNC_NONE, "rename", NEED_PERSISTENT | NEED_INACTIVE,
      SHORT_MS, false, done_rename },
    { "domain.metadata_set", CLASS_MODIFY, ASYNC_NONE, "metadata_set", 0, SHORT_MS, false,
      done_metadata },
    { "domain.monitor_command", CLASS_MODIFY, ASYNC_NONE, "monitor_command", NEED_ACTIVE, SHORT_MS,
      true, done_live },
};

//  What the owner does by itself.
const operation_t domain_cleanup = { "", CLASS_DESTROY, ASYNC_NONE, "destroy",
                                     0,  DESTROY_MS,    true,       done_cleanup };
const operation_t domain_adoption = { "", CLASS_MODIFY, ASYNC_NONE, "adopt",
                                      0,  SHORT_MS,     false,      done_adopt };
const operation_t domain_loading = { "", CLASS_MODIFY, ASYNC_NONE, "load",
                                     0,  START_MS,     true,       done_load };
const operation_t domain_restart = { "",       CLASS_START, ASYNC_START, "start", NEED_INACTIVE,
                                     START_MS, false,       done_start };
const operation_t domain_restart_in_place = { "", CLASS_MODIFY, ASYNC_NONE, "restart",
                                              0,  SHORT_MS,     false,      done_restart };
const operation_t domain_unwinding = { "", CLASS_DESTROY, ASYNC_NONE, "unwind",
                                       0,  DESTROY_MS,    true,       done_unwind };

const operation_t *domain_operation (const char *verb)
{
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        if (strcmp (operations[i].verb, verb) == 0)
            return &operations[i];
    return NULL;
}

//  Starting a job.

static void pack_guest (const domain_t *self, const operation_t *operation, pack_t *pack)
{
    config_pack (self->config, pack);
    pack_key_str (pack, "kind", operation->job);
    pack_key_str (pack, "owner", actor_address (self->actor));
    pack_key_str (pack, "driver", self->driver->name);
    pack_key_str (pack, "uuid", self->uuid);
    pack_key_str (pack, "name", self->name);
    pack_key_i64 (pack, "id", self->id);
    pack_key_i64 (pack, "state", self->status.state);
    pack_key_i64 (pack, "reason", self->status.reason);
    pack_key_bool (pack, "transient", !self->persistent);
    pack_key_str (pack, "definition", operation->without_definition ? NULL : self->definition);
    pack_key_str (pack, "live", self->live);
    pack_key_str (pack, "record", self->record);
}

static msg_t *job_arguments (const domain_t *self, const operation_t *operation,
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
    if (operation == &domain_unwinding && self->undo) {
        pack_key (pack, "undo");
        pack_value (pack, document_root (self->undo));
    }
    return args;
}

static void on_job_done (actor_t *actor, const msg_t *reply, void *arg);

static void forget_progress (domain_t *self)
{
    free (self->job_step);
    self->job_step = NULL;
    self->job_done = self->job_total = 0;
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
    slot->cancelled = false;
    if (operation->async != ASYNC_NONE)
        forget_progress (self);
    slot->since_us = actor_wall_clock (self->actor);
    slot->since_ms = actor_now (self->actor);
    snprintf (slot->address, sizeof slot->address, "job/%s/%llu", self->uuid,
              (unsigned long long) ++self->job_count);
    if (slot->request)
        actor_admit (self->actor, slot->request, operation->limit_ms + 10000);
    auto(msg_t) args = job_arguments (self, operation, slot->request);
    actor_spawn (self->actor, slot->address, &job_class, &args, false, operation->limit_ms,
                 on_job_done, slot);
    show_job (self, slot);
}

void domain_cancel (domain_t *self, running_t *slot)
{
    if (!slot->operation || slot->cancelled)
        return;
    slot->cancelled = true;
    auto(msg_t) cancel = msg_request ("job.cancel");
    actor_send (self->actor, slot->address, &cancel);
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

static void take_parts (domain_t *self, const value_t *result)
{
    const value_t *value = value_get (result, "value");
    if (value_get (result, "config_summary")) {
        take_text (result, "definition", &self->definition);
        take_document (result, "config_summary", &self->config_summary);
    }
    if (value_get (result, "live_summary")) {
        take_text (result, "live", &self->live);
        take_document (result, "live_summary", &self->live_summary);
        self->id = (int) value_get_i64 (result, "id", -1);
    }
    if (value_get (result, "record"))
        take_text (result, "record", &self->record);
    if (value_get (result, "state")) {
        self->status.state = (guest_state_t) value_get_i64 (result, "state", 0);
        self->status.reason = (int) value_get_i64 (result, "reason", 0);
    }
    if (self->loading && value_get_str (value, "name")) {
        take_text (value, "name", &self->name);
        self->autostart = self->written_autostart = value_get_bool (value, "autostart", false);
        self->undone = value_get_bool (value, "undone", false);
        if (value_get (result, "undo"))
            take_document (result, "undo", &self->undo);
    }
}

static msg_t *reply_with_value (const domain_t *self, const operation_t *operation,
                                const value_t *value)
{
    msg_t *reply = msg_reply ();
    pack_t *pack = msg_result (reply);
    if (operation->class == CLASS_START) {
        pack_map (pack);
        pack_key_str (pack, "uuid", self->uuid);
        pack_key_str (pack, "name", self->name);
        pack_key_i64 (pack, "id", self->id);
        pack_end (pack);
    } else if (value)
        pack_value (pack, value);
    return reply;
}

static void job_succeeded (domain_t *self, running_t *slot, const msg_t *reply)
{
    const operation_t *operation = slot->operation;
    bool changes = !operation->without_definition;
    char *old_definition = changes ? text_copy (self->definition) : NULL;
    document_t *old_summary = changes ? document_copy (self->config_summary) : NULL;
    bool old_persistent = self->persistent;
    take_parts (self, msg_value (reply));
    if (operation->class == CLASS_START || operation == &domain_unwinding) {
        document_destroy (&self->undo);
        free (take (&self->recorded_live));
        self->unwindings = 0;
    }
    operation->done (self, slot->request);
    auto(msg_t) request = take (&slot->request);
    auto(msg_t) answer =
        request ? reply_with_value (self, operation, value_get (msg_value (reply), "value")) : NULL;
    if (slot == &self->async)
        *slot = (running_t){ 0 };
    else
        slot->over = true;
    domain_commit_definition (self, &old_definition, &old_summary, old_persistent, &request,
                              &answer, slot == &self->sync ? slot : NULL);
}

//  The guest of a failed start is not there; whatever its job did not undo, another job does.
static void start_failed (domain_t *self)
{
    free (self->record);
    free (self->recorded_live);
    self->record = self->recorded_live = NULL;
    self->id = -1;
    self->exited = false;
    self->status = (guest_status_t){ STATE_SHUTOFF, SHUTOFF_FAILED };
    self->dirty |= DIRTY_STATUS;
}

static void job_failed (domain_t *self, running_t *slot, const error_t *err)
{
    const operation_t *operation = slot->operation;
    auto(msg_t) request = take (&slot->request);
    bool cancelled = slot->cancelled, start = operation->class == CLASS_START;
    actor_log (self->actor, LEVEL_WARNING, "domain '%s': %s failed: %s", self->name, operation->job,
               err->message);
    if (start)
        start_failed (self);
    else
        domain_own_job_failed (self, operation, cancelled, err);
    if (operation->done == done_rename)
        domain_tell_name (self);
    bool destroyed = start && cancelled && !self->undo;
    *slot = (running_t){ 0 };
    auto(msg_t) answer = request ? msg_error (err) : NULL;
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
    } else if (err.code == ERR_OPERATION_TIMEOUT && is_overdue (self, slot)) {
        slot->overdue = memory_new (1, sizeof err);
        error_set (slot->overdue, err.code,
                   "domain '%s': '%s' did not end within %d s; it was cancelled, and undone",
                   self->name, slot->operation->job, slot->operation->limit_ms / 1000);
        domain_cancel (self, slot);
        actor_watch (actor, slot->address, on_job_down, slot);
    } else
        job_over (self, slot, &err);
}

//  Measurements: beside everything, with a budget; what does not answer in time is answered from
//  the last known values.

static void keep_usage (domain_t *self, const msg_t *reply)
{
    take_document (msg_value (reply), "value", &self->usage);
}

static void pack_stale (const domain_t *self, pack_t *pack)
{
    const value_t *usage = self->usage ? document_root (self->usage) : NULL;
    pack_map (pack);
    for (size_t i = 0; i < value_count (usage); i++) {
        const char *key = value_key_at (usage, i);
        pack_key (pack, key);
        if (strcmp (key, "stale") == 0)
            pack_bool (pack, true);
        else
            pack_value (pack, value_val_at (usage, i));
    }
    if (!usage)
        pack_key_bool (pack, "stale", true);
    pack_end (pack);
}

void measurement_destroy (measurement_t **self_p)
{
    measurement_t *self = take (self_p);
    msg_destroy (&self->request);
    free (self);
}

static void answer_measured (domain_t *self, msg_t **request_p, const msg_t *reply)
{
    auto(msg_t) answer = msg_reply ();
    error_t err;
    if (!msg_failed (reply, &err)) {
        keep_usage (self, reply);
        pack_value (msg_result (answer), document_root (self->usage));
    } else if (err.code == ERR_OPERATION_TIMEOUT && self->usage)
        pack_stale (self, msg_result (answer));
    else {
        if (err.code == ERR_OPERATION_TIMEOUT)
            error_set (&err, err.code,
                       "domain '%s': its hypervisor did not answer within the budget, and nothing "
                       "was measured before",
                       self->name);
        actor_reply_error (self->actor, request_p, &err);
        return;
    }
    actor_reply (self->actor, request_p, &answer);
}

static void on_measured (actor_t *actor, const msg_t *reply, void *arg)
{
    domain_t *self = actor_state (actor);
    measurement_t *measurement = arg;
    zlistx_detach (self->measuring, zlistx_find (self->measuring, measurement));
    answer_measured (self, &measurement->request, reply);
    //  Past its budget, the job is of no use to anybody.
    actor_stop (actor, measurement->address);
    measurement_destroy (&measurement);
}

static const operation_t measuring = { "", CLASS_QUERY, ASYNC_NONE, "usage",
                                       0,  MEASURE_MS,  true,       NULL };

void domain_measure (domain_t *self, msg_t **request_p)
{
    if (!domain_active (self)) {
        error_t err;
        error_set (&err, ERR_OPERATION_INVALID, "domain.usage: domain '%s' is not running",
                   self->name);
        domain_refuse (self, request_p, &err);
        return;
    }
    measurement_t *measurement = memory_new (1, sizeof *measurement);
    measurement->request = take (request_p);
    uint64_t budget = msg_u64 (measurement->request, "budget", MEASURE_MS);
    if (budget > SHORT_MS)
        budget = SHORT_MS;
    actor_admit (self->actor, measurement->request, (int) budget + 1000);
    zlistx_add_end (self->measuring, measurement);
    snprintf (measurement->address, sizeof measurement->address, "job/%s/%llu", self->uuid,
              (unsigned long long) ++self->job_count);
    auto(msg_t) args = job_arguments (self, &measuring, measurement->request);
    actor_spawn (self->actor, measurement->address, &job_class, &args, false, (int) budget,
                 on_measured, measurement);
}
