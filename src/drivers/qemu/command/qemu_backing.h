//  qemu_backing.h: what of the host is behind a guest's memory, piece by piece. A piece is a NUMA
//  cell, a memory device, or, of a guest without cells, the domain itself. Pure.
//
//  From libvirt's "Domain XML format" page: <memoryBacking>, memAccess and discard of a cell,
//  access, discard and <source> of a memory device: what a piece says goes before what its cell
//  says, and that before <memoryBacking>. Shared memory is a memfd unless it is to be a file, since
//  who shares it needs a descriptor of it; so are huge pages, which the kernel then gives without a
//  mounted hugetlbfs. A memfd of which nothing else is said is shared, as QEMU has it.

#ifndef TROUPE_QEMU_BACKING_H
#define TROUPE_QEMU_BACKING_H

#include "util/error.h"
#include "util/xml.h"

typedef struct {
    const char *object; //  QEMU's: "memory-backend-ram", ...
    bool file;          //  in a folder of the daemon's
    bool shared;
    bool huge;         //  in huge pages,
    uint64_t page_kib; //  of this size; 0: of the host's usual one
    bool immediate;    //  all of it is taken at once,
    int threads;       //  by so many threads; 0: QEMU's choice
    bool discard;      //  at the end it need not be written to its file; only files have that
} qemu_backing_t;

//  The first piece of a completed DOMAIN, and the one after PIECE; NULL after the last.
const xml_node_t *qemu_backing_next (const xml_node_t *domain, const xml_node_t *piece);
qemu_backing_t qemu_backing_of (const xml_node_t *domain, const xml_node_t *piece);
uint64_t qemu_backing_kib (const xml_node_t *domain, const xml_node_t *piece);
//  For messages: "the NUMA cell 1".
void qemu_backing_name (const xml_node_t *piece, char name[128]);

//  Is any of it in a file?
bool qemu_backing_has_files (const xml_node_t *domain);

//  ERR_CONFIG_UNSUPPORTED if DOMAIN has an interface whose peer is to see all of the memory
//  (vhostuser), and a piece that is not shared; it says what to write.
int qemu_backing_check_peers (const xml_node_t *domain, error_t *err);

#endif
