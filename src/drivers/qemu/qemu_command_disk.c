//  qemu_command_disk.c: disks. Each is a chain of two block nodes, the file and its format, and a
//  device. The nodes are named after the target: "disk-vda-file" and "disk-vda"; backing files are
//  left to QEMU, which reads their names from the image.

#include "drivers/qemu/qemu_command_parts.h"

#include <string.h>

//  What libvirt's cache modes mean to QEMU.
static const struct {
    const char *cache;
    bool direct, no_flush, write_back;
} caches[] = {
    { "none", true, false, true },           { "writeback", false, false, true },
    { "writethrough", false, false, false }, { "directsync", true, false, false },
    { "unsafe", false, true, true },
};

#define CACHES (sizeof caches / sizeof *caches)

static size_t cache_of (const xml_node_t *disk)
{
    size_t i = 0;
    while (i < CACHES && !xml_equals (disk, "driver/@cache", caches[i].cache))
        i++;
    return i;
}

static void add_cache (json_t *node, const xml_node_t *disk)
{
    size_t i = cache_of (disk);
    if (i < CACHES)
        json_object_set_new (
            node, "cache",
            json_pack ("{s:b, s:b}", "direct", caches[i].direct, "no-flush", caches[i].no_flush));
}

static void add_file_node (command_t *self, const xml_node_t *disk, const char *name,
                           const char *path)
{
    bool block = xml_equals (disk, "@type", "block");
    json_t *node = json_pack ("{s:s, s:s, s:s}", "driver", block ? "host_device" : "file",
                              "filename", path, "node-name", name);
    command_string (node, "aio", disk, "driver/@io");
    add_cache (node, disk);
    json_object_set_new (node, "auto-read-only", json_true ());
    json_object_set_new (node, "discard", json_string ("unmap"));
    command_json (self, "-blockdev", node);
}

static void add_format_node (command_t *self, const xml_node_t *disk, const char *name,
                             const char *file)
{
    bool read_only = xml_find (disk, "readonly") != NULL;
    bool qcow2 = xml_equals (disk, "driver/@type", "qcow2");
    json_t *node = json_pack ("{s:s, s:b}", "node-name", name, "read-only", read_only);
    command_string (node, "discard", disk, "driver/@discard");
    command_string (node, "detect-zeroes", disk, "driver/@detect_zeroes");
    //  Unmapping zeroes is discarding them; without that they are written as zeroes.
    if (xml_equals (disk, "driver/@detect_zeroes", "unmap") &&
        !xml_equals (disk, "driver/@discard", "unmap"))
        json_object_set_new (node, "detect-zeroes", json_string ("on"));
    add_cache (node, disk);
    command_string (node, "driver", disk, "driver/@type");
    json_object_set_new (node, "file", json_string (file));
    //  An empty <backingStore/> says that there is none, whatever the image says.
    if (qcow2 && xml_find (disk, "backingStore"))
        json_object_set_new (node, "backing", json_null ());
    command_json (self, "-blockdev", node);
}

static void add_virtio (json_t *json, const xml_node_t *disk)
{
    const char *thread = xml_string (disk, "driver/@iothread");
    autofree char *name = text_format ("iothread%s", thread ? thread : "");
    if (thread)
        json_object_set_new (json, "iothread", json_string (name));
    command_flag (json, "ioeventfd", disk, "driver/@ioeventfd");
    command_flag (json, "event_idx", disk, "driver/@event_idx");
    command_number (json, "num-queues", disk, "driver/@queues");
    command_number (json, "queue-size", disk, "driver/@queue_size");
}

static json_t *ide_device (command_t *self, const xml_node_t *disk)
{
    bool cdrom = xml_equals (disk, "@device", "cdrom");
    json_t *json = command_device (cdrom ? "ide-cd" : "ide-hd", disk);
    autofree char *bus = text_format ("ide.%s", xml_string (disk, "address/@bus"));
    (void) self;
    json_object_set_new (json, "bus", json_string (bus));
    command_number (json, "unit", disk, "address/@unit");
    return json;
}

static const xml_node_t *controller_of (command_t *self, const xml_node_t *disk, const char *type)
{
    xml_foreach (controller, self->devices, "controller")
        if (xml_equals (controller, "@type", type) &&
            xml_equals (controller, "@index", xml_string (disk, "address/@controller")))
            return controller;
    return NULL;
}

static json_t *sata_device (command_t *self, const xml_node_t *disk)
{
    bool cdrom = xml_equals (disk, "@device", "cdrom");
    json_t *json = command_device (cdrom ? "ide-cd" : "ide-hd", disk);
    autofree char *bus = text_format ("%s.%s", qemu_alias (controller_of (self, disk, "sata")),
                                      xml_string (disk, "address/@unit"));
    json_object_set_new (json, "bus", json_string (bus));
    return json;
}

static json_t *scsi_device (command_t *self, const xml_node_t *disk)
{
    const xml_node_t *controller = controller_of (self, disk, "scsi");
    bool cdrom = xml_equals (disk, "@device", "cdrom");
    bool narrow = xml_equals (controller, "@model", "lsilogic");
    const char *serial = xml_string (disk, "serial");
    json_t *json = command_device (cdrom ? "scsi-cd" : "scsi-hd", disk);
    autofree char *bus = text_format ("%s.0", qemu_alias (controller));
    autofree char *id = text_format ("drive-%s", qemu_alias (disk));
    json_object_set_new (json, "bus", json_string (bus));
    if (narrow)
        command_number (json, "scsi-id", disk, "address/@unit");
    else {
        command_number (json, "channel", disk, "address/@bus");
        command_number (json, "scsi-id", disk, "address/@target");
        command_number (json, "lun", disk, "address/@unit");
    }
    //  What the guest sees as its identity; QEMU would take the node's name.
    json_object_set_new (json, "device_id", json_string (serial ? serial : id));
    command_string (json, "vendor", disk, "vendor");
    command_string (json, "product", disk, "product");
    return json;
}

static json_t *usb_device (command_t *self, const xml_node_t *disk)
{
    json_t *json = command_device ("usb-storage", disk);
    command_address (self, json, disk);
    json_object_set_new (json, "removable", json_false ());
    command_flag (json, "removable", disk, "target/@removable");
    return json;
}

static json_t *floppy_device (command_t *self, const xml_node_t *disk)
{
    json_t *json = command_device ("floppy", disk);
    command_number (json, "unit", disk, "address/@unit");
    int index = command_bootindex (self, disk);
    bool second = xml_equals (disk, "address/@unit", "1");
    if (index && !self->q35)
        command_add (self, "-global", "isa-fdc.bootindex%c=%d", second ? 'B' : 'A', index);
    return json;
}

static const struct {
    const char *bus;
    json_t *(*device) (command_t *self, const xml_node_t *disk);
} buses[] = {
    { "ide", ide_device }, { "sata", sata_device },  { "scsi", scsi_device },
    { "usb", usb_device }, { "fdc", floppy_device },
};

static json_t *device_of (command_t *self, const xml_node_t *disk, error_t *err)
{
    for (size_t i = 0; i < sizeof buses / sizeof *buses; i++)
        if (xml_equals (disk, "target/@bus", buses[i].bus))
            return buses[i].device (self, disk);
    json_t *json = command_model (self, disk, err);
    if (json)
        add_virtio (json, disk);
    return json;
}

//  World wide names are 64 bits in hexadecimal, which JSON's integers hold.
static void add_wwn (json_t *json, const xml_node_t *disk)
{
    const char *wwn = xml_string (disk, "wwn");
    if (wwn)
        json_object_set_new (json, "wwn", json_integer ((json_int_t) strtoull (wwn, NULL, 16)));
}

static void add_policies (json_t *json, const xml_node_t *disk)
{
    const char *policy = xml_string (disk, "driver/@error_policy");
    bool enospace = policy && strcmp (policy, "enospace") == 0;
    size_t i = cache_of (disk);
    if (i < CACHES)
        json_object_set_new (json, "write-cache",
                             json_string (caches[i].write_back ? "on" : "off"));
    if (policy)
        json_object_set_new (json, "werror", json_string (enospace ? "enospc" : policy));
    //  "enospace" is about writing; reading follows the policy otherwise.
    if (policy && !enospace)
        json_object_set_new (json, "rerror", json_string (policy));
    command_string (json, "rerror", disk, "driver/@rerror_policy");
}

static void add_properties (command_t *self, json_t *json, const xml_node_t *disk)
{
    int index = command_bootindex (self, disk);
    bool floppy = xml_equals (disk, "target/@bus", "fdc");
    if (index && !floppy)
        json_object_set_new (json, "bootindex", json_integer (index));
    command_string (json, "serial", disk, "serial");
    add_wwn (json, disk);
    if (xml_find (disk, "shareable"))
        json_object_set_new (json, "share-rw", json_true ());
    command_number (json, "rotation_rate", disk, "target/@rotation_rate");
    command_number (json, "cyls", disk, "geometry/@cyls");
    command_number (json, "heads", disk, "geometry/@heads");
    command_number (json, "secs", disk, "geometry/@secs");
    command_string (json, "bios-chs-trans", disk, "geometry/@trans");
    command_number (json, "logical_block_size", disk, "blockio/@logical_block_size");
    command_number (json, "physical_block_size", disk, "blockio/@physical_block_size");
    add_policies (json, disk);
}

int qemu_command_disk (command_t *self, const xml_node_t *disk, error_t *err)
{
    bool block = xml_equals (disk, "@type", "block");
    const char *path = xml_string (disk, block ? "source/@dev" : "source/@file");
    autofree char *node = text_format ("disk-%s", xml_string (disk, "target/@dev"));
    autofree char *file = text_format ("%s-file", node);
    if (path) {
        add_file_node (self, disk, file, path);
        add_format_node (self, disk, node, file);
    }
    json_t *json = device_of (self, disk, err);
    if (!json)
        return -1;
    if (path)
        json_object_set_new (json, "drive", json_string (node));
    add_properties (self, json, disk);
    command_json (self, "-device", json);
    return 0;
}
