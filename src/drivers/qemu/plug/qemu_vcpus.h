//  qemu_vcpus.h: vcpus that come and go while the guest runs. QEMU decides what there is: whatever
//  becomes of a job, a look at it puts the live document and the record (whose <vcpu> elements name
//  the threads) right.

#ifndef TROUPE_QEMU_VCPUS_H
#define TROUPE_QEMU_VCPUS_H

#include "drivers/job.h"

//  Of a guest that starts, and does not run yet: those that are not there from its start on.
int qemu_vcpus_start (job_t *job, error_t *err);
//  The guest of the live document gets, and loses, what it says other than BEFORE.
int qemu_vcpus_change (job_t *job, const xml_node_t *before, error_t *err);
//  ERR_OPERATION_UNSUPPORTED if WHAT, a device, can't be plugged in: QEMU 7.2 that emulates frees
//  what it still uses when a vcpu goes, and ends with what comes next.
int qemu_vcpus_check_plug (const job_t *job, const char *what, error_t *err);
//  The live document and the record become as QEMU has it.
int qemu_vcpus_look (job_t *job, error_t *err);
//  The record's threads, anew.
int qemu_vcpus_threads (job_t *job, error_t *err);

#endif
