//  qemu_complete_hostdev.c: completes the host's devices that a guest gets: which device of the
//  host it is has to be said in full, and once.

#include "drivers/definition.h"
#include "drivers/pci/host_device.h"
#include "drivers/qemu/command/qemu_address.h"
#include "drivers/qemu/command/qemu_complete_parts.h"
#include "util/text.h"
#include "util/uuid.h"

#include <stdio.h>
#include <string.h>

typedef struct {
    const char *path;
    int max;
} part_t;

static int check_parts (const xml_node_t *device, const part_t *parts, size_t count, error_t *err)
{
    int value = 0;
    for (size_t i = 0; i < count; i++)
        if (xml_int (device, parts[i].path, 0, parts[i].max, &value, err))
            return error_prefix (err, "the host's address of a hostdev");
    return 0;
}

static bool has_all (const xml_node_t *device, const part_t *parts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!xml_string (device, parts[i].path))
            return false;
    return true;
}

#define COUNT(table) (sizeof (table) / sizeof *(table))

//  PCI.

static int complete_pci (xml_node_t *device, error_t *err)
{
    static const part_t parts[] = { { "source/address/@bus", 0xff },
                                    { "source/address/@slot", 0x1f },
                                    { "source/address/@domain", 0xffff },
                                    { "source/address/@function", 7 } };
    if (!has_all (device, parts, 2))
        return error_set (err, ERR_XML_ERROR,
                          "domain XML: a hostdev of type 'pci', or an interface of type 'hostdev', "
                          "needs its host's address: "
                          "<source><address domain='0x0000' bus='0x01' slot='0x10' "
                          "function='0x0'/></source>");
    if (check_parts (device, parts, COUNT (parts), err))
        return -1;
    qemu_default (device, "@managed", "no");
    qemu_default (device, "driver/@name", "vfio");
    qemu_default (device, "source/address/@type", "pci");
    qemu_default (device, "source/address/@domain", "0x0000");
    qemu_default (device, "source/address/@function", "0x0");
    return 0;
}

//  USB.

static void normalise (xml_node_t *device, const char *path, const char *format)
{
    int value = 0;
    char text[16];
    error_t ignored; //  it was checked
    xml_int (device, path, 0, 0xffff, &value, &ignored);
    snprintf (text, sizeof text, strcmp (format, "hex") == 0 ? "0x%04x" : "%d", (unsigned) value);
    xml_set (device, path, text);
}

static int complete_usb (xml_node_t *device, error_t *err)
{
    static const part_t ids[] = { { "source/vendor/@id", 0xffff },
                                  { "source/product/@id", 0xffff } };
    static const part_t place[] = { { "source/address/@bus", 999 },
                                    { "source/address/@device", 999 } };
    const bool some_id = xml_find (device, "source/vendor") || xml_find (device, "source/product");
    const bool some_place = xml_find (device, "source/address") != NULL;
    if ((!some_id && !some_place) || (some_id && !has_all (device, ids, 2)) ||
        (some_place && !has_all (device, place, 2)))
        return error_set (err, ERR_XML_ERROR,
                          "domain XML: a hostdev of type 'usb' needs <source><vendor "
                          "id='0x1234'/><product id='0xabcd'/></source>, or <source><address "
                          "bus='1' device='4'/></source>, or both");
    if (check_parts (device, ids, 2, err) || check_parts (device, place, 2, err))
        return -1;
    for (size_t i = 0; i < 2; i++) {
        if (some_id)
            normalise (device, ids[i].path, "hex");
        if (some_place)
            normalise (device, place[i].path, "decimal");
    }
    return 0;
}

//  SCSI.

static int complete_scsi (xml_node_t *device, error_t *err)
{
    static const part_t place[] = { { "source/address/@bus", 0xffff },
                                    { "source/address/@target", 0xffff },
                                    { "source/address/@unit", 0xffff } };
    static const char prefix[] = "scsi_host";
    const char *adapter = xml_string (device, "source/adapter/@name");
    const char *digits =
        adapter && text_starts (adapter, prefix) ? adapter + strlen (prefix) : "none";
    if (!*digits || digits[strspn (digits, "0123456789")] || !has_all (device, place, 3))
        return error_set (err, ERR_XML_ERROR,
                          "domain XML: a hostdev of type 'scsi' needs <source><adapter "
                          "name='scsi_host0'/><address bus='0' target='0' unit='0'/></source>");
    if (check_parts (device, place, 3, err))
        return -1;
    for (size_t i = 0; i < 3; i++)
        normalise (device, place[i].path, "decimal");
    return 0;
}

//  Mediated devices.

static int complete_mdev (xml_node_t *device, error_t *err)
{
    char uuid[UUID_TEXT_SIZE];
    const char *text = xml_string (device, "source/address/@uuid");
    if (!text || !uuid_normalize (text, uuid))
        return error_set (err, ERR_XML_ERROR,
                          "domain XML: a hostdev of type 'mdev' needs <source><address "
                          "uuid='c2177883-f1bb-47f0-914d-32a22e3a8804'/></source>");
    if (!xml_string (device, "@model"))
        return error_set (err, ERR_XML_ERROR,
                          "domain XML: the mediated device '%s' has no model: "
                          "<hostdev mode='subsystem' type='mdev' model='vfio-pci'>",
                          text);
    xml_set (device, "source/address/@uuid", uuid);
    return 0;
}

//  Only once.

//  The caller frees it.
static char *words_of (const xml_node_t *device)
{
    if (!xml_is (device, "hostdev") || xml_equals (device, "@type", "pci"))
        return definition_pci_text (xml_find (device, "source/address"));
    char *name = host_device_name (device);
    return name ? name
                : text_format ("usb %s:%s", xml_string (device, "source/vendor/@id"),
                               xml_string (device, "source/product/@id"));
}

//  One that stands before this, and so is complete.
static bool is_another (const xml_node_t *other)
{
    return (xml_is (other, "hostdev") && xml_string (other, "@type")) ||
           (xml_is (other, "interface") && xml_equals (other, "@type", "hostdev") &&
            xml_find (other, "source/address"));
}

static int check_twice (completion_t *self, const xml_node_t *device, error_t *err)
{
    const bool pci = !xml_is (device, "hostdev") || xml_equals (device, "@type", "pci");
    autofree char *own = words_of (device);
    xml_foreach (other, self->devices, NULL) {
        if (other == device)
            return 0;
        autofree char *words = is_another (other) ? words_of (other) : NULL;
        if (text_equals (words, own))
            return error_set (err, ERR_XML_ERROR,
                              "domain XML: two hostdevs are the host's %sdevice '%s'",
                              pci ? "PCI " : "", own);
    }
    return 0;
}

int qemu_complete_host_device (completion_t *self, xml_node_t *device, error_t *err)
{
    return complete_pci (device, err) || check_twice (self, device, err) ? -1 : 0;
}

static const struct {
    const char *type;
    int (*complete) (xml_node_t *device, error_t *err);
} types[] = {
    { "pci", complete_pci },
    { "usb", complete_usb },
    { "scsi", complete_scsi },
    { "mdev", complete_mdev },
};

int qemu_complete_hostdev (completion_t *self, xml_node_t *hostdev, error_t *err)
{
    qemu_default (hostdev, "@mode", "subsystem");
    qemu_default (hostdev, "@managed", "no");
    if (xml_equals (hostdev, "@managed", "yes") &&
        (xml_equals (hostdev, "@type", "scsi") || xml_equals (hostdev, "@type", "mdev")))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: managed='yes' of a hostdev of type '%s': it stays with "
                          "the host's driver",
                          xml_string (hostdev, "@type"));
    for (size_t i = 0; i < COUNT (types); i++)
        if (xml_equals (hostdev, "@type", types[i].type))
            return types[i].complete (hostdev, err) || check_twice (self, hostdev, err) ? -1 : 0;
    return error_set (err, ERR_XML_ERROR,
                      "domain XML: a hostdev has no type: <hostdev mode='subsystem' type='pci'>");
}

//  The place on the guest's SCSI bus.

#define UNITS 16
#define OWN_UNIT 7 //  the controller's
#define CONTROLLERS 256

static bool is_scsi (const xml_node_t *device)
{
    return (xml_is (device, "hostdev") && xml_equals (device, "@type", "scsi")) ||
           (xml_is (device, "disk") && xml_equals (device, "target/@bus", "scsi"));
}

static bool is_free (const completion_t *self, int controller, int unit)
{
    char index[16], number[16];
    snprintf (index, sizeof index, "%d", controller);
    snprintf (number, sizeof number, "%d", unit);
    xml_foreach (device, self->devices, NULL)
        if (is_scsi (device) && xml_equals (device, "address/@controller", index) &&
            xml_equals (device, "address/@target", "0") &&
            xml_equals (device, "address/@unit", number))
            return false;
    return true;
}

static int find_place (completion_t *self, xml_node_t *hostdev, error_t *err)
{
    for (int place = 0; place < CONTROLLERS * UNITS; place++) {
        const int controller = place / UNITS, unit = place % UNITS;
        if (unit == OWN_UNIT || !is_free (self, controller, unit))
            continue;
        xml_set (hostdev, "address/@type", "drive");
        xml_setf (hostdev, "address/@controller", "%d", controller);
        xml_set (hostdev, "address/@bus", "0");
        xml_set (hostdev, "address/@target", "0");
        xml_setf (hostdev, "address/@unit", "%d", unit);
        return 0;
    }
    return error_set (err, ERR_XML_ERROR, "hostdev 'scsi': no place on a SCSI bus is free for it");
}

static int check_place (xml_node_t *hostdev, error_t *err)
{
    static const part_t parts[] = { { "address/@controller", CONTROLLERS - 1 },
                                    { "address/@bus", 0 },
                                    { "address/@target", 255 },
                                    { "address/@unit", 16383 } };
    int value = 0;
    if (qemu_check_address (hostdev, err))
        return -1;
    for (size_t i = 0; i < COUNT (parts); i++) {
        qemu_default (hostdev, parts[i].path, "0");
        if (xml_int (hostdev, parts[i].path, 0, parts[i].max, &value, err))
            return error_prefix (err, "hostdev 'scsi'");
    }
    return 0;
}

int qemu_complete_scsi_hostdevs (completion_t *self, error_t *err)
{
    xml_foreach (hostdev, self->devices, "hostdev")
        if (is_scsi (hostdev) && xml_find (hostdev, "address") && check_place (hostdev, err))
            return -1;
    xml_foreach (hostdev, self->devices, "hostdev")
        if (is_scsi (hostdev) && !xml_find (hostdev, "address") && find_place (self, hostdev, err))
            return -1;
    return 0;
}
