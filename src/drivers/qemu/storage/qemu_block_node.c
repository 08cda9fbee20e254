//  qemu_block_node.c: see qemu_block_node.h.

#include "drivers/qemu/storage/qemu_block_node.h"
#include "drivers/qemu/command/qemu_command_parts.h"

#include <string.h>

static const qemu_cache_t caches[] = {
    { "none", true, false, true },           { "writeback", false, false, true },
    { "writethrough", false, false, false }, { "directsync", true, false, false },
    { "unsafe", false, true, true },
};

const qemu_cache_t *qemu_block_cache (const xml_node_t *disk)
{
    for (size_t i = 0; i < sizeof caches / sizeof *caches; i++)
        if (xml_equals (disk, "driver/@cache", caches[i].name))
            return &caches[i];
    return NULL;
}

static void add_cache (json_t *json, const xml_node_t *disk)
{
    const qemu_cache_t *cache = qemu_block_cache (disk);
    if (cache)
        json_object_set_new (
            json, "cache",
            json_pack ("{s:b, s:b}", "direct", cache->direct, "no-flush", cache->no_flush));
}

json_t *qemu_block_file_json (const xml_node_t *disk, const qemu_node_t *node)
{
    autofree char *name = text_format ("%s-file", node->node);
    json_t *json = json_pack ("{s:s, s:s, s:s}", "driver", node->block ? "host_device" : "file",
                              "filename", node->path, "node-name", name);
    command_string (json, "aio", disk, "driver/@io");
    add_cache (json, disk);
    json_object_set_new (json, "auto-read-only", json_true ());
    json_object_set_new (json, "discard", json_string ("unmap"));
    return json;
}

//  Whatever the image says of it, if the caller does.
static void add_backing (json_t *json, const qemu_node_t *node)
{
    if (!node->backing || strcmp (node->format, "raw") == 0)
        return;
    json_object_set_new (json, "backing",
                         *node->backing ? json_string (node->backing) : json_null ());
}

json_t *qemu_block_format_json (const xml_node_t *disk, const qemu_node_t *node)
{
    autofree char *file = text_format ("%s-file", node->node);
    json_t *json = json_pack ("{s:s, s:b}", "node-name", node->node, "read-only", node->read_only);
    command_string (json, "discard", disk, "driver/@discard");
    command_string (json, "detect-zeroes", disk, "driver/@detect_zeroes");
    //  Unmapping zeroes is discarding them; without that they are written as zeroes.
    if (xml_equals (disk, "driver/@detect_zeroes", "unmap") &&
        !xml_equals (disk, "driver/@discard", "unmap"))
        json_object_set_new (json, "detect-zeroes", json_string ("on"));
    add_cache (json, disk);
    json_object_set_new (json, "driver", json_string (node->format));
    json_object_set_new (json, "file", json_string (file));
    add_backing (json, node);
    return json;
}

const char *qemu_block_path (const xml_node_t *element)
{
    bool block = xml_equals (element, "@type", "block");
    return xml_string (element, block ? "source/@dev" : "source/@file");
}

const char *qemu_block_format (const xml_node_t *element)
{
    const char *format = xml_string (element, "driver/@type");
    if (!format)
        format = xml_string (element, "format/@type");
    return format ? format : "raw";
}

void qemu_block_set_source (xml_node_t *element, const char *path, bool block)
{
    xml_set (element, "@type", block ? "block" : "file");
    xml_ensure (element, "source");
    xml_remove_path (element, block ? "source/@file" : "source/@dev");
    xml_set (element, block ? "source/@dev" : "source/@file", path);
}

bool qemu_block_is_node_of (const char *node, const char *target)
{
    static const char prefix[] = "disk-";
    size_t size = strlen (target);
    if (!text_starts (node, prefix) || strncmp (node + strlen (prefix), target, size) != 0)
        return false;
    const char *rest = node + strlen (prefix) + size;
    return *rest == 0 || *rest == '-';
}
