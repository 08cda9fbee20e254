//  lxc_cgroup.h: the control groups of a container: a folder troupe-INSTANCE/UUID in each hierarchy
//  that it needs, whether the host has version 2 alone, version 1 with an empty version 2 beside
//  it, version 1, or none. (admin-guide/cgroup-v2.rst and cgroup-v1 of the kernel.)

#ifndef TROUPE_LXC_CGROUP_H
#define TROUPE_LXC_CGROUP_H

#include "drivers/job.h"
#include "util/text.h"

//  Folders, in the record of the guest: <cgroup name='unified' path='...'/>, one for each. NAME is
//  "unified" for version 2, else a controller of version 1 ("freezer").

//  Where the hierarchies are, by the text of /proc/self/mounts; NULL: that one is not there.
typedef struct {
    char *unified, *freezer, *memory;
} lxc_cgroup_mounts_t;

void lxc_cgroup_find (const char *mounts, lxc_cgroup_mounts_t *found);
void lxc_cgroup_mounts_close (lxc_cgroup_mounts_t *self);

//  Makes what the host has: undo pushed, recorded. What it does not have is said in the log.
int lxc_cgroup_make (job_t *job, error_t *err);
//  The folders. The caller owns the list.
strings_t *lxc_cgroup_folders (const guest_t *guest);
//  One folder, from which all processes are gone or about to go; 0 as well if it is not there.
int lxc_cgroup_remove (job_t *job, const char *path, error_t *err);

//  <memory>, as the most that all processes may use.
int lxc_cgroup_limit_memory (job_t *job, uint64_t bytes, error_t *err);

//  Stops all processes, or lets them go on; returns once that is so.
int lxc_cgroup_freeze (job_t *job, bool freeze, error_t *err);
//  Not waiting for it, whatever state they are in.
void lxc_cgroup_thaw (const guest_t *guest);
bool lxc_cgroup_is_frozen (const guest_t *guest);

//  CPU time (user and system), and memory. -1: there is no folder that counts them.
int lxc_cgroup_times (const guest_t *guest, uint64_t *user_ns, uint64_t *system_ns, error_t *err);
int lxc_cgroup_memory (const guest_t *guest, uint64_t *bytes, error_t *err);

#endif
