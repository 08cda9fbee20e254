//  qemu_event.c: what QEMU's events mean for the domain. A pure function: what the owner knows
//  better (that it just asked for a stop, that an I/O error came before) it keeps.

#include "drivers/qemu/qemu_alias.h"
#include "drivers/qemu/qemu_ops.h"
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

static void on_suspend (const event_t *self)
{
    set_state (self, STATE_PMSUSPENDED, 0, EVENT_PMSUSPENDED, PMSUSPENDED_MEMORY);
}

static void on_wakeup (const event_t *self)
{
    set_state (self, STATE_RUNNING, RUNNING_WAKEUP, EVENT_STARTED, STARTED_WAKEUP);
}

static void on_rtc (const event_t *self)
{
    self->change->kind = CHANGE_RTC;
    self->change->value = json_integer_value (json_object_get (self->data, "offset"));
}

static void on_balloon (const event_t *self)
{
    self->change->kind = CHANGE_BALLOON;
    self->change->value = json_integer_value (json_object_get (self->data, "actual")) / KIB;
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

//  The disk whose node this is ("disk-vda"), or the node's own name.
static const char *disk_alias (const event_t *self, const char *node)
{
    const xml_node_t *devices = self->domain ? xml_find (self->domain, "devices") : NULL;
    const char *target = text_starts (node, "disk-") ? node + strlen ("disk-") : "";
    for (const xml_node_t *disk = devices ? xml_first (devices, "disk") : NULL; disk;
         disk = xml_next (disk, "disk"))
        if (xml_equals (disk, "target/@dev", target))
            return qemu_alias (disk);
    return node;
}

//  virDomainEventIOErrorAction.
static void on_io_error (const event_t *self)
{
    bool stop = strcmp (text_of (self, "action"), "stop") == 0;
    if (stop)
        set_state (self, STATE_PAUSED, PAUSED_IOERROR, EVENT_SUSPENDED, SUSPENDED_IOERROR);
    self->change->kind = CHANGE_IO_ERROR;
    self->change->value = stop ? 1 : strcmp (text_of (self, "action"), "report") == 0 ? 2 : 0;
    set_device (self, disk_alias (self, text_of (self, "node-name")));
}

static void on_device_deleted (const event_t *self)
{
    //  Without an id it is a part of a device (its virtio backend).
    if (!*text_of (self, "device"))
        return;
    self->change->kind = CHANGE_DEVICE;
    set_device (self, text_of (self, "device"));
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
    { "WAKEUP", on_wakeup },
    { "GUEST_PANICKED", on_panic },
    { "RTC_CHANGE", on_rtc },
    { "BALLOON_CHANGE", on_balloon },
    { "WATCHDOG", on_watchdog },
    { "BLOCK_IO_ERROR", on_io_error },
    { "DEVICE_DELETED", on_device_deleted },
    { "VNC_CONNECTED", on_vnc_connected },
    { "VNC_INITIALIZED", on_vnc_initialized },
    { "VNC_DISCONNECTED", on_vnc_disconnected },
    { "VSERPORT_CHANGE", on_port },
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
