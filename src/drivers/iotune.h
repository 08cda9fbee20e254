//  iotune.h: limits of single disks: <iotune> of <disk> (libvirt's "Domain XML format" page, "Hard
//  drives, floppy disks, CDROMs").

#ifndef TROUPE_IOTUNE_H
#define TROUPE_IOTUNE_H

#include "util/error.h"
#include "msg/value.h"
#include "util/xml.h"

//  A limit: as libvirt calls it, in documents and as a parameter; as QEMU's block_set_io_throttle
//  does. What belongs to one KIND is set together: those of it that are not named are 0 then.
typedef struct {
    const char *field, *document, *qemu;
    int kind;
} iotune_t;

extern const iotune_t iotunes[]; //  field NULL at the end

#define IOTUNE_MAX UINT64_C (1000000000000000) //  QEMU's own bound
#define IOTUNE_GROUP_MAX 128                   //  bytes of a group's name

//  The value of one of DISK; 0: no limit.
uint64_t iotune_get (const xml_node_t *disk, const iotune_t *limit);
//  The group whose disks have their limits together; NULL: it has its own.
const char *iotune_group (const xml_node_t *disk);

//  ERR_XML_ERROR: what contradicts itself in a disk's.
int iotune_check (const xml_node_t *disk, error_t *err);

//  ARGS (a map: fields, and group_name) into the disk of DOMAIN that has NAME as its target, or as
//  its source; and into all others of its group. ERR_INVALID_ARG.
int iotune_set (xml_node_t *domain, const char *name, const value_t *args, error_t *err);
xml_node_t *iotune_disk (const xml_node_t *domain, const char *name, error_t *err);

#endif
