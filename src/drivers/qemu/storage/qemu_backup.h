//  qemu_backup.h: backups of a running guest's disks (QEMU's documents on live block operations,
//  dirty bitmaps and NBD). A push is a job of QEMU's for each disk that copies it to a node of
//  ours; a pull is one that keeps what the guest overwrites in a scratch image, which is exported.
//
//  All that a backup needs is in job->guest->backup before it is made, and is found by its name
//  there: end works from it, in any daemon.
//
//      <backup state='beginning|running|completed'>
//        <domainbackup ...>            as qemu_backup_complete made it
//        <store disk='vda' source='disk-vda' node='backup-vda' path='...' made='yes'
//               bitmap='backup-vda' granularity='65536' inode='...' before='...'/>   (file_owner.h)
//        <server socket='...' inode='...'/>
//      </backup>
//
//  A store's node and its job have the same name. MADE: the file is ours, and which one it is.
//  BITMAP, of the source: a copy of the one that an incremental backup goes by.

#ifndef TROUPE_QEMU_BACKUP_H
#define TROUPE_QEMU_BACKUP_H

#include "drivers/driver.h"
#include "drivers/qemu/storage/qemu_backup_xml.h"

//  driver_t's functions of these names. The guest's monitor is connected, or its QEMU has ended.
int qemu_backup_begin (job_t *job, const backup_options_t *options, error_t *err);
int qemu_backup_follow (job_t *job, error_t *err);
int qemu_backup_end (job_t *job, error_t *err);

//  The guest's QEMU is gone: what a backup left on the host is removed, or given back; what fails
//  is logged.
void qemu_backup_abandon (job_t *job);

//  Within backups.

//  Of the guest's backup: the document inside, and the disk in it that a store is of.
const xml_node_t *qemu_backup_asked (const guest_t *guest);
const xml_node_t *qemu_backup_disk (const guest_t *guest, const xml_node_t *store);

//  Makes the file of STORE (or takes the one that is there: REUSE) and its nodes. CAPACITY of the
//  disk, in bytes.
int qemu_backup_make_store (job_t *job, xml_node_t *store, uint64_t capacity, bool reuse,
                            error_t *err);

//  The NBD server of a pull (qemu_backup_server.c).
//  ERR_OPERATION_FAILED if something has the name of the socket that ASKED names.
int qemu_backup_check_socket (const xml_node_t *asked, error_t *err);
//  Starts it, and exports all stores.
int qemu_backup_serve (job_t *job, error_t *err);
//  Ends it with its exports; it is no error if it does not run.
int qemu_backup_stop_server (job_t *job, error_t *err);
//  Removes its socket, if it is there: a QEMU that was killed does not.
int qemu_backup_drop_socket (const job_t *job, error_t *err);

//  Removes or gives back the files; those of a complete push stay.
int qemu_backup_drop_files (job_t *job, error_t *err);

#endif
