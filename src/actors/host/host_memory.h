//  host_memory.h: the memory of this machine: how much there is, is free, and is shared, read from
//  /proc/meminfo, /sys/devices/system/node and /sys/kernel/mm (the kernel's documents
//  filesystems/proc.rst, admin-guide/mm/hugetlbpage.rst and admin-guide/mm/ksm.rst). They answer
//  without waiting. ROOT goes before each path: "", but for tests.

#ifndef TROUPE_HOST_MEMORY_H
#define TROUPE_HOST_MEMORY_H

#include "util/error.h"

#include <stddef.h>
#include <stdint.h>

enum {
    HOST_ALL_CELLS = -1
};

typedef struct {
    uint64_t total_kib, free_kib;
    uint64_t buffers_kib, cached_kib; //  0 of a single NUMA cell
} host_memory_t;

//  Of a NUMA cell, or of the whole machine. ERR_INVALID_ARG: there is no such cell.
int host_memory_read (const char *root, int64_t cell, host_memory_t *memory, error_t *err);

//  The numbers of the NUMA cells, in order; a machine without any has one, 0. *COUNT is at least 1.
//  The caller frees it; NULL and ERR.
unsigned *host_cells (const char *root, size_t *count, error_t *err);

typedef struct {
    uint64_t size_kib;
    uint64_t free;  //  pages
    uint64_t total; //  pages; of the usual size, how many the memory would make
} host_pages_t;

//  For each size of page that CELL has, the smallest first. The caller frees it; NULL and ERR.
host_pages_t *host_pages_read (const char *root, unsigned cell, size_t *count, error_t *err);

//  How the kernel merges equal pages (KSM).
typedef struct {
    const char *name; //  of the file, which is what the number is called
    uint64_t value;
} host_shared_t;

enum {
    HOST_SHARED_MAX = 8
};

//  What of it this kernel tells: how many, in the order of VALUES. ERR_NO_SUPPORT: it has no KSM.
int host_shared_read (const char *root, host_shared_t values[HOST_SHARED_MAX], size_t *count,
                      error_t *err);

#endif
