//  qemu_block_node.h: QEMU's block nodes for an image: one for the file, one for its format, as
//  -blockdev and blockdev-add take them (QEMU's QMP reference: BlockdevOptions). Pure.

#ifndef TROUPE_QEMU_BLOCK_NODE_H
#define TROUPE_QEMU_BLOCK_NODE_H

#include "util/xml.h"

#include <jansson.h>

//  All strings belong to the caller.
typedef struct {
    const char *node;    //  name of the format's node; the file's is NODE with "-file"
    const char *path;    //  absolute
    const char *format;  //  "raw", "qcow2"
    const char *backing; //  NULL: as the image says; "": none; else the name of that node
    bool block;          //  a block device of the host, not a file
    bool read_only;
} qemu_node_t;

typedef struct {
    const char *name; //  libvirt's
    bool direct, no_flush, write_back;
} qemu_cache_t;

//  What the cache mode of DISK means to QEMU; NULL: it has none.
const qemu_cache_t *qemu_block_cache (const xml_node_t *disk);

//  With the settings of DISK (cache, io, discard, detect_zeroes), which every image of its chain
//  shares. The caller owns the results.
json_t *qemu_block_file_json (const xml_node_t *disk, const qemu_node_t *node);
json_t *qemu_block_format_json (const xml_node_t *disk, const qemu_node_t *node);

//  "disk-vda" and "disk-vda-file" are nodes of the target "vda", and so are "disk-vda-1", ...
bool qemu_block_is_node_of (const char *node, const char *target);

//  The image that ELEMENT (a <disk>, a <backingStore>, a <mirror>) names; NULL: none.
const char *qemu_block_path (const xml_node_t *element);
//  Its format: that of <driver> or of <format>; "raw" if neither says.
const char *qemu_block_format (const xml_node_t *element);
//  Names PATH as ELEMENT's source.
void qemu_block_set_source (xml_node_t *element, const char *path, bool block);

#endif
