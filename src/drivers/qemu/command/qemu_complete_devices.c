//  qemu_complete_devices.c: completes each kind of device, and adds those that every guest has.

#include "drivers/qemu/command/qemu_complete_parts.h"
#include "drivers/definition.h"

#include <stdio.h>
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

//  QEMU takes "nothing, ever" for a rate as well.
static int check_rate (const xml_node_t *rng, error_t *err)
{
    uint64_t bytes = 0, period = 1000;
    const xml_node_t *rate = xml_find (rng, "rate");
    if (!rate)
        return 0;
    if (xml_u64 (rate, "@bytes", &bytes, err) || xml_u64 (rate, "@period", &period, err))
        return error_prefix (err, "domain XML: the rng's <rate>");
    if (bytes > 0 && bytes <= INT64_MAX && period > 0 && period <= UINT32_MAX)
        return 0;
    return error_set (err, ERR_XML_ERROR,
                      "domain XML: the rng's <rate> is %llu bytes in %llu ms; it needs bytes, from "
                      "1 on, and a period, if it has one, from 1 to %u",
                      (unsigned long long) bytes, (unsigned long long) period, UINT32_MAX);
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
    return check_rate (rng, err);
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

static int complete_redirdev (completion_t *self, xml_node_t *redirdev, error_t *err)
{
    (void) self;
    if (!xml_string (redirdev, "@type"))
        return error_set (err, ERR_XML_ERROR,
                          "domain XML: a redirdev has no type: <redirdev bus='usb' type='tcp'>");
    qemu_default (redirdev, "@bus", "usb");
    return 0;
}

static int check_filter_rule (const xml_node_t *rule, error_t *err)
{
    static const struct {
        const char *part;
        int max;
    } parts[] = { { "@class", 0xff }, { "@vendor", 0xffff }, { "@product", 0xffff } };
    int value = 0, end = 0;
    unsigned major = 0, minor = 0;
    const char *version = xml_string (rule, "@version");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!xml_equals (rule, parts[i].part, "-1") &&
            xml_int (rule, parts[i].part, 0, parts[i].max, &value, err))
            return -1;
    if (version && strcmp (version, "-1") != 0 &&
        (sscanf (version, "%2u.%2u%n", &major, &minor, &end) != 2 || version[end] ||
         strlen (strchr (version, '.')) != strlen (".10")))
        return error_set (err, ERR_XML_ERROR,
                          "domain XML: a redirfilter's version '%s' is not of the form 1.10",
                          version);
    return xml_string (rule, "@allow")
               ? 0
               : error_set (err, ERR_XML_ERROR,
                            "domain XML: a rule of a redirfilter has no allow='yes|no'");
}

static int complete_redirfilter (completion_t *self, xml_node_t *filter, error_t *err)
{
    if (xml_first (self->devices, "redirfilter") != filter)
        return error_set (err, ERR_XML_ERROR, "domain XML: there are two redirfilters");
    xml_foreach (rule, filter, "usbdev")
        if (check_filter_rule (rule, err))
            return -1;
    return 0;
}

//  Its name is that of a file in /dev/shm.
static int complete_shmem (completion_t *self, xml_node_t *shmem, error_t *err)
{
    (void) self;
    uint64_t kib = 4096;
    const char *name = xml_string (shmem, "@name");
    if (!name || !*name || strchr (name, '/') || strcmp (name, ".") == 0 ||
        strcmp (name, "..") == 0 || strlen (name) > 200)
        return error_set (err, ERR_XML_ERROR,
                          "domain XML: a shmem needs a name that can be a file's, and has '%s'",
                          name ? name : "");
    if (!xml_string (shmem, "model/@type"))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: shmem '%s' without a model; QEMU has "
                          "<model type='ivshmem-plain'/>",
                          name);
    if (definition_complete_size (shmem, "size", &kib, err))
        return -1;
    if (kib < 1024 || kib > INT64_MAX / 1024 || (kib & (kib - 1)))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: shmem '%s' of %llu KiB; it is a power of two, at least "
                          "1 MiB and at most 4 EiB",
                          name, (unsigned long long) kib);
    xml_set_u64 (shmem, "size", kib);
    xml_set (shmem, "size/@unit", "KiB");
    return 0;
}

//  The CID of an automatic one is chosen at each start.
static int complete_vsock (completion_t *self, xml_node_t *vsock, error_t *err)
{
    uint64_t cid = 0;
    const bool fixed = xml_string (vsock, "cid/@address") != NULL;
    if (xml_first (self->devices, "vsock") != vsock)
        return error_set (err, ERR_XML_ERROR, "domain XML: there are two vsocks; a guest has one");
    qemu_default (vsock, "@model", "virtio");
    qemu_default (vsock, "cid/@auto", fixed ? "no" : "yes");
    if (xml_u64 (vsock, "cid/@address", &cid, err))
        return -1;
    if (xml_equals (vsock, "cid/@auto", "yes")) {
        xml_remove_path (vsock, "cid/@address");
        return 0;
    }
    if (cid < QEMU_VSOCK_CID_MIN || cid > QEMU_VSOCK_CID_MAX)
        return error_set (err, ERR_XML_ERROR,
                          "domain XML: <cid auto='no'> of the vsock needs an address, from %u to "
                          "%u, and has '%s'",
                          QEMU_VSOCK_CID_MIN, QEMU_VSOCK_CID_MAX,
                          fixed ? xml_string (vsock, "cid/@address") : "");
    xml_set_u64 (vsock, "cid/@address", cid);
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
    { "redirdev", complete_redirdev },
    { "redirfilter", complete_redirfilter },
    { "shmem", complete_shmem },
    { "vsock", complete_vsock },
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
