//  qemu_plug_complete.c: a device as the user wrote it becomes one of the running guest: it is
//  completed among the others, by the same code as a definition.

#include "drivers/definition.h"
#include "drivers/qemu/command/qemu_address.h"
#include "drivers/qemu/command/qemu_alias.h"
#include "drivers/qemu/command/qemu_complete.h"
#include "drivers/qemu/command/qemu_pci.h"
#include "drivers/qemu/plug/qemu_kinds.h"
#include "drivers/qemu/plug/qemu_plug_parts.h"
#include "drivers/qemu/qemu_live.h"
#include "drivers/qemu/qemu_start.h"

#include <string.h>

typedef struct {
    job_t *job;
    xml_node_t *devices; //  of a copy of the live document
    xml_node_t **before; //  those that were there before it was completed, NULL at the end
    int bus;             //  of PCI, that the user gave it; -1: none
    xml_node_t *needed[4];
    size_t count;
} plugging_t;

static xml_node_t **list_of (const xml_node_t *devices)
{
    size_t count = 0;
    xml_foreach (device, devices, NULL)
        count++;
    xml_node_t **list = memory_new (count + 1, sizeof *list);
    count = 0;
    xml_foreach (device, devices, NULL)
        list[count++] = device;
    return list;
}

static bool is_new (const plugging_t *self, const xml_node_t *device)
{
    for (xml_node_t **each = self->before; *each; each++)
        if (*each == device)
            return false;
    return true;
}

bool qemu_plug_uses (const xml_node_t *device, const xml_node_t *controller)
{
    const char *type = xml_string (device, "address/@type");
    bool drive = type && strcmp (type, "drive") == 0;
    bool controls = drive || (type && strcmp (type, "virtio-serial") == 0);
    const char *bus = xml_is (device, "hostdev") ? "@type" : "target/@bus";
    const char *kind = drive ? xml_string (device, bus) : type;
    int wanted = 0, own = -1;
    error_t ignored = { 0 };
    if (!type || !xml_equals (controller, "@type", kind) ||
        xml_int (device, controls ? "address/@controller" : "address/@bus", 0, 255, &wanted,
                 &ignored) ||
        xml_int (controller, "@index", 0, 255, &own, &ignored))
        return false;
    return wanted == own;
}

//  The one that provides what DEVICE's address names; NULL: it has no such address.
static xml_node_t *controller_of (const plugging_t *self, const xml_node_t *device)
{
    xml_foreach (controller, self->devices, "controller")
        if (controller != device && qemu_plug_uses (device, controller))
            return controller;
    return NULL;
}

static bool is_q35 (const job_t *job)
{
    return text_starts (xml_string (xml_root (job->guest->live), "os/type/@machine"), "pc-q35-");
}

//  A port that the completion made up is none that the running machine has.
static int no_slot (const plugging_t *self, const xml_node_t *device, error_t *err)
{
    char name[128];
    qemu_device_name (device, name);
    if (self->bus >= 0)
        return error_set (err, ERR_OPERATION_FAILED,
                          "%s: the running guest has no PCI bus 0x%02x; leave its <address> out, "
                          "and one is found, or give the definition the bus, for its next start",
                          name, (unsigned) self->bus);
    if (is_q35 (self->job) && qemu_is_conventional (device))
        return error_set (err, ERR_OPERATION_FAILED,
                          "%s: it is a conventional PCI device, and no slot behind a bridge of the "
                          "running guest is free for it; give the definition one (<controller "
                          "type='pci' model='pcie-to-pci-bridge'/>), for its next start, or take "
                          "a model of PCI Express (virtio, for example)",
                          name);
    return error_set (err, ERR_OPERATION_FAILED,
                      "%s: no PCI slot of the running guest is free for it; give the definition "
                      "more (<controller type='pci' model='pcie-root-port'/>; of an i440fx machine "
                      "model='pci-bridge'), for its next start",
                      name);
}

//  DEVICE comes after what it needs.
static int need (plugging_t *self, xml_node_t *device, error_t *err)
{
    xml_node_t *controller = controller_of (self, device);
    if (qemu_kind_check (device, err))
        return -1;
    if (controller && is_new (self, controller)) {
        if (xml_equals (controller, "@type", "pci"))
            return no_slot (self, device, err);
        if (need (self, controller, err))
            return -1;
    }
    if (self->count == sizeof self->needed / sizeof *self->needed)
        return error_set (err, ERR_OPERATION_FAILED, "%s: it needs too many controllers",
                          xml_name (device));
    self->needed[self->count++] = device;
    return 0;
}

//  The root bus of PCI Express has no hot-plug.
static int check_bus (const job_t *job, const xml_node_t *device, error_t *err)
{
    pci_address_t address;
    int failed;
    error_t ignored = { 0 };
    char name[128];
    if (!is_q35 (job) || !qemu_pci_get (device, &address, &failed, &ignored) || address.bus != 0)
        return 0;
    qemu_device_name (device, name);
    return error_set (err, ERR_OPERATION_UNSUPPORTED,
                      "not supported: %s at the PCI bus 0, while the guest runs: only PCI Express "
                      "ports have hot-plug; leave its <address> out, and one is chosen",
                      name);
}

static xml_node_t *put_live (job_t *job, const xml_node_t *device)
{
    xml_t *live = job->guest->live;
    xml_node_t *added = definition_add (xml_find (xml_root (live), "devices"), device);
    qemu_set_new_alias (live, added);
    autofree char *folder = qemu_folder_path (job);
    qemu_live_add_socket (added, folder);
    return added;
}

static int put_all (plugging_t *self, qemu_plug_t *plug, error_t *err)
{
    for (size_t i = 0; i < self->count; i++)
        if (check_bus (self->job, self->needed[i], err))
            return -1;
    for (size_t i = 0; i < self->count; i++)
        plug->devices[plug->count++] = put_live (self->job, self->needed[i]);
    return 0;
}

static int check_alias (const job_t *job, const xml_t *device, error_t *err)
{
    const char *alias = qemu_alias (xml_root (device));
    if (!*alias || !qemu_alias_find (job->guest->live, alias))
        return 0;
    return error_set (err, ERR_OPERATION_FAILED,
                      "the guest has a device with the alias '%s' already", alias);
}

//  It goes where the device that its network grants it goes.
static bool is_placed_later (const xml_node_t *device)
{
    return xml_is (device, "interface") && xml_string (device, "source/@network") &&
           !xml_find (device, "address");
}

//  ADDED is a device of COPY, which the devices of SELF are in; LATER: its place is not sought yet.
static int complete (plugging_t *self, xml_t *copy, xml_node_t *added, bool later, error_t *err)
{
    autofree xml_node_t **before = list_of (self->devices);
    self->before = before;
    if (qemu_complete (self->job, copy, err))
        return -1;
    if (later && xml_equals (added, "address/@type", "pci"))
        xml_remove_path (added, "address");
    return need (self, added, err);
}

static int given_bus (const xml_node_t *device)
{
    pci_address_t address;
    int failed;
    error_t ignored = { 0 }; //  completing it says so
    return qemu_pci_get (device, &address, &failed, &ignored) ? address.bus : -1;
}

int qemu_plug_complete (job_t *job, const xml_t *device, qemu_plug_t *plug, error_t *err)
{
    const xml_node_t *wanted = xml_root (device);
    plugging_t self = { .job = job, .bus = given_bus (wanted) };
    if (qemu_kind_check_name (xml_name (wanted), err) || check_alias (job, device, err))
        return -1;
    auto(xml_t) copy = xml_copy (job->guest->live);
    self.devices = xml_find (xml_root (copy), "devices");
    xml_node_t *added = definition_add (self.devices, wanted);
    bool failed =
        complete (&self, copy, added, is_placed_later (wanted), err) || put_all (&self, plug, err);
    return failed ? -1 : 0;
}

int qemu_plug_place (job_t *job, xml_node_t *device, error_t *err)
{
    plugging_t self = { .job = job, .bus = -1 };
    if (!is_placed_later (device))
        return 0;
    auto(xml_t) copy = xml_copy (job->guest->live);
    self.devices = xml_find (xml_root (copy), "devices");
    xml_node_t *twin = qemu_alias_find (copy, qemu_alias (device));
    //  With its network, it would be completed as what it is before it has a device of the pool.
    if (xml_equals (twin, "@type", "hostdev"))
        xml_remove_path (twin, "source/@network");
    if (complete (&self, copy, twin, false, err) || check_bus (job, twin, err))
        return -1;
    xml_add_copy (device, xml_find (twin, "address"));
    return 0;
}
