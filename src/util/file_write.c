//  file_write.c: replacing a file atomically: a crash leaves the old content or the new one.

#include "util/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct file_write {
    char *path;
    char *temporary; //  ".NAME.new" beside it: hidden, so file_list does not show it
    int fd;
    bool committed;
};

static char *temporary_path (const char *path)
{
    const char *slash = strrchr (path, '/');
    const char *name = slash ? slash + 1 : path;
    return text_format ("%.*s.%s.new", (int) (name - path), path, name);
}

static int write_fully (int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t count = write (fd, data, size);
        if (count < 0 && errno != EINTR)
            return -1;
        if (count > 0) {
            data += count;
            size -= (size_t) count;
        }
    }
    return 0;
}

file_write_t *file_write_begin (const char *path, mode_t mode, const void *data, size_t size,
                                error_t *err)
{
    auto(file_write_t) self = memory_new (1, sizeof *self);
    self->path = text_copy (path);
    self->temporary = temporary_path (path);
    //  O_EXCL after the removal: never write through a link that somebody put there.
    unlink (self->temporary);
    self->fd = open (self->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (self->fd < 0) {
        error_errno (err, ERR_WRITE_FAILED, "write '%s': create '%s'", path, self->temporary);
        return NULL;
    }
    if (fchmod (self->fd, mode) || write_fully (self->fd, data, size)) {
        error_errno (err, ERR_WRITE_FAILED, "write '%s'", path);
        return NULL;
    }
    return take (&self);
}

void file_write_push (file_write_t *self)
{
    //  Only a hint: what fails here fails in the fsync as well.
    sync_file_range (self->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

int file_write_sync (file_write_t *self, error_t *err)
{
    if (fsync (self->fd))
        return error_errno (err, ERR_WRITE_FAILED, "make '%s' durable", self->path);
    return 0;
}

int file_write_commit (file_write_t *self, error_t *err)
{
    if (rename (self->temporary, self->path))
        return error_errno (err, ERR_WRITE_FAILED, "replace '%s'", self->path);
    self->committed = true;
    return 0;
}

void file_write_destroy (file_write_t **self_p)
{
    file_write_t *self = *self_p;
    if (!self)
        return;
    if (self->fd >= 0) {
        close (self->fd);
        if (!self->committed)
            unlink (self->temporary);
    }
    free (self->temporary);
    free (self->path);
    free (self);
    *self_p = NULL;
}

int file_write (const char *path, const void *data, size_t size, error_t *err)
{
    auto(file_write_t) file = file_write_begin (path, 0600, data, size, err);
    if (!file || file_write_sync (file, err) || file_write_commit (file, err))
        return -1;
    autofree char *folder = file_folder (path);
    return file_sync_folder (folder, err);
}
