//  qemu_capabilities.h: what the emulators of this host can run, in the format of libvirt's
//  capabilities XML (formatcaps.html in its documentation).

#ifndef TROUPE_QEMU_CAPABILITIES_H
#define TROUPE_QEMU_CAPABILITIES_H

#include "drivers/job.h"

//  Adds a <guest> for each emulator that is installed. One that can't be probed is logged and left
//  out.
int qemu_capabilities (job_t *job, xml_node_t *capabilities, error_t *err);

#endif
