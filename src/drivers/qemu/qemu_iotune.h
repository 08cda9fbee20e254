//  qemu_iotune.h: limits of a running guest's disks (iotune.h).

#ifndef TROUPE_QEMU_IOTUNE_H
#define TROUPE_QEMU_IOTUNE_H

#include "drivers/qemu/qemu_steps.h"

//  What makes the limits of BEFORE's disks those of the live document's.
void qemu_iotune_steps (const job_t *job, const xml_node_t *before, qemu_steps_t *steps);
//  DISK, which QEMU has, gets its own; the same of all disks.
int qemu_iotune_apply (job_t *job, const xml_node_t *disk, error_t *err);
int qemu_iotune_apply_all (job_t *job, error_t *err);

#endif
