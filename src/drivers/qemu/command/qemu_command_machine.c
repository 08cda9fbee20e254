//  qemu_command_machine.c: machine, accelerator and firmware.

#include "drivers/iothreads.h"
#include "drivers/qemu/command/qemu_command.h"
#include "drivers/qemu/command/qemu_command_parts.h"
#include "drivers/qemu/command/qemu_memory.h"

static const char *on_off (const xml_node_t *node, const char *path)
{
    return xml_flag (node, path, true) ? "on" : "off";
}

//  Options of -machine that are one feature each.
static const struct {
    const char *path, *option;
} features[] = {
    { "features/vmport/@state", "vmport" },
    { "features/smm/@state", "smm" },
    { "memory/@dumpCore", "dump-guest-core" },
};

static bool has_no_hpet (command_t *self)
{
    const xml_node_t *clock = xml_find (self->domain, "clock");
    xml_foreach (timer, clock, "timer")
        if (xml_equals (timer, "@name", "hpet") && xml_equals (timer, "@present", "no"))
            return true;
    return false;
}

static void add_machine (command_t *self)
{
    auto(text_t) text = text_new ();
    text_addf (text, "%s,usb=off", self->machine.name);
    for (size_t i = 0; i < sizeof features / sizeof *features; i++)
        if (xml_string (self->domain, features[i].path))
            text_addf (text, ",%s=%s", features[i].option, on_off (self->domain, features[i].path));
    if (!xml_string (self->domain, "memory/@dumpCore"))
        text_add (text, ",dump-guest-core=off");
    if (xml_find (self->domain, "memoryBacking/nosharepages"))
        text_add (text, ",mem-merge=off");
    if (xml_find (self->domain, "features/ioapic"))
        text_addf (text, ",kernel_irqchip=%s",
                   xml_equals (self->domain, "features/ioapic/@driver", "kvm") ? "on" : "split");
    if (has_no_hpet (self))
        text_add (text, ",hpet=off");
    if (!xml_find (self->domain, "features/acpi"))
        text_add (text, ",acpi=off");
    if (xml_equals (self->domain, "os/loader/@type", "pflash"))
        text_add (text, ",pflash0=pflash0");
    if (xml_string (self->domain, "os/nvram"))
        text_add (text, ",pflash1=pflash1");
    if (self->machine.ram_id[0] && !qemu_memory_cells (self->domain))
        text_addf (text, ",memory-backend=%s", self->machine.ram_id);
    command_add (self, "-machine", "%s", text->data);
    command_add (self, "-accel", "%s", self->kvm ? "kvm" : "tcg");
}

static void add_flash (command_t *self, const char *node, const char *path, bool read_only)
{
    autofree char *file = text_format ("%s-file", node);
    command_json (self, "-blockdev",
                  json_pack ("{s:s, s:s, s:s, s:b, s:s}", "driver", "file", "filename", path,
                             "node-name", file, "auto-read-only", 1, "discard", "unmap"));
    command_json (self, "-blockdev",
                  json_pack ("{s:s, s:b, s:s, s:s}", "node-name", node, "read-only", read_only,
                             "driver", "raw", "file", file));
}

static void add_firmware (command_t *self)
{
    const char *loader = xml_string (self->domain, "os/loader");
    const char *nvram = xml_string (self->domain, "os/nvram");
    if (loader && xml_equals (self->domain, "os/loader/@type", "pflash"))
        add_flash (self, "pflash0", loader, xml_flag (self->domain, "os/loader/@readonly", false));
    else if (loader)
        command_add (self, "-bios", "%s", loader);
    if (nvram)
        add_flash (self, "pflash1", nvram, false);
    if (xml_flag (self->domain, "os/loader/@secure", false))
        command_add (self, "-global", "driver=cfi.pflash01,property=secure,value=on");
}

json_t *qemu_command_iothread (const xml_node_t *domain, int id)
{
    const xml_node_t *thread = iothreads_find (domain, id);
    autofree char *name = text_format ("iothread%d", id);
    json_t *object = json_pack ("{s:s, s:s}", "qom-type", "iothread", "id", name);
    for (const iothread_setting_t *each = iothread_settings; thread && each->path; each++) {
        uint64_t value = 0;
        error_t ignored; //  checked
        if (xml_string (thread, each->path) && xml_u64 (thread, each->path, &value, &ignored) == 0)
            json_object_set_new (object, each->property, json_integer ((json_int_t) value));
    }
    return object;
}

static void add_iothreads (command_t *self)
{
    for (int id = 0; (id = iothreads_next (self->domain, id));)
        command_json (self, "-object", qemu_command_iothread (self->domain, id));
}

int qemu_command_machine (command_t *self, error_t *err)
{
    add_firmware (self);
    add_machine (self);
    if (qemu_command_memory (self, err))
        return -1;
    add_iothreads (self);
    return 0;
}
