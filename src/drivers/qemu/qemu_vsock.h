//  qemu_vsock.h: the guest's end of the host's vsock: its address there (the CID), which is one
//  guest's at a time, and the kernel's descriptor, /dev/vhost-vsock, which QEMU inherits, or is
//  given while it runs. CIDs are had as devices of the host are (drivers/pci/host_device.h:
//  "vsock:3"); the kernel knows those of others on this host. The record has
//
//      <vsock fd='5'/>     what QEMU knows the descriptor by; "vhostfd-vsock0" if it came later

#ifndef TROUPE_QEMU_VSOCK_H
#define TROUPE_QEMU_VSOCK_H

#include "drivers/job.h"
#include "util/text.h"

//  The CID is this guest's, on record and with its undo before; an automatic one is in the live
//  document then. After the links: their descriptors are counted. 0 as well if the guest has no
//  vsock.
//
//      ERR_OPERATION_INVALID       who has it
//      ERR_OPERATION_UNSUPPORTED   the kernel has no vhost for it
int qemu_vsock_plug (job_t *job, error_t *err);
//  The same of a guest that runs.
int qemu_vsock_plug_one (job_t *job, xml_node_t *vsock, error_t *err);
//  Adds it to spawn_t's devices, if there is one.
void qemu_vsock_add_device (const xml_t *record, strings_t *devices);
//  Gives a QEMU that runs the descriptor; and takes it back if it was not used.
int qemu_vsock_pass (job_t *job, error_t *err);
int qemu_vsock_take_back (job_t *job, error_t *err);
//  The device is gone from the guest: gives its CID back.
int qemu_vsock_give (job_t *job, const xml_node_t *vsock, error_t *err);

#endif
