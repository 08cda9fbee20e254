//  host_topology.h: which processors and which memory of this machine are near each other, as
//  libvirt's capabilities XML tells it; read from /sys/devices/system (the kernel's documents
//  admin-guide/cputopology.rst and ABI/stable/sysfs-devices-node). ROOT goes before each path: "",
//  but for tests.

#ifndef TROUPE_HOST_TOPOLOGY_H
#define TROUPE_HOST_TOPOLOGY_H

#include "util/error.h"
#include "util/xml.h"

//  Adds to HOST (<host>): to its <cpu> the sizes of pages, and <iommu>, <topology> with all NUMA
//  cells, <cache>.
int host_topology_add (const char *root, xml_node_t *host, error_t *err);

#endif
