//  lent.c: see lent.h.

#include "util/lent.h"
#include "util/auto.h"
#include "util/text.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX "lent:"

char *lent_text (int fd)
{
    struct stat status;
    if (fstat (fd, &status))
        return NULL;
    return text_format (PREFIX "%d:%" PRIx64 ":%" PRIx64, fd, (uint64_t) status.st_dev,
                        (uint64_t) status.st_ino);
}

bool lent_is (const char *text)
{
    return text_starts (text, PREFIX);
}

int lent_open (const char *text, error_t *err)
{
    int fd = -1;
    uint64_t device = 0, inode = 0;
    struct stat status;
    bool read = sscanf (text, PREFIX "%d:%" SCNx64 ":%" SCNx64, &fd, &device, &inode) == 3;
    //  Looked at once it is ours: before, its owner could close it in between.
    autoclose int copy = read ? fcntl (fd, F_DUPFD_CLOEXEC, 3) : -1;
    if (copy < 0 || fstat (copy, &status) || status.st_dev != device || status.st_ino != inode)
        return error_set (err, ERR_OPERATION_ABORTED,
                          "the descriptor that came with the call is closed: its client went");
    int own = copy;
    copy = -1;
    return own;
}
