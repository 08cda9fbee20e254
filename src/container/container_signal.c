//  container_signal.c: see container_signal.h. The process is found from outside, so nothing of
//  ours is ever in the container for it: a helper there could be seen, and be traced. (proc(5),
//  NSpid; ioctl_ns(2); pidfd_open(2).)

#include "container/container_signal.h"
#include "util/auto.h"
#include "util/file.h"
#include "util/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    STATUS_MAX_BYTES = 64 * 1024,
    MAX_DEPTH = 32 //  of pid namespaces, the kernel's limit
};

//  The pid at LEVEL of namespaces, the host's being 0; 0: the process is in none so deep. *DEPTH:
//  how many levels it has.
static pid_t pid_at (pid_t pid, size_t level, size_t *depth)
{
    error_t ignored;
    autofree char *path = text_format ("/proc/%d/status", (int) pid);
    autofree char *status = file_read (path, STATUS_MAX_BYTES, NULL, &ignored);
    char *line = status ? strstr (status, "\nNSpid:") : NULL, *end;
    pid_t found = 0;
    *depth = 0;
    for (char *at = line ? line + strlen ("\nNSpid:") : NULL; at; at = end) {
        long number = strtol (at, &end, 10);
        if (end == at || *at == '\n')
            break;
        if ((*depth)++ == level)
            found = (pid_t) number;
        if (*end == '\n')
            break;
    }
    return found;
}

static int open_space (pid_t pid)
{
    autofree char *path = text_format ("/proc/%d/ns/pid", (int) pid);
    return open (path, O_RDONLY | O_CLOEXEC);
}

//  Is the process in the namespace SPACE, or in one below it?
static bool is_inside (pid_t pid, const struct stat *space)
{
    int fd = open_space (pid);
    for (int depth = 0; fd >= 0 && depth < MAX_DEPTH; depth++) {
        struct stat status;
        bool same = fstat (fd, &status) == 0 && status.st_ino == space->st_ino &&
                    status.st_dev == space->st_dev;
        int parent = same ? -1 : ioctl (fd, NS_GET_PARENT);
        close (fd);
        if (same)
            return true;
        fd = parent;
    }
    if (fd >= 0)
        close (fd);
    return false;
}

//  What it is told is for the process that was looked at: its descriptor came before. 1: it is
//  another one.
static int signal_if (pid_t candidate, pid_t wanted, size_t level, const struct stat *space,
                      int number, error_t *err)
{
    size_t depth;
    if (pid_at (candidate, level, &depth) != wanted)
        return 1;
    autoclose int process = (int) syscall (SYS_pidfd_open, candidate, 0);
    if (process < 0 || pid_at (candidate, level, &depth) != wanted || !is_inside (candidate, space))
        return 1;
    if (syscall (SYS_pidfd_send_signal, process, number, NULL, 0) == 0)
        return 0;
    return error_errno (err, errno == EINVAL ? ERR_INVALID_ARG : ERR_OPERATION_FAILED,
                        "send signal %d to process %d of the container", number, (int) wanted);
}

int container_signal (pid_t init, pid_t pid, int number, error_t *err)
{
    size_t depth;
    struct stat space;
    autoclose int own = open_space (init);
    if (own < 0 || fstat (own, &space))
        return error_errno (err, ERR_SYSTEM_ERROR, "look at the container's processes");
    pid_at (init, 0, &depth);
    DIR *folder = opendir ("/proc");
    if (!folder)
        return error_errno (err, ERR_SYSTEM_ERROR, "list the host's processes");
    int rc = 1;
    for (struct dirent *entry; rc > 0 && (entry = readdir (folder));) {
        uint64_t candidate;
        if (text_to_u64 (entry->d_name, &candidate) && depth > 0)
            rc = signal_if ((pid_t) candidate, pid, depth - 1, &space, number, err);
    }
    closedir (folder);
    return rc <= 0 ? rc
                   : error_set (err, ERR_INVALID_ARG, "the container has no process %d", (int) pid);
}
