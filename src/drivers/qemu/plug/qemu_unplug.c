//  qemu_unplug.c: a device is detached. The guest has to let go of it (ACPI, PCI Express), which it
//  does in its own time, or never; only then is what it had given back. Until then it is one of the
//  guest's devices like any other, whoever asked for its end.

#include "drivers/net/interface.h"
#include "drivers/qemu/command/qemu_alias.h"
#include "drivers/qemu/command/qemu_complete.h"
#include "drivers/qemu/plug/qemu_kinds.h"
#include "drivers/qemu/plug/qemu_memory_live.h"
#include "drivers/qemu/plug/qemu_plug.h"
#include "drivers/qemu/plug/qemu_plug_parts.h"
#include "drivers/qemu/plug/qemu_vcpus.h"
#include "drivers/qemu/qemu_answer.h"
#include "drivers/qemu/qemu_files.h"
#include "drivers/qemu/qemu_hostdev.h"
#include "drivers/qemu/qemu_live.h"
#include "drivers/qemu/qemu_vsock.h"
#include "drivers/qemu/storage/qemu_block.h"

#include <string.h>

#define QMP_MS 10000
//  An event tells at once; this is for one that got lost.
#define LOOK_MS 1000

//  Checks.

static int check_unused (const job_t *job, const xml_node_t *device, error_t *err)
{
    xml_foreach (other, xml_find (xml_root (job->guest->live), "devices"), NULL) {
        bool behind =
            xml_is (device, "controller") && other != device && qemu_plug_uses (other, device);
        if (!behind)
            continue;
        char name[128];
        qemu_device_name (other, name);
        return error_set (err, ERR_OPERATION_INVALID, "%s uses it; detach that before", name);
    }
    return 0;
}

//  Devices behind a hub have its port before theirs.
static int check_hub (const job_t *job, const xml_node_t *hub, error_t *err)
{
    const char *port = xml_string (hub, "address/@port");
    autofree char *prefix = text_format ("%s.", port ? port : "");
    xml_foreach (other, xml_find (xml_root (job->guest->live), "devices"), NULL) {
        const char *behind = xml_string (other, "address/@port");
        if (xml_equals (other, "address/@type", "usb") && behind && text_starts (behind, prefix))
            return error_set (err, ERR_OPERATION_INVALID, "'%s' is behind it; detach that before",
                              qemu_alias (other));
    }
    return 0;
}

static int check_disk (const job_t *job, const xml_node_t *disk, error_t *err)
{
    const char *target = xml_string (disk, "target/@dev");
    if (qemu_block_check_idle (job->guest, target, "detach", err))
        return -1;
    const xml_node_t *disks =
        job->guest->backup ? xml_find (xml_root (job->guest->backup), "domainbackup/disks") : NULL;
    xml_foreach (saved, disks, "disk")
        if (xml_equals (saved, "@name", target) && !xml_equals (saved, "@backup", "no"))
            return error_set (err, ERR_OPERATION_INVALID,
                              "it is in a backup that is under way: wait for its end, or abort it "
                              "with 'troupe domjobabort %s'",
                              job->guest->name);
    return 0;
}

static int check (const job_t *job, const xml_node_t *device, error_t *err)
{
    if (qemu_kind_check (device, err) || check_unused (job, device, err))
        return -1;
    if (xml_is (device, "hub"))
        return check_hub (job, device, err);
    return xml_is (device, "disk") ? check_disk (job, device, err) : 0;
}

//  What it had.

static int give_link_back (job_t *job, const xml_node_t *interface, error_t *err)
{
    xml_node_t *link = interface_link (job->guest->record, interface);
    const char *port = link ? xml_string (link, "@port") : NULL;
    bool foreign = xml_equals (interface, "target/@managed", "no");
    if (!link)
        return 0;
    if ((!foreign && job_link_delete (job, qemu_alias (interface), err)) ||
        (port && job_port_delete (job, xml_string (link, "@network"), port, err)))
        return -1;
    xml_remove (link);
    return 0;
}

//  It is gone: so is all that it had, and its place in the document.
static int forget (job_t *job, xml_node_t *device, error_t *err)
{
    autofree char *alias = text_copy (qemu_alias (device));
    const bool memory = xml_is (device, "memory");
    //  Its device goes before its port: who is granted that next finds it free.
    if (qemu_plug_drop_backends (job, device, err) ||
        (qemu_hostdev_is (device) && qemu_hostdev_give (job, device, err)) ||
        (xml_is (device, "vsock") && qemu_vsock_give (job, device, err)) ||
        (xml_is (device, "interface") && give_link_back (job, device, err)))
        return -1;
    xml_remove (device);
    qemu_give_unused_back (job);
    guest_tell (job->guest, "removed", alias);
    return memory ? qemu_memory_ask (job, err) : 0;
}

//  Detaching.

//  QEMU has asked the guest once already, for an earlier job.
static bool is_asked (const error_t *err)
{
    return strstr (err->message, "already in the process of unplug") != NULL;
}

static int ask (job_t *job, const char *alias, error_t *err)
{
    error_t why = { 0 };
    if (qemu_tell (job, "device_del", json_pack ("{s:s}", "id", alias), QMP_MS, &why) == 0 ||
        is_asked (&why))
        return 0;
    //  It may just have gone.
    bool there;
    if (qemu_plug_is_there (job, alias, &there, err))
        return -1;
    if (!there)
        return 0;
    *err = why;
    return -1;
}

static int wait_gone (job_t *job, const char *alias, int wait_ms, bool *gone, error_t *err)
{
    int64_t until = job_now (job) + wait_ms;
    for (;;) {
        bool there;
        device_fate_t fate;
        if (qemu_plug_is_there (job, alias, &there, err))
            return -1;
        int64_t left = until - job_now (job);
        *gone = !there;
        if (!there || left <= 0)
            return 0;
        if (job_wait_device (job, alias, left < LOOK_MS ? (int) left : LOOK_MS, &fate, err))
            return -1;
        if (fate == FATE_REFUSED)
            return error_set (err, ERR_OPERATION_FAILED, "the guest does not let go of '%s'",
                              alias);
    }
}

int qemu_plug_take_out (job_t *job, const char *alias, int wait_ms, bool *gone, error_t *err)
{
    return ask (job, alias, err) || wait_gone (job, alias, wait_ms, gone, err) ? -1 : 0;
}

static int detach (job_t *job, xml_node_t *device, int wait_ms, bool *gone, error_t *err)
{
    autofree char *alias = text_copy (qemu_alias (device));
    if (check (job, device, err))
        return -1;
    job->plugging = true;
    qemu_plug_begin (job, "unplug", alias, job->guest->planned);
    if (job_undo (job, "qemu.unplug", alias, err) || job_record (job, err) ||
        qemu_plug_take_out (job, alias, wait_ms, gone, err))
        return -1;
    //  Whoever cancels it now comes too late.
    job->closed = true;
    if (*gone && forget (job, device, err))
        return -1;
    xml_remove (qemu_plug_entry (job, "unplug", alias));
    return 0;
}

int qemu_detach (job_t *job, xml_node_t *device, int wait_ms, bool *gone, error_t *err)
{
    char name[128];
    qemu_device_name (device, name);
    if (detach (job, device, wait_ms, gone, err) == 0)
        return 0;
    return error_prefix (err, "detach %s from domain '%s'", name, job->guest->name);
}

//  In the job itself there is nothing to do: if the device goes after all, the owner hears of it.
int qemu_undo_unplug (job_t *job, const char *alias, error_t *err)
{
    bool there;
    xml_node_t *entry = qemu_plug_entry (job, "unplug", alias);
    xml_node_t *device = qemu_alias_find (job->guest->live, alias);
    if (job->plugging || !entry || !device || qemu_has_ended (job))
        return 0;
    if (qemu_plug_is_there (job, alias, &there, err))
        return -1;
    if (!there) {
        if (forget (job, device, err))
            return -1;
        qemu_plug_finish (job, entry);
    }
    xml_remove (entry);
    return 0;
}

//  Devices that went without a job.

static int look_at_devices (job_t *job, xml_node_t *devices, error_t *err)
{
    xml_node_t *next;
    auto(strings_t) there = qemu_plug_list (job, err);
    if (!there)
        return -1;
    for (xml_node_t *device = xml_first (devices, NULL); device; device = next) {
        const char *alias = qemu_alias (device);
        next = xml_next (device, NULL);
        if (!*alias || qemu_kind_of (device)->refused || strings_contain (there, alias))
            continue;
        if (forget (job, device, err))
            return error_prefix (err, "domain '%s'", job->guest->name);
    }
    return 0;
}

int qemu_look_at_devices (job_t *job, error_t *err)
{
    xml_node_t *devices = xml_find (xml_root (job->guest->live), "devices");
    if (devices && look_at_devices (job, devices, err))
        return -1;
    return qemu_vcpus_look (job, err) || qemu_memory_ask (job, err)
               ? error_prefix (err, "domain '%s'", job->guest->name)
               : 0;
}
