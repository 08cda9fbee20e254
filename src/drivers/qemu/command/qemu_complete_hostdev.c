//  qemu_complete_hostdev.c: completes the host's devices that a guest gets.

#include "drivers/qemu/command/qemu_complete_parts.h"
#include "drivers/definition.h"
#include "util/text.h"

static int check_address (const xml_node_t *address, error_t *err)
{
    static const struct {
        const char *part;
        int max;
    } parts[] = { { "@domain", 0xffff }, { "@bus", 0xff }, { "@slot", 0x1f }, { "@function", 7 } };
    int value = 0;
    if (!address || !xml_string (address, "@bus") || !xml_string (address, "@slot"))
        return error_set (err, ERR_XML_ERROR,
                          "domain XML: a hostdev of type 'pci', or an interface of type 'hostdev', "
                          "needs its host's address: "
                          "<source><address domain='0x0000' bus='0x01' slot='0x10' "
                          "function='0x0'/></source>");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (xml_int (address, parts[i].part, 0, parts[i].max, &value, err))
            return error_prefix (err, "the host's address of a hostdev");
    return 0;
}

//  A hostdev, or an interface of this type.
static bool has_address (const xml_node_t *device, const char *text)
{
    const xml_node_t *address = xml_find (device, "source/address");
    bool hostdev = xml_is (device, "hostdev") || xml_is (device, "interface");
    if (!hostdev || !address)
        return false;
    autofree char *own = definition_pci_text (address);
    return text_equals (own, text);
}

static int check_twice (completion_t *self, const xml_node_t *device, error_t *err)
{
    autofree char *own = definition_pci_text (xml_find (device, "source/address"));
    xml_foreach (other, self->devices, NULL)
        if (other != device && has_address (other, own))
            return error_set (err, ERR_XML_ERROR,
                              "domain XML: two hostdevs are the host's PCI device '%s'", own);
    return 0;
}

int qemu_complete_host_device (completion_t *self, xml_node_t *device, error_t *err)
{
    xml_node_t *address = xml_find (device, "source/address");
    if (check_address (address, err) || check_twice (self, device, err))
        return -1;
    qemu_default (device, "@managed", "no");
    qemu_default (device, "driver/@name", "vfio");
    qemu_default (address, "@type", "pci");
    qemu_default (address, "@domain", "0x0000");
    qemu_default (address, "@function", "0x0");
    return 0;
}

int qemu_complete_hostdev (completion_t *self, xml_node_t *hostdev, error_t *err)
{
    qemu_default (hostdev, "@mode", "subsystem");
    if (!xml_string (hostdev, "@type"))
        return error_set (
            err, ERR_XML_ERROR,
            "domain XML: a hostdev has no type: <hostdev mode='subsystem' type='pci'>");
    return qemu_complete_host_device (self, hostdev, err);
}
