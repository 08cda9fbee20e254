//  container_disk.c: loop devices (loop(4)), and mounts without a place (fsopen, fsmount: the
//  kernel's Documentation/filesystems/mount_api.rst). What is on a device, libblkid says.

#include "container/container_disk.h"
#include "util/auto.h"
#include "util/text.h"

#include <blkid/blkid.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define LOOP_TRIES 64 //  while others take the device that was free

//  One driver of the kernel reads all three.
static const char *driver_of (const char *type)
{
    bool extended = strcmp (type, "ext2") == 0 || strcmp (type, "ext3") == 0;
    return extended ? "ext4" : type;
}

//  What libblkid's safe probe found. *WHY: it is nothing that can be mounted.
static void judge (blkid_probe found, int rc, container_fs_t *fs, const char **why)
{
    const char *usage, *type;
    *why = rc == -2  ? "the marks of more than one file system"
           : rc == 1 ? "no file system that is known"
           : rc < 0  ? "parts that can't be read"
                     : NULL;
    if (*why)
        return;
    if (blkid_probe_lookup_value (found, "USAGE", &usage, NULL) ||
        strcmp (usage, "filesystem") != 0 || blkid_probe_lookup_value (found, "TYPE", &type, NULL))
        *why = "something else than a file system";
    else
        snprintf (fs->type, sizeof fs->type, "%s", driver_of (type));
}

int container_disk_probe (container_fs_t *fs, int fd, error_t *err)
{
    const char *why = "parts that can't be read";
    blkid_probe probe = blkid_new_probe ();
    if (probe && blkid_probe_set_device (probe, fd, 0, 0) == 0 &&
        blkid_probe_enable_superblocks (probe, 1) == 0 &&
        blkid_probe_set_superblocks_flags (probe, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_USAGE) == 0)
        judge (probe, blkid_do_safeprobe (probe), fs, &why);
    blkid_free_probe (probe);
    if (!why)
        return 0;
    return error_set (err, ERR_OPERATION_FAILED,
                      "filesystem '%s': '%s' has %s; make one in it that the kernel mounts, as "
                      "mkfs.ext4 does",
                      fs->target, fs->source, why);
}

//  Of the same file, whatever its name is now.
static bool is_backed_by (const char *device, const struct stat *file)
{
    struct loop_info64 info;
    autoclose int fd = open (device, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    return fd >= 0 && ioctl (fd, LOOP_GET_STATUS64, &info) == 0 && info.lo_inode == file->st_ino &&
           info.lo_device == file->st_dev;
}

//  Two that write to one file system destroy it.
static int check_unused (const container_fs_t *fs, int file, error_t *err)
{
    struct stat status;
    DIR *folder = opendir ("/sys/block");
    const struct dirent *entry;
    char used[sizeof entry->d_name + 8] = "";
    bool known_file = fstat (file, &status) == 0;
    while (known_file && folder && !*used && (entry = readdir (folder))) {
        autofree char *device = text_format ("/dev/%s", entry->d_name);
        if (text_starts (entry->d_name, "loop") && is_backed_by (device, &status))
            snprintf (used, sizeof used, "%s", device);
    }
    if (folder)
        closedir (folder);
    if (!*used)
        return 0;
    return error_set (err, ERR_OPERATION_FAILED, "filesystem '%s': '%s' is in use already, as %s",
                      fs->target, fs->source, used);
}

//  The kernel says which is free; who was faster there is answered EBUSY, and asks again. It is
//  free once more when nobody has it open or mounted (LO_FLAGS_AUTOCLEAR).
static int attach (container_fs_t *fs, int control, int file, error_t *err)
{
    const struct loop_config config = { .fd = (uint32_t) file,
                                        .info.lo_flags = LO_FLAGS_AUTOCLEAR |
                                                         (fs->readonly ? LO_FLAGS_READ_ONLY : 0u) };
    for (int i = 0; i < LOOP_TRIES; i++) {
        int number = ioctl (control, LOOP_CTL_GET_FREE);
        if (number < 0)
            break;
        snprintf (fs->device, sizeof fs->device, "/dev/loop%d", number);
        autoclose int loop = open (fs->device, (fs->readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC);
        if (loop >= 0 && ioctl (loop, LOOP_CONFIGURE, &config) == 0) {
            int result = loop;
            loop = -1;
            return result;
        }
        if (errno != EBUSY)
            break;
    }
    return error_errno (err, ERR_SYSTEM_ERROR, "filesystem '%s': make '%s' a loop device",
                        fs->target, fs->source);
}

static int open_image (container_fs_t *fs, error_t *err)
{
    autoclose int file =
        open (fs->source, (fs->readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        return error_errno (err, ERR_OPEN_FAILED, "filesystem '%s': open '%s'", fs->target,
                            fs->source);
    if (check_unused (fs, file, err))
        return -1;
    autoclose int control = open ("/dev/loop-control", O_RDWR | O_CLOEXEC);
    if (control < 0)
        return error_errno (err, ERR_OPERATION_UNSUPPORTED,
                            "not supported: filesystem '%s' of type 'file' on a host without loop "
                            "devices: /dev/loop-control",
                            fs->target);
    return attach (fs, control, file, err);
}

//  O_EXCL: not one that is mounted, or part of something else.
static int open_device (container_fs_t *fs, error_t *err)
{
    snprintf (fs->device, sizeof fs->device, "%s", fs->source);
    autoclose int fd = open (fs->source, O_RDONLY | O_EXCL | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_errno (err, ERR_OPEN_FAILED, "filesystem '%s': open '%s'%s", fs->target,
                            fs->source, errno == EBUSY ? ", which is in use" : "");
    //  Its own mount would find it in use by this.
    return open (fs->source, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

//  What the file system itself says, if it does.
static int refuse (const container_fs_t *fs, int context, error_t *err)
{
    char text[256] = "";
    int number = errno;
    ssize_t size = context < 0 ? -1 : read (context, text, sizeof text - 1);
    text[size > 0 ? size : 0] = 0;
    text[strcspn (text, "\n")] = 0;
    errno = number;
    return error_errno (err, ERR_OPERATION_FAILED, "filesystem '%s': mount '%s' as %s%s%s",
                        fs->target, fs->source, fs->type, *text ? ": " : "",
                        *text ? text + 2 * (text[1] == ' ') : "");
}

int container_disk_mount (const container_fs_t *fs, error_t *err)
{
    const unsigned attributes = MOUNT_ATTR_NODEV | (fs->readonly ? MOUNT_ATTR_RDONLY : 0);
    autoclose int context = fsopen (fs->type, FSOPEN_CLOEXEC);
    if (context < 0 || fsconfig (context, FSCONFIG_SET_STRING, "source", fs->device, 0) ||
        (fs->readonly && fsconfig (context, FSCONFIG_SET_FLAG, "ro", NULL, 0)) ||
        fsconfig (context, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
        return refuse (fs, context, err);
    int tree = fsmount (context, FSMOUNT_CLOEXEC, attributes);
    return tree < 0 ? refuse (fs, context, err) : tree;
}

static int open_one (container_fs_t *fs, error_t *err)
{
    if (fs->kind != CONTAINER_FILE && fs->kind != CONTAINER_BLOCK)
        return 0;
    autoclose int device =
        fs->kind == CONTAINER_FILE ? open_image (fs, err) : open_device (fs, err);
    if (device < 0 || container_disk_probe (fs, device, err))
        return -1;
    fs->kept = container_disk_mount (fs, err);
    return fs->kept < 0 ? -1 : 0;
}

int container_disks_open (container_spec_t *spec, error_t *err)
{
    for (size_t i = 0; i < spec->filesystem_count; i++)
        if (open_one (&spec->filesystems[i], err))
            return -1;
    return 0;
}
