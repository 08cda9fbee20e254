//  qemu_command_boot.c: clock, what the guest boots, and in which order.

#include "drivers/qemu/command/qemu_command_parts.h"
#include "drivers/qemu/command/qemu_complete.h"

#include <string.h>

static const struct {
    const char *timer, *policy, *option, *value;
} tick_policies[] = {
    { "pit", "delay", "-global", "kvm-pit.lost_tick_policy=delay" },
    { "pit", "discard", "-global", "kvm-pit.lost_tick_policy=discard" },
};

static void add_clock (command_t *self)
{
    const xml_node_t *clock = xml_find (self->domain, "clock");
    auto(text_t) rtc = text_new ();
    text_addf (rtc, "base=%s", xml_string (clock, "@offset"));
    xml_foreach (timer, clock, "timer") {
        if (!xml_equals (timer, "@name", "rtc"))
            continue;
        if (xml_string (timer, "@track"))
            text_addf (rtc, ",clock=%s", xml_equals (timer, "@track", "guest") ? "vm" : "host");
        if (xml_equals (timer, "@tickpolicy", "catchup"))
            text_add (rtc, ",driftfix=slew");
    }
    command_add (self, "-rtc", "%s", rtc->data);
    xml_foreach (timer, clock, "timer")
        for (size_t i = 0; i < sizeof tick_policies / sizeof *tick_policies; i++)
            if (xml_equals (timer, "@name", tick_policies[i].timer) &&
                xml_equals (timer, "@tickpolicy", tick_policies[i].policy))
                command_add (self, tick_policies[i].option, "%s", tick_policies[i].value);
}

static void add_sleep (command_t *self)
{
    static const char *const states[][2] = {
        { "pm/suspend-to-mem/@enabled", "disable_s3" },
        { "pm/suspend-to-disk/@enabled", "disable_s4" },
    };
    for (size_t i = 0; i < 2; i++)
        if (xml_string (self->domain, states[i][0]))
            command_add (self, "-global", "%s.%s=%d", self->q35 ? "ICH9-LPC" : "PIIX4_PM",
                         states[i][1], !xml_flag (self->domain, states[i][0], true));
}

static void add_boot (command_t *self)
{
    auto(text_t) text = text_new ();
    const char *menu = xml_string (self->domain, "os/bootmenu/@enable");
    if (menu)
        text_addf (text, "menu=%s,", strcmp (menu, "yes") == 0 ? "on" : "off");
    if (menu && strcmp (menu, "yes") == 0 && xml_string (self->domain, "os/bootmenu/@timeout"))
        text_addf (text, "splash-time=%s,", xml_string (self->domain, "os/bootmenu/@timeout"));
    if (xml_string (self->domain, "os/bios/@rebootTimeout"))
        text_addf (text, "reboot-timeout=%s,", xml_string (self->domain, "os/bios/@rebootTimeout"));
    command_add (self, "-boot", "%sstrict=on", text->data);
}

static void add_kernel (command_t *self)
{
    static const char *const parts[][2] = {
        { "os/kernel", "-kernel" },
        { "os/initrd", "-initrd" },
        { "os/cmdline", "-append" },
    };
    for (size_t i = 0; i < 3; i++) {
        const char *value = xml_string (self->domain, parts[i][0]);
        if (value && *value)
            command_add (self, parts[i][1], "%s", value);
    }
}

static void add_facts (command_t *self)
{
    if (xml_string (self->domain, "genid"))
        command_json (self, "-device",
                      json_pack ("{s:s, s:s, s:s}", "driver", "vmgenid", "guid",
                                 xml_string (self->domain, "genid"), "id", "vmgenid0"));
    if (xml_flag (self->domain, "features/vmcoreinfo/@state", false))
        command_json (self, "-device", json_pack ("{s:s}", "driver", "vmcoreinfo"));
}

int qemu_command_boot (command_t *self, error_t *err)
{
    (void) err;
    add_clock (self);
    add_sleep (self);
    add_boot (self);
    add_kernel (self);
    add_facts (self);
    return 0;
}

static bool is_bootable (const xml_node_t *device, const char *boot)
{
    if (strcmp (boot, "network") == 0)
        return xml_is (device, "interface");
    const char *kind = strcmp (boot, "hd") == 0   ? "disk"
                       : strcmp (boot, "fd") == 0 ? "floppy"
                                                  : boot;
    return xml_is (device, "disk") && xml_equals (device, "@device", kind);
}

//  libvirt sorts disks: the buses in the order of their first disks, on each bus by target.
static int disk_turn (command_t *self, const xml_node_t *disk)
{
    int turn = 0;
    xml_foreach (other, self->devices, "disk") {
        if (xml_equals (other, "target/@bus", xml_string (disk, "target/@bus")))
            break;
        turn += 100000;
    }
    return turn + qemu_target_index (xml_string (disk, "target/@dev"));
}

//  The one device that an <os><boot dev=BOOT> means.
static const xml_node_t *boot_device (command_t *self, const char *boot)
{
    const xml_node_t *first = NULL;
    xml_foreach (device, self->devices, NULL)
        if (is_bootable (device, boot) &&
            (!first ||
             (xml_is (device, "disk") && disk_turn (self, device) < disk_turn (self, first))))
            first = device;
    return first;
}

int command_bootindex (command_t *self, const xml_node_t *device)
{
    const char *own = xml_string (device, "boot/@order");
    if (own)
        return (int) strtol (own, NULL, 10);
    int index = 0;
    const xml_node_t *os = self->plugged ? NULL : xml_find (self->domain, "os");
    xml_foreach (boot, os, "boot") {
        const xml_node_t *meant = boot_device (self, xml_string (boot, "@dev"));
        index += meant != NULL;
        if (meant == device)
            return index;
    }
    return 0;
}
