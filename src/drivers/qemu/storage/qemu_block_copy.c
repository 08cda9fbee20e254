//  qemu_block_copy.c: copies of a disk that its guest may go over to.

#include "drivers/qemu/storage/qemu_block_job.h"
#include "drivers/qemu/qemu_files.h"
#include "util/text.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

typedef struct {
    job_t *job;
    const qemu_disk_t *disk;
    const block_copy_t *copy;
    const char *format;
    const qemu_image_t *below; //  the image below the copy; NULL: none
    xml_node_t *entry, *dest;
    char *node;
} copier_t;

static int check_limits (const block_start_t *start, const block_copy_t *copy, error_t *err)
{
    const uint64_t numbers[] = { start->bandwidth, copy->granularity, copy->buffer };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (numbers[i] > INT64_MAX)
            return error_set (err, ERR_OVERFLOW, "%" PRIu64 " is too much", numbers[i]);
    if (copy->granularity > UINT32_MAX || (copy->granularity & (copy->granularity - 1)))
        return error_set (err, ERR_INVALID_ARG, "the granularity %" PRIu64 " is no power of two",
                          copy->granularity);
    return 0;
}

static int check_dest (const block_copy_t *copy, error_t *err)
{
    struct stat status;
    bool there = stat (copy->path, &status) == 0;
    if (!there && errno != ENOENT)
        return error_errno (err, ERR_OPEN_FAILED, "look at '%s'", copy->path);
    if (!there && (copy->block || copy->reuse))
        return error_set (err, ERR_OPEN_FAILED, "'%s' is to be used, but it is not there",
                          copy->path);
    if (there && S_ISBLK (status.st_mode) != copy->block)
        return error_set (err, ERR_INVALID_ARG, "'%s' is %s", copy->path,
                          copy->block ? "no block device"
                                      : "a block device: ask for one, with blockdev");
    if (there && !copy->block && !copy->reuse)
        return error_set (err, ERR_OPERATION_FAILED,
                          "the file '%s' exists already: name another one, or reuse it",
                          copy->path);
    return 0;
}

static int check_format (const copier_t *self, error_t *err)
{
    if (strcmp (self->format, "raw") != 0 && strcmp (self->format, "qcow2") != 0)
        return error_set (err, ERR_ARGUMENT_UNSUPPORTED,
                          "not supported: the format '%s'; raw and qcow2 are", self->format);
    if (self->below && strcmp (self->format, "raw") == 0)
        return error_set (err, ERR_INVALID_ARG,
                          "a raw image can't have others below it: make the copy qcow2, or not "
                          "shallow");
    for (size_t i = 0; i < self->disk->count; i++)
        if (text_equals (self->disk->chain[i].path, self->copy->path))
            return error_set (err, ERR_INVALID_ARG, "'%s' is one of its own images",
                              self->copy->path);
    return 0;
}

static int begin (copier_t *self, const block_start_t *start, error_t *err)
{
    self->node = qemu_block_name (self->job, self->disk->target, err);
    self->entry = self->node ? qemu_block_begin (self->job, self->disk, "copy", start, err) : NULL;
    if (!self->entry)
        return -1;
    size_t leaving = self->below ? 1 : self->disk->count;
    for (size_t i = 0; i < leaving; i++)
        qemu_block_leaves (self->entry, self->disk, i);
    self->dest = xml_add (self->entry, "dest");
    xml_set (self->dest, "@path", self->copy->path);
    xml_set (self->dest, "@format", self->format);
    xml_set (self->dest, "@block", self->copy->block ? "yes" : "no");
    xml_set (self->dest, "@node", self->node);
    return 0;
}

//  The record says which file it is before it has its name.
static int make_file (copier_t *self, error_t *err)
{
    qemu_inode_t inode;
    const char *path = self->copy->path;
    bool raw = strcmp (self->format, "raw") == 0;
    xml_set (self->dest, "@made", "yes");
    if (job_record (self->job, err) ||
        qemu_block_new_file (self->job, path, raw ? self->disk->chain[0].capacity : 0, inode, err))
        return -1;
    xml_set (self->dest, "@inode", inode);
    return job_record (self->job, err) || qemu_block_name_file (self->job, path, err) ? -1 : 0;
}

//  A whole copy into an image that is there hides what that image has below it.
static int add_node (copier_t *self, error_t *err)
{
    const qemu_image_t *below = self->below;
    bool make = !self->copy->reuse;
    qemu_create_t create = {
        .node = { .node = self->node,
                  .path = self->copy->path,
                  .format = self->format,
                  .backing = below  ? below->node
                             : make ? ""
                                    : NULL,
                  .block = self->copy->block },
        .capacity = self->disk->chain[0].capacity,
        .backing_path = below ? below->path : NULL,
        .backing_format = below ? below->format : NULL,
    };
    return make ? qemu_block_create (self->job, self->disk->element, &create, err)
                : qemu_block_add (self->job, self->disk->element, &create.node, err);
}

static int make_dest (copier_t *self, error_t *err)
{
    const block_copy_t *copy = self->copy;
    bool make = !copy->reuse && !copy->block;
    if (make ? make_file (self, err)
             : job_record (self->job, err) || qemu_take_file (self->job, copy->path, err))
        return -1;
    return add_node (self, err);
}

static int launch (copier_t *self, error_t *err)
{
    const block_copy_t *copy = self->copy;
    json_t *arguments = json_pack ("{s:s, s:s, s:s}", "device", self->disk->chain[0].node, "target",
                                   self->node, "sync", self->below ? "top" : "full");
    if (copy->granularity > 0)
        json_object_set_new (arguments, "granularity",
                             json_integer ((json_int_t) copy->granularity));
    if (copy->buffer > 0)
        json_object_set_new (arguments, "buf-size", json_integer ((json_int_t) copy->buffer));
    if (copy->synchronous)
        json_object_set_new (arguments, "copy-mode", json_string ("write-blocking"));
    return qemu_block_launch (self->job, self->entry, "blockdev-mirror", arguments, err);
}

static int copy_disk (copier_t *self, const block_start_t *start, error_t *err)
{
    return check_limits (start, self->copy, err) || check_dest (self->copy, err) ||
                   check_format (self, err) || begin (self, start, err) || make_dest (self, err) ||
                   launch (self, err)
               ? -1
               : 0;
}

int qemu_block_copy (job_t *job, const block_start_t *start, const block_copy_t *copy, error_t *err)
{
    auto(qemu_disk_t) disk = qemu_block_claim (job, start->disk, "copy", err);
    if (!disk)
        return -1;
    copier_t self = { .job = job,
                      .disk = disk,
                      .copy = copy,
                      .format = copy->format ? copy->format : disk->chain[0].format,
                      .below = copy->shallow && disk->count > 1 ? &disk->chain[1] : NULL };
    int rc = copy_disk (&self, start, err);
    free (self.node);
    return rc ? error_prefix (err, "copy: the disk '%s' of domain '%s'", disk->target,
                              job->guest->name)
              : 0;
}
