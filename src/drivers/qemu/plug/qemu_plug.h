//  qemu_plug.h: devices that come and go while the guest runs (driver_t's functions of these
//  names).
//
//  While a device is being attached the guest's record has
//
//      <plug alias='net1'> the completed device, <planned> with the definition or not </plug>
//
//  and the last undo is "qemu.plug" ALIAS. If the daemon is killed, QEMU decides: a device that it
//  has is whole (what is behind it came before), and so is put into the live document; else what is
//  behind it is taken away. The same with <unplug> and "qemu.unplug" of one that is being detached.

#ifndef TROUPE_QEMU_PLUG_H
#define TROUPE_QEMU_PLUG_H

#include "drivers/driver.h"

int qemu_attach (job_t *job, const xml_t *device, error_t *err);
int qemu_detach (job_t *job, xml_node_t *device, int wait_ms, bool *gone, error_t *err);
int qemu_update (job_t *job, xml_node_t *device, const xml_t *wanted, bool force, error_t *err);
//  Also devices that the guest let go of by itself, or after whoever asked for it gave up.
int qemu_look_at_devices (job_t *job, error_t *err);

//  Undo.
int qemu_undo_plug (job_t *job, const char *alias, error_t *err);
int qemu_undo_unplug (job_t *job, const char *alias, error_t *err);
//  Of updates: the device of the live document gets back what that says.
int qemu_undo_medium (job_t *job, const char *argument, error_t *err);
int qemu_undo_link (job_t *job, const char *alias, error_t *err);
int qemu_undo_password (job_t *job, const char *alias, error_t *err);

#endif
