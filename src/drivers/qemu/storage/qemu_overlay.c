//  qemu_overlay.c: see qemu_overlay.h. How one is taken, and what becomes of one that is half
//  taken; going back to one is in qemu_branch.c.

#include "drivers/qemu/storage/qemu_overlay.h"
#include "drivers/pending_file.h"
#include "drivers/qemu/qemu_agent.h"
#include "drivers/qemu/storage/qemu_block.h"
#include "drivers/qemu/storage/qemu_img.h"
#include "drivers/qemu/qemu_live.h"
#include "drivers/qemu/memory/qemu_save.h"
#include "drivers/qemu/storage/qemu_snapshot.h"
#include "drivers/qemu/storage/qemu_stream.h"
#include "drivers/save_image.h"
#include "drivers/snapshot_xml.h"
#include "util/text.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#define QMP_MS 60000 //  requests of the guest that are under way come first

typedef struct {
    job_t *job;
    xml_node_t *snapshot;
    xml_node_t *record; //  <snapshot> in the guest's record
    bool reuse;
} overlay_t;

//  One external disk of a snapshot.
typedef struct {
    const xml_node_t *entry; //  of the snapshot
    const char *target, *path;
    xml_node_t *added;              //  <new>
    char *base, *format;            //  what it goes above
    char node[QEMU_NODE_MAX];       //  of that; running guests only
    uint64_t capacity;              //  bytes
    const xml_node_t *disk_element; //  of the live document or the definition
} part_t;

static void part_close (part_t *self)
{
    free (self->base);
    free (self->format);
}

//  The record.

static int begin_record (overlay_t *self, bool known, error_t *err)
{
    self->record = guest_record_begin (self->job->guest, "snapshot", err);
    if (!self->record)
        return -1;
    xml_set (self->record, "@known", known ? "yes" : "no");
    xml_add_copy (self->record, self->snapshot);
    return 0;
}

void qemu_overlay_taken (job_t *job)
{
    guest_record_end (job->guest, "snapshot");
}

//  One image.

static int find_live (overlay_t *self, part_t *part, error_t *err)
{
    auto(qemu_disk_t) disk = qemu_block_find (self->job, part->target, err);
    if (!disk)
        return -1;
    if (disk->count == 0 || !disk->chain[0].path)
        return error_set (err, ERR_OPERATION_UNSUPPORTED,
                          "not supported: a snapshot of what is no file or block device");
    part->disk_element = disk->element;
    part->base = text_copy (disk->chain[0].path);
    part->format = text_copy (disk->chain[0].format);
    part->capacity = disk->chain[0].capacity;
    snprintf (part->node, sizeof part->node, "%s", disk->chain[0].node);
    return 0;
}

static int find_at_rest (overlay_t *self, part_t *part, error_t *err)
{
    part->disk_element = snapshot_find_disk (self->job->guest->definition, part->target);
    if (!part->disk_element)
        return error_set (err, ERR_OPERATION_INVALID, "the domain has no such disk");
    part->base = text_copy (snapshot_disk_source (part->disk_element));
    part->format = text_copy (qemu_block_format (part->disk_element));
    return self->reuse
               ? 0
               : qemu_img_capacity (self->job, part->base, part->format, &part->capacity, err);
}

static int check_reused (overlay_t *self, const part_t *part, error_t *err)
{
    json_auto_t *info = qemu_img_info (self->job, part->path, err);
    if (!info)
        return -1;
    if (text_equals (json_string_value (json_object_get (info, "format")), "qcow2"))
        return 0;
    return error_set (err, ERR_OPERATION_INVALID, "'%s' is to be reused, and is not in qcow2",
                      part->path);
}

static int make_file (overlay_t *self, part_t *part, error_t *err)
{
    qemu_inode_t inode;
    job_t *job = self->job;
    if (qemu_block_new_file (job, part->path, 0, inode, err))
        return -1;
    xml_set (part->added, "@inode", inode);
    return job_record (job, err) || qemu_block_name_file (job, part->path, err) ? -1 : 0;
}

int qemu_overlay_format (job_t *job, const char *path, const char *base, const char *format,
                         uint64_t capacity, error_t *err)
{
    autofree char *size = text_format ("%" PRIu64, capacity);
    const char *const args[] = { "create", "-q", "-f",   "qcow2", "-u", "-b",
                                 base,     "-F", format, path,    size, NULL };
    return qemu_img_run (job, path, args, QMP_MS, NULL, err);
}

//  The node has no image below it: QEMU puts it above the disk's own.
static int add_node (overlay_t *self, part_t *part, error_t *err)
{
    job_t *job = self->job;
    autofree char *name = qemu_block_name (job, part->target, err);
    if (!name)
        return -1;
    xml_set (part->added, "@node", name);
    qemu_create_t create = { .node = { .node = name,
                                       .path = part->path,
                                       .format = "qcow2",
                                       .backing = "",
                                       .block = xml_equals (part->entry, "@type", "block") },
                             .capacity = part->capacity,
                             .backing_path = part->base,
                             .backing_format = part->format };
    if (job_record (job, err))
        return -1;
    return self->reuse ? qemu_block_add (job, part->disk_element, &create.node, err)
                       : qemu_block_create (job, part->disk_element, &create, err);
}

static int prepare_part (overlay_t *self, part_t *part, error_t *err)
{
    bool live = self->job->guest->live != NULL;
    if (xml_equals (part->entry, "@type", "block") && !self->reuse)
        return error_set (err, ERR_OPERATION_UNSUPPORTED,
                          "not supported: an image made on the block device '%s'; make it, and say "
                          "reuse_external",
                          part->path);
    if ((live ? find_live : find_at_rest) (self, part, err))
        return -1;
    part->added = xml_add (self->record, "new");
    xml_set (part->added, "@disk", part->target);
    xml_set (part->added, "@path", part->path);
    if (self->reuse ? check_reused (self, part, err)
                    : job_record (self->job, err) || make_file (self, part, err))
        return -1;
    if (live)
        return add_node (self, part, err);
    return self->reuse ? 0
                       : qemu_overlay_format (self->job, part->path, part->base, part->format,
                                              part->capacity, err);
}

//  Adds to ACTIONS what switches the guest to them.
static int prepare_disks (overlay_t *self, json_t *actions, error_t *err)
{
    xml_foreach (entry, xml_find (self->snapshot, "disks"), "disk") {
        part_t part = { .entry = entry,
                        .target = xml_string (entry, "@name"),
                        .path = snapshot_disk_source (entry) };
        if (snapshot_disk_place (entry) != SNAPSHOT_EXTERNAL)
            continue;
        int rc = prepare_part (self, &part, err);
        if (!rc)
            json_array_append_new (
                actions,
                json_pack ("{s:s, s:{s:s, s:s}}", "type", "blockdev-snapshot", "data", "node",
                           part.node, "overlay",
                           self->job->guest->live ? xml_string (part.added, "@node") : ""));
        part_close (&part);
        if (rc)
            return error_prefix (err, "disk '%s'", part.target);
    }
    return 0;
}

//  Documents.

//  DISK goes on in ENTRY's image. What it was is named below that: in DOCUMENT always, in a
//  definition if that names such images at all.
static void put_above (xml_node_t *disk, const xml_node_t *entry, bool always)
{
    autofree char *path = text_copy (qemu_block_path (disk));
    autofree char *format = text_copy (qemu_block_format (disk));
    bool block = xml_equals (disk, "@type", "block");
    const xml_node_t *store = xml_find (disk, "backingStore");
    auto(xml_t) below = store ? xml_from_node (store) : NULL;
    xml_remove_path (disk, "backingStore");
    xml_set (disk, "driver/@type", "qcow2");
    qemu_block_set_source (disk, snapshot_disk_source (entry),
                           xml_equals (entry, "@type", "block"));
    if (!always && !below)
        return;
    xml_node_t *added = xml_add (disk, "backingStore");
    xml_set (added, "format/@type", format);
    qemu_block_set_source (added, path, block);
    if (below)
        xml_add_copy (added, xml_root (below));
    else if (text_equals (format, "raw"))
        xml_add (added, "backingStore");
}

//  Twice is once: a disk that has another source by now is left alone.
static void name_overlays (guest_t *guest, const xml_node_t *snapshot)
{
    auto(xml_t) then = snapshot_domain (snapshot, false);
    xml_t *documents[] = { guest->live, guest->definition };
    xml_foreach (entry, xml_find (snapshot, "disks"), "disk") {
        const char *target = xml_string (entry, "@name");
        const xml_node_t *old = then ? snapshot_find_disk (then, target) : NULL;
        for (size_t i = 0; i < 2 && snapshot_disk_place (entry) == SNAPSHOT_EXTERNAL; i++) {
            xml_node_t *disk = documents[i] ? snapshot_find_disk (documents[i], target) : NULL;
            if (old && disk &&
                text_equals (snapshot_disk_source (disk), snapshot_disk_source (old)))
                put_above (disk, entry, i == 0);
        }
    }
}

//  Memory.

static int check_absent (const char *path, error_t *err)
{
    struct stat status;
    if (lstat (path, &status) == 0)
        return error_set (err, ERR_OPERATION_FAILED,
                          "the file '%s' exists already: name another one for the memory", path);
    return 0;
}

static int save_memory (overlay_t *self, bool running, bool live, error_t *err)
{
    struct stat status;
    job_t *job = self->job;
    const char *path = xml_string (self->snapshot, "memory/@file");
    auto(save_image_t) image = qemu_save_image (job, running, err);
    auto(pending_file_t) file = image ? pending_file_new (job, path, err) : NULL;
    if (!file || qemu_save_write (job, image, file, running, running && !live, err))
        return -1;
    if (fstat (file->fd, &status))
        return error_errno (err, ERR_SYSTEM_ERROR, "memory file '%s'", path);
    xml_set (self->record, "memory/@path", path);
    xml_setf (self->record, "memory/@inode", "%llu:%llu", (unsigned long long) status.st_dev,
              (unsigned long long) status.st_ino);
    return job_record (job, err) || check_absent (path, err) || pending_file_commit (file, err) ? -1
                                                                                                : 0;
}

//  Taking one.

//  From here on a cancel comes too late.
static int switch_disks (overlay_t *self, json_t *actions, error_t *err)
{
    xml_set (self->record, "@switching", "yes");
    if (job_record (self->job, err))
        return -1;
    self->job->closed = true;
    if (json_array_size (actions) == 0)
        return 0;
    json_auto_t *reply =
        job_qmp (self->job, "transaction", json_pack ("{s:O}", "actions", actions), QMP_MS, err);
    return reply ? 0 : -1;
}

//  That it could not be thawed spoils no snapshot; its owner tries again.
static int switch_frozen (overlay_t *self, json_t *actions, error_t *err)
{
    error_t frozen = { 0 };
    if (qemu_agent_freeze (self->job, err) || switch_disks (self, actions, err))
        return -1;
    if (qemu_agent_thaw (self->job, &frozen))
        job_log (self->job, "domain '%s': %s", self->job->guest->name, frozen.message);
    return 0;
}

static int let_go_on (job_t *job, error_t *err)
{
    return qemu_stream_go_on (job, err)
               ? error_prefix (err, "it is taken, but the guest does not go on")
               : 0;
}

//  From here on it is the user's: undo lets no guest go on that was suspended since.
static int hand_back (overlay_t *self, error_t *err)
{
    xml_set (self->record, "@handed_back", "yes");
    if (job_record (self->job, err))
        return -1;
    job_written (self->job, true);
    return 0;
}

bool qemu_overlay_is_handed_back (const guest_t *guest)
{
    return guest->record && xml_equals (xml_root (guest->record), "snapshot/@handed_back", "yes");
}

static int take_live (overlay_t *self, json_t *actions, unsigned flags, error_t *err)
{
    bool running, memory = snapshot_memory (self->snapshot) == SNAPSHOT_EXTERNAL;
    guest_status_t status = self->job->guest->status;
    if (qemu_is_running (self->job, &running, err) ||
        (memory && save_memory (self, running, flags & SNAPSHOT_LIVE, err)) ||
        (flags & SNAPSHOT_QUIESCE ? switch_frozen : switch_disks) (self, actions, err) ||
        (memory && running && let_go_on (self->job, err)))
        return -1;
    self->job->guest->status = status;
    return hand_back (self, err);
}

static int check_memory (overlay_t *self, error_t *err)
{
    const char *path = xml_string (self->snapshot, "memory/@file");
    return path ? check_absent (path, err) : 0;
}

int qemu_overlay_create (job_t *job, xml_node_t *snapshot, unsigned flags, error_t *err)
{
    overlay_t self = { .job = job, .snapshot = snapshot, .reuse = flags & SNAPSHOT_REUSE };
    json_auto_t *actions = json_array ();
    if (check_memory (&self, err) || qemu_block_check_idle (job->guest, NULL, "a snapshot", err) ||
        begin_record (&self, !(flags & SNAPSHOT_UNKNOWN), err) ||
        job_undo (job, "qemu.overlay", snapshot_name (snapshot), err) || job_record (job, err))
        return -1;
    job_progress (job, &(job_progress_t){ .step = "snapshot" });
    if (prepare_disks (&self, actions, err) ||
        (job->guest->live && take_live (&self, actions, flags, err)))
        return -1;
    job->closed = true;
    name_overlays (job->guest, snapshot);
    return 0;
}

//  Undo.

static bool in_definition (const guest_t *guest, const char *target, const char *path)
{
    const xml_node_t *disk =
        guest->definition ? snapshot_find_disk (guest->definition, target) : NULL;
    return disk && text_equals (snapshot_disk_source (disk), path);
}

static int ask_switched (job_t *job, const xml_node_t *first, bool *switched, error_t *err)
{
    auto(qemu_disk_t) disk = qemu_block_find (job, xml_string (first, "@disk"), err);
    if (!disk)
        return -1;
    *switched = disk->count > 0 && xml_equals (first, "@node", disk->chain[0].node);
    return 0;
}

//  Does the guest use the overlays, or may it have done so before it ended?
static int has_switched (job_t *job, const xml_node_t *record, bool there, bool *switched,
                         error_t *err)
{
    const xml_node_t *first = xml_first (record, "new");
    *switched =
        !job->guest->live && first &&
        in_definition (job->guest, xml_string (first, "@disk"), xml_string (first, "@path"));
    if (!xml_equals (record, "@switching", "yes"))
        return 0;
    *switched = !there || !first;
    return there && first ? ask_switched (job, first, switched, err) : 0;
}

static int drop_file (job_t *job, const xml_node_t *made, error_t *err)
{
    const char *inode = xml_string (made, "@inode");
    return qemu_block_drop_file (job, xml_string (made, "@path"), inode ? inode : "", err);
}

//  A daemon that ended may not have heard how QEMU's job that wrote the image went.
static int drop_node (job_t *job, const char *node, error_t *err)
{
    autofree char *created = text_format ("create-%s", node);
    return qemu_block_end_job (job, created, err) || qemu_block_remove (job, node, err) ? -1 : 0;
}

static int drop_all (job_t *job, const xml_node_t *record, bool there, error_t *err)
{
    xml_foreach (made, record, "new")
        if (there && xml_string (made, "@node") && drop_node (job, xml_string (made, "@node"), err))
            return -1;
    xml_foreach (made, record, "new")
        if (drop_file (job, made, err))
            return -1;
    xml_foreach (made, record, "memory")
        if (drop_file (job, made, err))
            return -1;
    return 0;
}

static int add_to_tree (job_t *job, snapshot_tree_t *tree, const xml_node_t *snapshot, error_t *err)
{
    if (snapshot_tree_find (tree, snapshot_name (snapshot)))
        return 0;
    if (snapshot_tree_add (tree, snapshot, false, err))
        return -1;
    snapshot_tree_set_current (tree, snapshot_name (snapshot));
    return qemu_snapshot_write_tree (job, tree, err);
}

static int bring_to_end (job_t *job, snapshot_tree_t *tree, const xml_node_t *record, error_t *err)
{
    const xml_node_t *snapshot = xml_first (record, "domainsnapshot");
    if (xml_equals (record, "@known", "yes") && add_to_tree (job, tree, snapshot, err))
        return -1;
    name_overlays (job->guest, snapshot);
    job->finished = true;
    return job_write_definition (job, err);
}

static int end_half_taken (job_t *job, snapshot_tree_t *tree, const xml_node_t *record, bool there,
                           const char *name, error_t *err)
{
    bool switched;
    if (has_switched (job, record, there, &switched, err))
        return -1;
    return switched || snapshot_tree_find (tree, name) ? bring_to_end (job, tree, record, err)
                                                       : drop_all (job, record, there, err);
}

int qemu_undo_overlay (job_t *job, const char *name, error_t *err)
{
    error_t ignored = { 0 };
    bool opened = false, there = job->guest->live && !qemu_has_ended (job);
    autofree char *path = snapshot_tree_path (job->paths, "qemu", job->guest->uuid);
    const xml_node_t *record =
        job->guest->record ? xml_find (xml_root (job->guest->record), "snapshot") : NULL;
    auto(snapshot_tree_t) tree = snapshot_tree_load (path, err);
    if (!tree || !record || !xml_first (record, "domainsnapshot"))
        return tree ? 0 : -1;
    if (there && qemu_reach_monitor (job, &opened, err))
        return error_prefix (err, "snapshot '%s' of domain '%s'", name, job->guest->name);
    int rc = end_half_taken (job, tree, record, there, name, err);
    if (opened)
        job_monitor_close (job, &ignored);
    if (rc)
        return error_prefix (err, "snapshot '%s' of domain '%s'", name, job->guest->name);
    qemu_overlay_taken (job);
    return 0;
}
