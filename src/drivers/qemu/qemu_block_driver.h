//  qemu_block_driver.h: the functions of QEMU's block_driver_t (drivers/block.h), by file.

#ifndef TROUPE_QEMU_BLOCK_DRIVER_H
#define TROUPE_QEMU_BLOCK_DRIVER_H

#include "drivers/block.h"

//  qemu_block_resize.c
int qemu_block_resize (job_t *job, const char *name, uint64_t bytes, bool capacity, error_t *err);

#endif
