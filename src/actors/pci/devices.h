//  devices.h: the actor that knows which devices the host has, at the address `devices`. It reads
//  sysfs when it starts, and hears of changes from the kernel. It changes nothing: a PCI device
//  that somebody wants something of has an owner, pci/ADDRESS, which this actor starts; requests
//  for one come here, by whatever name, and are passed on.
//
//      nodedev.list, nodedev.info   as documented there
//      nodedev.xml   {device}: as documented, by devices/reader
//      nodedev.detach, nodedev.reattach, nodedev.reset   {device}: as documented, by its owner
//      pci.take, pci.give, group.check   {device, ...}: pci.h, iommu_group.h, by its owner
//      device.hold   {device, domain (uuid), domain_name, shared}: nil once it is on disk that the
//                    domain has the device, which is no PCI device (its name is that of
//                    drivers/pci/host_device.h); refused if another has it, unless both share it
//      device.leave   {device, domain, before}: {before}: what the node of a device that several
//                     share has to go back to (drivers/file_owner.h) before the domain releases it:
//                     nobody gets it until then; nil: others have it, the domain does not any more,
//                     and the last one is told that
//      device.release   {device, domain}: nil, once that is on disk; also if it does not have it
//      host.serving   (from the host, once all domains are loaded) devices of domains that do not
//                     run are given back
//
//  Start arguments: config; sysfs: instead of "/sys", for tests.
//
//  Topic `devices`, never retained: {events}: nodedev.lifecycle, nodedev.update.

#ifndef TROUPE_DEVICES_H
#define TROUPE_DEVICES_H

#include "actors/runtime/actor.h"

#define DEVICES_ADDRESS "devices"

extern const actor_class_t devices_class;

#endif
