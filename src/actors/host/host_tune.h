//  host_tune.h: what users change of this machine's memory: how the kernel merges equal pages
//  (KSM), and how many huge pages it keeps (admin-guide/mm/ksm.rst,
//  admin-guide/mm/hugetlbpage.rst). The kernel may take its time to find huge pages, so jobs call
//  these, not owners. ROOT goes before each path: "", but for tests.

#ifndef TROUPE_HOST_TUNE_H
#define TROUPE_HOST_TUNE_H

#include "actors/host/host_memory.h"

//  All of VALUES, or none: what was written before one failed is written back. ERR_NO_SUPPORT: this
//  kernel has no KSM, or not this number of it.
int host_shared_set (const char *root, const host_shared_t *values, size_t count, error_t *err);

//  A pool of huge pages, in one NUMA cell or (HOST_ALL_CELLS) over all of them.
typedef struct {
    int64_t cell;
    uint64_t size_kib;
    uint64_t count; //  pages that it is to have
    bool add;       //  so many more than it has
} host_pool_t;

//  All of POOLS, or none. ERR_INVALID_ARG: there is no such cell, or no such pages; ERR_NO_MEMORY:
//  the kernel did not find so many.
int host_pools_set (const char *root, const host_pool_t *pools, size_t count, error_t *err);

#endif
