//  qemu_ram.h: what a guest's memory needs of the host: a folder for its files, huge pages, to be
//  locked, and time.

#ifndef TROUPE_QEMU_RAM_H
#define TROUPE_QEMU_RAM_H

#include "drivers/job.h"

//  Puts the folder LIB/qemu/ram/UUID into the record as <ram path='...'/>, with its undo pushed, if
//  any of the memory is to be in files and it is not there yet. QEMU removes their names at once,
//  so their space is free when it ends, however it does. Not in RUN, which is the host's memory.
int qemu_ram_intend (job_t *job, error_t *err);
//  Into the record only, also if the folder is there: of a guest that runs already.
void qemu_ram_note (job_t *job);
//  Removes it: the guest has ended, and nothing is on record.
int qemu_ram_forget (const job_t *job, error_t *err);
//  Makes it, for the user and the group that QEMU runs as (0: ours).
int qemu_ram_make (const job_t *job, uid_t uid, gid_t gid, error_t *err);

//  How much of its memory the guest has to lock: all of it, if devices of the host reach it, and
//  1 GiB for their own; 0: nothing; UINT64_MAX: <locked/>, where QEMU locks all that it ever has.
uint64_t qemu_ram_lock_bytes (const xml_t *live);
//  Of a guest that runs and gets more, or such a device: QEMU may lock that much.
int qemu_ram_allow_lock (job_t *job, error_t *err);
//  How long QEMU may be over a step that adds memory or devices: BASE_MS, and 1 s for each GiB that
//  it has to have at once (locked, allocated immediately), up to 30 min. It answers nothing then.
int qemu_ram_ms (const xml_t *live, int base_ms);

//  Has the host as many huge pages as DOMAIN needs, or one memory DEVICE of it (NULL: all)?
//  ERR_OPERATION_FAILED says of which size, and what to do. ROOT is "" but in tests.
int qemu_ram_check_pages (const char *root, const xml_node_t *domain, const xml_node_t *device,
                          error_t *err);

#endif
