//  device.c: opens the character devices behind a guest's network.

#include "util/device.h"
#include "util/auto.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define TUN_PATH "/dev/net/tun"
#define NODE_FOLDER "/dev/troupe-"
#define NODE_TRIES 10
#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static const char *const kinds[] = { "file", "tap", "tap-queue", "macvtap" };

enum {
    KINDS = sizeof kinds / sizeof *kinds
};

char *device_text (const device_t *device)
{
    char *text = NULL;
    if (asprintf (&text, "%s:%" PRIu32 ":%s", kinds[device->kind], device->ifindex, device->name) <
        0)
        abort ();
    return text;
}

device_kind_t device_kind_by_name (const char *name)
{
    for (size_t i = 0; name && i < KINDS; i++)
        if (strcmp (kinds[i], name) == 0)
            return (device_kind_t) i;
    return DEVICE_FILE;
}

static bool is_complete (const device_t *device)
{
    const size_t size = strlen (device->name);
    if (device->kind == DEVICE_FILE)
        return device->name[0] == '/' && device->ifindex == 0;
    return size > 0 && size < IFNAMSIZ && !strchr (device->name, '/') && device->ifindex > 0;
}

bool device_read (const char *text, device_t *device)
{
    char kind[16];
    int name_at = 0;
    if (sscanf (text, "%15[a-z-]:%" SCNu32 ":%n", kind, &device->ifindex, &name_at) != 2 ||
        name_at == 0)
        return false;
    device->name = text + name_at;
    device->kind = device_kind_by_name (kind);
    return strcmp (kinds[device->kind], kind) == 0 && is_complete (device);
}

//  Names can be given to other links at any time; an open queue stays with its own.
static int check_link (int fd, const device_t *device, error_t *err)
{
    struct ifreq request = { 0 };
    autoclose int socket_fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket_fd < 0 || ioctl (fd, TUNGETIFF, &request) ||
        ioctl (socket_fd, SIOCGIFINDEX, &request))
        return error_errno (err, ERR_OPEN_FAILED, "open the link '%s'", device->name);
    if ((uint32_t) request.ifr_ifindex == device->ifindex)
        return 0;
    return error_set (err, ERR_OPEN_FAILED,
                      "open the link '%s': it has the index %d, not %" PRIu32
                      "; another link was given its name",
                      device->name, request.ifr_ifindex, device->ifindex);
}

//  The link has to be there: otherwise this would make a new one, which goes with the descriptor.
static int open_tap (const device_t *device, error_t *err)
{
    struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
    if (device->kind == DEVICE_TAP_QUEUE)
        request.ifr_flags |= IFF_MULTI_QUEUE;
    strcpy (request.ifr_name, device->name);
    const int fd = open (TUN_PATH, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return error_errno (err, ERR_OPEN_FAILED,
                            "open " TUN_PATH " for the link '%s' (is the kernel's module tun "
                            "loaded?)",
                            device->name);
    if (ioctl (fd, TUNSETIFF, &request)) {
        error_errno (err, ERR_OPEN_FAILED, "open a queue of the link '%s'", device->name);
        close (fd);
        return -1;
    }
    return fd;
}

//  The kernel's own word on which device it is, "MAJOR:MINOR".
static int find_macvtap (const device_t *device, dev_t *number, error_t *err)
{
    unsigned major, minor;
    char path[128], line[32] = "";
    snprintf (path, sizeof path, "/sys/class/net/%s/macvtap/tap%" PRIu32 "/dev", device->name,
              device->ifindex);
    autoclose int file = open (path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || read (file, line, sizeof line - 1) < 0 ||
        sscanf (line, "%u:%u", &major, &minor) != 2)
        return error_set (err, ERR_OPEN_FAILED,
                          "open the link '%s': there is neither /dev/tap%" PRIu32 " nor %s",
                          device->name, device->ifindex, path);
    *number = makedev (major, minor);
    return 0;
}

static void remove_node (int folder_fd, const char *folder)
{
    unlinkat (folder_fd, "tap", 0);
    rmdir (folder);
}

//  What somebody left who was killed: his lock went with him.
static void sweep_nodes (void)
{
    glob_t found;
    if (glob (NODE_FOLDER "??????", GLOB_ONLYDIR, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++) {
            autoclose int fd = open (found.gl_pathv[i], FOLDER_FLAGS);
            if (fd >= 0 && flock (fd, LOCK_EX | LOCK_NB) == 0)
                remove_node (fd, found.gl_pathv[i]);
        }
    globfree (&found);
}

//  Whoever sweeps may take it for a left one before it is locked: then it is tried again.
static int make_node (char *folder, dev_t number)
{
    strcpy (folder, NODE_FOLDER "XXXXXX");
    if (!mkdtemp (folder))
        return -1;
    autoclose int fd = open (folder, FOLDER_FLAGS);
    if (fd >= 0 && flock (fd, LOCK_EX | LOCK_NB) == 0 &&
        mknodat (fd, "tap", S_IFCHR | 0600, number) == 0) {
        int made = fd;
        fd = -1;
        return made;
    }
    int cause = errno == EWOULDBLOCK ? ENOENT : errno;
    rmdir (folder);
    errno = cause;
    return -1;
}

//  Where udev does not make /dev/tapN, as in a container.
static int open_macvtap_node (const device_t *device, error_t *err)
{
    dev_t number = 0;
    char folder[sizeof NODE_FOLDER + 6];
    if (find_macvtap (device, &number, err))
        return -1;
    sweep_nodes ();
    autoclose int folder_fd = make_node (folder, number);
    for (int i = 0; folder_fd < 0 && errno == ENOENT && i < NODE_TRIES; i++)
        folder_fd = make_node (folder, number);
    if (folder_fd < 0)
        return error_errno (err, ERR_OPEN_FAILED, "open the link '%s': make a device node in /dev",
                            device->name);
    int fd = openat (folder_fd, "tap", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        error_errno (err, ERR_OPEN_FAILED, "open the link '%s'", device->name);
    remove_node (folder_fd, folder);
    return fd;
}

static int open_macvtap (const device_t *device, error_t *err)
{
    char path[32];
    snprintf (path, sizeof path, "/dev/tap%" PRIu32, device->ifindex);
    const int fd = open (path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return open_macvtap_node (device, err);
    if (fd < 0)
        return error_errno (err, ERR_OPEN_FAILED, "open '%s' of the link '%s'", path, device->name);
    return fd;
}

static int open_file (const device_t *device, error_t *err)
{
    struct stat status;
    if (stat (device->name, &status) == 0 && !S_ISCHR (status.st_mode))
        return error_set (err, ERR_OPEN_FAILED, "open '%s': it is no character device",
                          device->name);
    const int fd = open (device->name, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return error_errno (err, ERR_OPEN_FAILED, "open the device '%s'", device->name);
    return fd;
}

int device_open (const device_t *device, error_t *err)
{
    static int (*const openers[KINDS]) (const device_t *device, error_t *err) = {
        [DEVICE_FILE] = open_file,
        [DEVICE_TAP] = open_tap,
        [DEVICE_TAP_QUEUE] = open_tap,
        [DEVICE_MACVTAP] = open_macvtap,
    };
    const int fd = openers[device->kind](device, err);
    if (fd >= 0 && device->kind != DEVICE_FILE && check_link (fd, device, err)) {
        close (fd);
        return -1;
    }
    return fd;
}
