//  qemu_event.c: what QEMU's events mean for the domain. A pure function: what the owner knows
//  better (that it just asked for a stop, that an I/O error came before) it keeps.

#include "drivers/qemu/command/qemu_alias.h"
#include "drivers/qemu/qemu_ops.h"
#include "drivers/qemu/plug/qemu_memory_live.h"
#include "drivers/qemu/storage/qemu_block_node.h"
#include "drivers/state.h"
#include "util/text.h"

#include <stdio.h>
#include <string.h>

#define KIB 1024

typedef struct {
    const json_t *data;
    const xml_node_t *domain; //  of the live document; may be NULL
    guest_change_t *change;
} event_t;

static const char *text_of (const event_t *self, const char *key)
{
    const char *text = json_string_value (json_object_get (self->data, key));
    return text ? text : "";
}

static int64_t number_of (const event_t *self, const char *key)
{
    return json_integer_value (json_object_get (self->data, key));
}

static void set_state (const event_t *self, guest_state_t state, int reason, int event, int detail)
{
    self->change->kind = CHANGE_STATE;
    self->change->status = (guest_status_t){ state, reason };
    self->change->event = event;
    self->change->detail = detail;
}

static void set_device (const event_t *self, const char *device)
{
    snprintf (self->change->device, sizeof self->change->device, "%s", device);
    error_one_line (self->change->device); //  half a character would be no text
}

//  What the definition wants when the guest is over in this way.
static bool wants (const event_t *self, const char *element, const char *action)
{
    return self->domain && xml_equals (self->domain, element, action);
}

static void on_panic (const event_t *self)
{
    set_state (self, STATE_CRASHED, CRASHED_PANICKED, EVENT_CRASHED, CRASHED_GUEST_PANICKED);
    if (strcmp (text_of (self, "action"), "run") == 0)
        self->change->kind = CHANGE_NONE; //  pvpanic told of a crash that the guest handles
    else if (wants (self, "on_crash", "restart"))
        self->change->kind = CHANGE_RESTART;
    else if (!wants (self, "on_crash", "preserve")) {
        self->change->kind = CHANGE_ENDED;
        self->change->status = (guest_status_t){ STATE_SHUTOFF, SHUTOFF_CRASHED };
    }
}

//  QEMU stays (-no-shutdown), but the guest is over.
static void on_shutdown (const event_t *self)
{
    const char *reason = text_of (self, "reason");
    if (strcmp (reason, "guest-panic") == 0) {
        on_panic (self);
        return;
    }
    bool by_guest = json_is_true (json_object_get (self->data, "guest"));
    //  A reset that -no-reboot made an end of: on_reboot is "destroy".
    bool reset =
        strcmp (reason, "guest-reset") == 0 || strcmp (reason, "host-qmp-system-reset") == 0;
    bool restart =
        !reset && strcmp (reason, "host-signal") != 0 && wants (self, "on_poweroff", "restart");
    set_state (self, STATE_SHUTOFF, SHUTOFF_SHUTDOWN, EVENT_SHUTDOWN,
               by_guest ? FINISHED_BY_GUEST : FINISHED_BY_HOST);
    self->change->kind = restart ? CHANGE_RESTART : CHANGE_ENDED;
}

static void on_reset (const event_t *self)
{
    self->change->kind = CHANGE_REBOOT;
}

//  Why is known only to whoever stopped it; an error that came before has its own event.
static void on_stop (const event_t *self)
{
    set_state (self, STATE_PAUSED, PAUSED_UNKNOWN, EVENT_SUSPENDED, SUSPENDED_PAUSED);
}

static void on_resume (const event_t *self)
{
    set_state (self, STATE_RUNNING, RUNNING_UNPAUSED, EVENT_RESUMED, RESUMED_UNPAUSED);
}

static void set_sleep (const event_t *self, sleep_t sleep)
{
    self->change->kind = CHANGE_PM;
    self->change->value = sleep;
}

static void on_suspend (const event_t *self)
{
    set_state (self, STATE_PMSUSPENDED, 0, EVENT_PMSUSPENDED, PMSUSPENDED_MEMORY);
    set_sleep (self, SLEEP_MEMORY);
}

//  It powers itself off next.
static void on_suspend_disk (const event_t *self)
{
    set_state (self, STATE_PMSUSPENDED, 0, EVENT_PMSUSPENDED, PMSUSPENDED_DISK);
    set_sleep (self, SLEEP_DISK);
}

static void on_wakeup (const event_t *self)
{
    set_state (self, STATE_RUNNING, RUNNING_WAKEUP, EVENT_STARTED, STARTED_WAKEUP);
    set_sleep (self, SLEEP_OVER);
}

//  A kernel that is to save the crash was loaded: the guest goes on with that.
static void on_crashloaded (const event_t *self)
{
    self->change->kind = CHANGE_LIFECYCLE;
    self->change->event = EVENT_CRASHED;
    self->change->detail = CRASHED_CRASHLOADED;
}

static void on_rtc (const event_t *self)
{
    self->change->kind = CHANGE_RTC;
    self->change->value = number_of (self, "offset");
}

static void on_balloon (const event_t *self)
{
    self->change->kind = CHANGE_BALLOON;
    self->change->value = (int64_t) qemu_memory_balloon (self->data, self->domain);
}

//  virDomainEventWatchdogAction.
static void on_watchdog (const event_t *self)
{
    static const char *const actions[] = { "none",     "pause", "reset",     "poweroff",
                                           "shutdown", "debug", "inject-nmi" };
    self->change->kind = CHANGE_WATCHDOG;
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (strcmp (text_of (self, "action"), actions[i]) == 0)
            self->change->value = (int64_t) i;
    if (self->change->value == 1) {
        set_state (self, STATE_PAUSED, PAUSED_WATCHDOG, EVENT_SUSPENDED, SUSPENDED_WATCHDOG);
        self->change->kind = CHANGE_WATCHDOG;
    }
}

static bool is_node_of (const xml_node_t *disk, const char *node)
{
    const char *target = xml_string (disk, "target/@dev");
    return target && qemu_block_is_node_of (node, target);
}

//  NULL: there is none.
static const xml_node_t *disk_of_node (const event_t *self, const char *node)
{
    const xml_node_t *devices = self->domain ? xml_find (self->domain, "devices") : NULL;
    for (const xml_node_t *disk = devices ? xml_first (devices, "disk") : NULL; disk;
         disk = xml_next (disk, "disk"))
        if (is_node_of (disk, node))
            return disk;
    return NULL;
}

static void set_path (const event_t *self, const xml_node_t *disk)
{
    const char *file = disk ? xml_string (disk, "source/@file") : NULL;
    const char *path = disk && !file ? xml_string (disk, "source/@dev") : file;
    snprintf (self->change->path, sizeof self->change->path, "%s", path ? path : "");
    error_one_line (self->change->path);
}

//  virDomainEventIOErrorAction.
static void on_io_error (const event_t *self)
{
    bool stop = strcmp (text_of (self, "action"), "stop") == 0;
    if (stop)
        set_state (self, STATE_PAUSED, PAUSED_IOERROR, EVENT_SUSPENDED, SUSPENDED_IOERROR);
    self->change->kind = CHANGE_IO_ERROR;
    self->change->value = stop ? 1 : strcmp (text_of (self, "action"), "report") == 0 ? 2 : 0;
    self->change->reason = json_is_true (json_object_get (self->data, "nospace")) ? "enospc" : NULL;
    const char *node = text_of (self, "node-name");
    const xml_node_t *disk = disk_of_node (self, node);
    set_device (self, disk ? qemu_alias (disk) : node);
    set_path (self, disk);
}

static void on_threshold (const event_t *self)
{
    const char *node = text_of (self, "node-name");
    const xml_node_t *disk = disk_of_node (self, node);
    self->change->kind = CHANGE_THRESHOLD;
    self->change->value = number_of (self, "write-threshold");
    self->change->excess = number_of (self, "amount-exceeded");
    set_device (self, disk ? xml_string (disk, "target/@dev") : node);
    set_path (self, disk);
}

//  virDomainEventTrayChangeReason.
static void on_tray (const event_t *self)
{
    self->change->kind = CHANGE_TRAY;
    self->change->value = json_is_true (json_object_get (self->data, "tray-open")) ? 0 : 1;
    set_device (self, text_of (self, "id"));
}

static int index_of (const char *word, const char *const *words, int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp (word, words[i]) == 0)
            return i;
    return -1;
}

//  virDomainMemoryFailureRecipientType.
static void on_memory_failure (const event_t *self)
{
    static const char *const recipients[] = { "hypervisor", "guest" };
    static const char *const actions[] = { "ignore", "inject", "fatal", "reset" };
    const json_t *flags = json_object_get (self->data, "flags");
    int recipient = index_of (text_of (self, "recipient"), recipients, 2);
    int action = index_of (text_of (self, "action"), actions, 4);
    if (recipient < 0 || action < 0)
        return; //  a newer QEMU's words
    bool required = json_is_true (json_object_get (flags, "action-required"));
    bool recursive = json_is_true (json_object_get (flags, "recursive"));
    self->change->kind = CHANGE_MEMORY_FAILURE;
    self->change->value = recipient;
    self->change->failure.action = action;
    self->change->failure.flags =
        (required ? MEMORY_FAILURE_REQUIRED : 0) | (recursive ? MEMORY_FAILURE_RECURSIVE : 0);
}

static void on_pass (const event_t *self)
{
    self->change->kind = CHANGE_ITERATION;
    self->change->value = number_of (self, "pass");
}

static void on_migration (const event_t *self)
{
    static const struct {
        const char *status;
        postcopy_t postcopy;
    } known[] = { { "postcopy-active", POSTCOPY_ACTIVE },
                  { "postcopy-paused", POSTCOPY_BROKEN },
                  { "completed", POSTCOPY_OVER } };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp (text_of (self, "status"), known[i].status) == 0) {
            self->change->kind = CHANGE_POSTCOPY;
            self->change->value = known[i].postcopy;
        }
}

static void set_of_device (const event_t *self, change_kind_t kind, const char *device)
{
    //  Without an id it is a part of a device (its virtio backend).
    if (!*device)
        return;
    self->change->kind = kind;
    set_device (self, device);
}

static void set_unplug (const event_t *self, change_kind_t kind)
{
    set_of_device (self, kind, text_of (self, "device"));
}

static void on_device_deleted (const event_t *self)
{
    set_unplug (self, CHANGE_DEVICE);
}

static void on_unplug_failed (const event_t *self)
{
    set_unplug (self, CHANGE_UNPLUG_FAILED);
}

//  The guest took more of a device, or gave some back.
static void on_memory_size (const event_t *self)
{
    set_of_device (self, CHANGE_MEMORY_SIZE, text_of (self, "id"));
}

//  What the guest's ACPI says to a request to let go of a processor or of memory (ACPI
//  specification, _OST): 0 is success, 0x84 that it is under way.
static void on_ost (const event_t *self)
{
    const json_t *info = json_object_get (self->data, "info");
    const char *device = json_string_value (json_object_get (info, "device"));
    json_int_t source = json_integer_value (json_object_get (info, "source"));
    json_int_t status = json_integer_value (json_object_get (info, "status"));
    bool asked = source == 3 || source == 0x103;
    bool refused = status == 1 || status == 2 || (status >= 0x80 && status <= 0x83);
    if (!device || !asked || !refused)
        return;
    self->change->kind = CHANGE_UNPLUG_FAILED;
    set_device (self, device);
}

//  Of the jobs that QEMU has, those of qemu_block_job.h.
static void on_job_status (const event_t *self)
{
    static const char *const ours[] = { "copy-", "commit-", "pull-" };
    const char *status = text_of (self, "status");
    if (strcmp (status, "ready") != 0 && strcmp (status, "concluded") != 0)
        return;
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (text_starts (text_of (self, "id"), ours[i]))
            self->change->kind = CHANGE_BLOCK;
}

//  virDomainEventGraphicsPhase.
static void set_graphics (const event_t *self, int phase)
{
    self->change->kind = CHANGE_GRAPHICS;
    self->change->value = phase;
}

static void on_vnc_connected (const event_t *self)
{
    set_graphics (self, 0);
}

static void on_vnc_initialized (const event_t *self)
{
    set_graphics (self, 1);
}

static void on_vnc_disconnected (const event_t *self)
{
    set_graphics (self, 2);
}

//  The guest opened its end of a channel, or closed it.
static void on_port (const event_t *self)
{
    self->change->kind = CHANGE_CHANNEL;
    self->change->value = json_is_true (json_object_get (self->data, "open"));
    set_device (self, text_of (self, "id"));
}

static const struct {
    const char *name;
    void (*handle) (const event_t *self);
} handlers[] = {
    { "SHUTDOWN", on_shutdown },
    { "RESET", on_reset },
    { "STOP", on_stop },
    { "RESUME", on_resume },
    { "SUSPEND", on_suspend },
    { "SUSPEND_DISK", on_suspend_disk },
    { "WAKEUP", on_wakeup },
    { "GUEST_PANICKED", on_panic },
    { "GUEST_CRASHLOADED", on_crashloaded },
    { "RTC_CHANGE", on_rtc },
    { "BALLOON_CHANGE", on_balloon },
    { "WATCHDOG", on_watchdog },
    { "BLOCK_IO_ERROR", on_io_error },
    { "BLOCK_WRITE_THRESHOLD", on_threshold },
    { "DEVICE_TRAY_MOVED", on_tray },
    { "DEVICE_DELETED", on_device_deleted },
    { "DEVICE_UNPLUG_GUEST_ERROR", on_unplug_failed },
    { "MEM_UNPLUG_ERROR", on_unplug_failed },
    { "ACPI_DEVICE_OST", on_ost },
    { "MEMORY_DEVICE_SIZE_CHANGE", on_memory_size },
    { "MIGRATION_PASS", on_pass },
    { "MIGRATION", on_migration },
    { "JOB_STATUS_CHANGE", on_job_status },
    { "VNC_CONNECTED", on_vnc_connected },
    { "VNC_INITIALIZED", on_vnc_initialized },
    { "VNC_DISCONNECTED", on_vnc_disconnected },
    { "VSERPORT_CHANGE", on_port },
    { "MEMORY_FAILURE", on_memory_failure },
};

void qemu_event (const char *json, const xml_t *live, guest_change_t *change)
{
    *change = (guest_change_t){ .kind = CHANGE_NONE, .event = -1, .detail = -1 };
    json_auto_t *line = json_loads (json, 0, NULL);
    const char *name = json_string_value (json_object_get (line, "event"));
    event_t self = { .data = json_object_get (line, "data"),
                     .domain = live ? xml_root (live) : NULL,
                     .change = change };
    for (size_t i = 0; name && i < sizeof handlers / sizeof *handlers; i++)
        if (strcmp (handlers[i].name, name) == 0)
            handlers[i].handle (&self);
}
