//  qemu_complete_disk.c: completes disks: bus, format, and their place on the bus, which libvirt
//  derives from the name of the target: hdc is the master of the second IDE channel.

#include "drivers/qemu/storage/qemu_block_node.h"
#include "drivers/qemu/command/qemu_address.h"
#include "drivers/qemu/command/qemu_complete_parts.h"
#include "util/text.h"

#include <stdio.h>
#include <string.h>

typedef struct {
    int controller, bus, target, unit;
} drive_t;

int qemu_target_index (const char *name)
{
    static const char *const prefixes[] = { "hd", "sd", "vd", "fd", "xvd", "ubd" };
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        if (!text_starts (name, prefixes[i]))
            continue;
        const char *letters = name + strlen (prefixes[i]);
        size_t length = strlen (letters);
        if (length == 0 || length > 3 || letters[strspn (letters, "abcdefghijklmnopqrstuvwxyz")])
            return -1;
        int index = 0;
        for (; *letters; letters++)
            index = index * 26 + (*letters - 'a' + 1);
        return index - 1;
    }
    return -1;
}

static drive_t ide_drive (int index)
{
    return (drive_t){ .controller = index / 4, .bus = index % 4 / 2, .unit = index % 2 };
}

static drive_t sata_drive (int index)
{
    return (drive_t){ .controller = index / 6, .unit = index % 6 };
}

//  Fifteen to a controller: unit 7 is the controller itself.
static drive_t scsi_drive (int index)
{
    int unit = index % 15;
    return (drive_t){ .controller = index / 15, .unit = unit < 7 ? unit : unit + 1 };
}

static drive_t floppy_drive (int index)
{
    return (drive_t){ .controller = index / 2, .unit = index % 2 };
}

static const struct {
    const char *bus;
    const char *prefix;           //  the names of targets that are on it unless said otherwise
    drive_t (*drive) (int index); //  NULL: its disks have no drive address
    drive_t most;                 //  the highest of each number
} buses[] = {
    { "ide", "hd", ide_drive, { 0, 1, 0, 1 } },
    { "sata", NULL, sata_drive, { 255, 0, 0, 5 } },
    { "scsi", "sd", scsi_drive, { 255, 0, 255, 16383 } },
    { "fdc", "fd", floppy_drive, { 0, 0, 0, 1 } },
    { "virtio", "vd", NULL, { 0 } },
    { "usb", NULL, NULL, { 0 } },
};

#define BUSES (sizeof buses / sizeof *buses)

static size_t bus_index (const char *bus)
{
    size_t i = 0;
    while (i < BUSES && strcmp (buses[i].bus, bus) != 0)
        i++;
    return i;
}

static const char *default_bus (const xml_node_t *disk, const char *dev)
{
    if (xml_equals (disk, "@device", "floppy"))
        return "fdc";
    for (size_t i = 0; i < BUSES; i++)
        if (buses[i].prefix && text_starts (dev, buses[i].prefix))
            return buses[i].bus;
    return NULL;
}

static int complete_target (xml_node_t *disk, error_t *err)
{
    const char *dev = xml_string (disk, "target/@dev");
    if (!dev)
        return error_set (err, ERR_NO_TARGET,
                          "domain XML: a disk has no <target dev='...'/>; vda, for example");
    if (qemu_target_index (dev) < 0)
        return error_set (err, ERR_XML_ERROR,
                          "disk '%s': its target is not of a form like vda, sdb or hdc", dev);
    const char *bus = xml_string (disk, "target/@bus");
    if (!bus && !(bus = default_bus (disk, dev)))
        return error_set (err, ERR_XML_ERROR,
                          "disk '%s': say which bus it is on: <target bus=", dev);
    xml_set (disk, "target/@bus", bus);
    return 0;
}

static int check_device (const completion_t *self, const xml_node_t *disk, error_t *err)
{
    static const char *const never[][2] = {
        { "cdrom", "virtio" }, { "cdrom", "fdc" },   { "disk", "fdc" },      { "floppy", "ide" },
        { "floppy", "sata" },  { "floppy", "scsi" }, { "floppy", "virtio" }, { "floppy", "usb" },
    };
    const char *dev = xml_string (disk, "target/@dev");
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        if (xml_equals (disk, "@device", never[i][0]) &&
            xml_equals (disk, "target/@bus", never[i][1]))
            return error_set (err, ERR_CONFIG_UNSUPPORTED,
                              "not supported: disk '%s': device='%s' on the bus '%s'", dev,
                              never[i][0], never[i][1]);
    if (self->q35 && xml_equals (disk, "target/@bus", "ide"))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: disk '%s': the machine '%s' has no IDE; use bus='sata'",
                          dev, self->machine.name);
    return 0;
}

static const char *source_name (const xml_node_t *disk)
{
    return xml_equals (disk, "@type", "block") ? "dev" : "file";
}

//  An empty <backingStore/> ends the chain; one with a source says what it is.
static int complete_backing (xml_node_t *image, const char *dev, error_t *err)
{
    for (xml_node_t *store; (store = xml_find (image, "backingStore")); image = store) {
        if (!xml_find (store, "source"))
            return 0;
        qemu_default (store, "@type", "file");
        const char *path = qemu_block_path (store);
        if (strcmp (qemu_block_format (image), "raw") == 0)
            return error_set (err, ERR_XML_ERROR,
                              "disk '%s': a raw image has no <backingStore> with a source", dev);
        if (!path || path[0] != '/')
            return error_set (err, ERR_XML_ERROR,
                              "disk '%s': <backingStore> needs an absolute <source %s='...'/>", dev,
                              source_name (store));
        if (!xml_string (store, "format/@type"))
            return error_set (err, ERR_XML_ERROR,
                              "disk '%s': <backingStore> needs a <format type='...'/>", dev);
    }
    return 0;
}

static int complete_source (xml_node_t *disk, error_t *err)
{
    const char *path = qemu_block_path (disk);
    bool removable = !xml_equals (disk, "@device", "disk");
    const char *dev = xml_string (disk, "target/@dev");
    if (!path && !removable)
        return error_set (err, ERR_NO_SOURCE, "disk '%s': it has no <source %s='...'/>", dev,
                          source_name (disk));
    if (path && path[0] != '/')
        return error_set (err, ERR_XML_ERROR, "disk '%s': its source '%s' is not absolute", dev,
                          path);
    if (!removable && xml_equals (disk, "source/@startupPolicy", "requisite"))
        return error_set (err, ERR_XML_ERROR,
                          "disk '%s': the startupPolicy 'requisite' is for cdrom and floppy", dev);
    //  libvirt's own defaults; QEMU is never let guess the format.
    if (path || !removable) {
        if (!xml_find (disk, "driver"))
            xml_add_before (xml_first (disk, NULL), "driver");
        qemu_default (disk, "driver/@name", "qemu");
        qemu_default (disk, "driver/@type", "raw");
    }
    if (xml_equals (disk, "@device", "cdrom"))
        xml_ensure (disk, "readonly");
    //  Guests that share a disk must not have caches of it.
    if (xml_find (disk, "shareable"))
        qemu_default (disk, "driver/@cache", "none");
    return complete_backing (disk, dev, err);
}

static void set_drive (xml_node_t *disk, const drive_t *drive)
{
    xml_set (disk, "address/@type", "drive");
    xml_setf (disk, "address/@controller", "%d", drive->controller);
    xml_setf (disk, "address/@bus", "%d", drive->bus);
    xml_setf (disk, "address/@target", "%d", drive->target);
    xml_setf (disk, "address/@unit", "%d", drive->unit);
}

static int check_number (const xml_node_t *disk, const char *path, int most, error_t *err)
{
    int value = 0;
    const char *dev = xml_string (disk, "target/@dev");
    if (xml_int (disk, path, 0, 65535, &value, err))
        return -1;
    if (value > most)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "disk '%s': %s is %d; on the bus '%s' it is at most %d", dev, path, value,
                          xml_string (disk, "target/@bus"), most);
    return 0;
}

static int complete_drive (xml_node_t *disk, error_t *err)
{
    size_t bus = bus_index (xml_string (disk, "target/@bus"));
    const char *dev = xml_string (disk, "target/@dev");
    if (bus == BUSES || !buses[bus].drive)
        return 0;
    if (qemu_check_address (disk, err))
        return -1;
    if (!xml_find (disk, "address")) {
        drive_t drive = buses[bus].drive (qemu_target_index (dev));
        set_drive (disk, &drive);
    }
    static const char *const numbers[] = { "controller", "bus", "target", "unit" };
    for (size_t i = 0; i < 4; i++) {
        autofree char *path = text_format ("address/@%s", numbers[i]);
        qemu_default (disk, path, "0");
    }
    const drive_t *most = &buses[bus].most;
    bool failed = check_number (disk, "address/@controller", most->controller, err) ||
                  check_number (disk, "address/@bus", most->bus, err) ||
                  check_number (disk, "address/@target", most->target, err) ||
                  check_number (disk, "address/@unit", most->unit, err);
    return failed ? -1 : 0;
}

//  As libvirt's format has it: 64 bits in hexadecimal.
static int check_wwn (const xml_node_t *disk, error_t *err)
{
    const char *wwn = xml_string (disk, "wwn");
    if (!wwn || (strlen (wwn) == 16 && strspn (wwn, "0123456789abcdefABCDEF") == 16))
        return 0;
    return error_set (err, ERR_XML_ERROR, "disk '%s': wwn '%s': it has to be 16 hexadecimal digits",
                      xml_string (disk, "target/@dev"), wwn);
}

int qemu_complete_disk (completion_t *self, xml_node_t *disk, error_t *err)
{
    qemu_default (disk, "@type", "file");
    qemu_default (disk, "@device", "disk");
    bool failed = complete_target (disk, err) || check_device (self, disk, err) ||
                  complete_source (disk, err) || complete_drive (disk, err) ||
                  check_wwn (disk, err);
    return failed ? -1 : 0;
}
