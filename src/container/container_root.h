//  container_root.h: the file systems of a container. All of these run in its init, in a mount
//  namespace of its own: what they mount is gone when that is, and is never seen from the host.

#ifndef TROUPE_CONTAINER_ROOT_H
#define TROUPE_CONTAINER_ROOT_H

#include "container/container_spec.h"

//  Makes the container's root this process's, with /proc, /sys, /dev and all other file systems.
//  Nothing of the host's is mounted afterwards.
int container_root_enter (const container_spec_t *spec, error_t *err);

//  container_dev.c: mounts and fills /dev.
int container_dev_mount (const container_spec_t *spec, error_t *err);

//  A mount point: what is missing of PATH is made. Links are followed within the container.
int container_root_make_folder (const char *path, error_t *err);
//  Changes what a mount allows, of all below it as well with RECURSIVE.
int container_root_set (const char *path, uint64_t attributes, bool recursive, error_t *err);

#endif
