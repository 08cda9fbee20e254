//  node_pci.c: PCI devices.

#include "drivers/nodedev/node_kind.h"
#include "drivers/nodedev/udev_facts.h"

#include "drivers/pci/sysfs.h"

#include <string.h>

bool node_is_pci (const char *path, const char *called)
{
    (void) path;
    return pci_address_valid (called);
}

void node_read_pci (const char *sysfs, node_t *self)
{
    error_t ignored; //  then it is gone by now
    self->pci = pci_device_read (sysfs, node_called (self->path), &ignored);
    if (node_has_mdev_types (self->path))
        strings_add (self->capabilities, "mdev_types");
}

static void add_functions (xml_node_t *capability, const pci_device_t *pci)
{
    if (pci->physical_function) {
        xml_node_t *physical = xml_add (capability, "capability");
        xml_set (physical, "@type", "phys_function");
        node_describe_address (physical, pci->physical_function);
    }
    if (pci->total_functions == 0)
        return;
    xml_node_t *virtual = xml_add (capability, "capability");
    xml_set (virtual, "@type", "virt_functions");
    xml_set_u64 (virtual, "@maxCount", pci->total_functions);
    for (size_t i = 0; i < pci->functions->count; i++)
        node_describe_address (virtual, pci->functions->items[i]);
}

//  Bridges that lead to a bus, by their class.
static void add_bridge (xml_node_t *capability, const pci_device_t *pci)
{
    static const struct {
        unsigned class;
        const char *type;
    } bridges[] = { { 0x0604, "pci-bridge" }, { 0x0607, "cardbus-bridge" } };
    for (size_t i = 0; i < sizeof bridges / sizeof *bridges; i++)
        if (pci->class >> 8 == bridges[i].class)
            xml_set (xml_add (capability, "capability"), "@type", bridges[i].type);
}

void node_describe_group (const char *path, xml_node_t *node)
{
    uint64_t number;
    autofree char *group = sysfs_link (path, "iommu_group");
    if (!group || !text_to_u64 (group, &number))
        return;
    xml_set_u64 (node, "iommuGroup/@number", number);
}

static void add_group (xml_node_t *capability, const pci_device_t *pci)
{
    node_describe_group (pci->path, capability);
    xml_node_t *group = xml_find (capability, "iommuGroup");
    for (size_t i = 0; group && i < pci->group->count; i++)
        node_describe_address (group, pci->group->items[i]);
}

//  "2.5 GT/s PCIe", and what is no number if there is no link.
static void add_link (xml_node_t *express, const char *path, const char *validity,
                      const char *which)
{
    enum {
        LANES_MAX = 32
    };
    autofree char *speed = sysfs_text ("%s/%s_link_speed", path, which);
    autofree char *width = sysfs_text ("%s/%s_link_width", path, which);
    uint64_t lanes;
    if (!width || !text_to_u64 (width, &lanes) || lanes == 0 || lanes > LANES_MAX)
        return;
    xml_node_t *link = xml_add (express, "link");
    xml_set (link, "@validity", validity);
    if (speed && speed[strspn (speed, "0123456789.")] == ' ') {
        autofree char *number = text_copy_bytes (speed, strspn (speed, "0123456789."));
        if (text_ends (number, ".0"))
            number[strlen (number) - 2] = 0;
        xml_set (link, "@speed", number);
    }
    xml_set_u64 (link, "@width", lanes);
}

//  Only devices of PCI Express have these. The number of a port is only in registers that the
//  kernel does not show the daemon, which gave up the right to (CAP_SYS_ADMIN).
static void add_express (xml_node_t *capability, const pci_device_t *pci)
{
    autofree char *speed = sysfs_text ("%s/max_link_speed", pci->path);
    if (!speed)
        return;
    xml_node_t *express = xml_add (capability, "pci-express");
    add_link (express, pci->path, "cap", "max");
    add_link (express, pci->path, "sta", "current");
}

void node_describe_pci (const char *sysfs, const node_t *self, xml_node_t *capability)
{
    (void) sysfs;
    const pci_device_t *pci = self->pci;
    if (!pci)
        return;
    pci_place_t place = pci_place (pci->address);
    autofree char *product = udev_product ("pci", pci->vendor, pci->product);
    autofree char *vendor = udev_vendor ("pci", pci->vendor);
    xml_setf (capability, "class", "0x%06x", pci->class);
    xml_set_u64 (capability, "domain", place.domain);
    xml_set_u64 (capability, "bus", place.bus);
    xml_set_u64 (capability, "slot", place.slot);
    xml_set_u64 (capability, "function", place.function);
    node_describe_id (capability, "product", pci->product, product);
    node_describe_id (capability, "vendor", pci->vendor, vendor);
    add_functions (capability, pci);
    add_bridge (capability, pci);
    node_describe_mdev_types (pci->path, capability);
    add_group (capability, pci);
    if (pci->numa_node >= 0)
        xml_set_u64 (capability, "numa/@node", (uint64_t) pci->numa_node);
    add_express (capability, pci);
}
