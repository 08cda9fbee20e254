//  host_topology.c: see host_topology.h.

#include "actors/host/host_topology.h"

#include "actors/host/host_cpus.h"
#include "actors/host/host_memory.h"
#include "util/file.h"

#include <stdlib.h>
#include <string.h>

enum {
    MAX_BYTES = 1024 * 1024
};

#define CPUS "/sys/devices/system/cpu"
#define NODES "/sys/devices/system/node"

//  The text of a file, without the newline, which the caller frees; NULL if it can't be read: this
//  kernel, or this processor, does not have it.
static char *read_line (const char *root, const char *folder, const char *name)
{
    error_t ignored;
    autofree char *path = text_format ("%s%s/%s", root, folder, name);
    char *text = file_read (path, MAX_BYTES, NULL, &ignored);
    if (text)
        text[strcspn (text, "\n")] = 0;
    return text;
}

static void set_file (xml_node_t *node, const char *path, const char *root, const char *folder,
                      const char *name)
{
    autofree char *text = read_line (root, folder, name);
    if (text)
        xml_set (node, path, text);
}

//  Processors.

static void add_cpu (xml_node_t *cpus, const char *root, unsigned number)
{
    static const char *const parts[][2] = { { "@socket_id", "physical_package_id" },
                                            { "@die_id", "die_id" },
                                            { "@core_id", "core_id" },
                                            { "@siblings", "thread_siblings_list" } };
    autofree char *folder = text_format (CPUS "/cpu%u/topology", number);
    xml_node_t *cpu = xml_add (cpus, "cpu");
    xml_set_u64 (cpu, "@id", number);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        set_file (cpu, parts[i][0], root, folder, parts[i][1]);
}

//  Of a cell; those of a machine without cells are all that are online.
static void add_cpus (xml_node_t *cell, const char *root, unsigned number)
{
    autofree char *folder = text_format (NODES "/node%u", number);
    autofree char *own = read_line (root, folder, "cpulist");
    autofree char *all = own || number ? NULL : read_line (root, CPUS, "online");
    unsigned count;
    autofree char *map = host_list_map (own ? own : all, &count);
    xml_node_t *cpus = xml_add (cell, "cpus");
    xml_set_u64 (cpus, "@num", count);
    for (unsigned i = 0; map && map[i]; i++)
        if (map[i] == 'y')
            add_cpu (cpus, root, i);
}

//  Memory.

static int add_memory (xml_node_t *cell, const char *root, unsigned number, error_t *err)
{
    size_t count;
    host_memory_t memory;
    autofree host_pages_t *pages = host_pages_read (root, number, &count, err);
    if (!pages || host_memory_read (root, number, &memory, err))
        return -1;
    xml_set_u64 (cell, "memory", memory.total_kib);
    xml_set (cell, "memory/@unit", "KiB");
    for (size_t i = 0; i < count; i++) {
        autofree char *total = text_format ("%llu", (unsigned long long) pages[i].total);
        xml_node_t *element = xml_add_text (cell, "pages", total);
        xml_set (element, "@unit", "KiB");
        xml_set_u64 (element, "@size", pages[i].size_kib);
    }
    return 0;
}

static void add_sizes (xml_node_t *host, const host_pages_t *pages, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        xml_node_t *element = xml_add (xml_ensure (host, "cpu"), "pages");
        xml_set (element, "@unit", "KiB");
        xml_set_u64 (element, "@size", pages[i].size_kib);
    }
}

//  How far it is to the memory of each cell, in their order.
static void add_distances (xml_node_t *cell, const char *root, unsigned number,
                           const unsigned *cells, size_t count)
{
    autofree char *folder = text_format (NODES "/node%u", number);
    autofree char *text = read_line (root, folder, "distance");
    char *at = text;
    xml_node_t *distances = text ? xml_add (cell, "distances") : NULL;
    for (size_t i = 0; text && i < count; i++) {
        char *end;
        unsigned long value = strtoul (at, &end, 10);
        if (end == at)
            break;
        xml_node_t *sibling = xml_add (distances, "sibling");
        xml_set_u64 (sibling, "@id", cells[i]);
        xml_set_u64 (sibling, "@value", value);
        at = end;
    }
}

static int add_cells (xml_node_t *host, const char *root, error_t *err)
{
    size_t count, sizes;
    autofree unsigned *cells = host_cells (root, &count, err);
    autofree host_pages_t *pages = cells ? host_pages_read (root, cells[0], &sizes, err) : NULL;
    if (!pages)
        return -1;
    add_sizes (host, pages, sizes);
    xml_node_t *list = xml_ensure (host, "topology/cells");
    xml_set_u64 (list, "@num", count);
    for (size_t i = 0; i < count; i++) {
        xml_node_t *cell = xml_add (list, "cell");
        xml_set_u64 (cell, "@id", cells[i]);
        if (add_memory (cell, root, cells[i], err))
            return -1;
        add_distances (cell, root, cells[i], cells, count);
        add_cpus (cell, root, cells[i]);
    }
    return 0;
}

//  Caches.

//  A cache of the first CPU that it is shared by; those nearer than the third level belong to one
//  core each, and nothing is chosen by them.
static void add_bank (xml_node_t *cache, const char *root, unsigned cpu, unsigned index)
{
    autofree char *folder = text_format (CPUS "/cpu%u/cache/index%u", cpu, index);
    autofree char *level = read_line (root, folder, "level");
    autofree char *size = read_line (root, folder, "size");
    autofree char *shared = read_line (root, folder, "shared_cpu_list");
    autofree char *type = read_line (root, folder, "type");
    if (!level || !size || !shared || !type || strtoul (level, NULL, 10) < 3 ||
        strtoul (shared, NULL, 10) != cpu)
        return;
    xml_node_t *bank = xml_add (cache, "bank");
    set_file (bank, "@id", root, folder, "id");
    xml_set (bank, "@level", level);
    xml_set (bank, "@type",
             text_equals (type, "Data")          ? "data"
             : text_equals (type, "Instruction") ? "code"
                                                 : "both");
    xml_set_u64 (bank, "@size", strtoul (size, NULL, 10)); //  "36608K"
    xml_set (bank, "@unit", "KiB");
    xml_set (bank, "@cpus", shared);
}

static void add_caches (xml_node_t *host, const char *root)
{
    enum {
        INDEXES = 8
    };
    unsigned count;
    autofree char *online = read_line (root, CPUS, "online");
    autofree char *map = host_list_map (online, &count);
    xml_node_t *cache = xml_add (host, "cache");
    for (unsigned cpu = 0; map && map[cpu]; cpu++)
        for (unsigned index = 0; map[cpu] == 'y' && index < INDEXES; index++)
            add_bank (cache, root, cpu, index);
    if (!xml_first (cache, "bank"))
        xml_remove_path (host, "cache");
}

int host_topology_add (const char *root, xml_node_t *host, error_t *err)
{
    error_t ignored; //  then it has none
    autofree char *groups = text_format ("%s/sys/kernel/iommu_groups", root);
    auto(strings_t) names = file_list (groups, "", &ignored);
    xml_set (host, "iommu/@support", names && names->count > 0 ? "yes" : "no");
    if (add_cells (host, root, err))
        return -1;
    add_caches (host, root);
    return 0;
}
