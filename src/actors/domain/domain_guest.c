//  domain_guest.c: what the guest does by itself: its hypervisor's events, its end, its restart.

#include "actors/domain/domain_self.h"
#include "drivers/state.h"
#include "util/text.h"

enum {
    LAST_WORDS_MS = 1000,
    RECONNECT_MS = 1000,
    RECONNECT_MAX_MS = 60000,
    RETRY_MS = 5000,
    UNWINDINGS_MAX = 5,
    CRASHES_MAX = 5, //  and starts after them, within
    CRASH_SERIES_MS = 60000
};

bool domain_active (const domain_t *self)
{
    return self->live != NULL;
}

//  An event only when the state is another one: what a job did, QEMU's events tell once more.
void domain_set_status (domain_t *self, guest_status_t status, int event, int detail)
{
    bool other = status.state != self->announced;
    //  An event without a reason does not take away one that is known.
    if (status.state == self->status.state && status.reason == 0)
        status.reason = self->status.reason;
    self->status = status;
    self->announced = status.state;
    self->dirty |= DIRTY_STATUS;
    if (other && event >= 0)
        domain_add_lifecycle (self, event, detail);
}

void domain_set_inactive (domain_t *self, guest_status_t status, int detail)
{
    domain_add_lifecycle (self, EVENT_STOPPED, detail);
    domain_end_migration (self, &status);
    domain_undefine_migrated (self, status);
    free (take (&self->live));
    domain_set_record (self, NULL);
    domain_drop_backup (self);
    domain_drop_blocks (self);
    domain_drop_devices (self);
    document_destroy (&self->live_summary);
    document_destroy (&self->usage);
    document_destroy (&self->stats);
    self->balloon_kib = 0;
    self->id = -1;
    self->status = status;
    self->announced = status.state;
    self->ending = (guest_change_t){ .kind = CHANGE_NONE };
    self->sync.told = self->async.told = (guest_status_t){ STATE_NOSTATE, 0 };
    self->exited = self->restart_due = false;
    self->silent_us = 0;
    domain_agent_over (self);
    actor_timer_cancel (self->actor, &self->due_timer);
    actor_timer_cancel (self->actor, &self->exit_timer);
    actor_timer_cancel (self->actor, &self->retry_monitor);
    self->dirty |= DIRTY_STATUS;
    actor_log (self->actor, LEVEL_INFO, "domain '%s' is %s (%s)", self->name,
               state_name (status.state), state_reason_name (status.state, status.reason));
}

//  The end.

void domain_finish_ending (domain_t *self)
{
    if (self->ending.kind == CHANGE_NONE || !domain_active (self))
        return;
    domain_end_background (self);
    if (self->async.operation || self->retry_cleanup || domain_destroy_waits (self) ||
        domain_end_is_open (self))
        return;
    if (self->sync.operation) {
        //  What still waits for the guest waits in vain.
        if (self->sync.operation->class != CLASS_DESTROY)
            domain_cancel_ended (self, &self->sync);
        return;
    }
    domain_run (self, &self->sync, &domain_cleanup, NULL);
}

static void guest_over (domain_t *self, const guest_change_t *change)
{
    //  The first news counts: the process ends because the guest did.
    if (self->ending.kind == CHANGE_NONE)
        self->ending = *change;
    domain_finish_ending (self);
}

//  It said nothing of an end before its process was gone.
static void exit_is_news (domain_t *self)
{
    //  The hypervisor failed, not the guest: libvirt's event says so, its state does not.
    guest_change_t change = { .kind = CHANGE_ENDED,
                              .status = { STATE_SHUTOFF, SHUTOFF_CRASHED },
                              .event = EVENT_STOPPED,
                              .detail = STOPPED_FAILED };
    guest_over (self, &change);
}

//  The adoption asks how the guest is: of one that is over it ends the process itself, and knows
//  why it is over.
static bool is_asked (const domain_t *self)
{
    return self->sync.operation == &domain_adoption;
}

static void nothing_was_heard (actor_t *actor, void *arg)
{
    (void) arg;
    domain_t *self = actor_state (actor);
    self->exit_timer = 0;
    if (self->exited && is_asked (self))
        self->exit_timer = actor_timer (self->actor, LAST_WORDS_MS, nothing_was_heard, NULL);
    else if (self->exited)
        exit_is_news (self);
}

void domain_take_exit (domain_t *self, const msg_t *msg)
{
    actor_log (self->actor, LEVEL_INFO, "domain '%s': process %s ended with code %lld, signal %lld",
               self->name, msg_str (msg, "process"), (long long) msg_i64 (msg, "code", -1),
               (long long) msg_i64 (msg, "signal", 0));
    //  As canonical text has it; another one is of an earlier start.
    autofree char *identity = text_format ("identity='%s'", msg_str (msg, "process"));
    if (!self->record || !strstr (self->record, identity))
        return;
    self->exited = true;
    //  What it said last may still be on its way from the monitor, whose end comes behind it.
    bool heard = self->ending.kind != CHANGE_NONE || self->retry_monitor || self->async.operation;
    if (heard)
        exit_is_news (self);
    else if (!self->exit_timer)
        self->exit_timer = actor_timer (self->actor, LAST_WORDS_MS, nothing_was_heard, NULL);
}

//  Events of the hypervisor.

//  Numbers of libvirt's API (virDomainEventWatchdogAction, virDomainEventIOErrorAction,
//  virDomainEventGraphicsPhase), in its tools' words.
static const struct {
    change_kind_t kind;
    const char *key;
    const char *words[7];
} change_words[] = {
    { CHANGE_WATCHDOG,
      "action",
      { "none", "pause", "reset", "poweroff", "shutdown", "debug", "inject-nmi" } },
    { CHANGE_IO_ERROR, "action", { "none", "pause", "report" } },
    { CHANGE_GRAPHICS, "phase", { "connect", "initialize", "disconnect" } },
    { CHANGE_TRAY, "tray", { "open", "closed" } },
    { CHANGE_PM, "event", { "wakeup", "suspend", "suspend-disk" } },
    { CHANGE_DEVICE, "event", { "removed" } },
    { CHANGE_UNPLUG_FAILED, "event", { "removal-failed" } },
    { CHANGE_MEMORY_FAILURE, "recipient", { "hypervisor", "guest" } },
};

//  What is told as a number.
static const struct {
    change_kind_t kind;
    const char *key;
} change_numbers[] = {
    { CHANGE_RTC, "offset" },
    { CHANGE_BALLOON, "memory_kib" },
    { CHANGE_WATCHDOG, "number" },
    { CHANGE_IO_ERROR, "number" },
    { CHANGE_GRAPHICS, "number" },
    { CHANGE_TRAY, "number" },
    { CHANGE_THRESHOLD, "threshold" },
    { CHANGE_ITERATION, "iteration" },
    { CHANGE_MEMORY_FAILURE, "number" },
};

static void pack_failure (pack_t *pack, const memory_failure_t *failure)
{
    static const char *const actions[] = { "ignore", "inject", "fatal", "reset" };
    pack_key_str (pack, "action", actions[failure->action]);
    pack_key_i64 (pack, "action_number", failure->action);
    pack_key_bool (pack, "action_required", (failure->flags & MEMORY_FAILURE_REQUIRED) != 0);
    pack_key_bool (pack, "recursive", (failure->flags & MEMORY_FAILURE_RECURSIVE) != 0);
    pack_key_i64 (pack, "flags", failure->flags);
}

static void pack_change (pack_t *pack, const void *arg)
{
    const guest_change_t *change = arg;
    for (size_t i = 0; i < sizeof change_numbers / sizeof *change_numbers; i++)
        if (change_numbers[i].kind == change->kind)
            pack_key_i64 (pack, change_numbers[i].key, change->value);
    if (change->kind == CHANGE_THRESHOLD)
        pack_key_i64 (pack, "excess", change->excess);
    for (size_t i = 0; i < sizeof change_words / sizeof *change_words; i++)
        if (change_words[i].kind == change->kind && change->value >= 0 && change->value < 7)
            pack_key_str (pack, change_words[i].key, change_words[i].words[change->value]);
    if (change->device[0])
        pack_key_str (pack, "device", change->device);
    if (change->kind == CHANGE_IO_ERROR || change->kind == CHANGE_THRESHOLD)
        pack_key_str (pack, "path", change->path);
    if (change->kind == CHANGE_MEMORY_FAILURE)
        pack_failure (pack, &change->failure);
    if (change->kind == CHANGE_IO_ERROR)
        pack_key_str (pack, "reason", change->reason ? change->reason : "");
}

static const char *const change_verbs[] = {
    [CHANGE_REBOOT] = "domain.reboot",
    [CHANGE_RTC] = "domain.rtc_change",
    [CHANGE_BALLOON] = "domain.balloon",
    [CHANGE_WATCHDOG] = "domain.watchdog",
    [CHANGE_IO_ERROR] = "domain.io_error",
    [CHANGE_DEVICE] = "domain.device",
    [CHANGE_GRAPHICS] = "domain.graphics",
    [CHANGE_PM] = "domain.pm",
    [CHANGE_TRAY] = "domain.tray",
    [CHANGE_THRESHOLD] = "domain.block_threshold",
    [CHANGE_ITERATION] = "domain.migration_iteration",
    [CHANGE_UNPLUG_FAILED] = "domain.device",
    [CHANGE_MEMORY_FAILURE] = "domain.memory_failure",
};

static void announce (domain_t *self, const guest_change_t *change)
{
    size_t count = sizeof change_verbs / sizeof *change_verbs;
    if ((size_t) change->kind >= count || !change_verbs[change->kind])
        return;
    domain_add_event (self, change_verbs[change->kind], pack_change, change);
    domain_commit (self, NULL, NULL, NULL);
}

static bool is_ending (const domain_t *self)
{
    const operation_t *changing = self->sync.operation;
    return self->ending.kind != CHANGE_NONE || self->restart_due ||
           (changing && changing->class == CLASS_DESTROY);
}

static bool is_crash (const guest_status_t *status)
{
    return status->state == STATE_CRASHED ||
           (status->state == STATE_SHUTOFF && status->reason == SHUTOFF_CRASHED);
}

//  A guest that crashes at each start is not started again for ever.
static bool crashes_too_often (domain_t *self, const guest_change_t *change)
{
    if (change->kind != CHANGE_RESTART || !is_crash (&change->status))
        return false;
    int64_t now = actor_now (self->actor);
    if (now - self->crashing_ms > CRASH_SERIES_MS) {
        self->crashing_ms = now;
        self->crashes = 0;
    }
    if (++self->crashes <= CRASHES_MAX)
        return false;
    actor_log (self->actor, LEVEL_ERROR,
               "domain '%s' crashed %d times within a minute: it is not started again", self->name,
               self->crashes);
    return true;
}

//  What ends the guest itself, and tells how: a save, going back to a snapshot; others if they are
//  asked to. A guest that was handed over may live on elsewhere.
static bool ends_by_job (const domain_t *self)
{
    async_kind_t kind = domain_async_kind (self);
    const msg_t *request = self->async.request;
    return kind == ASYNC_SAVE || (kind == ASYNC_MIGRATE_HANDED && self->async.operation) ||
           (kind == ASYNC_START && self->async.operation && domain_active (self)) ||
           (kind == ASYNC_DUMP && request && msg_flag (request, "crash")) ||
           ((kind == ASYNC_SNAPSHOT || kind == ASYNC_SNAPSHOT_WRITTEN) && request &&
            msg_flag (request, "halt"));
}

static void take_end (domain_t *self, const guest_change_t *change)
{
    guest_change_t over = *change;
    if (is_ending (self))
        return;
    if (ends_by_job (self)) {
        guest_over (self, change); //  counts if the job fails
        return;
    }
    if (crashes_too_often (self, change)) {
        over.kind = CHANGE_ENDED;
        over.status = (guest_status_t){ STATE_SHUTOFF, SHUTOFF_CRASHED };
    }
    change = &over;
    if (change->kind == CHANGE_RESTART && self->driver->restart && domain_active (self)) {
        self->restart_due = true;
        domain_settle (self);
        return;
    }
    //  That it stopped is told once it has been cleaned up behind it.
    if (domain_active (self) && change->event >= 0 && change->event != EVENT_STOPPED)
        domain_add_lifecycle (self, change->event, change->detail);
    guest_over (self, change);
}

//  A hypervisor does not say why it was told to stop the guest, or to let it go on.
static guest_change_t change_in_job (const domain_t *self, const guest_change_t *change)
{
    static const struct {
        async_kind_t kind;
        guest_state_t state;
        int reason, detail;
    } meanings[] = {
        { ASYNC_SAVE, STATE_PAUSED, PAUSED_SAVE, SUSPENDED_PAUSED },
        { ASYNC_SAVE, STATE_RUNNING, RUNNING_SAVE_CANCELED, RESUMED_UNPAUSED },
        { ASYNC_DUMP, STATE_PAUSED, PAUSED_DUMP, SUSPENDED_PAUSED },
        { ASYNC_DUMP, STATE_RUNNING, RUNNING_UNPAUSED, RESUMED_UNPAUSED },
        { ASYNC_SNAPSHOT, STATE_PAUSED, PAUSED_SNAPSHOT, SUSPENDED_PAUSED },
        { ASYNC_SNAPSHOT, STATE_RUNNING, RUNNING_UNPAUSED, RESUMED_UNPAUSED },
        { ASYNC_MIGRATE_OUT, STATE_PAUSED, PAUSED_MIGRATION, SUSPENDED_MIGRATED },
        { ASYNC_MIGRATE_OUT, STATE_RUNNING, RUNNING_MIGRATION_CANCELED, RESUMED_MIGRATED },
        { ASYNC_MIGRATE_HANDED, STATE_PAUSED, PAUSED_MIGRATION, SUSPENDED_MIGRATED },
        { ASYNC_MIGRATE_HANDED, STATE_RUNNING, RUNNING_MIGRATION_CANCELED, RESUMED_MIGRATED },
    };
    guest_change_t meant = *change;
    //  What stopped it before, a disk that failed or its user, is why it stands still.
    if (change->status.state == self->status.state)
        return meant;
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (meanings[i].kind == domain_async_kind (self) &&
            meanings[i].state == change->status.state) {
            meant.status.reason = meanings[i].reason;
            meant.detail = meanings[i].detail;
        }
    return meant;
}

//  Also one that has crashed is stopped.
static bool is_known (const guest_status_t *before, const guest_status_t *status)
{
    return before->state == STATE_CRASHED && status->state == STATE_PAUSED;
}

//  Also of a guest whose start has no document yet: domain_take_status.
static void note_told (domain_t *self, guest_status_t status)
{
    running_t *const slots[] = { &self->sync, &self->async };
    for (size_t i = 0; i < sizeof slots / sizeof *slots; i++) {
        guest_status_t *told = &slots[i]->told;
        if (is_known (told, &status) || (told->state == status.state && status.reason == 0))
            continue;
        *told = status;
    }
}

//  A guest that is over, or has crashed, is also stopped: no news. One that is being received has
//  none of its own.
static void take_state (domain_t *self, const guest_change_t *change)
{
    if (is_ending (self) || is_known (&self->status, &change->status))
        return;
    guest_change_t meant = change_in_job (self, change);
    note_told (self, meant.status);
    if (!domain_active (self) || domain_pending_migration (self) == ASYNC_MIGRATE_IN)
        return;
    domain_set_status (self, meant.status, meant.event, meant.detail);
    domain_commit (self, NULL, NULL, NULL);
}

void domain_take_change (domain_t *self, const guest_change_t *change)
{
    switch (change->kind) {
    case CHANGE_NONE:
        break;
    case CHANGE_ENDED:
    case CHANGE_RESTART:
        take_end (self, change);
        break;
    case CHANGE_STATE:
        take_state (self, change);
        break;
    case CHANGE_CHANNEL:
        domain_agent_take_port (self, change);
        break;
    case CHANGE_LIFECYCLE:
        if (!domain_active (self))
            break;
        domain_add_lifecycle (self, change->event, change->detail);
        domain_commit (self, NULL, NULL, NULL);
        break;
    case CHANGE_POSTCOPY:
        domain_take_postcopy (self, (postcopy_t) change->value);
        break;
    case CHANGE_BLOCK:
        if (domain_active (self))
            domain_blocks_changed (self);
        break;
    default:
        if (change->event >= 0 && !is_ending (self))
            note_told (self, change->status);
        if (!domain_active (self))
            break;
        if (domain_take_device (self, change))
            break;
        if (change->kind == CHANGE_BALLOON)
            self->balloon_kib = (uint64_t) change->value;
        //  A watchdog or a disk that failed may also have paused the guest.
        if (change->event >= 0 && !is_ending (self))
            domain_set_status (self, change->status, change->event, change->detail);
        announce (self, change);
        if (change->kind == CHANGE_PM && change->value != SLEEP_OVER)
            domain_agent_sleeps (self);
    }
}

xml_t *domain_outline (const document_t *summary, error_t *err)
{
    const char *text = summary ? value_get_str (document_root (summary), "outline") : NULL;
    if (!text) {
        error_set (err, ERR_INTERNAL_ERROR, "there is no outline of the document");
        return NULL;
    }
    return xml_parse_own (text, strlen (text), "outline", err);
}

//  As it is, for who wants to hear the monitor itself. It is no state: nobody who comes later is
//  told.
static void pass_on (domain_t *self, const char *json)
{
    autofree char *topic = text_format ("qmp/%s", self->uuid);
    auto(msg_t) event = msg_event ("event");
    pack_t *pack = msg_args (event);
    pack_key_str (pack, "uuid", self->uuid);
    pack_key_str (pack, "name", self->name);
    pack_key_i64 (pack, "id", self->id);
    pack_key_str (pack, "driver", self->driver->name);
    pack_key_str (pack, "json", json);
    actor_publish_once (self->actor, topic, &event);
}

void domain_take_monitor_event (domain_t *self, const msg_t *msg)
{
    const char *json = msg_str (msg, "json");
    if (!json || !self->driver->event)
        return;
    if (self->driver->monitor_command)
        pass_on (self, json);
    error_t err;
    //  While it starts, the owner has no document yet: only that the guest is over matters then.
    auto(xml_t) live =
        domain_outline (self->live_summary ? self->live_summary : self->config_summary, &err);
    guest_change_t change = { .kind = CHANGE_NONE, .event = -1, .detail = -1 };
    if (live)
        self->driver->event (json, live, &change);
    domain_take_change (self, &change);
}

static void reconnect (actor_t *actor, void *arg);

static void reconnect_later (domain_t *self, int ms)
{
    self->reconnect_ms = ms < RECONNECT_MAX_MS ? ms : RECONNECT_MAX_MS;
    if (!self->retry_monitor)
        self->retry_monitor = actor_timer (self->actor, self->reconnect_ms, reconnect, NULL);
}

static void clean_up_again (actor_t *actor, void *arg)
{
    (void) arg;
    domain_t *self = actor_state (actor);
    self->retry_cleanup = 0;
    domain_finish_ending (self);
}

static void unwind_again (actor_t *actor, void *arg)
{
    (void) arg;
    domain_t *self = actor_state (actor);
    self->retry_unwinding = 0;
    domain_settle (self);
}

//  Nothing else is admitted meanwhile, so not for ever; but a QEMU that writes memory into an image
//  looks at its monitor when that is done, which may take long.
static void unwind_later (domain_t *self, const error_t *err)
{
    bool waits = err->code == ERR_OPERATION_TIMEOUT && !domain_destroy_waits (self);
    self->unwindings += !waits;
    if (self->unwindings < UNWINDINGS_MAX) {
        self->retry_unwinding = actor_timer (self->actor, RETRY_MS, unwind_again, NULL);
        return;
    }
    actor_log (
        self->actor, LEVEL_ERROR,
        "domain '%s': a job that failed could not be undone in %d attempts; look for what is "
        "left of it by hand",
        self->name, UNWINDINGS_MAX);
    document_destroy (&self->undo);
    self->unwindings = 0;
    self->dirty |= DIRTY_STATUS;
    domain_blocks_adopted (self);
}

//  It is destroyed and started anew; or, if somebody else was about to end it, asked how it is.
static void restart_failed (domain_t *self, bool cancelled)
{
    self->restart_due = false;
    if (cancelled)
        reconnect_later (self, RECONNECT_MS);
    else
        self->ending = (guest_change_t){ .kind = CHANGE_RESTART,
                                         .status = { STATE_SHUTOFF, SHUTOFF_SHUTDOWN } };
}

void domain_look_again (domain_t *self)
{
    if (domain_active (self))
        reconnect_later (self, RECONNECT_MS);
}

static void load_again (actor_t *actor, void *arg)
{
    (void) arg;
    domain_t *self = actor_state (actor);
    self->retry_loading = 0;
    domain_run (self, &self->sync, &domain_loading, NULL);
}

//  A domain whose files can't be read now, or of which nobody can tell whether it runs, is not
//  given up; until that is known, nothing is done with it.
static void loading_failed (domain_t *self, const error_t *err)
{
    if (err->code == ERR_NO_DOMAIN) {
        self->loading = false;
        return;
    }
    self->status = (guest_status_t){ STATE_NOSTATE, 0 };
    self->retry_loading = actor_timer (self->actor, RETRY_MS, load_again, NULL);
}

void domain_own_job_failed (domain_t *self, const operation_t *operation, bool cancelled,
                            const error_t *err)
{
    if (operation == &domain_loading)
        loading_failed (self, err);
    //  A guest that does not answer may still run: it is never given up, only asked more rarely.
    //  Whoever cancelled the question may fail to end it.
    if (operation == &domain_adoption && err->code == ERR_OPERATION_TIMEOUT && !self->silent_us)
        domain_set_silence (self, actor_wall_clock (self->actor));
    if (operation == &domain_adoption)
        reconnect_later (self, self->reconnect_ms * 2 + RECONNECT_MS);
    if (operation == &domain_unwinding)
        unwind_later (self, err);
    if (operation == &domain_restart_in_place)
        restart_failed (self, cancelled);
    if (operation == &domain_block_conclusion)
        domain_conclusion_failed (self);
    domain_devices_failed (self, operation);
    if (operation == &domain_cleanup && !cancelled)
        self->retry_cleanup = actor_timer (self->actor, RETRY_MS, clean_up_again, NULL);
}

//  A backup goes on for long, and can't be ended without the monitor.
static bool may_adopt (const domain_t *self)
{
    const operation_t *async = self->async.operation;
    return !self->sync.operation && (!async || async == &domain_backup_follow);
}

//  Without its monitor a guest can't be watched: connect again, unless it is about to end.
static void reconnect (actor_t *actor, void *arg)
{
    (void) arg;
    domain_t *self = actor_state (actor);
    self->retry_monitor = 0;
    if (!domain_active (self) || self->exited)
        return;
    if (may_adopt (self))
        domain_run (self, &self->sync, &domain_adoption, NULL);
    else
        reconnect_later (self, RECONNECT_MS);
}

static void pack_silence (pack_t *pack, const void *arg)
{
    const domain_t *self = arg;
    pack_key_bool (pack, "responding", self->silent_us == 0);
    pack_key_i64 (pack, "since_us", self->silent_us);
}

void domain_set_silence (domain_t *self, int64_t since_us)
{
    if (since_us == self->silent_us)
        return;
    self->silent_us = since_us;
    actor_log (self->actor, LEVEL_WARNING, "domain '%s': its hypervisor %s", self->name,
               since_us ? "does not respond" : "responds again");
    domain_add_event (self, "domain.monitor", pack_silence, self);
}

//  From the monitor: its hypervisor says nothing since then, or something again.
void domain_take_silence (domain_t *self, const msg_t *msg)
{
    int64_t since = msg_i64 (msg, "since_us", 0);
    if (!domain_active (self) || since == self->silent_us)
        return;
    domain_set_silence (self, since);
    domain_commit (self, NULL, NULL, NULL);
}

void domain_monitor_lost (domain_t *self, const msg_t *msg)
{
    const char *reason = msg_str (msg, "reason");
    actor_log (self->actor, LEVEL_INFO, "domain '%s': its monitor closed: %s", self->name,
               reason ? reason : "unknown");
    if (self->exit_timer && !is_asked (self)) {
        actor_timer_cancel (self->actor, &self->exit_timer);
        exit_is_news (self);
    } else
        domain_look_again (self);
}

//  Guests without a process (the test driver's) end by the clock.

static void on_due (actor_t *actor, void *arg)
{
    (void) arg;
    domain_t *self = actor_state (actor);
    self->due_timer = 0;
    domain_settle (self);
}

static void look_at_the_clock (domain_t *self)
{
    actor_timer_cancel (self->actor, &self->due_timer);
    if (!self->driver->due || !domain_active (self) || !self->record)
        return;
    error_t err;
    auto(xml_t) live = domain_outline (self->live_summary, &err);
    auto(xml_t) record = xml_parse_own (self->record, strlen (self->record), "record", &err);
    guest_change_t change = { .kind = CHANGE_NONE, .event = -1, .detail = -1 };
    int64_t ms =
        live && record ? self->driver->due (live, record, actor_now (self->actor), &change) : -1;
    if (ms == 0)
        domain_take_change (self, &change);
    else if (ms > 0)
        self->due_timer =
            actor_timer (self->actor, ms > 86400000 ? 86400000 : (int) ms, on_due, NULL);
}

//  Not before it is known whether it runs already.
static void autostart_if_due (domain_t *self)
{
    bool busy = self->async.operation || self->sync.operation || self->loading || self->undo;
    if (!self->autostart_due || busy)
        return;
    self->autostart_due = false;
    if (self->autostart && self->persistent && !domain_active (self))
        domain_run (self, &self->async, &domain_restart, NULL);
}

//  What follows from how things are, now that a job is over.
void domain_settle (domain_t *self)
{
    self->announced = self->status.state;
    if (self->undo && !self->retry_unwinding && !self->async.operation && !self->sync.operation)
        domain_run (self, &self->sync, &domain_unwinding, NULL);
    if (self->adoption_wanted && !self->sync.operation) {
        self->adoption_wanted = false;
        domain_run (self, &self->sync, &domain_adoption, NULL);
    }
    if (!self->async.operation && !domain_active (self))
        self->ending = (guest_change_t){ .kind = CHANGE_NONE };
    if (self->restart_due && domain_active (self) && !self->async.operation &&
        !self->sync.operation)
        domain_run (self, &self->sync, &domain_restart_in_place, NULL);
    look_at_the_clock (self);
    domain_finish_ending (self);
    domain_watch_blocks (self);
    domain_watch_devices (self);
    domain_go_on (self);
    domain_agent_settle (self);
    autostart_if_due (self);
    if (self->restart_wanted && !self->sync.operation && !self->async.operation) {
        self->restart_wanted = false;
        if (!domain_active (self))
            domain_run (self, &self->async, &domain_restart, NULL);
    }
    domain_follow_migration (self);
    domain_pump (self);
}
