//  qemu_command.c: the order of a guest's command line, and what its parts share.

#include "drivers/qemu/command/qemu_backing.h"
#include "drivers/qemu/command/qemu_command_parts.h"
#include "drivers/qemu/command/qemu_pci.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void command_add (command_t *self, const char *option, const char *format, ...)
{
    va_list args;
    va_start (args, format);
    char *value = text_format_args (format, args);
    va_end (args);
    strings_add (self->args, option);
    strings_add_taken (self->args, value);
}

void command_json (command_t *self, const char *option, json_t *value)
{
    char *text = json_dumps (value, JSON_COMPACT);
    json_decref (value);
    strings_add (self->args, option);
    strings_add (self->args, text);
    free (text);
}

char *command_escape (const char *text)
{
    auto(text_t) escaped = text_new ();
    for (; *text; text++) {
        text_add_char (escaped, *text);
        if (*text == ',')
            text_add_char (escaped, ',');
    }
    return text_finish (&escaped);
}

void command_number (json_t *json, const char *key, const xml_node_t *node, const char *path)
{
    uint64_t value = 0;
    error_t ignored = { 0 }; //  the completion has checked it (qemu_check_numbers)
    if (xml_string (node, path) && !xml_u64 (node, path, &value, &ignored))
        json_object_set_new (json, key, json_integer ((json_int_t) value));
}

void command_flag (json_t *json, const char *key, const xml_node_t *node, const char *path)
{
    if (xml_string (node, path))
        json_object_set_new (json, key, json_boolean (xml_flag (node, path, false)));
}

void command_string (json_t *json, const char *key, const xml_node_t *node, const char *path)
{
    const char *text = xml_string (node, path);
    if (text)
        json_object_set_new (json, key, json_string (text));
}

void command_rom (json_t *json, const xml_node_t *device)
{
    if (xml_equals (device, "rom/@enabled", "no"))
        json_object_set_new (json, "romfile", json_string (""));
    if (xml_string (device, "rom/@bar"))
        json_object_set_new (json, "rombar", json_integer (xml_flag (device, "rom/@bar", true)));
    command_string (json, "romfile", device, "rom/@file");
}

json_t *command_device (const char *driver, const xml_node_t *device)
{
    return json_pack ("{s:s, s:s}", "driver", driver, "id", qemu_alias (device));
}

json_t *command_model (command_t *self, const xml_node_t *device, error_t *err)
{
    const qemu_model_t *model = qemu_model_of (device);
    if (!model) {
        error_set (err, ERR_CONFIG_UNSUPPORTED, "not supported: %s of model '%s'",
                   xml_name (device), qemu_model_name (device));
        return NULL;
    }
    autofree char *driver = qemu_model_driver (model, device);
    json_t *json = command_device (driver, device);
    if (model->flags & MODEL_VIRTIO) {
        command_flag (json, "iommu_platform", device, "driver/@iommu");
        command_flag (json, "ats", device, "driver/@ats");
        command_flag (json, "packed", device, "driver/@packed");
        command_flag (json, "page-per-vq", device, "driver/@page_per_vq");
    }
    command_address (self, json, device);
    return json;
}

//  The alias of the controller that provides a bus.
static const char *controller_alias (command_t *self, const char *type, const char *index)
{
    xml_foreach (controller, self->devices, "controller")
        if (xml_equals (controller, "@type", type) && xml_equals (controller, "@index", index))
            return qemu_alias (controller);
    return "";
}

static void add_pci_address (command_t *self, json_t *json, const xml_node_t *device)
{
    pci_address_t address;
    int failed;
    error_t ignored = { 0 };
    if (!qemu_pci_get (device, &address, &failed, &ignored))
        return;
    char index[16], place[16];
    snprintf (index, sizeof index, "%d", address.bus);
    json_object_set_new (json, "bus", json_string (controller_alias (self, "pci", index)));
    command_flag (json, "multifunction", device, "address/@multifunction");
    if (address.function)
        snprintf (place, sizeof place, "0x%x.0x%x", address.slot, address.function);
    else
        snprintf (place, sizeof place, "0x%x", address.slot);
    json_object_set_new (json, "addr", json_string (place));
}

static void add_bus (command_t *self, json_t *json, const char *type, const char *index)
{
    autofree char *bus = text_format ("%s.0", controller_alias (self, type, index ? index : "0"));
    json_object_set_new (json, "bus", json_string (bus));
}

void command_address (command_t *self, json_t *json, const xml_node_t *device)
{
    const char *type = xml_string (device, "address/@type");
    if (!type)
        return;
    if (strcmp (type, "pci") == 0)
        add_pci_address (self, json, device);
    else if (strcmp (type, "usb") == 0) {
        add_bus (self, json, "usb", xml_string (device, "address/@bus"));
        command_string (json, "port", device, "address/@port");
    } else if (strcmp (type, "virtio-serial") == 0) {
        add_bus (self, json, "virtio-serial", xml_string (device, "address/@controller"));
        command_number (json, "nr", device, "address/@port");
    } else if (strcmp (type, "isa") == 0) {
        command_number (json, "iobase", device, "address/@iobase");
        command_number (json, "irq", device, "address/@irq");
    }
}

static int command_input (command_t *self, const xml_node_t *input, error_t *err)
{
    static const char *const usb[][2] = {
        { "tablet", "usb-tablet" },
        { "mouse", "usb-mouse" },
        { "keyboard", "usb-kbd" },
    };
    //  Those of PS/2 are in the machine.
    if (xml_equals (input, "@bus", "virtio")) {
        json_t *json = command_model (self, input, err);
        if (!json)
            return -1;
        command_json (self, "-device", json);
    }
    for (size_t i = 0; i < 3; i++)
        if (xml_equals (input, "@bus", "usb") && xml_equals (input, "@type", usb[i][0])) {
            json_t *json = command_device (usb[i][1], input);
            command_address (self, json, input);
            command_json (self, "-device", json);
        }
    return 0;
}

static int command_hub (command_t *self, const xml_node_t *hub, error_t *err)
{
    (void) err;
    json_t *json = command_device ("usb-hub", hub);
    command_address (self, json, hub);
    command_json (self, "-device", json);
    return 0;
}

static int command_memballoon (command_t *self, const xml_node_t *balloon, error_t *err)
{
    if (xml_equals (balloon, "@model", "none"))
        return 0;
    json_t *json = command_model (self, balloon, err);
    if (!json)
        return -1;
    command_flag (json, "deflate-on-oom", balloon, "@autodeflate");
    command_flag (json, "free-page-reporting", balloon, "@freePageReporting");
    command_json (self, "-device", json);
    return 0;
}

static int command_rng (command_t *self, const xml_node_t *rng, error_t *err)
{
    json_t *json = command_model (self, rng, err);
    if (!json)
        return -1;
    bool builtin = xml_equals (rng, "backend/@model", "builtin");
    autofree char *id = text_format ("obj%s", qemu_alias (rng));
    json_t *backend =
        json_pack ("{s:s, s:s}", "qom-type", builtin ? "rng-builtin" : "rng-random", "id", id);
    if (!builtin)
        command_string (backend, "filename", rng, "backend");
    command_json (self, "-object", backend);
    json_object_set_new (json, "rng", json_string (id));
    command_number (json, "max-bytes", rng, "rate/@bytes");
    if (xml_string (rng, "rate/@bytes")) {
        json_object_set_new (json, "period", json_integer (1000));
        command_number (json, "period", rng, "rate/@period");
    }
    command_json (self, "-device", json);
    return 0;
}

static int command_watchdog (command_t *self, const xml_node_t *watchdog, error_t *err)
{
    json_t *json = command_model (self, watchdog, err);
    if (!json)
        return -1;
    command_json (self, "-device", json);
    command_add (self, "-action", "watchdog=%s", xml_string (watchdog, "@action"));
    return 0;
}

static int command_panic (command_t *self, const xml_node_t *panic, error_t *err)
{
    (void) err;
    //  The one of Hyper-V is a feature of the cpu.
    if (!xml_equals (panic, "@model", "isa"))
        return 0;
    json_t *json = json_pack ("{s:s}", "driver", "pvpanic");
    command_number (json, "ioport", panic, "address/@iobase");
    command_json (self, "-device", json);
    return 0;
}

//  Its CID and its descriptor are not known before the guest's start has got that far.
static int command_vsock (command_t *self, const xml_node_t *vsock, error_t *err)
{
    json_t *json = command_model (self, vsock, err);
    if (!json)
        return -1;
    command_number (json, "guest-cid", vsock, "cid/@address");
    if (self->record)
        command_string (json, "vhostfd", xml_root (self->record), "vsock/@fd");
    command_json (self, "-device", json);
    return 0;
}

//  In this order; kinds that are missing need no arguments.
static const struct {
    const char *kind;
    int (*command) (command_t *self, const xml_node_t *device, error_t *err);
} families[] = {
    { "hub", command_hub },
    { "disk", qemu_command_disk },
    { "interface", qemu_command_interface },
    { "serial", qemu_command_chardev },
    { "parallel", qemu_command_chardev },
    { "channel", qemu_command_chardev },
    { "console", qemu_command_chardev },
    { "input", command_input },
    { "graphics", qemu_command_graphics },
    { "video", qemu_command_video },
    { "sound", qemu_command_sound },
    { "watchdog", command_watchdog },
    { "memballoon", command_memballoon },
    { "rng", command_rng },
    { "panic", command_panic },
    { "hostdev", qemu_command_hostdev },
    { "memory", qemu_command_memory_device },
    { "redirdev", qemu_command_redirdev },
    { "shmem", qemu_command_shmem },
    { "vsock", command_vsock },
};

#define FAMILIES (sizeof families / sizeof *families)

static int add_devices (command_t *self, error_t *err)
{
    if (qemu_command_controllers (self, err))
        return -1;
    xml_foreach (audio, self->devices, "audio")
        command_add (self, "-audiodev", "{\"id\":\"audio%s\",\"driver\":\"%s\"}",
                     xml_string (audio, "@id"), xml_string (audio, "@type"));
    for (size_t i = 0; i < FAMILIES; i++)
        xml_foreach (device, self->devices, families[i].kind)
            if (families[i].command (self, device, err))
                return -1;
    return 0;
}

static void add_identity (command_t *self)
{
    autofree char *name = command_escape (xml_string (self->domain, "name"));
    strings_add (self->args, xml_string (self->devices, "emulator"));
    command_add (self, "-name", "guest=%s,debug-threads=on", name);
    strings_add (self->args, "-S");
}

static void add_running (command_t *self)
{
    command_add (self, "-uuid", "%s", xml_string (self->domain, "uuid"));
    if (!xml_first (self->devices, "graphics"))
        command_add (self, "-display", "none");
    strings_add (self->args, "-no-user-config");
    strings_add (self->args, "-nodefaults");
    command_add (self, "-chardev", QEMU_MONITOR_CHARDEV);
    command_add (self, "-mon", "chardev=charmonitor,id=monitor,mode=control");
    //  The daemon learns why a guest ended even if it was away; it ends QEMU itself.
    strings_add (self->args, "-no-shutdown");
    if (xml_equals (self->domain, "on_reboot", "destroy"))
        strings_add (self->args, "-no-reboot");
}

static void add_security (command_t *self)
{
    command_add (self, "-sandbox",
                 "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
    command_add (self, "-msg", "timestamp=on");
}

static int command_open (command_t *self, const xml_t *live, error_t *err)
{
    self->domain = xml_root (live);
    self->devices = xml_find (self->domain, "devices");
    self->kvm = xml_equals (self->domain, "@type", "kvm");
    const char *machine = xml_string (self->domain, "os/type/@machine");
    if (!qemu_caps_machine (self->caps, machine, &self->machine))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: os/type/@machine '%s'; the emulator '%s' does not have "
                          "it (any more)",
                          machine, xml_string (self->devices, "emulator"));
    self->q35 = text_starts (self->machine.name, "pc-q35-");
    return qemu_backing_check_peers (self->domain, err);
}

strings_t *qemu_command_device (const xml_t *live, const xml_t *record, const qemu_caps_t *caps,
                                const xml_node_t *device, error_t *err)
{
    auto(strings_t) args = strings_new ();
    command_t self = { .record = record, .caps = caps, .plugged = true, .args = args };
    if (command_open (&self, live, err) ||
        (xml_is (device, "controller") && qemu_command_controller (&self, device, err)))
        return NULL;
    for (size_t i = 0; i < FAMILIES; i++)
        if (xml_is (device, families[i].kind) && families[i].command (&self, device, err))
            return NULL;
    return take (&args);
}

strings_t *qemu_command (const xml_t *live, const xml_t *record, const qemu_caps_t *caps,
                         error_t *err)
{
    auto(strings_t) args = strings_new ();
    command_t self = { .record = record, .caps = caps, .args = args };
    if (command_open (&self, live, err))
        return NULL;
    add_identity (&self);
    if (qemu_command_machine (&self, err) || qemu_command_cpu (&self, err))
        return NULL;
    add_running (&self);
    if (qemu_command_boot (&self, err) || add_devices (&self, err))
        return NULL;
    add_security (&self);
    return take (&args);
}
