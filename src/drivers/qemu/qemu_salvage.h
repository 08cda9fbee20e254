//  qemu_salvage.h: a guest that runs although its status file is lost.

#ifndef TROUPE_QEMU_SALVAGE_H
#define TROUPE_QEMU_SALVAGE_H

#include "drivers/job.h"

//  driver_t's salvage (salvage.h).
int qemu_salvage (job_t *job, bool *found, error_t *err);

//  Asks what QEMU decided at the start; the monitor is connected.
int qemu_salvage_ask (job_t *job, error_t *err);

#endif
