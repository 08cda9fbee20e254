//  iommu_group.c: see iommu_group.h.

#include "actors/pci/iommu_group.h"

#include "drivers/pci/pci_device.h"
#include "drivers/pci/sysfs.h"
#include "util/uuid.h"

#include <czmq.h>

typedef struct {
    char address[PCI_ADDRESS_SIZE];
    char domain[UUID_TEXT_SIZE];
    char *domain_name;
} member_t;

typedef struct {
    actor_t *actor;
    char *sysfs;
    uint64_t number;
    zlistx_t *members; //  member_t: those that a guest has
} iommu_group_t;

static void free_member (void **item_p)
{
    member_t *member = take ((member_t **) item_p);
    free (member->domain_name);
    free (member);
}

//  One of another domain than this; NULL: none.
static const member_t *find_other (iommu_group_t *self, const char *domain)
{
    for (member_t *each = zlistx_first (self->members); each; each = zlistx_next (self->members))
        if (strcmp (each->domain, domain) != 0)
            return each;
    return NULL;
}

static void forget (iommu_group_t *self, const char *address)
{
    for (member_t *each = zlistx_first (self->members); each; each = zlistx_next (self->members))
        if (text_equals (each->address, address)) {
            zlistx_delete (self->members, zlistx_cursor (self->members));
            return;
        }
}

static int take_device (iommu_group_t *self, const msg_t *msg, error_t *err)
{
    const char *address = msg_str (msg, "device"), *domain = msg_str (msg, "domain");
    const char *name = msg_str (msg, "domain_name");
    const member_t *other = find_other (self, domain ? domain : "");
    if (!pci_address_valid (address) || !domain || !name)
        return error_set (err, ERR_INVALID_ARG,
                          "group.take: device, domain or its name is missing");
    if (other)
        return error_set (
            err, ERR_OPERATION_INVALID,
            "PCI device '%s' can't go to domain '%s': domain '%s' has '%s', which is in "
            "the same IOMMU group %llu",
            address, name, other->domain_name, other->address, (unsigned long long) self->number);
    forget (self, address);
    member_t *member = memory_new (1, sizeof *member);
    snprintf (member->address, sizeof member->address, "%s", address);
    snprintf (member->domain, sizeof member->domain, "%s", domain);
    member->domain_name = text_copy (name);
    zlistx_add_end (self->members, member);
    return 0;
}

//  As vfio sees it: bridges only lead to the others, and these drivers let nobody near a device.
static bool is_harmless (const pci_device_t *device)
{
    static const char *const drivers[] = { "vfio-pci", "pci-stub" };
    for (size_t i = 0; i < sizeof drivers / sizeof *drivers; i++)
        if (text_equals (device->driver, drivers[i]))
            return true;
    return !device->driver || pci_device_is_bridge (device);
}

static int check_member (iommu_group_t *self, const char *address, const char *wanted, error_t *err)
{
    error_t ignored; //  then it is gone
    auto(pci_device_t) device = pci_device_read (self->sysfs, address, &ignored);
    if (!device || is_harmless (device))
        return 0;
    return error_set (err, ERR_OPERATION_INVALID,
                      "PCI device '%s' can't go to a guest: '%s', which is in the same IOMMU group "
                      "%llu, is used by the host's driver '%s'; detach it, too (troupe "
                      "nodedev-detach %s), or give it to the same guest",
                      wanted, address, (unsigned long long) self->number, device->driver, address);
}

static int check_group (iommu_group_t *self, const msg_t *msg, error_t *err)
{
    const char *wanted = msg_str (msg, "device");
    autofree char *folder = text_format ("%s/kernel/iommu_groups/%llu/devices", self->sysfs,
                                         (unsigned long long) self->number);
    auto(strings_t) addresses = sysfs_names (folder);
    for (size_t i = 0; i < addresses->count; i++)
        if (check_member (self, addresses->items[i], wanted ? wanted : "", err))
            return -1;
    return 0;
}

static void answer (iommu_group_t *self, msg_t **msg_p, int rc, const error_t *err)
{
    if (rc) {
        actor_reply_error (self->actor, msg_p, err);
        return;
    }
    auto(msg_t) reply = msg_reply ();
    pack_map (msg_result (reply));
    pack_key_u64 (msg_result (reply), "group", self->number);
    pack_end (msg_result (reply));
    actor_reply (self->actor, msg_p, &reply);
}

static void group_handle (actor_t *actor, msg_t **msg_p)
{
    iommu_group_t *self = actor_state (actor);
    error_t err;
    if (msg_is (*msg_p, "group.take"))
        answer (self, msg_p, take_device (self, *msg_p, &err), &err);
    else if (msg_is (*msg_p, "group.check"))
        answer (self, msg_p, check_group (self, *msg_p, &err), &err);
    else if (msg_is (*msg_p, "group.release"))
        forget (self, msg_str (*msg_p, "device"));
}

static int group_start (actor_t *actor, const msg_t *args, error_t *err)
{
    (void) err;
    iommu_group_t *self = actor_state (actor);
    self->actor = actor;
    self->sysfs = text_copy (msg_str (args, "sysfs"));
    self->number = msg_u64 (args, "group", 0);
    self->members = zlistx_new ();
    zlistx_set_destructor (self->members, free_member);
    return 0;
}

static void group_stop (actor_t *actor)
{
    iommu_group_t *self = actor_state (actor);
    zlistx_destroy (&self->members);
    free (self->sysfs);
}

const actor_class_t iommu_group_class = { .kind = "iommu_group",
                                          .state_size = sizeof (iommu_group_t),
                                          .stop_rank = 2,
                                          .start = group_start,
                                          .handle = group_handle,
                                          .stop = group_stop };
