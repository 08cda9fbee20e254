//  qemu_command_hostdev.c: devices of the host. Where a SCSI device is in /dev is in the record,
//  once it is the guest's.

#include "drivers/definition.h"
#include "drivers/pci/host_device.h"
#include "drivers/pci/sysfs.h"
#include "drivers/qemu/command/qemu_command_parts.h"

#include <string.h>

static void add_boot (command_t *self, const xml_node_t *hostdev, json_t *json)
{
    int index = command_bootindex (self, hostdev);
    if (index > 0)
        json_object_set_new (json, "bootindex", json_integer (index));
}

static int command_pci (command_t *self, const xml_node_t *hostdev, error_t *err)
{
    json_t *json = command_model (self, hostdev, err);
    if (!json)
        return -1;
    autofree char *host = definition_pci_text (xml_find (hostdev, "source/address"));
    json_object_set_new (json, "host", json_string (host));
    add_boot (self, hostdev, json);
    command_rom (json, hostdev);
    command_json (self, "-device", json);
    return 0;
}

static int command_mdev (command_t *self, const xml_node_t *hostdev, error_t *err)
{
    json_t *json = command_model (self, hostdev, err);
    if (!json)
        return -1;
    autofree char *path =
        text_format (SYSFS "/bus/mdev/devices/%s", xml_string (hostdev, "source/address/@uuid"));
    json_object_set_new (json, "sysfsdev", json_string (path));
    json_object_set_new (json, "display", json_string ("off"));
    add_boot (self, hostdev, json);
    command_json (self, "-device", json);
    return 0;
}

//  Until it is the guest's, its node is not known: this one stands for it.
static const char *node_of (const command_t *self, const xml_node_t *hostdev, const char *otherwise)
{
    autofree char *name = host_device_name (hostdev);
    xml_foreach (note, self->record ? xml_root (self->record) : NULL, "device")
        if (name && xml_equals (note, "@address", name) && xml_string (note, "@node"))
            return xml_string (note, "@node");
    return otherwise;
}

//  IDs that no device has: the guest finds nothing plugged in.
#define NO_ID 0xffff

static void add_usb_source (command_t *self, const xml_node_t *hostdev, json_t *json)
{
    if (!xml_equals (hostdev, "source/@missing", "yes")) {
        json_object_set_new (json, "hostdevice",
                             json_string (node_of (self, hostdev, "/dev/bus/usb")));
        return;
    }
    json_object_set_new (json, "vendorid", json_integer (NO_ID));
    json_object_set_new (json, "productid", json_integer (NO_ID));
}

static int command_usb (command_t *self, const xml_node_t *hostdev, error_t *err)
{
    (void) err;
    json_t *json = command_device ("usb-host", hostdev);
    const char *reset = xml_string (hostdev, "source/@guestReset");
    add_usb_source (self, hostdev, json);
    if (reset)
        json_object_set_new (json, "guest-reset", json_boolean (strcmp (reset, "off") != 0));
    if (reset)
        json_object_set_new (json, "guest-resets-all", json_boolean (strcmp (reset, "on") == 0));
    command_address (self, json, hostdev);
    add_boot (self, hostdev, json);
    command_json (self, "-device", json);
    return 0;
}

static void add_scsi_node (command_t *self, const xml_node_t *hostdev, const char *name)
{
    const int read_only = xml_find (hostdev, "readonly") != NULL;
    command_json (self, "-blockdev",
                  json_pack ("{s:s, s:s, s:s, s:b}", "driver", "host_device", "filename",
                             node_of (self, hostdev, "/dev/sg"), "node-name", name, "read-only",
                             read_only));
}

static int command_scsi (command_t *self, const xml_node_t *hostdev, error_t *err)
{
    (void) err;
    autofree char *node = qemu_hostdev_node (qemu_alias (hostdev));
    add_scsi_node (self, hostdev, node);
    json_t *json = command_device ("scsi-generic", hostdev);
    command_scsi_address (self, json, hostdev);
    json_object_set_new (json, "drive", json_string (node));
    if (xml_find (hostdev, "shareable"))
        json_object_set_new (json, "share-rw", json_true ());
    add_boot (self, hostdev, json);
    command_json (self, "-device", json);
    return 0;
}

static const struct {
    const char *type;
    int (*command) (command_t *self, const xml_node_t *hostdev, error_t *err);
} types[] = {
    { "usb", command_usb },
    { "scsi", command_scsi },
    { "mdev", command_mdev },
};

char *qemu_hostdev_node (const char *alias)
{
    return text_format ("host-%s", alias);
}

int qemu_command_hostdev (command_t *self, const xml_node_t *hostdev, error_t *err)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (xml_is (hostdev, "hostdev") && xml_equals (hostdev, "@type", types[i].type))
            return types[i].command (self, hostdev, err);
    return command_pci (self, hostdev, err);
}
