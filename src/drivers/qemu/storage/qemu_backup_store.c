//  qemu_backup_store.c: the files that a backup goes to, and their nodes.

#include "drivers/qemu/storage/qemu_backup.h"
#include "drivers/file_owner.h"
#include "drivers/qemu/storage/qemu_block.h"
#include "drivers/qemu/qemu_files.h"
#include "drivers/undo.h"
#include "util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

const xml_node_t *qemu_backup_asked (const guest_t *guest)
{
    return guest->backup ? xml_find (xml_root (guest->backup), "domainbackup") : NULL;
}

const xml_node_t *qemu_backup_disk (const guest_t *guest, const xml_node_t *store)
{
    xml_foreach (disk, xml_find (qemu_backup_asked (guest), "disks"), "disk")
        if (xml_equals (disk, "@name", xml_string (store, "@disk")))
            return disk;
    return NULL;
}

//  Making.

//  Which file it is goes into the record before it has its name.
static int make_file (job_t *job, xml_node_t *store, uint64_t capacity, error_t *err)
{
    qemu_inode_t inode;
    const char *path = xml_string (store, "@path");
    if (qemu_block_new_file (job, path, capacity, inode, err))
        return -1;
    xml_set (store, "@inode", inode);
    return job_record (job, err) || qemu_block_name_file (job, path, err) ? -1 : 0;
}

//  A file or device that the user has made is QEMU's for as long.
static int take_file (job_t *job, xml_node_t *store, error_t *err)
{
    uid_t uid;
    gid_t gid;
    struct stat status;
    const char *path = xml_string (store, "@path");
    autofree char *real = realpath (path, NULL);
    autoclose int fd = real ? open (real, O_PATH | O_CLOEXEC | O_NOFOLLOW) : -1;
    if (fd < 0 || fstat (fd, &status))
        return error_errno (err, ERR_OPEN_FAILED, "open '%s'", path);
    qemu_identity (job, &uid, &gid);
    if (!uid || status.st_uid == uid)
        return 0;
    autofree char *before = file_owner_note (fd, real, err);
    if (!before)
        return -1;
    xml_set (store, "@before", before);
    if (job_record (job, err))
        return -1;
    if (fchownat (fd, "", uid, gid, AT_EMPTY_PATH))
        return error_errno (err, ERR_SYSTEM_ERROR, "give '%s' to user %u", path, uid);
    return 0;
}

int qemu_backup_make_store (job_t *job, xml_node_t *store, uint64_t capacity, bool reuse,
                            error_t *err)
{
    const xml_node_t *disk = qemu_backup_disk (job->guest, store);
    bool pull = qemu_backup_is_pull (qemu_backup_asked (job->guest));
    bool made = xml_equals (store, "@made", "yes");
    qemu_create_t create = { .node = { .node = xml_string (store, "@node"),
                                       .path = xml_string (store, "@path"),
                                       .format = xml_string (disk, "driver/@type"),
                                       .backing = pull ? xml_string (store, "@source") : "",
                                       .block = xml_equals (disk, "@type", "block") },
                             .capacity = capacity };
    bool raw = strcmp (create.node.format, "raw") == 0;
    if (made ? make_file (job, store, raw ? capacity : 0, err) : take_file (job, store, err))
        return -1;
    return reuse ? qemu_block_add (job, disk, &create.node, err)
                 : qemu_block_create (job, disk, &create, err);
}

//  Removing.

static int drop_file (job_t *job, const xml_node_t *store, bool kept, error_t *err)
{
    const char *inode = xml_string (store, "@inode"), *before = xml_string (store, "@before");
    bool made = xml_equals (store, "@made", "yes");
    if (made && !kept)
        return qemu_block_drop_file (job, xml_string (store, "@path"), inode ? inode : "", err);
    return before ? undo_run (job, "owner", before, err) : 0;
}

int qemu_backup_drop_files (job_t *job, error_t *err)
{
    const xml_node_t *backup = xml_root (job->guest->backup);
    bool complete = xml_equals (backup, "@state", "completed") &&
                    !qemu_backup_is_pull (qemu_backup_asked (job->guest));
    xml_foreach (store, backup, "store")
        if (drop_file (job, store, complete, err))
            return -1;
    return qemu_backup_drop_socket (job, err);
}

void qemu_backup_abandon (job_t *job)
{
    error_t err = { 0 };
    if (job->guest->backup && qemu_backup_drop_files (job, &err))
        job_log (job, "domain '%s': end its backup: %s", job->guest->name, err.message);
}
