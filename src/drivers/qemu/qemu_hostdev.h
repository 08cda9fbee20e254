//  qemu_hostdev.h: the host's devices that a guest gets: <hostdev>, <interface type='hostdev'>, and
//  what <interface type='network'> gets from a pool, which is shown as an interface of type
//  'hostdev' then. The record has <device address='0000:01:10.2'/> for each, or its name
//  (drivers/pci/host_device.h), and with it the node by which QEMU uses it.

#ifndef TROUPE_QEMU_HOSTDEV_H
#define TROUPE_QEMU_HOSTDEV_H

#include "drivers/job.h"

//  Is a device of the document one of the host's, that is there?
bool qemu_hostdev_is (const xml_node_t *device);

//  Which devices those are that are no PCI devices: the live document then says which USB device it
//  is. What may be missing, by its startupPolicy, is left out, or, if the guest GOES_ON and does
//  not boot, <source missing='yes'>: QEMU has it in the guest's state, as a device that is not
//  plugged in.
int qemu_hostdev_find (job_t *job, bool goes_on, error_t *err);
//  One of a guest that runs, which may not be missing.
int qemu_hostdev_find_one (job_t *job, xml_node_t *device, error_t *err);

//  Into the record, and the undo of what qemu_hostdev_plug does.
int qemu_hostdev_intend (job_t *job, error_t *err);
//  Takes them from the host, all or none: they are this guest's alone, those of PCI are vfio-pci's,
//  and the user that QEMU runs as can open their nodes.
int qemu_hostdev_plug (job_t *job, error_t *err);
//  The same of one device, of a guest that runs; refused if it has that one already.
int qemu_hostdev_intend_one (job_t *job, const xml_node_t *device, error_t *err);
int qemu_hostdev_plug_one (job_t *job, const xml_node_t *device, error_t *err);
//  Of anything that is had by a name: into the record, which the caller makes durable before it is
//  held, with the undo; and given back.
int qemu_hostdev_intend_name (job_t *job, const char *name, error_t *err);
int qemu_hostdev_give_name (job_t *job, const char *name, error_t *err);
//  INTERFACE was granted the device in GRANT. Takes it, or, when that can't be had, the next one
//  that the pool has. Intent and undo of each are on record before.
int qemu_hostdev_take_pooled (job_t *job, xml_node_t *interface, const xml_node_t *link,
                              port_grant_t *grant, error_t *err);
//  Does a node of the record lead to a device that the guest has?
bool qemu_hostdev_uses (const job_t *job, const char *path);
//  The device is gone from the guest: gives it back.
int qemu_hostdev_give (job_t *job, const xml_node_t *device, error_t *err);
//  The guest is over: gives back what the record has; what fails is logged.
void qemu_hostdev_unplug (job_t *job);
//  Has the guest devices (of PCI, mediated ones) that reach its memory?
bool qemu_hostdev_reaches_memory (const xml_t *live);

#endif
