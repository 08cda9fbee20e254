//  qemu_memory.c: see qemu_memory.h.

#include "drivers/qemu/command/qemu_memory.h"

#define KIB 1024u

int qemu_memory_cells (const xml_node_t *domain)
{
    int cells = 0;
    xml_foreach (cell, xml_find (domain, "cpu/numa"), "cell")
        cells++;
    return cells;
}

uint64_t qemu_memory_kib (const xml_node_t *node, const char *path)
{
    uint64_t bytes = 0;
    error_t ignored; //  it was checked
    return xml_size (node, path, "KiB", &bytes, &ignored) ? 0 : bytes / KIB;
}

uint64_t qemu_memory_of_devices (const xml_node_t *domain)
{
    uint64_t kib = 0;
    xml_foreach (device, xml_find (domain, "devices"), "memory")
        kib += qemu_memory_kib (device, "target/size");
    return kib;
}

uint64_t qemu_memory_taken (const xml_node_t *domain)
{
    uint64_t kib = 0;
    xml_foreach (device, xml_find (domain, "devices"), "memory")
        kib += qemu_memory_kib (device, "target/current");
    return kib;
}

uint64_t qemu_memory_total (const xml_node_t *domain)
{
    uint64_t kib = 0;
    error_t ignored; //  it was checked
    xml_foreach (cell, xml_find (domain, "cpu/numa"), "cell") {
        uint64_t own = 0;
        xml_u64 (cell, "@memory", &own, &ignored);
        kib += own;
    }
    return kib ? kib + qemu_memory_of_devices (domain) : 0;
}
