//  qemu_block_image.c: images and their nodes, made and removed while the guest runs.

#include "drivers/qemu/storage/qemu_block.h"
#include "drivers/qemu/qemu_answer.h"
#include "drivers/qemu/qemu_files.h"
#include "util/file.h"
#include "util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define QMP_MS 10000
//  Opening an image asks its disk or server, and nothing else happens in QEMU meanwhile.
#define OPEN_MS 60000
#define FIRST_WAIT_MS 5
#define LONGEST_WAIT_MS 100
#define CANCEL_MS 60000 //  for what is being written just now

int qemu_block_add (job_t *job, const xml_node_t *disk, const qemu_node_t *node, error_t *err)
{
    return qemu_tell (job, "blockdev-add", qemu_block_file_json (disk, node), OPEN_MS, err) ||
                   qemu_tell (job, "blockdev-add", qemu_block_format_json (disk, node), OPEN_MS,
                              err)
               ? error_prefix (err, "add the image '%s'", node->path)
               : 0;
}

static int has_node (job_t *job, const char *name, bool *there, error_t *err)
{
    json_auto_t *nodes =
        job_qmp (job, "query-named-block-nodes", json_pack ("{s:b}", "flat", 1), QMP_MS, err);
    size_t i;
    json_t *item;
    *there = false;
    json_array_foreach (nodes, i, item)
    {
        const char *found = json_string_value (json_object_get (item, "node-name"));
        *there = *there || text_equals (found, name);
    }
    return nodes ? 0 : -1;
}

//  QEMU removes its own by itself, with whatever used them last.
static int remove_node (job_t *job, const char *name, error_t *err)
{
    bool there;
    error_t why = { 0 }, *said = &why;
    if (qemu_tell (job, "blockdev-del", json_pack ("{s:s}", "node-name", name), QMP_MS, said) == 0)
        return 0;
    if (has_node (job, name, &there, err))
        return -1;
    if (!there)
        return 0;
    *err = why;
    return error_prefix (err, "remove the node '%s'", name);
}

int qemu_block_remove (job_t *job, const char *node, error_t *err)
{
    autofree char *file = text_format ("%s-file", node);
    if (remove_node (job, node, err))
        return -1;
    return node[0] == '#' ? 0 : remove_node (job, file, err);
}

//  Jobs of QEMU.

static int ask_job (job_t *job, const char *id, bool *over, char **error, error_t *err)
{
    json_auto_t *list = job_qmp (job, "query-jobs", NULL, QMP_MS, err);
    size_t i;
    json_t *item;
    bool found = false;
    json_array_foreach (list, i, item)
    {
        if (!text_equals (json_string_value (json_object_get (item, "id")), id))
            continue;
        const char *status = json_string_value (json_object_get (item, "status"));
        found = true;
        *over = text_equals (status, "concluded");
        *error = text_copy (json_string_value (json_object_get (item, "error")));
    }
    if (list && !found)
        return error_set (err, ERR_OPERATION_FAILED, "QEMU has no job '%s'", id);
    return list ? 0 : -1;
}

int qemu_block_wait_job (job_t *job, const char *id, error_t *err)
{
    bool over = false;
    autofree char *error = NULL;
    for (int wait = FIRST_WAIT_MS;; wait = wait < LONGEST_WAIT_MS ? wait * 2 : LONGEST_WAIT_MS) {
        if (ask_job (job, id, &over, &error, err))
            return -1;
        if (over)
            break;
        free (take (&error));
        if (job_wait (job, wait, err))
            return -1;
    }
    if (qemu_tell (job, "job-dismiss", json_pack ("{s:s}", "id", id), QMP_MS, err))
        return -1;
    return error ? error_set (err, ERR_OPERATION_FAILED, "%s", error) : 0;
}

//  One of QEMU's jobs: is cancelled if it still works, and dismissed. *THERE: it is not gone yet.
static int end_job (job_t *job, const json_t *entry, bool *cancelled, bool *there, error_t *err)
{
    *there = entry != NULL;
    if (!entry)
        return 0;
    if (strcmp (answer_string (entry, "status"), "concluded") == 0)
        return qemu_tell (job, "job-dismiss",
                          json_pack ("{s:s}", "id", answer_string (entry, "id")), QMP_MS, err);
    if (*cancelled)
        return 0;
    *cancelled = true;
    error_t why = { 0 };
    if (qemu_tell (job, "job-cancel", json_pack ("{s:s}", "id", answer_string (entry, "id")),
                   QMP_MS, &why) == 0)
        return 0;
    //  It may have come to its end by itself in between, and that shows when we look again.
    if (why.code == ERR_OPERATION_FAILED)
        return 0;
    *err = why;
    return -1;
}

int qemu_block_end_job (job_t *job, const char *id, error_t *err)
{
    bool cancelled = false, there = true;
    int64_t until = job_now (job) + CANCEL_MS;
    for (int wait = FIRST_WAIT_MS; there; wait = wait < LONGEST_WAIT_MS ? wait * 2 : wait) {
        json_auto_t *list = job_qmp (job, "query-jobs", NULL, QMP_MS, err);
        if (!list || end_job (job, answer_entry (list, "id", id), &cancelled, &there, err))
            return -1;
        if (there && job_now (job) > until)
            return error_set (err, ERR_OPERATION_TIMEOUT, "QEMU does not end its job '%s'", id);
        if (there && job_wait (job, wait, err))
            return -1;
    }
    return 0;
}

//  New images.

//  Beside the file that it is to be: only there a renaming is atomic.
static char *partial_path (const job_t *job, const char *path)
{
    autofree char *folder = file_folder (path);
    const char *name = strrchr (path, '/') + 1;
    return text_format ("%s/.troupe-%s-%s.partial", folder, job->guest->uuid, name);
}

static int fill_file (job_t *job, int fd, uint64_t capacity, error_t *err)
{
    uid_t uid;
    gid_t gid;
    qemu_identity (job, &uid, &gid);
    if (uid && fchown (fd, uid, gid))
        return error_errno (err, ERR_SYSTEM_ERROR, "give it to user %u", uid);
    if (ftruncate (fd, (off_t) capacity))
        return error_errno (err, ERR_SYSTEM_ERROR, "make it %llu bytes long",
                            (unsigned long long) capacity);
    return 0;
}

//  What a host that went down left behind under this name is ours: the uuid is in it.
int qemu_block_new_file (job_t *job, const char *path, uint64_t capacity, qemu_inode_t inode,
                         error_t *err)
{
    struct stat status;
    autofree char *partial = partial_path (job, path);
    unlink (partial);
    autoclose int fd = open (partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || fstat (fd, &status))
        return error_errno (err, ERR_SYSTEM_ERROR, "create the file '%s'", path);
    snprintf (inode, sizeof (qemu_inode_t), "%llu:%llu", (unsigned long long) status.st_dev,
              (unsigned long long) status.st_ino);
    return fill_file (job, fd, capacity, err) ? error_prefix (err, "create the file '%s'", path)
                                              : 0;
}

int qemu_block_name_file (job_t *job, const char *path, error_t *err)
{
    autofree char *partial = partial_path (job, path);
    if (renameat2 (AT_FDCWD, partial, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno == EEXIST)
        return error_set (err, ERR_OPERATION_FAILED,
                          "the file '%s' exists already: name another one, or reuse it", path);
    return error_errno (err, ERR_SYSTEM_ERROR, "create the file '%s'", path);
}

int qemu_block_drop_file (job_t *job, const char *path, const char *inode, error_t *err)
{
    struct stat status;
    qemu_inode_t found = "";
    autofree char *partial = partial_path (job, path);
    if (unlink (partial) && errno != ENOENT)
        return error_errno (err, ERR_SYSTEM_ERROR, "remove '%s'", partial);
    if (lstat (path, &status) == 0)
        snprintf (found, sizeof found, "%llu:%llu", (unsigned long long) status.st_dev,
                  (unsigned long long) status.st_ino);
    if (!*inode || strcmp (inode, found) != 0)
        return 0;
    return unlink (path) ? error_errno (err, ERR_SYSTEM_ERROR, "remove '%s'", path) : 0;
}

//  Writes the format's header into the file, which has its node already.
static int format_file (job_t *job, const qemu_create_t *create, error_t *err)
{
    autofree char *id = text_format ("create-%s", create->node.node);
    autofree char *file = text_format ("%s-file", create->node.node);
    json_t *options = json_pack ("{s:s, s:s, s:I}", "driver", create->node.format, "file", file,
                                 "size", (json_int_t) create->capacity);
    if (create->backing_path) {
        json_object_set_new (options, "backing-file", json_string (create->backing_path));
        json_object_set_new (options, "backing-fmt", json_string (create->backing_format));
    }
    return qemu_tell (job, "blockdev-create",
                      json_pack ("{s:s, s:o}", "job-id", id, "options", options), OPEN_MS, err) ||
                   qemu_block_wait_job (job, id, err)
               ? -1
               : 0;
}

int qemu_block_create (job_t *job, const xml_node_t *disk, const qemu_create_t *create,
                       error_t *err)
{
    const qemu_node_t *node = &create->node;
    bool raw = strcmp (node->format, "raw") == 0;
    if (qemu_tell (job, "blockdev-add", qemu_block_file_json (disk, node), OPEN_MS, err) ||
        (!raw && format_file (job, create, err)) ||
        qemu_tell (job, "blockdev-add", qemu_block_format_json (disk, node), OPEN_MS, err))
        return error_prefix (err, "make the image '%s'", node->path);
    return 0;
}

//  Documents.

static void write_backing (xml_node_t *element, const qemu_image_t *chain, size_t count)
{
    xml_node_t *store = xml_ensure (element, "backingStore");
    if (count == 0 || !chain->path)
        return;
    xml_set (store, "format/@type", chain->format);
    qemu_block_set_source (store, chain->path, chain->block);
    write_backing (store, chain + 1, count - 1);
}

void qemu_block_write (xml_node_t *disk, const qemu_image_t *chain, size_t count)
{
    if (count == 0 || !chain->path)
        return;
    xml_set (disk, "driver/@type", chain->format);
    qemu_block_set_source (disk, chain->path, chain->block);
    xml_remove_path (disk, "backingStore");
    if (strcmp (chain->format, "raw") != 0)
        write_backing (disk, chain + 1, count - 1);
}
