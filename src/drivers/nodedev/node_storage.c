//  node_storage.c: disks: what has blocks and is hardware. Partitions are none, nor is what the
//  kernel makes of files, memory or other disks.

#include "drivers/nodedev/node_kind.h"
#include "drivers/nodedev/udev_facts.h"

#include "drivers/pci/sysfs.h"
#include "util/file.h"

#include <ctype.h>
#include <string.h>
#include <unistd.h>

enum {
    SECTOR = 512,    //  bytes, in which the kernel counts
    PAGE_HEADER = 4, //  of a page of vital product data; behind it is the serial number
    PAGE_MAX = 4096
};

static bool has (const char *path, const char *name)
{
    autofree char *file = text_format ("%s/%s", path, name);
    return access (file, F_OK) == 0;
}

bool node_is_storage (const char *path, const char *called)
{
    (void) called;
    return has (path, "device") && !has (path, "partition") &&
           sysfs_number (path, "hidden", 0) == 0;
}

//  What the kernel has of a SCSI disk's page 0x80, without asking the disk.
static char *scsi_serial (const char *path)
{
    error_t ignored; //  then it has none
    size_t size = 0;
    autofree char *file = text_format ("%s/device/vpd_pg80", path);
    autofree char *page = file_read (file, PAGE_MAX, &size, &ignored);
    if (!page || size <= PAGE_HEADER)
        return NULL;
    const char *start = page + PAGE_HEADER, *end = page + size;
    while (start < end && isspace ((unsigned char) *start))
        start++;
    while (end > start && (!end[-1] || isspace ((unsigned char) end[-1])))
        end--;
    return end > start ? text_copy_bytes (start, (size_t) (end - start)) : NULL;
}

//  udev's word, which is what libvirt has in names; else the disk's own, as far as the kernel has
//  it at hand.
char *node_storage_suffix (const char *path)
{
    static const char *const attributes[] = { "device/serial", "device/wwid" };
    char *serial = udev_fact (path, "ID_SERIAL");
    if (!serial)
        serial = scsi_serial (path);
    for (size_t i = 0; !serial && i < sizeof attributes / sizeof *attributes; i++) {
        serial = sysfs_text ("%s/%s", path, attributes[i]);
        if (serial && !*serial)
            free (take (&serial));
    }
    return serial;
}

//  '!' is '/' in the names that sysfs has.
void node_read_storage (const char *sysfs, node_t *self)
{
    (void) sysfs;
    self->file = text_copy (node_called (self->path));
    for (char *at = self->file; (at = strchr (at, '!')); at++)
        *at = '/';
}

//  What it is behind, where udev says nothing; the first counts.
static char *bus_of (const char *path)
{
    static const struct {
        const char *part, *bus;
    } buses[] = { { "/usb", "usb" },
                  { "/ata", "ata" },
                  { "/target", "scsi" },
                  { "/nvme", "nvme" },
                  { "/mmc_host/", "mmc" } };
    char *bus = udev_fact (path, "ID_BUS");
    for (size_t i = 0; !bus && i < sizeof buses / sizeof *buses; i++)
        if (strstr (path, buses[i].part))
            bus = text_copy (buses[i].bus);
    return bus;
}

static const char *type_of (const node_t *self)
{
    enum {
        WORM = 4,
        ROM = 5,
        OPTICAL = 7
    };
    long number = sysfs_number (self->path, "device/type", -1);
    if (text_starts (self->file, "fd"))
        return "floppy";
    if (text_starts (self->file, "mmcblk"))
        return "sd";
    return number == WORM || number == ROM ? "cdrom" : number == OPTICAL ? "optical" : "disk";
}

static void add_size (xml_node_t *node, const node_t *self, const char *element)
{
    long sectors = sysfs_number (self->path, "size", 0);
    long block = sysfs_number (self->path, "queue/logical_block_size", SECTOR);
    if (sectors <= 0 || block < SECTOR)
        return;
    uint64_t bytes = (uint64_t) sectors * SECTOR;
    xml_set_u64 (node, element, bytes);
    xml_set_u64 (node, "logical_block_size", (uint64_t) block);
    xml_set_u64 (node, "num_blocks", bytes / (uint64_t) block);
}

//  The kernel has a size even for a drive without a disc, so of that only udev can tell.
static void add_medium (xml_node_t *capability, const node_t *self)
{
    bool disc = text_equals (type_of (self), "cdrom");
    autofree char *seen = udev_fact (self->path, "ID_CDROM_MEDIA");
    autofree char *label = udev_fact (self->path, "ID_FS_LABEL");
    bool there = disc ? text_equals (seen, "1") : sysfs_number (self->path, "size", 0) > 0;
    xml_node_t *removable = xml_add (capability, "capability");
    xml_set (removable, "@type", "removable");
    if (disc && !seen && !udev_runs ())
        return;
    xml_set_u64 (removable, "media_available", there);
    if (!there)
        xml_set_u64 (removable, "media_size", 0);
    else
        add_size (removable, self, "media_size");
    if (there && label)
        xml_set (removable, "media_label", label);
}

void node_describe_storage (const char *sysfs, const node_t *self, xml_node_t *capability)
{
    (void) sysfs;
    static const node_attribute_t attributes[] = {
        { "model", "device/model", 0 },
        { "vendor", "device/vendor", 0 },
    };
    autofree char *bus = bus_of (self->path);
    autofree char *serial = node_storage_suffix (self->path);
    xml_setf (capability, "block", "/dev/%s", self->file);
    if (bus)
        xml_set (capability, "bus", bus);
    xml_set (capability, "drive_type", type_of (self));
    node_describe_attributes (self->path, attributes, sizeof attributes / sizeof *attributes,
                              capability);
    if (serial)
        xml_set (capability, "serial", serial);
    if (sysfs_number (self->path, "removable", 0) > 0)
        add_medium (capability, self);
    else
        add_size (capability, self, "size");
}
