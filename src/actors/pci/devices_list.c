//  devices_list.c: which devices the host has: read from sysfs when it starts, and then as the
//  kernel tells.

#include "actors/pci/devices_self.h"

#include "drivers/pci/sysfs.h"
#include "drivers/pci/uevent.h"

#include <poll.h>

//  virNodeDeviceEventLifecycleType.
enum {
    DEVICE_CREATED = 0,
    DEVICE_DELETED = 1
};

static void free_node (void **item_p)
{
    node_destroy ((node_t **) item_p);
}

//  Events.

static void add_event (devices_t *self, const char *verb, const char *name, const char *text,
                       int event)
{
    pack_t *pack = owner_events_add (&self->events);
    pack_map (pack);
    pack_key_str (pack, "verb", verb);
    pack_key_map (pack, "args");
    pack_key_str (pack, "name", name);
    if (text) {
        pack_key_i64 (pack, "event", event);
        pack_key_i64 (pack, "detail", 0);
        pack_key_str (pack, "event_text", text);
    }
    pack_end (pack);
    pack_end (pack);
}

static void publish_events (devices_t *self)
{
    if (!self->events.any)
        return;
    auto(msg_t) event = msg_event ("changes");
    owner_events_take (&self->events, msg_args (event));
    actor_publish_once (self->actor, DEVICES_ADDRESS, &event);
}

//  The list.

//  There is a device NODE now, or was all the time.
static void put_node (devices_t *self, node_t *node, bool tell)
{
    node_t *known = zhashx_lookup (self->nodes, node->name);
    bool changed = known && !text_equals (known->driver, node->driver);
    if (tell && !known)
        add_event (self, "nodedev.lifecycle", node->name, "Created", DEVICE_CREATED);
    if (tell && changed)
        add_event (self, "nodedev.update", node->name, NULL, 0);
    zhashx_update (self->nodes, node->name, node);
}

static void drop_node (devices_t *self, const char *name)
{
    add_event (self, "nodedev.lifecycle", name, "Deleted", DEVICE_DELETED);
    zhashx_delete (self->nodes, name);
}

static void look_at_pci (devices_t *self, const char *address)
{
    autofree char *name = node_pci_name (address);
    node_t *node = node_pci (self->sysfs, address);
    if (node)
        put_node (self, node, true);
    else if (zhashx_lookup (self->nodes, name)) {
        drop_node (self, name);
        devices_tell_gone (self, address);
    }
}

//  Its MAC, and so its name, may be another than the one that we know.
static void look_at_net (devices_t *self, const char *interface)
{
    auto(node_t) now = node_net (self->sysfs, interface);
    auto(strings_t) gone = strings_new ();
    for (node_t *node = zhashx_first (self->nodes); node; node = zhashx_next (self->nodes))
        if (text_equals (node->interface, interface) &&
            !text_equals (node->name, now ? now->name : NULL))
            strings_add (gone, node->name);
    for (size_t i = 0; i < gone->count; i++)
        drop_node (self, gone->items[i]);
    if (now)
        put_node (self, take (&now), true);
}

static void read_all (devices_t *self, bool tell)
{
    autofree char *folder = text_format ("%s/class/net", self->sysfs);
    auto(strings_t) nets = sysfs_names (folder);
    auto(strings_t) addresses = pci_device_list (self->sysfs);
    put_node (self, node_computer (), tell);
    for (size_t i = 0; i < addresses->count; i++) {
        node_t *node = node_pci (self->sysfs, addresses->items[i]);
        if (node)
            put_node (self, node, tell);
    }
    for (size_t i = 0; i < nets->count; i++) {
        node_t *node = node_net (self->sysfs, nets->items[i]);
        if (node)
            put_node (self, node, tell);
    }
}

//  Some events were lost: what is gone, what is new?
static void read_again (devices_t *self)
{
    auto(strings_t) gone = strings_new ();
    for (node_t *node = zhashx_first (self->nodes); node; node = zhashx_next (self->nodes)) {
        auto(node_t) again = node_again (self->sysfs, node);
        if (!again)
            strings_add (gone, node->name);
    }
    for (size_t i = 0; i < gone->count; i++)
        drop_node (self, gone->items[i]);
    read_all (self, true);
}

static void on_event (void *arg, const uevent_t *event)
{
    devices_t *self = arg;
    if (strcmp (event->subsystem, "pci") == 0 && event->slot)
        look_at_pci (self, event->slot);
    if (strcmp (event->subsystem, "net") != 0 || !event->interface)
        return;
    const char *old = event->old_path ? strrchr (event->old_path, '/') : NULL;
    if (old)
        look_at_net (self, old + 1);
    look_at_net (self, event->interface);
}

static void on_readable (actor_t *actor, int fd, short events, void *arg)
{
    (void) events, (void) arg;
    devices_t *self = actor_state (actor);
    if (!uevent_hear (fd, on_event, self))
        read_again (self);
    publish_events (self);
}

const node_t *devices_find (devices_t *self, const msg_t *msg, error_t *err)
{
    const char *name = msg_str (msg, "device");
    autofree char *address = node_pci_address (name);
    autofree char *full = address ? node_pci_name (address) : text_copy (name);
    const node_t *node = full ? zhashx_lookup (self->nodes, full) : NULL;
    if (!node)
        error_set (err, ERR_NO_NODE_DEVICE,
                   "%s: this host has no device '%s'; 'troupe nodedev-list' shows what it has",
                   msg_verb (msg), name ? name : "");
    return node;
}

//  Without the kernel's events the list is as old as the daemon; devices can be used all the same.
static void open_events (devices_t *self)
{
    error_t err;
    self->fd = uevent_open (&err);
    if (self->fd < 0)
        actor_log (self->actor, LEVEL_ERROR, "%s; new devices will not be noticed", err.message);
    else
        actor_watch_fd (self->actor, self->fd, POLLIN, on_readable, NULL);
}

void devices_open_list (devices_t *self)
{
    self->nodes = zhashx_new ();
    zhashx_set_destructor (self->nodes, free_node);
    open_events (self);
    read_all (self, false);
}

void devices_close_list (devices_t *self)
{
    if (self->fd > 0)
        close (self->fd);
    zhashx_destroy (&self->nodes);
}
