//  qemu_alias.c: the names of live devices.

#include "drivers/qemu/command/qemu_alias.h"
#include "drivers/qemu/command/qemu_complete.h"
#include "util/text.h"

#include <string.h>

const char *qemu_alias (const xml_node_t *device)
{
    const char *alias = xml_string (device, "alias/@name");
    return alias ? alias : "";
}

//  On a narrow bus the unit is the target.
static bool is_narrow (const xml_node_t *devices, const char *index)
{
    xml_foreach (controller, devices, "controller")
        if (xml_equals (controller, "@type", "scsi") && xml_equals (controller, "@index", index))
            return xml_equals (controller, "@model", "lsilogic");
    return false;
}

static char *disk_alias (const xml_node_t *devices, const xml_node_t *disk)
{
    const char *bus = xml_string (disk, "target/@bus");
    int index = qemu_target_index (xml_string (disk, "target/@dev"));
    if (strcmp (bus, "virtio") == 0 || strcmp (bus, "usb") == 0)
        return text_format ("%s-disk%d", bus, index);
    const char *controller = xml_string (disk, "address/@controller");
    const char *channel = xml_string (disk, "address/@bus");
    const char *unit = xml_string (disk, "address/@unit");
    if (strcmp (bus, "scsi") != 0 || is_narrow (devices, controller))
        return text_format ("%s%s-%s-%s", bus, controller, channel, unit);
    return text_format ("scsi%s-%s-%s-%s", controller, channel,
                        xml_string (disk, "address/@target"), unit);
}

static char *controller_alias (const xml_node_t *controller, bool q35)
{
    const char *type = xml_string (controller, "@type"), *index = xml_string (controller, "@index");
    bool first = strcmp (index, "0") == 0;
    if (strcmp (type, "pci") == 0)
        return text_format (q35 && first ? "pcie.%s" : "pci.%s", index);
    //  The names that these built-in controllers have in QEMU.
    if (first && (strcmp (type, "ide") == 0 || (q35 && strcmp (type, "sata") == 0)))
        return text_copy ("ide");
    if (first && strcmp (type, "usb") == 0)
        return text_copy ("usb");
    return text_format ("%s%s", type, index);
}

//  Kinds that are simply counted.
static const struct {
    const char *kind, *prefix;
    const char *model; //  of this only; NULL: of all
} counted[] = {
    { "interface", "net", NULL },
    { "serial", "serial", NULL },
    { "parallel", "parallel", NULL },
    { "console", "console", NULL },
    { "channel", "channel", NULL },
    { "input", "input", NULL },
    { "sound", "sound", NULL },
    { "video", "video", NULL },
    { "hub", "hub", NULL },
    { "watchdog", "watchdog", NULL },
    { "memballoon", "balloon", NULL },
    { "rng", "rng", NULL },
    { "panic", "panic", NULL },
    { "hostdev", "hostdev", NULL },
    { "redirdev", "redir", NULL },
    { "shmem", "shmem", NULL },
    { "vsock", "vsock", NULL },
    { "memory", "dimm", "dimm" },
    { "memory", "virtiomem", "virtio-mem" },
};

//  NULL: it is of no such kind.
static const char *counted_prefix (const xml_node_t *device)
{
    for (size_t i = 0; i < sizeof counted / sizeof *counted; i++)
        if (xml_is (device, counted[i].kind) &&
            (!counted[i].model || xml_equals (device, "@model", counted[i].model)))
            return counted[i].prefix;
    return NULL;
}

static char *counted_alias (const xml_node_t *devices, const xml_node_t *device)
{
    const char *prefix = counted_prefix (device);
    if (!prefix)
        return NULL;
    //  The primary video card is the first, wherever it is in the document.
    bool video = xml_is (device, "video");
    bool primary = video && xml_equals (device, "model/@primary", "yes");
    int number = 0;
    xml_foreach (other, devices, xml_name (device)) {
        if (other == device)
            break;
        number += counted_prefix (other) == prefix;
    }
    if (primary)
        number = 0;
    else if (video)
        for (xml_node_t *later = xml_next (device, "video"); later;
             later = xml_next (later, "video"))
            number += xml_equals (later, "model/@primary", "yes");
    return text_format ("%s%d", prefix, number);
}

static void set_alias (xml_node_t *device, const char *alias)
{
    if (xml_string (device, "alias/@name"))
        return;
    xml_node_t *address = xml_first (device, "address");
    if (address)
        xml_add_before (address, "alias");
    xml_set (device, "alias/@name", alias);
}

static char *alias_of (const xml_node_t *domain, const xml_node_t *device)
{
    const xml_node_t *devices = xml_find (domain, "devices");
    bool q35 = text_starts (xml_string (domain, "os/type/@machine"), "pc-q35-");
    return xml_is (device, "disk")         ? disk_alias (devices, device)
           : xml_is (device, "controller") ? controller_alias (device, q35)
                                           : counted_alias (devices, device);
}

xml_node_t *qemu_alias_find (const xml_t *live, const char *alias)
{
    xml_foreach (device, xml_find (xml_root (live), "devices"), NULL)
        if (xml_equals (device, "alias/@name", alias))
            return device;
    return NULL;
}

//  Those that went may have left any number free.
void qemu_set_new_alias (xml_t *live, xml_node_t *device)
{
    autofree char *alias = alias_of (xml_root (live), device);
    const char *prefix = counted_prefix (device);
    for (int i = 0; prefix && qemu_alias_find (live, alias); i++) {
        free (alias);
        alias = text_format ("%s%d", prefix, i);
    }
    if (alias)
        set_alias (device, alias);
}

void qemu_set_aliases (xml_t *live)
{
    xml_node_t *domain = xml_root (live), *devices = xml_find (domain, "devices");
    xml_foreach (device, devices, NULL) {
        autofree char *alias = alias_of (domain, device);
        if (alias)
            set_alias (device, alias);
    }
    //  The console that is a serial port has the port's name.
    xml_node_t *console = xml_first (devices, "console"), *serial = xml_first (devices, "serial");
    if (console && serial && xml_equals (console, "target/@type", "serial"))
        xml_set (console, "alias/@name", qemu_alias (serial));
}
