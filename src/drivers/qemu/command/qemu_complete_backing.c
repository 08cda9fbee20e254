//  qemu_complete_backing.c: completes and checks <memoryBacking>, and what single pieces of memory
//  say of it (qemu_backing.h).

#include "drivers/qemu/command/qemu_backing.h"
#include "drivers/qemu/command/qemu_complete_parts.h"
#include "drivers/qemu/command/qemu_memory.h"
#include "drivers/cpuset.h"
#include "drivers/definition.h"
#include "util/size.h"
#include "util/text.h"

#include <inttypes.h>

#define KIB 1024u
#define THREADS_MAX 1024

//  Pages.

static int check_page_size (uint64_t kib, error_t *err)
{
    if (kib && !(kib & (kib - 1)))
        return 0;
    return error_set (err, ERR_CONFIG_UNSUPPORTED,
                      "not supported: memory in pages of %" PRIu64 " KiB; x86 has pages of 4 KiB, "
                      "2 MiB and 1 GiB",
                      kib);
}

//  The unit is the page's, of its attribute.
static int complete_size (xml_node_t *page, error_t *err)
{
    const char *text = xml_string (page, "@size"), *unit = xml_string (page, "@unit");
    const uint64_t scale = unit ? size_unit (unit) : KIB;
    uint64_t bytes = 0;
    if (!text || !scale || !size_from_text (text, scale, &bytes) || bytes % KIB)
        return error_set (err, ERR_XML_ERROR,
                          "domain XML: <page> of <hugepages> has the size '%s' (%s); say it in "
                          "whole KiB, MiB or GiB",
                          text ? text : "", unit ? unit : "KiB");
    if (check_page_size (bytes / KIB, err))
        return -1;
    xml_set_u64 (page, "@size", bytes / KIB);
    xml_set (page, "@unit", "KiB");
    return 0;
}

//  The cells of a <page> go into SEEN.
static int check_nodes (const completion_t *self, const xml_node_t *page, cpu_set_t *seen,
                        error_t *err)
{
    cpu_set_t nodes, twice;
    const int cells = qemu_memory_cells (self->domain);
    const char *text = xml_string (page, "@nodeset");
    if (!text)
        return 0;
    if (cpuset_parse (text, &nodes, err))
        return error_prefix (err, "<hugepages>: the nodeset of a <page>");
    CPU_AND (&twice, &nodes, seen);
    if (CPU_COUNT (&twice))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "domain XML: <hugepages> has two <page> for one NUMA cell of '%s'", text);
    CPU_OR (seen, seen, &nodes);
    for (size_t node = (size_t) (cells ? cells : 1); node < CPU_SETSIZE; node++)
        if (CPU_ISSET (node, &nodes))
            return error_set (err, ERR_CONFIG_UNSUPPORTED,
                              "domain XML: <page nodeset='%s'> of <hugepages>: the guest has no "
                              "NUMA cell %zu",
                              text, node);
    return 0;
}

int qemu_complete_pages (completion_t *self, error_t *err)
{
    const xml_node_t *other = NULL;
    cpu_set_t seen;
    CPU_ZERO (&seen);
    xml_foreach (page, xml_find (self->domain, "memoryBacking/hugepages"), "page") {
        if (complete_size (page, err) || check_nodes (self, page, &seen, err))
            return -1;
        if (!xml_string (page, "@nodeset") && other)
            return error_set (err, ERR_CONFIG_UNSUPPORTED,
                              "domain XML: <hugepages> has two <page> without a nodeset");
        other = xml_string (page, "@nodeset") ? other : page;
    }
    xml_foreach (device, self->devices, "memory") {
        uint64_t kib = 0;
        if (xml_find (device, "source/pagesize") &&
            (definition_complete_size (device, "source/pagesize", &kib, err) ||
             check_page_size (kib, err)))
            return -1;
    }
    return 0;
}

//  Pieces.

//  What QEMU refuses, or has no use for.
static int check_use (const xml_node_t *domain, const xml_node_t *piece,
                      const qemu_backing_t *backing, const char *name, error_t *err)
{
    if (xml_find (domain, "memoryBacking/locked") && xml_equals (piece, "@model", "virtio-mem"))
        return error_set (
            err, ERR_CONFIG_UNSUPPORTED,
            "not supported: %s of a guest with <memoryBacking><locked/>, whose memory "
            "QEMU has all at once; leave <locked/> out, or say model='dimm'",
            name);
    if (backing->discard && !backing->file)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: discard of %s, which is in no file; leave it out, or say "
                          "<memoryBacking><source type='file'/>, without huge pages",
                          name);
    return 0;
}

static int check_piece (const completion_t *self, const xml_node_t *piece, error_t *err)
{
    char name[128];
    const qemu_backing_t backing = qemu_backing_of (self->domain, piece);
    const uint64_t kib = qemu_backing_kib (self->domain, piece);
    qemu_backing_name (piece, name);
    if (check_use (self->domain, piece, &backing, name, err))
        return -1;
    if (backing.huge && xml_equals (self->domain, "memoryBacking/source/@type", "anonymous"))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: %s in huge pages, with <source type='anonymous'/>; leave "
                          "<source> out, or say memfd",
                          name);
    if (backing.page_kib && kib % backing.page_kib)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "%s: it has %" PRIu64
                          " KiB, which is no multiple of its pages of %" PRIu64 " KiB",
                          name, kib, backing.page_kib);
    return 0;
}

static int check_allocation (const xml_node_t *domain, error_t *err)
{
    int threads = 0;
    const xml_node_t *allocation = xml_find (domain, "memoryBacking/allocation");
    if (xml_int (domain, "memoryBacking/allocation/@threads", 1, THREADS_MAX, &threads, err))
        return -1;
    if (!threads || xml_equals (allocation, "@mode", "immediate"))
        return 0;
    return error_set (
        err, ERR_CONFIG_UNSUPPORTED,
        "not supported: <allocation threads='%d'/> without mode='immediate', the only "
        "one that has a use for them",
        threads);
}

int qemu_check_backing (const completion_t *self, error_t *err)
{
    const xml_node_t *piece = NULL;
    if (check_allocation (self->domain, err))
        return -1;
    while ((piece = qemu_backing_next (self->domain, piece)))
        if (check_piece (self, piece, err))
            return -1;
    return 0;
}
