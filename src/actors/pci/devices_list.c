//  devices_list.c: which devices the host has: read from sysfs when it starts, and then as the
//  kernel tells.

#include "actors/pci/devices_self.h"

#include "drivers/nodedev/uevent.h"

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

static bool has_moved (const node_t *known, const node_t *node)
{
    return known && known->path && !text_equals (known->path, node->path);
}

static bool has_changed (const node_t *known, const node_t *node)
{
    return !text_equals (known->driver, node->driver) ||
           known->capabilities->count != node->capabilities->count;
}

//  There is a device NODE now, or was all the time.
static void put_node (devices_t *self, node_t *node, bool tell)
{
    node_t *known = zhashx_lookup (self->nodes, node->name);
    bool changed = known && has_changed (known, node);
    if (tell && !known)
        add_event (self, "nodedev.lifecycle", node->name, "Created", DEVICE_CREATED);
    if (tell && changed)
        add_event (self, "nodedev.update", node->name, NULL, 0);
    if (has_moved (known, node))
        zhashx_delete (self->paths, known->path);
    zhashx_update (self->nodes, node->name, node);
    if (node->path)
        zhashx_update (self->paths, node->path, node);
}

static void drop_node (devices_t *self, node_t *node)
{
    autofree char *name = text_copy (node->name);
    add_event (self, "nodedev.lifecycle", name, "Deleted", DEVICE_DELETED);
    if (node->pci)
        devices_tell_gone (self, node->pci->address);
    zhashx_delete (self->paths, node->path);
    zhashx_delete (self->nodes, name);
}

static void drop_at (devices_t *self, const char *path)
{
    node_t *known = zhashx_lookup (self->paths, path);
    if (known)
        drop_node (self, known);
}

//  Its name may be another than the one that we know: a card's has its MAC in it.
static void look_at (devices_t *self, const char *path)
{
    auto(node_t) now = node_at (self->sysfs, path);
    const node_t *known = zhashx_lookup (self->paths, path);
    if (known && (!now || !text_equals (now->name, known->name)))
        drop_at (self, path);
    if (now)
        put_node (self, take (&now), true);
}

static void read_all (devices_t *self, bool tell)
{
    auto(strings_t) paths = node_paths (self->sysfs);
    put_node (self, node_computer (), tell);
    for (size_t i = 0; i < paths->count; i++) {
        node_t *node = node_at (self->sysfs, paths->items[i]);
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
            strings_add (gone, node->path);
    }
    for (size_t i = 0; i < gone->count; i++)
        drop_at (self, gone->items[i]);
    read_all (self, true);
}

//  Where udev runs, it finds out a disk's serial number, which is in the disk's name, before the
//  disk counts.
static bool is_udevs (const uevent_t *event)
{
    return text_equals (event->subsystem, "block") && !text_equals (event->action, "remove") &&
           udev_runs ();
}

//  That it is one of Fibre Channel, a SCSI host has in a class: HOST/fc_host/host5.
static bool is_of_host (const uevent_t *event)
{
    return text_equals (event->subsystem, "fc_host");
}

static void look_at_host (devices_t *self, char *path)
{
    for (int i = 0; i < 2; i++)
        *strrchr (path, '/') = 0;
    look_at (self, path);
}

static void on_event (void *arg, const uevent_t *event)
{
    devices_t *self = arg;
    autofree char *path = text_format ("%s%s", self->sysfs, event->path);
    if (is_of_host (event) && text_starts (event->path, "/devices/"))
        look_at_host (self, path);
    if (!node_subsystem_known (event->subsystem) || is_udevs (event))
        return;
    autofree char *old = text_format ("%s%s", self->sysfs, event->old_path ? event->old_path : "");
    if (event->old_path)
        drop_at (self, old);
    if (text_equals (event->action, "remove"))
        drop_at (self, path);
    else
        look_at (self, path);
}

static void on_readable (actor_t *actor, int fd, short events, void *arg)
{
    (void) events, (void) arg;
    devices_t *self = actor_state (actor);
    if (!uevent_hear (fd, on_event, self))
        read_again (self);
    publish_events (self);
}

static void on_news (actor_t *actor, int fd, short events, void *arg)
{
    (void) fd, (void) events, (void) arg;
    devices_t *self = actor_state (actor);
    for (;;) {
        autofree char *path = udev_news_next (self->news);
        if (!path)
            break;
        look_at (self, path);
    }
    publish_events (self);
}

node_t *devices_look_again (devices_t *self, const node_t *known)
{
    node_t *now = node_again (self->sysfs, known);
    if (now)
        return now;
    look_at (self, known->path);
    publish_events (self);
    return NULL;
}

const node_t *devices_find (devices_t *self, const msg_t *msg, error_t *err)
{
    const char *name = msg_str (msg, "device");
    autofree char *address = node_pci_address (name);
    autofree char *full = address ? node_pci_name (address) : text_copy (name);
    const node_t *node = full ? zhashx_lookup (self->nodes, full) : NULL;
    if (!node)
        error_set (err, ERR_NO_NODE_DEVICE,
                   "this host has no device '%s'; 'troupe nodedev-list' shows what it has",
                   name ? name : "");
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
    self->news = udev_news_open ();
    if (self->news)
        actor_watch_fd (self->actor, udev_news_fd (self->news), POLLIN, on_news, NULL);
}

void devices_open_list (devices_t *self)
{
    self->nodes = zhashx_new ();
    zhashx_set_destructor (self->nodes, free_node);
    self->paths = zhashx_new ();
    open_events (self);
    read_all (self, false);
}

void devices_close_list (devices_t *self)
{
    if (self->fd > 0)
        close (self->fd);
    udev_news_close (&self->news);
    zhashx_destroy (&self->paths);
    zhashx_destroy (&self->nodes);
}
