//  qemu_plug.c: a device is attached, in this order:
//
//      completed among the others, checked     nothing has happened yet
//      its files become QEMU's                 each with its undo, on disk before
//      links, ports, devices of the host       the same
//      what a network gave gets its PCI slot   now it is known what it is
//      the last undo pushed, record            what will be there is on disk
//      what is behind it: netdev, chardev, object, nodes
//      the device itself                       from here on it is whole
//
//  So the last undo, which asks QEMU whether it has the device, is the first that runs: if it has,
//  all that goes with it is kept.

#include "drivers/definition.h"
#include "drivers/qemu/command/qemu_alias.h"
#include "drivers/qemu/command/qemu_command.h"
#include "drivers/qemu/command/qemu_complete.h"
#include "drivers/qemu/plug/qemu_kinds.h"
#include "drivers/qemu/plug/qemu_memory_live.h"
#include "drivers/qemu/plug/qemu_plug.h"
#include "drivers/qemu/plug/qemu_plug_parts.h"
#include "drivers/qemu/plug/qemu_vcpus.h"
#include "drivers/qemu/qemu_files.h"
#include "drivers/qemu/qemu_hostdev.h"
#include "drivers/qemu/qemu_interface.h"
#include "drivers/qemu/qemu_iotune.h"
#include "drivers/qemu/qemu_live.h"
#include "drivers/qemu/qemu_ram.h"
#include "drivers/qemu/qemu_sockets.h"
#include "drivers/qemu/qemu_start.h"
#include "drivers/qemu/qemu_vsock.h"
#include "drivers/qemu/storage/qemu_block_node.h"

#include <string.h>

typedef struct {
    job_t *job;
    qemu_caps_t *caps;
    xml_node_t *device; //  of the live document
    const char *alias;
    const xml_t *planned; //  goes with this device; NULL: nothing does
    xml_node_t *entry;
    uid_t uid;
    gid_t gid;
} attach_t;

//  Those of this job, which is done, or of jobs that failed; and what such have left of links.
static void forget_entries (job_t *job)
{
    static const char *const parts[] = { "link", "plug", "unplug" };
    xml_node_t *next;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        for (xml_node_t *part = xml_first (xml_root (job->guest->record), parts[i]); part;
             part = next) {
            const char *alias = xml_string (part, "@alias");
            next = xml_next (part, parts[i]);
            if (i > 0 || !alias || !qemu_alias_find (job->guest->live, alias))
                xml_remove (part);
        }
}

static void note_device (attach_t *self)
{
    xml_node_t *before = xml_first (self->entry, xml_name (self->device));
    if (before)
        xml_remove (before);
    xml_add_copy (self->entry, self->device);
}

static bool has_socket (const attach_t *self, const char *folder)
{
    const char *path = xml_string (self->device, "source/@path");
    return xml_is (self->device, "channel") && path && text_starts (path, folder);
}

//  The end of the guest removes what the record names.
static int make_folder (attach_t *self, const char *folder, error_t *err)
{
    if (xml_is (self->device, "memory") && qemu_ram_make (self->job, self->uid, self->gid, err))
        return -1;
    return has_socket (self, folder) ? qemu_make_folder (folder, self->uid, self->gid, err) : 0;
}

//  What it has on the host: links, ports of networks, PCI devices. It is on record, and so is the
//  name of a link in the document, before QEMU has it.
static int take_from_host (attach_t *self, error_t *err)
{
    job_t *job = self->job;
    const bool interface = xml_is (self->device, "interface");
    const bool hostdev = qemu_hostdev_is (self->device);
    if (xml_is (self->device, "memory"))
        return qemu_memory_intend (job, self->device, err);
    if (xml_is (self->device, "vsock"))
        return qemu_vsock_plug_one (job, self->device, err);
    if (!interface && !hostdev)
        return 0;
    if ((interface && qemu_interface_intend_one (job, self->device, err)) ||
        (hostdev && qemu_hostdev_intend_one (job, self->device, err)) || job_record (job, err) ||
        (interface && (qemu_interface_plug_one (job, self->device, self->uid, self->gid, err) ||
                       qemu_plug_place (job, self->device, err))) ||
        (hostdev && qemu_hostdev_plug_one (job, self->device, err)))
        return -1;
    return qemu_hostdev_is (self->device) ? qemu_ram_allow_lock (job, err) : 0;
}

static int begin (attach_t *self, const char *folder, error_t *err)
{
    job_t *job = self->job;
    if ((xml_is (self->device, "hostdev") && qemu_hostdev_find_one (job, self->device, err)) ||
        qemu_sockets_check_free (job, self->device, err) ||
        qemu_take_device (job, self->device, err) || take_from_host (self, err))
        return -1;
    if (has_socket (self, folder))
        xml_set (xml_root (job->guest->record), "folder/@path", folder);
    self->entry = qemu_plug_begin (job, "plug", self->alias, self->planned);
    note_device (self);
    return job_undo (job, "qemu.plug", self->alias, err) || job_record (job, err) ? -1 : 0;
}

static int pass_descriptors (attach_t *self, error_t *err)
{
    if (xml_is (self->device, "vsock"))
        return qemu_vsock_pass (self->job, err);
    const xml_node_t *link = interface_link (self->job->guest->record, self->device);
    return xml_is (self->device, "interface") && link ? qemu_interface_pass (self->job, link, err)
                                                      : 0;
}

static int add (attach_t *self, error_t *err)
{
    const guest_t *guest = self->job->guest;
    auto(strings_t) options =
        qemu_command_device (guest->live, guest->record, self->caps, self->device, err);
    if (!options)
        return -1;
    if (qemu_plug_options (self->job, options, err) == 0)
        return 0;
    char name[128];
    const char *path = xml_is (self->device, "disk") ? qemu_block_path (self->device) : NULL;
    qemu_device_name (self->device, name);
    return error_prefix (err, "%s%s%s", name, path ? ", " : "", path ? path : "");
}

//  QEMU has it.
static int settle (job_t *job, const xml_node_t *device, error_t *err)
{
    const qemu_kind_t *kind = qemu_kind_of (device);
    guest_tell (job->guest, "added", qemu_alias (device));
    if ((kind->backends & BACKEND_CHARDEV) && qemu_live_ask_chardevs (job, err))
        return -1;
    if (xml_is (device, "disk") && qemu_iotune_apply (job, device, err))
        return -1;
    if (xml_is (device, "memory") && qemu_memory_ask (job, err))
        return -1;
    bool down = xml_is (device, "interface") && xml_equals (device, "link/@state", "down");
    return down ? qemu_live_set_link (job, device, err) : 0;
}

static int attach_one (attach_t *self, error_t *err)
{
    autofree char *folder = qemu_folder_path (self->job);
    bool failed = begin (self, folder, err) || make_folder (self, folder, err) ||
                  pass_descriptors (self, err) || add (self, err) ||
                  settle (self->job, self->device, err);
    return failed ? -1 : 0;
}

static int attach_all (attach_t *self, const xml_t *device, error_t *err)
{
    job_t *job = self->job;
    qemu_plug_t plug = { .count = 0 };
    const char *emulator = xml_string (xml_root (job->guest->live), "devices/emulator");
    forget_entries (job);
    if (qemu_vcpus_check_plug (job, "a device", err) ||
        qemu_plug_complete (job, device, &plug, err))
        return -1;
    autofree char *text = job_emulator (job, emulator, err);
    auto(qemu_caps_t) caps = text ? qemu_caps_parse (text, err) : NULL;
    if (!caps)
        return -1;
    self->caps = caps;
    qemu_identity (job, &self->uid, &self->gid);
    job->plugging = true;
    for (size_t i = 0; i < plug.count; i++) {
        self->device = plug.devices[i];
        self->alias = qemu_alias (self->device);
        self->planned = i + 1 == plug.count ? job->guest->planned : NULL;
        if (attach_one (self, err))
            return -1;
    }
    forget_entries (job);
    return 0;
}

int qemu_attach (job_t *job, const xml_t *device, error_t *err)
{
    attach_t self = { .job = job };
    if (attach_all (&self, device, err) == 0)
        return 0;
    return error_prefix (err, "attach a device (%s) to domain '%s'", xml_name (xml_root (device)),
                         job->guest->name);
}

//  Undo.

static const xml_node_t *device_in (const xml_node_t *entry)
{
    xml_foreach (child, entry, NULL)
        if (!xml_is (child, "planned"))
            return child;
    return NULL;
}

//  The job was cut off when QEMU had the device, and nobody but us knows.
static int keep (job_t *job, xml_node_t *entry, const xml_node_t *device, error_t *err)
{
    xml_node_t *devices = xml_find (xml_root (job->guest->live), "devices");
    const xml_node_t *kept = definition_add (devices, device);
    if (settle (job, kept, err))
        return -1;
    qemu_plug_finish (job, entry);
    xml_remove (entry);
    job->kept = true;
    return 0;
}

static void forget_link (job_t *job, const xml_node_t *device)
{
    xml_node_t *link = interface_link (job->guest->record, device);
    if (xml_is (device, "interface") && link)
        xml_remove (link);
}

int qemu_undo_plug (job_t *job, const char *alias, error_t *err)
{
    bool there;
    xml_node_t *entry = qemu_plug_entry (job, "plug", alias);
    const xml_node_t *device = entry ? device_in (entry) : NULL;
    if (!device || qemu_has_ended (job))
        return 0;
    if (qemu_plug_is_there (job, alias, &there, err))
        return -1;
    if (there && job->plugging)
        return error_set (err, ERR_OPERATION_FAILED,
                          "QEMU of domain '%s' has the device '%s' already; it stays",
                          job->guest->name, alias);
    if (there)
        return keep (job, entry, device, err);
    if (qemu_plug_drop_backends (job, device, err))
        return -1;
    forget_link (job, device);
    xml_remove (entry);
    return 0;
}
