//  qemu_backup.c: how a backup begins.

#include "drivers/qemu/storage/qemu_backup.h"
#include "drivers/qemu/qemu_answer.h"
#include "drivers/qemu/storage/qemu_block.h"
#include "drivers/qemu/storage/qemu_checkpoint.h"
#include "util/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define QMP_MS 10000
//  All disks are flushed, and their queues emptied.
#define BEGIN_MS 120000

//  What is to be done.

//  What ends the backup goes by names, so these have to be ours.
static int check_names (job_t *job, error_t *err)
{
    json_auto_t *nodes =
        job_qmp (job, "query-named-block-nodes", json_pack ("{s:b}", "flat", 1), QMP_MS, err);
    json_auto_t *jobs = nodes ? job_qmp (job, "query-jobs", NULL, QMP_MS, err) : NULL;
    json_auto_t *exports = jobs ? job_qmp (job, "query-block-exports", NULL, QMP_MS, err) : NULL;
    if (!exports)
        return -1;
    if (qemu_backup_is_pull (qemu_backup_asked (job->guest)) && json_array_size (exports) > 0)
        return error_set (err, ERR_OPERATION_INVALID,
                          "its QEMU serves disks through NBD already; it has one such server only");
    xml_foreach (store, xml_root (job->guest->backup), "store") {
        const char *name = xml_string (store, "@node");
        autofree char *file = text_format ("%s-file", name);
        if (answer_entry (nodes, "node-name", name) || answer_entry (nodes, "node-name", file) ||
            answer_entry (jobs, "id", name))
            return error_set (err, ERR_OPERATION_INVALID,
                              "its QEMU has a node or a job '%s' that is not ours", name);
    }
    return 0;
}

static int check_file (const xml_node_t *disk, bool reuse, error_t *err)
{
    struct stat status;
    const char *path = qemu_backup_path (disk);
    bool there = stat (path, &status) == 0;
    if (!there && errno != ENOENT)
        return error_errno (err, ERR_OPEN_FAILED, "look at '%s'", path);
    bool block = xml_equals (disk, "@type", "block");
    if (there && S_ISBLK (status.st_mode) != block)
        return error_set (err, ERR_INVALID_ARG, "'%s' is %s; disk '%s' says type='%s'", path,
                          block ? "no block device" : "a block device", xml_string (disk, "@name"),
                          block ? "block" : "file");
    if ((block || reuse) && !there)
        return error_set (err, ERR_OPEN_FAILED, "'%s' is to be used, but it is not there", path);
    if (!block && !reuse && there)
        return error_set (err, ERR_OPERATION_FAILED,
                          "the file '%s' exists already: name another one, or reuse it", path);
    return 0;
}

//  What it goes by is copied: the checkpoint's own bitmap records on.
static int plan_bitmap (job_t *job, const xml_node_t *disk, xml_node_t *store, error_t *err)
{
    const char *name = xml_string (disk, "@name"), *since = xml_string (disk, "@incremental");
    const char *source = xml_string (store, "@source");
    const char *exported = xml_string (disk, "@exportbitmap");
    const xml_node_t *checkpoint = checkpoint_find (job->guest->checkpoints, since);
    if (!checkpoint)
        return error_set (err, ERR_NO_DOMAIN_CHECKPOINT, "disk '%s': there is no checkpoint '%s'",
                          name, since);
    if (!checkpoint_has_disk (checkpoint, name))
        return error_set (err, ERR_INVALID_ARG,
                          "disk '%s' is not part of checkpoint '%s': say backupmode='full'", name,
                          since);
    json_auto_t *nodes = qemu_bitmap_nodes (job, err);
    const json_t *bitmap = qemu_bitmap_find (nodes, source, since);
    if (!nodes || qemu_bitmap_check (bitmap, since, name, err))
        return -1;
    xml_setf (store, "@bitmap", "%s%s", exported ? exported : "backup-", exported ? "" : name);
    xml_set_u64 (store, "@granularity", answer_number (bitmap, "granularity"));
    if (qemu_bitmap_find (nodes, source, xml_string (store, "@bitmap")))
        return error_set (err, ERR_OPERATION_INVALID,
                          "the image of disk '%s' has a bitmap '%s' already", name,
                          xml_string (store, "@bitmap"));
    return 0;
}

static int plan_disk (job_t *job, const xml_node_t *disk, bool reuse, error_t *err)
{
    const char *name = xml_string (disk, "@name");
    if (qemu_block_check_idle (job->guest, name, "a backup", err) || check_file (disk, reuse, err))
        return -1;
    auto(qemu_disk_t) found = qemu_block_find (job, name, err);
    if (!found)
        return -1;
    if (found->count == 0)
        return error_set (err, ERR_OPERATION_INVALID, "disk '%s' has no medium", name);
    xml_node_t *store = xml_add (xml_root (job->guest->backup), "store");
    xml_set (store, "@disk", name);
    xml_set (store, "@source", found->chain[0].node);
    xml_setf (store, "@node", "backup-%s", name);
    xml_set (store, "@path", qemu_backup_path (disk));
    xml_set (store, "@made", xml_equals (disk, "@type", "block") || reuse ? "no" : "yes");
    xml_set_u64 (store, "@capacity", found->chain[0].capacity);
    return xml_equals (disk, "@backupmode", "incremental") ? plan_bitmap (job, disk, store, err)
                                                           : 0;
}

static int check_bandwidth (const backup_options_t *options, const xml_node_t *asked, error_t *err)
{
    if (options->bandwidth > INT64_MAX)
        return error_set (err, ERR_OVERFLOW, "%" PRIu64 " bytes a second are too many",
                          options->bandwidth);
    if (!options->bandwidth || !qemu_backup_is_pull (asked))
        return 0;
    return error_set (err, ERR_INVALID_ARG,
                      "a bandwidth limits a push; a pull goes as fast as its client reads");
}

//  Fills job->guest->backup; nothing has happened yet.
static int make_plan (job_t *job, const backup_options_t *options, error_t *err)
{
    static const char empty[] = "<backup state='beginning'/>";
    auto(xml_t) asked = qemu_backup_complete (job->guest->live, options->xml, options->now_s, err);
    if (!asked || check_bandwidth (options, xml_root (asked), err) ||
        qemu_backup_check_socket (xml_root (asked), err))
        return -1;
    job->guest->backup = xml_parse (empty, sizeof empty - 1, "backup", err);
    if (!job->guest->backup)
        return -1;
    xml_node_t *backup = xml_root (job->guest->backup);
    xml_add_copy (backup, xml_root (asked));
    xml_foreach (disk, xml_find (xml_root (asked), "disks"), "disk")
        if (qemu_backup_takes (disk) && plan_disk (job, disk, options->reuse, err))
            return -1;
    return check_names (job, err);
}

//  Doing it.

static int make_stores (job_t *job, bool reuse, error_t *err)
{
    xml_foreach (store, xml_root (job->guest->backup), "store") {
        uint64_t capacity = 0;
        if (xml_u64 (store, "@capacity", &capacity, err) ||
            qemu_backup_make_store (job, store, capacity, reuse, err))
            return error_prefix (err, "disk '%s'", xml_string (store, "@disk"));
    }
    return 0;
}

static void add_bitmap (json_t *actions, const xml_node_t *store, const char *since)
{
    error_t never;
    uint64_t granularity = 0;
    const char *node = xml_string (store, "@source"), *name = xml_string (store, "@bitmap");
    xml_u64 (store, "@granularity", &granularity, &never);
    qemu_action_add (actions, "block-dirty-bitmap-add",
                     json_pack ("{s:s, s:s, s:b, s:I}", "node", node, "name", name, "disabled", 1,
                                "granularity", (json_int_t) granularity));
    qemu_action_add (
        actions, "block-dirty-bitmap-merge",
        json_pack ("{s:s, s:s, s:[s]}", "node", node, "target", name, "bitmaps", since));
}

static void add_backup (json_t *actions, const xml_node_t *store, bool pull, uint64_t bandwidth)
{
    const char *node = xml_string (store, "@node"), *bitmap = xml_string (store, "@bitmap");
    json_t *backup = json_pack ("{s:s, s:s, s:s, s:b}", "job-id", node, "device",
                                xml_string (store, "@source"), "target", node, "auto-dismiss", 0);
    const char *sync = pull ? "none" : bitmap ? "bitmap" : "full";
    json_object_set_new (backup, "sync", json_string (sync));
    json_object_set_new (backup, "speed", json_integer ((json_int_t) bandwidth));
    if (bitmap && !pull) {
        json_object_set_new (backup, "bitmap", json_string (bitmap));
        json_object_set_new (backup, "bitmap-mode", json_string ("never"));
    }
    qemu_action_add (actions, "blockdev-backup", backup);
}

//  All disks at the same instant, and the checkpoint with them.
static int begin_jobs (job_t *job, json_t *actions, uint64_t bandwidth, error_t *err)
{
    const guest_t *guest = job->guest;
    bool pull = qemu_backup_is_pull (qemu_backup_asked (guest));
    xml_foreach (store, xml_root (guest->backup), "store") {
        if (xml_string (store, "@bitmap"))
            add_bitmap (actions, store,
                        xml_string (qemu_backup_disk (guest, store), "@incremental"));
        add_backup (actions, store, pull, bandwidth);
    }
    return qemu_tell (job, "transaction", json_pack ("{s:O}", "actions", actions), BEGIN_MS, err);
}

static int plan_checkpoint (job_t *job, const backup_options_t *options, xml_t **checkpoint,
                            json_t *actions, error_t *err)
{
    if (!options->checkpoint)
        return 0;
    *checkpoint = qemu_checkpoint_complete (job->guest->live, job->guest->checkpoints,
                                            options->checkpoint, options->now_s, err);
    return *checkpoint ? qemu_checkpoint_plan (job, xml_root (*checkpoint), actions, err) : -1;
}

static int push_undo (job_t *job, const xml_t *checkpoint, error_t *err)
{
    if (job_undo (job, "qemu.backup", "", err))
        return -1;
    return checkpoint
               ? job_undo (job, "qemu.checkpoint", checkpoint_name (xml_root (checkpoint)), err)
               : 0;
}

static int begin (job_t *job, const backup_options_t *options, error_t *err)
{
    if (!job->guest->live || !job->guest->record)
        return error_set (err, ERR_OPERATION_INVALID, "it is not running");
    auto(xml_t) checkpoint = NULL;
    json_auto_t *actions = json_array ();
    if (make_plan (job, options, err) ||
        plan_checkpoint (job, options, &checkpoint, actions, err)) {
        xml_destroy (&job->guest->backup);
        return -1;
    }
    bool pull = qemu_backup_is_pull (qemu_backup_asked (job->guest));
    if (push_undo (job, checkpoint, err) || job_record (job, err) ||
        make_stores (job, options->reuse, err) ||
        begin_jobs (job, actions, options->bandwidth, err) ||
        (pull && qemu_backup_serve (job, err)) ||
        (checkpoint && qemu_checkpoint_keep (job, xml_root (checkpoint), err)))
        return -1;
    xml_set (xml_root (job->guest->backup), "@state", "running");
    return job_commit (job, err);
}

int qemu_backup_begin (job_t *job, const backup_options_t *options, error_t *err)
{
    if (begin (job, options, err) == 0)
        return 0;
    return error_prefix (err, "back up domain '%s'", job->guest->name);
}
