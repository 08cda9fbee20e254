//  qemu_hostdev.c: see qemu_hostdev.h.

#include "drivers/qemu/qemu_hostdev.h"

#include "drivers/definition.h"
#include "drivers/net/interface.h"
#include "drivers/pci/host_device.h"
#include "drivers/pci/sysfs.h"
#include "drivers/pci/vf.h"
#include "drivers/qemu/command/qemu_alias.h"
#include "drivers/qemu/command/qemu_complete.h"
#include "drivers/qemu/qemu_files.h"
#include "drivers/undo.h"
#include "util/host_uuid.h"
#include "util/text.h"

#include <errno.h>
#include <inttypes.h>

static xml_node_t *devices_of (const xml_t *document)
{
    return xml_find (xml_root (document), "devices");
}

bool qemu_hostdev_is (const xml_node_t *device)
{
    return (xml_is (device, "hostdev") && !xml_equals (device, "source/@missing", "yes")) ||
           (xml_is (device, "interface") && xml_equals (device, "@type", "hostdev"));
}

//  It comes from the pool of a network, with its port.
static bool is_pooled (const xml_node_t *device)
{
    return xml_is (device, "interface") && xml_string (device, "source/@network");
}

//  Of the host's PCI; else it is a hostdev that has a name.
static bool is_pci (const xml_node_t *device)
{
    return xml_is (device, "interface") || xml_equals (device, "@type", "pci");
}

//  Under which it is on record: its address, or its name. The caller frees it.
static char *address_of (const xml_node_t *device)
{
    return is_pci (device) ? definition_pci_text (xml_find (device, "source/address"))
                           : host_device_name (device);
}

//  Intent.

static xml_node_t *note_of (const job_t *job, const char *address)
{
    xml_foreach (note, job->guest->record ? xml_root (job->guest->record) : NULL, "device")
        if (xml_equals (note, "@address", address))
            return note;
    return NULL;
}

//  Its owner knows domains only, and would grant the same one twice to this.
static int check_own (const job_t *job, const xml_node_t *device, const char *address, error_t *err)
{
    xml_foreach (other, devices_of (job->guest->live), NULL) {
        autofree char *own = other != device && qemu_hostdev_is (other) ? address_of (other) : NULL;
        if (text_equals (own, address))
            return error_set (err, ERR_OPERATION_INVALID,
                              "%s '%s': domain '%s' has it already, as '%s'",
                              is_pci (device) ? "PCI device" : "the host's device", address,
                              job->guest->name, qemu_alias (other));
    }
    return 0;
}

int qemu_hostdev_intend_name (job_t *job, const char *name, error_t *err)
{
    if (!note_of (job, name))
        xml_set (xml_add (xml_root (job->guest->record), "device"), "@address", name);
    return job_undo (job, "device", name, err);
}

int qemu_hostdev_intend_one (job_t *job, const xml_node_t *device, error_t *err)
{
    autofree char *address = address_of (device);
    return check_own (job, device, address, err) ? -1
                                                 : qemu_hostdev_intend_name (job, address, err);
}

int qemu_hostdev_intend (job_t *job, error_t *err)
{
    xml_foreach (device, devices_of (job->guest->live), NULL)
        if (qemu_hostdev_is (device) && qemu_hostdev_intend_one (job, device, err))
            return -1;
    return 0;
}

//  Taking.

//  A host without a uuid says none: the switch has the guest's.
static void read_port (const job_t *job, const xml_node_t *device, vf_port_t *port)
{
    char host[UUID_TEXT_SIZE];
    const char *profile = xml_string (device, "virtualport/parameters/@profileid");
    if (!profile)
        return;
    port->said = true;
    (void) uuid_to_bytes (job->guest->uuid, port->guest);
    snprintf (port->profile, sizeof port->profile, "%s", profile);
    if (host_uuid_read (host))
        (void) uuid_to_bytes (host, port->host);
}

//  What its card is to set for an interface; without a VLAN it has none. The caller frees it; NULL:
//  nothing is to be set.
static char *settings_of (const job_t *job, const xml_node_t *device)
{
    char text[VF_TEXT_SIZE];
    vf_settings_t settings = { .trust = -1 };
    const char *trust = xml_string (device, "@trustGuestRxFilters");
    if (!xml_is (device, "interface"))
        return NULL;
    settings.has_mac = link_mac_read (xml_string (device, "mac/@address"), settings.mac);
    settings.vlan = interface_number (device, "vlan/tag/@id", 0);
    if (trust)
        settings.trust = text_equals (trust, "yes");
    read_port (job, device, &settings.port);
    vf_settings_text (&settings, text);
    return text_copy (text);
}

static int take_one (job_t *job, const xml_node_t *device, error_t *err)
{
    autofree char *address = address_of (device);
    autofree char *settings = settings_of (job, device);
    if (!is_pci (device))
        return job_device_hold (job, address, xml_find (device, "shareable") != NULL, err);
    return job_device_take (job, address, xml_flag (device, "@managed", false), settings, err);
}

//  The caller frees it.
static char *group_file (job_t *job, const char *address, error_t *err)
{
    unsigned group;
    return job_device_check (job, address, &group, err) ? NULL
                                                        : text_format ("/dev/vfio/%u", group);
}

static int open_node (job_t *job, const xml_node_t *device, error_t *err)
{
    autofree char *address = address_of (device);
    autofree char *path =
        is_pci (device) ? group_file (job, address, err) : host_device_file (SYSFS, address, err);
    xml_node_t *note = note_of (job, address);
    if (!path)
        return -1;
    if (note)
        xml_set (note, "@node", path);
    if (note && xml_find (device, "shareable"))
        return qemu_take_shared (job, note, address, path, err);
    return qemu_take_named (job, "a device of the host", path, err);
}

int qemu_hostdev_plug_one (job_t *job, const xml_node_t *device, error_t *err)
{
    return take_one (job, device, err) || open_node (job, device, err) ? -1 : 0;
}

//  First all of them: they may be in one group.
int qemu_hostdev_plug (job_t *job, error_t *err)
{
    xml_node_t *devices = devices_of (job->guest->live);
    xml_foreach (device, devices, NULL)
        if (qemu_hostdev_is (device) && !is_pooled (device) && take_one (job, device, err))
            return -1;
    xml_foreach (device, devices, NULL)
        if (qemu_hostdev_is (device) && !is_pooled (device) && open_node (job, device, err))
            return -1;
    return 0;
}

//  With the last guest that has it.
static void give_shared_node (job_t *job, xml_node_t *note)
{
    error_t err;
    const char *name = xml_string (note, "@address"), *before = xml_string (note, "@before");
    autofree char *argument = text_format ("%s%s%s", name, before ? " " : "", before ? before : "");
    if (undo_run (job, "node", argument, &err))
        job_log (job, "domain '%s': %s", job->guest->name, err.message);
    xml_remove_path (note, "@before");
    xml_remove_path (note, "@shared");
}

//  Whoever is granted the device next makes its node its own: it has to be as it was by then, and
//  not become so later.
static void give_node (job_t *job, xml_node_t *note)
{
    autofree char *node = text_copy (xml_string (note, "@node"));
    if (!node)
        return;
    xml_remove_path (note, "@node");
    if (xml_equals (note, "@shared", "yes"))
        give_shared_node (job, note);
    else if (!qemu_hostdev_uses (job, node))
        qemu_give_file_back (job, node);
}

int qemu_hostdev_give_name (job_t *job, const char *name, error_t *err)
{
    xml_node_t *note = note_of (job, name);
    if (note)
        give_node (job, note);
    if (job_device_give (job, name, err))
        return -1;
    if (note)
        xml_remove (note);
    return 0;
}

//  Pools.

static int take_granted (job_t *job, const xml_node_t *interface, const char *address, error_t *err)
{
    error_t undo;
    if (qemu_hostdev_intend_one (job, interface, err) || job_record (job, err))
        return -1;
    if (qemu_hostdev_plug_one (job, interface, err) == 0)
        return 0;
    if (qemu_hostdev_give_name (job, address, &undo))
        job_log (job, "domain '%s': %s", job->guest->name, undo.message);
    return -1;
}

static int none_left (const xml_node_t *interface, const error_t *why, const error_t *refused,
                      error_t *err)
{
    if (refused->code == ERR_OPERATION_ABORTED)
        *err = *refused;
    else
        error_set (err, why->code, "no device of network '%s' could be had; of the last one: %s",
                   xml_string (interface, "source/@network"), why->message);
    return -1;
}

int qemu_hostdev_take_pooled (job_t *job, xml_node_t *interface, const xml_node_t *link,
                              port_grant_t *grant, error_t *err)
{
    error_t why, refused;
    auto(strings_t) tried = strings_new ();
    if (qemu_check_host_interface (interface, err))
        return -1;
    while (take_granted (job, interface, grant->device, &why)) {
        *err = why;
        if (why.code == ERR_OPERATION_ABORTED)
            return -1;
        job_log (job, "domain '%s': %s; the next one of network '%s' is tried", job->guest->name,
                 why.message, xml_string (interface, "source/@network"));
        strings_add (tried, grant->device);
        if (interface_take_other (job, interface, link, tried, grant, &refused))
            return none_left (interface, &why, &refused, err);
    }
    return 0;
}

//  Giving back.

int qemu_hostdev_give (job_t *job, const xml_node_t *device, error_t *err)
{
    autofree char *address = address_of (device);
    return qemu_hostdev_give_name (job, address, err);
}

void qemu_hostdev_unplug (job_t *job)
{
    xml_foreach (note, job->guest->record ? xml_root (job->guest->record) : NULL, "device") {
        error_t err;
        give_node (job, note);
        if (job_device_give (job, xml_string (note, "@address"), &err))
            job_log (job, "domain '%s': %s", job->guest->name, err.message);
    }
}

bool qemu_hostdev_uses (const job_t *job, const char *path)
{
    xml_foreach (note, xml_root (job->guest->record), "device")
        if (xml_equals (note, "@node", path))
            return true;
    return false;
}

bool qemu_hostdev_reaches_memory (const xml_t *live)
{
    xml_foreach (device, devices_of (live), NULL)
        if (qemu_hostdev_is (device) && (is_pci (device) || xml_equals (device, "@type", "mdev")))
            return true;
    return false;
}
