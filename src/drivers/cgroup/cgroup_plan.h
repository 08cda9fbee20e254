//  cgroup_plan.h: what is to be written to a guest's cgroups, in order, and what was there before.

#ifndef TROUPE_CGROUP_PLAN_H
#define TROUPE_CGROUP_PLAN_H

#include "drivers/cgroup/cgroup_files.h"

typedef struct {
    job_t *job;
    const cgroup_scope_t *scope;
    const xml_node_t *before, *after;   //  BEFORE NULL: at a start
    strings_t *files, *texts, *befores; //  one of each for a write
} cgroup_plan_t;

//  Where a value goes: in version 1 to a file of the controller KIND, in version 2 to another one.
//  FILES: the first that is there, '|' between them.
typedef struct {
    cgroup_kind_t kind;
    const char *first, *second;
} cgroup_knob_t;

//  The folder that has the knob, with *FILE (the caller's) in it, and whether it is of version 1;
//  NULL: none.
const char *cgroup_knob_find (const cgroup_plan_t *self, const cgroup_knob_t *knob, char **file,
                              bool *first);
//  ERR_CONFIG_UNSUPPORTED: PATH of the document is set, and no cgroup can do it. Returns -1.
int cgroup_plan_refuse (const cgroup_plan_t *self, const cgroup_knob_t *knob, const char *path,
                        error_t *err);

void cgroup_plan_add (cgroup_plan_t *self, const char *folder, const char *file, const char *text,
                      const char *before);
//  The whole value of FILE, with what it is now as the value before.
int cgroup_plan_set (cgroup_plan_t *self, const char *folder, const char *file, const char *text,
                     error_t *err);

//  Is PATH another one than it was? At a start: is it set?
bool cgroup_plan_changes (const cgroup_plan_t *self, const char *path);

//  cgroup_devices.c: what blkiotune says of each device.
int cgroup_plan_devices (cgroup_plan_t *self, error_t *err);

#endif
