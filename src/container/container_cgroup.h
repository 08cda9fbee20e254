//  container_cgroup.h: how init gets into its cgroups.
//
//  To move another process takes the kernel 10 ms and more, in which it waits for all its
//  processors. A process that is born in a folder of version 2 (clone(2), CLONE_INTO_CGROUP), or
//  that moves itself alone in version 1, takes none (cgroups(7); kernel/cgroup/cgroup.c,
//  cgroup_procs_write_start).

#ifndef TROUPE_CONTAINER_CGROUP_H
#define TROUPE_CONTAINER_CGROUP_H

#include "container/container_spec.h"

enum {
    CONTAINER_CGROUPS_MAX = 16
};

typedef struct {
    const char *folder;               //  of version 2; NULL: none
    int into;                         //  its descriptor; -1: none
    bool born;                        //  init is in it since its birth
    int tasks[CONTAINER_CGROUPS_MAX]; //  of version 1: descriptors of the files that init writes
    size_t count;
} container_cgroups_t;

//  The spec has to outlive it.
int container_cgroup_open (container_cgroups_t *self, const container_spec_t *spec, error_t *err);
void container_cgroup_close (container_cgroups_t *self);

//  As fork, in these new namespaces (CLONE_NEW...) and, if the kernel can do that, in the folder of
//  version 2. The program has one thread. -1, and errno says why.
pid_t container_cgroup_clone (container_cgroups_t *self, int namespaces);
//  Puts INIT where it was not born.
int container_cgroup_place (const container_cgroups_t *self, pid_t init, error_t *err);
//  In init itself: the others.
int container_cgroup_join (const container_cgroups_t *self, error_t *err);

//  Puts PID, another process of the container, into all of them.
int container_cgroup_move (const container_spec_t *spec, pid_t pid, error_t *err);

#endif
