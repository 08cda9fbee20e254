//  qemu_ops.h: what is done to a running guest (driver_t's functions of these names).

#ifndef TROUPE_QEMU_OPS_H
#define TROUPE_QEMU_OPS_H

#include "drivers/driver.h"

//  Presses the power button; whether the guest listens is its business.
int qemu_shutdown (job_t *job, shutdown_mode_t mode, error_t *err);
//  The same, and the live document's on_poweroff becomes "restart" until the guest is down.
int qemu_reboot (job_t *job, shutdown_mode_t mode, error_t *err);
int qemu_reset (job_t *job, error_t *err);
//  These set job->guest->status. A guest that sleeps can't be suspended: waking, it would run.
int qemu_suspend (job_t *job, error_t *err);
int qemu_resume (job_t *job, error_t *err);
//  Also done if it has woken by itself.
int qemu_wake (job_t *job, error_t *err);

//  SIGTERM, then SIGKILL unless GRACEFUL; then what the record says is removed and given back.
int qemu_destroy (job_t *job, bool graceful, error_t *err);
//  ERR_OPERATION_TIMEOUT: QEMU is there but does not answer; the guest is to be taken as running,
//  and adopted again later.
int qemu_adopt (job_t *job, error_t *err);
int qemu_restart (job_t *job, error_t *err);

int qemu_info (job_t *job, guest_info_t *info, error_t *err);
void qemu_meter (const guest_t *guest, meter_place_t *place);
int qemu_stats (job_t *job, json_t *stats, error_t *err);
int qemu_monitor_command (job_t *job, const char *command, unsigned flags, const char *lent,
                          char **reply, error_t *err);

void qemu_event (const char *json, const xml_t *live, guest_change_t *change);
int qemu_console (const xml_t *live, const char *device, console_source_t *source, error_t *err);
int qemu_channel (const xml_t *live, const char *channel, console_source_t *source, error_t *err);

#endif
