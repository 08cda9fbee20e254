//  qemu_salvage.h: a guest that runs although its status file is lost.

#ifndef TROUPE_QEMU_SALVAGE_H
#define TROUPE_QEMU_SALVAGE_H

#include "drivers/job.h"

//  driver_t's salvage. The proof is the guest's own monitor socket: whoever listens there is its
//  QEMU (unix(7): SO_PEERCRED of a connection names the process that called listen, which is the
//  launcher's, and QEMU's after its exec).
int qemu_salvage (job_t *job, bool *found, error_t *err);

//  Was the record made by qemu_salvage, and what QEMU decided at the start not asked yet?
bool qemu_is_salvaged (const guest_t *guest);
//  Asks it; the monitor is connected.
int qemu_salvage_ask (job_t *job, error_t *err);

#endif
