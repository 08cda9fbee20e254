//  qemu_hostdev_find.c: which devices of the host a guest means that are no PCI devices, before
//  anything happens to them.

#include "drivers/pci/host_device.h"
#include "drivers/pci/sysfs.h"
#include "drivers/qemu/qemu_hostdev.h"
#include "util/text.h"

#include <string.h>

static bool is_ours (const xml_node_t *device)
{
    return xml_is (device, "hostdev") && !xml_equals (device, "@type", "pci");
}

//  Two that are said in different words.
static int check_twice (const xml_node_t *devices, const xml_node_t *device, error_t *err)
{
    autofree char *own = host_device_name (device);
    xml_foreach (other, devices, "hostdev") {
        autofree char *name = is_ours (other) && other != device ? host_device_name (other) : NULL;
        if (text_equals (name, own))
            return error_set (err, ERR_OPERATION_INVALID,
                              "the guest has the host's device '%s' already, or wants it twice",
                              own);
    }
    return 0;
}

int qemu_hostdev_find_one (job_t *job, xml_node_t *device, error_t *err)
{
    if (!is_ours (device))
        return 0;
    if (host_device_find (SYSFS, device, err) == 0)
        return check_twice (xml_find (xml_root (job->guest->live), "devices"), device, err);
    return error_prefix (err, "hostdev '%s'", xml_string (device, "@type"));
}

//  "requisite": there at boot, but not wherever the guest goes later.
static bool may_miss (const xml_node_t *device, bool goes_on)
{
    return xml_equals (device, "source/@startupPolicy", "optional") ||
           (goes_on && xml_equals (device, "source/@startupPolicy", "requisite"));
}

static int find (job_t *job, xml_node_t *device, bool goes_on, error_t *err)
{
    xml_remove_path (device, "source/@missing");
    if (qemu_hostdev_find_one (job, device, err) == 0)
        return 0;
    //  The document of one that goes on says where the device was then, or on the other host.
    if (goes_on && err->code == ERR_NO_NODE_DEVICE && xml_find (device, "source/vendor")) {
        xml_remove_path (device, "source/address");
        if (qemu_hostdev_find_one (job, device, err) == 0)
            return 0;
    }
    if (err->code != ERR_NO_NODE_DEVICE || !may_miss (device, goes_on))
        return -1;
    job_log (job, "domain '%s': %s; it starts without it", job->guest->name, err->message);
    if (goes_on)
        xml_set (device, "source/@missing", "yes");
    else
        xml_remove (device);
    return 0;
}

int qemu_hostdev_find (job_t *job, bool goes_on, error_t *err)
{
    xml_node_t *next;
    xml_node_t *devices = xml_find (xml_root (job->guest->live), "devices");
    for (xml_node_t *device = xml_first (devices, "hostdev"); device; device = next) {
        next = xml_next (device, "hostdev");
        if (is_ours (device) && find (job, device, goes_on, err))
            return -1;
    }
    return 0;
}
