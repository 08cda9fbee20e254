//  domain_files.c: see domain_files.h.

#include "actors/domain/domain_files.h"

#include "drivers/checkpoint.h"
#include "drivers/snapshot_tree.h"
#include "util/file.h"
#include "util/uuid.h"

#include <string.h>

char *domain_path (const paths_t *paths, const driver_t *driver, const char *uuid,
                   domain_file_t file)
{
    switch (file) {
    case FILE_DEFINITION:
        return text_format ("%s/%s/%s.xml", paths->etc, driver->name, uuid);
    case FILE_AUTOSTART:
        return text_format ("%s/%s/autostart/%s", paths->etc, driver->name, uuid);
    case FILE_STATUS:
        return text_format ("%s/%s/%s.status", paths->run, driver->name, uuid);
    case FILE_PAST:
        return text_format ("%s/jobs/%s", paths->run, uuid);
    case FILE_CHECKPOINTS:
        return checkpoints_path (paths, driver->name, uuid);
    case FILE_SNAPSHOTS:
        return snapshot_tree_path (paths, driver->name, uuid);
    }
    return NULL;
}

int domain_make_folders (const paths_t *paths, error_t *err)
{
    autofree char *jobs = text_format ("%s/jobs", paths->run);
    if (file_make_folders (jobs, 0700, err))
        return -1;
    for (const driver_t *const *driver = drivers; *driver; driver++) {
        const char *name = (*driver)->name;
        autofree char *etc = text_format ("%s/%s/autostart", paths->etc, name);
        autofree char *run = text_format ("%s/%s", paths->run, name);
        autofree char *lib = text_format ("%s/%s", paths->lib, name);
        autofree char *log = text_format ("%s/%s", paths->log, name);
        autofree char *cache = text_format ("%s/%s", paths->cache, name);
        if (file_make_folders (etc, 0700, err) || file_make_folders (run, 0711, err) ||
            file_make_folders (lib, 0711, err) || file_make_folders (log, 0711, err) ||
            file_make_folders (cache, 0700, err))
            return -1;
    }
    return 0;
}

int files_add_uuids (strings_t *uuids, const char *folder, const char *suffix, error_t *err)
{
    auto(strings_t) names = file_list (folder, suffix, err);
    if (!names)
        return -1;
    for (size_t i = 0; i < names->count; i++) {
        char uuid[UUID_TEXT_SIZE];
        size_t size = strlen (names->items[i]) - strlen (suffix);
        autofree char *stem = text_copy_bytes (names->items[i], size);
        if (uuid_normalize (stem, uuid) && strcmp (stem, uuid) == 0)
            strings_add (uuids, uuid);
    }
    return 0;
}

strings_t *domain_list_files (const paths_t *paths, const driver_t *driver, error_t *err)
{
    auto(strings_t) all = strings_new ();
    autofree char *etc = text_format ("%s/%s", paths->etc, driver->name);
    autofree char *run = text_format ("%s/%s", paths->run, driver->name);
    //  A monitor's socket may be all that tells of a guest.
    if (files_add_uuids (all, etc, ".xml", err) || files_add_uuids (all, run, ".status", err) ||
        files_add_uuids (all, run, ".monitor", err))
        return NULL;
    return strings_sort_once (all);
}

static int list_all (const paths_t *paths, strings_t *uuids, error_t *err)
{
    for (const driver_t *const *driver = drivers; *driver; driver++) {
        auto(strings_t) some = domain_list_files (paths, *driver, err);
        if (!some)
            return -1;
        strings_add_all (uuids, strings_list (some));
    }
    return 0;
}

//  Histories of jobs that outlived their domains.
static int sweep_past (const paths_t *paths, error_t *err)
{
    auto(strings_t) known = strings_new ();
    auto(strings_t) past = strings_new ();
    autofree char *jobs = text_format ("%s/jobs", paths->run);
    if (file_sweep (jobs, ".", ".new", err) || files_add_uuids (past, jobs, "", err) ||
        list_all (paths, known, err))
        return -1;
    for (size_t i = 0; i < past->count; i++) {
        autofree char *path = text_format ("%s/%s", jobs, past->items[i]);
        if (!strings_contain (known, past->items[i]) && file_remove (path, err))
            return -1;
    }
    return 0;
}

//  Of a guest that may still run the status file is there, or its monitor's socket.
static int sweep_ram (const paths_t *paths, const driver_t *driver, error_t *err)
{
    auto(strings_t) running = strings_new ();
    auto(strings_t) there = strings_new ();
    autofree char *ram = text_format ("%s/%s/ram", paths->lib, driver->name);
    autofree char *run = text_format ("%s/%s", paths->run, driver->name);
    if (files_add_uuids (there, ram, "", err) || files_add_uuids (running, run, ".status", err) ||
        files_add_uuids (running, run, ".monitor", err))
        return -1;
    for (size_t i = 0; i < there->count; i++) {
        autofree char *folder = text_format ("%s/%s", ram, there->items[i]);
        if (!strings_contain (running, there->items[i]) && file_remove_folder (folder, err))
            return -1;
    }
    return 0;
}

static int sweep_files (const paths_t *paths, const driver_t *driver, error_t *err)
{
    const struct {
        const char *folder, *below, *prefix, *suffix;
    } left[] = {
        { paths->etc, "", ".", ".new" },
        { paths->etc, "/autostart", ".", ".new" },
        { paths->run, "", ".", ".new" },
        { paths->cache, "", ".", ".new" },
        { paths->lib, "/snapshot", ".", ".new" },
        { paths->run, "", "", ".output" },
        { paths->lib, "/checkpoint", ".", ".new" },
        { paths->run, "", "probe-", ".monitor" },
        { paths->log, "", "probe-", ".log" },
    };
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
        autofree char *folder =
            text_format ("%s/%s%s", left[i].folder, driver->name, left[i].below);
        if (file_sweep (folder, left[i].prefix, left[i].suffix, err))
            return -1;
    }
    return 0;
}

int domain_sweep (const paths_t *paths, error_t *err)
{
    if (sweep_past (paths, err))
        return -1;
    for (const driver_t *const *driver = drivers; *driver; driver++)
        if (sweep_files (paths, *driver, err) || sweep_ram (paths, *driver, err))
            return -1;
    autofree char *marks = text_format ("%s/migrations", paths->lib);
    return file_sweep (marks, ".", ".new", err);
}
