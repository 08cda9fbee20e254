//  qemu_block_resize.c: disks that become larger or smaller while the guest runs.

#include "drivers/qemu/storage/qemu_block.h"
#include "drivers/qemu/storage/qemu_block_job.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

//  QEMU waits for what is under way on the disk, and for the file system to take the new size.
#define RESIZE_MS 60000
#define SECTOR_BYTES 512

static int device_size (const qemu_disk_t *disk, uint64_t *bytes, error_t *err)
{
    const qemu_image_t *image = &disk->chain[0];
    if (!image->block || strcmp (image->format, "raw") != 0)
        return error_set (err, ERR_OPERATION_INVALID,
                          "only a raw image on a block device has a capacity of its own; name the "
                          "size");
    autoclose int fd = open (image->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    off_t end = fd < 0 ? -1 : lseek (fd, 0, SEEK_END);
    if (end < 0)
        return error_errno (err, ERR_SYSTEM_ERROR, "find out the size of '%s'", image->path);
    if (*bytes > 0 && *bytes != (uint64_t) end)
        return error_set (err, ERR_INVALID_ARG, "'%s' has %" PRIu64 " bytes, not %" PRIu64,
                          image->path, (uint64_t) end, *bytes);
    *bytes = (uint64_t) end;
    return 0;
}

static int check_size (uint64_t bytes, error_t *err)
{
    if (bytes == 0)
        return error_set (err, ERR_INVALID_ARG, "a size of 0 is none");
    if (bytes > INT64_MAX - SECTOR_BYTES)
        return error_set (err, ERR_OVERFLOW, "%" PRIu64 " bytes are too many", bytes);
    return 0;
}

static int resize (job_t *job, const qemu_disk_t *disk, uint64_t bytes, error_t *err)
{
    uint64_t sectors = (bytes + SECTOR_BYTES - 1) / SECTOR_BYTES;
    json_t *arguments = json_pack ("{s:s, s:I}", "node-name", disk->chain[0].node, "size",
                                   (json_int_t) (sectors * SECTOR_BYTES));
    json_auto_t *reply = job_qmp (job, "block_resize", arguments, RESIZE_MS, err);
    return reply ? 0 : -1;
}

static int check_disk (const job_t *job, const qemu_disk_t *disk, error_t *err)
{
    if (qemu_block_check_idle (job->guest, disk->target, "resize", err))
        return -1;
    if (disk->count == 0)
        return error_set (err, ERR_OPERATION_INVALID, "it has no medium");
    if (xml_find (disk->element, "readonly"))
        return error_set (err, ERR_OPERATION_INVALID, "it is read-only");
    return 0;
}

int qemu_block_resize (job_t *job, const char *name, uint64_t bytes, bool capacity, error_t *err)
{
    auto(qemu_disk_t) disk = qemu_block_find (job, name, err);
    if (!disk)
        return -1;
    if (check_disk (job, disk, err) || (capacity && device_size (disk, &bytes, err)) ||
        check_size (bytes, err) || resize (job, disk, bytes, err))
        return error_prefix (err, "resize the disk '%s' of domain '%s'", disk->target,
                             job->guest->name);
    return 0;
}
