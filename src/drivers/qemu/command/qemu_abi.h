//  qemu_abi.h: whether two documents describe the same hardware to a guest: a saved state fits no
//  other.

#ifndef TROUPE_QEMU_ABI_H
#define TROUPE_QEMU_ABI_H

#include "util/xml.h"

//  Both are completed. What only the host sees (where disks are, how many are told of graphics,
//  serial ports, ...) may differ; everything else has to be equal. ERR_CONFIG_UNSUPPORTED names the
//  first difference.
int qemu_abi_check (const xml_t *before, const xml_t *after, error_t *err);

#endif
