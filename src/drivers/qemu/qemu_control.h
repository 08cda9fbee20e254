//  qemu_control.h: what is done to a running guest that changes neither its documents nor its
//  record: keys, an interrupt, sleep, measurements that QEMU makes. (QEMU's QMP reference.)

#ifndef TROUPE_QEMU_CONTROL_H
#define TROUPE_QEMU_CONTROL_H

#include "drivers/job.h"

//  driver_t's function.
json_t *qemu_control (job_t *job, const char *what, const json_t *args, error_t *err);

#endif
