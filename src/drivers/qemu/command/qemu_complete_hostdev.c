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
    if (!xml_string (address, "@bus") || !xml_string (address, "@slot"))
        return error_set (err, ERR_XML_ERROR,
                          "domain XML: a hostdev of type 'pci' needs its host's address: "
                          "<source><address domain='0x0000' bus='0x01' slot='0x10' "
                          "function='0x0'/></source>");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (xml_int (address, parts[i].part, 0, parts[i].max, &value, err))
            return error_prefix (err, "the host's address of a hostdev");
    return 0;
}

static int check_twice (completion_t *self, const xml_node_t *hostdev, error_t *err)
{
    autofree char *own = definition_pci_text (xml_find (hostdev, "source/address"));
    xml_foreach (other, self->devices, "hostdev") {
        const xml_node_t *address = xml_find (other, "source/address");
        if (other == hostdev || !address)
            continue;
        autofree char *text = definition_pci_text (address);
        if (text_equals (text, own))
            return error_set (err, ERR_XML_ERROR,
                              "domain XML: two hostdevs are the host's PCI device '%s'", own);
    }
    return 0;
}

int qemu_complete_hostdev (completion_t *self, xml_node_t *hostdev, error_t *err)
{
    xml_node_t *address = xml_find (hostdev, "source/address");
    qemu_default (hostdev, "@mode", "subsystem");
    if (!xml_string (hostdev, "@type"))
        return error_set (
            err, ERR_XML_ERROR,
            "domain XML: a hostdev has no type: <hostdev mode='subsystem' type='pci'>");
    if (check_address (address, err) || check_twice (self, hostdev, err))
        return -1;
    qemu_default (hostdev, "@managed", "no");
    qemu_default (hostdev, "driver/@name", "vfio");
    qemu_default (address, "@domain", "0x0000");
    qemu_default (address, "@function", "0x0");
    return 0;
}
