//  unit.h: what every unit test needs: cmocka, and folders that go away again.

#ifndef TROUPE_UNIT_H
#define TROUPE_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "folder.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static inline int unit_remove_entry (const char *path, const struct stat *status, int type,
                                     struct FTW *walk)
{
    (void) status, (void) type, (void) walk;
    return remove (path);
}

//  cmocka setup and teardown: *STATE is the path of an empty folder of the test's own.
static inline int unit_make_folder (void **state)
{
    char *folder = malloc (UNIT_PATH_SIZE);
    if (folder)
        unit_new_folder (folder);
    *state = folder;
    return folder ? 0 : -1;
}

static inline int unit_remove_folder (void **state)
{
    int result = nftw (*state, unit_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free (*state);
    return result;
}

//  Descriptors of this process that are open: equal before and after what must leave none behind.
static inline int unit_count_descriptors (void)
{
    int count = 0;
    DIR *folder = opendir ("/proc/self/fd");
    while (folder && readdir (folder))
        count++;
    closedir (folder);
    return count;
}

//  A test with a folder.
#define unit_test_in_folder(f)                                                                     \
    cmocka_unit_test_setup_teardown (f, unit_make_folder, unit_remove_folder)

#endif
