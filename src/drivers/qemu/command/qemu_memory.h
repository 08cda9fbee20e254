//  qemu_memory.h: how much memory a completed domain has, and of what. Pure.

#ifndef TROUPE_QEMU_MEMORY_H
#define TROUPE_QEMU_MEMORY_H

#include "util/error.h"
#include "util/xml.h"

//  How many NUMA cells it has; none: its memory is in one piece.
int qemu_memory_cells (const xml_node_t *domain);
//  The size at PATH, which was checked; 0: none.
uint64_t qemu_memory_kib (const xml_node_t *node, const char *path);
//  Of all its memory devices.
uint64_t qemu_memory_of_devices (const xml_node_t *domain);
//  What the guest took of its virtio-mem devices.
uint64_t qemu_memory_taken (const xml_node_t *domain);
//  Of cells and memory devices; 0: it has no cells.
uint64_t qemu_memory_total (const xml_node_t *domain);

#endif
