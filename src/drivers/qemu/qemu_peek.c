//  qemu_peek.c: see qemu_peek.h.

#include "drivers/qemu/qemu_peek.h"

#include "drivers/qemu/qemu_files.h"
#include "drivers/qemu/storage/qemu_block.h"
#include "drivers/qemu/storage/qemu_block_node.h"
#include "drivers/run_program.h"
#include "util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define QMP_MS 10000
#define READ_MS 30000
//  Of dd: bytes, all that are there; and a pipe, which nobody may ever write to, has none.
#define FLAGS "iflag=skip_bytes,count_bytes,fullblock,nonblock"

//  Exactly SIZE bytes of FD.
static char *read_all (int fd, const char *path, size_t size, error_t *err)
{
    autofree char *bytes = memory_new (size, 1);
    size_t done = 0;
    while (done < size) {
        ssize_t count = pread (fd, bytes + done, size - done, (off_t) done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            error_errno (err, ERR_SYSTEM_ERROR, "read '%s'", path);
        else if (count == 0)
            error_set (err, ERR_OPERATION_FAILED, "QEMU wrote %zu bytes of %zu to '%s'", done, size,
                       path);
        if (count <= 0)
            return NULL;
        done += (size_t) count;
    }
    return take (&bytes);
}

//  So that its end is a number, too.
static bool is_range (uint64_t first, size_t size, uint64_t most, error_t *err)
{
    if (first <= most - size)
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
    return saved ? read_all (fd, path, size, err) : NULL;
}

char *qemu_peek_memory (job_t *job, uint64_t address, size_t size, bool virtual, error_t *err)
{
    //  The upper half is an operating system's own; QEMU takes it as the negative number that it
    //  is to QMP.
    if (!is_range (address, size, virtual ? UINT64_MAX : INT64_MAX, err))
        return NULL;
    autofree char *path = text_format ("%s/qemu/%s.peek", job->paths->run, job->guest->uuid);
    char *bytes = save (job, path, address, size, virtual, err);
    //  If that fails, the undo still knows of it.
    if (bytes && job_remove_file (job, path, err))
        free (take (&bytes));
    return bytes;
}

//  Blocks.

//  By a program: opening a file, or reading it, may take for ever if the host of it is gone.
static char *read_file (job_t *job, const char *path, uint64_t offset, size_t size, size_t *count,
                        error_t *err)
{
    static const char *const env[] = { "LC_ALL=C", NULL };
    static const char *const places[] = { "/usr/bin/dd", "/bin/dd", NULL };
    char *bytes = NULL;
    const char *dd = find_program (places);
    autofree char *log = text_format ("%s/qemu/%s.output", job->paths->run, job->guest->uuid);
    autofree char *from = text_format ("if=%s", path);
    autofree char *skip = text_format ("skip=%llu", (unsigned long long) offset);
    autofree char *most = text_format ("count=%zu", size);
    const char *const argv[] = {
        dd, from, skip, most, "bs=64K", "status=none", FLAGS, NULL,
    };
    const spawn_t spawn = { .argv = argv, .env = env, .log = log, .tied = true };
    if (!dd)
        error_set (err, ERR_SYSTEM_ERROR, "there is no /usr/bin/dd to read '%s' with", path);
    else
        run_program_bytes (job, &spawn, "dd", READ_MS, &bytes, count, err);
    return bytes;
}

char *qemu_peek_block (job_t *job, const char *disk, uint64_t offset, size_t size, error_t *err)
{
    size_t count = 0;
    const guest_t *guest = job->guest;
    const xml_node_t *found =
        qemu_block_element (guest->live ? guest->live : guest->definition, disk);
    const char *path = found ? qemu_block_path (found) : NULL;
    if (!path) {
        error_set (err, ERR_INVALID_ARG,
                   found ? "its disk '%s' has no file" : "it has no disk '%s'", disk);
        return NULL;
    }
    if (!is_range (offset, size, INT64_MAX, err))
        return NULL;
    autofree char *bytes = read_file (job, path, offset, size, &count, err);
    if (!bytes || count == size)
        return take (&bytes);
    error_set (err, ERR_INVALID_ARG, "'%s' ends at %llu, before %zu bytes from %llu on", path,
               (unsigned long long) (offset + count), size, (unsigned long long) offset);
    return NULL;
}
