//  qemu_address.h: which type of address a device has.

#ifndef TROUPE_QEMU_ADDRESS_H
#define TROUPE_QEMU_ADDRESS_H

#include "drivers/qemu/command/qemu_complete.h"

//  "pci", "usb", "drive", "virtio-serial", "dimm" or "isa"; NULL: it has none. DEVICE (a child of
//  <devices>) has its model.
const char *qemu_address_type (const xml_node_t *device);
bool qemu_has_address_type (const xml_node_t *device, const char *type);

//  Does it go into a slot of conventional PCI, and not into a port of PCI Express?
bool qemu_is_conventional (const xml_node_t *device);

//  ERR_XML_ERROR, naming the device, unless the address that it has is of its type, and has what
//  addresses of that type have.
int qemu_check_address (const xml_node_t *device, error_t *err);
//  The same of all devices.
int qemu_check_addresses (const completion_t *self, error_t *err);

#endif
