//  qemu_hostdev.h: the host's PCI devices that a guest gets: <hostdev type='pci'>, <interface
//  type='hostdev'>, and what <interface type='network'> gets from a pool, which is shown as an
//  interface of type 'hostdev' then. The record has <device address='0000:01:10.2'/> for each.

#ifndef TROUPE_QEMU_HOSTDEV_H
#define TROUPE_QEMU_HOSTDEV_H

#include "drivers/job.h"

//  Is a device of the document one of the host's?
bool qemu_hostdev_is (const xml_node_t *device);

//  Into the record, and the undo of what qemu_hostdev_plug does.
int qemu_hostdev_intend (job_t *job, error_t *err);
//  Takes them from the host, all or none: vfio-pci has them then, and the user that QEMU runs as
//  can open their groups.
int qemu_hostdev_plug (job_t *job, error_t *err);
//  The same of one device, of a guest that runs; refused if it has that one already.
int qemu_hostdev_intend_one (job_t *job, const xml_node_t *device, error_t *err);
int qemu_hostdev_plug_one (job_t *job, const xml_node_t *device, error_t *err);
//  INTERFACE was granted the device in GRANT. Takes it, or, when that can't be had, the next one
//  that the pool has. Intent and undo of each are on record before.
int qemu_hostdev_take_pooled (job_t *job, xml_node_t *interface, const xml_node_t *link,
                              port_grant_t *grant, error_t *err);
//  The device is gone from the guest: gives it back.
int qemu_hostdev_give (job_t *job, const xml_node_t *device, error_t *err);
//  The guest is over: gives back what the record has; what fails is logged.
void qemu_hostdev_unplug (job_t *job);
//  How much of its memory the guest has to lock: all of it, since devices reach it, and 1 GiB for
//  their own; 0: it has none.
uint64_t qemu_hostdev_memlock (const xml_t *live);
//  Of a guest that runs and gets one: QEMU may lock that much.
int qemu_hostdev_lock_memory (job_t *job, error_t *err);

#endif
