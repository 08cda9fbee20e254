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

int netns_of_process (const char *text, pid_t *pid, error_t *err)
{
    process_t process;
    if (!process_from_text (text, &process))
        return error_set (err, ERR_INVALID_ARG,
                          "find the network namespace of process '%s': not PID:START:BOOTID", text);
    autoclose int fd = process_open (&process, err);
    *pid = process.pid;
    return fd < 0 ? -1 : 0;
}

int netns_open (const char *path, error_t *err)
{
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
