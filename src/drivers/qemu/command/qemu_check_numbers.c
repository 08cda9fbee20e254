//  qemu_check_numbers.c: numbers that QEMU is given as they are. What is none, or more than it
//  takes, is refused before a guest's start is: QEMU would be given 0 for it, or end.

#include "drivers/qemu/command/qemu_complete.h"
#include "util/text.h"

#include <inttypes.h>

#define ALWAYS NULL, NULL

static const struct {
    const char *element; //  NULL: any device
    const char *path;
    uint64_t min, max;
    const char *only_path, *only_value; //  of such devices only
    bool power;                         //  of two
} numbers[] = {
    { "domain", "features/hyperv/spinlocks/@retries", 4095, UINT32_MAX, ALWAYS, false },

    { "disk", "driver/@queues", 1, 1024, ALWAYS, false },
    { "disk", "driver/@queue_size", 4, 1024, ALWAYS, true },
    { "disk", "target/@rotation_rate", 1, 65534, ALWAYS, false },
    { "disk", "geometry/@cyls", 1, 65535, ALWAYS, false },
    { "disk", "geometry/@heads", 1, 255, ALWAYS, false },
    { "disk", "geometry/@heads", 1, 16, "target/@bus", "ide", false },
    { "disk", "geometry/@heads", 1, 16, "target/@bus", "sata", false },
    { "disk", "geometry/@secs", 1, 255, ALWAYS, false },
    { "disk", "blockio/@logical_block_size", 512, 2 << 20, ALWAYS, true },
    { "disk", "blockio/@physical_block_size", 512, 2 << 20, ALWAYS, true },

    { "controller", "@ports", 1, 15, "@type", "usb", false },
    { "controller", "@ports", 1, QEMU_VIRTIO_PORTS_MAX, "@type", "virtio-serial", false },
    { "controller", "@vectors", 0, 2048, ALWAYS, false },
    { "controller", "driver/@queues", 1, 1022, ALWAYS, false },
    { "controller", "driver/@cmd_per_lun", 1, INT32_MAX, ALWAYS, false },
    { "controller", "driver/@max_sectors", 1, INT32_MAX, ALWAYS, false },
    { "controller", "master/@startport", 0, 5, ALWAYS, false },
    { "controller", "target/@chassis", 0, 255, ALWAYS, false },
    { "controller", "target/@port", 0, 255, ALWAYS, false },
    { "controller", "target/@chassisNr", 1, 255, ALWAYS, false },

    { "interface", "driver/@rx_queue_size", 256, 1024, ALWAYS, true },
    { "interface", "driver/@tx_queue_size", 256, 1024, ALWAYS, true },

    { "serial", "target/@port", 0, 3, "target/model/@name", "isa-serial", false },
    { "parallel", "target/@port", 0, 2, ALWAYS, false },
    { NULL, "address/@iobase", 0, UINT16_MAX, ALWAYS, false },
    { NULL, "address/@irq", 0, 15, ALWAYS, false },
    { NULL, "source/reconnect/@timeout", 0, INT32_MAX, ALWAYS, false },

    { "video", "model/@ram", 1, 2 << 20, ALWAYS, false },
    { "video", "model/@vram", 1, 2 << 20, ALWAYS, false },
    { "video", "model/@vgamem", 1, 2 << 20, ALWAYS, false },
    { "video", "model/@vram64", 0, INT32_MAX, ALWAYS, false },
    { "video", "model/@heads", 1, 16, ALWAYS, false },
    { "video", "model/resolution/@x", 1, UINT16_MAX, ALWAYS, false },
    { "video", "model/resolution/@y", 1, UINT16_MAX, ALWAYS, false },

    { "audio", "@id", 1, INT32_MAX, ALWAYS, false },
    { "sound", "audio/@id", 1, INT32_MAX, ALWAYS, false },
    { "memballoon", "stats/@period", 0, INT32_MAX, ALWAYS, false },
    { "memory", "address/@base", 0, INT64_MAX, ALWAYS, false },
    { "memory", "target/address/@base", 0, INT64_MAX, ALWAYS, false },
};

static bool concerns (size_t i, const xml_node_t *node)
{
    return xml_fits (node, numbers[i].element, numbers[i].only_path, numbers[i].only_value) &&
           xml_string (node, numbers[i].path);
}

static int check_number (size_t i, const xml_node_t *node, error_t *err)
{
    uint64_t value = 0;
    char name[128];
    const char *text = xml_string (node, numbers[i].path);
    const bool ok = text_to_u64 (text, &value) && value >= numbers[i].min &&
                    value <= numbers[i].max && !(numbers[i].power && (value & (value - 1)));
    if (ok)
        return 0;
    qemu_device_name (node, name);
    return error_set (err, ERR_XML_ERROR, "%s: %s is '%s', not a %s from %" PRIu64 " to %" PRIu64,
                      xml_is (node, "domain") ? "domain XML" : name, numbers[i].path, text,
                      numbers[i].power ? "power of two" : "whole number", numbers[i].min,
                      numbers[i].max);
}

static int check_all (const xml_node_t *node, error_t *err)
{
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (concerns (i, node) && check_number (i, node, err))
            return -1;
    return 0;
}

static int check_prefixes (const xml_node_t *interface, error_t *err)
{
    xml_foreach (ip, interface, "ip") {
        int prefix = 0;
        if (xml_int (ip, "@prefix", 1, xml_equals (ip, "@family", "ipv6") ? 128 : 32, &prefix, err))
            return -1;
    }
    return 0;
}

//  Without its own, the physical one is what QEMU has.
static int check_blocks (const xml_node_t *disk, error_t *err)
{
    uint64_t logical = 512, physical = 512;
    if (xml_u64 (disk, "blockio/@logical_block_size", &logical, err) ||
        xml_u64 (disk, "blockio/@physical_block_size", &physical, err))
        return -1;
    if (logical <= physical)
        return 0;
    return error_set (err, ERR_XML_ERROR,
                      "disk '%s': the logical blocks of its <blockio>, %" PRIu64
                      " bytes, are larger "
                      "than the physical ones, %" PRIu64,
                      xml_string (disk, "target/@dev"), logical, physical);
}

int qemu_check_numbers (const completion_t *self, error_t *err)
{
    if (check_all (self->domain, err))
        return -1;
    xml_foreach (device, self->devices, NULL)
        if (check_all (device, err) || check_prefixes (device, err) || check_blocks (device, err))
            return -1;
    return 0;
}
