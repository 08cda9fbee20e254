//  devices.c: see devices.h; devices_self.h says which file has what.

#include "actors/pci/devices_self.h"

#include "drivers/pci/sysfs.h"

static const struct {
    const char *verb;
    void (*run) (devices_t *self, msg_t **msg_p);
} verbs_of_devices[] = {
    { "nodedev.list", devices_show_list },   { "nodedev.info", devices_show_info },
    { "nodedev.xml", devices_show_xml },     { "nodedev.detach", devices_pass_on },
    { "nodedev.reattach", devices_pass_on }, { "nodedev.reset", devices_pass_on },
    { "pci.take", devices_pass_on },         { "pci.give", devices_pass_on },
    { "group.check", devices_pass_on },      { "device.hold", devices_hold },
    { "device.release", devices_release },   { "host.serving", devices_begin_to_compare },
    { "devices.compare", devices_compare },  { "device.leave", devices_leave },
};

static void devices_handle (actor_t *actor, msg_t **msg_p)
{
    for (size_t i = 0; i < sizeof verbs_of_devices / sizeof *verbs_of_devices && *msg_p; i++)
        if (msg_is (*msg_p, verbs_of_devices[i].verb))
            verbs_of_devices[i].run (actor_state (actor), msg_p);
}

static int devices_start (actor_t *actor, const msg_t *args, error_t *err)
{
    devices_t *self = actor_state (actor);
    const char *sysfs = msg_str (args, "sysfs");
    self->actor = actor;
    self->config = config_of (args);
    self->sysfs = text_copy (sysfs ? sysfs : SYSFS);
    devices_open_list (self);
    return devices_open_holds (self, err) || devices_open_owners (self, err) ? -1 : 0;
}

static void devices_stop (actor_t *actor)
{
    devices_t *self = actor_state (actor);
    devices_close_list (self);
    devices_close_owners (self);
    devices_close_holds (self);
    owner_events_close (&self->events);
    free (self->sysfs);
}

const actor_class_t devices_class = { .kind = "devices",
                                      .state_size = sizeof (devices_t),
                                      .max_requests = 1024,
                                      .stop_rank = 2,
                                      .start = devices_start,
                                      .handle = devices_handle,
                                      .stop = devices_stop };
