//  qemu_command_disk.c: disks. Each is a chain of two block nodes, the file and its format, and a
//  device. The nodes are named after the target: "disk-vda-file" and "disk-vda"; backing files that
//  the document does not name are left to QEMU, which reads their names from the image.

#include "drivers/qemu/storage/qemu_block_node.h"
#include "drivers/qemu/command/qemu_command_parts.h"

#include <string.h>

//  No chain is sensibly longer; the scan of documents bounds their depth, too.
#define CHAIN_MAX 60

static void add_nodes (command_t *self, const xml_node_t *disk, const qemu_node_t *node)
{
    command_json (self, "-blockdev", qemu_block_file_json (disk, node));
    command_json (self, "-blockdev", qemu_block_format_json (disk, node));
}

//  Those that the document names; below them, and if it names none, what the image says. Their
//  nodes are "disk-vda-1" and so on, the deepest one first. *BACKING is the name of the node that
//  the image above has below it, as qemu_node_t has it.
static void add_backing_nodes (command_t *self, const xml_node_t *disk, char **backing)
{
    const xml_node_t *chain[CHAIN_MAX];
    size_t count = 0;
    const xml_node_t *store = xml_find (disk, "backingStore");
    for (; store && qemu_block_path (store) && count < CHAIN_MAX;
         store = xml_find (store, "backingStore"))
        chain[count++] = store;
    *backing = store ? text_copy ("") : NULL;
    for (; count > 0; count--) {
        autofree char *below = take (backing);
        *backing = text_format ("disk-%s-%zu", xml_string (disk, "target/@dev"), count);
        add_nodes (self, disk,
                   &(qemu_node_t){ .node = *backing,
                                   .path = qemu_block_path (chain[count - 1]),
                                   .format = qemu_block_format (chain[count - 1]),
                                   .backing = below,
                                   .block = xml_equals (chain[count - 1], "@type", "block"),
                                   .read_only = true });
    }
}

static void add_image (command_t *self, const xml_node_t *disk, const char *node)
{
    autofree char *backing = NULL;
    add_backing_nodes (self, disk, &backing);
    add_nodes (self, disk,
               &(qemu_node_t){ .node = node,
                               .path = qemu_block_path (disk),
                               .format = qemu_block_format (disk),
                               .backing = backing,
                               .block = xml_equals (disk, "@type", "block"),
                               .read_only = xml_find (disk, "readonly") != NULL });
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

void command_scsi_address (command_t *self, json_t *json, const xml_node_t *device)
{
    const xml_node_t *controller = controller_of (self, device, "scsi");
    autofree char *bus = text_format ("%s.0", qemu_alias (controller));
    json_object_set_new (json, "bus", json_string (bus));
    if (xml_equals (controller, "@model", "lsilogic")) {
        command_number (json, "scsi-id", device, "address/@unit");
        return;
    }
    command_number (json, "channel", device, "address/@bus");
    command_number (json, "scsi-id", device, "address/@target");
    command_number (json, "lun", device, "address/@unit");
}

static json_t *scsi_device (command_t *self, const xml_node_t *disk)
{
    bool cdrom = xml_equals (disk, "@device", "cdrom");
    const char *serial = xml_string (disk, "serial");
    json_t *json = command_device (cdrom ? "scsi-cd" : "scsi-hd", disk);
    autofree char *id = text_format ("drive-%s", qemu_alias (disk));
    command_scsi_address (self, json, disk);
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
    const qemu_cache_t *cache = qemu_block_cache (disk);
    if (cache)
        json_object_set_new (json, "write-cache", json_string (cache->write_back ? "on" : "off"));
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
    const char *path = qemu_block_path (disk);
    autofree char *node = text_format ("disk-%s", xml_string (disk, "target/@dev"));
    if (path)
        add_image (self, disk, node);
    json_t *json = device_of (self, disk, err);
    if (!json)
        return -1;
    if (path)
        json_object_set_new (json, "drive", json_string (node));
    add_properties (self, json, disk);
    command_json (self, "-device", json);
    return 0;
}
