//  qemu_sockets.h: the UNIX sockets that QEMU makes for devices. What listens removes the socket
//  that is there, and so takes it from whoever has it: other devices, other guests, the daemon.

#ifndef TROUPE_QEMU_SOCKETS_H
#define TROUPE_QEMU_SOCKETS_H

#include "drivers/job.h"

//  ERR_XML_ERROR: another device before it in the document listens at the same path.
int qemu_sockets_check_once (const xml_node_t *device, error_t *err);

//  ERR_OPERATION_INVALID: DEVICE, of a guest that is to have it now, would listen in the daemon's
//  own folder, or where somebody listens already. (proc_net(5): /proc/net/unix.)
//  QEMU binds later: of two that come at one time, both may find it free. A start looks again just
//  before its QEMU begins.
int qemu_sockets_check_free (const job_t *job, const xml_node_t *device, error_t *err);
//  The same of all devices of the live document.
int qemu_sockets_check_all (const job_t *job, error_t *err);

//  -1, and ERR_OPERATION_TIMEOUT: nobody connected to SOCKET, as QEMU names it, within MS.
int qemu_sockets_no_peer (const char *socket, int ms, error_t *err);

#endif
