//  qemu_snapshot.c: internal snapshots: in the qcow2 images themselves, with the memory of a guest
//  that runs in the first of them. QEMU's own jobs do it for a guest that runs, qemu-img for one
//  that is shut off.

#include "drivers/qemu/storage/qemu_snapshot.h"

#include "drivers/checkpoint.h"
#include "drivers/qemu/storage/qemu_block.h"
#include "drivers/qemu/command/qemu_complete.h"
#include "drivers/qemu/storage/qemu_img.h"
#include "drivers/qemu/qemu_live.h"
#include "drivers/qemu/storage/qemu_merge.h"
#include "drivers/qemu/storage/qemu_overlay.h"
#include "drivers/qemu/qemu_qmp_job.h"
#include "drivers/qemu/qemu_start.h"
#include "drivers/snapshot_tree.h"
#include "drivers/snapshot_xml.h"
#include "drivers/undo.h"
#include "util/file.h"
#include "util/text.h"

#include <string.h>

#define MONITOR_MS 60000 //  it may still be writing
#define DIGITS_MAX 6     //  of a name that looks like the number of a snapshot

//  Disks.

//  Calls EACH for the disks of DOMAIN that are part of SNAPSHOT; stops at the first -1.
typedef int (disk_fn) (job_t *job, const xml_node_t *disk, const char *name, error_t *err);

static int each_disk (job_t *job, const xml_node_t *snapshot, const xml_t *domain, disk_fn *each,
                      error_t *err)
{
    xml_foreach (entry, xml_find (snapshot, "disks"), "disk") {
        const char *target = xml_string (entry, "@name");
        const xml_node_t *disk = snapshot_find_disk (domain, target);
        if (snapshot_disk_place (entry) != SNAPSHOT_INTERNAL)
            continue;
        if (!disk || !snapshot_disk_source (disk))
            return error_set (err, ERR_OPERATION_INVALID, "the domain has no disk '%s' any more",
                              target);
        if (each (job, disk, snapshot_name (snapshot), err))
            return error_prefix (err, "disk '%s'", target);
    }
    return 0;
}

static bool holds_snapshots (const xml_node_t *disk)
{
    return xml_equals (disk, "driver/@type", "qcow2") && !xml_find (disk, "readonly") &&
           snapshot_disk_source (disk);
}

static int check_disk (job_t *job, const xml_node_t *disk, const char *name, error_t *err)
{
    (void) job;
    (void) name;
    if (holds_snapshots (disk))
        return 0;
    return error_set (err, ERR_OPERATION_UNSUPPORTED,
                      "not supported: an internal snapshot of an image that is read-only or not "
                      "qcow2; leave the disk out (snapshot=no), or take an external one");
}

//  What is behind a disk changes with block jobs and snapshots: QEMU knows its nodes.
static int add_node (job_t *job, json_t *nodes, const char *target, error_t *err)
{
    auto(qemu_disk_t) disk = qemu_block_find (job, target, err);
    if (!disk)
        return -1;
    if (disk->count == 0)
        return error_set (err, ERR_OPERATION_INVALID, "the disk '%s' has no medium", target);
    json_array_append_new (nodes, json_string (disk->chain[0].node));
    return 0;
}

static json_t *nodes_of (job_t *job, const xml_node_t *snapshot, error_t *err)
{
    json_t *nodes = json_array ();
    xml_foreach (entry, xml_find (snapshot, "disks"), "disk")
        if (snapshot_disk_place (entry) == SNAPSHOT_INTERNAL &&
            add_node (job, nodes, xml_string (entry, "@name"), err)) {
            json_decref (nodes);
            return NULL;
        }
    return nodes;
}

//  Those that could hold one, whatever the snapshot was to be of.
static json_t *all_nodes (job_t *job, error_t *err)
{
    json_t *nodes = json_array ();
    xml_foreach (disk, xml_find (xml_root (job->guest->live), "devices"), "disk")
        if (holds_snapshots (disk) &&
            add_node (job, nodes, xml_string (disk, "target/@dev"), err)) {
            json_decref (nodes);
            return NULL;
        }
    return nodes;
}

static const xml_t *domain_of (const guest_t *guest)
{
    return guest->live ? guest->live : guest->definition;
}

//  Taking one.

static int check_name (const char *name, error_t *err)
{
    size_t digits = strspn (name, "0123456789");
    if (name[digits] || digits > DIGITS_MAX)
        return 0;
    return error_set (err, ERR_OPERATION_UNSUPPORTED,
                      "not supported: an internal snapshot with the name '%s': in an image it "
                      "could be taken for the number of another one; add a letter",
                      name);
}

static int check_firmware (const xml_t *domain, error_t *err)
{
    const xml_node_t *root = xml_root (domain);
    if (!xml_string (root, "os/nvram") && !xml_equals (root, "os/loader/@type", "pflash"))
        return 0;
    return error_set (err, ERR_OPERATION_UNSUPPORTED,
                      "not supported: an internal snapshot of a guest whose firmware has variables "
                      "in a file (NVRAM), which would not go back with it");
}

//  EXECUTE with the snapshot's nodes, of which the first has the memory.
static int with_memory (job_t *job, const char *execute, const xml_node_t *snapshot,
                        const char *step, error_t *err)
{
    json_t *nodes = nodes_of (job, snapshot, err);
    if (!nodes)
        return -1;
    const char *first = json_string_value (json_array_get (nodes, 0));
    return qemu_job_run (job, execute,
                         json_pack ("{s:s, s:s, s:o}", "tag", snapshot_name (snapshot), "vmstate",
                                    first ? first : "", "devices", nodes),
                         step, err);
}

static int take_disk (job_t *job, const xml_node_t *disk, const char *name, error_t *err)
{
    return qemu_img_snapshot (job, snapshot_disk_source (disk), name, err);
}

static int check_absent (job_t *job, const xml_node_t *disk, const char *name, error_t *err)
{
    char id[32];
    error_t absent = { 0 };
    if (qemu_img_find_snapshot (job, snapshot_disk_source (disk), name, id, &absent) == 0)
        return error_set (err, ERR_OPERATION_INVALID,
                          "its image has a snapshot '%s' that the domain does not know of; "
                          "'qemu-img snapshot' shows and deletes it",
                          name);
    if (absent.code == ERR_NO_DOMAIN_SNAPSHOT)
        return 0;
    *err = absent;
    return -1;
}

int qemu_snapshot_create (job_t *job, xml_node_t *snapshot, unsigned flags, error_t *err)
{
    const xml_t *domain = domain_of (job->guest);
    const char *name = snapshot_name (snapshot);
    if (snapshot_is_external (snapshot))
        return qemu_overlay_create (job, snapshot, flags, err);
    if (check_name (name, err) || check_firmware (domain, err) ||
        qemu_block_check_idle (job->guest, NULL, "a snapshot", err) ||
        each_disk (job, snapshot, domain, check_disk, err) ||
        each_disk (job, snapshot, domain, check_absent, err) ||
        job_undo (job, "qemu.snapshot", name, err) || job_record (job, err))
        return -1;
    return job->guest->live ? with_memory (job, "snapshot-save", snapshot, "snapshot", err)
                            : each_disk (job, snapshot, domain, take_disk, err);
}

//  Going back.

static int find_in_image (job_t *job, const xml_node_t *disk, const char *name, error_t *err)
{
    char id[32];
    return qemu_img_find_snapshot (job, snapshot_disk_source (disk), name, id, err);
}

static bool same_image (const xml_t *domain, const char *target, const char *path)
{
    const xml_node_t *disk = domain ? snapshot_find_disk (domain, target) : NULL;
    return disk && text_equals (snapshot_disk_source (disk), path);
}

static snapshot_tree_t *load_tree (const job_t *job, char **path, error_t *err)
{
    *path = snapshot_tree_path (job->paths, "qemu", job->guest->uuid);
    return snapshot_tree_load (*path, err);
}

//  An external snapshot that was taken since made the image the base of another one, which is
//  worth nothing once the base has other content.
static int check_not_base (job_t *job, const xml_node_t *snapshot, const xml_t *then, error_t *err)
{
    autofree char *file = NULL;
    auto(snapshot_tree_t) tree = load_tree (job, &file, err);
    if (!tree)
        return -1;
    xml_foreach (entry, xml_find (snapshot, "disks"), "disk") {
        const char *target = xml_string (entry, "@name");
        const xml_node_t *disk = snapshot_find_disk (then, target);
        for (xml_node_t *each = snapshot_tree_first (tree); disk && each;
             each = snapshot_tree_next (each)) {
            auto(xml_t) domain = snapshot_is_external (each) ? snapshot_domain (each, false) : NULL;
            if (same_image (domain, target, snapshot_disk_source (disk)))
                return error_set (err, ERR_OPERATION_UNSUPPORTED,
                                  "not supported: it would change the image '%s', on which the "
                                  "external snapshot '%s' stands",
                                  snapshot_disk_source (disk), snapshot_name (each));
        }
    }
    return 0;
}

//  The name of a checkpoint whose bitmap is of the image behind DISK; NULL: none, or it is in the
//  image.
static const char *live_bitmap (const guest_t *guest, const xml_node_t *disk)
{
    const char *target = xml_string (disk, "target/@dev");
    const xml_node_t *all = guest->checkpoints ? xml_root (guest->checkpoints) : NULL;
    if (!same_image (guest->live, target, snapshot_disk_source (disk)))
        return NULL;
    xml_foreach (each, all, "domaincheckpoint")
        if (checkpoint_has_disk (each, target))
            return checkpoint_name (each);
    return NULL;
}

//  QEMU takes no image back while a bitmap records its writes, and says so when the guest is over
//  already. The bitmap would not know of what changed, and backups would miss it.
static int check_unrecorded (job_t *job, const xml_node_t *disk, const char *name, error_t *err)
{
    (void) name;
    autofree char *stored = NULL;
    const char *live = live_bitmap (job->guest, disk);
    if (!live && qemu_img_find_bitmap (job, snapshot_disk_source (disk), &stored, err))
        return -1;
    if (!live && !stored)
        return 0;
    return error_set (err, ERR_OPERATION_INVALID,
                      "the bitmap '%s' records what is written to its image, and would not be true "
                      "any more: 'troupe checkpoint-delete' removes a running domain's",
                      live ? live : stored);
}

int qemu_snapshot_check (job_t *job, const xml_node_t *snapshot, error_t *err)
{
    auto(xml_t) own = snapshot_domain (snapshot, false);
    const xml_t *then = own ? own : domain_of (job->guest);
    if (qemu_merge_is_begun (snapshot))
        return error_set (err, ERR_OPERATION_INVALID,
                          "its deletion was begun and called off, and its images have newer data "
                          "since: it can only be deleted");
    if (snapshot_is_external (snapshot))
        return qemu_overlay_check (job, snapshot, err);
    return each_disk (job, snapshot, then, find_in_image, err) ||
                   each_disk (job, snapshot, then, check_unrecorded, err) ||
                   check_not_base (job, snapshot, then, err)
               ? -1
               : 0;
}

static int apply_disk (job_t *job, const xml_node_t *disk, const char *name, error_t *err)
{
    return qemu_img_apply (job, snapshot_disk_source (disk), name, err);
}

//  Once one disk went back, all do: a cancel comes too late, and a daemon that is killed goes on
//  with it when it is back.
static int close_revert (job_t *job, const xml_node_t *snapshot, error_t *err)
{
    if (job_undo (job, "qemu.revert", snapshot_name (snapshot), err) || job_record (job, err))
        return -1;
    job->closed = true;
    return 0;
}

int qemu_snapshot_apply (job_t *job, const xml_node_t *snapshot, error_t *err)
{
    if (snapshot_is_external (snapshot))
        return 0; //  its images never change
    if (close_revert (job, snapshot, err) ||
        each_disk (job, snapshot, job->guest->definition, apply_disk, err))
        return -1;
    job->closed = false;
    return 0;
}

int qemu_snapshot_branch (job_t *job, const xml_node_t *snapshot, xml_t *document, error_t *err)
{
    return snapshot_is_external (snapshot) ? qemu_overlay_branch (job, snapshot, document, err) : 0;
}

//  Loading it may take long, and can be called off: then the guest is over, and its disks are back.
int qemu_snapshot_start (job_t *job, const xml_node_t *snapshot, const xml_t *document,
                         error_t *err)
{
    if (snapshot_is_external (snapshot))
        return qemu_overlay_start (job, snapshot, document, err);
    return qemu_start_from (job, document, NULL, err) ||
                   job_undo (job, "qemu.revert", snapshot_name (snapshot), err) ||
                   job_record (job, err) ||
                   with_memory (job, "snapshot-load", snapshot, "reverting", err)
               ? -1
               : 0;
}

//  Removing.

static int remove_from_disk (job_t *job, const xml_node_t *disk, const char *name, error_t *err)
{
    return qemu_img_remove_snapshot (job, snapshot_disk_source (disk), name, err);
}

static int remove_live (job_t *job, json_t *nodes, const char *name, error_t *err)
{
    if (!nodes)
        return -1;
    return qemu_job_run (job, "snapshot-delete",
                         json_pack ("{s:s, s:o}", "tag", name, "devices", nodes), "deleting", err);
}

//  From an image that is in use through QEMU; it may be another one by now than it was then.
static int remove_part (job_t *job, const xml_node_t *disk, const char *name, error_t *err)
{
    const char *target = xml_string (disk, "target/@dev");
    if (!same_image (job->guest->live, target, snapshot_disk_source (disk)))
        return remove_from_disk (job, disk, name, err);
    json_t *nodes = json_array ();
    if (add_node (job, nodes, target, err)) {
        json_decref (nodes);
        return -1;
    }
    return remove_live (job, nodes, name, err);
}

//  QEMU has the images below a disk's own open to read from them only, and lets nobody else write.
static int check_not_below (job_t *job, const xml_node_t *disk, const char *name, error_t *err)
{
    const char *target = xml_string (disk, "target/@dev"), *path = snapshot_disk_source (disk);
    if (!snapshot_find_disk (job->guest->live, target))
        return 0;
    auto(qemu_disk_t) found = qemu_block_find (job, target, err);
    if (!found)
        return -1;
    for (size_t i = 1; i < found->count; i++)
        if (text_equals (found->chain[i].path, path))
            return error_set (err, ERR_OPERATION_UNSUPPORTED,
                              "not supported: removing '%s' from the image '%s' while the guest "
                              "runs above it; shut the domain down, or merge the images "
                              "('troupe blockcommit'), and delete it then",
                              name, path);
    return 0;
}

static int remove_snapshot (job_t *job, const xml_node_t *snapshot, error_t *err)
{
    auto(xml_t) own = snapshot_domain (snapshot, false);
    return each_disk (job, snapshot, own ? own : domain_of (job->guest), remove_part, err);
}

//  An error leaves what is known of it, so that it can be deleted again.
static int delete_internal (job_t *job, const xml_node_t *snapshot, error_t *err)
{
    error_t dropped = { 0 };
    auto(xml_t) own = snapshot_domain (snapshot, false);
    if (qemu_block_check_idle (job->guest, NULL, "the removal of a snapshot", err) ||
        (job->guest->live && own && each_disk (job, snapshot, own, check_not_below, err)) ||
        job_undo (job, "qemu.forget", snapshot_name (snapshot), err) || job_record (job, err))
        return -1;
    if (remove_snapshot (job, snapshot, err) == 0)
        return 0;
    if (job_commit (job, &dropped))
        job_log (job, "domain '%s': %s", job->guest->name, dropped.message);
    return -1;
}

int qemu_snapshot_delete (job_t *job, snapshot_tree_t *tree, const char *name, bool last,
                          error_t *err)
{
    const xml_node_t *snapshot = snapshot_tree_find (tree, name);
    return snapshot_is_external (snapshot) ? qemu_merge_delete (job, tree, name, last, err)
                                           : delete_internal (job, snapshot, err);
}

//  Undo.

static int remove_from_images (job_t *job, const char *name, error_t *err)
{
    const xml_t *domain = domain_of (job->guest);
    xml_foreach (disk, domain ? xml_find (xml_root (domain), "devices") : NULL, "disk")
        if (holds_snapshots (disk) && remove_from_disk (job, disk, name, err))
            return -1;
    return 0;
}

//  A daemon that just started is not connected to the guest's monitor yet; adoption does that, and
//  finds it closed again.
static int settle (job_t *job, bool *opened, error_t *err)
{
    const char *monitor = xml_string (xml_root (job->guest->record), "monitor/@path");
    if (qemu_job_settle (job, err) == 0)
        return 0;
    if (err->code == ERR_OPERATION_TIMEOUT || !monitor ||
        job_monitor_open (job, monitor, MONITOR_MS, err))
        return -1;
    *opened = true;
    return qemu_job_settle (job, err);
}

//  SNAPSHOT NULL: whatever has its NAME. Of what QEMU is still doing first the end.
static int remove_again (job_t *job, const xml_node_t *snapshot, const char *name, error_t *err)
{
    bool opened = false, live = job->guest->live && !qemu_has_ended (job);
    error_t ignored = { 0 };
    int rc = live ? settle (job, &opened, err) : 0;
    if (!rc)
        rc = snapshot ? remove_snapshot (job, snapshot, err)
             : live   ? remove_live (job, all_nodes (job, err), name, err)
                      : remove_from_images (job, name, err);
    if (opened)
        job_monitor_close (job, &ignored);
    return rc ? error_prefix (err, "remove snapshot '%s' of domain '%s'", name, job->guest->name)
              : 0;
}

int qemu_undo_snapshot (job_t *job, const char *name, error_t *err)
{
    autofree char *path = NULL;
    auto(snapshot_tree_t) tree = load_tree (job, &path, err);
    if (!tree)
        return -1;
    job->finished = snapshot_tree_find (tree, name) != NULL;
    return job->finished ? 0 : remove_again (job, NULL, name, err);
}

int qemu_snapshot_write_tree (job_t *job, const snapshot_tree_t *tree, error_t *err)
{
    autofree char *path = snapshot_tree_path (job->paths, "qemu", job->guest->uuid);
    autofree char *folder = file_folder (path);
    autofree char *text = snapshot_tree_text (tree);
    //  It may be the first one, of a daemon that was killed before it made the folder.
    if (file_make_folders (folder, 0700, err))
        return -1;
    return snapshot_tree_count (tree) ? job_write_file (job, path, text, err)
                                      : job_remove_file (job, path, err);
}

int qemu_undo_forget (job_t *job, const char *name, error_t *err)
{
    autofree char *path = NULL;
    auto(snapshot_tree_t) tree = load_tree (job, &path, err);
    const xml_node_t *snapshot = tree ? snapshot_tree_find (tree, name) : NULL;
    if (!tree || (snapshot && remove_again (job, snapshot, name, err)))
        return -1;
    snapshot_tree_remove (tree, name);
    if (snapshot && qemu_snapshot_write_tree (job, tree, err))
        return -1;
    job->finished = true;
    return 0;
}

static int end_process (job_t *job, error_t *err)
{
    const char *identity = guest_recorded (job->guest, "process/@identity");
    return identity ? undo_run (job, "process", identity, err) : 0;
}

//  The guest is over; with its disks the definition goes back.
static int go_back (job_t *job, const xml_node_t *snapshot, error_t *err)
{
    guest_t *guest = job->guest;
    auto(xml_t) then = snapshot_domain (snapshot, true);
    if (then)
        xml_set (xml_root (then), "name", guest->name);
    if (end_process (job, err) || (then && guest->definition && qemu_complete (job, then, err)))
        return -1;
    if (then && guest->definition) {
        xml_destroy (&guest->definition);
        guest->definition = take (&then);
    }
    if (!guest->definition && !then)
        return 0;
    return each_disk (job, snapshot, guest->definition ? guest->definition : then, apply_disk,
                      err) ||
                   job_write_definition (job, err)
               ? -1
               : 0;
}

int qemu_undo_revert (job_t *job, const char *name, error_t *err)
{
    autofree char *path = NULL;
    auto(snapshot_tree_t) tree = load_tree (job, &path, err);
    const xml_node_t *snapshot = tree ? snapshot_tree_find (tree, name) : NULL;
    if (!tree)
        return -1;
    if (!snapshot)
        return error_set (err, ERR_NO_DOMAIN_SNAPSHOT,
                          "domain '%s' was going back to snapshot '%s', which is not there any "
                          "more; look at its disks",
                          job->guest->name, name);
    snapshot_tree_set_current (tree, name);
    if (go_back (job, snapshot, err) || qemu_snapshot_write_tree (job, tree, err))
        return error_prefix (err, "bring the disks of domain '%s' back to snapshot '%s'",
                             job->guest->name, name);
    job->finished = true;
    return 0;
}
