//  devices_owners.c: the owners of PCI devices, and of IOMMU groups: each is started when somebody
//  first wants something of it, and is passed what is asked of it.

#include "actors/pci/devices_self.h"

#include "actors/domain/domain_seen.h"
#include "actors/pci/iommu_group.h"
#include "actors/pci/pci.h"
#include "util/file.h"

enum {
    START_MS = 30000,
    RESTARTS = 3 //  of one of them by itself; then not before somebody wants something of it
};

typedef struct {
    char address[PCI_ADDRESS_SIZE];
    int restarts;
    document_t *state; //  as it published it; NULL: the host has the device
} owner_t;

typedef struct {
    int number, restarts;
    bool away; //  it ended too often
} group_t;

static void free_group (void **item_p)
{
    free (take (item_p));
}

static void free_owner (void **item_p)
{
    owner_t *owner = take ((owner_t **) item_p);
    document_destroy (&owner->state);
    free (owner);
}

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

static void spawn_group (devices_t *self, group_t *group);

//  It knows nothing of what it granted, which its members' owners do.
static void restart_group (devices_t *self, group_t *group)
{
    spawn_group (self, group);
    for (owner_t *owner = zhashx_first (self->owners); owner; owner = zhashx_next (self->owners)) {
        char to[MSG_ADDRESS_MAX];
        snprintf (to, sizeof to, PCI_PREFIX "%s", owner->address);
        auto(msg_t) msg = msg_request ("pci.claim");
        pack_key_i64 (msg_args (msg), "group", group->number);
        actor_send (self->actor, to, &msg);
    }
}

static void group_down (actor_t *actor, const char *address, const msg_t *down, void *arg)
{
    (void) arg;
    devices_t *self = actor_state (actor);
    group_t *group = zhashx_lookup (self->groups, address);
    error_t err;
    if (actor_stopping (actor) || !group)
        return;
    msg_failed (down, &err);
    actor_log (actor, LEVEL_ERROR, "%s ended: %s", address, err.message);
    if (group->restarts++ < RESTARTS)
        restart_group (self, group);
    else
        group->away = true;
}

static void spawn_group (devices_t *self, group_t *group)
{
    char address[MSG_ADDRESS_MAX];
    snprintf (address, sizeof address, IOMMU_GROUP_PREFIX "%d", group->number);
    auto(msg_t) args = msg_request ("start");
    pack_key_str (msg_args (args), "sysfs", self->sysfs);
    pack_key_i64 (msg_args (args), "group", group->number);
    actor_spawn (self->actor, address, &iommu_group_class, &args, false, START_MS, owner_started,
                 NULL);
    actor_watch (self->actor, address, group_down, NULL);
}

static void need_group (devices_t *self, int number, char address[MSG_ADDRESS_MAX])
{
    snprintf (address, MSG_ADDRESS_MAX, IOMMU_GROUP_PREFIX "%d", number);
    group_t *group = zhashx_lookup (self->groups, address);
    if (group && group->away) {
        *group = (group_t){ .number = number };
        restart_group (self, group);
    }
    if (group || number < 0)
        return;
    group = memory_new (1, sizeof *group);
    group->number = number;
    zhashx_insert (self->groups, address, group);
    spawn_group (self, group);
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

const value_t *devices_state_of (devices_t *self, const node_t *node)
{
    const owner_t *owner = node->pci ? zhashx_lookup (self->owners, node->pci->address) : NULL;
    return owner && owner->state ? document_root (owner->state) : NULL;
}

void devices_tell_gone (devices_t *self, const char *address)
{
    char to[MSG_ADDRESS_MAX];
    if (!zhashx_lookup (self->owners, address))
        return;
    snprintf (to, sizeof to, PCI_PREFIX "%s", address);
    auto(msg_t) msg = msg_request ("pci.gone");
    actor_send (self->actor, to, &msg);
}

//  Requests.

void devices_pass_on (devices_t *self, msg_t **msg_p)
{
    error_t err;
    char to[MSG_ADDRESS_MAX], group[MSG_ADDRESS_MAX];
    const node_t *node = devices_find (self, *msg_p, &err);
    if (node && !node->pci) {
        error_set (&err, ERR_INVALID_ARG,
                   "'%s' is no PCI device; only those are detached from the host and reset",
                   node->name);
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

void devices_begin_to_compare (devices_t *self, msg_t **msg_p)
{
    (void) msg_p;
    if ((zhashx_size (self->owners) == 0 && !devices_have_holds (self)) || self->running)
        return;
    self->running = strings_new ();
    self->subscription = actor_subscribe (self->actor, "domain/", on_domain, NULL);
    //  Comes back behind the snapshots that are there already.
    auto(msg_t) msg = msg_request ("devices.compare");
    actor_send (self->actor, actor_address (self->actor), &msg);
}

//  An owner may still be on its way to say whose its device is, and is the one who knows.
static void tell_running (devices_t *self, const owner_t *owner)
{
    char to[MSG_ADDRESS_MAX];
    snprintf (to, sizeof to, PCI_PREFIX "%s", owner->address);
    auto(msg_t) msg = msg_request ("pci.compare");
    pack_key_array (msg_args (msg), "running");
    for (size_t i = 0; i < self->running->count; i++)
        pack_str (msg_args (msg), self->running->items[i]);
    pack_end (msg_args (msg));
    actor_send (self->actor, to, &msg);
}

void devices_compare (devices_t *self, msg_t **msg_p)
{
    actor_unsubscribe (self->actor, &self->subscription);
    if (!self->running)
        return;
    for (owner_t *owner = zhashx_first (self->owners); owner; owner = zhashx_next (self->owners))
        tell_running (self, owner);
    devices_compare_holds (self, msg_p);
    strings_destroy (&self->running);
}

int devices_open_owners (devices_t *self, error_t *err)
{
    self->owners = zhashx_new ();
    zhashx_set_destructor (self->owners, free_owner);
    self->groups = zhashx_new ();
    zhashx_set_destructor (self->groups, free_group);
    actor_subscribe (self->actor, PCI_PREFIX, on_owner, NULL);
    return load_owners (self, err);
}

void devices_close_owners (devices_t *self)
{
    zhashx_destroy (&self->owners);
    zhashx_destroy (&self->groups);
    strings_destroy (&self->running);
}
