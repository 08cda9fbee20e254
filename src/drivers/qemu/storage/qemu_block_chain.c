//  qemu_block_chain.c: chains of images that become shorter: what is above goes into what is below
//  (commit), or the other way round (pull).

#include "drivers/qemu/storage/qemu_block_job.h"
#include "drivers/qemu/storage/qemu_chains.h"
#include "drivers/qemu/qemu_files.h"
#include "util/file.h"
#include "util/text.h"

#include <inttypes.h>
#include <string.h>

static int check_start (const block_start_t *start, error_t *err)
{
    if (start->bandwidth <= INT64_MAX)
        return 0;
    return error_set (err, ERR_OVERFLOW, "%" PRIu64 " bytes a second are too many",
                      start->bandwidth);
}

//  The image that NAME (NULL: number OTHERWISE) means.
static int find_image (const qemu_disk_t *disk, const char *name, size_t otherwise, size_t *index,
                       error_t *err)
{
    *index = name ? qemu_disk_index (disk, name) : otherwise;
    if (*index < disk->count)
        return 0;
    auto(text_t) chain = text_new ();
    for (size_t i = 0; i < disk->count; i++)
        text_addf (chain, "%s%s", i > 0 ? ", " : "", disk->chain[i].path);
    return error_set (err, ERR_INVALID_ARG, "'%s' is none of its images: %s", name, chain->data);
}

//  How the image at OVERLAY is to name the one at BASE.
static char *backing_name (const qemu_image_t *overlay, const qemu_image_t *base, bool relative)
{
    autofree char *folder = file_folder (overlay->path);
    return relative ? file_relative (folder, base->path) : text_copy (base->path);
}

//  Commit.

typedef struct {
    size_t top, base;
} range_t;

static int find_range (const qemu_disk_t *disk, const block_commit_t *commit, range_t *range,
                       error_t *err)
{
    if (commit->shallow && commit->base)
        return error_set (err, ERR_INVALID_ARG, "a base does not go with shallow");
    if (find_image (disk, commit->top, 0, &range->top, err))
        return -1;
    if (disk->count < 2 || range->top == disk->count - 1)
        return error_set (err, ERR_INVALID_ARG, "there is no image below '%s'",
                          disk->chain[range->top].path);
    if (find_image (disk, commit->base, commit->shallow ? range->top + 1 : disk->count - 1,
                    &range->base, err))
        return -1;
    if (range->base <= range->top)
        return error_set (err, ERR_INVALID_ARG, "the base '%s' is not below the top '%s'",
                          disk->chain[range->base].path, disk->chain[range->top].path);
    if (range->top == 0 && !commit->active)
        return error_set (
            err, ERR_INVALID_ARG,
            "the top is the image that the guest writes to: ask for an active commit");
    if (range->top > 0 && commit->active)
        return error_set (err, ERR_INVALID_ARG,
                          "active goes with the image that the guest writes to only");
    return 0;
}

static void note_range (xml_node_t *entry, const qemu_disk_t *disk, const range_t *range,
                        bool remove)
{
    for (size_t i = range->top; i < range->base; i++) {
        qemu_block_leaves (entry, disk, i);
        if (remove)
            xml_set (xml_add (entry, "drop"), "@path", disk->chain[i].path);
    }
    if (range->top > 0)
        return;
    const qemu_image_t *base = &disk->chain[range->base];
    xml_set (entry, "dest/@path", base->path);
    xml_set (entry, "dest/@format", base->format);
    xml_set (entry, "dest/@block", base->block ? "yes" : "no");
}

//  The base is written to; and so is the image above the top, which is to name the base.
static int take_range (job_t *job, const qemu_disk_t *disk, const range_t *range, error_t *err)
{
    if (qemu_take_file (job, disk->chain[range->base].path, err))
        return -1;
    return range->top > 1 ? qemu_take_file (job, disk->chain[range->top - 1].path, err) : 0;
}

static json_t *commit_arguments (const qemu_disk_t *disk, const range_t *range, bool relative)
{
    const qemu_image_t *top = &disk->chain[range->top], *base = &disk->chain[range->base];
    json_t *arguments = json_pack ("{s:s, s:s, s:s}", "device", disk->chain[0].node, "top-node",
                                   top->node, "base-node", base->node);
    if (range->top > 0) {
        autofree char *name = backing_name (top - 1, base, relative);
        json_object_set_new (arguments, "backing-file", json_string (name));
    }
    return arguments;
}

static int commit_disk (job_t *job, const qemu_disk_t *disk, const block_start_t *start,
                        const block_commit_t *commit, error_t *err)
{
    range_t range;
    if (check_start (start, err) || find_range (disk, commit, &range, err))
        return -1;
    const char *type = range.top == 0 ? "active-commit" : "commit";
    xml_node_t *entry = qemu_block_begin (job, disk, type, start, err);
    if (!entry)
        return -1;
    note_range (entry, disk, &range, commit->remove);
    return take_range (job, disk, &range, err) ||
                   qemu_block_launch (job, entry, "block-commit",
                                      commit_arguments (disk, &range, commit->relative), err)
               ? -1
               : 0;
}

int qemu_block_commit (job_t *job, const block_start_t *start, const block_commit_t *commit,
                       error_t *err)
{
    auto(qemu_disk_t) disk = qemu_block_claim (job, start->disk, "commit", err);
    if (!disk)
        return -1;
    if (commit_disk (job, disk, start, commit, err) == 0)
        return 0;
    return error_prefix (err, "commit: the disk '%s' of domain '%s'", disk->target,
                         job->guest->name);
}

//  Merging one image into the next.

static size_t index_of (const qemu_disk_t *disk, const char *path)
{
    for (size_t i = 0; i < disk->count; i++) {
        autofree char *real = qemu_chains_path (disk->chain[i].path);
        if (strcmp (real, path) == 0)
            return i;
    }
    return disk->count;
}

static int launch_merge (job_t *job, const qemu_disk_t *disk, const range_t *range, bool relative,
                         error_t *err)
{
    static const block_start_t start = { .disk = "" };
    xml_node_t *entry =
        qemu_block_enter (job, disk, range->top == 0 ? "active-commit" : "commit", &start);
    note_range (entry, disk, range, false);
    if (take_range (job, disk, range, err))
        return -1;
    json_t *arguments = commit_arguments (disk, range, relative);
    if (range->top > 0)
        json_object_set_new (arguments, "auto-finalize", json_false ());
    return qemu_block_send (job, entry, "block-commit", arguments, err);
}

int qemu_block_merge (job_t *job, const char *target, const char *top, const char *base,
                      bool relative, error_t *err)
{
    auto(qemu_disk_t) disk = qemu_block_claim (job, target, "merging", err);
    if (!disk)
        return -1;
    range_t range = { index_of (disk, top), index_of (disk, base) };
    if (range.top == disk->count || range.base != range.top + 1)
        return error_set (err, ERR_OPERATION_FAILED,
                          "in QEMU '%s' does not stand on '%s': its images were changed behind the "
                          "domain's back",
                          top, base);
    return launch_merge (job, disk, &range, relative, err);
}

//  Pull.

static int launch_pull (job_t *job, const qemu_disk_t *disk, xml_node_t *entry, size_t base,
                        bool relative, error_t *err)
{
    json_t *arguments = json_pack ("{s:s}", "device", disk->chain[0].node);
    if (base < disk->count) {
        autofree char *name = backing_name (&disk->chain[0], &disk->chain[base], relative);
        json_object_set_new (arguments, "base-node", json_string (disk->chain[base].node));
        json_object_set_new (arguments, "backing-file", json_string (name));
    }
    return qemu_block_launch (job, entry, "block-stream", arguments, err);
}

static int pull_disk (job_t *job, const qemu_disk_t *disk, const block_start_t *start,
                      const block_pull_t *pull, error_t *err)
{
    size_t base = disk->count;
    if (check_start (start, err) || (pull->base && find_image (disk, pull->base, 0, &base, err)))
        return -1;
    if (base < 2 || disk->count < 2)
        return error_set (err, ERR_INVALID_ARG, "there is no image to be pulled from");
    if (pull->relative && !pull->base)
        return error_set (err, ERR_INVALID_ARG, "relative goes with a base only");
    xml_node_t *entry = qemu_block_begin (job, disk, "pull", start, err);
    if (!entry)
        return -1;
    for (size_t i = 1; i < base; i++)
        qemu_block_leaves (entry, disk, i);
    return launch_pull (job, disk, entry, base, pull->relative, err);
}

int qemu_block_pull (job_t *job, const block_start_t *start, const block_pull_t *pull, error_t *err)
{
    auto(qemu_disk_t) disk = qemu_block_claim (job, start->disk, "pull", err);
    if (!disk)
        return -1;
    if (pull_disk (job, disk, start, pull, err) == 0)
        return 0;
    return error_prefix (err, "pull: the disk '%s' of domain '%s'", disk->target, job->guest->name);
}
