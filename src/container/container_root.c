//  container_root.c: the file systems of a container: what of the host it sees, and what of the
//  kernel. (mount_namespaces(7), pivot_root(2), mount_setattr(2), proc(5).)

#include "container/container_disk.h"
#include "container/container_root.h"
#include "util/auto.h"
#include "util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PROC_FLAGS (MS_NOSUID | MS_NODEV | MS_NOEXEC)

//  What the kernel tells or lets itself be told there concerns the host as a whole.
static const char *const read_only[] = { "/proc/sys",  "/proc/sysrq-trigger",
                                         "/proc/irq",  "/proc/bus",
                                         "/proc/fs",   "/proc/asound",
                                         "/proc/scsi", "/proc/mtrr" };
static const char *const hidden[] = {
    "/proc/kcore",       "/proc/keys",         "/proc/key-users", "/proc/latency_stats",
    "/proc/timer_list",  "/proc/sched_debug",  "/proc/kmsg",      "/proc/kpagecount",
    "/proc/kpageflags",  "/proc/kpagecgroup",  "/proc/acpi",      "/sys/firmware",
    "/sys/kernel/debug", "/sys/kernel/tracing"
};

int container_root_make_folder (const char *path, error_t *err)
{
    autofree char *whole = text_copy (path);
    for (char *at = whole + 1; at && *at;) {
        char *slash = strchr (at, '/');
        if (slash)
            *slash = 0;
        if (mkdir (whole, 0755) && errno != EEXIST)
            return error_errno (err, ERR_SYSTEM_ERROR, "make the folder '%s' in the container",
                                whole);
        if (slash)
            *slash = '/';
        at = slash ? slash + 1 : NULL;
    }
    return 0;
}

int container_root_set (const char *path, uint64_t attributes, bool recursive, error_t *err)
{
    struct mount_attr set = { .attr_set = attributes };
    if (mount_setattr (AT_FDCWD, path, recursive ? AT_RECURSIVE : 0, &set, sizeof set))
        return error_errno (err, ERR_SYSTEM_ERROR, "protect '%s' in the container", path);
    return 0;
}

//  The folder and what is mounted below it, without devices: those that somebody made there, or
//  makes from inside, are files only.
static int clone_tree (const char *source, error_t *err)
{
    struct mount_attr set = { .attr_set = MOUNT_ATTR_NODEV, .propagation = MS_PRIVATE };
    autoclose int tree = open_tree (
        AT_FDCWD, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW);
    if (tree < 0)
        return error_errno (err, ERR_SYSTEM_ERROR, "filesystem '%s': open it", source);
    if (mount_setattr (tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &set, sizeof set))
        return error_errno (err, ERR_SYSTEM_ERROR, "filesystem '%s': keep devices out", source);
    int result = tree;
    tree = -1;
    return result;
}

//  It is made beforehand, and then only moved to its place.
static bool has_tree (const container_fs_t *fs)
{
    return fs->kind == CONTAINER_MOUNT || fs->kind == CONTAINER_FILE || fs->kind == CONTAINER_BLOCK;
}

//  While the host's files are still to be seen.
static int clone_sources (const container_spec_t *spec, int *trees, error_t *err)
{
    for (size_t i = 0; i < spec->filesystem_count; i++) {
        const container_fs_t *fs = &spec->filesystems[i];
        trees[i] = -1;
        if (!has_tree (fs))
            continue;
        trees[i] = fs->kind == CONTAINER_MOUNT ? clone_tree (fs->source, err)
                                               : container_disk_mount (fs, err);
        if (trees[i] < 0)
            return -1;
    }
    return 0;
}

//  The old root is stacked below the new one, and taken away.
static int pivot (const char *source, int tree, error_t *err)
{
    if (move_mount (tree, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) || fchdir (tree) ||
        syscall (SYS_pivot_root, ".", ".") || umount2 (".", MNT_DETACH) || chdir ("/"))
        return error_errno (err, ERR_SYSTEM_ERROR, "make '%s' the container's root", source);
    return 0;
}

//  A link there would have something else mounted over.
static int check_folder (const char *path, error_t *err)
{
    struct stat status;
    if (lstat (path, &status) == 0 && S_ISDIR (status.st_mode))
        return 0;
    return error_set (err, ERR_OPERATION_FAILED,
                      "the container's root: '%s' in it is no folder; make it one", path);
}

//  As long as the root can be written.
static int make_mount_points (const container_spec_t *spec, error_t *err)
{
    static const char *const own[] = { "/proc", "/sys", "/dev" };
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (container_root_make_folder (own[i], err) || check_folder (own[i], err))
            return -1;
    for (size_t i = 1; i < spec->filesystem_count; i++)
        if (!text_starts (spec->filesystems[i].target, "/dev/") &&
            container_root_make_folder (spec->filesystems[i].target, err))
            return -1;
    return spec->filesystems[0].readonly ? container_root_set ("/", MOUNT_ATTR_RDONLY, true, err)
                                         : 0;
}

static int mount_one (const char *type, const char *path, unsigned long flags, const char *options,
                      error_t *err)
{
    if (mount (type, path, type, flags, options))
        return error_errno (err, ERR_SYSTEM_ERROR, "mount %s at '%s' in the container", type, path);
    return 0;
}

//  A place that this kernel does not have needs no protection.
static int bind (const char *source, const char *path, error_t *err)
{
    if (mount (source, path, NULL, MS_BIND | MS_REC, NULL) == 0)
        return 0;
    return error_errno (err, ERR_SYSTEM_ERROR, "bind '%s' to '%s' in the container", source, path);
}

static int hide (const char *path, error_t *err)
{
    struct stat status;
    if (lstat (path, &status))
        return errno == ENOENT ? 0 : error_errno (err, ERR_SYSTEM_ERROR, "look at '%s'", path);
    if (S_ISDIR (status.st_mode))
        return mount_one ("tmpfs", path, PROC_FLAGS | MS_RDONLY, "size=0,mode=0555", err);
    return bind ("/dev/null", path, err);
}

static int protect_kernel (error_t *err)
{
    for (size_t i = 0; i < sizeof read_only / sizeof *read_only; i++) {
        if (access (read_only[i], F_OK) && errno == ENOENT)
            continue;
        if (bind (read_only[i], read_only[i], err) ||
            container_root_set (read_only[i], MOUNT_ATTR_RDONLY, true, err))
            return -1;
    }
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        if (hide (hidden[i], err))
            return -1;
    return 0;
}

static int mount_kernel (error_t *err)
{
    return mount_one ("proc", "/proc", PROC_FLAGS, NULL, err) ||
                   mount_one ("sysfs", "/sys", PROC_FLAGS | MS_RDONLY, NULL, err)
               ? -1
               : 0;
}

static int mount_filesystem (const container_fs_t *fs, int tree, error_t *err)
{
    autofree char *options = text_format ("size=%ju,mode=0755", (uintmax_t) fs->bytes);
    //  It may be below another one, whose files came just now.
    if (container_root_make_folder (fs->target, err))
        return -1;
    if (fs->kind == CONTAINER_BIND && bind (fs->source, fs->target, err))
        return -1;
    if (fs->kind == CONTAINER_RAM &&
        mount_one ("tmpfs", fs->target, MS_NOSUID | MS_NODEV, options, err))
        return -1;
    if (has_tree (fs) && move_mount (tree, "", AT_FDCWD, fs->target, MOVE_MOUNT_F_EMPTY_PATH))
        return error_errno (err, ERR_SYSTEM_ERROR, "mount '%s' at '%s' in the container",
                            fs->source, fs->target);
    return fs->readonly ? container_root_set (fs->target, MOUNT_ATTR_RDONLY, true, err) : 0;
}

static int mount_filesystems (const container_spec_t *spec, const int *trees, error_t *err)
{
    for (size_t i = 1; i < spec->filesystem_count; i++)
        if (mount_filesystem (&spec->filesystems[i], trees[i], err))
            return -1;
    return 0;
}

static int enter (const container_spec_t *spec, int *trees, error_t *err)
{
    //  From here on nothing that is mounted reaches the host.
    if (mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
        return error_errno (err, ERR_SYSTEM_ERROR, "part the container's mounts from the host's");
    bool failed =
        clone_sources (spec, trees, err) || pivot (spec->filesystems[0].source, trees[0], err) ||
        make_mount_points (spec, err) || mount_kernel (err) || container_dev_mount (spec, err) ||
        protect_kernel (err) || mount_filesystems (spec, trees, err);
    return failed ? -1 : 0;
}

int container_root_enter (const container_spec_t *spec, error_t *err)
{
    //  The descriptors end with the program that is executed, or with this process.
    autofree int *trees = memory_new (spec->filesystem_count, sizeof *trees);
    mode_t mask = umask (0);
    int rc = enter (spec, trees, err);
    umask (mask);
    return rc;
}
