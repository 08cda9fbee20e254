//  qemu_command.h: the command line of a guest, from its live document.

#ifndef TROUPE_QEMU_COMMAND_H
#define TROUPE_QEMU_COMMAND_H

#include "drivers/qemu/probe/qemu_caps.h"
#include "util/text.h"
#include "util/xml.h"

#include <jansson.h>

//  The descriptor under which QEMU inherits the socket that it listens at for QMP, and the chardev
//  that is made of it. It waits for the daemon, so that the first connection is there before the
//  monitor is: otherwise QEMU's main thread may accept it in the moment in which the monitor's
//  thread takes the socket over. Then QEMU greets twice, or never answers (QEMU 7.2: one of 1,800
//  starts without a machine, on two busy processors). Later connections are the thread's alone.
#define QEMU_MONITOR_FD 3
#define QEMU_MONITOR_CHARDEV "socket,id=charmonitor,fd=3,server=on,wait=on"

//  The arguments, the emulator first. LIVE is completed and has aliases (qemu_set_aliases). RECORD
//  (or NULL: it is not known yet) has the links of its interfaces (qemu_interface.h).
//  ERR_CONFIG_UNSUPPORTED if CAPS say that this emulator can't. The caller owns the result.
strings_t *qemu_command (const xml_t *live, const xml_t *record, const qemu_caps_t *caps,
                         error_t *err);

//  The options of one DEVICE of LIVE alone, as "-blockdev", "{...}", "-device", "{...}": what it
//  has on the host's side comes first.
strings_t *qemu_command_device (const xml_t *live, const xml_t *record, const qemu_caps_t *caps,
                                const xml_node_t *device, error_t *err);

//  The block node of a SCSI device of the host. The caller frees it.
char *qemu_hostdev_node (const char *alias);

//  The object that is the I/O thread ID of DOMAIN, as -object and object-add take it. The caller
//  owns it.
json_t *qemu_command_iothread (const xml_node_t *domain, int id);

//  The highest port of VNC above 5900 that is tried when the port is left to QEMU.
#define QEMU_VNC_PORT_MIN 5900
#define QEMU_VNC_PORT_MAX 65535

#endif
