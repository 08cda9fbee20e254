//  qemu_peek.c: see qemu_peek.h.

#include "drivers/qemu/qemu_peek.h"

#include "drivers/qemu/qemu_files.h"
#include "drivers/qemu/storage/qemu_block.h"
#include "drivers/qemu/storage/qemu_block_node.h"
#include "util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define QMP_MS 10000

//  Exactly SIZE bytes of FD.
static char *read_all (int fd, const char *path, uint64_t offset, size_t size, error_t *err)
{
    autofree char *bytes = memory_new (size, 1);
    size_t done = 0;
    while (done < size) {
        ssize_t count = pread (fd, bytes + done, size - done, (off_t) (offset + done));
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0) {
            if (count == 0)
                error_set (err, ERR_INVALID_ARG, "'%s' ends at %llu, before %zu bytes from %llu on",
                           path, (unsigned long long) (offset + done), size,
                           (unsigned long long) offset);
            else
                error_errno (err, ERR_SYSTEM_ERROR, "read '%s'", path);
            return NULL;
        }
        done += (size_t) count;
    }
    return take (&bytes);
}

//  So that its end is a number, too.
static bool is_range (uint64_t first, size_t size, error_t *err)
{
    if (first <= INT64_MAX - size)
        return true;
    error_set (err, ERR_INVALID_ARG, "%llu is too large", (unsigned long long) first);
    return false;
}

//  Memory. QEMU opens the file by its name (it takes no descriptor for this), as its own user.

static int make_file (job_t *job, const char *path, error_t *err)
{
    uid_t uid;
    gid_t gid;
    if (job_undo (job, "file", path, err) || job_record (job, err))
        return -1;
    qemu_identity (job, &uid, &gid);
    int fd = open (path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0 && (!uid || fchown (fd, uid, gid) == 0))
        return fd;
    error_errno (err, ERR_OPEN_FAILED, "create '%s' for QEMU", path);
    if (fd >= 0)
        close (fd);
    return -1;
}

static char *save (job_t *job, const char *path, uint64_t address, size_t size, bool virtual,
                   error_t *err)
{
    autoclose int fd = make_file (job, path, err);
    if (fd < 0)
        return NULL;
    json_auto_t *saved = job_qmp (job, virtual ? "memsave" : "pmemsave",
                                  json_pack ("{s:I, s:I, s:s}", "val", (json_int_t) address, "size",
                                             (json_int_t) size, "filename", path),
                                  QMP_MS, err);
    return saved ? read_all (fd, path, 0, size, err) : NULL;
}

char *qemu_peek_memory (job_t *job, uint64_t address, size_t size, bool virtual, error_t *err)
{
    if (!is_range (address, size, err))
        return NULL;
    autofree char *path = text_format ("%s/qemu/%s.peek", job->paths->run, job->guest->uuid);
    char *bytes = save (job, path, address, size, virtual, err);
    //  If that fails, the undo still knows of it.
    if (bytes && job_remove_file (job, path, err))
        free (take (&bytes));
    return bytes;
}

//  Blocks.

char *qemu_peek_block (job_t *job, const char *disk, uint64_t offset, size_t size, error_t *err)
{
    struct stat status;
    const guest_t *guest = job->guest;
    const xml_node_t *found =
        qemu_block_element (guest->live ? guest->live : guest->definition, disk);
    const char *path = found ? qemu_block_path (found) : NULL;
    if (!path) {
        error_set (err, ERR_INVALID_ARG,
                   found ? "its disk '%s' has no file" : "it has no disk '%s'", disk);
        return NULL;
    }
    //  It may be a pipe, which nobody may ever write to.
    autoclose int fd = open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat (fd, &status)) {
        error_errno (err, ERR_OPEN_FAILED, "open '%s'", path);
        return NULL;
    }
    if (!S_ISREG (status.st_mode) && !S_ISBLK (status.st_mode)) {
        error_set (err, ERR_INVALID_ARG, "'%s' is neither a file nor a block device", path);
        return NULL;
    }
    return is_range (offset, size, err) ? read_all (fd, path, offset, size, err) : NULL;
}
