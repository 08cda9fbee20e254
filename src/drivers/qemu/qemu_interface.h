//  qemu_interface.h: the links of a guest's network interfaces, and the descriptors of them that
//  QEMU inherits. The record's element (drivers/net/interface.h) of each says besides:
//
//      <link kind='tap' queues='1' fd='4' vhost='no' .../>
//
//  fd: the first of its descriptors. kind is device.h's.

#ifndef TROUPE_QEMU_INTERFACE_H
#define TROUPE_QEMU_INTERFACE_H

#include "drivers/net/interface.h"
#include "util/text.h"

//  Notes in the record which links are to be made, and pushes their undo. The caller makes it
//  durable.
int qemu_interface_intend (job_t *job, error_t *err);
//  Makes them, for the user UID and the group GID; live document and record name them then.
int qemu_interface_plug (job_t *job, uid_t uid, gid_t gid, error_t *err);
//  spawn_t's devices. The caller owns the result.
strings_t *qemu_interface_devices (const xml_t *record);

#endif
