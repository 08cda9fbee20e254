//  qemu_backup_xml.h: the document that a backup is asked for with, <domainbackup> (libvirt's
//  backup XML format). Pure.

#ifndef TROUPE_QEMU_BACKUP_XML_H
#define TROUPE_QEMU_BACKUP_XML_H

#include "util/xml.h"

//  TEXT (NULL: a full push of all disks) checked against the running guest's document LIVE, and
//  completed: afterwards it has mode, server and, of each disk of the guest, whether it takes part;
//  of those that do type, backupmode (and incremental), driver, target or scratch, and of a pull
//  exportname (and exportbitmap). NOW_S (seconds since the epoch) goes into names of files that it
//  does not give. The caller owns the result; ERR_XML_ERROR, ERR_CONFIG_UNSUPPORTED or
//  ERR_INVALID_ARG.
xml_t *qemu_backup_complete (const xml_t *live, const char *text, int64_t now_s, error_t *err);

//  Of a completed document.
bool qemu_backup_is_pull (const xml_node_t *backup);
//  The disks that take part: xml_foreach over all, and this.
bool qemu_backup_takes (const xml_node_t *disk);
//  The file or device that QEMU writes to.
const char *qemu_backup_path (const xml_node_t *disk);

//  The disk of LIVE whose target is NAME; NULL if there is none.
const xml_node_t *qemu_backup_source (const xml_t *live, const char *name);
//  Can it be backed up: is it a disk with an image that is written to?
bool qemu_backup_possible (const xml_node_t *source);

#endif
