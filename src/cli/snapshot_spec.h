//  snapshot_spec.h: from the options of snapshot-create-as to the XML of a snapshot. libvirt's
//  manual page of virsh says how they are written.

#ifndef TROUPE_SNAPSHOT_SPEC_H
#define TROUPE_SNAPSHOT_SPEC_H

#include "cli/options.h"
#include "util/xml.h"

//  NULL and ERR when an option is not meant so. The caller frees it.
char *snapshot_spec_xml (cli_t *cli, const options_t *options, error_t *err);

//  Where KEY=VALUE of a spec goes.
typedef struct {
    const char *key, *path;
} spec_place_t;

//  DISK[,KEY=VALUE...]: adds a <disk> to DISKS. PLACES end with a NULL. NULL and ERR.
xml_node_t *spec_add_disk (cli_t *cli, xml_node_t *disks, const char *spec,
                           const spec_place_t *places, error_t *err);

#endif
