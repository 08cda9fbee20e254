//  disk_group.c: replacements and removals of files that share their fsyncs.

#include "actors/services/disk_group.h"

#include "util/file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define MODE_DEFAULT 0600

typedef struct {
    size_t order;
    const char *path;
    bool remove, passing;
    const void *text;
    size_t size;
    mode_t mode;
    char *folder; //  to be synced; NULL once it was, or if there is none
    file_write_t *write;
} entry_t;

typedef struct {
    bool failed;
    error_t err;
} order_t;

struct disk_group {
    const char *passing_folder;
    entry_t entries[DISK_GROUP_MAX];
    order_t orders[DISK_GROUP_MAX];
    size_t entry_count, order_count;
};

disk_group_t *disk_group_new (const char *passing_folder)
{
    disk_group_t *self = memory_new (1, sizeof *self);
    self->passing_folder = passing_folder;
    return self;
}

void disk_group_destroy (disk_group_t **self_p)
{
    disk_group_t *self = take (self_p);
    if (!self)
        return;
    for (size_t i = 0; i < self->entry_count; i++) {
        file_write_destroy (&self->entries[i].write);
        free (self->entries[i].folder);
    }
    free (self);
}

size_t disk_group_orders (const disk_group_t *self)
{
    return self->order_count;
}

//  Two spellings of one path would escape the order that is kept for it.
static bool is_canonical (const char *path)
{
    return path[0] == '/' && path[1] && !text_ends (path, "/") && !text_ends (path, "/.") &&
           !text_ends (path, "/..") && !strstr (path, "//") && !strstr (path, "/./") &&
           !strstr (path, "/../");
}

static int check_file (const value_t *file, error_t *err)
{
    const char *path = value_get_str (file, "path");
    const value_t *text = value_get (file, "text"), *mode = value_get (file, "mode");
    uint64_t bits = 0;
    size_t size;
    if (!path || !is_canonical (path))
        return error_set (err, ERR_INVALID_ARG,
                          "write '%s': a path is absolute, without '.', '..' or empty parts",
                          path ? path : "");
    if (!text || (text->type != MSGPACK_OBJECT_NIL && !value_bin (text, &size)))
        return error_set (err, ERR_INVALID_ARG, "write '%s': text is neither a string nor nil",
                          path);
    if (mode && (!value_u64 (mode, &bits) || bits > 07777))
        return error_set (err, ERR_INVALID_ARG, "write '%s': mode is not one of a file", path);
    return 0;
}

int disk_group_check (const value_t *files, error_t *err)
{
    const size_t count = value_count (files);
    if (!files || files->type != MSGPACK_OBJECT_ARRAY || count == 0 || count > DISK_GROUP_MAX)
        return error_set (err, ERR_INVALID_ARG,
                          "write files: a request has an array of 1 to %d of them, this one %zu",
                          DISK_GROUP_MAX, count);
    for (size_t i = 0; i < count; i++)
        if (check_file (value_at (files, i), err))
            return -1;
    return 0;
}

static bool has_path (const disk_group_t *self, const char *path)
{
    for (size_t i = 0; i < self->entry_count; i++)
        if (strcmp (self->entries[i].path, path) == 0)
            return true;
    return false;
}

bool disk_group_fits (const disk_group_t *self, const value_t *files)
{
    const size_t count = value_count (files);
    if (self->entry_count + count > DISK_GROUP_MAX)
        return false;
    for (size_t i = 0; i < count; i++)
        if (has_path (self, value_get_str (value_at (files, i), "path")))
            return false;
    return true;
}

static bool is_passing (const disk_group_t *self, const char *path)
{
    const char *folder = self->passing_folder;
    return folder && text_starts (path, folder) && path[strlen (folder)] == '/';
}

static void add_file (disk_group_t *self, size_t order, const value_t *file)
{
    entry_t *entry = &self->entries[self->entry_count++];
    *entry = (entry_t){ .order = order };
    entry->path = value_get_str (file, "path");
    entry->text = value_bin (value_get (file, "text"), &entry->size);
    entry->remove = value_get (file, "text")->type == MSGPACK_OBJECT_NIL;
    entry->mode = (mode_t) value_get_u64 (file, "mode", MODE_DEFAULT);
    entry->passing = is_passing (self, entry->path);
    entry->folder = entry->passing ? NULL : file_folder (entry->path);
}

size_t disk_group_add (disk_group_t *self, const value_t *files)
{
    const size_t order = self->order_count++;
    self->orders[order] = (order_t){ 0 };
    //  From the end, because the last of the same path counts.
    for (size_t i = value_count (files); i-- > 0;) {
        const value_t *file = value_at (files, i);
        if (!has_path (self, value_get_str (file, "path")))
            add_file (self, order, file);
    }
    return order;
}

static void fail (disk_group_t *self, size_t order, const error_t *err)
{
    if (self->orders[order].failed)
        return; //  the first error is the one that is told
    self->orders[order].failed = true;
    self->orders[order].err = *err;
}

typedef int (step_fn) (entry_t *entry, error_t *err);

//  One step for all whose orders are good so far.
static void step_all (disk_group_t *self, step_fn *step)
{
    error_t err;
    for (size_t i = 0; i < self->entry_count; i++) {
        entry_t *entry = &self->entries[i];
        if (!self->orders[entry->order].failed && step (entry, &err))
            fail (self, entry->order, &err);
    }
}

static int step_begin (entry_t *entry, error_t *err)
{
    struct stat status;
    if (!entry->remove) {
        entry->write = file_write_begin (entry->path, entry->mode, entry->text, entry->size, err);
        return entry->write ? 0 : -1;
    }
    //  What is in no folder is removed already.
    if (entry->folder && stat (entry->folder, &status) && errno == ENOENT)
        free (take (&entry->folder));
    return 0;
}

//  All on their way to the disk before the first is waited for: the fsyncs then find that one
//  commit of the file system has done for all, instead of causing one each.
static int step_push (entry_t *entry, error_t *err)
{
    (void) err;
    if (entry->write && !entry->passing)
        file_write_push (entry->write);
    return 0;
}

static int step_sync (entry_t *entry, error_t *err)
{
    return entry->write && !entry->passing ? file_write_sync (entry->write, err) : 0;
}

static int step_commit (entry_t *entry, error_t *err)
{
    return entry->write ? file_write_commit (entry->write, err) : file_remove (entry->path, err);
}

//  Syncs the folder of entry FIRST, and tells all whose files are in it.
static void sync_folder (disk_group_t *self, size_t first)
{
    error_t err;
    autofree char *folder = take (&self->entries[first].folder);
    const bool failed = file_sync_folder (folder, &err);
    for (size_t i = first; i < self->entry_count; i++) {
        entry_t *entry = &self->entries[i];
        if (i > first && !text_equals (entry->folder, folder))
            continue;
        if (failed)
            fail (self, entry->order, &err);
        free (take (&entry->folder));
    }
}

//  Also of orders that failed: some of their files may have been renamed.
static void sync_folders (disk_group_t *self)
{
    for (size_t i = 0; i < self->entry_count; i++)
        if (self->entries[i].folder)
            sync_folder (self, i);
}

//  An order of which nothing was renamed needs no fsync of its folders, which may not exist.
static void forget_refused (disk_group_t *self)
{
    for (size_t i = 0; i < self->entry_count; i++)
        if (self->orders[self->entries[i].order].failed)
            free (take (&self->entries[i].folder));
}

void disk_group_run (disk_group_t *self)
{
    step_all (self, step_begin);
    step_all (self, step_push);
    step_all (self, step_sync);
    forget_refused (self);
    step_all (self, step_commit);
    sync_folders (self);
}

int disk_group_result (const disk_group_t *self, size_t order, error_t *err)
{
    if (!self->orders[order].failed)
        return 0;
    *err = self->orders[order].err;
    return -1;
}
