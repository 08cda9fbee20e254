//  qemu_address.c: the table of devices whose address is none of PCI.

#include "drivers/qemu/command/qemu_address.h"
#include "drivers/qemu/command/qemu_models.h"
#include "util/text.h"

#include <string.h>

static const struct {
    const char *element;
    const char *path, *value; //  of such devices only; NULL: all
    const char *type;         //  NULL: it has no address
} types[] = {
    { "disk", "target/@bus", "usb", "usb" },
    { "disk", "target/@bus", "virtio", "pci" },
    { "disk", NULL, NULL, "drive" },
    { "hostdev", "@type", "usb", "usb" },
    { "hostdev", "@type", "scsi", "drive" },
    { "interface", "@type", "hostdev", "pci" },
    { "interface", "model/@type", "usb-net", "usb" },
    { "input", "@bus", "usb", "usb" },
    { "sound", "@model", "usb", "usb" },
    { "hub", NULL, NULL, "usb" },
    { "redirdev", NULL, NULL, "usb" },
    { "serial", "target/@type", "usb-serial", "usb" },
    { "serial", "target/@type", "isa-serial", "isa" },
    { "parallel", NULL, NULL, "isa" },
    { "panic", "@model", "isa", "isa" },
    { "channel", "target/@type", "virtio", "virtio-serial" },
    { "console", "target/@type", "virtio", "virtio-serial" },
    { "memory", "@model", "dimm", "dimm" },
    //  The root bus.
    { "controller", "@model", "pci-root", NULL },
    { "controller", "@model", "pcie-root", NULL },
    { "controller", "@model", "none", NULL },
    { "controller", "@type", "fdc", NULL },
    //  Of the chipset, where it has a place (qemu_complete_pci).
    { "controller", NULL, NULL, "pci" },
};

const char *qemu_address_type (const xml_node_t *device)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (xml_fits (device, types[i].element, types[i].path, types[i].value))
            return types[i].type;
    return qemu_model_plug (device) == PLUG_NONE ? NULL : "pci";
}

bool qemu_has_address_type (const xml_node_t *device, const char *type)
{
    return text_equals (qemu_address_type (device), type);
}

bool qemu_is_conventional (const xml_node_t *device)
{
    return qemu_model_plug (device) == PLUG_PCI;
}

static const struct {
    const char *type, *attributes;
} parts[] = {
    { "pci", " domain bus slot function multifunction " },
    { "usb", " bus port " },
    { "drive", " controller bus target unit " },
    { "virtio-serial", " controller bus port " },
    { "dimm", " slot base " },
    { "isa", " iobase irq " },
};

static int check_parts (const char *name, const xml_node_t *address, const char *type, error_t *err)
{
    const char *attribute;
    const char *own = "";
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strcmp (parts[i].type, type) == 0)
            own = parts[i].attributes;
    for (size_t i = 0; (attribute = xml_attribute (address, i)); i++) {
        autofree char *word = text_format (" %s ", attribute);
        if (strcmp (attribute, "type") != 0 && !strstr (own, word))
            return error_set (err, ERR_XML_ERROR,
                              "%s: its address is of type '%s', which has no %s; remove it", name,
                              type, attribute);
    }
    return 0;
}

int qemu_check_address (const xml_node_t *device, error_t *err)
{
    char name[128];
    const xml_node_t *address = xml_find (device, "address");
    if (!address)
        return 0;
    const char *given = xml_string (address, "@type"), *type = qemu_address_type (device);
    qemu_device_name (device, name);
    if (!given)
        return error_set (err, ERR_XML_ERROR, "%s: its <address> has no type", name);
    if (!type)
        return error_set (err, ERR_XML_ERROR,
                          "%s: it has no address, and here one of type '%s'; remove it", name,
                          given);
    if (strcmp (given, type) != 0)
        return error_set (err, ERR_XML_ERROR,
                          "%s: its address is of type '%s'; it has to be of type '%s', or to be "
                          "left out",
                          name, given, type);
    return check_parts (name, address, type, err);
}

int qemu_check_addresses (const completion_t *self, error_t *err)
{
    xml_foreach (device, self->devices, NULL)
        if (qemu_check_address (device, err))
            return -1;
    return 0;
}
