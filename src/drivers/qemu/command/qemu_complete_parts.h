//  qemu_complete_parts.h: one function a kind of device, called by qemu_complete_devices.

#ifndef TROUPE_QEMU_COMPLETE_PARTS_H
#define TROUPE_QEMU_COMPLETE_PARTS_H

#include "drivers/qemu/command/qemu_complete.h"

int qemu_complete_disk (completion_t *self, xml_node_t *disk, error_t *err);

int qemu_complete_interface (completion_t *self, xml_node_t *interface, error_t *err);

int qemu_complete_hostdev (completion_t *self, xml_node_t *hostdev, error_t *err);
//  Of a hostdev, or an interface of this type: which device of the host it is.
int qemu_complete_host_device (completion_t *self, xml_node_t *device, error_t *err);

//  The places of SCSI devices among the disks, which have theirs.
int qemu_complete_scsi_hostdevs (completion_t *self, error_t *err);

//  What it boots with, and memory devices.
int qemu_complete_memory (completion_t *self, error_t *err);
//  The sizes of its pages, which those of devices depend on; and what is behind it, once all sizes
//  are known.
int qemu_complete_pages (completion_t *self, error_t *err);
int qemu_check_backing (const completion_t *self, error_t *err);

//  All serial ports, parallel ports, consoles and channels: consoles depend on serial ports.
int qemu_complete_chardevs (completion_t *self, error_t *err);

int qemu_complete_graphics (completion_t *self, xml_node_t *graphics, error_t *err);
//  All video cards: a default one, and which is primary.
int qemu_complete_video (completion_t *self, error_t *err);

#endif
