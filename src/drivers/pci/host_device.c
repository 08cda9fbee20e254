//  host_device.c: see host_device.h.

#include "drivers/pci/host_device.h"

#include "drivers/pci/sysfs.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ADAPTER "scsi_host"
#define CLASS_HUB 0x09

bool host_device_is (const char *name)
{
    static const char *const prefixes[] = { "usb:", "scsi:", "mdev:", "vsock:" };
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (text_starts (name, prefixes[i]))
            return true;
    return false;
}

//  Of a completed document.
static int number (const xml_node_t *node, const char *path)
{
    const char *text = xml_string (node, path);
    return text ? (int) strtol (text, NULL, 0) : -1;
}

static char *usb_name (const xml_node_t *source)
{
    if (!xml_find (source, "address"))
        return NULL;
    return text_format ("usb:%03d:%03d", number (source, "address/@bus"),
                        number (source, "address/@device"));
}

static char *scsi_name (const xml_node_t *source)
{
    const char *adapter = xml_string (source, "adapter/@name");
    return text_format ("scsi:%s:%d:%d:%d", adapter + strlen (ADAPTER),
                        number (source, "address/@bus"), number (source, "address/@target"),
                        number (source, "address/@unit"));
}

static char *mdev_name (const xml_node_t *source)
{
    return text_format ("mdev:%s", xml_string (source, "address/@uuid"));
}

char *host_device_name (const xml_node_t *hostdev)
{
    const xml_node_t *source = xml_find (hostdev, "source");
    return xml_equals (hostdev, "@type", "usb")    ? usb_name (source)
           : xml_equals (hostdev, "@type", "scsi") ? scsi_name (source)
                                                   : mdev_name (source);
}

//  USB.

typedef struct {
    int vendor, product; //  -1: any
    int bus, device;     //  the same
} usb_wanted_t;

static int usb_number (const char *root, const char *name, const char *attribute, int base)
{
    autofree char *text = sysfs_text ("%s/bus/usb/devices/%s/%s", root, name, attribute);
    return text ? (int) strtol (text, NULL, base) : -1;
}

static bool usb_fits (const char *root, const char *name, const usb_wanted_t *wanted)
{
    const struct {
        int wanted;
        const char *attribute;
        int base;
    } parts[] = { { wanted->vendor, "idVendor", 16 },
                  { wanted->product, "idProduct", 16 },
                  { wanted->bus, "busnum", 10 },
                  { wanted->device, "devnum", 10 } };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i].wanted >= 0 &&
            usb_number (root, name, parts[i].attribute, parts[i].base) != parts[i].wanted)
            return false;
    //  Interfaces of devices ("1-2:1.0") are none.
    return !strchr (name, ':');
}

//  The names in sysfs of those that fit. The caller owns them.
static strings_t *usb_list (const char *root, const usb_wanted_t *wanted)
{
    autofree char *folder = text_format ("%s/bus/usb/devices", root);
    auto(strings_t) names = sysfs_names (folder);
    strings_t *fitting = strings_new ();
    for (size_t i = 0; i < names->count; i++)
        if (usb_fits (root, names->items[i], wanted))
            strings_add (fitting, names->items[i]);
    return fitting;
}

//  "0627:0001", "0627:0001 (bus 1, device 4)", or what of that is said. The caller frees it.
static char *usb_words (const usb_wanted_t *wanted)
{
    autofree char *ids = wanted->vendor < 0 ? text_copy ("")
                                            : text_format ("%04x:%04x", (unsigned) wanted->vendor,
                                                           (unsigned) wanted->product);
    if (wanted->bus < 0)
        return take (&ids);
    return text_format ("%s%sbus %d, device %d%s", ids, *ids ? " (" : "", wanted->bus,
                        wanted->device, *ids ? ")" : "");
}

static int usb_several (const char *root, const usb_wanted_t *wanted, const strings_t *names,
                        error_t *err)
{
    auto(text_t) list = text_new ();
    for (size_t i = 0; i < names->count; i++)
        text_addf (list, "%sbus='%d' device='%d'", i ? ", " : "",
                   usb_number (root, names->items[i], "busnum", 10),
                   usb_number (root, names->items[i], "devnum", 10));
    return error_set (err, ERR_OPERATION_FAILED,
                      "there are several USB devices %04x:%04x: %s; say which with <address bus= "
                      "device=/> in its <source>",
                      (unsigned) wanted->vendor, (unsigned) wanted->product, list->data);
}

static int usb_find (const char *root, xml_node_t *hostdev, error_t *err)
{
    xml_node_t *source = xml_find (hostdev, "source");
    const usb_wanted_t wanted = { .vendor = number (source, "vendor/@id"),
                                  .product = number (source, "product/@id"),
                                  .bus = number (source, "address/@bus"),
                                  .device = number (source, "address/@device") };
    auto(strings_t) names = usb_list (root, &wanted);
    autofree char *words = usb_words (&wanted);
    if (names->count == 0)
        return error_set (err, ERR_NO_NODE_DEVICE, "the host has no USB device %s", words);
    if (names->count > 1)
        return usb_several (root, &wanted, names, err);
    const char *name = names->items[0];
    if (usb_number (root, name, "bDeviceClass", 16) == CLASS_HUB)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: the USB device %s is a hub; QEMU takes single devices",
                          words);
    xml_setf (source, "address/@bus", "%d", usb_number (root, name, "busnum", 10));
    xml_setf (source, "address/@device", "%d", usb_number (root, name, "devnum", 10));
    return 0;
}

//  The names of those, one or none, that are at "001:004".
static strings_t *usb_at (const char *root, const char *place, usb_wanted_t *wanted)
{
    *wanted = (usb_wanted_t){ .vendor = -1, .product = -1 };
    return sscanf (place, "%d:%d", &wanted->bus, &wanted->device) == 2 ? usb_list (root, wanted)
                                                                       : strings_new ();
}

static char *usb_file (const char *root, const char *place, error_t *err)
{
    usb_wanted_t at;
    auto(strings_t) names = usb_at (root, place, &at);
    if (names->count == 1)
        return text_format ("/dev/bus/usb/%03d/%03d", at.bus, at.device);
    error_set (err, ERR_NO_NODE_DEVICE, "the USB device (bus %d, device %d) is gone", at.bus,
               at.device);
    return NULL;
}

static char *usb_folder (const char *root, const char *place)
{
    usb_wanted_t at;
    auto(strings_t) names = usb_at (root, place, &at);
    return names->count == 1 ? text_format ("%s/bus/usb/devices/%s", root, names->items[0]) : NULL;
}

//  SCSI and mediated devices: their name says where they are in sysfs.

static char *scsi_folder (const char *root, const char *place)
{
    return text_format ("%s/bus/scsi/devices/%s", root, place);
}

static char *mdev_folder (const char *root, const char *uuid)
{
    return text_format ("%s/bus/mdev/devices/%s", root, uuid);
}

static char *scsi_file (const char *root, const char *place, error_t *err)
{
    autofree char *folder = scsi_folder (root, place);
    autofree char *nodes = text_format ("%s/scsi_generic", folder);
    auto(strings_t) names = sysfs_names (nodes);
    if (names->count == 1)
        return text_format ("/dev/%s", names->items[0]);
    if (access (folder, F_OK))
        error_set (err, ERR_NO_NODE_DEVICE, "the host has no SCSI device %s (host:bus:target:unit)",
                   place);
    else
        error_set (err, ERR_OPERATION_FAILED,
                   "the SCSI device %s has no node in /dev: load the kernel's module 'sg'", place);
    return NULL;
}

static char *mdev_file (const char *root, const char *uuid, error_t *err)
{
    autofree char *folder = mdev_folder (root, uuid);
    autofree char *group = sysfs_link (folder, "iommu_group");
    if (group)
        return text_format ("/dev/vfio/%s", group);
    if (access (folder, F_OK))
        error_set (err, ERR_NO_NODE_DEVICE,
                   "the host has no mediated device '%s'; its parent's driver makes them (mdevctl "
                   "start)",
                   uuid);
    else
        error_set (err, ERR_OPERATION_INVALID,
                   "the mediated device '%s' is in no IOMMU group: its driver is not bound", uuid);
    return NULL;
}

typedef struct {
    const char *prefix;
    char *(*file) (const char *root, const char *place, error_t *err);
    char *(*folder) (const char *root, const char *place);
} kind_t;

static const kind_t kinds[] = {
    { "usb:", usb_file, usb_folder },
    { "scsi:", scsi_file, scsi_folder },
    { "mdev:", mdev_file, mdev_folder },
};

static const kind_t *kind_of (const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (text_starts (name, kinds[i].prefix))
            return &kinds[i];
    return NULL;
}

char *host_device_file (const char *root, const char *name, error_t *err)
{
    const kind_t *kind = kind_of (name);
    if (kind)
        return kind->file (root, name + strlen (kind->prefix), err);
    error_set (err, ERR_INTERNAL_ERROR, "'%s' is no device that has a file", name);
    return NULL;
}

char *host_device_identity (const char *root, const char *name)
{
    struct stat status;
    const kind_t *kind = kind_of (name);
    autofree char *folder = kind ? kind->folder (root, name + strlen (kind->prefix)) : NULL;
    return folder && stat (folder, &status) == 0
               ? text_format ("%llu", (unsigned long long) status.st_ino)
               : NULL;
}

int host_device_find (const char *root, xml_node_t *hostdev, error_t *err)
{
    if (xml_equals (hostdev, "@type", "usb"))
        return usb_find (root, hostdev, err);
    autofree char *name = host_device_name (hostdev);
    autofree char *file = host_device_file (root, name, err);
    return file ? 0 : -1;
}
