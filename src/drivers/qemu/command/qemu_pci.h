//  qemu_pci.h: the map of a guest's PCI buses: which slots and functions are taken.

#ifndef TROUPE_QEMU_PCI_H
#define TROUPE_QEMU_PCI_H

#include "util/xml.h"

#define PCI_BUSES 256
#define PCI_SLOTS 32
#define PCI_FUNCTIONS 8

typedef struct {
    int bus, slot, function;
} pci_address_t;

typedef enum {
    BUS_NONE,
    BUS_ROOT,         //  pci-root or pcie-root: slot 0 is the host bridge
    BUS_CONVENTIONAL, //  behind a bridge, whose hot-plug controller may have slot 0
    BUS_PORT          //  behind a PCI Express port: slot 0 only
} pci_bus_kind_t;

typedef struct {
    pci_bus_kind_t kind;
    int first, last;          //  slots
    uint8_t taken[PCI_SLOTS]; //  a bit a function
} pci_bus_t;

typedef struct {
    pci_bus_t buses[PCI_BUSES];
} pci_map_t;

//  The bus that a PCI controller of this model provides.
void qemu_pci_add_bus (pci_map_t *map, int bus, const char *model);

//  DEVICE's PCI address. False if it has none yet. -1 in *FAILED and ERR_XML_ERROR if its numbers
//  are out of range.
bool qemu_pci_get (const xml_node_t *device, pci_address_t *address, int *failed, error_t *err);
//  Writes it in libvirt's form.
void qemu_pci_set (xml_node_t *device, const pci_address_t *address);

bool qemu_pci_is_free (const pci_map_t *map, const pci_address_t *address);
void qemu_pci_take (pci_map_t *map, const pci_address_t *address);
//  The whole slot: no other device may share it.
void qemu_pci_take_slot (pci_map_t *map, int bus, int slot);

//  The first bus of KIND with a wholly free slot, and that slot. False if there is none.
bool qemu_pci_find (const pci_map_t *map, pci_bus_kind_t kind, pci_address_t *address);

#endif
