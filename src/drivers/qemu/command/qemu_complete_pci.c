//  qemu_complete_pci.c: gives each PCI device its address, the way libvirt documents it, so that
//  it stays where it is when others come and go.
//
//  i440fx: bus 0 has PIIX3 in slot 1 (IDE is function 1, USB function 2) and the first video card
//  in slot 2. q35: video in slot 1, the ICH9's parts in slots 0x1a to 0x1f; each other device gets
//  a PCI Express root port of its own, conventional ones share a bridge; one port stays free for
//  hot-plug.

#include "drivers/qemu/command/qemu_pci.h"
#include "drivers/qemu/qemu_port.h"
#include "util/text.h"

#include <string.h>

typedef struct {
    completion_t *completion;
    pci_map_t map;
    bool assigned; //  some device had no address
} pci_t;

//  libvirt's order.
static const char *const kinds_in_order[] = {
    "interface", "sound", "controller", "disk",   "hostdev", "memballoon", "rng", "watchdog",
    "video",     "input", "serial",     "memory", "shmem",   "vsock",      NULL,
};

static bool is_pci_controller (const xml_node_t *device)
{
    return xml_is (device, "controller") && xml_equals (device, "@type", "pci");
}

static bool is_root (const xml_node_t *device)
{
    return is_pci_controller (device) && xml_equals (device, "@index", "0");
}

static bool is_first_of (const xml_node_t *device, const char *type)
{
    return xml_is (device, "controller") && xml_equals (device, "@type", type) &&
           xml_equals (device, "@index", "0");
}

//  What the chipset has at one place only.
static bool built_in (const pci_t *self, const xml_node_t *device, pci_address_t *address)
{
    bool q35 = self->completion->q35;
    if (!q35 && is_first_of (device, "ide"))
        *address = (pci_address_t){ .slot = 0x01, .function = 1 };
    else if (!q35 && is_first_of (device, "usb") && xml_equals (device, "@model", "piix3-uhci"))
        *address = (pci_address_t){ .slot = 0x01, .function = 2 };
    else if (q35 && is_first_of (device, "sata"))
        *address = (pci_address_t){ .slot = 0x1f, .function = 2 };
    else
        return false;
    return true;
}

static bool is_pci (const pci_t *self, const xml_node_t *device)
{
    pci_address_t place;
    return !is_root (device) &&
           (qemu_model_plug (device) != PLUG_NONE || built_in (self, device, &place));
}

//  NULL if there are as many buses as there can be.
static xml_node_t *add_bridge (pci_t *self, const char *model)
{
    xml_node_t *controller = qemu_new_controller (self->completion, "pci", model);
    error_t ignored = { 0 };
    int index = 0;
    if (xml_int (controller, "@index", 1, PCI_BUSES - 1, &index, &ignored)) {
        xml_remove (controller);
        return NULL;
    }
    qemu_pci_add_bus (&self->map, index, model);
    return controller;
}

static int add_buses (pci_t *self, error_t *err)
{
    xml_foreach (controller, self->completion->devices, "controller") {
        int index = 0;
        if (!is_pci_controller (controller))
            continue;
        if (xml_int (controller, "@index", 0, PCI_BUSES - 1, &index, err))
            return -1;
        qemu_pci_add_bus (&self->map, index, xml_string (controller, "@model"));
    }
    //  A device on a bus that nobody provides: the usual bridge is meant, with all before it.
    xml_foreach (device, self->completion->devices, NULL) {
        pci_address_t address;
        int failed;
        if (!qemu_pci_get (device, &address, &failed, err)) {
            if (failed)
                return -1;
            continue;
        }
        const char *usual = self->completion->q35 ? "pcie-root-port" : "pci-bridge";
        while (self->map.buses[address.bus].kind == BUS_NONE && add_bridge (self, usual))
            ;
    }
    return 0;
}

static int check_place (const pci_t *self, const xml_node_t *device, const pci_address_t *address,
                        error_t *err)
{
    char name[128];
    qemu_device_name (device, name);
    pci_address_t fixed;
    bool is_fixed = built_in (self, device, &fixed);
    if (is_fixed && memcmp (&fixed, address, sizeof fixed) != 0)
        return error_set (err, ERR_XML_ERROR,
                          "%s: the chipset has it at the PCI address 0000:00:%02x.%d and nowhere "
                          "else",
                          name, fixed.slot, fixed.function);
    const pci_bus_t *bus = &self->map.buses[address->bus];
    if (address->slot < bus->first || address->slot > bus->last)
        return error_set (err, ERR_XML_ERROR, "%s: the PCI bus 0x%02x has no slot 0x%02x for it",
                          name, address->bus, address->slot);
    if (!is_fixed && !qemu_pci_is_free (&self->map, address))
        return error_set (err, ERR_XML_ERROR,
                          "%s: another device has its PCI address 0000:%02x:%02x.%d", name,
                          address->bus, address->slot, address->function);
    return 0;
}

static int take_given (pci_t *self, error_t *err)
{
    xml_foreach (device, self->completion->devices, NULL) {
        pci_address_t address;
        int failed;
        if (!qemu_pci_get (device, &address, &failed, err)) {
            if (failed)
                return -1;
            continue;
        }
        if (check_place (self, device, &address, err))
            return -1;
        qemu_pci_take (&self->map, &address);
        qemu_pci_set (device, &address);
    }
    return 0;
}

static void place (pci_t *self, xml_node_t *device, const pci_address_t *address)
{
    qemu_pci_take (&self->map, address);
    qemu_pci_set (device, address);
    self->assigned = true;
}

static bool has_address (const xml_node_t *device)
{
    pci_address_t address;
    int failed;
    error_t ignored = { 0 };
    return qemu_pci_get (device, &address, &failed, &ignored);
}

//  The slots of the chipset, and the devices that are in them.
static void place_built_in (pci_t *self)
{
    completion_t *completion = self->completion;
    xml_foreach (device, completion->devices, "controller") {
        pci_address_t address;
        if (built_in (self, device, &address) && !has_address (device))
            place (self, device, &address);
    }
    pci_address_t video = { .slot = completion->q35 ? 1 : 2 };
    xml_foreach (device, completion->devices, "video")
        if (xml_equals (device, "model/@primary", "yes") && is_pci (self, device) &&
            !has_address (device) && !self->map.buses[0].taken[video.slot])
            place (self, device, &video);
}

//  Root ports are cheap functions: eight of them share a slot.
static bool find_port_function (pci_t *self, pci_address_t *address)
{
    bool ours[PCI_SLOTS] = { false };
    xml_foreach (port, self->completion->devices, "controller") {
        pci_address_t other;
        int failed;
        error_t ignored = { 0 };
        if (xml_equals (port, "@model", "pcie-root-port") &&
            xml_equals (port, "address/@multifunction", "on") &&
            qemu_pci_get (port, &other, &failed, &ignored) && other.bus == 0)
            ours[other.slot] = true;
    }
    for (int slot = 1; slot < PCI_SLOTS; slot++)
        for (int function = 0; function < PCI_FUNCTIONS; function++) {
            *address = (pci_address_t){ .slot = slot, .function = function };
            bool usable = ours[slot] || !self->map.buses[0].taken[slot];
            if (usable && qemu_pci_is_free (&self->map, address))
                return true;
        }
    return false;
}

//  A new root port on the root bus.
static bool place_port (pci_t *self)
{
    pci_address_t address;
    xml_node_t *port =
        find_port_function (self, &address) ? add_bridge (self, "pcie-root-port") : NULL;
    if (!port)
        return false;
    place (self, port, &address);
    if (address.function == 0)
        xml_set (port, "address/@multifunction", "on");
    return true;
}

static bool find_port (pci_t *self, pci_address_t *address)
{
    return qemu_pci_find (&self->map, BUS_PORT, address) ||
           (place_port (self) && qemu_pci_find (&self->map, BUS_PORT, address));
}

//  A slot for a conventional device, behind a bridge that is made if there is none.
static bool find_conventional (pci_t *self, pci_address_t *address)
{
    if (qemu_pci_find (&self->map, BUS_CONVENTIONAL, address))
        return true;
    xml_node_t *bridge = find_port (self, address) ? add_bridge (self, "pcie-to-pci-bridge") : NULL;
    if (!bridge)
        return false;
    place (self, bridge, address);
    return qemu_pci_find (&self->map, BUS_CONVENTIONAL, address);
}

static bool find_place_q35 (pci_t *self, const xml_node_t *device, pci_address_t *address)
{
    qemu_plug_t plug = qemu_model_plug (device);
    if (plug == PLUG_PCIE)
        return find_port (self, address);
    if (plug == PLUG_PCI)
        return find_conventional (self, address);
    if (xml_equals (device, "@model", "pcie-root-port"))
        return find_port_function (self, address);
    //  Where the ICH9 has its sound and its bridge; a second one goes where there is room.
    *address = (pci_address_t){ .slot = xml_is (device, "sound") ? 0x1b : 0x1e };
    return !self->map.buses[0].taken[address->slot] ||
           qemu_pci_find (&self->map, BUS_ROOT, address);
}

static bool find_place (pci_t *self, const xml_node_t *device, pci_address_t *address)
{
    if (self->completion->q35)
        return find_place_q35 (self, device, address);
    return qemu_pci_find (&self->map, BUS_ROOT, address) ||
           qemu_pci_find (&self->map, BUS_CONVENTIONAL, address);
}

//  An ICH9 EHCI controller and its companions are functions of one slot.
static const struct {
    const char *model;
    int function;
} companions[] = {
    { "ich9-uhci1", 0 },
    { "ich9-uhci2", 1 },
    { "ich9-uhci3", 2 },
    { "ich9-ehci1", 7 },
};

static int companion_function (const xml_node_t *device)
{
    for (size_t i = 0; i < sizeof companions / sizeof *companions; i++)
        if (xml_is (device, "controller") && xml_equals (device, "@model", companions[i].model))
            return companions[i].function;
    return -1;
}

//  A guest looks for others only where there is function 0. libvirt has EHCI controllers at
//  function 7 even if they have no companions.
static int check_functions (const pci_t *self, error_t *err)
{
    xml_foreach (device, self->completion->devices, NULL) {
        pci_address_t address;
        int failed;
        error_t ignored = { 0 };
        if (companion_function (device) >= 0 ||
            !qemu_pci_get (device, &address, &failed, &ignored) ||
            self->map.buses[address.bus].taken[address.slot] & 1)
            continue;
        char name[128];
        qemu_device_name (device, name);
        return error_set (err, ERR_XML_ERROR,
                          "%s: it is function %d of the PCI slot 0000:%02x:%02x, whose function 0 "
                          "is empty: no guest would find it",
                          name, address.function, address.bus, address.slot);
    }
    return 0;
}

static bool find_companion_slot (pci_t *self, const xml_node_t *device, pci_address_t *address)
{
    static const int ich9_slots[] = { 0x1d, 0x1a };
    xml_foreach (other, self->completion->devices, "controller") {
        int failed;
        error_t ignored = { 0 };
        if (companion_function (other) >= 0 &&
            xml_equals (other, "@index", xml_string (device, "@index")) &&
            qemu_pci_get (other, address, &failed, &ignored))
            return true;
    }
    *address = (pci_address_t){ 0 };
    for (size_t i = 0; self->completion->q35 && i < 2; i++)
        if (!self->map.buses[0].taken[ich9_slots[i]]) {
            address->slot = ich9_slots[i];
            return true;
        }
    return qemu_pci_find (&self->map, BUS_ROOT, address);
}

static int assign (pci_t *self, xml_node_t *device, error_t *err)
{
    pci_address_t address;
    int function = companion_function (device);
    bool found = function < 0 ? find_place (self, device, &address)
                              : find_companion_slot (self, device, &address);
    if (function >= 0)
        address.function = function;
    char name[128];
    qemu_device_name (device, name);
    if (!found || !qemu_pci_is_free (&self->map, &address))
        return error_set (err, ERR_XML_ERROR,
                          "%s: no PCI slot is free; add <controller type='pci' "
                          "model='pci-bridge'/>",
                          name);
    place (self, device, &address);
    if (is_pci_controller (device) && self->completion->q35 && address.bus == 0 &&
        address.function == 0)
        xml_set (device, "address/@multifunction", "on");
    return 0;
}

//  libvirt sorts disks by their targets and has the primary video card first.
static int turn_of (const xml_node_t *device)
{
    if (xml_is (device, "disk"))
        return qemu_target_index (xml_string (device, "target/@dev"));
    return xml_is (device, "video") && !xml_equals (device, "model/@primary", "yes");
}

static xml_node_t *next_to_assign (pci_t *self, const char *kind, bool bridges)
{
    xml_node_t *next = NULL;
    xml_foreach (device, self->completion->devices, kind)
        if (is_pci_controller (device) == bridges && is_pci (self, device) &&
            !has_address (device) && (!next || turn_of (device) < turn_of (next)))
            next = device;
    return next;
}

static int assign_all (pci_t *self, const char *kind, bool bridges, error_t *err)
{
    xml_node_t *device;
    while ((device = next_to_assign (self, kind, bridges)))
        if (assign (self, device, err))
            return -1;
    return 0;
}

//  Function 0 tells the guest that there are others.
static void mark_multifunction (pci_t *self)
{
    xml_foreach (device, self->completion->devices, NULL) {
        pci_address_t address;
        int failed;
        error_t ignored = { 0 };
        if (qemu_pci_get (device, &address, &failed, &ignored) && address.function == 0 &&
            self->map.buses[address.bus].taken[address.slot] > 1)
            qemu_default (device, "address/@multifunction", "on");
    }
}

static void complete_bridge (xml_node_t *bridge, const pci_address_t *address)
{
    if (xml_equals (bridge, "@model", "pcie-root-port")) {
        qemu_default (bridge, "model/@name", "pcie-root-port");
        qemu_default (bridge, "target/@chassis", xml_string (bridge, "@index"));
        if (!xml_string (bridge, "target/@port"))
            xml_setf (bridge, "target/@port", "0x%x", address->slot << 3 | address->function);
    } else if (xml_equals (bridge, "@model", "pci-bridge")) {
        qemu_default (bridge, "model/@name", "pci-bridge");
        qemu_default (bridge, "target/@chassisNr", xml_string (bridge, "@index"));
    } else if (xml_equals (bridge, "@model", "pcie-to-pci-bridge"))
        qemu_default (bridge, "model/@name", "pcie-pci-bridge");
    else if (xml_equals (bridge, "@model", "dmi-to-pci-bridge"))
        qemu_default (bridge, "model/@name", "i82801b11-bridge");
}

static void complete_bridges (pci_t *self)
{
    xml_foreach (bridge, self->completion->devices, "controller") {
        pci_address_t address;
        int failed;
        error_t ignored = { 0 };
        if (!is_pci_controller (bridge) || is_root (bridge) ||
            !qemu_pci_get (bridge, &address, &failed, &ignored))
            continue;
        complete_bridge (bridge, &address);
        //  libvirt has the address last.
        xml_add_copy (bridge, xml_find (bridge, "address"));
        xml_remove (xml_find (bridge, "address"));
    }
}

int qemu_complete_pci (completion_t *completion, error_t *err)
{
    autofree pci_t *self = memory_new (1, sizeof *self);
    self->completion = completion;
    qemu_pci_take_slot (&self->map, 0, completion->q35 ? 0x1f : 0x01);
    if (add_buses (self, err) || take_given (self, err))
        return -1;
    mark_multifunction (self);
    place_built_in (self);
    if (assign_all (self, "controller", true, err))
        return -1;
    for (const char *const *kind = kinds_in_order; *kind; kind++)
        if (assign_all (self, *kind, false, err))
            return -1;
    pci_address_t spare;
    if (completion->q35 && self->assigned && !qemu_pci_find (&self->map, BUS_PORT, &spare))
        place_port (self);
    mark_multifunction (self);
    complete_bridges (self);
    return check_functions (self, err);
}
