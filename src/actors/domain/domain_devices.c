//  domain_devices.c: devices that come and go. Attaching and detaching are jobs, which tell in
//  their result what came and went. What the guest lets go of by itself, or after the job that
//  asked for it gave up, the hypervisor's event tells: then a change looks at which devices are
//  there.

#include "actors/domain/domain_self.h"
#include "drivers/device_match.h"
#include "drivers/vcpus.h"
#include "util/text.h"

enum {
    SHORT_MS = 60000,
    RETRY_MS = 5000,
    ASKED_MS = 1000, //  twice as much each time
    ASKED_MOST_MS = 64000
};

static void done_look (domain_t *self, const msg_t *request)
{
    (void) request;
    self->dirty |= DIRTY_STATUS;
}

static const operation_t devices_look = { "", CLASS_HOTPLUG, ASYNC_NONE, "devices_look",
                                          0,  SHORT_MS,      true,       done_look };

//  Events.

typedef struct {
    const char *event, *device;
} news_t;

static void pack_news (pack_t *pack, const void *arg)
{
    const news_t *news = arg;
    pack_key_str (pack, "event", news->event);
    pack_key_str (pack, "device", news->device);
}

//  Of the device's alias, a blank and a path. virConnectDomainEventDiskChangeReason.
static void pack_disk (pack_t *pack, const void *arg)
{
    const news_t *news = arg;
    bool dropped = strcmp (news->event, "dropped") == 0;
    size_t size = strcspn (news->device, " ");
    autofree char *alias = text_copy_bytes (news->device, size);
    pack_key_str (pack, "device", alias);
    pack_key_str (pack, "path", news->device[size] ? news->device + size + 1 : "");
    pack_key_str (pack, "reason", dropped ? "dropped" : "emptied");
    pack_key_i64 (pack, "number", dropped ? 1 : 0);
}

//  Of the device's alias, a blank and KiB.
static void pack_size (pack_t *pack, const void *arg)
{
    const news_t *news = arg;
    const char *kib = strchr (news->device, ' ');
    uint64_t size = 0;
    autofree char *alias =
        text_copy_bytes (news->device, kib ? (size_t) (kib - news->device) : strlen (news->device));
    if (kib)
        text_to_u64 (kib + 1, &size);
    pack_key_str (pack, "device", alias);
    pack_key_u64 (pack, "memory_kib", size);
}

//  As guest_tell has it.
static void tell (domain_t *self, const char *text)
{
    const char *blank = strchr (text, ' ');
    autofree char *event = text_copy_bytes (text, blank ? (size_t) (blank - text) : 0);
    news_t news = { event, blank ? blank + 1 : "" };
    if (strcmp (event, "emptied") == 0 || strcmp (event, "dropped") == 0)
        domain_add_event (self, "domain.disk_change", pack_disk, &news);
    else if (strcmp (event, "resized") == 0)
        domain_add_event (self, "domain.memory_device_size", pack_size, &news);
    else
        domain_add_event (self, "domain.device", pack_news, &news);
}

//  What the guest was asked for and had not let go of when the job ended. QEMU 7.2 tells nothing of
//  the end of a USB controller, so its event is not waited for alone.

static void look_for_asked (actor_t *actor, void *arg);

static void look_later (domain_t *self, int ms)
{
    actor_timer_cancel (self->actor, &self->asked_timer);
    self->asked_ms = ms;
    if (ms <= ASKED_MOST_MS)
        self->asked_timer = actor_timer (self->actor, ms, look_for_asked, NULL);
}

static void look_for_asked (actor_t *actor, void *arg)
{
    (void) arg;
    domain_t *self = actor_state (actor);
    self->asked_timer = 0;
    self->devices_due = true;
    look_later (self, 2 * self->asked_ms);
    domain_settle (self);
}

void domain_take_device_news (domain_t *self, const value_t *result)
{
    if (!value_get_bool (value_get (result, "value"), "gone", true))
        look_later (self, ASKED_MS);
    const value_t *devices = value_get (result, "devices");
    for (size_t i = 0; i < value_count (devices); i++)
        if (value_str (value_at (devices, i)))
            tell (self, value_str (value_at (devices, i)));
}

//  Who waits for the guest to let go of it.
static void tell_job (domain_t *self, const guest_change_t *change)
{
    if (!self->sync.operation || self->sync.operation->class != CLASS_HOTPLUG)
        return;
    auto(msg_t) msg = msg_request ("job.device");
    pack_key_str (msg_args (msg), "device", change->device);
    pack_key_bool (msg_args (msg), "refused", change->kind == CHANGE_UNPLUG_FAILED);
    actor_send (self->actor, self->sync.address, &msg);
}

static bool has_device (const domain_t *self, const char *alias)
{
    error_t ignored;
    auto(xml_t) live = domain_outline (self->live_summary, &ignored);
    int vcpu = vcpus_of_alias (alias);
    if (live && vcpu >= 0)
        return vcpus_has (xml_root (live), vcpu);
    return live && device_by_alias (xml_find (xml_root (live), "devices"), alias, &ignored);
}

bool domain_take_device (domain_t *self, const guest_change_t *change)
{
    //  How much it is goes into the document before it is told.
    if (change->kind == CHANGE_MEMORY_SIZE) {
        self->devices_due = true;
        domain_settle (self);
        return true;
    }
    if (change->kind != CHANGE_DEVICE && change->kind != CHANGE_UNPLUG_FAILED)
        return false;
    tell_job (self, change);
    if (change->kind == CHANGE_UNPLUG_FAILED)
        return false;
    //  That it went was told by whoever took it out of the document: the hypervisor may say so
    //  late.
    if (!has_device (self, change->device))
        return true;
    if (!self->gone)
        self->gone = strings_new ();
    strings_add (self->gone, change->device);
    domain_settle (self);
    return true;
}

//  Looking.

static bool is_due (domain_t *self)
{
    bool due = self->devices_due;
    for (size_t i = 0; self->gone && i < self->gone->count && !due; i++)
        due = has_device (self, self->gone->items[i]);
    return due;
}

static void look_again (actor_t *actor, void *arg)
{
    (void) arg;
    domain_t *self = actor_state (actor);
    self->retry_devices = 0;
    domain_settle (self);
}

//  Of some that it was to plug or unplug, it may have done so.
static bool is_half_done (const operation_t *operation)
{
    return operation->class == CLASS_HOTPLUG && text_starts (operation->job, "set_vcpu");
}

void domain_devices_failed (domain_t *self, const operation_t *operation)
{
    if (is_half_done (operation) && domain_active (self))
        self->devices_due = true;
    if (operation != &devices_look || !domain_active (self))
        return;
    self->devices_due = true;
    if (!self->retry_devices)
        self->retry_devices = actor_timer (self->actor, RETRY_MS, look_again, NULL);
}

void domain_watch_devices (domain_t *self)
{
    bool busy = self->sync.operation || self->loading || self->undo || self->adoption_wanted ||
                self->restart_due || domain_destroy_waits (self) || self->retry_devices ||
                zlistx_size (self->publications) > 0;
    bool over = !domain_active (self) || self->ending.kind != CHANGE_NONE;
    if (over || busy || (!self->gone && !self->devices_due) ||
        admission_verdict (domain_async_kind (self), false, CLASS_HOTPLUG) != ADMIT_YES)
        return;
    bool due = is_due (self);
    strings_destroy (&self->gone);
    self->devices_due = false;
    if (due)
        domain_run (self, &self->sync, &devices_look, NULL);
}

void domain_drop_devices (domain_t *self)
{
    strings_destroy (&self->gone);
    self->devices_due = false;
    actor_timer_cancel (self->actor, &self->retry_devices);
    actor_timer_cancel (self->actor, &self->asked_timer);
}
