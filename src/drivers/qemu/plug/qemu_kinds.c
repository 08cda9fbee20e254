//  qemu_kinds.c: the table of what can be plugged in. The first row that fits counts.

#include "drivers/qemu/plug/qemu_kinds.h"
#include "drivers/qemu/command/qemu_complete.h"

#include <string.h>

static const qemu_kind_t kinds[] = {
    { "disk", "target/@bus", "virtio", BACKEND_NODES, NULL },
    { "disk", "target/@bus", "scsi", BACKEND_NODES, NULL },
    { "disk", "target/@bus", "usb", BACKEND_NODES, NULL },
    { "disk", NULL, NULL, BACKEND_NODES, "its bus has no hot-plug; virtio, scsi and usb have" },

    { "interface", "@type", "hostdev", 0, NULL },
    { "interface", "@type", "vhostuser", BACKEND_NETDEV | BACKEND_CHARDEV, NULL },
    { "interface", NULL, NULL, BACKEND_NETDEV, NULL },

    { "controller", "@model", "ich9-ehci1", 0, "it is one of several functions of one PCI slot" },
    { "controller", "@model", "ich9-uhci1", 0, "it is one of several functions of one PCI slot" },
    { "controller", "@model", "ich9-uhci2", 0, "it is one of several functions of one PCI slot" },
    { "controller", "@model", "ich9-uhci3", 0, "it is one of several functions of one PCI slot" },
    { "controller", "@model", "none", 0, "there is none" },
    { "controller", "@type", "scsi", 0, NULL },
    { "controller", "@type", "usb", 0, NULL },
    { "controller", "@type", "virtio-serial", 0, NULL },
    { "controller", NULL, NULL, 0,
      "QEMU has no hot-plug of such controllers; it has of scsi, usb and virtio-serial" },

    { "serial", "target/@type", "usb-serial", BACKEND_CHARDEV, NULL },
    { "serial", "target/@type", "pci-serial", BACKEND_CHARDEV, NULL },
    { "serial", NULL, NULL, 0, "ISA has no hot-plug; usb-serial and pci-serial have" },
    { "console", "target/@type", "virtio", BACKEND_CHARDEV, NULL },
    { "console", NULL, NULL, 0, "ISA has no hot-plug; <target type='virtio'/> has" },
    { "channel", NULL, NULL, BACKEND_CHARDEV, NULL },

    { "hostdev", "@type", "scsi", BACKEND_NODE, NULL },
    { "hostdev", NULL, NULL, 0, NULL },

    { "input", "@bus", "usb", 0, NULL },
    { "input", "@bus", "virtio", 0, NULL },
    { "input", NULL, NULL, 0, "PS/2 has no hot-plug; usb and virtio have" },
    { "hub", NULL, NULL, 0, NULL },
    { "rng", NULL, NULL, BACKEND_OBJECT, NULL },
    { "watchdog", "@model", "i6300esb", 0, NULL },
    { "watchdog", NULL, NULL, 0, "ISA has no hot-plug; model='i6300esb' has" },

    { "memory", NULL, NULL, BACKEND_OBJECT, NULL },
    { "shmem", NULL, NULL, BACKEND_OBJECT, NULL },
    { "vsock", NULL, NULL, BACKEND_VSOCK, NULL },
    { "redirdev", NULL, NULL, BACKEND_CHARDEV, NULL },
    { "redirfilter", NULL, NULL, 0, "devices are there that it is not told to" },

    { "memballoon", NULL, NULL, 0, "a guest has one, from its start on" },
    { "video", NULL, NULL, 0, "QEMU has no hot-plug of it" },
    { "graphics", NULL, NULL, 0, "QEMU has no hot-plug of it" },
    { "sound", NULL, NULL, 0, "QEMU has no hot-plug of it" },
    { "audio", NULL, NULL, 0, "QEMU has no hot-plug of it" },
    { "parallel", NULL, NULL, 0, "ISA has no hot-plug" },
    { "panic", NULL, NULL, 0, "QEMU has no hot-plug of it" },
};

static const qemu_kind_t unknown = { "", NULL, NULL, 0, "" };

//  What no guest of this driver has, running or not.
static const char *const others[][2] = {
    { "filesystem", "containers have it, guests of QEMU do not" },
    { "emulator", "it is no device, but what runs the guest" },
    { "tpm", "no guest can have such a device" },
    { "smartcard", "no guest can have such a device" },
    { "iommu", "no guest can have such a device" },
    { "nvram", "no guest can have such a device" },
    { "lease", "no guest can have such a device" },
    { "crypto", "no guest can have such a device" },
    { "pstore", "no guest can have such a device" },
};

#define KINDS (sizeof kinds / sizeof *kinds)

const qemu_kind_t *qemu_kind_of (const xml_node_t *device)
{
    for (size_t i = 0; i < KINDS; i++)
        if (xml_fits (device, kinds[i].element, kinds[i].path, kinds[i].value))
            return &kinds[i];
    return &unknown;
}

static int refuse_unknown (const char *element, error_t *err)
{
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp (others[i][0], element) == 0)
            return error_set (err, ERR_OPERATION_UNSUPPORTED, "not supported: %s: %s", element,
                              others[i][1]);
    return error_set (err, ERR_XML_ERROR, "<%s>: there is no device of this name", element);
}

static int refuse (const char *what, const qemu_kind_t *kind, error_t *err)
{
    return error_set (err, ERR_OPERATION_UNSUPPORTED,
                      "not supported: %s, while the guest runs: %s; change the definition "
                      "(--config), for its next start",
                      what, kind->refused);
}

int qemu_kind_check_name (const char *element, error_t *err)
{
    const qemu_kind_t *last = &unknown;
    for (size_t i = 0; i < KINDS; i++) {
        if (strcmp (kinds[i].element, element) != 0)
            continue;
        last = &kinds[i];
        if (!last->refused)
            return 0;
    }
    if (last == &unknown)
        return refuse_unknown (element, err);
    return last->refused ? refuse (element, last, err) : 0;
}

int qemu_kind_check (const xml_node_t *device, error_t *err)
{
    char name[128];
    const qemu_kind_t *kind = qemu_kind_of (device);
    if (kind == &unknown)
        return refuse_unknown (xml_name (device), err);
    qemu_device_name (device, name);
    return kind->refused ? refuse (name, kind, err) : 0;
}
