//  cgroup_files.c: see cgroup_files.h; and where the hierarchies are.

#include "drivers/cgroup/cgroup_files.h"
#include "util/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX_BYTES (1024 * 1024)

//  Hierarchies.

const char *const cgroup_names[CGROUP_COUNT] = {
    [CGROUP_UNIFIED] = "unified", [CGROUP_FREEZER] = "freezer", [CGROUP_MEMORY] = "memory",
    [CGROUP_CPU] = "cpu",         [CGROUP_CPUSET] = "cpuset",   [CGROUP_BLKIO] = "blkio",
};

static bool has_option (const char *options, const char *name)
{
    size_t size = strlen (name);
    for (const char *at = options; at; at = strchr (at, ',')) {
        at += *at == ',';
        if (strncmp (at, name, size) == 0 && (at[size] == ',' || !at[size]))
            return true;
    }
    return false;
}

void cgroup_find (const char *mounts, cgroup_mounts_t *found)
{
    *found = (cgroup_mounts_t){ 0 };
    for (const char *line = mounts; *line; line += *line == '\n') {
        char path[512], type[32], options[512];
        size_t size = strcspn (line, "\n");
        autofree char *text = text_copy_bytes (line, size);
        line += size;
        if (sscanf (text, "%*s %511s %31s %511s", path, type, options) != 3)
            continue;
        for (size_t i = 0; i < CGROUP_COUNT; i++) {
            bool here = i == CGROUP_UNIFIED
                            ? strcmp (type, "cgroup2") == 0
                            : strcmp (type, "cgroup") == 0 && has_option (options, cgroup_names[i]);
            if (here && !found->at[i])
                found->at[i] = text_copy (path);
        }
    }
}

void cgroup_mounts_close (cgroup_mounts_t *self)
{
    for (size_t i = 0; i < CGROUP_COUNT; i++)
        free (self->at[i]);
}

//  Folders.

const char *cgroup_folder (const guest_t *guest, const char *name)
{
    xml_foreach (cgroup, guest->record ? xml_root (guest->record) : NULL, "cgroup")
        if (xml_equals (cgroup, "@name", name))
            return xml_string (cgroup, "@path");
    return NULL;
}

strings_t *cgroup_folders (const guest_t *guest)
{
    strings_t *list = strings_new ();
    xml_foreach (cgroup, guest->record ? xml_root (guest->record) : NULL, "cgroup")
        if (!strings_contain (list, xml_string (cgroup, "@path")))
            strings_add (list, xml_string (cgroup, "@path"));
    return list;
}

//  Files.

bool cgroup_has (const char *folder, const char *name)
{
    autofree char *path = text_format ("%s/%s", folder ? folder : "", name);
    return folder && access (path, F_OK) == 0;
}

char *cgroup_read (const char *folder, const char *name, error_t *err)
{
    autofree char *path = text_format ("%s/%s", folder, name);
    return file_read (path, FILE_MAX_BYTES, NULL, err);
}

int cgroup_write (const char *folder, const char *name, const char *text, error_t *err)
{
    autofree char *path = text_format ("%s/%s", folder, name);
    autoclose int fd = open (path, O_WRONLY | O_CLOEXEC);
    //  To write nothing at all is no write: an empty list is an empty line.
    const char *line = *text ? text : "\n";
    if (fd < 0 || write (fd, line, strlen (line)) < 0)
        return error_errno (err, ERR_SYSTEM_ERROR, "write '%s' to '%s'", text, path);
    return 0;
}

int64_t cgroup_number (const char *text, const char *name)
{
    for (const char *line = text; line && *line; line = strchr (line, '\n')) {
        line += *line == '\n';
        size_t size = strlen (name);
        if (strncmp (line, name, size) == 0 && line[size] == ' ')
            return (int64_t) strtoull (line + size, NULL, 10);
    }
    return -1;
}
