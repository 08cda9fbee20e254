//  qemu_backing.c: see qemu_backing.h.

#include "drivers/qemu/command/qemu_backing.h"
#include "drivers/cpuset.h"
#include "drivers/qemu/command/qemu_complete.h"
#include "drivers/qemu/command/qemu_memory.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define MIB_KIB 1024u
#define PAGE_KIB 4u //  an ordinary one

static bool is_device (const xml_node_t *piece)
{
    return xml_is (piece, "memory");
}

//  Pieces.

const xml_node_t *qemu_backing_next (const xml_node_t *domain, const xml_node_t *piece)
{
    const xml_node_t *cell = piece ? NULL : xml_first (xml_find (domain, "cpu/numa"), "cell");
    if (!piece)
        return cell ? cell : domain;
    if (is_device (piece))
        return xml_next (piece, "memory");
    if (xml_is (piece, "cell") && xml_next (piece, "cell"))
        return xml_next (piece, "cell");
    return xml_first (xml_find (domain, "devices"), "memory");
}

uint64_t qemu_backing_kib (const xml_node_t *domain, const xml_node_t *piece)
{
    uint64_t kib = 0;
    error_t ignored; //  it was checked
    if (is_device (piece))
        return qemu_memory_kib (piece, "target/size");
    if (xml_is (piece, "cell"))
        return xml_u64 (piece, "@memory", &kib, &ignored) ? 0 : kib;
    //  QEMU's memory is in MiB; libvirt rounds up.
    kib = qemu_memory_kib (domain, "memory") - qemu_memory_of_devices (domain);
    return (kib / MIB_KIB + (kib % MIB_KIB ? 1 : 0)) * MIB_KIB;
}

void qemu_backing_name (const xml_node_t *piece, char name[128])
{
    if (is_device (piece))
        qemu_device_name (piece, name);
    else if (xml_is (piece, "cell"))
        snprintf (name, 128, "the NUMA cell %s", xml_string (piece, "@id"));
    else
        snprintf (name, 128, "<memory>");
}

//  The cell that PIECE is, or that a device adds to; NULL: there are none.
static const xml_node_t *cell_of (const xml_node_t *domain, const xml_node_t *piece)
{
    const char *node = is_device (piece) ? xml_string (piece, "target/node") : NULL;
    if (xml_is (piece, "cell"))
        return piece;
    xml_foreach (cell, xml_find (domain, "cpu/numa"), "cell")
        if (node && xml_equals (cell, "@id", node))
            return cell;
    return NULL;
}

//  What is behind one.

//  The first of them that says it.
static const char *said (const xml_node_t *piece, const char *of_piece, const xml_node_t *cell,
                         const char *of_cell, const char *of_domain)
{
    const char *own = is_device (piece) ? xml_string (piece, of_piece) : NULL;
    const char *cells = cell && !own ? xml_string (cell, of_cell) : NULL;
    return own ? own : cells ? cells : of_domain;
}

static bool is_shared (const xml_node_t *domain, const xml_node_t *piece)
{
    const char *access = said (piece, "@access", cell_of (domain, piece), "@memAccess",
                               xml_string (domain, "memoryBacking/access/@mode"));
    return access ? strcmp (access, "shared") == 0
                  : xml_equals (domain, "memoryBacking/source/@type", "memfd");
}

static bool is_discarded (const xml_node_t *domain, const xml_node_t *piece)
{
    const bool all = xml_find (domain, "memoryBacking/discard") != NULL;
    return strcmp (
               said (piece, "@discard", cell_of (domain, piece), "@discard", all ? "yes" : "no"),
               "yes") == 0;
}

static bool is_for (const xml_node_t *page, size_t node)
{
    cpu_set_t nodes;
    error_t ignored; //  it was checked
    const char *text = xml_string (page, "@nodeset");
    return text && cpuset_parse (text, &nodes, &ignored) == 0 && CPU_ISSET (node, &nodes);
}

//  The <page> for a cell; NULL: none is. Those that name it go before the one that names none.
static const xml_node_t *page_of (const xml_node_t *hugepages, const xml_node_t *cell)
{
    const xml_node_t *other = NULL;
    int node = 0;
    error_t ignored;
    if (cell)
        xml_int (cell, "@id", 0, CPU_SETSIZE - 1, &node, &ignored);
    xml_foreach (page, hugepages, "page") {
        if (is_for (page, (size_t) node))
            return page;
        other = xml_string (page, "@nodeset") ? other : page;
    }
    return other;
}

static void read_pages (const xml_node_t *domain, const xml_node_t *piece, qemu_backing_t *backing)
{
    const xml_node_t *hugepages = xml_find (domain, "memoryBacking/hugepages");
    const bool sized = hugepages && xml_first (hugepages, "page");
    const xml_node_t *page = sized ? page_of (hugepages, cell_of (domain, piece)) : NULL;
    error_t ignored; //  it was checked
    if (page)
        xml_u64 (page, "@size", &backing->page_kib, &ignored);
    if (is_device (piece) && xml_find (piece, "source/pagesize"))
        backing->page_kib = qemu_memory_kib (piece, "source/pagesize");
    backing->huge = backing->page_kib ? backing->page_kib > PAGE_KIB : hugepages && !sized;
}

qemu_backing_t qemu_backing_of (const xml_node_t *domain, const xml_node_t *piece)
{
    qemu_backing_t self = { .shared = is_shared (domain, piece) };
    const char *mode = xml_string (domain, "memoryBacking/allocation/@mode");
    error_t ignored; //  it was checked
    read_pages (domain, piece, &self);
    self.file = !self.huge && xml_equals (domain, "memoryBacking/source/@type", "file");
    const bool memfd =
        self.shared || self.huge || xml_equals (domain, "memoryBacking/source/@type", "memfd");
    self.object = self.file ? "memory-backend-file"
                  : memfd   ? "memory-backend-memfd"
                            : "memory-backend-ram";
    //  A huge page that is not there when it is first written to ends QEMU.
    self.immediate = mode ? strcmp (mode, "immediate") == 0 : self.huge;
    xml_int (domain, "memoryBacking/allocation/@threads", 1, INT_MAX, &self.threads, &ignored);
    self.discard = is_discarded (domain, piece);
    return self;
}

bool qemu_backing_has_files (const xml_node_t *domain)
{
    const xml_node_t *piece = NULL;
    while ((piece = qemu_backing_next (domain, piece)))
        if (qemu_backing_of (domain, piece).file)
            return true;
    return false;
}

//  Peers.

int qemu_backing_check_peers (const xml_node_t *domain, error_t *err)
{
    const xml_node_t *peer = NULL, *piece = NULL;
    char device[128], name[128];
    xml_foreach (interface, xml_find (domain, "devices"), "interface")
        if (xml_equals (interface, "@type", "vhostuser"))
            peer = interface;
    if (!peer)
        return 0;
    while ((piece = qemu_backing_next (domain, piece))) {
        if (qemu_backing_of (domain, piece).shared)
            continue;
        qemu_device_name (peer, device);
        qemu_backing_name (piece, name);
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "%s of type 'vhostuser': its peer needs all of the guest's memory, and "
                          "%s is not shared; write <memoryBacking><source type='memfd'/><access "
                          "mode='shared'/></memoryBacking> into the definition (from its start on)",
                          device, name);
    }
    return 0;
}
