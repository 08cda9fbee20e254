//  qemu_tune.h: a guest's share of the host's resources: QEMU's cgroups, on which processors its
//  threads run, and the balloon.

#ifndef TROUPE_QEMU_TUNE_H
#define TROUPE_QEMU_TUNE_H

#include "drivers/job.h"

//  Before QEMU is started: makes its cgroups, with the limits of the live document.
int qemu_tune_prepare (job_t *job, error_t *err);
//  Once it talks: the pins of its threads.
int qemu_tune_started (job_t *job, error_t *err);
//  driver_t.tune.
int qemu_tune (job_t *job, const xml_t *before, error_t *err);
int qemu_takes (const char *path, const char *value, error_t *err);

//  The undos "qemu.affinity" ("THREAD CPUS") and "qemu.balloon" (bytes), for a QEMU that is there.
int qemu_undo_affinity (job_t *job, const char *argument, error_t *err);
int qemu_undo_balloon (job_t *job, const char *argument, error_t *err);

#endif
