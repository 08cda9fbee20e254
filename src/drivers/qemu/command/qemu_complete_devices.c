//  qemu_complete_devices.c: completes each kind of device, and adds those that every guest has.

#include "drivers/qemu/command/qemu_complete_parts.h"
#include <string.h>

static int complete_input (completion_t *self, xml_node_t *input, error_t *err)
{
    (void) self;
    const char *type = xml_string (input, "@type");
    if (!type)
        return error_set (err, ERR_XML_ERROR, "domain XML: an input has no type");
    bool tablet = strcmp (type, "tablet") == 0;
    qemu_default (input, "@bus", tablet ? "usb" : "ps2");
    if (tablet && xml_equals (input, "@bus", "ps2"))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: an input of type 'tablet' on the bus 'ps2'; use 'usb'");
    return 0;
}

static int complete_rng (completion_t *self, xml_node_t *rng, error_t *err)
{
    (void) self;
    if (!xml_string (rng, "@model") || !xml_string (rng, "backend/@model"))
        return error_set (err, ERR_XML_ERROR,
                          "domain XML: an rng needs a model and a <backend model=...>");
    if (xml_equals (rng, "backend/@model", "random")) {
        const char *source = xml_string (rng, "backend");
        if (!source || !*source)
            xml_set (rng, "backend", "/dev/urandom");
    }
    return 0;
}

static int complete_watchdog (completion_t *self, xml_node_t *watchdog, error_t *err)
{
    (void) self;
    if (!xml_string (watchdog, "@model"))
        return error_set (err, ERR_XML_ERROR, "domain XML: the watchdog has no model");
    qemu_default (watchdog, "@action", "reset");
    return 0;
}

static int complete_sound (completion_t *self, xml_node_t *sound, error_t *err)
{
    (void) self;
    if (!xml_string (sound, "@model"))
        return error_set (err, ERR_XML_ERROR, "domain XML: a sound card has no model");
    return 0;
}

static int complete_panic (completion_t *self, xml_node_t *panic, error_t *err)
{
    (void) self, (void) err;
    qemu_default (panic, "@model", "isa");
    return 0;
}

static const struct {
    const char *kind;
    int (*complete) (completion_t *self, xml_node_t *device, error_t *err);
} completers[] = {
    { "disk", qemu_complete_disk },
    { "interface", qemu_complete_interface },
    { "input", complete_input },
    { "graphics", qemu_complete_graphics },
    { "rng", complete_rng },
    { "watchdog", complete_watchdog },
    { "sound", complete_sound },
    { "panic", complete_panic },
    { "hostdev", qemu_complete_hostdev },
};

static int complete_each (completion_t *self, xml_node_t *device, error_t *err)
{
    for (size_t i = 0; i < sizeof completers / sizeof *completers; i++)
        if (xml_is (device, completers[i].kind))
            return completers[i].complete (self, device, err);
    return 0;
}

static bool has_input (completion_t *self, const char *type)
{
    xml_foreach (input, self->devices, "input")
        if (xml_equals (input, "@type", type) && xml_equals (input, "@bus", "ps2"))
            return true;
    return false;
}

//  The PC has a PS/2 controller, and QEMU a mouse and a keyboard at it.
static void add_ps2 (completion_t *self)
{
    static const char *const types[] = { "mouse", "keyboard" };
    for (size_t i = 0; i < 2; i++) {
        if (has_input (self, types[i]))
            continue;
        xml_node_t *input = qemu_insert (self->devices, "input");
        xml_set (input, "@type", types[i]);
        xml_set (input, "@bus", "ps2");
    }
}

static void add_audio (completion_t *self)
{
    if (!xml_first (self->devices, "audio")) {
        xml_node_t *audio = qemu_insert (self->devices, "audio");
        xml_set (audio, "@id", "1");
        xml_set (audio, "@type", "none");
    }
}

static int complete_memballoon (completion_t *self, error_t *err)
{
    xml_node_t *balloon = xml_first (self->devices, "memballoon");
    if (!balloon)
        balloon = qemu_insert (self->devices, "memballoon");
    if (xml_next (balloon, "memballoon"))
        return error_set (err, ERR_XML_ERROR, "domain XML: there are two memballoons");
    qemu_default (balloon, "@model", "virtio");
    return 0;
}

int qemu_complete_devices (completion_t *self, error_t *err)
{
    xml_foreach (device, self->devices, NULL)
        if (complete_each (self, device, err))
            return -1;
    if (qemu_complete_scsi_hostdevs (self, err) || qemu_complete_chardevs (self, err) ||
        qemu_complete_video (self, err) || complete_memballoon (self, err))
        return -1;
    add_ps2 (self);
    add_audio (self);
    return 0;
}
