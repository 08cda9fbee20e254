//  devices.c: see devices.h.

#include "actors/pci/devices.h"

#include "actors/config.h"
#include "actors/domain/domain_seen.h"
#include "actors/domain/owner_events.h"
#include "actors/pci/iommu_group.h"
#include "actors/pci/pci.h"
#include "drivers/pci/node.h"
#include "drivers/pci/sysfs.h"
#include "drivers/pci/uevent.h"
#include "msg/verbs.h"
#include "util/file.h"

#include <czmq.h>
#include <poll.h>

enum {
    START_MS = 30000,
    RESTARTS = 3 //  of one owner; then it stays away
};

//  virNodeDeviceEventLifecycleType.
enum {
    DEVICE_CREATED = 0,
    DEVICE_DELETED = 1
};

typedef struct {
    char address[PCI_ADDRESS_SIZE];
    int restarts;
    document_t *state; //  as it published it; NULL: the host has the device
} owner_t;

typedef struct {
    actor_t *actor;
    const config_t *config;
    char *sysfs;
    zhashx_t *nodes;       //  node_t by name
    zhashx_t *owners;      //  owner_t by PCI address
    zhashx_t *groups;      //  addresses of the owners of IOMMU groups that there are
    strings_t *running;    //  domains, while it is found out which devices were not given back
    uint64_t subscription; //  to that
    owner_events_t events;
    int fd; //  of the kernel's events; -1: none
} devices_t;

static void free_node (void **item_p)
{
    node_destroy ((node_t **) item_p);
}

static void free_owner (void **item_p)
{
    owner_t *owner = take ((owner_t **) item_p);
    document_destroy (&owner->state);
    free (owner);
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

//  What its owner has on file is over.
static void tell_gone (devices_t *self, const char *address)
{
    char to[MSG_ADDRESS_MAX];
    if (!zhashx_lookup (self->owners, address))
        return;
    snprintf (to, sizeof to, PCI_PREFIX "%s", address);
    auto(msg_t) msg = msg_request ("pci.gone");
    actor_send (self->actor, to, &msg);
}

static void look_at_pci (devices_t *self, const char *address)
{
    autofree char *name = node_pci_name (address);
    node_t *node = node_pci (self->sysfs, address);
    if (node)
        put_node (self, node, true);
    else if (zhashx_lookup (self->nodes, name)) {
        drop_node (self, name);
        tell_gone (self, address);
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

//  Owners of PCI devices.

static void spawn_owner (devices_t *self, owner_t *owner);

static void owner_down (actor_t *actor, const char *address, const msg_t *down, void *arg)
{
    (void) arg;
    devices_t *self = actor_state (actor);
    owner_t *owner = zhashx_lookup (self->owners, address + strlen (PCI_PREFIX));
    error_t err;
    if (actor_stopping (actor) || !owner)
        return;
    msg_failed (down, &err);
    actor_log (actor, LEVEL_ERROR, "%s ended: %s", address, err.message);
    if (owner->restarts++ < RESTARTS)
        spawn_owner (self, owner);
    else {
        actor_stop (actor, address);
        zhashx_delete (self->owners, owner->address);
    }
}

static void owner_started (actor_t *actor, const msg_t *reply, void *arg)
{
    (void) arg;
    error_t err;
    if (msg_failed (reply, &err))
        actor_log (actor, LEVEL_ERROR, "start: %s", err.message);
}

static void spawn_owner (devices_t *self, owner_t *owner)
{
    char address[MSG_ADDRESS_MAX];
    snprintf (address, sizeof address, PCI_PREFIX "%s", owner->address);
    auto(msg_t) args = msg_request ("start");
    config_pack (self->config, msg_args (args));
    pack_key_str (msg_args (args), "sysfs", self->sysfs);
    pack_key_str (msg_args (args), "address", owner->address);
    actor_spawn (self->actor, address, &pci_class, &args, true, START_MS, owner_started, NULL);
    actor_watch (self->actor, address, owner_down, NULL);
}

static owner_t *need_owner (devices_t *self, const char *address)
{
    owner_t *owner = zhashx_lookup (self->owners, address);
    if (owner)
        return owner;
    owner = memory_new (1, sizeof *owner);
    snprintf (owner->address, sizeof owner->address, "%s", address);
    zhashx_insert (self->owners, owner->address, owner);
    spawn_owner (self, owner);
    return owner;
}

static void group_down (actor_t *actor, const char *address, const msg_t *down, void *arg)
{
    (void) arg;
    devices_t *self = actor_state (actor);
    error_t err;
    if (actor_stopping (actor))
        return;
    msg_failed (down, &err);
    actor_log (actor, LEVEL_ERROR, "%s ended: %s", address, err.message);
    zhashx_delete (self->groups, address);
}

static void need_group (devices_t *self, int number, char address[MSG_ADDRESS_MAX])
{
    snprintf (address, MSG_ADDRESS_MAX, IOMMU_GROUP_PREFIX "%d", number);
    if (number < 0 || zhashx_lookup (self->groups, address))
        return;
    auto(msg_t) args = msg_request ("start");
    pack_key_str (msg_args (args), "sysfs", self->sysfs);
    pack_key_i64 (msg_args (args), "group", number);
    actor_spawn (self->actor, address, &iommu_group_class, &args, false, START_MS, owner_started,
                 NULL);
    actor_watch (self->actor, address, group_down, NULL);
    zhashx_insert (self->groups, address, self);
}

//  Topic pci/ADDRESS.
static void on_owner (actor_t *actor, const char *topic, const msg_t *event, void *arg)
{
    (void) arg;
    devices_t *self = actor_state (actor);
    owner_t *owner = zhashx_lookup (self->owners, topic + strlen (PCI_PREFIX));
    if (!owner)
        return;
    document_destroy (&owner->state);
    if (!msg_is (event, "gone"))
        owner->state = document_of_value (value_get (msg_root (event), "args"));
}

static void load_owner (devices_t *self, const char *address)
{
    char group[MSG_ADDRESS_MAX];
    error_t ignored; //  then it is gone, and its owner notices
    auto(pci_device_t) device = pci_device_read (self->sysfs, address, &ignored);
    if (device)
        need_group (self, device->iommu_group, group);
    need_owner (self, address);
}

//  Those that are not the host's now, or were in between.
static int load_owners (devices_t *self, error_t *err)
{
    static const char suffix[] = ".status";
    autofree char *folder = text_format ("%s/pci", self->config->paths->run);
    if (file_make_folders (folder, 0700, err) || file_sweep (folder, ".", ".new", err))
        return -1;
    auto(strings_t) names = file_list (folder, suffix, err);
    for (size_t i = 0; names && i < names->count; i++) {
        names->items[i][strlen (names->items[i]) - strlen (suffix)] = 0;
        if (pci_address_valid (names->items[i]))
            load_owner (self, names->items[i]);
    }
    return names ? 0 : -1;
}

//  Requests.

static const node_t *find_node (devices_t *self, const msg_t *msg, error_t *err)
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

static const value_t *state_of (devices_t *self, const node_t *node)
{
    const owner_t *owner = node->pci ? zhashx_lookup (self->owners, node->pci->address) : NULL;
    return owner && owner->state ? document_root (owner->state) : NULL;
}

static void pack_strings_of (pack_t *pack, const char *key, const strings_t *strings)
{
    pack_key_array (pack, key);
    for (size_t i = 0; i < strings->count; i++)
        pack_str (pack, strings->items[i]);
    pack_end (pack);
}

static void pack_pci (devices_t *self, pack_t *pack, const node_t *node)
{
    const pci_device_t *pci = node->pci;
    const value_t *state = state_of (self, node);
    const char *phase = value_get_str (state, "state");
    pack_key_str (pack, "address", pci->address);
    pack_key_u64 (pack, "class", pci->class);
    pack_key_u64 (pack, "vendor", pci->vendor);
    pack_key_u64 (pack, "product", pci->product);
    pack_key_i64 (pack, "numa_node", pci->numa_node);
    pack_key_i64 (pack, "iommu_group", pci->iommu_group);
    pack_strings_of (pack, "group", pci->group);
    pack_key_str (pack, "physical_function", pci->physical_function);
    pack_key_u64 (pack, "total_functions", pci->total_functions);
    pack_strings_of (pack, "functions", pci->functions);
    pack_strings_of (pack, "nics", pci->nics);
    pack_key_str (pack, "resets", pci->resets);
    pack_key_str (pack, "state", phase ? phase : "host");
    pack_key_value (pack, "returns_to", value_get (state, "returns_to"));
    pack_key_value (pack, "holder", value_get (state, "holder"));
    pack_key_value (pack, "holder_name", value_get (state, "holder_name"));
}

static void pack_node (devices_t *self, pack_t *pack, const node_t *node)
{
    pack_map (pack);
    pack_key_str (pack, "name", node->name);
    pack_key_str (pack, "parent", node->parent);
    pack_key_str (pack, "capability", node->capability);
    pack_key_str (pack, "path", node->path);
    pack_key_str (pack, "driver", node->driver);
    if (node->pci)
        pack_pci (self, pack, node);
    if (node->interface) {
        pack_key_str (pack, "interface", node->interface);
        pack_key_str (pack, "mac", node->mac);
    }
    pack_end (pack);
}

static bool is_wanted (const node_t *node, const value_t *capabilities)
{
    for (size_t i = 0; i < value_count (capabilities); i++)
        if (text_equals (value_str (value_at (capabilities, i)), node->capability))
            return true;
    return value_count (capabilities) == 0;
}

static int check_capabilities (const value_t *capabilities, error_t *err)
{
    for (size_t i = 0; i < value_count (capabilities); i++)
        if (!verb_is_choice ("system|pci|net", value_str (value_at (capabilities, i))))
            return error_set (err, ERR_INVALID_ARG,
                              "nodedev.list: not supported: the capability '%s'; system, pci and "
                              "net are",
                              value_str (value_at (capabilities, i)));
    return 0;
}

static void show_list (devices_t *self, msg_t **msg_p)
{
    error_t err;
    const value_t *capabilities = msg_arg (*msg_p, "capabilities");
    if (check_capabilities (capabilities, &err)) {
        actor_reply_error (self->actor, msg_p, &err);
        return;
    }
    auto(strings_t) names = strings_new ();
    for (node_t *node = zhashx_first (self->nodes); node; node = zhashx_next (self->nodes))
        if (is_wanted (node, capabilities))
            strings_add (names, node->name);
    strings_sort (names);
    auto(msg_t) reply = msg_reply ();
    pack_array (msg_result (reply));
    for (size_t i = 0; i < names->count; i++)
        pack_node (self, msg_result (reply), zhashx_lookup (self->nodes, names->items[i]));
    pack_end (msg_result (reply));
    actor_reply (self->actor, msg_p, &reply);
}

//  As it is now: not everything of a device that changes is told.
static node_t *look_again (devices_t *self, const msg_t *msg, error_t *err)
{
    const node_t *known = find_node (self, msg, err);
    node_t *now = known ? node_again (self->sysfs, known) : NULL;
    if (known && !now)
        error_set (err, ERR_NO_NODE_DEVICE, "%s: the device '%s' is gone", msg_verb (msg),
                   known->name);
    return now;
}

static void show_info (devices_t *self, msg_t **msg_p)
{
    error_t err;
    auto(node_t) node = look_again (self, *msg_p, &err);
    auto(msg_t) reply = node ? msg_reply () : NULL;
    if (!node) {
        actor_reply_error (self->actor, msg_p, &err);
        return;
    }
    pack_node (self, msg_result (reply), node);
    actor_reply (self->actor, msg_p, &reply);
}

static void show_xml (devices_t *self, msg_t **msg_p)
{
    error_t err;
    auto(node_t) node = look_again (self, *msg_p, &err);
    auto(xml_t) doc = node ? node_xml (self->sysfs, node, &err) : NULL;
    if (!doc) {
        actor_reply_error (self->actor, msg_p, &err);
        return;
    }
    autofree char *text = xml_text (doc);
    auto(msg_t) reply = msg_reply ();
    pack_map (msg_result (reply));
    pack_key_str (msg_result (reply), "xml", text);
    pack_end (msg_result (reply));
    actor_reply (self->actor, msg_p, &reply);
}

//  For the owner of the device, in whose address its name is.
static void pass_on (devices_t *self, msg_t **msg_p)
{
    error_t err;
    char to[MSG_ADDRESS_MAX], group[MSG_ADDRESS_MAX];
    const node_t *node = find_node (self, *msg_p, &err);
    if (node && !node->pci) {
        error_set (&err, ERR_INVALID_ARG,
                   "%s: '%s' is no PCI device; only one of those can be given to a guest",
                   msg_verb (*msg_p), node->name);
        node = NULL;
    }
    if (!node) {
        actor_reply_error (self->actor, msg_p, &err);
        return;
    }
    need_group (self, node->pci->iommu_group, group);
    snprintf (to, sizeof to, PCI_PREFIX "%s", need_owner (self, node->pci->address)->address);
    actor_forward (self->actor, msg_p, msg_is (*msg_p, "group.check") ? group : to, NULL);
}

//  After a restart: guests that ended with the daemon away have given nothing back.

//  Topic domain/UUID.
static void on_domain (actor_t *actor, const char *topic, const msg_t *event, void *arg)
{
    (void) arg;
    devices_t *self = actor_state (actor);
    if (self->running && !msg_is (event, "gone") && domain_may_run (event))
        strings_add (self->running, topic + strlen ("domain/"));
}

static void begin_to_compare (devices_t *self, msg_t **msg_p)
{
    (void) msg_p;
    if (zhashx_size (self->owners) == 0 || self->running)
        return;
    self->running = strings_new ();
    self->subscription = actor_subscribe (self->actor, "domain/", on_domain, NULL);
    //  Comes back behind the snapshots that are there already.
    auto(msg_t) msg = msg_request ("devices.compare");
    actor_send (self->actor, actor_address (self->actor), &msg);
}

static void give_back (devices_t *self, const owner_t *owner, const char *holder)
{
    char to[MSG_ADDRESS_MAX];
    snprintf (to, sizeof to, PCI_PREFIX "%s", owner->address);
    actor_log (self->actor, LEVEL_WARNING,
               "PCI device '%s': domain '%s', which had it, does not run any more", owner->address,
               value_get_str (document_root (owner->state), "holder_name"));
    auto(msg_t) msg = msg_request ("pci.give");
    pack_key_str (msg_args (msg), "domain", holder);
    actor_send (self->actor, to, &msg);
}

static void compare (devices_t *self, msg_t **msg_p)
{
    (void) msg_p;
    actor_unsubscribe (self->actor, &self->subscription);
    for (owner_t *owner = zhashx_first (self->owners); owner && self->running;
         owner = zhashx_next (self->owners)) {
        const char *holder =
            owner->state ? value_get_str (document_root (owner->state), "holder") : NULL;
        if (holder && !strings_contain (self->running, holder))
            give_back (self, owner, holder);
    }
    strings_destroy (&self->running);
}

static const struct {
    const char *verb;
    void (*run) (devices_t *self, msg_t **msg_p);
} verbs_of_devices[] = {
    { "nodedev.list", show_list },   { "nodedev.info", show_info },
    { "nodedev.xml", show_xml },     { "nodedev.detach", pass_on },
    { "nodedev.reattach", pass_on }, { "nodedev.reset", pass_on },
    { "pci.take", pass_on },         { "pci.give", pass_on },
    { "group.check", pass_on },      { "host.serving", begin_to_compare },
    { "devices.compare", compare },
};

static void devices_handle (actor_t *actor, msg_t **msg_p)
{
    for (size_t i = 0; i < sizeof verbs_of_devices / sizeof *verbs_of_devices && *msg_p; i++)
        if (msg_is (*msg_p, verbs_of_devices[i].verb))
            verbs_of_devices[i].run (actor_state (actor), msg_p);
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

static int devices_start (actor_t *actor, const msg_t *args, error_t *err)
{
    devices_t *self = actor_state (actor);
    const char *sysfs = msg_str (args, "sysfs");
    self->actor = actor;
    self->config = config_of (args);
    self->sysfs = text_copy (sysfs ? sysfs : SYSFS);
    self->nodes = zhashx_new ();
    zhashx_set_destructor (self->nodes, free_node);
    self->owners = zhashx_new ();
    zhashx_set_destructor (self->owners, free_owner);
    self->groups = zhashx_new ();
    open_events (self);
    read_all (self, false);
    actor_subscribe (actor, PCI_PREFIX, on_owner, NULL);
    return load_owners (self, err);
}

static void devices_stop (actor_t *actor)
{
    devices_t *self = actor_state (actor);
    if (self->fd > 0)
        close (self->fd);
    zhashx_destroy (&self->nodes);
    zhashx_destroy (&self->owners);
    zhashx_destroy (&self->groups);
    strings_destroy (&self->running);
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
