//  netns.c: see netns.h.

#include "drivers/net/netns.h"

#include "util/process.h"
#include "util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

static int open_path (const char *path, error_t *err)
{
    autoclose int fd = open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return error_errno (err, ERR_OPERATION_FAILED, "open the network namespace '%s'", path);
    if (ioctl (fd, NS_GET_NSTYPE) != CLONE_NEWNET)
        return error_set (err, ERR_INVALID_ARG, "open the network namespace '%s': it is none",
                          path);
    int result = fd;
    fd = -1;
    return result;
}

//  By pid: if it is that process afterwards, it was when its namespace was opened.
static int open_process (const char *text, error_t *err)
{
    process_t process;
    char path[64];
    if (!process_from_text (text, &process))
        return error_set (err, ERR_INVALID_ARG,
                          "open the network namespace of process '%s': not PID:START:BOOTID", text);
    snprintf (path, sizeof path, "/proc/%d/ns/net", (int) process.pid);
    autoclose int before = process_open (&process, err);
    autoclose int fd = before < 0 ? -1 : open_path (path, err);
    autoclose int after = fd < 0 ? -1 : process_open (&process, err);
    if (after < 0)
        return -1;
    int result = fd;
    fd = -1;
    return result;
}

int netns_open (const char *process, const char *path, error_t *err)
{
    if (process)
        return open_process (process, err);
    if (!text_starts (path, "/run/") && !text_starts (path, "/proc/") &&
        !text_starts (path, "/var/run/"))
        return error_set (err, ERR_INVALID_ARG,
                          "open the network namespace '%s': name it below /run/netns, or as "
                          "/proc/PID/ns/net",
                          path);
    return open_path (path, err);
}

uint64_t netns_own (void)
{
    struct stat status;
    return stat ("/proc/thread-self/ns/net", &status) == 0 ? status.st_ino : 0;
}
