//  qemu_command_controller.c: controllers, those of PCI first and each after the one it is behind.

#include "drivers/qemu/command/qemu_command_parts.h"
#include "drivers/qemu/command/qemu_pci.h"

#include <stdio.h>
#include <string.h>

static bool is_type (const xml_node_t *controller, const char *type)
{
    return xml_equals (controller, "@type", type);
}

static bool is_first (const xml_node_t *controller)
{
    return xml_equals (controller, "@index", "0");
}

//  What is in the machine.
static bool is_built_in (command_t *self, const xml_node_t *controller)
{
    if (is_type (controller, "usb"))
        return xml_equals (controller, "@model", "none");
    if (!is_first (controller))
        return false;
    return is_type (controller, "pci") || is_type (controller, "ide") ||
           (self->q35 && is_type (controller, "sata")) ||
           (!self->q35 && is_type (controller, "fdc"));
}

static void add_usb (json_t *json, const xml_node_t *controller)
{
    const char *model = xml_string (controller, "@model");
    if (text_ends (model, "-xhci")) {
        command_number (json, "p2", controller, "@ports");
        command_number (json, "p3", controller, "@ports");
    }
    if (!text_starts (model, "ich9-uhci"))
        return;
    //  A companion has no bus of its own: it serves ports of the EHCI controller's.
    autofree char *master = text_format ("%s.0", qemu_alias (controller));
    json_object_del (json, "id");
    json_object_set_new (json, "masterbus", json_string (master));
    json_object_set_new (json, "firstport", json_integer (0));
    command_number (json, "firstport", controller, "master/@startport");
}

static void add_scsi (json_t *json, const xml_node_t *controller)
{
    const char *thread = xml_string (controller, "driver/@iothread");
    autofree char *name = text_format ("iothread%s", thread ? thread : "");
    command_number (json, "num_queues", controller, "driver/@queues");
    command_number (json, "cmd_per_lun", controller, "driver/@cmd_per_lun");
    command_number (json, "max_sectors", controller, "driver/@max_sectors");
    command_flag (json, "ioeventfd", controller, "driver/@ioeventfd");
    if (thread)
        json_object_set_new (json, "iothread", json_string (name));
}

static void add_virtio_serial (json_t *json, const xml_node_t *controller)
{
    command_number (json, "max_ports", controller, "@ports");
    command_number (json, "vectors", controller, "@vectors");
}

static void add_pci (json_t *json, const xml_node_t *controller)
{
    command_number (json, "port", controller, "target/@port");
    command_number (json, "chassis", controller, "target/@chassis");
    command_number (json, "chassis_nr", controller, "target/@chassisNr");
    command_flag (json, "hotplug", controller, "target/@hotplug");
    if (xml_equals (controller, "model/@name", "ioh3420"))
        json_object_set_new (json, "driver", json_string ("ioh3420"));
}

static const struct {
    const char *type;
    void (*add) (json_t *json, const xml_node_t *controller);
} types[] = {
    { "usb", add_usb },
    { "scsi", add_scsi },
    { "virtio-serial", add_virtio_serial },
    { "pci", add_pci },
};

//  q35 has no floppy controller of its own; the drives' boot order is the controller's business.
static void add_floppy_controller (command_t *self, const xml_node_t *controller)
{
    json_t *json = command_device ("isa-fdc", controller);
    xml_foreach (disk, self->devices, "disk") {
        int index = command_bootindex (self, disk);
        bool second = xml_equals (disk, "address/@unit", "1");
        if (xml_equals (disk, "target/@bus", "fdc") && index)
            json_object_set_new (json, second ? "bootindexB" : "bootindexA", json_integer (index));
    }
    command_json (self, "-device", json);
}

int qemu_command_controller (command_t *self, const xml_node_t *controller, error_t *err)
{
    if (is_built_in (self, controller))
        return 0;
    if (is_type (controller, "fdc")) {
        add_floppy_controller (self, controller);
        return 0;
    }
    json_t *json = command_model (self, controller, err);
    if (!json)
        return -1;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (is_type (controller, types[i].type))
            types[i].add (json, controller);
    command_json (self, "-device", json);
    return 0;
}

//  One round: those whose bus is there. Returns how many were added, or -1.
static int add_ready (command_t *self, bool there[PCI_BUSES], error_t *err)
{
    int added = 0;
    xml_foreach (controller, self->devices, "controller") {
        pci_address_t address = { 0 };
        int index = 0, failed;
        if (!is_type (controller, "pci"))
            continue;
        if (xml_int (controller, "@index", 0, PCI_BUSES - 1, &index, err))
            return -1;
        bool placed = qemu_pci_get (controller, &address, &failed, err);
        if (there[index] || (placed && !there[address.bus]))
            continue;
        if (failed || qemu_command_controller (self, controller, err))
            return -1;
        there[index] = true;
        added++;
    }
    return added;
}

static const xml_node_t *pci_root (command_t *self)
{
    xml_foreach (controller, self->devices, "controller")
        if (is_type (controller, "pci") && is_first (controller))
            return controller;
    return NULL;
}

//  The companions of an EHCI controller need its bus.
static bool is_companion (const xml_node_t *controller)
{
    const char *model = xml_string (controller, "@model");
    return is_type (controller, "usb") && model && text_starts (model, "ich9-uhci");
}

int qemu_command_controllers (command_t *self, error_t *err)
{
    bool there[PCI_BUSES] = { false };
    int added;
    const xml_node_t *root = pci_root (self);
    if (root && xml_string (root, "target/@hotplug") && !self->q35)
        command_add (self, "-global", "PIIX4_PM.acpi-root-pci-hotplug=%s",
                     xml_flag (root, "target/@hotplug", true) ? "on" : "off");
    while ((added = add_ready (self, there, err)) > 0)
        ;
    if (added < 0)
        return -1;
    for (int companions = 0; companions < 2; companions++)
        xml_foreach (controller, self->devices, "controller")
            if (!is_type (controller, "pci") && is_companion (controller) == companions &&
                qemu_command_controller (self, controller, err))
                return -1;
    return 0;
}
