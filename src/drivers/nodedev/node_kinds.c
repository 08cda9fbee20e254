//  node_kinds.c: the table of kinds of node devices, and what they share.

#include "drivers/nodedev/node_kind.h"

#include "drivers/pci/sysfs.h"
#include "util/host_uuid.h"

#include <ctype.h>
#include <string.h>

//  SMBIOS, as the kernel shows it.
static const node_attribute_t system_attributes[] = {
    { "product", "product_name", 0 },
    { "hardware/vendor", "sys_vendor", 0 },
    { "hardware/version", "product_version", 0 },
    { "hardware/serial", "product_serial", 0 },
    { "hardware/uuid", "product_uuid", 0 },
    { "firmware/vendor", "bios_vendor", 0 },
    { "firmware/version", "bios_version", 0 },
    { "firmware/release_date", "bios_date", 0 },
};

static void describe_system (const char *sysfs, const node_t *self, xml_node_t *capability)
{
    (void) self;
    char uuid[UUID_TEXT_SIZE];
    autofree char *folder = text_format ("%s/class/dmi/id", sysfs);
    node_describe_attributes (folder, system_attributes,
                              sizeof system_attributes / sizeof *system_attributes, capability);
    //  libvirt's schema (nodedev.rng) has both in any document.
    xml_ensure (capability, "hardware");
    const char *own = xml_string (capability, "hardware/uuid");
    if ((own && uuid_normalize (own, uuid)) || host_uuid_read (uuid))
        xml_set (capability, "hardware/uuid", uuid);
    xml_ensure (capability, "firmware");
}

#define PCI "pci", "bus/pci/devices"
#define USB "usb", "bus/usb/devices"
#define SCSI "scsi", "bus/scsi/devices"

static const node_kind_t kinds[] = {
    { "system", NULL, NULL, NULL, NULL, NULL, describe_system },
    { "pci", PCI, node_is_pci, NULL, node_read_pci, node_describe_pci },
    { "usb_device", USB, node_is_usb_device, NULL, node_read_usb_device, node_describe_usb_device },
    { "usb", USB, node_is_usb_interface, NULL, NULL, node_describe_usb_interface },
    { "net", "net", "class/net", node_is_net, node_net_suffix, node_read_net, node_describe_net },
    { "scsi_host", SCSI, node_is_scsi_host, NULL, node_read_scsi_host, node_describe_scsi_host },
    { "scsi_target", SCSI, node_is_scsi_target, NULL, NULL, node_describe_scsi_target },
    { "scsi", SCSI, node_is_scsi, NULL, NULL, node_describe_scsi },
    { "scsi_generic", "scsi_generic", "class/scsi_generic", NULL, NULL, node_read_scsi_generic,
      node_describe_scsi_generic },
    { "storage", "block", "class/block", node_is_storage, node_storage_suffix, node_read_storage,
      node_describe_storage },
    { "drm", "drm", "class/drm", node_is_drm, NULL, node_read_drm, node_describe_drm },
    { "mdev", "mdev", "bus/mdev/devices", NULL, node_mdev_suffix, NULL, node_describe_mdev },
};

const char *node_capabilities (void)
{
    return "system|pci|usb_device|usb|net|scsi_host|scsi_target|scsi|storage|fc_host|vports|"
           "scsi_generic|drm|mdev_types|mdev";
}

const node_kind_t *node_kind_at (size_t index)
{
    return index < sizeof kinds / sizeof *kinds ? &kinds[index] : NULL;
}

bool node_subsystem_known (const char *subsystem)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].subsystem && text_equals (kinds[i].subsystem, subsystem))
            return true;
    return false;
}

const char *node_called (const char *path)
{
    const char *slash = strrchr (path, '/');
    return slash ? slash + 1 : path;
}

//  Devices fill their texts with blanks.
static char *trimmed (char *text)
{
    size_t size = strlen (text);
    while (size > 0 && isspace ((unsigned char) text[size - 1]))
        size--;
    text[size] = 0;
    return text;
}

void node_describe_attributes (const char *folder, const node_attribute_t *attributes, size_t count,
                               xml_node_t *node)
{
    for (size_t i = 0; i < count; i++) {
        const node_attribute_t *each = &attributes[i];
        autofree char *text = sysfs_text ("%s/%s", folder, each->attribute);
        if (!text || !*trimmed (text))
            continue;
        if (each->base == 0)
            xml_set (node, each->element, text);
        else
            xml_set_u64 (node, each->element, strtoull (text, NULL, each->base));
    }
}

void node_describe_id (xml_node_t *node, const char *name, unsigned id, const char *words)
{
    xml_node_t *element = xml_add (node, name);
    xml_setf (element, "@id", "0x%04x", id);
    if (words)
        xml_set (element, ".", words);
}

void node_describe_address (xml_node_t *parent, const char *address)
{
    pci_place_t place = pci_place (address);
    xml_node_t *node = xml_add (parent, "address");
    xml_setf (node, "@domain", "0x%04x", place.domain);
    xml_setf (node, "@bus", "0x%02x", place.bus);
    xml_setf (node, "@slot", "0x%02x", place.slot);
    xml_setf (node, "@function", "0x%x", place.function);
}
