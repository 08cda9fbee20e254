//  qemu_iothreads.h: I/O threads that come, go and change while the guest runs.

#ifndef TROUPE_QEMU_IOTHREADS_H
#define TROUPE_QEMU_IOTHREADS_H

#include "drivers/qemu/qemu_steps.h"

//  What makes BEFORE's I/O threads those of the live document.
int qemu_iothreads_steps (job_t *job, const xml_node_t *before, qemu_steps_t *steps, error_t *err);

#endif
