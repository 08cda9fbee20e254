//  cgroup_files.h: the files of cgroups, for the parts of this folder.

#ifndef TROUPE_CGROUP_FILES_H
#define TROUPE_CGROUP_FILES_H

#include "drivers/cgroup/cgroup.h"

//  The guest's folder in the hierarchy NAME ("unified", or a controller of version 1), as its
//  record has it; NULL: none.
const char *cgroup_folder (const guest_t *guest, const char *name);
//  Has FOLDER (NULL: no) the file NAME?
bool cgroup_has (const char *folder, const char *name);
//  The text of FOLDER's file NAME, which the caller frees; NULL and ERR.
char *cgroup_read (const char *folder, const char *name, error_t *err);
//  CPU time that FOLDER (of version 2) counts, ns.
int cgroup_folder_times (const char *folder, uint64_t *user_ns, uint64_t *system_ns, error_t *err);
//  In one write, as the kernel wants it.
int cgroup_write (const char *folder, const char *name, const char *text, error_t *err);
//  The number behind NAME at a line's start; -1 if there is none.
int64_t cgroup_number (const char *text, const char *name);

#endif
