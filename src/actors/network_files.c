//  network_files.c: see network_files.h.

#include "actors/network_files.h"

#include "actors/domain_files.h"
#include "util/file.h"

int network_make_folders (const paths_t *paths, error_t *err)
{
    const struct {
        const char *folder, *below;
        mode_t mode;
        bool sweep;
    } folders[] = { { paths->etc, "", 0700, true },
                    { paths->etc, "/autostart", 0700, true },
                    { paths->run, "", 0711, true },
                    { paths->lib, "", 0711, true },
                    { paths->log, "", 0711, false } };
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        autofree char *path = text_format ("%s/networks%s", folders[i].folder, folders[i].below);
        if (file_make_folders (path, folders[i].mode, err) ||
            (folders[i].sweep && file_sweep (path, ".", ".new", err)))
            return -1;
    }
    autofree char *run = text_format ("%s/networks", paths->run);
    return file_sweep (run, "", ".output", err);
}

strings_t *network_list_files (const paths_t *paths, error_t *err)
{
    auto(strings_t) all = strings_new ();
    autofree char *etc = text_format ("%s/networks", paths->etc);
    autofree char *run = text_format ("%s/networks", paths->run);
    if (files_add_uuids (all, etc, ".xml", err) || files_add_uuids (all, run, ".status", err))
        return NULL;
    return strings_sort_once (all);
}
