//  qemu_models.c: the table of device models.

#include "drivers/qemu/command/qemu_models.h"
#include "util/text.h"

#include <string.h>

#define VIRTIO MODEL_VIRTIO
#define VIRTIO_VARIANTS (MODEL_VIRTIO | MODEL_TRANSITIONAL)

static const qemu_model_t models[] = {
    { "disk", "virtio", "virtio-blk-pci", PLUG_PCIE, VIRTIO_VARIANTS },

    { "interface", "virtio", "virtio-net-pci", PLUG_PCIE, VIRTIO_VARIANTS },
    { "interface", "e1000", "e1000", PLUG_PCI, 0 },
    { "interface", "e1000e", "e1000e", PLUG_PCIE, 0 },
    { "interface", "rtl8139", "rtl8139", PLUG_PCI, 0 },
    { "interface", "ne2k_pci", "ne2k_pci", PLUG_PCI, 0 },
    { "interface", "pcnet", "pcnet", PLUG_PCI, 0 },
    { "interface", "i82551", "i82551", PLUG_PCI, 0 },
    { "interface", "i82557b", "i82557b", PLUG_PCI, 0 },
    { "interface", "i82559er", "i82559er", PLUG_PCI, 0 },
    { "interface", "vmxnet3", "vmxnet3", PLUG_PCIE, 0 },
    { "interface", "usb-net", "usb-net", PLUG_NONE, 0 },

    { "hostdev", "pci", "vfio-pci", PLUG_PCIE, 0 },
    { "hostdev", "mdev", "vfio-pci", PLUG_PCIE, 0 },

    { "controller/usb", "piix3-uhci", "piix3-usb-uhci", PLUG_PCI, 0 },
    { "controller/usb", "piix4-uhci", "piix4-usb-uhci", PLUG_PCI, 0 },
    { "controller/usb", "ehci", "usb-ehci", PLUG_PCI, 0 },
    { "controller/usb", "ich9-ehci1", "ich9-usb-ehci1", PLUG_ROOT, 0 },
    { "controller/usb", "ich9-uhci1", "ich9-usb-uhci1", PLUG_ROOT, 0 },
    { "controller/usb", "ich9-uhci2", "ich9-usb-uhci2", PLUG_ROOT, 0 },
    { "controller/usb", "ich9-uhci3", "ich9-usb-uhci3", PLUG_ROOT, 0 },
    { "controller/usb", "vt82c686b-uhci", "vt82c686b-usb-uhci", PLUG_PCI, 0 },
    { "controller/usb", "pci-ohci", "pci-ohci", PLUG_PCI, 0 },
    { "controller/usb", "nec-xhci", "nec-usb-xhci", PLUG_PCIE, 0 },
    { "controller/usb", "qemu-xhci", "qemu-xhci", PLUG_PCIE, 0 },

    { "controller/scsi", "virtio-scsi", "virtio-scsi-pci", PLUG_PCIE, VIRTIO_VARIANTS },
    { "controller/scsi", "lsilogic", "lsi", PLUG_PCI, 0 },
    { "controller/scsi", "lsisas1068", "mptsas1068", PLUG_PCI, 0 },
    { "controller/scsi", "lsisas1078", "megasas", PLUG_PCI, 0 },
    { "controller/scsi", "vmpvscsi", "pvscsi", PLUG_PCI, 0 },

    { "controller/virtio-serial", "virtio", "virtio-serial-pci", PLUG_PCIE, VIRTIO_VARIANTS },
    { "controller/sata", "", "ahci", PLUG_PCI, 0 },

    { "controller/pci", "pcie-root-port", "pcie-root-port", PLUG_ROOT, 0 },
    { "controller/pci", "pcie-to-pci-bridge", "pcie-pci-bridge", PLUG_PCIE, 0 },
    { "controller/pci", "dmi-to-pci-bridge", "i82801b11-bridge", PLUG_ROOT, 0 },
    { "controller/pci", "pci-bridge", "pci-bridge", PLUG_PCI, 0 },

    { "video", "vga", "VGA", PLUG_PCI, 0 },
    { "video", "cirrus", "cirrus-vga", PLUG_PCI, 0 },
    { "video", "qxl", "qxl-vga", PLUG_PCI, 0 },
    { "video", "virtio", "virtio-vga", PLUG_PCIE, VIRTIO },
    { "video", "bochs", "bochs-display", PLUG_PCIE, 0 },
    { "video", "vmvga", "vmware-svga", PLUG_PCI, 0 },
    { "video", "ramfb", "ramfb", PLUG_NONE, 0 },

    { "sound", "ich6", "intel-hda", PLUG_PCI, 0 },
    { "sound", "ich9", "ich9-intel-hda", PLUG_ROOT, 0 },
    { "sound", "ac97", "AC97", PLUG_PCI, 0 },
    { "sound", "es1370", "ES1370", PLUG_PCI, 0 },
    { "sound", "sb16", "sb16", PLUG_NONE, 0 },
    { "sound", "usb", "usb-audio", PLUG_NONE, 0 },

    { "input", "tablet", "virtio-tablet-pci", PLUG_PCIE, VIRTIO },
    { "input", "mouse", "virtio-mouse-pci", PLUG_PCIE, VIRTIO },
    { "input", "keyboard", "virtio-keyboard-pci", PLUG_PCIE, VIRTIO },

    { "memballoon", "virtio", "virtio-balloon-pci", PLUG_PCIE, VIRTIO_VARIANTS },
    { "rng", "virtio", "virtio-rng-pci", PLUG_PCIE, VIRTIO_VARIANTS },
    { "memory", "virtio-mem", "virtio-mem-pci", PLUG_PCIE, VIRTIO },
    { "shmem", "ivshmem-plain", "ivshmem-plain", PLUG_PCI, 0 },
    { "vsock", "virtio", "vhost-vsock-pci", PLUG_PCIE, VIRTIO },
    { "watchdog", "i6300esb", "i6300esb", PLUG_PCI, 0 },
    { "watchdog", "ib700", "ib700", PLUG_NONE, 0 },
    { "serial", "pci-serial", "pci-serial", PLUG_PCI, 0 },
};

//  Where each kind has its model.
static const struct {
    const char *element;
    const char *kind;
    const char *only_path, *only_value; //  of this kind only if so
    const char *model;                  //  a path; NULL: always OTHERWISE
    const char *otherwise;
} kinds[] = {
    { "disk", "disk", "target/@bus", "virtio", "@model", "virtio" },
    { "interface", "hostdev", "@type", "hostdev", NULL, "pci" },
    { "interface", "interface", NULL, NULL, "model/@type", "" },
    { "hostdev", "hostdev", NULL, NULL, "@type", "" },
    { "controller", "controller/usb", "@type", "usb", "@model", "" },
    { "controller", "controller/scsi", "@type", "scsi", "@model", "" },
    { "controller", "controller/pci", "@type", "pci", "@model", "" },
    { "controller", "controller/sata", "@type", "sata", "@model", "" },
    { "controller", "controller/virtio-serial", "@type", "virtio-serial", "@model", "virtio" },
    { "video", "video", NULL, NULL, "model/@type", "" },
    { "sound", "sound", NULL, NULL, "@model", "" },
    { "input", "input", "@bus", "virtio", "@type", "" },
    { "memballoon", "memballoon", NULL, NULL, "@model", "" },
    { "rng", "rng", NULL, NULL, "@model", "" },
    { "shmem", "shmem", NULL, NULL, "model/@type", "" },
    { "memory", "memory", "@model", "virtio-mem", "@model", "" },
    { "vsock", "vsock", NULL, NULL, "@model", "" },
    { "watchdog", "watchdog", NULL, NULL, "@model", "" },
    { "serial", "serial", NULL, NULL, "target/model/@name", "" },
};

#define COUNT(table) (sizeof (table) / sizeof *(table))

static size_t kind_index (const xml_node_t *device)
{
    size_t i = 0;
    while (i < COUNT (kinds) &&
           !xml_fits (device, kinds[i].element, kinds[i].only_path, kinds[i].only_value))
        i++;
    return i;
}

const char *qemu_model_kind (const xml_node_t *device)
{
    size_t i = kind_index (device);
    return i < COUNT (kinds) ? kinds[i].kind : NULL;
}

const char *qemu_model_name (const xml_node_t *device)
{
    size_t i = kind_index (device);
    if (i == COUNT (kinds))
        return "";
    const char *name = kinds[i].model ? xml_string (device, kinds[i].model) : NULL;
    return name ? name : kinds[i].otherwise;
}

//  "virtio-transitional" is "virtio" (for SCSI controllers "virtio-scsi") with another suffix.
static bool same_model (const qemu_model_t *model, const char *name)
{
    if (strcmp (model->model, name) == 0)
        return true;
    return (model->flags & MODEL_TRANSITIONAL) && (strcmp (name, "virtio-transitional") == 0 ||
                                                   strcmp (name, "virtio-non-transitional") == 0);
}

const qemu_model_t *qemu_model_of (const xml_node_t *device)
{
    const char *kind = qemu_model_kind (device), *name = qemu_model_name (device);
    for (size_t i = 0; kind && i < COUNT (models); i++)
        if (strcmp (models[i].kind, kind) == 0 && same_model (&models[i], name))
            return &models[i];
    return NULL;
}

static const char *variant (const xml_node_t *device)
{
    const char *name = qemu_model_name (device);
    return text_ends (name, "-transitional") ? name + strlen ("virtio") : "";
}

char *qemu_model_driver (const qemu_model_t *model, const xml_node_t *device)
{
    //  The second and further cards have no VGA registers.
    bool secondary = xml_is (device, "video") && !xml_equals (device, "model/@primary", "yes");
    if (secondary && strcmp (model->model, "qxl") == 0)
        return text_copy ("qxl");
    if (secondary && strcmp (model->model, "virtio") == 0)
        return text_copy ("virtio-gpu-pci");
    return text_format ("%s%s", model->driver, variant (device));
}

qemu_plug_t qemu_model_plug (const xml_node_t *device)
{
    const qemu_model_t *model = qemu_model_of (device);
    if (!model)
        return PLUG_NONE;
    return strcmp (variant (device), "-transitional") == 0 ? PLUG_PCI : model->plug;
}
