//  qemu_complete.c: the order of completion.

#include "drivers/qemu/command/qemu_complete.h"
#include "drivers/definition.h"
#include "drivers/net/interface.h"
#include "drivers/qemu/probe/qemu_schema.h"
#include "drivers/qemu/command/qemu_address.h"
#include "drivers/qemu/command/qemu_uses.h"
#include "util/text.h"

#include <stdio.h>
#include <string.h>

xml_node_t *qemu_insert (xml_node_t *parent, const char *name)
{
    return definition_insert (parent, name);
}

void qemu_default (xml_node_t *node, const char *path, const char *value)
{
    definition_default (node, path, value);
}

void qemu_device_name (const xml_node_t *device, char name[128])
{
    static const char *const tellers[] = { "target/@dev", "mac/@address", "target/@name",
                                           "@type",       "@model",       "model/@type" };
    const char *teller = NULL;
    for (size_t i = 0; !teller && i < sizeof tellers / sizeof *tellers; i++)
        teller = xml_string (device, tellers[i]);
    const char *index = xml_string (device, "@index");
    snprintf (name, 128, "%s '%s'%s%s", xml_name (device), teller ? teller : "", index ? " " : "",
              index ? index : "");
}

static void drop_indices (xml_node_t *image)
{
    for (; image; image = xml_find (image, "backingStore")) {
        xml_remove_path (image, "@index");
        xml_remove_path (image, "source/@index");
    }
}

//  Below the folder that a daemon makes for each of its guests (qemu_folder_path); another start,
//  or another host, has another one.
static bool is_made_here (const char *path)
{
    static const char parent[] = "/troupe/qemu/";
    const size_t size = strlen (parent) + UUID_TEXT_SIZE - 1;
    const char *name = path ? strrchr (path, '/') : NULL;
    if (!name || name - path < (ptrdiff_t) size || !text_starts (name - size, parent))
        return false;
    char uuid[UUID_TEXT_SIZE] = "", again[UUID_TEXT_SIZE];
    memcpy (uuid, name - UUID_TEXT_SIZE + 1, UUID_TEXT_SIZE - 1);
    return uuid_normalize (uuid, again) && strcmp (uuid, again) == 0;
}

static void drop_sockets (xml_node_t *device)
{
    if (xml_is (device, "channel") && is_made_here (xml_string (device, "source/@path")))
        xml_remove_path (device, "source");
    if (xml_is (device, "graphics") && is_made_here (xml_string (device, "listen/@socket"))) {
        xml_remove_path (device, "listen/@socket");
        xml_remove_path (device, "@socket");
    }
}

//  What a running guest's document has on top.
static void drop_live (xml_node_t *device)
{
    drop_sockets (device);
    definition_drop_alias (device);
    xml_remove_path (device, "@tty");
    if (xml_equals (device, "@type", "pty"))
        xml_remove_path (device, "source");
    if (xml_is (device, "disk")) {
        drop_indices (device);
        xml_remove_path (device, "mirror");
    }
    if (xml_is (device, "hostdev"))
        xml_remove_path (device, "source/@missing");
    //  libvirt's name templates for taps, which it makes anew at each start.
    const char *tap = xml_is (device, "interface") ? xml_string (device, "target/@dev") : NULL;
    if (tap && text_starts (tap, "vnet"))
        xml_remove_path (device, "target");
}

static int complete_identity (completion_t *self, error_t *err)
{
    if (definition_complete_identity (self->job, self->domain, err))
        return -1;
    self->devices = xml_find (self->domain, "devices");
    xml_foreach (device, self->devices, NULL)
        drop_live (device);
    return 0;
}

//  The emulator that Debian's, Fedora's and others' packages install for an architecture.
static int complete_emulator (completion_t *self, error_t *err)
{
    const char *arch = xml_string (self->domain, "os/type/@arch");
    bool i686 = arch && strcmp (arch, "i686") == 0;
    if (!xml_string (self->devices, "emulator")) {
        qemu_insert (self->devices, "emulator");
        xml_set (self->devices, "emulator",
                 i686 ? "/usr/bin/qemu-system-i386" : "/usr/bin/qemu-system-x86_64");
    }
    const char *emulator = xml_string (self->devices, "emulator");
    if (emulator[0] != '/')
        return error_set (err, ERR_XML_ERROR, "devices/emulator '%s': the path is not absolute",
                          emulator);
    return 0;
}

int qemu_complete (job_t *job, xml_t *document, error_t *err)
{
    completion_t self = { .job = job, .domain = xml_root (document) };
    if (qemu_schema_check (self.domain, err) || complete_identity (&self, err) ||
        complete_emulator (&self, err))
        return -1;
    autofree char *text = job_emulator (job, xml_string (self.devices, "emulator"), err);
    auto(qemu_caps_t) caps = text ? qemu_caps_parse (text, err) : NULL;
    if (!caps)
        return -1;
    self.caps = caps;
    bool failed = qemu_complete_machine (&self, err) || qemu_complete_devices (&self, err) ||
                  qemu_check_addresses (&self, err) || qemu_complete_controllers (&self, err) ||
                  qemu_complete_pci (&self, err);
    if (failed)
        return -1;
    qemu_mirror_console (&self);
    return qemu_check (&self, err) || qemu_check_numbers (&self, err) ||
                   qemu_uses_check (self.domain, err) || interface_check_all (self.devices, err)
               ? -1
               : 0;
}
