//  host_facts.h: facts of this machine, read from /proc and /sys, which answer without waiting.

#ifndef TROUPE_HOST_FACTS_H
#define TROUPE_HOST_FACTS_H

#include <stdint.h>

typedef struct {
    char hostname[256];
    char arch[65];   //  as uname -m
    char model[128]; //  of the CPU, as /proc/cpuinfo names it
    unsigned cpus;   //  online
    unsigned sockets, cores,
        threads; //  sockets of a NUMA node, cores of a socket, threads of a core
    unsigned numa_nodes;
    unsigned mhz; //  0: unknown
    uint64_t memory_kib;
} host_facts_t;

void host_facts_read (host_facts_t *facts);

#endif
