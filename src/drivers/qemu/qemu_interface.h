//  qemu_interface.h: the links of a guest's network interfaces, and the descriptors of them that
//  QEMU inherits. The record's element (drivers/net/interface.h) of each says besides:
//
//      <link kind='tap' queues='1' fd='4' vhost='no' .../>
//
//  fd: the first of its descriptors; or, of one that was attached while the guest ran, names: what
//  QEMU knows them by, with a number behind it ("net1-"). kind is device.h's.

#ifndef TROUPE_QEMU_INTERFACE_H
#define TROUPE_QEMU_INTERFACE_H

#include "drivers/net/interface.h"
#include "util/text.h"

//  Notes in the record which links are to be made, and pushes their undo. The caller makes it
//  durable.
int qemu_interface_intend (job_t *job, error_t *err);
//  Makes them, for the user UID and the group GID; live document and record name them then.
int qemu_interface_plug (job_t *job, uid_t uid, gid_t gid, error_t *err);
//  The same of one INTERFACE of the live document, of a guest that runs.
int qemu_interface_intend_one (job_t *job, xml_node_t *interface, error_t *err);
int qemu_interface_plug_one (job_t *job, xml_node_t *interface, uid_t uid, gid_t gid, error_t *err);
//  Gives QEMU the descriptors, under their names; and takes back those that it has not used.
int qemu_interface_pass (job_t *job, const xml_node_t *link, error_t *err);
int qemu_interface_take_back (job_t *job, const xml_node_t *link, error_t *err);
//  The first number that is none of their descriptors'.
int qemu_interface_next_fd (const xml_t *record);
//  spawn_t's devices. The caller owns the result.
strings_t *qemu_interface_devices (const xml_t *record);

#endif
