//  qemu_stats_block.c: what a guest's disks did, and how large their images are. (QEMU's QMP
//  reference: query-blockstats, query-named-block-nodes.)

#include "drivers/qemu/command/qemu_alias.h"
#include "drivers/qemu/storage/qemu_block_node.h"
#include "drivers/qemu/qemu_stats_parts.h"
#include "util/text.h"

#include <string.h>

//  libvirt's name, and QEMU's.
static const char *const counters[][2] = {
    { "rd.reqs", "rd_operations" },     { "rd.bytes", "rd_bytes" },
    { "rd.times", "rd_total_time_ns" }, { "wr.reqs", "wr_operations" },
    { "wr.bytes", "wr_bytes" },         { "wr.times", "wr_total_time_ns" },
    { "fl.reqs", "flush_operations" },  { "fl.times", "flush_total_time_ns" },
};

//  The entry of a list whose qdev path ends at the device of this alias.
static const json_t *entry_of (const json_t *list, const char *alias)
{
    autofree char *middle = text_format ("/%s/", alias), *end = text_format ("/%s", alias);
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item)
    {
        const char *path = json_string_value (json_object_get (item, "qdev"));
        if (path && (strstr (path, middle) || text_ends (path, end) || strcmp (path, alias) == 0))
            return item;
    }
    return NULL;
}

static const json_t *node_of (const json_t *nodes, const json_t *entry)
{
    const char *name = json_string_value (json_object_get (entry, "node-name"));
    size_t i;
    json_t *item;
    json_array_foreach (nodes, i, item)
    {
        if (name && text_equals (json_string_value (json_object_get (item, "node-name")), name))
            return item;
    }
    return NULL;
}

//  The layer that ENTRY is stored on: its file.
static const json_t *storage_of (const json_t *entry)
{
    const json_t *parent;
    while ((parent = json_object_get (entry, "parent")))
        entry = parent;
    return entry;
}

static json_t *size_of (const json_t *node)
{
    return json_incref (json_object_get (json_object_get (node, "image"), "virtual-size"));
}

static uint64_t threshold_of (const json_t *node)
{
    return (uint64_t) json_integer_value (json_object_get (node, "write_threshold"));
}

//  The numbers of one image. ENTRY is NULL if QEMU says nothing about it.
static void add_image (json_t *stats, const char *group, size_t n, const json_t *entry,
                       const json_t *nodes)
{
    const json_t *storage = storage_of (entry), *counted = json_object_get (entry, "stats");
    const json_t *node = node_of (nodes, entry), *file = node_of (nodes, storage);
    for (size_t i = 0; counted && i < sizeof counters / sizeof *counters; i++)
        qemu_stats_set_nth (stats, group, n, counters[i][0],
                            json_incref (json_object_get (counted, counters[i][1])));
    if (!node)
        return;
    qemu_stats_set_nth (
        stats, group, n, "allocation",
        json_incref (json_object_get (json_object_get (storage, "stats"), "wr_highest_offset")));
    qemu_stats_set_nth (stats, group, n, "capacity", size_of (node));
    qemu_stats_set_nth (stats, group, n, "physical", size_of (file));
    uint64_t threshold = threshold_of (node) ? threshold_of (node) : threshold_of (file);
    if (threshold > 0)
        qemu_stats_set_nth (stats, group, n, "threshold", json_integer ((json_int_t) threshold));
}

static void add_name (json_t *stats, const char *group, size_t n, const xml_node_t *disk,
                      const char *path)
{
    qemu_stats_set_nth (stats, group, n, "name", json_string (xml_string (disk, "target/@dev")));
    if (path)
        qemu_stats_set_nth (stats, group, n, "path", json_string (path));
}

//  What is behind ENTRY. Filters, which jobs put there, pass it on from what is below them.
static const json_t *backing_of (const json_t *entry)
{
    const json_t *backing = NULL;
    for (; entry && !backing; entry = json_object_get (entry, "parent"))
        backing = json_object_get (entry, "backing");
    return backing;
}

//  All images of a disk's chain. The first is told as the disk itself is.
static void add_chain (json_t *stats, size_t *n, const xml_node_t *disk, const json_t *entry,
                       const json_t *nodes)
{
    add_name (stats, "backing", *n, disk, qemu_block_path (disk));
    add_image (stats, "backing", (*n)++, entry, nodes);
    json_int_t index = 1;
    while ((entry = backing_of (entry))) {
        const char *file =
            json_string_value (json_object_get (node_of (nodes, storage_of (entry)), "file"));
        add_name (stats, "backing", *n, disk, file && file[0] == '/' ? file : NULL);
        qemu_stats_set_nth (stats, "backing", *n, "backingIndex", json_integer (index++));
        add_image (stats, "backing", (*n)++, entry, nodes);
    }
}

int qemu_stats_block (job_t *job, json_t *stats, error_t *err)
{
    const xml_node_t *devices = xml_find (xml_root (job->guest->live), "devices");
    size_t n = 0, images = 0;
    json_auto_t *list = NULL, *nodes = NULL;
    if (xml_first (devices, "disk")) {
        list = job_qmp (job, "query-blockstats", NULL, STATS_QMP_MS, err);
        nodes = list ? job_qmp (job, "query-named-block-nodes", json_pack ("{s:b}", "flat", 1),
                                STATS_QMP_MS, err)
                     : NULL;
        if (!nodes)
            return -1;
    }
    xml_foreach (disk, devices, "disk") {
        const json_t *entry = entry_of (list, qemu_alias (disk));
        add_name (stats, "block", n, disk, qemu_block_path (disk));
        add_image (stats, "block", n++, entry, nodes);
        add_chain (stats, &images, disk, entry, nodes);
    }
    qemu_stats_set (stats, "block.count", n);
    qemu_stats_set (stats, "backing.count", images);
    return 0;
}
