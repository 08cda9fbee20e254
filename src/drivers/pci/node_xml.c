//  node_xml.c: the documents of node devices, as libvirt has them
//  (https://libvirt.org/formatnode.html).

#include "drivers/pci/node.h"

#include "drivers/pci/sysfs.h"

#include <string.h>

//  SMBIOS, as the kernel shows it.
static const struct {
    const char *path, *attribute;
} system_facts[] = {
    { "product", "product_name" },
    { "hardware/vendor", "sys_vendor" },
    { "hardware/version", "product_version" },
    { "hardware/serial", "product_serial" },
    { "hardware/uuid", "product_uuid" },
    { "firmware/vendor", "bios_vendor" },
    { "firmware/version", "bios_version" },
    { "firmware/release_date", "bios_date" },
};

static void describe_system (const char *sysfs, xml_node_t *capability)
{
    for (size_t i = 0; i < sizeof system_facts / sizeof *system_facts; i++) {
        autofree char *text = sysfs_text ("%s/class/dmi/id/%s", sysfs, system_facts[i].attribute);
        if (text && *text)
            xml_set (capability, system_facts[i].path, text);
    }
}

static void add_address (xml_node_t *parent, const char *address)
{
    pci_place_t place = pci_place (address);
    xml_node_t *node = xml_add (parent, "address");
    xml_setf (node, "@domain", "0x%04x", place.domain);
    xml_setf (node, "@bus", "0x%02x", place.bus);
    xml_setf (node, "@slot", "0x%02x", place.slot);
    xml_setf (node, "@function", "0x%x", place.function);
}

static void add_functions (xml_node_t *capability, const pci_device_t *pci)
{
    if (pci->physical_function) {
        xml_node_t *physical = xml_add (capability, "capability");
        xml_set (physical, "@type", "phys_function");
        add_address (physical, pci->physical_function);
    }
    if (pci->total_functions == 0)
        return;
    xml_node_t *virtual = xml_add (capability, "capability");
    xml_set (virtual, "@type", "virt_functions");
    xml_set_u64 (virtual, "@maxCount", pci->total_functions);
    for (size_t i = 0; i < pci->functions->count; i++)
        add_address (virtual, pci->functions->items[i]);
}

static void describe_pci (const pci_device_t *pci, xml_node_t *capability)
{
    pci_place_t place = pci_place (pci->address);
    xml_setf (capability, "class", "0x%06x", pci->class);
    xml_set_u64 (capability, "domain", place.domain);
    xml_set_u64 (capability, "bus", place.bus);
    xml_set_u64 (capability, "slot", place.slot);
    xml_set_u64 (capability, "function", place.function);
    xml_setf (capability, "product/@id", "0x%04x", pci->product);
    xml_setf (capability, "vendor/@id", "0x%04x", pci->vendor);
    add_functions (capability, pci);
    if (pci->iommu_group >= 0) {
        xml_node_t *group = xml_add (capability, "iommuGroup");
        xml_set_u64 (group, "@number", (uint64_t) pci->iommu_group);
        for (size_t i = 0; i < pci->group->count; i++)
            add_address (group, pci->group->items[i]);
    }
    if (pci->numa_node >= 0)
        xml_set_u64 (capability, "numa/@node", (uint64_t) pci->numa_node);
}

//  The speed of a link is not shown: to read it the kernel waits for the driver.
static void describe_net (const node_t *node, xml_node_t *capability)
{
    autofree char *state = sysfs_text ("%s/operstate", node->path);
    autofree char *wireless = text_format ("%s/wireless", node->path);
    xml_set (capability, "interface", node->interface);
    xml_set (capability, "address", node->mac);
    if (state && *state)
        xml_set (capability, "link/@state", state);
    xml_set (capability, "capability/@type", access (wireless, F_OK) == 0 ? "80211" : "80203");
}

xml_t *node_xml (const char *sysfs, const node_t *self, error_t *err)
{
    static const char empty[] = "<device/>";
    auto(xml_t) doc = xml_parse (empty, sizeof empty - 1, "node device", err);
    if (!doc)
        return NULL;
    xml_node_t *root = xml_root (doc);
    xml_set (root, "name", self->name);
    if (self->path)
        xml_set (root, "path", self->path);
    if (self->parent)
        xml_set (root, "parent", self->parent);
    if (self->driver)
        xml_set (root, "driver/name", self->driver);
    xml_node_t *capability = xml_add (root, "capability");
    xml_set (capability, "@type", self->capability);
    if (self->pci)
        describe_pci (self->pci, capability);
    else if (self->interface)
        describe_net (self, capability);
    else
        describe_system (sysfs, capability);
    return take (&doc);
}
