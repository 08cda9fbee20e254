//  qemu_alias.h: names of a running guest's devices, which are their ids in QEMU: virtio-disk0,
//  ide0-0-0, net0, serial0, usb, pci.1. They are libvirt's. A name that the user gave ("ua-...")
//  stays.

#ifndef TROUPE_QEMU_ALIAS_H
#define TROUPE_QEMU_ALIAS_H

#include "util/xml.h"

//  Gives each device of LIVE (completed) its <alias>.
void qemu_set_aliases (xml_t *live);
//  Gives DEVICE, which was just put into LIVE, a name that no other device has.
void qemu_set_new_alias (xml_t *live, xml_node_t *device);
//  The device of LIVE with this alias; NULL: none has it.
xml_node_t *qemu_alias_find (const xml_t *live, const char *alias);
//  DEVICE's alias; "" if it has none.
const char *qemu_alias (const xml_node_t *device);

#endif
