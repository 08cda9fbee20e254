//  pci_device.c: see pci_device.h.

#include "drivers/pci/pci_device.h"

#include "drivers/pci/sysfs.h"

#include <stdio.h>
#include <string.h>

enum {
    CLASS_BRIDGE = 0x06,
    SUBCLASS_OTHER = 0x80,
    FUNCTIONS_MAX = 65536
};

bool pci_address_valid (const char *text)
{
    unsigned domain, bus, slot, function;
    int end = 0;
    if (!text || strlen (text) >= PCI_ADDRESS_SIZE ||
        sscanf (text, "%6x:%2x:%2x.%1x%n", &domain, &bus, &slot, &function, &end) != 4 || text[end])
        return false;
    char again[PCI_ADDRESS_SIZE + 8];
    snprintf (again, sizeof again, "%04x:%02x:%02x.%x", domain, bus, slot, function);
    return strcmp (again, text) == 0 && slot < 32 && function < 8;
}

pci_place_t pci_place (const char *address)
{
    pci_place_t place = { 0 };
    if (sscanf (address, "%6x:%2x:%2x.%1x", &place.domain, &place.bus, &place.slot,
                &place.function) != 4)
        place = (pci_place_t){ 0 };
    return place;
}

bool pci_device_is_bridge (const pci_device_t *self)
{
    return self->class >> 16 == CLASS_BRIDGE && (self->class >> 8 & 0xff) != SUBCLASS_OTHER;
}

void pci_device_destroy (pci_device_t **self_p)
{
    pci_device_t *self = take (self_p);
    if (!self)
        return;
    free (self->path);
    free (self->parent);
    free (self->driver);
    free (self->override);
    free (self->physical_function);
    strings_destroy (&self->functions);
    strings_destroy (&self->nics);
    strings_destroy (&self->group);
    free (self->resets);
    free (self);
}

//  What is above it in the tree of devices, if that is a PCI device.
static char *parent_of (const char *path)
{
    const char *last = strrchr (path, '/');
    autofree char *above = text_copy_bytes (path, last ? (size_t) (last - path) : 0);
    const char *name = strrchr (above, '/');
    return name && pci_address_valid (name + 1) ? text_copy (name + 1) : NULL;
}

static strings_t *functions_of (const char *folder)
{
    strings_t *functions = strings_new ();
    for (int i = 0; i < FUNCTIONS_MAX; i++) {
        char name[32];
        snprintf (name, sizeof name, "virtfn%d", i);
        char *function = sysfs_link (folder, name);
        if (!function)
            break;
        strings_add_taken (functions, function);
    }
    return functions;
}

static strings_t *names_below (const char *folder, const char *name)
{
    autofree char *path = text_format ("%s/%s", folder, name);
    return sysfs_names (path);
}

static char *override_of (const char *folder)
{
    autofree char *text = sysfs_text ("%s/driver_override", folder);
    return !text || !*text || strcmp (text, "(null)") == 0 ? NULL : take (&text);
}

static void read_attributes (pci_device_t *self, const char *folder)
{
    autofree char *group = sysfs_link (folder, "iommu_group");
    uint64_t number;
    self->parent = parent_of (self->path);
    self->driver = sysfs_link (folder, "driver");
    self->override = override_of (folder);
    self->vendor = (unsigned) sysfs_number (folder, "vendor", 0);
    self->product = (unsigned) sysfs_number (folder, "device", 0);
    self->class = (unsigned) sysfs_number (folder, "class", 0);
    self->numa_node = (int) sysfs_number (folder, "numa_node", -1);
    self->iommu_group = group && text_to_u64 (group, &number) ? (int) number : -1;
    self->physical_function = sysfs_link (folder, "physfn");
    self->total_functions = (unsigned) sysfs_number (folder, "sriov_totalvfs", 0);
    self->functions = functions_of (folder);
    self->nics = names_below (folder, "net");
    self->group = names_below (folder, "iommu_group/devices");
    self->resets = sysfs_text ("%s/reset_method", folder);
}

pci_device_t *pci_device_read (const char *sysfs, const char *address, error_t *err)
{
    autofree char *folder = text_format ("%s/bus/pci/devices/%s", sysfs, address);
    autofree char *path = pci_address_valid (address) ? sysfs_real (folder) : NULL;
    if (!path) {
        error_set (err, ERR_NO_NODE_DEVICE, "there is no PCI device '%s' on this host", address);
        return NULL;
    }
    pci_device_t *self = memory_new (1, sizeof *self);
    snprintf (self->address, sizeof self->address, "%s", address);
    self->path = take (&path);
    read_attributes (self, folder);
    return self;
}

strings_t *pci_device_list (const char *sysfs)
{
    autofree char *folder = text_format ("%s/bus/pci/devices", sysfs);
    return sysfs_names (folder);
}
