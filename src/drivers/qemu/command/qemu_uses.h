//  qemu_uses.h: what an element means only in company: queues are a thing of virtio disks, a
//  vendor one of SCSI disks. Elsewhere it would have no effect, so it is refused.

#ifndef TROUPE_QEMU_USES_H
#define TROUPE_QEMU_USES_H

#include "util/xml.h"

//  Checks a completed definition. ERR_CONFIG_UNSUPPORTED, "not supported: disk 'hda':
//  driver/@queues with target/@bus 'ide'".
int qemu_uses_check (const xml_node_t *domain, error_t *err);

#endif
