//  cgroup.h: the control groups of a guest: a folder troupe-INSTANCE/UUID in each hierarchy that it
//  needs, whether the host has version 2 alone, version 1 with an empty version 2 beside it,
//  version 1, or none. (admin-guide/cgroup-v2.rst and cgroup-v1 of the kernel.)

#ifndef TROUPE_CGROUP_H
#define TROUPE_CGROUP_H

#include "drivers/job.h"
#include "util/text.h"

//  Folders, in the record of the guest: <cgroup name='unified' path='...'/>, one for each. NAME is
//  "unified" for version 2, else a controller of version 1 ("freezer").
typedef enum {
    CGROUP_UNIFIED,
    CGROUP_FREEZER,
    CGROUP_MEMORY,
    CGROUP_CPU,
    CGROUP_CPUSET,
    CGROUP_BLKIO,
    CGROUP_COUNT
} cgroup_kind_t;

extern const char *const cgroup_names[CGROUP_COUNT];

//  Where the hierarchies are, by the text of /proc/self/mounts; NULL: that one is not there.
typedef struct {
    char *at[CGROUP_COUNT];
} cgroup_mounts_t;

void cgroup_find (const char *mounts, cgroup_mounts_t *found);
void cgroup_mounts_close (cgroup_mounts_t *self);

//  Makes what the host has (of the processors' time only if cputune has a share of it), in the
//  definition's <resource><partition>: undo pushed, recorded. What the host does not have is said
//  in the log. FREEZER: the guest is stopped by that.
int cgroup_make (job_t *job, bool freezer, error_t *err);
//  The same in the hierarchies that MOUNTS names.
int cgroup_make_in (job_t *job, const cgroup_mounts_t *mounts, bool freezer, error_t *err);
//  Notes those that are there, of a guest whose record was lost.
int cgroup_recall (job_t *job, error_t *err);
//  Removes those that are there, of a guest that is over and whose record was lost.
int cgroup_forget (job_t *job, error_t *err);
//  The folders, each once. The caller owns the list.
strings_t *cgroup_folders (const guest_t *guest);
//  One folder, from which all processes are gone or about to go; 0 as well if it is not there.
int cgroup_remove (job_t *job, const char *path, error_t *err);

//  What the definition says of a guest as a whole, beside what is said of all of them.
typedef struct {
    bool memory;                         //  <currentMemory> is the most that it may use
    bool vcpus;                          //  vcpu/@cpuset is where all of it runs
    const char *quota, *period, *shares; //  paths of what limits all of its processors' time
} cgroup_scope_t;

//  Has the guest's cgroups be what its live document says: memtune, blkiotune, numatune, and SCOPE.
//  BEFORE: the live document that they follow now; what is the same there is left alone, and the
//  undo of each change is durable before the first one. NULL: they are new, and nothing runs there.
//  ERR_CONFIG_UNSUPPORTED: this host's cgroups can't.
int cgroup_tune (job_t *job, const cgroup_scope_t *scope, const xml_t *before, error_t *err);
//  The undo of one change, kind "cgroup_value".
int cgroup_undo_value (job_t *job, const char *argument, error_t *err);

//  Stops all processes, or lets them go on; returns once that is so.
int cgroup_freeze (job_t *job, bool freeze, error_t *err);
//  Not waiting for it, whatever state they are in.
void cgroup_thaw (const guest_t *guest);
bool cgroup_is_frozen (const guest_t *guest);

//  CPU time (user and system), and memory. -1: there is no folder that counts them.
int cgroup_times (const guest_t *guest, uint64_t *user_ns, uint64_t *system_ns, error_t *err);
int cgroup_memory (const guest_t *guest, uint64_t *bytes, error_t *err);

#endif
