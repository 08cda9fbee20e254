//  qemu_pci.c: taken and free PCI addresses.

#include "drivers/qemu/command/qemu_pci.h"
#include "drivers/qemu/command/qemu_complete.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void qemu_pci_add_bus (pci_map_t *map, int bus, const char *model)
{
    static const struct {
        const char *model;
        pci_bus_kind_t kind;
        int first, last;
    } kinds[] = {
        { "pci-root", BUS_ROOT, 1, 31 },
        { "pcie-root", BUS_ROOT, 1, 31 },
        { "pci-bridge", BUS_CONVENTIONAL, 1, 31 },
        { "dmi-to-pci-bridge", BUS_CONVENTIONAL, 0, 31 },
        { "pcie-to-pci-bridge", BUS_CONVENTIONAL, 1, 31 },
        { "pcie-root-port", BUS_PORT, 0, 0 },
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp (kinds[i].model, model) == 0) {
            map->buses[bus].kind = kinds[i].kind;
            map->buses[bus].first = kinds[i].first;
            map->buses[bus].last = kinds[i].last;
        }
}

//  libvirt writes these in hexadecimal, people in decimal as well.
static int get_number (const xml_node_t *device, const char *path, long most, int *value,
                       error_t *err)
{
    const char *text = xml_string (device, path);
    *value = 0;
    if (!text)
        return 0;
    char *end = NULL;
    errno = 0;
    long number = strtol (text, &end, 0);
    char name[128];
    qemu_device_name (device, name);
    if (errno || end == text || *end || number < 0 || number > most)
        return error_set (err, ERR_XML_ERROR, "%s: %s is '%s', not a number from 0 to 0x%lx", name,
                          path, text, (unsigned long) most);
    *value = (int) number;
    return 0;
}

bool qemu_pci_get (const xml_node_t *device, pci_address_t *address, int *failed, error_t *err)
{
    int domain;
    *failed = 0;
    if (!xml_equals (device, "address/@type", "pci") ||
        (!xml_string (device, "address/@slot") && !xml_string (device, "address/@bus")))
        return false;
    if (get_number (device, "address/@domain", 0, &domain, err) ||
        get_number (device, "address/@bus", PCI_BUSES - 1, &address->bus, err) ||
        get_number (device, "address/@slot", PCI_SLOTS - 1, &address->slot, err) ||
        get_number (device, "address/@function", PCI_FUNCTIONS - 1, &address->function, err)) {
        *failed = -1;
        return false;
    }
    return true;
}

void qemu_pci_set (xml_node_t *device, const pci_address_t *address)
{
    xml_set (device, "address/@type", "pci");
    xml_set (device, "address/@domain", "0x0000");
    xml_setf (device, "address/@bus", "0x%02x", address->bus);
    xml_setf (device, "address/@slot", "0x%02x", address->slot);
    xml_setf (device, "address/@function", "0x%x", address->function);
}

bool qemu_pci_is_free (const pci_map_t *map, const pci_address_t *address)
{
    uint8_t taken = map->buses[address->bus].taken[address->slot];
    return !(taken & (1u << address->function));
}

void qemu_pci_take (pci_map_t *map, const pci_address_t *address)
{
    map->buses[address->bus].taken[address->slot] |= (uint8_t) (1u << address->function);
}

void qemu_pci_take_slot (pci_map_t *map, int bus, int slot)
{
    map->buses[bus].taken[slot] = UINT8_MAX;
}

bool qemu_pci_find (const pci_map_t *map, pci_bus_kind_t kind, pci_address_t *address)
{
    for (int number = 0; number < PCI_BUSES; number++) {
        const pci_bus_t *bus = &map->buses[number];
        for (int slot = bus->first; bus->kind == kind && slot <= bus->last; slot++)
            if (!bus->taken[slot]) {
                *address = (pci_address_t){ .bus = number, .slot = slot };
                return true;
            }
    }
    return false;
}
