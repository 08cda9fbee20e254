//  snapshot_spec.h: from the options of snapshot-create-as to the XML of a snapshot. libvirt's
//  manual page of virsh says how they are written.

#ifndef TROUPE_SNAPSHOT_SPEC_H
#define TROUPE_SNAPSHOT_SPEC_H

#include "cli/options.h"

//  NULL and ERR when an option is not meant so. The caller frees it.
char *snapshot_spec_xml (cli_t *cli, const options_t *options, error_t *err);

#endif
