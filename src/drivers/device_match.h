//  device_match.h: which device of a document another one means: libvirt's clients name one by
//  writing it, or a part of it.

#ifndef TROUPE_DEVICE_MATCH_H
#define TROUPE_DEVICE_MATCH_H

#include "util/xml.h"

//  The one of DEVICES (an element) that WANTED (one device) means: by its alias; a disk by its
//  target, an interface by its MAC, a controller by type and index, graphics by type, a shmem by
//  name, a memory device by what can't change of it (model, size, node, address); else the one that
//  has all that WANTED has. Interfaces with one MAC are told apart by their PCI address. With
//  ANY, of several memory devices, rngs, inputs, redirdevs or hubs it is the first: whichever goes.
//  ERR_DEVICE_MISSING: there is none; ERR_OPERATION_FAILED: there are several.
xml_node_t *device_match (const xml_node_t *devices, const xml_node_t *wanted, bool any,
                          error_t *err);
//  Does DEVICE have all attributes, text and elements of WANTED?
bool device_has_all (const xml_node_t *device, const xml_node_t *wanted);
//  The one with this alias. ERR_DEVICE_MISSING.
xml_node_t *device_by_alias (const xml_node_t *devices, const char *alias, error_t *err);

#endif
