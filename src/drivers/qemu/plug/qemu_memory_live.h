//  qemu_memory_live.h: memory devices of a running guest: where they are, and how much of them it
//  has, as QEMU says it.

#ifndef TROUPE_QEMU_MEMORY_LIVE_H
#define TROUPE_QEMU_MEMORY_LIVE_H

#include "drivers/job.h"

//  The live document gets each device's address and current size, and <memory> and <currentMemory>
//  follow. Who has more or less than the document said is told of ("resized"). Nothing happens to a
//  guest without NUMA cells, which can't have such devices.
int qemu_memory_ask (job_t *job, error_t *err);
//  The same of a guest that starts, before its balloon is set: it wants no more than it can have.
int qemu_memory_start (job_t *job, error_t *err);
//  What the guest has, of an answer to query-balloon, or of its event's data: the balloon knows
//  nothing of virtio-mem. 0: it does not say (ANSWER may be NULL).
uint64_t qemu_memory_balloon (const json_t *answer, const xml_node_t *domain);
//  The host has huge pages for DEVICE, which comes. All of the guest's memory is counted before:
//  what may be locked of it follows.
int qemu_memory_intend (job_t *job, const xml_node_t *device, error_t *err);

//  The guest is to take as much of the device as WANTED (completed) requests. ERR: another part of
//  its target differs, or there is nothing that can be changed of it.
int qemu_memory_request (job_t *job, xml_node_t *wanted, error_t *err);
//  Undo: as the live document has it.
int qemu_undo_requested (job_t *job, const char *alias, error_t *err);

#endif
