//  qemu_branch.c: going back to external snapshots: the images of that time stay as they are, and
//  the guest goes on in new ones above them (qemu_overlay.h).

#include "drivers/qemu/storage/qemu_block.h"
#include "drivers/qemu/storage/qemu_img.h"
#include "drivers/qemu/storage/qemu_overlay.h"
#include "drivers/qemu/qemu_start.h"
#include "drivers/save_image.h"
#include "drivers/snapshot_xml.h"
#include "util/text.h"

#include <string.h>

#define TRIES_MAX 10000

//  The disk of the snapshot's time.
static const xml_node_t *disk_of (const xml_t *then, const xml_node_t *entry, error_t *err)
{
    const char *target = xml_string (entry, "@name");
    const xml_node_t *disk = then ? snapshot_find_disk (then, target) : NULL;
    if (disk && snapshot_disk_source (disk))
        return disk;
    error_set (err, ERR_OPERATION_INVALID,
               "the snapshot does not say which image the disk '%s' had then", target);
    return NULL;
}

int qemu_overlay_check (job_t *job, const xml_node_t *snapshot, error_t *err)
{
    uint64_t capacity;
    auto(xml_t) then = snapshot_domain (snapshot, false);
    const char *memory = xml_string (snapshot, "memory/@file");
    xml_foreach (entry, xml_find (snapshot, "disks"), "disk") {
        if (snapshot_disk_place (entry) != SNAPSHOT_EXTERNAL)
            continue;
        const xml_node_t *disk = disk_of (then, entry, err);
        if (!disk || qemu_img_capacity (job, snapshot_disk_source (disk), qemu_block_format (disk),
                                        &capacity, err))
            return -1;
    }
    auto(save_image_t) image = memory ? save_image_open (memory, err) : NULL;
    return memory && !image ? -1 : 0;
}

//  A name that no file has yet: that of the base, the snapshot's and a number.
static char *free_path (const char *base, const char *name, error_t *err)
{
    for (int i = 1; i < TRIES_MAX; i++) {
        autofree char *suffix = text_format ("%s-%d", name, i);
        autofree char *path = snapshot_default_file (base, suffix);
        if (access (path, F_OK))
            return take (&path);
    }
    error_set (err, ERR_OPERATION_FAILED, "no free name beside the image '%s'", base);
    return NULL;
}

static int push_undo (job_t *job, const char *inode, const char *path, error_t *err)
{
    autofree char *argument = text_format ("%s:%s", inode, path);
    return job_undo (job, "qemu.branch", argument, err) || job_record (job, err) ? -1 : 0;
}

static int make_overlay (job_t *job, const xml_node_t *disk, const char *path, error_t *err)
{
    uint64_t capacity;
    qemu_inode_t inode;
    const char *base = snapshot_disk_source (disk), *format = qemu_block_format (disk);
    return qemu_img_capacity (job, base, format, &capacity, err) ||
                   push_undo (job, "", path, err) ||
                   qemu_block_new_file (job, path, 0, inode, err) ||
                   push_undo (job, inode, path, err) || qemu_block_name_file (job, path, err) ||
                   qemu_overlay_format (job, path, base, format, capacity, err)
               ? -1
               : 0;
}

//  What the documents say about images below is of that time no more.
static void name_overlay (xml_t *document, const char *target, const char *path)
{
    xml_node_t *disk = document ? snapshot_find_disk (document, target) : NULL;
    if (!disk)
        return;
    xml_remove_path (disk, "backingStore");
    xml_set (disk, "driver/@type", "qcow2");
    qemu_block_set_source (disk, path, false);
}

int qemu_overlay_branch (job_t *job, const xml_node_t *snapshot, xml_t *document, error_t *err)
{
    auto(xml_t) then = snapshot_domain (snapshot, false);
    xml_foreach (entry, xml_find (snapshot, "disks"), "disk") {
        if (snapshot_disk_place (entry) != SNAPSHOT_EXTERNAL)
            continue;
        const char *target = xml_string (entry, "@name");
        const xml_node_t *disk = disk_of (then, entry, err);
        autofree char *path =
            disk ? free_path (snapshot_disk_source (disk), snapshot_name (snapshot), err) : NULL;
        if (!path || make_overlay (job, disk, path, err))
            return error_prefix (err, "disk '%s'", target);
        name_overlay (job->guest->definition, target, path);
        name_overlay (document, target, path);
    }
    return 0;
}

int qemu_overlay_start (job_t *job, const xml_node_t *snapshot, const xml_t *document, error_t *err)
{
    const char *path = xml_string (snapshot, "memory/@file");
    auto(save_image_t) image = save_image_open (path, err);
    if (!image)
        return -1;
    job_file_t state = { .path = path, .write = false, .offset = image->stream_at };
    return qemu_start_from (job, document, &state, err);
}

static bool is_named (const xml_t *document, const char *path)
{
    xml_foreach (disk, document ? xml_find (xml_root (document), "devices") : NULL, "disk")
        if (text_equals (snapshot_disk_source (disk), path))
            return true;
    return false;
}

//  INODE has a colon itself.
int qemu_undo_branch (job_t *job, const char *argument, error_t *err)
{
    const char *slash = strchr (argument, '/');
    if (!slash || slash == argument || slash[-1] != ':')
        return error_set (err, ERR_INVALID_ARG, "undo qemu.branch '%s': not INODE:PATH", argument);
    if (is_named (job->guest->definition, slash))
        return 0;
    autofree char *inode = text_copy_bytes (argument, (size_t) (slash - argument) - 1);
    return qemu_block_drop_file (job, slash, inode, err);
}
