//  devices_reader.h: the actor at `devices/reader`, which waits in place of `devices` for what the
//  kernel asks of drivers and devices when it is read: speeds of links, the words of USB devices,
//  types of mediated devices.
//
//  nodedev.xml {device (its name), path, sysfs}: {xml}. ERR_NO_NODE_DEVICE if it is gone by now.

#ifndef TROUPE_DEVICES_READER_H
#define TROUPE_DEVICES_READER_H

#include "actors/runtime/actor.h"

#define DEVICES_READER_ADDRESS "devices/reader"

extern const actor_class_t devices_reader_class;

#endif
