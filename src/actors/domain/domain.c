//  domain.c: what a domain's owner is asked, and what it admits.

#include "actors/domain/domain.h"

#include "actors/console/console.h"
#include "actors/services/disk_request.h"
#include "actors/domain/domain_self.h"
#include "actors/jobs/job.h"
#include "drivers/state.h"
#include "util/text.h"

enum {
    CONSOLE_MS = 10000
};

void domain_refuse (domain_t *self, msg_t **request_p, const error_t *err)
{
    actor_reply_error (self->actor, request_p, err);
}

//  Definitions that a job of the host hands over.

static document_t *copy_arg (const msg_t *msg, const char *name)
{
    return document_of_value (msg_arg (msg, name));
}

static void pack_identity (const domain_t *self, pack_t *pack)
{
    pack_map (pack);
    pack_key_str (pack, "uuid", self->uuid);
    pack_key_str (pack, "name", self->name);
    pack_key_i64 (pack, "id", self->id);
    pack_end (pack);
}

static void take_definition (domain_t *self, const msg_t *msg)
{
    free (self->definition);
    document_destroy (&self->config_summary);
    self->definition = text_copy (msg_str (msg, "definition"));
    self->config_summary = copy_arg (msg, "config_summary");
}

//  It may have been renamed since its name was reserved for the definition. One that is nothing yet
//  (new, or its files could not be read) takes the name.
static int take_name (domain_t *self, const msg_t *msg, error_t *err)
{
    const char *name = msg_str (msg, "name");
    if (text_equals (name, self->name))
        return 0;
    if (!self->persistent && !domain_active (self)) {
        free (self->name);
        self->name = text_copy (name);
        return 0;
    }
    return error_set (err, ERR_OPERATION_FAILED,
                      "define domain '%s': it was renamed to '%s' meanwhile; use this name", name,
                      self->name);
}

static void set_definition (domain_t *self, msg_t **msg_p)
{
    error_t err;
    if (take_name (self, *msg_p, &err)) {
        domain_refuse (self, msg_p, &err);
        return;
    }
    char *old_definition = take (&self->definition);
    document_t *old_summary = take (&self->config_summary);
    bool old_persistent = self->persistent;
    take_definition (self, *msg_p);
    self->persistent = true;
    self->dirty |= DIRTY_DEFINITION;
    domain_add_lifecycle (self, EVENT_DEFINED, old_persistent ? DEFINED_UPDATED : DEFINED_ADDED);
    auto(msg_t) reply = msg_reply ();
    pack_identity (self, msg_result (reply));
    domain_commit_definition (self, &old_definition, &old_summary, old_persistent, msg_p, &reply,
                              NULL);
}

//  A guest comes from elsewhere, or with XML of its own. A domain that has a definition keeps it.
static int check_arrival (domain_t *self, const msg_t *msg, const char *what, error_t *err)
{
    if (domain_active (self))
        return error_set (err, ERR_OPERATION_INVALID, "%s domain '%s': it is already running", what,
                          self->name);
    if (take_name (self, msg, err))
        return -1;
    if (!self->persistent)
        take_definition (self, msg);
    return 0;
}

//  As the XML says: of a domain that has a definition, this time only.
static void create_transient (domain_t *self, msg_t **msg_p)
{
    error_t err;
    if (check_arrival (self, *msg_p, "create", &err))
        domain_refuse (self, msg_p, &err);
    else
        domain_run (self, &self->async, domain_operation ("domain.create"), msg_p);
}

//  From a job of the host, which has read the file.
static void restore_from (domain_t *self, msg_t **msg_p)
{
    error_t err;
    if (check_arrival (self, *msg_p, "restore", &err))
        domain_refuse (self, msg_p, &err);
    else
        domain_run (self, &self->async, domain_operation ("domain.restore_from"), msg_p);
}

//  From a job of the host: a guest of another host.
static void receive (domain_t *self, msg_t **msg_p)
{
    error_t err;
    if (check_arrival (self, *msg_p, "receive", &err))
        domain_refuse (self, msg_p, &err);
    else
        domain_run (self, &self->async, domain_operation ("migration.receive"), msg_p);
}

static void set_autostart (domain_t *self, msg_t **msg_p)
{
    error_t err;
    if (!self->persistent) {
        error_set (&err, ERR_OPERATION_INVALID,
                   "domain.autostart: domain '%s' is transient: it has no definition", self->name);
        domain_refuse (self, msg_p, &err);
        return;
    }
    self->autostart = !msg_flag (*msg_p, "disable");
    self->dirty |= DIRTY_AUTOSTART;
    auto(msg_t) reply = msg_reply ();
    domain_commit (self, msg_p, &reply, NULL);
}

static const struct {
    const char *verb;
    verb_class_t class;
    direct_fn *run;
} directs[] = {
    { "definition.set", CLASS_MODIFY, set_definition },
    { "domain.create_transient", CLASS_START, create_transient },
    { "domain.restore_from", CLASS_START, restore_from },
    { "migration.receive", CLASS_START, receive },
    { "domain.autostart", CLASS_MODIFY, set_autostart },
};

direct_fn *domain_direct (const char *verb, verb_class_t *class)
{
    for (size_t i = 0; i < sizeof directs / sizeof *directs; i++)
        if (strcmp (directs[i].verb, verb) == 0) {
            *class = directs[i].class;
            return directs[i].run;
        }
    return NULL;
}

//  Consoles.

typedef struct {
    msg_t *request;
    char address[MSG_ADDRESS_MAX], device[64];
} opening_t;

static void on_console (actor_t *actor, const msg_t *reply, void *arg)
{
    domain_t *self = actor_state (actor);
    opening_t *opening = arg;
    error_t err;
    zlistx_detach (self->openings, zlistx_find (self->openings, opening));
    //  That somebody has it open already is for the console to judge.
    if (msg_failed (reply, &err) && err.code != ERR_OPERATION_INVALID)
        actor_reply_error (actor, &opening->request, &err);
    else {
        auto(msg_t) answer = msg_reply ();
        pack_t *pack = msg_result (answer);
        pack_map (pack);
        pack_key_str (pack, "address", opening->address);
        pack_key_str (pack, "device", opening->device);
        pack_end (pack);
        actor_reply (actor, &opening->request, &answer);
    }
    free (opening);
}

static int find_console (const domain_t *self, const msg_t *msg, console_source_t *source,
                         error_t *err)
{
    if (self->loading)
        return error_set (err, ERR_OPERATION_INVALID,
                          "console.open: domain '%s' is being loaded; try again", self->name);
    if (!domain_active (self))
        return error_set (err, ERR_OPERATION_INVALID, "console.open: domain '%s' is not running",
                          self->name);
    bool channel = msg_flag (msg, "channel");
    if (channel ? !self->driver->channel : !self->driver->console)
        return error_set (err, ERR_NO_SUPPORT, "console.open: the driver '%s' has no %ss",
                          self->driver->name, channel ? "channel" : "console");
    auto(xml_t) live = domain_outline (self->live_summary, err);
    const char *device = msg_str (msg, "device");
    return !live     ? -1
           : channel ? self->driver->channel (live, device, source, err)
                     : self->driver->console (live, device, source, err);
}

static const char *const console_kinds[] = {
    [CONSOLE_PTY] = "pty", [CONSOLE_UNIX] = "unix", [CONSOLE_SIMULATED] = "simulated"
};

static void open_console (domain_t *self, msg_t **msg_p)
{
    console_source_t source;
    error_t err;
    if (find_console (self, *msg_p, &source, &err)) {
        domain_refuse (self, msg_p, &err);
        return;
    }
    opening_t *opening = memory_new (1, sizeof *opening);
    zlistx_add_end (self->openings, opening);
    opening->request = take (msg_p);
    snprintf (opening->device, sizeof opening->device, "%s", source.alias);
    snprintf (opening->address, sizeof opening->address, "console/%s/%.*s", self->uuid, ALIAS_MAX,
              source.alias);
    auto(msg_t) args = msg_request ("open");
    pack_t *pack = msg_args (args);
    config_pack (self->config, pack);
    pack_key_str (pack, "kind", console_kinds[source.kind]);
    pack_key_str (pack, "path", source.path);
    pack_key_str (pack, "uuid", self->uuid);
    pack_key_str (pack, "alias", source.alias);
    pack_key_str (pack, "driver", self->driver->name);
    pack_key_str (pack, "live", self->live);
    actor_spawn (self->actor, opening->address, &console_class, &args, false, CONSOLE_MS,
                 on_console, opening);
}

//  Jobs of ours, and news of the guest.

bool domain_is_our_job (const domain_t *self, const msg_t *msg)
{
    const char *from = msg_head (msg)->from;
    return strcmp (from, self->async.address) == 0 || strcmp (from, self->sync.address) == 0;
}

//  Counters that can't be had fail a start, and the change that asks for them; what else is done
//  with a guest that runs, its end above all, does not depend on them.
static bool needs_counters (const domain_t *self, const msg_t *msg)
{
    bool asynchronous = strcmp (msg_head (msg)->from, self->async.address) == 0;
    const operation_t *operation = (asynchronous ? &self->async : &self->sync)->operation;
    return operation &&
           (operation->class == CLASS_START || text_equals (operation->job, "perf_set"));
}

static void take_record (domain_t *self, msg_t **msg_p)
{
    error_t err;
    bool ours = domain_is_our_job (self, *msg_p);
    if (ours && needs_counters (self, *msg_p) &&
        domain_follow_perf (self, msg_str (*msg_p, "record"), &err)) {
        domain_refuse (self, msg_p, &err);
        return;
    }
    if (!ours) {
        error_set (&err, ERR_OPERATION_INVALID, "%s is no job of domain '%s' any more",
                   msg_head (*msg_p)->from, self->name);
        domain_refuse (self, msg_p, &err);
        return;
    }
    const value_t *undo = msg_arg (*msg_p, "undo");
    bool asynchronous = strcmp (msg_head (*msg_p)->from, self->async.address) == 0;
    running_t *slot = asynchronous ? &self->async : &self->sync;
    //  A change that has nothing to undo leaves what an earlier job left.
    if (asynchronous)
        self->async.committed = self->undo && value_count (undo) == 0;
    if (asynchronous || value_count (undo) > 0 || slot->undoes)
        document_destroy (&self->undo);
    slot->undoes = value_count (undo) > 0;
    if (value_count (undo) > 0)
        self->undo = copy_arg (*msg_p, "undo");
    if (asynchronous) {
        free (self->backup);
        self->backup = text_copy (msg_str (*msg_p, "backup"));
    }
    domain_take_record_of (self, slot, msg_str (*msg_p, "record"));
    free (self->recorded_live);
    self->recorded_live = text_copy (msg_str (*msg_p, "live"));
    self->recorded_id = (int) msg_i64 (*msg_p, "id", -1);
    self->recorded_status.state = (guest_state_t) msg_i64 (*msg_p, "state", STATE_SHUTOFF);
    self->recorded_status.reason = (int) msg_i64 (*msg_p, "reason", 0);
    self->dirty |= DIRTY_STATUS | (self->past_due ? DIRTY_PAST : 0u);
    self->past_due = false;
    auto(msg_t) reply = msg_reply ();
    domain_commit_record (self, msg_p, &reply);
}

//  From a job that goes back to a snapshot: the guest is over, and what comes next is a start.
static void take_guest_over (domain_t *self, msg_t **msg_p)
{
    auto(msg_t) reply = msg_reply ();
    if (domain_is_our_job (self, *msg_p) && domain_active (self))
        domain_set_inactive (self, (guest_status_t){ STATE_SHUTOFF, SHUTOFF_FROM_SNAPSHOT },
                             STOPPED_FROM_SNAPSHOT);
    domain_commit (self, msg_p, &reply, NULL);
}

static void take_snapshots (domain_t *self, msg_t **msg_p)
{
    if (!domain_is_our_job (self, *msg_p))
        return;
    document_destroy (&self->snapshots);
    if (value_count (msg_arg (*msg_p, "snapshots")) > 0)
        self->snapshots = copy_arg (*msg_p, "snapshots");
    self->snapshots_new = true;
}

//  The file says whether there is one, also after a start that dropped it and failed.
static void take_managed_save (domain_t *self, msg_t **msg_p)
{
    if (domain_is_our_job (self, *msg_p))
        self->managed_save = msg_flag (*msg_p, "there");
}

static void take_undone (domain_t *self, msg_t **msg_p)
{
    if (!domain_is_our_job (self, *msg_p))
        return;
    document_destroy (&self->undo);
    self->dirty |= DIRTY_STATUS;
}

static void take_written (domain_t *self, msg_t **msg_p)
{
    if (strcmp (msg_head (*msg_p)->from, self->async.address) != 0 || !domain_active (self))
        return;
    self->async.written = true;
    if (msg_arg (*msg_p, "state"))
        domain_take_status (self, &self->async, value_get (msg_root (*msg_p), "args"));
    domain_commit (self, NULL, NULL, NULL);
    domain_pump (self);
}

static void take_progress (domain_t *self, msg_t **msg_p)
{
    if (!domain_is_our_job (self, *msg_p))
        return;
    document_destroy (&self->progress);
    self->progress = document_of_value (value_get (msg_root (*msg_p), "args"));
    domain_commit (self, NULL, NULL, NULL);
}

static void take_poweroff (domain_t *self, msg_t **msg_p)
{
    (void) msg_p;
    guest_change_t change = { .kind = CHANGE_ENDED,
                              .status = { STATE_SHUTOFF, SHUTOFF_SHUTDOWN },
                              .event = EVENT_SHUTDOWN,
                              .detail = FINISHED_BY_GUEST };
    domain_take_change (self, &change);
}

static void start_by_itself (domain_t *self, msg_t **msg_p)
{
    (void) msg_p;
    self->autostart_due = true;
    domain_settle (self);
}

static void take_event (domain_t *self, msg_t **msg_p)
{
    domain_take_monitor_event (self, *msg_p);
}

static void take_monitor_end (domain_t *self, msg_t **msg_p)
{
    domain_monitor_lost (self, *msg_p);
}

static void take_silence (domain_t *self, msg_t **msg_p)
{
    domain_take_silence (self, *msg_p);
}

static void take_exit (domain_t *self, msg_t **msg_p)
{
    domain_take_exit (self, *msg_p);
}

//  What is dealt with at once, whatever runs.
static const struct {
    const char *verb;
    direct_fn *run;
} immediate[] = {
    { "domain.usage", domain_measure },
    { "domain.measure", domain_measure },
    { "domain.job_abort", domain_abort },
    { "console.open", open_console },
    { "job.record", take_record },
    { "job.progress", take_progress },
    { "job.undone", take_undone },
    { "monitor.event", take_event },
    { "monitor.closed", take_monitor_end },
    { "process.exited", take_exit },
    { "guest.poweroff", take_poweroff },
    { "host.autostart", start_by_itself },
    { "monitor.silent", take_silence },
    { "migration.wish", domain_tell_wish },
    { "migration.next", domain_take_next },
    { "migration.perform", domain_take_phase },
    { "migration.confirm", domain_take_phase },
    { "migration.forsaken", domain_take_forsaken },
    { "job.finish", domain_take_finish },
    { "job.guest_over", take_guest_over },
    { "job.written", take_written },
    { "job.snapshots", take_snapshots },
    { "job.managed_save", take_managed_save },
    { "job.documents", domain_take_documents },
};

//  After too many panics: the guest, if there is one, goes on, but nobody touches it.
static void refuse_crashed (domain_t *self, msg_t **msg_p)
{
    error_t err;
    error_set (
        &err, ERR_INTERNAL_ERROR,
        "domain '%s' is out of service since its owner ended too often: %s; restart the daemon",
        self->name, self->crashed);
    domain_refuse (self, msg_p, &err);
}

static void domain_handle (actor_t *actor, msg_t **msg_p)
{
    domain_t *self = actor_state (actor);
    const char *verb = msg_verb (*msg_p);
    verb_class_t class;
    if (self->crashed) {
        refuse_crashed (self, msg_p);
        return;
    }
    for (size_t i = 0; i < sizeof immediate / sizeof *immediate; i++)
        if (strcmp (immediate[i].verb, verb) == 0) {
            immediate[i].run (self, msg_p);
            return;
        }
    if (strcmp (verb, "migration.abandon") == 0 && domain_refuse_abandon (self, msg_p))
        return;
    if (!self->loading && domain_errands_take (self, msg_p))
        return;
    if (domain_operation (verb) || domain_direct (verb, &class) || domain_errand (verb))
        domain_enqueue (self, msg_p);
}

//  Life.

static int domain_start (actor_t *actor, const msg_t *args, error_t *err)
{
    domain_t *self = actor_state (actor);
    self->actor = actor;
    self->config = config_of (args);
    self->driver = driver_by_name (msg_str (args, "driver"));
    self->name = text_copy (msg_str (args, "name"));
    self->id = -1;
    self->status = (guest_status_t){ STATE_SHUTOFF, SHUTOFF_UNKNOWN };
    self->announced = STATE_SHUTOFF;
    self->queue = zlistx_new ();
    self->past = past_jobs_new ();
    self->publications = zlistx_new ();
    self->measuring = zlistx_new ();
    self->errands = zlistx_new ();
    self->openings = zlistx_new ();
    snprintf (self->uuid, sizeof self->uuid, "%s", msg_str (args, "uuid"));
    disk_address (self->uuid, self->disk);
    if (!self->driver)
        return error_set (err, ERR_INTERNAL_ERROR, "domain %s: no driver '%s'", self->uuid,
                          msg_str (args, "driver"));
    self->crashed = text_copy (msg_str (args, "crashed"));
    if (msg_flag (args, "load")) {
        self->loading = self->shown = self->filled = true;
        if (msg_flag (args, "again"))
            domain_reload (self);
        else
            domain_run (self, &self->sync, &domain_loading, NULL);
    }
    return 0;
}

static void slot_close (running_t *slot)
{
    msg_destroy (&slot->request);
    free (slot->overdue);
}

static void domain_stop (actor_t *actor)
{
    domain_t *self = actor_state (actor);
    waiting_t *waiting;
    while (self->queue && (waiting = zlistx_detach (self->queue, NULL)))
        waiting_destroy (&waiting);
    measurement_t *measurement;
    while (self->measuring && (measurement = zlistx_detach (self->measuring, NULL)))
        measurement_destroy (&measurement);
    opening_t *opening;
    while (self->openings && (opening = zlistx_detach (self->openings, NULL))) {
        msg_destroy (&opening->request);
        free (opening);
    }
    zlistx_destroy (&self->openings);
    domain_agent_close (self);
    if (self->publications)
        domain_drop_publications (self);
    zlistx_destroy (&self->queue);
    zlistx_destroy (&self->publications);
    zlistx_destroy (&self->measuring);
    slot_close (&self->async);
    slot_close (&self->sync);
    domain_end_phases (self);
    document_destroy (&self->config_summary);
    document_destroy (&self->live_summary);
    document_destroy (&self->undo);
    document_destroy (&self->usage);
    document_destroy (&self->meter);
    document_destroy (&self->stats);
    document_destroy (&self->snapshots);
    free (self->crashed);
    free (self->name);
    free (self->old_name);
    free (self->definition);
    free (self->live);
    domain_set_record (self, NULL);
    free (self->known_records[0]);
    free (self->known_records[1]);
    free (self->recorded_live);
    free (self->backup);
    free (self->backup_xml);
    free (self->checkpoints);
    document_destroy (&self->checkpoint_list);
    document_destroy (&self->progress);
    document_destroy (&self->blocks);
    strings_destroy (&self->gone);
    past_jobs_destroy (&self->past);
}

const actor_class_t domain_class = { .kind = "domain",
                                     .state_size = sizeof (domain_t),
                                     .max_requests = DOMAIN_MAX_REQUESTS,
                                     .stop_rank = 1,
                                     .start = domain_start,
                                     .handle = domain_handle,
                                     .stop = domain_stop };
