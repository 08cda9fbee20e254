//  container_user.c: who init is to be (os/inituser, os/initgroup of libvirt's "Domain XML
//  format"). Names are the container's own, so its files are read as plain files: the C library's
//  lookups would load what the container's configuration names.

#include "container/container_idmap.h"
#include "container/container_privileges.h"
#include "util/auto.h"
#include "util/text.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

//  "1000", or "+1000".
static bool is_number (const char *text, uint32_t *value)
{
    uint64_t number;
    if (!text_to_u64 (text + (*text == '+'), &number) || number >= UINT32_MAX)
        return false;
    *value = (uint32_t) number;
    return true;
}

//  NULL: there is none. The container may have put anything there: whoever opens a pipe waits for
//  its other side, and a device may have no end.
static FILE *open_plain (const char *path)
{
    struct stat status;
    int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    FILE *file =
        fd >= 0 && fstat (fd, &status) == 0 && S_ISREG (status.st_mode) ? fdopen (fd, "r") : NULL;
    if (fd >= 0 && !file)
        close (fd);
    return file;
}

//  The entry of the user NAME, or of the number UID with NAME NULL.
static bool find_user (const char *name, uid_t uid, container_user_t *user)
{
    FILE *file = open_plain ("/etc/passwd");
    const struct passwd *entry = NULL;
    while (file && (entry = fgetpwent (file)))
        if (name ? strcmp (entry->pw_name, name) == 0 : entry->pw_uid == uid)
            break;
    if (entry)
        *user = (container_user_t){ entry->pw_uid, entry->pw_gid };
    if (file)
        fclose (file);
    return entry != NULL;
}

static bool find_group (const char *name, gid_t *gid)
{
    FILE *file = open_plain ("/etc/group");
    const struct group *entry = NULL;
    while (file && (entry = fgetgrent (file)))
        if (strcmp (entry->gr_name, name) == 0)
            break;
    if (entry)
        *gid = entry->gr_gid;
    if (file)
        fclose (file);
    return entry != NULL;
}

static int find (const container_spec_t *spec, container_user_t *user, error_t *err)
{
    uint32_t number;
    *user = (container_user_t){ 0 };
    if (is_number (spec->user, &number)) {
        user->uid = number;
        if (number)
            find_user (NULL, number, user); //  else it is in group 0
    } else if (!find_user (spec->user, 0, user))
        return error_set (err, ERR_OPERATION_FAILED,
                          "os/inituser '%s': the container's /etc/passwd has no such user",
                          spec->user);
    if (!*spec->group)
        return 0;
    if (is_number (spec->group, &number))
        user->gid = number;
    else if (!find_group (spec->group, &user->gid))
        return error_set (err, ERR_OPERATION_FAILED,
                          "os/initgroup '%s': the container's /etc/group has no such group",
                          spec->group);
    return 0;
}

//  The kernel has nobody to be who has no id on the host.
static int check_mapped (const char *map, const char *what, uint32_t id, error_t *err)
{
    if (!*map || container_idmap_find (map, id) >= 0)
        return 0;
    return error_set (err, ERR_OPERATION_FAILED, "os/%s: <idmap> has no id %u; map it", what, id);
}

int container_user_find (const container_spec_t *spec, container_user_t *user, error_t *err)
{
    return find (spec, user, err) || check_mapped (spec->uid_map, "inituser", user->uid, err) ||
                   check_mapped (spec->gid_map, "initgroup", user->gid, err)
               ? -1
               : 0;
}
