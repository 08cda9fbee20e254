//  qemu_peek.h: pieces of what a guest has in its memory and on its disks, as they are.

#ifndef TROUPE_QEMU_PEEK_H
#define TROUPE_QEMU_PEEK_H

#include "drivers/job.h"

//  SIZE bytes of its memory from ADDRESS on: of all of it, or with VIRTUAL as its first CPU sees
//  it now. The caller frees them; NULL and ERR. (QEMU's QMP reference: memsave, pmemsave.)
char *qemu_peek_memory (job_t *job, uint64_t address, size_t size, bool virtual, error_t *err);

//  SIZE bytes of the file or device of its DISK (target, or path of its source) from OFFSET on:
//  what the host has there, so of a qcow2 image not what the guest sees. The caller frees them;
//  NULL and ERR: also if the file ends before.
char *qemu_peek_block (job_t *job, const char *disk, uint64_t offset, size_t size, error_t *err);

#endif
