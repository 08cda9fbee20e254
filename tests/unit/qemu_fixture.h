//  qemu_fixture.h: a small QEMU for tests: what it can do, and a domain completed for it.

#ifndef TROUPE_QEMU_FIXTURE_H
#define TROUPE_QEMU_FIXTURE_H

#include "drivers/qemu/command/qemu_alias.h"
#include "drivers/qemu/command/qemu_command.h"
#include "drivers/qemu/command/qemu_complete.h"
#include "fake_job.h"
#include "util/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const char qemu_caps_text[] =
    QEMU_CAPS_HEADER "\n"
                     "version 7.2.22\narch x86_64\nkvm yes\n"
                     "machine pc-q35-7.2 q35 288 pc.ram\n"
                     "machine pc-i440fx-7.2 pc 255 pc.ram\n"
                     "machine pc-i440fx-6.2 - 255 pc.ram\n"
                     "machine microvm - 288 microvm.ram\n"
                     "cpu qemu64\ncpu qemu32\ncpu Haswell\n"
                     "device rtl8139\ndevice e1000\ndevice virtio-net-pci\n"
                     "device cirrus-vga\ndevice VGA\ndevice lsi53c895a\ndevice ich9-ahci\n"
                     "device piix3-usb-uhci\ndevice qemu-xhci\ndevice virtio-scsi-pci\n"
                     "device virtio-serial-pci\ndevice pcie-root-port\ndevice pcie-pci-bridge\n"
                     "device pci-bridge\ndevice ich9-usb-ehci1\ndevice ich9-usb-uhci1\n"
                     "device ich9-usb-uhci2\ndevice ich9-usb-uhci3\n";

//  "<domain ...>" around REST; the machine is MACHINE.
static inline char *qemu_domain (const char *machine, const char *rest)
{
    return text_format ("<domain type='qemu'><name>fixture</name>"
                        "<uuid>c0ffee00-1111-4222-8333-444455556666</uuid>"
                        "<memory unit='MiB'>512</memory>"
                        "<os><type arch='x86_64' machine='%s'>hvm</type></os>%s</domain>",
                        machine, rest);
}

//  The completed document, or NULL and ERR. The caller owns it.
static inline xml_t *qemu_completed_text (const char *text, error_t *err)
{
    fake_job_t fake;
    fake_job_init (&fake, "/nowhere");
    fake.caps = qemu_caps_text;
    auto(xml_t) document = xml_parse (text, strlen (text), "domain XML", err);
    if (!document || qemu_complete (&fake.job, document, err))
        return NULL;
    return take (&document);
}

static inline xml_t *qemu_completed (const char *machine, const char *rest)
{
    error_t err = { 0 };
    autofree char *text = qemu_domain (machine, rest);
    xml_t *document = qemu_completed_text (text, &err);
    if (!document)
        fail_msg ("%s", err.message);
    return document;
}

//  The error of completing it; it must fail.
static inline error_t qemu_refused (const char *machine, const char *rest)
{
    error_t err = { 0 };
    autofree char *text = qemu_domain (machine, rest);
    xml_t *document = qemu_completed_text (text, &err);
    if (document)
        fail_msg ("it was not refused");
    return err;
}

static inline const char *qemu_at (const xml_t *document, const char *path)
{
    const char *text = xml_string (xml_root (document), path);
    return text ? text : "(none)";
}

//  The device of this kind whose PATH has this value.
static inline const xml_node_t *qemu_device (const xml_t *document, const char *kind,
                                             const char *path, const char *value)
{
    const xml_node_t *devices = xml_find (xml_root (document), "devices");
    xml_foreach (device, devices, kind)
        if (xml_equals (device, path, value))
            return device;
    fail_msg ("there is no %s with %s '%s'", kind, path, value);
    return NULL;
}

//  "bus:slot.function" of a device, without the zeroes.
static inline const char *qemu_place (const xml_node_t *device, char place[32])
{
    const char *bus = xml_string (device, "address/@bus");
    const char *slot = xml_string (device, "address/@slot");
    const char *function = xml_string (device, "address/@function");
    snprintf (place, 32, "%lx:%lx.%lx", strtol (bus ? bus : "ff", NULL, 0),
              strtol (slot ? slot : "ff", NULL, 0), strtol (function ? function : "f", NULL, 0));
    return place;
}

//  Its command line, an argument a line.
static inline char *qemu_lines (const char *machine, const char *rest)
{
    error_t err = { 0 };
    auto(xml_t) live = qemu_completed (machine, rest);
    auto(qemu_caps_t) caps = qemu_caps_parse (qemu_caps_text, &err);
    qemu_set_aliases (live);
    auto(strings_t) args = qemu_command (live, NULL, caps, &err);
    if (!args)
        fail_msg ("%s", err.message);
    auto(text_t) lines = text_new ();
    for (size_t i = 0; i < args->count; i++)
        text_addf (lines, "%s\n", args->items[i]);
    return text_finish (&lines);
}

static inline void assert_has (const char *text, const char *part)
{
    if (!strstr (text, part))
        fail_msg ("'%s' is not in:\n%s", part, text);
}

static inline void assert_has_not (const char *text, const char *part)
{
    if (strstr (text, part))
        fail_msg ("'%s' is in:\n%s", part, text);
}

#endif
