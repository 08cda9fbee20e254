//  monitor.h: one QMP connection.

#ifndef TROUPE_MONITOR_H
#define TROUPE_MONITOR_H

#include "actors/runtime/actor.h"

//  Start arguments: path (of QEMU's socket), who (answers there, for errors: "QEMU"), deadline_ms,
//  owner (address that gets the events; "": nobody). It starts once QEMU greeted and agreed on
//  capabilities, or fails with
//
//      ERR_NO_CONNECT          nobody listens there
//      ERR_OPERATION_FAILED    QEMU ended, or closed the connection, before that
//      ERR_OPERATION_TIMEOUT   connected, but QEMU did not greet or agree within the deadline
//      ERR_OPERATION_ABORTED   it was closed meanwhile
//
//  It ends when QEMU closes the connection, at `monitor.close`, and when its owner (without one:
//  who spawned it) ends. Then it can be spawned again at the same address.
extern const actor_class_t monitor_class;

#define MONITOR_MAX_WAITING 256 //  commands that QEMU has not answered
#define MONITOR_MAX_OUTPUT (8u * 1024 * 1024)

#endif
