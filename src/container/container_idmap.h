//  container_idmap.h: the user namespace of a container that has <idmap>. (user_namespaces(7).)
//
//  All its other namespaces belong to it, so that init's capabilities count in them. The exception
//  are the mounts: the host's root makes them, as it does for every container, with what is new
//  in them owned by the container's root. Init then takes a copy of its own, in which the kernel
//  keeps it from undoing any of them (mount_namespaces(7), "Restrictions on mount namespaces").

#ifndef TROUPE_CONTAINER_IDMAP_H
#define TROUPE_CONTAINER_IDMAP_H

#include "container/container_spec.h"

//  Who ID of the container is on the host, by a map as in /proc/PID/uid_map. -1: nobody.
int64_t container_idmap_find (const char *map, uint32_t id);

//  Makes the namespace, which stays while the descriptor is open: the caller closes it. If the
//  container is to have a network namespace, one that belongs to it becomes this process's.
int container_idmap_make (const container_spec_t *spec, error_t *err);

//  As fork: the child is the container's root, in pid, uts and ipc namespaces (but for those that
//  are shared) that belong to USER, and in a mount namespace of the host's. -1 and ERR: there is
//  none.
pid_t container_idmap_clone (const container_spec_t *spec, int user, error_t *err);

//  Who entered the namespace is nobody in it, and becomes its root. -1, and errno says why.
int container_idmap_become_root (void);

//  Makes the container's root the root of INIT, which such a clone is.
int container_idmap_mount (const container_spec_t *spec, pid_t init, error_t *err);

#endif
