//  qemu_hostdev.c: see qemu_hostdev.h.

#include "drivers/qemu/qemu_hostdev.h"

#include "drivers/definition.h"
#include "drivers/qemu/qemu_files.h"
#include "util/text.h"

#define OWN_BYTES (1ull << 30)

static xml_node_t *devices_of (const xml_t *document)
{
    return xml_find (xml_root (document), "devices");
}

int qemu_hostdev_intend (job_t *job, error_t *err)
{
    xml_foreach (hostdev, devices_of (job->guest->live), "hostdev") {
        autofree char *address = definition_pci_text (xml_find (hostdev, "source/address"));
        xml_node_t *note = xml_add (xml_root (job->guest->record), "device");
        xml_set (note, "@address", address);
        if (job_undo (job, "device", address, err))
            return -1;
    }
    return 0;
}

static int open_group (job_t *job, const char *address, error_t *err)
{
    unsigned group;
    if (job_device_check (job, address, &group, err))
        return -1;
    autofree char *path = text_format ("/dev/vfio/%u", group);
    return qemu_take_named (job, "the IOMMU group of a host device", path, err);
}

//  First all of them: they may be in one group.
int qemu_hostdev_plug (job_t *job, error_t *err)
{
    xml_node_t *devices = devices_of (job->guest->live);
    xml_foreach (hostdev, devices, "hostdev") {
        autofree char *address = definition_pci_text (xml_find (hostdev, "source/address"));
        if (job_device_take (job, address, xml_flag (hostdev, "@managed", false), err))
            return -1;
    }
    xml_foreach (hostdev, devices, "hostdev") {
        autofree char *address = definition_pci_text (xml_find (hostdev, "source/address"));
        if (open_group (job, address, err))
            return -1;
    }
    return 0;
}

void qemu_hostdev_unplug (job_t *job)
{
    xml_foreach (note, job->guest->record ? xml_root (job->guest->record) : NULL, "device") {
        error_t err;
        if (job_device_give (job, xml_string (note, "@address"), &err))
            job_log (job, "domain '%s': %s", job->guest->name, err.message);
    }
}

uint64_t qemu_hostdev_memlock (const xml_t *live)
{
    uint64_t bytes = 0;
    error_t ignored; //  it was checked
    if (!xml_find (devices_of (live), "hostdev") ||
        xml_size (xml_root (live), "memory", "KiB", &bytes, &ignored))
        return 0;
    return bytes + OWN_BYTES;
}
