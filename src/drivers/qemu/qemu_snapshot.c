//  qemu_snapshot.c: internal snapshots: in the qcow2 images themselves, with the memory of a guest
//  that runs in the first of them. QEMU's own jobs do it for a guest that runs, qemu-img for one
//  that is shut off.

#include "drivers/qemu/qemu_snapshot.h"

#include "drivers/qemu/qemu_img.h"
#include "drivers/qemu/qemu_live.h"
#include "drivers/qemu/qemu_qmp_job.h"
#include "drivers/qemu/qemu_start.h"
#include "drivers/snapshot_tree.h"
#include "drivers/snapshot_xml.h"
#include "drivers/state.h"
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

static json_t *nodes_of (const xml_node_t *snapshot)
{
    json_t *nodes = json_array ();
    xml_foreach (entry, xml_find (snapshot, "disks"), "disk")
        if (snapshot_disk_place (entry) == SNAPSHOT_INTERNAL) {
            autofree char *node = text_format ("disk-%s", xml_string (entry, "@name"));
            json_array_append_new (nodes, json_string (node));
        }
    return nodes;
}

//  Those that could hold one, whatever the snapshot was to be of.
static json_t *all_nodes (const xml_t *domain)
{
    json_t *nodes = json_array ();
    xml_foreach (disk, xml_find (xml_root (domain), "devices"), "disk")
        if (holds_snapshots (disk)) {
            autofree char *node = text_format ("disk-%s", xml_string (disk, "target/@dev"));
            json_array_append_new (nodes, json_string (node));
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

static int save_live (job_t *job, const xml_node_t *snapshot, error_t *err)
{
    json_t *nodes = nodes_of (snapshot);
    const char *first = json_string_value (json_array_get (nodes, 0));
    return qemu_job_run (job, "snapshot-save",
                         json_pack ("{s:s, s:s, s:o}", "tag", snapshot_name (snapshot), "vmstate",
                                    first ? first : "", "devices", nodes),
                         "snapshot", err);
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
    (void) flags;
    const xml_t *domain = domain_of (job->guest);
    const char *name = snapshot_name (snapshot);
    if (snapshot_is_external (snapshot))
        return error_set (err, ERR_OPERATION_UNSUPPORTED, "not supported: external snapshots");
    if (check_name (name, err) || check_firmware (domain, err) ||
        each_disk (job, snapshot, domain, check_disk, err) ||
        each_disk (job, snapshot, domain, check_absent, err) ||
        job_undo (job, "qemu.snapshot", name, err) || job_record (job, err))
        return -1;
    return job->guest->live ? save_live (job, snapshot, err)
                            : each_disk (job, snapshot, domain, take_disk, err);
}

//  Going back.

static int find_in_image (job_t *job, const xml_node_t *disk, const char *name, error_t *err)
{
    char id[32];
    return qemu_img_find_snapshot (job, snapshot_disk_source (disk), name, id, err);
}

int qemu_snapshot_check (job_t *job, const xml_node_t *snapshot, error_t *err)
{
    auto(xml_t) domain = snapshot_domain (snapshot, false);
    if (snapshot_is_external (snapshot))
        return error_set (err, ERR_OPERATION_UNSUPPORTED,
                          "not supported: going back to an external snapshot");
    return each_disk (job, snapshot, domain ? domain : domain_of (job->guest), find_in_image, err);
}

static int apply_disk (job_t *job, const xml_node_t *disk, const char *name, error_t *err)
{
    return qemu_img_apply (job, snapshot_disk_source (disk), name, err);
}

int qemu_snapshot_apply (job_t *job, const xml_node_t *snapshot, error_t *err)
{
    return each_disk (job, snapshot, job->guest->definition, apply_disk, err);
}

int qemu_snapshot_start (job_t *job, const xml_node_t *snapshot, const xml_t *document,
                         error_t *err)
{
    if (qemu_start_from (job, document, NULL, err))
        return -1;
    json_t *nodes = nodes_of (snapshot);
    const char *first = json_string_value (json_array_get (nodes, 0));
    json_t *arguments = json_pack ("{s:s, s:s, s:o}", "tag", snapshot_name (snapshot), "vmstate",
                                   first ? first : "", "devices", nodes);
    return qemu_job_run (job, "snapshot-load", arguments, "reverting", err);
}

//  Removing.

static int remove_from_disk (job_t *job, const xml_node_t *disk, const char *name, error_t *err)
{
    return qemu_img_remove_snapshot (job, snapshot_disk_source (disk), name, err);
}

static int remove_live (job_t *job, json_t *nodes, const char *name, error_t *err)
{
    return qemu_job_run (job, "snapshot-delete",
                         json_pack ("{s:s, s:o}", "tag", name, "devices", nodes), "deleting", err);
}

int qemu_snapshot_delete (job_t *job, const xml_node_t *snapshot, error_t *err)
{
    const xml_t *domain = domain_of (job->guest);
    const char *name = snapshot_name (snapshot);
    if (snapshot_is_external (snapshot))
        return error_set (err, ERR_OPERATION_UNSUPPORTED,
                          "not supported: deleting an external snapshot; with metadata it is only "
                          "forgotten");
    if (job_undo (job, "qemu.forget", name, err) || job_record (job, err))
        return -1;
    return job->guest->live ? remove_live (job, nodes_of (snapshot), name, err)
                            : each_disk (job, snapshot, domain, remove_from_disk, err);
}

//  Undo.

static bool is_over (job_t *job)
{
    process_t process;
    error_t ignored = { 0 };
    return !qemu_recorded_process (job->guest, &process) ||
           job_wait_exit (job, &process, 0, &ignored) == 0;
}

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

//  Of what QEMU is still doing: first its end.
static int remove_from_guest (job_t *job, const char *name, error_t *err)
{
    bool opened = false;
    error_t ignored = { 0 };
    int rc =
        settle (job, &opened, err) || remove_live (job, all_nodes (job->guest->live), name, err)
            ? -1
            : 0;
    if (opened)
        job_monitor_close (job, &ignored);
    return rc;
}

static int remove_everywhere (job_t *job, const char *name, error_t *err)
{
    return job->guest->live && !is_over (job) ? remove_from_guest (job, name, err)
                                              : remove_from_images (job, name, err);
}

static snapshot_tree_t *load_tree (const job_t *job, char **path, error_t *err)
{
    *path = snapshot_tree_path (job->paths, "qemu", job->guest->uuid);
    return snapshot_tree_load (*path, err);
}

int qemu_undo_snapshot (job_t *job, const char *name, error_t *err)
{
    autofree char *path = NULL;
    auto(snapshot_tree_t) tree = load_tree (job, &path, err);
    if (!tree)
        return -1;
    job->finished = snapshot_tree_find (tree, name) != NULL;
    if (job->finished || remove_everywhere (job, name, err) == 0)
        return 0;
    return error_prefix (err, "remove snapshot '%s' of domain '%s' again", name, job->guest->name);
}

int qemu_undo_forget (job_t *job, const char *name, error_t *err)
{
    autofree char *path = NULL;
    auto(snapshot_tree_t) tree = load_tree (job, &path, err);
    if (!tree || remove_everywhere (job, name, err))
        return error_prefix (err, "remove snapshot '%s' of domain '%s'", name, job->guest->name);
    snapshot_tree_remove (tree, name);
    autofree char *text = snapshot_tree_text (tree);
    if (snapshot_tree_count (tree) ? job_write_file (job, path, text, err)
                                   : job_remove_file (job, path, err))
        return -1;
    job->finished = true;
    return 0;
}
