//  qemu_missing.h: disks whose source may be missing when a guest starts (startupPolicy).

#ifndef TROUPE_QEMU_MISSING_H
#define TROUPE_QEMU_MISSING_H

#include "drivers/job.h"

//  Takes out of the live document what is not there and need not be: of a drive its medium, else
//  the whole disk. GOES_ON: the guest does not boot, but has a state that knows of its devices.
void qemu_drop_missing (job_t *job, bool goes_on);

#endif
