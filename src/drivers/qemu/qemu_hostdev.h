//  qemu_hostdev.h: the host's PCI devices that a guest gets (<hostdev type='pci'>).

#ifndef TROUPE_QEMU_HOSTDEV_H
#define TROUPE_QEMU_HOSTDEV_H

#include "drivers/job.h"

//  Into the record, and the undo of what qemu_hostdev_plug does.
int qemu_hostdev_intend (job_t *job, error_t *err);
//  Takes them from the host, all or none: vfio-pci has them then, and the user that QEMU runs as
//  can open their groups.
int qemu_hostdev_plug (job_t *job, error_t *err);
//  The guest is over: gives back what the record has; what fails is logged.
void qemu_hostdev_unplug (job_t *job);
//  How much of its memory the guest has to lock: all of it, since devices reach it, and 1 GiB for
//  their own; 0: it has none.
uint64_t qemu_hostdev_memlock (const xml_t *live);

#endif
