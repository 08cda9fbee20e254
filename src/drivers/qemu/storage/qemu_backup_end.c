//  qemu_backup_end.c: how a backup is watched, and how it ends.

#include "drivers/qemu/storage/qemu_backup.h"
#include "drivers/qemu/qemu_answer.h"
#include "drivers/qemu/storage/qemu_block.h"
#include "drivers/qemu/storage/qemu_checkpoint.h"
#include "drivers/qemu/qemu_live.h"
#include "util/file.h"
#include "util/text.h"

#include <fcntl.h>
#include <string.h>

#define QMP_MS 10000
#define FIRST_WAIT_MS 10
#define LONGEST_WAIT_MS 500

static bool is_concluded (const json_t *entry)
{
    return strcmp (answer_string (entry, "status"), "concluded") == 0;
}

//  Watching.

static int look_at_job (const xml_node_t *store, const json_t *entry, bool pull, error_t *err)
{
    const char *disk = xml_string (store, "@disk"), *why = answer_string (entry, "error");
    if (!entry)
        return error_set (err, ERR_OPERATION_FAILED,
                          "disk '%s': QEMU has no job of the backup any more", disk);
    if (is_concluded (entry) && (*why || pull))
        return error_set (err, ERR_OPERATION_FAILED, "disk '%s': %s", disk,
                          *why ? why : "QEMU's job is over before the backup was ended");
    return 0;
}

//  *OVER: all jobs are, and none has failed.
static int ask (job_t *job, bool *over, job_progress_t *progress, error_t *err)
{
    bool pull = qemu_backup_is_pull (qemu_backup_asked (job->guest));
    json_auto_t *list = job_qmp (job, "query-jobs", NULL, QMP_MS, err);
    if (!list)
        return -1;
    *over = true;
    xml_foreach (store, xml_root (job->guest->backup), "store") {
        const json_t *entry = answer_entry (list, "id", xml_string (store, "@node"));
        if (look_at_job (store, entry, pull, err))
            return -1;
        *over = *over && is_concluded (entry);
        progress->total += answer_number (entry, "total-progress");
        progress->processed += answer_number (entry, "current-progress");
    }
    progress->remaining =
        progress->total > progress->processed ? progress->total - progress->processed : 0;
    return 0;
}

static void tell (job_t *job, job_progress_t *progress, int64_t since, uint64_t before)
{
    progress->elapsed_ms = (uint64_t) (job_now (job) - since);
    if (progress->elapsed_ms && progress->processed > before)
        progress->rate = (progress->processed - before) * 1000 / progress->elapsed_ms;
    job_progress (job, progress);
}

static int watch (job_t *job, error_t *err)
{
    bool over = false, pull = qemu_backup_is_pull (qemu_backup_asked (job->guest));
    int64_t since = job_now (job);
    uint64_t before = UINT64_MAX;
    for (int wait = FIRST_WAIT_MS;; wait = wait < LONGEST_WAIT_MS ? wait * 2 : LONGEST_WAIT_MS) {
        job_progress_t progress = { .step = pull ? "serving" : "backing up" };
        if (ask (job, &over, &progress, err))
            return -1;
        before = before == UINT64_MAX ? progress.processed : before;
        tell (job, &progress, since, before);
        if (over)
            return 0;
        if (job_wait (job, wait, err))
            return -1;
    }
}

//  Taking away.

static int remove_nodes (job_t *job, error_t *err)
{
    xml_foreach (store, xml_root (job->guest->backup), "store")
        if (qemu_block_remove (job, xml_string (store, "@node"), err))
            return -1;
    return 0;
}

//  What was written is on the disk, whatever QEMU's cache mode.
static int sync_files (job_t *job, error_t *err)
{
    xml_foreach (store, xml_root (job->guest->backup), "store") {
        const char *path = xml_string (store, "@path");
        autofree char *folder = file_folder (path);
        autoclose int fd = open (path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || fsync (fd))
            return error_errno (err, ERR_WRITE_FAILED, "sync '%s'", path);
        if (file_sync_folder (folder, err))
            return -1;
    }
    return 0;
}

int qemu_backup_follow (job_t *job, error_t *err)
{
    xml_node_t *backup = xml_root (job->guest->backup);
    if (xml_equals (backup, "@state", "completed"))
        return 0;
    //  Only then is it complete for whoever reads it, this daemon's successor included.
    if (watch (job, err) || remove_nodes (job, err) || sync_files (job, err))
        return error_prefix (err, "back up domain '%s'", job->guest->name);
    xml_set (backup, "@state", "completed");
    return job_finish (job, err);
}

//  Also that which made the image, if we were cut off there (qemu_block_create).
static int end_jobs (job_t *job, error_t *err)
{
    xml_foreach (store, xml_root (job->guest->backup), "store") {
        const char *node = xml_string (store, "@node");
        autofree char *create = text_format ("create-%s", node);
        if (qemu_block_end_job (job, create, err) || qemu_block_end_job (job, node, err))
            return -1;
    }
    return 0;
}

static int remove_bitmaps (job_t *job, error_t *err)
{
    json_auto_t *nodes = qemu_bitmap_nodes (job, err);
    if (!nodes)
        return -1;
    xml_foreach (store, xml_root (job->guest->backup), "store") {
        const char *node = xml_string (store, "@source"), *name = xml_string (store, "@bitmap");
        if (name && qemu_bitmap_find (nodes, node, name) &&
            qemu_tell (job, "block-dirty-bitmap-remove",
                       json_pack ("{s:s, s:s}", "node", node, "name", name), QMP_MS, err))
            return -1;
    }
    return 0;
}

static int end_in_qemu (job_t *job, error_t *err)
{
    return qemu_backup_stop_server (job, err) || end_jobs (job, err) || remove_nodes (job, err) ||
                   remove_bitmaps (job, err)
               ? -1
               : 0;
}

int qemu_backup_end (job_t *job, error_t *err)
{
    if (!job->guest->backup)
        return 0;
    if ((!qemu_has_ended (job) && end_in_qemu (job, err) && !qemu_has_ended (job)) ||
        qemu_backup_drop_files (job, err))
        return error_prefix (err, "end the backup of domain '%s'", job->guest->name);
    xml_destroy (&job->guest->backup);
    return 0;
}
