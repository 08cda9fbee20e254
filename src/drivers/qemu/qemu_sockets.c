//  qemu_sockets.c: see qemu_sockets.h.

#include "drivers/qemu/qemu_sockets.h"

#include "drivers/qemu/command/qemu_complete.h"
#include "drivers/qemu/qemu_start.h"
#include "util/file.h"
#include "util/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define TABLE_MAX_BYTES (64u << 20)
#define LISTENS 0x10000ul //  of a socket's flags there: __SO_ACCEPTCON

//  The path at which QEMU makes a socket for DEVICE; NULL: it makes none, or that of a serial port
//  which is the console too.
static const char *socket_of (const xml_node_t *device)
{
    if (xml_is (device, "graphics"))
        return xml_string (device, "listen/@socket");
    bool peer = xml_equals (device, "@type", "vhostuser");
    bool is_port = xml_is (device, "console") && xml_equals (device, "target/@type", "serial");
    bool listens = peer ? xml_equals (device, "source/@mode", "server")
                        : xml_equals (device, "@type", "unix") &&
                              !xml_equals (device, "source/@mode", "connect");
    return listens && !is_port ? xml_string (device, "source/@path") : NULL;
}

//  As the kernel reads them, "//" is "/".
static bool is_same_path (const char *a, const char *b)
{
    for (; *a == *b; a++, b++) {
        if (!*a)
            return true;
        while (*a == '/' && a[1] == '/')
            a++;
        while (*b == '/' && b[1] == '/')
            b++;
    }
    return false;
}

int qemu_sockets_check_once (const xml_node_t *device, error_t *err)
{
    const char *path = socket_of (device);
    char name[128], other[128];
    xml_foreach (before, path ? device->parent : NULL, NULL) {
        if (before == device)
            break;
        const char *taken = socket_of (before);
        if (!taken || !is_same_path (path, taken))
            continue;
        qemu_device_name (device, name);
        qemu_device_name (before, other);
        return error_set (err, ERR_XML_ERROR,
                          "%s: %s listens at the same socket '%s'; give one of them another path",
                          name, other, path);
    }
    return 0;
}

//  Both without links. A folder that is not there holds nothing.
static bool is_below (const char *path, const char *folder)
{
    autofree char *parent = file_folder (path);
    autofree char *real = realpath (parent, NULL), *top = realpath (folder, NULL);
    size_t size = top ? strlen (top) : 0;
    return real && top && text_starts (real, top) && (!real[size] || real[size] == '/');
}

static bool is_same_file (const char *a, const struct stat *status)
{
    struct stat other;
    return stat (a, &other) == 0 && other.st_dev == status->st_dev &&
           other.st_ino == status->st_ino;
}

static const char *last_part (const char *path)
{
    const char *slash = strrchr (path, '/');
    return slash ? slash + 1 : path;
}

//  A line is "ADDRESS: references protocol flags type state inode path", and then comes the REST,
//  of which sscanf would take the length each time.
static bool is_listener (const char *rest, const char *path, const struct stat *status)
{
    unsigned long flags = 0;
    int at = 0;
    autofree char *line = text_copy_bytes (rest, strcspn (rest, "\n"));
    if (sscanf (line, "%*x: %*x %*x %lx %*x %*x %*u %n", &flags, &at) != 1 || !at ||
        !(flags & LISTENS) || line[at] != '/')
        return false;
    const char *bound = line + at;
    return strcmp (last_part (bound), last_part (path)) == 0 && is_same_file (bound, status);
}

//  A socket that nobody listens at any more may go.
static int find_listener (const char *path, bool *there, error_t *err)
{
    struct stat status;
    *there = false;
    if (stat (path, &status) || !S_ISSOCK (status.st_mode))
        return 0;
    autofree char *table = file_read ("/proc/net/unix", TABLE_MAX_BYTES, NULL, err);
    if (!table)
        return -1;
    for (const char *line = table; line && !*there; line = strchr (line, '\n')) {
        line += *line == '\n';
        *there = is_listener (line, path, &status);
    }
    return 0;
}

int qemu_sockets_check_free (const job_t *job, const xml_node_t *device, error_t *err)
{
    bool there;
    char name[128];
    const char *path = socket_of (device);
    if (!path)
        return 0;
    autofree char *own = qemu_folder_path (job);
    qemu_device_name (device, name);
    if (is_below (path, job->paths->run) && !is_below (path, own))
        return error_set (err, ERR_OPERATION_INVALID,
                          "%s: its socket '%s' is in the daemon's own folder '%s'; give it "
                          "another path",
                          name, path, job->paths->run);
    if (find_listener (path, &there, err))
        return -1;
    return there ? error_set (err, ERR_OPERATION_INVALID,
                              "%s: another program, or another guest, listens at its socket '%s'; "
                              "give it another path",
                              name, path)
                 : 0;
}

int qemu_sockets_check_all (const job_t *job, error_t *err)
{
    xml_foreach (device, xml_find (xml_root (job->guest->live), "devices"), NULL)
        if (qemu_sockets_check_free (job, device, err))
            return -1;
    return 0;
}

int qemu_sockets_no_peer (const char *socket, int ms, error_t *err)
{
    return error_set (err, ERR_OPERATION_TIMEOUT,
                      "no peer came to the interface's socket within %d s (%s); start the peer "
                      "first, which connects to it",
                      ms / 1000, socket);
}
