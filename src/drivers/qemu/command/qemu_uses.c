//  qemu_uses.c: the table of what goes only with what.

#include "drivers/qemu/command/qemu_uses.h"
#include "drivers/qemu/command/qemu_complete.h"
#include "drivers/qemu/command/qemu_models.h"
#include "util/text.h"

#include <string.h>

typedef struct {
    const char *element; //  a child of <devices>, or "timer"
    const char *path;    //  may be there
    const char *with;    //  only if this path
    const char *values;  //  has one of these values: "a|b"
} use_t;

#define VARIANTS "virtio-transitional|virtio-non-transitional"
#define VIRTIO "virtio|" VARIANTS
#define VIRTIO_SCSI "virtio-scsi|" VARIANTS

static const use_t uses[] = {
    { "disk", "@model", "target/@bus", "virtio" },
    { "disk", "driver/@queues", "target/@bus", "virtio" },
    { "disk", "driver/@queue_size", "target/@bus", "virtio" },
    { "disk", "driver/@iothread", "target/@bus", "virtio" },
    { "disk", "driver/@event_idx", "target/@bus", "virtio" },
    { "disk", "driver/@ioeventfd", "target/@bus", "virtio" },
    { "disk", "target/@removable", "target/@bus", "usb" },
    { "disk", "target/@rotation_rate", "target/@bus", "ide|sata|scsi" },
    { "disk", "wwn", "target/@bus", "ide|sata|scsi" },
    { "disk", "vendor", "target/@bus", "scsi" },
    { "disk", "product", "target/@bus", "scsi" },
    { "disk", "geometry", "@device", "disk" },
    { "disk", "blockio", "@device", "disk" },
    { "disk", "backingStore", "driver/@type", "qcow2|raw" },
    { "disk", "shareable", "driver/@type", "raw" },
    { "disk", "source/@file", "@type", "file" },
    { "disk", "source/@dev", "@type", "block" },

    { "controller", "@ports", "@type", "usb|virtio-serial" },
    { "controller", "@vectors", "@type", "virtio-serial" },
    { "controller", "master", "@model", "ich9-uhci1|ich9-uhci2|ich9-uhci3" },
    { "controller", "model", "@type", "pci" },
    { "controller", "target", "@type", "pci" },
    { "controller", "target/@chassis", "@model", "pcie-root-port" },
    { "controller", "target/@port", "@model", "pcie-root-port" },
    { "controller", "target/@chassisNr", "@model", "pci-bridge" },
    { "controller", "target/@hotplug", "@model", "pcie-root-port|pci-root" },
    { "controller", "driver/@queues", "@model", VIRTIO_SCSI },
    { "controller", "driver/@cmd_per_lun", "@model", VIRTIO_SCSI },
    { "controller", "driver/@max_sectors", "@model", VIRTIO_SCSI },
    { "controller", "driver/@ioeventfd", "@model", VIRTIO_SCSI },
    { "controller", "driver/@iothread", "@model", VIRTIO_SCSI },

    { "hostdev", "@model", "@type", "mdev" },
    { "hostdev", "@display", "@type", "mdev" },
    { "hostdev", "@ramfb", "@type", "mdev" },
    { "hostdev", "@sgio", "@type", "scsi" },
    { "hostdev", "@rawio", "@type", "scsi" },
    { "hostdev", "readonly", "@type", "scsi" },
    { "hostdev", "shareable", "@type", "scsi" },
    { "hostdev", "driver", "@type", "pci" },
    { "hostdev", "rom", "@type", "pci" },
    { "hostdev", "source/@startupPolicy", "@type", "usb" },
    { "hostdev", "source/@guestReset", "@type", "usb" },
    { "hostdev", "source/@missing", "@type", "usb" },
    { "hostdev", "source/vendor", "@type", "usb" },
    { "hostdev", "source/product", "@type", "usb" },
    { "hostdev", "source/adapter", "@type", "scsi" },
    { "hostdev", "source/address/@type", "@type", "pci" },
    { "hostdev", "source/address/@domain", "@type", "pci" },
    { "hostdev", "source/address/@slot", "@type", "pci" },
    { "hostdev", "source/address/@function", "@type", "pci" },
    { "hostdev", "source/address/@bus", "@type", "pci|usb|scsi" },
    { "hostdev", "source/address/@device", "@type", "usb" },
    { "hostdev", "source/address/@target", "@type", "scsi" },
    { "hostdev", "source/address/@unit", "@type", "scsi" },
    { "hostdev", "source/address/@uuid", "@type", "mdev" },

    { "interface", "@managed", "@type", "hostdev" },
    { "interface", "@trustGuestRxFilters", "@type", "network|hostdev" },
    { "interface", "vlan", "@type", "network|hostdev" },
    { "interface", "virtualport", "@type", "network|hostdev" },
    { "interface", "source/address", "@type", "hostdev" },
    { "interface", "mtu", "model/@type", VIRTIO },
    { "interface", "driver/@rx_queue_size", "model/@type", VIRTIO },
    { "interface", "driver/@tx_queue_size", "model/@type", VIRTIO },
    { "interface", "driver/@event_idx", "model/@type", VIRTIO },
    { "interface", "driver/@ioeventfd", "model/@type", VIRTIO },
    { "interface", "driver/@txmode", "model/@type", VIRTIO },

    { "serial", "protocol", "@type", "tcp" },
    { "parallel", "protocol", "@type", "tcp" },
    { "console", "protocol", "@type", "tcp" },
    { "channel", "protocol", "@type", "tcp" },
    { "serial", "source", "@type", "unix|tcp|file|pipe|dev" },
    { "parallel", "source", "@type", "unix|tcp|file|pipe|dev" },
    { "console", "source", "@type", "unix|tcp|file|pipe|dev" },
    { "channel", "source", "@type", "unix|tcp|file|pipe|dev" },
    { "serial", "source/@append", "@type", "file" },
    { "parallel", "source/@append", "@type", "file" },
    { "console", "source/@append", "@type", "file" },
    { "channel", "source/@append", "@type", "file" },
    { "serial", "source/reconnect", "source/@mode", "connect" },
    { "console", "source/reconnect", "source/@mode", "connect" },
    { "channel", "source/reconnect", "source/@mode", "connect" },

    { "memory", "target/address", "@model", "virtio-mem" },

    { "redirdev", "protocol", "@type", "tcp" },
    { "redirdev", "source/@append", "@type", "file" },
    { "redirdev", "source/reconnect", "source/@mode", "connect" },

    { "input", "@model", "@bus", "virtio" },
    { "input", "driver", "@bus", "virtio" },
    { "graphics", "@passwdValidTo", "@type", "vnc" },
    { "video", "model/@ram", "model/@type", "qxl" },
    { "video", "model/@vgamem", "model/@type", "qxl" },
    { "video", "model/@vram64", "model/@type", "qxl" },
    { "video", "model/@vram", "model/@type", "qxl|vga|cirrus|vmvga|bochs" },
    { "video", "model/resolution", "model/@type", "qxl|vga|bochs|virtio" },
    { "sound", "codec", "@model", "ich6|ich9" },
    { "memballoon", "@autodeflate", "@model", VIRTIO },
    { "memballoon", "@freePageReporting", "@model", VIRTIO },
    { "memballoon", "stats", "@model", VIRTIO },

    { "timer", "@track", "@name", "rtc" },
    { "timer", "@tickpolicy", "@name", "rtc|pit" },
    { "timer", "@present", "@name", "hpet|kvmclock|hypervclock|rtc|pit" },
};

static bool is_there (const xml_node_t *node, const char *path)
{
    return strchr (path, '@') ? xml_string (node, path) != NULL : xml_find (node, path) != NULL;
}

static int check_uses (const xml_node_t *node, error_t *err)
{
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++) {
        if (!xml_is (node, uses[i].element) || !is_there (node, uses[i].path))
            continue;
        const char *value = xml_string (node, uses[i].with);
        char name[128];
        qemu_device_name (node, name);
        if (!xml_fits (node, NULL, uses[i].with, uses[i].values))
            return error_set (err, ERR_CONFIG_UNSUPPORTED,
                              "not supported: %s: %s with %s '%s'; it goes with %s", name,
                              uses[i].path, uses[i].with, value ? value : "", uses[i].values);
    }
    return 0;
}

//  Options that all virtio devices have, and no others.
static int check_virtio (const xml_node_t *device, error_t *err)
{
    static const char *const options[] = { "driver/@iommu", "driver/@ats", "driver/@packed",
                                           "driver/@page_per_vq" };
    const qemu_model_t *model = qemu_model_of (device);
    for (size_t i = 0; i < 4; i++)
        if (xml_string (device, options[i]) && !(model && model->flags & MODEL_VIRTIO)) {
            char name[128];
            qemu_device_name (device, name);
            return error_set (err, ERR_CONFIG_UNSUPPORTED,
                              "not supported: %s: %s; only virtio devices have it", name,
                              options[i]);
        }
    return 0;
}

//  How the clocks that lose ticks may catch up.
static int check_timer (const xml_node_t *timer, error_t *err)
{
    const char *name = xml_string (timer, "@name"), *policy = xml_string (timer, "@tickpolicy");
    if (!name)
        return error_set (err, ERR_XML_ERROR, "domain XML: a clock/timer has no name");
    bool rtc = strcmp (name, "rtc") == 0, pit = strcmp (name, "pit") == 0;
    if ((rtc || pit) && xml_equals (timer, "@present", "no"))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: clock/timer '%s' with present='no'", name);
    if (policy && !xml_fits (timer, NULL, "@tickpolicy", rtc ? "delay|catchup" : "delay|discard"))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: clock/timer '%s' with tickpolicy='%s'", name, policy);
    return 0;
}

int qemu_uses_check (const xml_node_t *domain, error_t *err)
{
    const xml_node_t *devices = xml_find (domain, "devices");
    xml_foreach (device, devices, NULL)
        if (check_uses (device, err) || check_virtio (device, err))
            return -1;
    const xml_node_t *clock = xml_find (domain, "clock");
    xml_foreach (timer, clock, "timer")
        if (check_uses (timer, err) || check_timer (timer, err))
            return -1;
    return 0;
}
