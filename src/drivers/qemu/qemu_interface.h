//  qemu_interface.h: the host's side of a guest's network interfaces: the links that are made for
//  it (drivers/net/link.h), under the interface's alias as key, and the descriptors of them that
//  QEMU inherits. The guest's record has one element for each of them:
//
//      <link alias='net0' kind='tap' name='vnet0' ifindex='7' queues='1' fd='4' vhost='no'
//            network='UUID' port='UUID'/>
//
//  name and ifindex once the link is there; fd: the first of its descriptors. kind is device.h's;
//  network and port: what it has of a virtual network (drivers/net/port.h).

#ifndef TROUPE_QEMU_INTERFACE_H
#define TROUPE_QEMU_INTERFACE_H

#include "drivers/job.h"
#include "util/text.h"

//  Takes out of a document what an earlier start put into it: the names that the kernel gave, and
//  what a network granted. The next start gets others.
void qemu_interface_forget (xml_node_t *interface);

//  Notes in the record which links are to be made, and pushes their undo. The caller makes it
//  durable.
int qemu_interface_intend (job_t *job, error_t *err);
//  Makes them, for the user UID and the group GID; live document and record name them then.
int qemu_interface_plug (job_t *job, uid_t uid, gid_t gid, error_t *err);
//  driver_t's plug_again.
int qemu_interface_plug_again (job_t *job, const char *port, const port_grant_t *grant,
                               error_t *err);
//  spawn_t's devices. The caller owns the result.
strings_t *qemu_interface_devices (const xml_t *record);
//  The record's element of an interface; NULL: it has no link.
xml_node_t *qemu_interface_link (const xml_t *record, const xml_node_t *interface);

//  An adopted guest has these links and no others.
int qemu_interface_claim (job_t *job, error_t *err);
//  The guest is over.
int qemu_interface_unplug (job_t *job, error_t *err);

#endif
