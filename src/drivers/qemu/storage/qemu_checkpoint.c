//  qemu_checkpoint.c: see qemu_checkpoint.h.

#include "drivers/qemu/storage/qemu_checkpoint.h"
#include "drivers/qemu/qemu_agent.h"
#include "drivers/qemu/qemu_answer.h"
#include "drivers/qemu/storage/qemu_block.h"
#include "drivers/qemu/qemu_live.h"
#include "util/text.h"

#define QMP_MS 10000
#define BEGIN_MS 120000 //  all disks are flushed, and their queues emptied

//  Bitmaps.

void qemu_action_add (json_t *actions, const char *type, json_t *data)
{
    json_array_append_new (actions, json_pack ("{s:s, s:o}", "type", type, "data", data));
}

json_t *qemu_bitmap_nodes (job_t *job, error_t *err)
{
    return job_qmp (job, "query-named-block-nodes", json_pack ("{s:b}", "flat", 1), QMP_MS, err);
}

static const json_t *bitmaps_of (const json_t *node)
{
    return json_object_get (node, "dirty-bitmaps");
}

const json_t *qemu_bitmap_find (const json_t *nodes, const char *node, const char *name)
{
    return answer_entry (bitmaps_of (answer_entry (nodes, "node-name", node)), "name", name);
}

int qemu_bitmap_check (const json_t *bitmap, const char *name, const char *disk, error_t *err)
{
    if (!bitmap)
        return error_set (err, ERR_OPERATION_INVALID,
                          "the image of disk '%s' has no bitmap '%s', it may be another image by "
                          "now: delete the checkpoint, and take a full backup",
                          disk, name);
    if (json_is_true (json_object_get (bitmap, "inconsistent")))
        return error_set (err, ERR_OPERATION_INVALID,
                          "the bitmap '%s' of disk '%s' is not whole, a QEMU that was killed did "
                          "not write it: delete the checkpoint, and take a full backup",
                          name, disk);
    return 0;
}

static void add_removal (json_t *actions, const char *node, const char *name)
{
    qemu_action_add (actions, "block-dirty-bitmap-remove",
                     json_pack ("{s:s, s:s}", "node", node, "name", name));
}

static int transact (job_t *job, json_t *actions, error_t *err)
{
    json_t *copy = json_array_size (actions) > 0 ? json_deep_copy (actions) : NULL;
    return copy
               ? qemu_tell (job, "transaction", json_pack ("{s:o}", "actions", copy), BEGIN_MS, err)
               : 0;
}

//  Making one.

//  What undoes it goes by the name.
static int check_free (const json_t *nodes, const char *name, error_t *err)
{
    size_t i;
    json_t *node;
    json_array_foreach (nodes, i, node)
    {
        if (answer_entry (bitmaps_of (node), "name", name))
            return error_set (err, ERR_OPERATION_INVALID,
                              "the image '%s' has a bitmap '%s' already, which is of no "
                              "checkpoint: choose another name",
                              answer_string (node, "file"), name);
    }
    return 0;
}

static int plan_disk (job_t *job, const char *disk, const char *name, json_t *actions, error_t *err)
{
    auto(qemu_disk_t) found = qemu_block_find (job, disk, err);
    if (!found)
        return -1;
    if (found->count == 0)
        return error_set (err, ERR_OPERATION_INVALID, "disk '%s' has no medium", disk);
    qemu_action_add (
        actions, "block-dirty-bitmap-add",
        json_pack ("{s:s, s:s, s:b}", "node", found->chain[0].node, "name", name, "persistent", 1));
    return 0;
}

int qemu_checkpoint_plan (job_t *job, const xml_node_t *checkpoint, json_t *actions, error_t *err)
{
    const char *name = checkpoint_name (checkpoint);
    json_auto_t *nodes = qemu_bitmap_nodes (job, err);
    if (!nodes || check_free (nodes, name, err))
        return -1;
    xml_foreach (disk, xml_find (checkpoint, "disks"), "disk")
        if (xml_equals (disk, "@checkpoint", "bitmap") &&
            plan_disk (job, xml_string (disk, "@name"), name, actions, err))
            return -1;
    return 0;
}

int qemu_checkpoint_keep (job_t *job, const xml_node_t *checkpoint, error_t *err)
{
    return checkpoint_add (&job->guest->checkpoints, checkpoint, err) ||
                   checkpoints_save (job, "qemu", err)
               ? -1
               : 0;
}

//  As with snapshots: that it could not be thawed spoils no checkpoint; its owner tries again.
static int transact_frozen (job_t *job, json_t *actions, error_t *err)
{
    error_t frozen = { 0 };
    if (qemu_agent_freeze (job, err) || transact (job, actions, err))
        return -1;
    if (qemu_agent_thaw (job, &frozen))
        job_log (job, "domain '%s': %s", job->guest->name, frozen.message);
    return 0;
}

static int make (job_t *job, const xml_node_t *checkpoint, bool quiesce, error_t *err)
{
    json_auto_t *actions = json_array ();
    return qemu_checkpoint_plan (job, checkpoint, actions, err) ||
                   job_undo (job, "qemu.checkpoint", checkpoint_name (checkpoint), err) ||
                   job_record (job, err) ||
                   (quiesce ? transact_frozen : transact) (job, actions, err) ||
                   qemu_checkpoint_keep (job, checkpoint, err) || job_commit (job, err)
               ? -1
               : 0;
}

//  Each bitmap that it says there is.
static int validate (job_t *job, const xml_node_t *checkpoint, error_t *err)
{
    const char *name = checkpoint_name (checkpoint);
    json_auto_t *nodes = qemu_bitmap_nodes (job, err);
    if (!nodes)
        return -1;
    xml_foreach (disk, xml_find (checkpoint, "disks"), "disk") {
        const char *target = xml_string (disk, "@name");
        if (!xml_equals (disk, "@checkpoint", "bitmap"))
            continue;
        auto(qemu_disk_t) found = qemu_block_find (job, target, err);
        const char *node = found && found->count > 0 ? found->chain[0].node : "";
        if (!found || qemu_bitmap_check (qemu_bitmap_find (nodes, node, name), name, target, err))
            return -1;
    }
    return 0;
}

static int redefine (job_t *job, const checkpoint_options_t *options, char **name, error_t *err)
{
    if (!options->xml)
        return error_set (err, ERR_INVALID_ARG, "'redefine' needs the xml");
    auto(xml_t) doc = qemu_checkpoint_redefine (options->xml, err);
    if (!doc)
        return -1;
    if (options->validate && !job->guest->live)
        return error_set (err, ERR_OPERATION_INVALID,
                          "the domain is not running, so its bitmaps can't be looked at");
    if ((options->validate && validate (job, xml_root (doc), err)) ||
        qemu_checkpoint_keep (job, xml_root (doc), err))
        return -1;
    *name = text_copy (checkpoint_name (xml_root (doc)));
    return 0;
}

static int create (job_t *job, const checkpoint_options_t *options, char **name, error_t *err)
{
    if (options->redefine && options->quiesce)
        return error_set (err, ERR_INVALID_ARG, "'redefine' and 'quiesce' exclude each other");
    if (options->redefine)
        return redefine (job, options, name, err);
    if (options->validate)
        return error_set (err, ERR_INVALID_ARG, "'validate' goes with 'redefine'");
    if (!job->guest->live)
        return error_set (err, ERR_OPERATION_INVALID, "the domain is not running");
    auto(xml_t) doc = qemu_checkpoint_complete (job->guest->live, job->guest->checkpoints,
                                                options->xml, options->now_s, err);
    if (!doc || make (job, xml_root (doc), options->quiesce, err))
        return -1;
    *name = text_copy (checkpoint_name (xml_root (doc)));
    return 0;
}

int qemu_checkpoint_create (job_t *job, const checkpoint_options_t *options, char **name,
                            error_t *err)
{
    if (create (job, options, name, err) == 0)
        return 0;
    return error_prefix (err, "checkpoint of domain '%s'", job->guest->name);
}

//  Removing.

//  Wherever they are: an image may have become another disk's backing image since.
static void add_removals (const json_t *nodes, const char *name, json_t *actions)
{
    size_t i;
    json_t *node;
    json_array_foreach (nodes, i, node)
    {
        if (answer_entry (bitmaps_of (node), "name", name))
            add_removal (actions, answer_string (node, "node-name"), name);
    }
}

static int remove_bitmaps (job_t *job, const char *const *names, error_t *err)
{
    json_auto_t *actions = json_array ();
    json_auto_t *nodes = qemu_bitmap_nodes (job, err);
    if (!nodes)
        return -1;
    for (; *names; names++)
        add_removals (nodes, *names, actions);
    return transact (job, actions, err);
}

//  A daemon that is killed in the middle of it brings it to its end: what undoes the making of a
//  checkpoint removes one as well.
static int intend_removal (job_t *job, const strings_t *names, error_t *err)
{
    for (size_t i = 0; i < names->count; i++)
        if (job_undo (job, "qemu.checkpoint", names->items[i], err))
            return -1;
    return job_record (job, err);
}

//  What QEMU refuses has removed none of them.
static int remove_for_good (job_t *job, const strings_t *names, error_t *err)
{
    error_t dropped = { 0 };
    if (intend_removal (job, names, err))
        return -1;
    if (remove_bitmaps (job, strings_list (names), err) == 0)
        return 0;
    if (err->code == ERR_OPERATION_FAILED && job_commit (job, &dropped))
        job_log (job, "domain '%s': %s", job->guest->name, dropped.message);
    return -1;
}

int qemu_checkpoint_delete (job_t *job, const strings_t *names, bool metadata, error_t *err)
{
    const guest_t *guest = job->guest;
    if (!metadata && !guest->live)
        return error_set (err, ERR_OPERATION_INVALID,
                          "delete a checkpoint of domain '%s': it is not running, so its images "
                          "would keep the bitmaps; start it, or delete the metadata alone",
                          guest->name);
    if (!metadata && remove_for_good (job, names, err))
        return error_prefix (err, "delete a checkpoint of domain '%s'", guest->name);
    for (size_t i = 0; i < names->count; i++)
        checkpoint_remove (guest->checkpoints, names->items[i]);
    return checkpoints_save (job, "qemu", err);
}

int qemu_checkpoint_undo (job_t *job, const char *name, error_t *err)
{
    const char *const names[] = { name, NULL };
    guest_t *guest = job->guest;
    if (!qemu_has_ended (job) && remove_bitmaps (job, names, err))
        return error_prefix (err, "take back checkpoint '%s' of domain '%s'", name, guest->name);
    if (!checkpoint_find (guest->checkpoints, name))
        return 0;
    checkpoint_remove (guest->checkpoints, name);
    return checkpoints_save (job, "qemu", err);
}

//  Measuring.

static int measure_disk (job_t *job, const json_t *nodes, xml_node_t *disk, error_t *err)
{
    const char *target = xml_string (disk, "@name"), *name = xml_string (disk, "@bitmap");
    auto(qemu_disk_t) found = qemu_block_find (job, target, err);
    if (!found)
        return -1;
    const char *node = found->count > 0 ? found->chain[0].node : "";
    const json_t *bitmap = qemu_bitmap_find (nodes, node, name);
    if (qemu_bitmap_check (bitmap, name, target, err))
        return -1;
    xml_set_u64 (disk, "@size", answer_number (bitmap, "count"));
    return 0;
}

int qemu_checkpoint_measure (job_t *job, const char *name, xml_t **measured, error_t *err)
{
    const guest_t *guest = job->guest;
    auto(xml_t) doc = xml_from_node (checkpoint_find (guest->checkpoints, name));
    json_auto_t *nodes = qemu_bitmap_nodes (job, err);
    if (!nodes)
        return -1;
    xml_foreach (disk, xml_find (xml_root (doc), "disks"), "disk")
        if (xml_equals (disk, "@checkpoint", "bitmap") && measure_disk (job, nodes, disk, err))
            return error_prefix (err, "size of checkpoint '%s' of domain '%s'", name, guest->name);
    *measured = take (&doc);
    return 0;
}
