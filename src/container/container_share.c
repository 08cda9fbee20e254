//  container_share.c: see container_share.h. (setns(2), pidfd_open(2).)

#include "container/container_share.h"
#include "util/auto.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>

//  The descriptor names exactly that process, or that namespace, whatever its pid or its path is
//  by now. The kernel finds by itself what of a process it is to be.
static int open_one (const container_share_t *share, error_t *err)
{
    if (!*share->path)
        return process_open (&share->process, err);
    int fd = open (share->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        error_errno (err, ERR_OPERATION_FAILED, "open '%s'", share->path);
    return fd;
}

//  ESRCH: the process has ended since.
static int refuse (const container_share_t *share, error_t *err)
{
    if (errno == ESRCH)
        return error_set (err, ERR_OPERATION_FAILED, "%s: it is not running", share->what);
    return error_errno (err, ERR_OPERATION_FAILED, "%s: enter its namespace", share->what);
}

int container_share_enter (const container_spec_t *spec, error_t *err)
{
    for (size_t i = 0; i < spec->share_count; i++) {
        const container_share_t *share = &spec->shares[i];
        autoclose int fd = open_one (share, err);
        if (fd < 0)
            return error_prefix (err, "%s", share->what);
        if (setns (fd, share->flag))
            return refuse (share, err);
    }
    return 0;
}
