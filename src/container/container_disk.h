//  container_disk.h: file systems of a container that are on a block device or in an image. The
//  supervisor keeps each mounted, at no place in any namespace, as long as it lives: so a reboot
//  finds the same one, and with the supervisor's descriptors all goes, loop devices included,
//  however it ends.

#ifndef TROUPE_CONTAINER_DISK_H
#define TROUPE_CONTAINER_DISK_H

#include "container/container_spec.h"

//  Sets FS's type: what the file or device at FD has, by the kernel's name for it. An error if that
//  is none, or more than one. The kernel is never let guess: its drivers would each try to read
//  what may be hostile.
int container_disk_probe (container_fs_t *fs, int fd, error_t *err);

//  Mounts all that SPEC has, and notes their devices and types in it. The descriptors stay open.
int container_disks_open (container_spec_t *spec, error_t *err);

//  A mount of FS of the caller's own, as a descriptor that the caller closes; or -1.
int container_disk_mount (const container_fs_t *fs, error_t *err);

#endif
