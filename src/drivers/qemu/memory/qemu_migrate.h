//  qemu_migrate.h: live migration (driver_t's functions of these names), and what it leaves in a
//  guest's record while it is received:
//
//      <incoming socket='...' (or port)>          disks are received through this NBD server
//          <created path='...' inode='...'/>      this image was made for it: removed unless the
//      </incoming>                                guest runs; without inode it has no name yet

#ifndef TROUPE_QEMU_MIGRATE_H
#define TROUPE_QEMU_MIGRATE_H

#include "drivers/driver.h"

#include <jansson.h>

//  QEMU's own (its QMP reference: MigrationParameters).
#define QEMU_DOWNTIME_MS 300
#define QEMU_COMPRESSION_CACHE (UINT64_C (64) << 20)

//  qemu_migrate.c: the sender.
xml_t *qemu_migrate_begin (job_t *job, const char *xml, migration_t *migration, error_t *err);
int qemu_migrate_out (job_t *job, const migration_t *migration, error_t *err);
int qemu_migrate_leave (job_t *job, const migration_t *migration, error_t *err);
int qemu_migrate_stay (job_t *job, bool run, error_t *err);
int qemu_migrate_resume (job_t *job, const char *uri, error_t *err);
int qemu_migrate_state (job_t *job, transfer_t *transfer, error_t *err);
//  Ends what is under way, and lets a guest go on that stands still because of it. HOW is what
//  qemu.migration was pushed with: "run", "stay", or "live" (it ran on while it was sent).
int qemu_migrate_call_off (job_t *job, const char *how, error_t *err);

//  qemu_migrate_tune.c: how it goes.
int qemu_migrate_tune (job_t *job, const migrate_tuning_t *tuning, error_t *err);
int qemu_migrate_tuning (job_t *job, migrate_tuning_t *tuning, error_t *err);
//  A sender's capabilities and parameters.
int qemu_migrate_set_up (job_t *job, const migration_t *migration, error_t *err);
//  Of both sides: how memory is compressed, into an array of capabilities and a map of parameters.
void qemu_compression_capabilities (const migration_t *migration, json_t *list);
void qemu_compression_parameters (const migration_t *migration, json_t *parameters);

//  qemu_migrate_in.c: the receiver.
int qemu_migrate_in (job_t *job, const xml_t *document, const migration_t *migration, char **uri,
                     char **storage, error_t *err);
int qemu_migrate_complete (job_t *job, error_t *err);
int qemu_migrate_run (job_t *job, bool run, error_t *err);
int qemu_migrate_recover (job_t *job, const char *uri, char **at, error_t *err);
//  Of a guest that ran before all of it had come: how that is now.
int qemu_migrate_ask_postcopy (job_t *job, error_t *err);
//  Of a guest that is not taken over: removes the images that were made for it.
void qemu_migrate_drop_created (job_t *job);

//  qemu_migrate_disks.c: disks that are copied.
//  Which, and how large; NULL in DISKS: all that can be written. The caller owns the result.
strings_t *qemu_copy_list (job_t *job, const strings_t *disks, error_t *err);
//  The sender: mirrors to the receiver until they are alike; then ends that, still alike, while the
//  guest stands still; and removes what is left of it, at any time.
int qemu_copy_begin (job_t *job, const migration_t *migration, error_t *err);
int qemu_copy_end (job_t *job, error_t *err);
int qemu_copy_forget (job_t *job, error_t *err);
//  The receiver: makes images that are not there; and lets QEMU receive.
int qemu_copy_make_images (job_t *job, const migration_t *migration, error_t *err);
int qemu_copy_listen (job_t *job, const migration_t *migration, char **storage, error_t *err);
//  Ends that, if the record has one: nobody can write to its disks any more.
int qemu_copy_close (job_t *job, error_t *err);

#endif
