//  pending_file.c: see pending_file.h.

#include "drivers/pending_file.h"
#include "util/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

void pending_file_destroy (pending_file_t **self_p)
{
    pending_file_t *self = take (self_p);
    if (!self)
        return;
    if (self->fd >= 0)
        close (self->fd);
    free (self->path);
    free (self->partial);
    free (self);
}

//  QEMU locks byte ranges of the images that it has open (docs/system/images, "Disk image file
//  locking"): what replaces one of them takes the disk from under its guest.
static bool is_locked (const char *path)
{
    autoclose int fd = open (path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    struct flock range = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    return fd >= 0 && fcntl (fd, F_OFD_GETLK, &range) == 0 && range.l_type != F_UNLCK;
}

static int check_path (const char *path, error_t *err)
{
    struct stat status;
    if (path[0] != '/')
        return error_set (err, ERR_INVALID_ARG, "write '%s': the path is not absolute", path);
    if (stat (path, &status) && errno != ENOENT)
        return error_errno (err, ERR_OPEN_FAILED, "write '%s'", path);
    if (stat (path, &status) == 0 && !S_ISREG (status.st_mode))
        return error_set (err, ERR_OPEN_FAILED, "write '%s': it is there, and no regular file",
                          path);
    if (is_locked (path))
        return error_set (err, ERR_OPEN_FAILED,
                          "write '%s': it is in use, as a disk of a running guest is (a process "
                          "holds a lock on it); name another file",
                          path);
    return 0;
}

//  What a host that went down left behind under this name is ours: the uuid is in it.
static int create (pending_file_t *self, error_t *err)
{
    unlink (self->partial);
    self->fd = open (self->partial, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (self->fd < 0)
        return error_errno (err, ERR_OPEN_FAILED, "write '%s': create '%s'", self->path,
                            self->partial);
    return 0;
}

pending_file_t *pending_file_new (job_t *job, const char *path, error_t *err)
{
    if (check_path (path, err))
        return NULL;
    auto(pending_file_t) self = memory_new (1, sizeof *self);
    autofree char *folder = file_folder (path);
    self->fd = -1;
    self->path = text_copy (path);
    self->partial = text_format ("%s/.troupe-%s.partial", folder, job->guest->uuid);
    if (job_undo (job, "file", self->partial, err) || job_record (job, err) || create (self, err))
        return NULL;
    return take (&self);
}

int pending_file_commit (pending_file_t *self, error_t *err)
{
    autofree char *folder = file_folder (self->path);
    if (fsync (self->fd))
        return error_errno (err, ERR_WRITE_FAILED, "sync '%s'", self->partial);
    if (rename (self->partial, self->path))
        return error_errno (err, ERR_WRITE_FAILED, "rename '%s' to '%s'", self->partial,
                            self->path);
    return file_sync_folder (folder, err);
}
