//  domain_operations.c: the table of what runs as a job on a domain, and what is new once it is
//  done.

#include "actors/domain/domain_self.h"
#include "drivers/state.h"
#include "util/text.h"

enum {
    SHORT_MS = 60000,
    START_MS = 300000,
    DESTROY_MS = 120000,
    BEGIN_MS = 600000,     //  large files are made, the guest's disks flushed, its vcpus unplugged
    LONG_MS = 24 * 3600000 //  as much memory as there is, to a slow disk
};

//  What is new once a job is done.

static void tell_started (domain_t *self, int how, int paused)
{
    domain_add_lifecycle (self, EVENT_STARTED, how);
    if (self->status.state == STATE_PAUSED)
        domain_add_lifecycle (self, EVENT_SUSPENDED, paused);
    self->dirty |= DIRTY_STATUS;
}

static void done_start (domain_t *self, const msg_t *request)
{
    (void) request;
    bool restored = self->managed_save; //  as the job found it; it is used once
    self->managed_save = false;
    tell_started (self, restored ? STARTED_RESTORED : STARTED_BOOTED,
                  restored ? SUSPENDED_RESTORED : SUSPENDED_PAUSED);
    actor_log (self->actor, LEVEL_INFO, "domain '%s' %s with id %d", self->name,
               restored ? "restored" : "started", self->id);
}

static void done_restore (domain_t *self, const msg_t *request)
{
    tell_started (self, STARTED_RESTORED, SUSPENDED_RESTORED);
    actor_log (self->actor, LEVEL_INFO, "domain '%s' restored from '%s' with id %d", self->name,
               msg_str (request, "path"), self->id);
}

static void done_save (domain_t *self, const msg_t *request)
{
    (void) request;
    domain_set_inactive (self, (guest_status_t){ STATE_SHUTOFF, SHUTOFF_SAVED }, STOPPED_SAVED);
}

static void done_nothing (domain_t *self, const msg_t *request)
{
    (void) self;
    (void) request;
}

static void done_dump (domain_t *self, const msg_t *request)
{
    if (msg_flag (request, "crash"))
        domain_set_inactive (self, (guest_status_t){ STATE_SHUTOFF, SHUTOFF_CRASHED },
                             STOPPED_CRASHED);
    self->dirty |= DIRTY_STATUS;
}

static void done_snapshot_create (domain_t *self, const msg_t *request)
{
    if (msg_flag (request, "halt") && !msg_flag (request, "redefine"))
        domain_set_inactive (self, (guest_status_t){ STATE_SHUTOFF, SHUTOFF_FROM_SNAPSHOT },
                             STOPPED_FROM_SNAPSHOT);
    self->dirty |= self->live ? DIRTY_STATUS : 0u;
}

static void done_snapshot_revert (domain_t *self, const msg_t *request)
{
    (void) request;
    if (self->persistent) {
        self->dirty |= DIRTY_DEFINITION;
        domain_add_lifecycle (self, EVENT_DEFINED, DEFINED_FROM_SNAPSHOT);
    }
    self->dirty |= DIRTY_STATUS;
    if (self->live)
        tell_started (self, STARTED_FROM_SNAPSHOT, SUSPENDED_FROM_SNAPSHOT);
    actor_log (self->actor, LEVEL_INFO, "domain '%s' is back at snapshot '%s'", self->name,
               msg_str (request, "snapshot"));
}

static void done_live (domain_t *self, const msg_t *request)
{
    (void) request;
    self->dirty |= DIRTY_STATUS;
}

static void done_ports (domain_t *self, const msg_t *request)
{
    done_live (self, request);
    domain_agent_ports_written (self);
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

void domain_end_past (domain_t *self)
{
    guest_status_t status = self->status;
    //  The end that a job meant, after its commit.
    bool saved = status.state == STATE_SHUTOFF &&
                 (status.reason == SHUTOFF_SAVED || status.reason == SHUTOFF_FROM_SNAPSHOT);
    error_t err;
    if (!past_jobs_is_open (self->past))
        return;
    error_set (&err, ERR_OPERATION_ABORTED,
               "the daemon, or its part for this domain, ended meanwhile");
    domain_end_async (self,
                      saved || self->finished ? "completed"
                      : self->undone          ? "rolled back after daemon restart"
                                              : "interrupted by daemon restart",
                      saved || self->finished ? NULL : &err);
    self->finished = false;
}

static void done_adopt (domain_t *self, const msg_t *request)
{
    (void) request;
    domain_set_silence (self, 0);
    self->dirty |= DIRTY_STATUS;
    //  One that crashed is there to be looked at: else its driver ended it.
    if (self->status.state == STATE_SHUTOFF)
        self->ending = (guest_change_t){ .kind = CHANGE_ENDED, .status = self->status };
    if (self->ending.kind != CHANGE_NONE && domain_end_is_open (self)) {
        self->exited = true;
        self->status = (guest_status_t){ STATE_PAUSED, PAUSED_MIGRATION };
    }
    bool goes_on = self->backup && self->ending.kind == CHANGE_NONE;
    actor_log (self->actor, LEVEL_INFO, "domain '%s': found %s (%s)", self->name,
               state_name (self->status.state),
               state_reason_name (self->status.state, self->status.reason));
    if (!goes_on && domain_pending_migration (self) == ASYNC_NONE)
        domain_end_past (self);
    domain_blocks_adopted (self);
}

static void done_load (domain_t *self, const msg_t *request)
{
    (void) request;
    self->loading = false;
    self->persistent = self->definition != NULL;
    if (self->undone)
        self->dirty |= DIRTY_STATUS;
    self->adoption_wanted = self->live != NULL;
    if (!self->live && !self->undo)
        domain_end_past (self);
}

static void done_unwind (domain_t *self, const msg_t *request)
{
    (void) request;
    self->dirty |= DIRTY_STATUS;
    if (!domain_active (self))
        domain_end_past (self); //  else once it is adopted
}

static void done_undefine (domain_t *self, const msg_t *request)
{
    (void) request;
    self->persistent = false;
    self->autostart = false;
    self->managed_save = false;
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

//  Either document, or both.
static void done_documents (domain_t *self, const msg_t *request)
{
    (void) request;
    self->dirty |= (self->persistent ? DIRTY_DEFINITION : 0u) | (self->live ? DIRTY_STATUS : 0u);
}

static void pack_metadata_event (pack_t *pack, const void *arg)
{
    const msg_t *request = arg;
    pack_key_str (pack, "type", msg_str (request, "type"));
    pack_key_str (pack, "uri", msg_str (request, "uri"));
}

static void done_metadata (domain_t *self, const msg_t *request)
{
    done_documents (self, request);
    domain_add_event (self, "domain.metadata", pack_metadata_event, request);
}

static void done_tuned (domain_t *self, const msg_t *request)
{
    done_documents (self, request);
    domain_tell_tuned (self, request);
}

//  What users ask for. The job needs no inactive document unless it works on it.
static const operation_t operations[] = {
    { "domain.create", CLASS_START, ASYNC_START, "start", NEED_INACTIVE | NEED_PERSISTENT, LONG_MS,
      false, done_start },
    { "domain.restore_from", CLASS_START, ASYNC_START, "restore", NEED_INACTIVE, LONG_MS, false,
      done_restore },
    { "domain.save", CLASS_JOB, ASYNC_SAVE, "save", NEED_ACTIVE, LONG_MS, false, done_save },
    { "domain.managed_save", CLASS_JOB, ASYNC_SAVE, "managed_save", NEED_ACTIVE | NEED_PERSISTENT,
      LONG_MS, false, done_save },
    { "domain.managed_save_remove", CLASS_MODIFY, ASYNC_NONE, "managed_save_remove",
      NEED_PERSISTENT | NEED_INACTIVE, SHORT_MS, true, done_nothing },
    { "domain.managed_save_xml", CLASS_MODIFY, ASYNC_NONE, "image_xml", NEED_PERSISTENT, SHORT_MS,
      true, done_nothing },
    { "domain.managed_save_define", CLASS_MODIFY, ASYNC_NONE, "image_define", NEED_PERSISTENT,
      SHORT_MS, true, done_nothing },
    { "domain.dump", CLASS_JOB, ASYNC_DUMP, "dump", NEED_ACTIVE, LONG_MS, true, done_dump },
    { "snapshot.create", CLASS_JOB, ASYNC_SNAPSHOT, "snapshot_create", 0, LONG_MS, false,
      done_snapshot_create },
    { "snapshot.delete", CLASS_JOB, ASYNC_SNAPSHOT, "snapshot_delete", 0, LONG_MS, false,
      done_live },
    { "snapshot.revert", CLASS_START, ASYNC_START, "snapshot_revert", 0, LONG_MS, false,
      done_snapshot_revert },
    { "domain.migrate", CLASS_JOB, ASYNC_MIGRATE_OUT, "migrate", NEED_ACTIVE, LONG_MS, false,
      domain_done_migrate },
    { "migration.begin", CLASS_JOB, ASYNC_MIGRATE_OUT, "migrate", NEED_ACTIVE, LONG_MS, false,
      domain_done_migrate },
    { "domain.migrate_offline", CLASS_MODIFY, ASYNC_NONE, "migrate_offline", NEED_PERSISTENT,
      START_MS, false, domain_done_migrate_offline },
    { "migration.definition", CLASS_MODIFY, ASYNC_NONE, "migrate_definition", NEED_PERSISTENT,
      SHORT_MS, false, done_nothing },
    { "domain.migrate_tune", CLASS_LIMITS, ASYNC_NONE, "migrate_tune", NEED_ACTIVE, SHORT_MS, true,
      done_nothing },
    { "domain.migrate_resume", CLASS_MIGRATION, ASYNC_NONE, "migrate_resume", NEED_ACTIVE, START_MS,
      true, done_nothing },
    { "migration.recover", CLASS_MODIFY, ASYNC_NONE, "migrate_recover", NEED_ACTIVE, SHORT_MS, true,
      done_nothing },
    { "migration.receive", CLASS_START, ASYNC_MIGRATE_IN, "migrate_receive", NEED_INACTIVE, LONG_MS,
      false, domain_done_receive },
    { "migration.finish", CLASS_MIGRATION, ASYNC_NONE, "migrate_finish", NEED_ACTIVE, START_MS,
      false, domain_done_take },
    { "migration.abandon", CLASS_DESTROY, ASYNC_NONE, "migrate_abandon", 0, DESTROY_MS, true,
      domain_done_abandon },
    { "network.plugged", CLASS_MODIFY, ASYNC_NONE, "plug_again", NEED_ACTIVE, SHORT_MS, true,
      done_nothing },
    { "domain.screenshot", CLASS_MODIFY, ASYNC_NONE, "screenshot", NEED_ACTIVE, SHORT_MS, true,
      done_live },
    { "domain.memory_peek", CLASS_MODIFY, ASYNC_NONE, "memory_peek", NEED_ACTIVE, SHORT_MS, true,
      done_live },
    { "domain.block_peek", CLASS_MODIFY, ASYNC_NONE, "block_peek", 0, SHORT_MS, false,
      done_nothing },
    { "domain.block_resize", CLASS_MODIFY, ASYNC_NONE, "block_resize", NEED_ACTIVE, DESTROY_MS,
      true, done_nothing },
    { "domain.block_info", CLASS_MODIFY, ASYNC_NONE, "block_info", 0, SHORT_MS, false,
      done_nothing },
    { "domain.block_copy", CLASS_MODIFY, ASYNC_NONE, "block_copy", NEED_ACTIVE, DESTROY_MS, true,
      done_live },
    { "domain.block_commit", CLASS_MODIFY, ASYNC_NONE, "block_commit", NEED_ACTIVE, DESTROY_MS,
      true, done_live },
    { "domain.block_pull", CLASS_MODIFY, ASYNC_NONE, "block_pull", NEED_ACTIVE, DESTROY_MS, true,
      done_live },
    { "domain.block_abort", CLASS_MODIFY, ASYNC_NONE, "block_abort", NEED_ACTIVE, DESTROY_MS, false,
      done_live },
    { "domain.block_speed", CLASS_MODIFY, ASYNC_NONE, "block_speed", NEED_ACTIVE, SHORT_MS, true,
      done_live },
    { "domain.device_attach", CLASS_HOTPLUG, ASYNC_NONE, "device_attach", 0, LONG_MS, false,
      done_documents },
    { "domain.device_detach", CLASS_HOTPLUG, ASYNC_NONE, "device_detach", 0, DESTROY_MS, false,
      done_documents },
    { "domain.device_update", CLASS_HOTPLUG, ASYNC_NONE, "device_update", 0, DESTROY_MS, false,
      done_documents },
    { "domain.backup_begin", CLASS_JOB, ASYNC_BACKUP_BEGIN, "backup", NEED_ACTIVE, BEGIN_MS, false,
      done_live },
    { "checkpoint.create", CLASS_MODIFY, ASYNC_NONE, "checkpoint_create", 0, DESTROY_MS, true,
      done_live },
    { "checkpoint.delete", CLASS_MODIFY, ASYNC_NONE, "checkpoint_delete", 0, DESTROY_MS, true,
      done_live },
    { "checkpoint.measure", CLASS_MODIFY, ASYNC_NONE, "checkpoint_measure", NEED_ACTIVE, SHORT_MS,
      true, done_live },
    { "domain.shutdown", CLASS_MODIFY, ASYNC_NONE, "shutdown", NEED_ACTIVE, SHORT_MS, false,
      done_live },
    { "domain.reboot", CLASS_MODIFY, ASYNC_NONE, "reboot", NEED_ACTIVE, SHORT_MS, true,
      done_reboot },
    { "domain.reset", CLASS_MODIFY, ASYNC_NONE, "reset", NEED_ACTIVE, SHORT_MS, true, done_reboot },
    { "domain.suspend", CLASS_SUSPEND, ASYNC_NONE, "suspend", NEED_ACTIVE, SHORT_MS, true,
      done_suspend },
    { "domain.resume", CLASS_SUSPEND, ASYNC_NONE, "resume", NEED_ACTIVE, SHORT_MS, true,
      done_resume },
    { "domain.destroy", CLASS_DESTROY, ASYNC_NONE, "destroy", NEED_ACTIVE, DESTROY_MS, false,
      done_destroy },
    { "domain.undefine", CLASS_MODIFY, ASYNC_NONE, "undefine", NEED_PERSISTENT, SHORT_MS, false,
      done_undefine },
    { "domain.rename", CLASS_MODIFY, ASYNC_NONE, "rename", NEED_PERSISTENT | NEED_INACTIVE,
      SHORT_MS, false, done_rename },
    { "domain.metadata_set", CLASS_MODIFY, ASYNC_NONE, "metadata_set", 0, SHORT_MS, false,
      done_metadata },
    { "domain.perf_set", CLASS_MODIFY, ASYNC_NONE, "perf_set", 0, SHORT_MS, false, done_documents },
    { "domain.memory_set", CLASS_MODIFY, ASYNC_NONE, "set_memory", 0, SHORT_MS, false,
      done_documents },
    { "domain.vcpus_set", CLASS_HOTPLUG, ASYNC_NONE, "set_vcpus", 0, BEGIN_MS, false,
      done_documents },
    { "domain.vcpu_set", CLASS_HOTPLUG, ASYNC_NONE, "set_vcpu", 0, BEGIN_MS, false,
      done_documents },
    { "domain.memory_parameters_set", CLASS_MODIFY, ASYNC_NONE, "tune_memory", 0, SHORT_MS, false,
      done_documents },
    { "domain.blkio_parameters_set", CLASS_MODIFY, ASYNC_NONE, "tune_blkio", 0, SHORT_MS, false,
      done_documents },
    { "domain.numa_parameters_set", CLASS_MODIFY, ASYNC_NONE, "tune_numa", 0, SHORT_MS, false,
      done_documents },
    { "domain.scheduler_parameters_set", CLASS_MODIFY, ASYNC_NONE, "tune_scheduler", 0, SHORT_MS,
      false, done_tuned },
    { "domain.vcpu_pin", CLASS_MODIFY, ASYNC_NONE, "pin_vcpu", 0, SHORT_MS, false, done_tuned },
    { "domain.emulator_pin", CLASS_MODIFY, ASYNC_NONE, "pin_emulator", 0, SHORT_MS, false,
      done_tuned },
    { "domain.iothread_pin", CLASS_MODIFY, ASYNC_NONE, "pin_iothread", 0, SHORT_MS, false,
      done_tuned },
    { "domain.block_io_parameters_set", CLASS_MODIFY, ASYNC_NONE, "block_tune", 0, SHORT_MS, false,
      done_tuned },
    { "domain.interface_parameters_set", CLASS_MODIFY, ASYNC_NONE, "interface_tune", 0, SHORT_MS,
      false, done_documents },
    { "domain.memory_period_set", CLASS_MODIFY, ASYNC_NONE, "memory_period", 0, SHORT_MS, false,
      done_documents },
    { "domain.iothread_add", CLASS_MODIFY, ASYNC_NONE, "iothread_add", 0, SHORT_MS, false,
      done_documents },
    { "domain.iothread_delete", CLASS_MODIFY, ASYNC_NONE, "iothread_delete", 0, SHORT_MS, false,
      done_documents },
    { "domain.iothread_set", CLASS_MODIFY, ASYNC_NONE, "iothread_set", 0, SHORT_MS, false,
      done_documents },
    { "domain.send_key", CLASS_MODIFY, ASYNC_NONE, "control.send_key", NEED_ACTIVE, SHORT_MS, true,
      done_nothing },
    { "domain.inject_nmi", CLASS_MODIFY, ASYNC_NONE, "control.inject_nmi", NEED_ACTIVE, SHORT_MS,
      true, done_nothing },
    { "domain.pm_wakeup", CLASS_MODIFY, ASYNC_NONE, "control.wake", NEED_ACTIVE, SHORT_MS, true,
      done_nothing },
    { "domain.dirty_rate_start", CLASS_MODIFY, ASYNC_NONE, "control.dirty_rate", NEED_ACTIVE,
      SHORT_MS, true, done_nothing },
    { "domain.block_threshold_set", CLASS_MODIFY, ASYNC_NONE, "control.block_threshold",
      NEED_ACTIVE, SHORT_MS, true, done_nothing },
    { "domain.lifecycle_action_set", CLASS_MODIFY, ASYNC_NONE, "lifecycle_action", 0, SHORT_MS,
      false, done_documents },
    { "domain.monitor_command", CLASS_MODIFY, ASYNC_NONE, "monitor_command", NEED_ACTIVE, SHORT_MS,
      true, done_live },
    { "domain.agent_timeout_set", CLASS_MODIFY, ASYNC_NONE, "agent_timeout", NEED_ACTIVE, SHORT_MS,
      true, done_live },
    { "domain.open_graphics", CLASS_MODIFY, ASYNC_NONE, "control.open_graphics", NEED_ACTIVE,
      SHORT_MS, true, done_nothing },
    { "domain.send_signal", CLASS_MODIFY, ASYNC_NONE, "send_signal", NEED_ACTIVE, SHORT_MS, true,
      done_nothing },
    { "domain.enter", CLASS_MODIFY, ASYNC_NONE, "enter", NEED_ACTIVE, SHORT_MS, true,
      done_nothing },
    //  From the job that has the agent shut the guest down.
    { "guest.no_restart", CLASS_MODIFY, ASYNC_NONE, "no_restart", NEED_ACTIVE, SHORT_MS, false,
      done_live },
};

//  virDomainJobOperation, by what runs; the first row that fits counts.
static const struct {
    async_kind_t async;
    const char *job; //  NULL: any
    int number;
} job_numbers[] = {
    { ASYNC_START, "restore", 3 }, { ASYNC_START, NULL, 1 },       { ASYNC_SAVE, NULL, 2 },
    { ASYNC_MIGRATE_IN, NULL, 4 }, { ASYNC_MIGRATE_OUT, NULL, 5 }, { ASYNC_SNAPSHOT, NULL, 6 },
    { ASYNC_DUMP, NULL, 8 },       { ASYNC_BACKUP, NULL, 9 },      { ASYNC_BACKUP_BEGIN, NULL, 9 },
};

int domain_job_number (const char *verb)
{
    const operation_t *operation = verb ? domain_operation (verb) : NULL;
    for (size_t i = 0; operation && i < sizeof job_numbers / sizeof *job_numbers; i++)
        if (job_numbers[i].async == operation->async &&
            (!job_numbers[i].job || strcmp (job_numbers[i].job, operation->job) == 0))
            return job_numbers[i].number;
    return 0;
}

//  What the owner does by itself.
const operation_t domain_cleanup = { "", CLASS_DESTROY, ASYNC_NONE, "destroy",
                                     0,  DESTROY_MS,    false,      done_cleanup };
const operation_t domain_adoption = { "", CLASS_MODIFY, ASYNC_NONE, "adopt",
                                      0,  SHORT_MS,     false,      done_adopt };
const operation_t domain_loading = { "", CLASS_MODIFY, ASYNC_NONE, "load",
                                     0,  START_MS,     true,       done_load };
const operation_t domain_restart = { "",      CLASS_START, ASYNC_START, "start", NEED_INACTIVE,
                                     LONG_MS, false,       done_start };
const operation_t domain_restart_in_place = { "", CLASS_MODIFY, ASYNC_NONE, "restart",
                                              0,  SHORT_MS,     false,      done_restart };
const operation_t domain_unwinding = { "", CLASS_DESTROY, ASYNC_NONE, "unwind",
                                       0,  DESTROY_MS,    false,      done_unwind };

const operation_t domain_ports = { "", CLASS_MODIFY, ASYNC_NONE, "ports",
                                   0,  SHORT_MS,     true,       done_ports };
const operation_t domain_thawed = { "", CLASS_MODIFY, ASYNC_NONE, "thawed",
                                    0,  SHORT_MS,     true,       done_live };

const operation_t *domain_operation (const char *verb)
{
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        if (strcmp (operations[i].verb, verb) == 0)
            return &operations[i];
    return NULL;
}
