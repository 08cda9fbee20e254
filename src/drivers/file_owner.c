//  file_owner.c: see file_owner.h.

#include "drivers/file_owner.h"

#include "util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define NS_OF_S 1000000000

typedef struct {
    unsigned uid, gid;
    uint64_t device, inode;
    int64_t born;
    const char *path;
    bool known; //  which file it is
} file_owner_t;

static int look (int fd, file_owner_t *owner)
{
    struct statx status;
    if (statx (fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &status))
        return -1;
    *owner = (file_owner_t){ .uid = status.stx_uid,
                             .gid = status.stx_gid,
                             .device = makedev (status.stx_dev_major, status.stx_dev_minor),
                             .inode = status.stx_ino,
                             .known = true };
    if (status.stx_mask & STATX_BTIME)
        owner->born = status.stx_btime.tv_sec * NS_OF_S + status.stx_btime.tv_nsec;
    return 0;
}

//  To overlayfs a file of a lower layer is another one once it was changed in any way: so it is
//  before it is looked at. Who must not change it will be refused the owner as well.
static void settle (int fd)
{
    if (fchownat (fd, "", (uid_t) -1, (gid_t) -1, AT_EMPTY_PATH))
        errno = 0;
}

char *file_owner_note (int fd, const char *path, error_t *err)
{
    file_owner_t owner;
    settle (fd);
    if (look (fd, &owner)) {
        error_errno (err, ERR_SYSTEM_ERROR, "look at '%s'", path);
        return NULL;
    }
    return text_format ("%u:%u:%" PRIu64 ":%" PRIu64 ":%" PRId64 ":%s", owner.uid, owner.gid,
                        owner.device, owner.inode, owner.born, path);
}

static bool read_note (const char *note, file_owner_t *owner)
{
    int at = 0;
    *owner = (file_owner_t){ 0 };
    owner->known = sscanf (note, "%u:%u:%" SCNu64 ":%" SCNu64 ":%" SCNd64 ":%n", &owner->uid,
                           &owner->gid, &owner->device, &owner->inode, &owner->born, &at) == 5 &&
                   at;
    if (!owner->known && sscanf (note, "%u:%u:%n", &owner->uid, &owner->gid, &at) != 2)
        return false;
    owner->path = note + at;
    return *owner->path == '/';
}

const char *file_owner_path (const char *note)
{
    file_owner_t owner;
    return note && read_note (note, &owner) ? owner.path : NULL;
}

static bool is_same (const file_owner_t *owner, int fd)
{
    file_owner_t now;
    return look (fd, &now) == 0 && now.device == owner->device && now.inode == owner->inode &&
           now.born == owner->born;
}

//  By descriptor, and never through a symbolic link: somebody else may own the folder.
int file_owner_restore (const char *note, error_t *err)
{
    file_owner_t owner;
    if (!read_note (note, &owner))
        return error_set (err, ERR_INVALID_ARG, "'%s' is not UID:GID:...:PATH", note);
    autoclose int fd = open (owner.path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd >= 0 && owner.known && !is_same (&owner, fd))
        return 1;
    if (fd < 0 || fchownat (fd, "", owner.uid, owner.gid, AT_EMPTY_PATH))
        return error_errno (err, ERR_SYSTEM_ERROR, "give '%s' back to user %u", owner.path,
                            owner.uid);
    return 0;
}
