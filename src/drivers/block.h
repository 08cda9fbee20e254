//  block.h: what can be done with the disks of a running guest, beside everything else.

#ifndef TROUPE_BLOCK_H
#define TROUPE_BLOCK_H

#include "drivers/job.h"

//  Disks are named by target ("vda") or by the path of their source.
typedef struct {
    //  What the guest sees is BYTES large from now on (rounded up to sectors); CAPACITY: as large
    //  as the block device that it is on. To make it smaller loses what is beyond the new end.
    int (*resize) (job_t *job, const char *disk, uint64_t bytes, bool capacity, error_t *err);
} block_driver_t;

#endif
