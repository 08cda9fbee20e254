//  pci.h: the owner of one host PCI device, at pci/ADDRESS ("pci/0000:01:10.2"): which driver has
//  it, who has it, what it goes back to. `devices` starts one for each device that somebody wants
//  something of, or that the host does not have.
//
//  What is done to the device is a job (jobs_pci.c), one after another. Before it begins, what it
//  is about, and to which driver the device goes back, is in RUN/pci/ADDRESS.status; so a daemon
//  that was killed finds what is half done, and gives the device back. The file goes once the host
//  has the device again. The same is so for what an administrator had in driver_override.
//
//      nodedev.detach, nodedev.reattach, nodedev.reset {device}: as documented there
//
//      pci.take     {domain (uuid), domain_name, managed, settings, process}: nil once it is on
//                   vfio-pci and that domain's, with its IOMMU group; refused at once if another
//                   domain has it. The same again for the same domain. managed: it is detached for
//                   that, if it is not, and goes back with pci.give. settings (or none): what its
//                   card sets for it, a virtual function (drivers/pci/vf.h); refused, then, if a
//                   process uses it, or its group, but process (process_to_text; nil: none)
//      pci.give     {domain}: nil, once that is on disk; also if that domain does not have it
//      pci.compare  {running (uuids)}: (from devices, after a restart) gives it back for a guest
//                   that is none of those
//      pci.claim    {group (number)}: (from devices) the group's owner was restarted, and has to be
//                   told who has the device
//      pci.gone     (from devices) it is not there any more
//
//  What the card had set before is in the status file before it is changed, and stays there until
//  it is set again: while the device goes back to its driver, with pci.give if it does not, or when
//  it goes straight on to the next guest, which gets its own settings on top of those.
//
//  Topic pci/ADDRESS: {address, state (detaching, detached, returning), returns_to (the driver that
//  gets it back; nil: the kernel's choice), holder (uuid of a domain; nil: none), holder_name};
//  "gone" once the host has it.

#ifndef TROUPE_PCI_H
#define TROUPE_PCI_H

#include "actors/runtime/actor.h"

#define PCI_PREFIX "pci/"

//  Start arguments: config, sysfs, address.
extern const actor_class_t pci_class;

#endif
