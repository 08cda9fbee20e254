//  container_dev.c: a container's /dev: the devices that every program may expect, and none of the
//  host's. (libvirt's "LXC container driver" page lists them.)

#include "container/container_idmap.h"
#include "container/container_root.h"
#include "util/auto.h"
#include "util/file.h"
#include "util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define TTY_GROUP 5 //  of Debian, Fedora and most others
#define TERMINAL_OPTIONS "newinstance,ptmxmode=0666,mode=0620"

//  admin-guide/devices.rst of the kernel.
static const struct {
    const char *path;
    unsigned major, minor;
} nodes[] = {
    { "/dev/null", 1, 3 },   { "/dev/zero", 1, 5 },    { "/dev/full", 1, 7 },
    { "/dev/random", 1, 8 }, { "/dev/urandom", 1, 9 }, { "/dev/tty", 5, 0 },
};

static const char *const links[][2] = {
    { "pts/ptmx", "/dev/ptmx" },          { "/proc/self/fd", "/dev/fd" },
    { "/proc/self/fd/0", "/dev/stdin" },  { "/proc/self/fd/1", "/dev/stdout" },
    { "/proc/self/fd/2", "/dev/stderr" },
};

static const struct {
    const char *path, *type, *options;
    unsigned long flags;
} mounts[] = {
    { "/dev/shm", "tmpfs", "mode=1777", MS_NOSUID | MS_NODEV | MS_NOEXEC },
    { "/dev/mqueue", "mqueue", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC },
};

//  Each is a mount of its own, so that /dev itself can be one without devices: a node that is made
//  from inside is of no use. They are the container's nodes, not the host's: their mode and owner
//  may be changed.
static int make_node (const char *path, mode_t mode, unsigned major_number, unsigned minor_number,
                      error_t *err)
{
    if (mknod (path, mode, makedev (major_number, minor_number)) ||
        mount (path, path, NULL, MS_BIND, NULL))
        return error_errno (err, ERR_SYSTEM_ERROR, "make the device '%s' of the container", path);
    return 0;
}

//  Of the host's that it is given, which only its root may open, until that says otherwise.
static int make_given (const container_spec_t *spec, error_t *err)
{
    for (size_t i = 0; i < spec->device_count; i++) {
        const container_device_t *device = &spec->devices[i];
        autofree char *folder = file_folder (device->path);
        if (container_root_make_folder (folder, err) ||
            make_node (device->path, (device->block ? S_IFBLK : S_IFCHR) | 0600, device->major,
                       device->minor, err))
            return -1;
    }
    return 0;
}

static int make_nodes (const container_spec_t *spec, error_t *err)
{
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++)
        if (make_node (nodes[i].path, S_IFCHR | 0666, nodes[i].major, nodes[i].minor, err))
            return -1;
    if (make_given (spec, err))
        return -1;
    return container_root_set ("/dev", MOUNT_ATTR_NODEV, false, err);
}

static int make_link (const char *to, const char *path, error_t *err)
{
    if (symlink (to, path))
        return error_errno (err, ERR_SYSTEM_ERROR, "make the link '%s' of the container", path);
    return 0;
}

//  The first pty is the console, and the first terminal.
static int make_terminals (const container_spec_t *spec, error_t *err)
{
    if (spec->consoles[0] && make_link ("pts/0", "/dev/console", err))
        return -1;
    for (int i = 0; spec->consoles[i]; i++) {
        autofree char *pty = text_format ("pts/%d", i);
        autofree char *path = text_format ("/dev/tty%d", i + 1);
        if (make_link (pty, path, err))
            return -1;
    }
    return 0;
}

static int mount_one (const char *path, const char *type, const char *options, unsigned long flags,
                      error_t *err)
{
    if (mkdir (path, 0755) || mount (type, path, type, flags, options))
        return error_errno (err, ERR_SYSTEM_ERROR, "mount %s at '%s' in the container", type, path);
    return 0;
}

//  The kernel reads the group as this process's: one of the host.
static int mount_terminals (const container_spec_t *spec, error_t *err)
{
    int64_t group = *spec->gid_map ? container_idmap_find (spec->gid_map, TTY_GROUP) : TTY_GROUP;
    autofree char *options = group < 0
                                 ? text_copy (TERMINAL_OPTIONS)
                                 : text_format (TERMINAL_OPTIONS ",gid=%jd", (intmax_t) group);
    return mount_one ("/dev/pts", "devpts", options, MS_NOSUID | MS_NOEXEC, err);
}

static int mount_parts (const container_spec_t *spec, error_t *err)
{
    for (size_t i = 0; i < sizeof mounts / sizeof *mounts; i++)
        if (mount_one (mounts[i].path, mounts[i].type, mounts[i].options, mounts[i].flags, err))
            return -1;
    return mount_terminals (spec, err);
}

int container_dev_mount (const container_spec_t *spec, error_t *err)
{
    if (mount ("tmpfs", "/dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "size=64k,mode=0755"))
        return error_errno (err, ERR_SYSTEM_ERROR, "mount /dev of the container");
    if (make_nodes (spec, err) || mount_parts (spec, err) || make_terminals (spec, err))
        return -1;
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        if (make_link (links[i][0], links[i][1], err))
            return -1;
    return 0;
}
