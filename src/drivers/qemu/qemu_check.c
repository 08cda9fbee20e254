//  qemu_check.c: what contradicts itself in a completed definition.

#include "drivers/qemu/command/qemu_backing.h"
#include "drivers/qemu/command/qemu_complete.h"
#include "drivers/cpuset.h"
#include "drivers/iothreads.h"
#include "drivers/iotune.h"
#include "drivers/tune/tune.h"
#include "drivers/vcpus.h"
#include "drivers/qemu/qemu_perf.h"
#include "drivers/qemu/qemu_sockets.h"
#include "util/text.h"

#include <string.h>

//  KEY must not be there twice; it says what is the same, for the message.
static int once (strings_t *seen, char *key, const xml_node_t *device, error_t *err)
{
    autofree char *taken = key;
    char name[128];
    qemu_device_name (device, name);
    if (strings_contain (seen, taken))
        return error_set (err, ERR_XML_ERROR, "%s: another device has the same %s", name, taken);
    strings_add (seen, taken);
    return 0;
}

static int check_limits (const xml_node_t *disk, error_t *err)
{
    if (xml_find (disk, "iotune") && !xml_equals (disk, "@device", "disk"))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: <iotune> of the drive '%s'; limits are of disks, whose "
                          "medium does not change",
                          xml_string (disk, "target/@dev"));
    return iotune_check (disk, err);
}

//  Disks, and SCSI devices of the host.
static int check_drive (strings_t *seen, const xml_node_t *device, error_t *err)
{
    const char *bus =
        xml_is (device, "disk") ? xml_string (device, "target/@bus") : xml_string (device, "@type");
    if (!xml_equals (device, "address/@type", "drive"))
        return 0;
    return once (seen,
                 text_format ("drive address on '%s': controller %s, bus %s, target %s, unit %s",
                              bus, xml_string (device, "address/@controller"),
                              xml_string (device, "address/@bus"),
                              xml_string (device, "address/@target"),
                              xml_string (device, "address/@unit")),
                 device, err);
}

static int check_disk (strings_t *seen, const xml_node_t *disk, error_t *err)
{
    if (check_limits (disk, err))
        return -1;
    if (once (seen, text_format ("target '%s'", xml_string (disk, "target/@dev")), disk, err))
        return -1;
    return check_drive (seen, disk, err);
}

static int check_boot_order (completion_t *self, strings_t *seen, const xml_node_t *device,
                             error_t *err)
{
    int order = 0;
    if (!xml_find (device, "boot"))
        return 0;
    if (!xml_string (device, "boot/@order"))
        return error_set (err, ERR_XML_ERROR, "%s: its <boot> has no order", xml_name (device));
    if (xml_int (device, "boot/@order", 1, 65535, &order, err))
        return -1;
    if (!xml_is (device, "disk") && !xml_is (device, "interface") && !xml_is (device, "hostdev"))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: <boot order='%d'/> of %s; disks, interfaces and "
                          "hostdevs can have it",
                          order, xml_name (device));
    if (xml_find (self->domain, "os/boot"))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "domain XML: <boot> of devices cannot be used together with <boot> of "
                          "<os>");
    return once (seen, text_format ("boot order %d", order), device, err);
}

//  QEMU would refuse a second port of a name, but only once it has made its socket.
static int check_port_name (strings_t *seen, const xml_node_t *channel, error_t *err)
{
    const char *name = xml_string (channel, "target/@name");
    return name ? once (seen, text_format ("target name '%s'", name), channel, err) : 0;
}

//  Parts that a device may have several of. Of the others the second would be ignored.
static bool is_repeatable (const xml_node_t *part)
{
    static const char *const parts[][2] = {
        { "interface", "ip" },
        { "sound", "codec" },
        { "redirfilter", "usbdev" },
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (xml_is (part->parent, parts[i][0]) && xml_is (part, parts[i][1]))
            return true;
    return xml_namespace (part) != NULL;
}

static int check_parts (const xml_node_t *device, error_t *err)
{
    char name[128];
    xml_foreach (part, device, NULL) {
        if (xml_first (device, xml_name (part)) == part || is_repeatable (part))
            continue;
        qemu_device_name (device, name);
        return error_set (err, ERR_XML_ERROR, "%s: it has two <%s>; remove one", name,
                          xml_name (part));
    }
    return 0;
}

static int check_devices (completion_t *self, error_t *err)
{
    auto(strings_t) seen = strings_new ();
    xml_foreach (device, self->devices, NULL) {
        const char *alias = xml_string (device, "alias/@name");
        if (check_parts (device, err) ||
            (xml_is (device, "disk") && check_disk (seen, device, err)) ||
            (xml_is (device, "hostdev") && check_drive (seen, device, err)) ||
            (xml_is (device, "channel") && check_port_name (seen, device, err)) ||
            qemu_sockets_check_once (device, err) || check_boot_order (self, seen, device, err) ||
            (alias && once (seen, text_format ("alias '%s'", alias), device, err)))
            return -1;
        bool numbered = xml_is (device, "serial") || xml_is (device, "parallel");
        if (numbered && once (seen,
                              text_format ("%s port %s", xml_name (device),
                                           xml_string (device, "target/@port")),
                              device, err))
            return -1;
    }
    return 0;
}

static int check_singles (completion_t *self, error_t *err)
{
    static const char *const singles[] = { "watchdog", "audio", "panic", "graphics", "emulator" };
    for (size_t i = 0; i < sizeof singles / sizeof *singles; i++) {
        xml_node_t *first = xml_first (self->devices, singles[i]);
        if (first && xml_next (first, singles[i]))
            return error_set (err, ERR_CONFIG_UNSUPPORTED, "not supported: more than one <%s>",
                              singles[i]);
    }
    return 0;
}

static int check_absolute (completion_t *self, const char *path, error_t *err)
{
    const char *file = xml_string (self->domain, path);
    if (!file || file[0] == '/')
        return 0;
    return error_set (err, ERR_XML_ERROR, "domain XML: %s '%s' is not an absolute path", path,
                      file);
}

static int check_os (completion_t *self, error_t *err)
{
    static const char *const files[] = { "os/kernel", "os/initrd", "os/loader", "os/nvram" };
    for (size_t i = 0; i < 4; i++)
        if (check_absolute (self, files[i], err))
            return -1;
    bool kernel = xml_string (self->domain, "os/kernel") != NULL;
    if (!kernel && (xml_find (self->domain, "os/initrd") || xml_find (self->domain, "os/cmdline")))
        return error_set (err, ERR_XML_ERROR,
                          "domain XML: os/initrd and os/cmdline need os/kernel");
    bool pflash = xml_equals (self->domain, "os/loader/@type", "pflash");
    if (xml_find (self->domain, "os/nvram") && !pflash)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: os/nvram without <loader type='pflash'>");
    if (xml_flag (self->domain, "os/loader/@secure", false) && !(pflash && self->q35))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: <loader secure='yes'> without a q35 machine and "
                          "type='pflash'");
    if (xml_string (self->domain, "os/loader/@stateless") && !pflash)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: os/loader/@stateless without type='pflash'");
    int timeout = -1;
    return xml_int (self->domain, "os/bootmenu/@timeout", 0, 65535, &timeout, err) ||
                   xml_int (self->domain, "os/bios/@rebootTimeout", -1, 65535, &timeout, err)
               ? -1
               : 0;
}

//  Which of two would count, nobody could tell.
static bool has_vcpu (const xml_node_t *domain, int id)
{
    return id >= 0 && id < vcpus_most (domain);
}

static int check_pins (const xml_node_t *domain, const char *element, const char *attribute,
                       bool (*has) (const xml_node_t *domain, int id), error_t *err)
{
    auto(strings_t) numbers = strings_new ();
    xml_foreach (pin, xml_find (domain, "cputune"), element) {
        int number = -1;
        if (attribute && xml_int (pin, attribute, 0, 65535, &number, err))
            return -1;
        autofree char *text = text_format ("%d", number);
        if (attribute && number >= 0 && !has (domain, number))
            return error_set (err, ERR_XML_ERROR, "domain XML: cputune/%s: the guest has no %s %d",
                              element, attribute + 1, number);
        if (strings_contain (numbers, text) || (attribute && number < 0))
            return error_set (err, ERR_XML_ERROR, "domain XML: cputune/%s: %s", element,
                              attribute && number < 0 ? "it does not say of which"
                                                      : "there are two of the same");
        strings_add (numbers, text);
    }
    return 0;
}

static int check_cpuset (completion_t *self, error_t *err)
{
    cpu_set_t cpus;
    xml_foreach (pin, xml_find (self->domain, "cputune"), NULL) {
        const char *text = xml_string (pin, "@cpuset");
        bool pins = text_ends (xml_name (pin), "pin");
        if (pins && cpuset_parse (text ? text : "", &cpus, err))
            return error_prefix (err, "domain XML: cputune/%s", xml_name (pin));
    }
    return tune_check (self->domain, err) ||
                   check_pins (self->domain, "vcpupin", "@vcpu", has_vcpu, err) ||
                   check_pins (self->domain, "iothreadpin", "@iothread", iothreads_has, err) ||
                   check_pins (self->domain, "emulatorpin", NULL, NULL, err)
               ? -1
               : 0;
}

static int check_genid (completion_t *self, error_t *err)
{
    char uuid[UUID_TEXT_SIZE];
    const char *text = xml_string (self->domain, "genid");
    if (!text || uuid_normalize (text, uuid))
        return 0;
    return error_set (err, ERR_XML_ERROR, "domain XML: the genid '%s' is no uuid", text);
}

static int check_features (completion_t *self, error_t *err)
{
    if (xml_flag (self->domain, "features/smm/@state", false) && !self->q35)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: features/smm with the machine '%s'; it needs q35",
                          self->machine.name);
    bool kvm = xml_equals (self->domain, "@type", "kvm");
    if (!kvm &&
        (xml_find (self->domain, "features/hyperv") || xml_find (self->domain, "features/kvm")))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: features/hyperv and features/kvm with domain/@type "
                          "'qemu'; they need type='kvm'");
    return 0;
}

//  What QEMU's flags can say.
static int check_cache (completion_t *self, error_t *err)
{
    const xml_node_t *cache = xml_find (self->domain, "cpu/cache");
    if (!cache)
        return 0;
    bool emulate = xml_equals (cache, "@mode", "emulate");
    if (emulate == (xml_string (cache, "@level") != NULL))
        return 0;
    return error_set (err, ERR_CONFIG_UNSUPPORTED,
                      "not supported: cpu/cache with this mode and level; it can be "
                      "mode='emulate' with level='3', or another mode without a level");
}

static int check_iothreads (completion_t *self, error_t *err)
{
    if (iothreads_complete (self->domain, err))
        return -1;
    xml_foreach (device, self->devices, NULL) {
        int thread = 1;
        if (xml_int (device, "driver/@iothread", 1, IOTHREAD_MOST, &thread, err))
            return -1;
        if (xml_string (device, "driver/@iothread") && !iothreads_has (self->domain, thread))
            return error_set (err, ERR_CONFIG_UNSUPPORTED,
                              "%s: it is to use iothread %d, which the guest does not have",
                              xml_name (device), thread);
    }
    return 0;
}

int qemu_check (completion_t *self, error_t *err)
{
    if (xml_equals (self->domain, "on_poweroff", "restart") &&
        xml_equals (self->domain, "on_reboot", "destroy"))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: on_poweroff 'restart' with on_reboot 'destroy'");
    bool failed = check_singles (self, err) || check_devices (self, err) || check_os (self, err) ||
                  check_genid (self, err) || check_iothreads (self, err) ||
                  check_cpuset (self, err) || check_cache (self, err) ||
                  check_features (self, err) || qemu_check_perf (self->domain, err) ||
                  qemu_backing_check_peers (self->domain, err);
    return failed ? -1 : 0;
}
