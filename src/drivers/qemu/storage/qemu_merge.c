//  qemu_merge.c: see qemu_merge.h.

#include "drivers/qemu/storage/qemu_merge.h"
#include "drivers/qemu/qemu_answer.h"
#include "drivers/qemu/storage/qemu_block_job.h"
#include "drivers/qemu/storage/qemu_chains.h"
#include "drivers/qemu/qemu_files.h"
#include "drivers/qemu/storage/qemu_img.h"
#include "drivers/qemu/qemu_live.h"
#include "drivers/qemu/memory/qemu_save.h"
#include "drivers/qemu/storage/qemu_snapshot.h"
#include "drivers/save_image.h"
#include "drivers/snapshot_xml.h"
#include "util/file.h"
#include "util/text.h"

#include <string.h>

#define MARK "snapshotDeleteInProgress"
#define QMP_MS 10000
#define FIRST_WAIT_MS 5
#define LONGEST_WAIT_MS 250

typedef struct {
    job_t *job;
    snapshot_tree_t *tree;
    xml_node_t *record; //  <deletion>
    bool there;         //  QEMU can be asked
} merge_t;

static xml_t *empty_plan (void)
{
    static const char empty[] = "<deletion/>";
    error_t never;
    return xml_parse (empty, sizeof empty - 1, "plan", &never);
}

int qemu_merge_check (job_t *job, const snapshot_tree_t *tree, const strings_t *names, error_t *err)
{
    auto(xml_t) chains = qemu_chains_load (job, tree, err);
    auto(xml_t) plan = empty_plan ();
    for (size_t i = 0; i < names->count; i++) {
        const xml_node_t *snapshot = snapshot_tree_find (tree, names->items[i]);
        if (!chains || qemu_chains_plan (chains, snapshot, xml_root (plan), err))
            return error_prefix (err, "snapshot '%s'", names->items[i]);
    }
    return 0;
}

bool qemu_merge_is_begun (const xml_node_t *snapshot)
{
    xml_foreach (entry, xml_find (snapshot, "disks"), "disk")
        if (xml_find (entry, MARK))
            return true;
    return false;
}

//  Record and marks.

static const char *target_of (const xml_node_t *merge)
{
    return xml_string (merge, "@disk");
}

static bool is_live (const xml_node_t *merge)
{
    return xml_equals (merge, "@live", "yes");
}

static bool is_done (const xml_node_t *merge)
{
    return xml_equals (merge, "@done", "yes");
}

static bool is_stage (const merge_t *self, const char *stage)
{
    return xml_equals (self->record, "@stage", stage);
}

static int set_stage (merge_t *self, const char *stage, error_t *err)
{
    autofree char *before = text_copy (xml_string (self->record, "@stage"));
    xml_set (self->record, "@stage", stage);
    if (job_record (self->job, err) == 0)
        return 0;
    if (before)
        xml_set (self->record, "@stage", before);
    return -1;
}

static xml_node_t *record_of (const guest_t *guest)
{
    return guest->record ? xml_find (xml_root (guest->record), "deletion") : NULL;
}

static int begin_record (merge_t *self, xml_t *plan, const char *name, bool last, error_t *err)
{
    self->record = guest_record_begin (self->job->guest, "deletion", err);
    if (!self->record)
        return -1;
    xml_foreach (step, xml_root (plan), NULL)
        xml_add_copy (self->record, step);
    xml_set (self->record, "@name", name);
    xml_set (self->record, "@last", last ? "yes" : "no");
    if (qemu_merge_is_begun (snapshot_tree_find (self->tree, name)))
        xml_set (self->record, "@again", "yes");
    return job_undo (self->job, "qemu.merge", name, err) || set_stage (self, "begun", err) ? -1 : 0;
}

static int set_marks (merge_t *self, bool marked, error_t *err)
{
    xml_node_t *snapshot = snapshot_tree_find (self->tree, xml_string (self->record, "@name"));
    xml_foreach (entry, xml_find (snapshot, "disks"), "disk") {
        if (snapshot_disk_place (entry) != SNAPSHOT_EXTERNAL)
            continue;
        if (marked)
            xml_ensure (entry, MARK);
        else
            xml_remove_path (entry, MARK);
    }
    return qemu_snapshot_write_tree (self->job, self->tree, err);
}

//  The file with its memory goes too, if it proves to be that: the document may be a user's own.
static bool is_memory_of (const guest_t *guest, const char *path, error_t *err)
{
    auto(save_image_t) image = save_image_open (path, err);
    if (!image)
        return false;
    if (xml_equals (xml_root (image->live), "uuid", guest->uuid))
        return true;
    error_set (err, ERR_OPERATION_FAILED, "it is of another domain");
    return false;
}

static void drop_memory (job_t *job, const xml_node_t *snapshot, xml_node_t *plan)
{
    error_t why;
    const char *path = xml_string (snapshot, "memory/@file");
    if (snapshot_memory (snapshot) != SNAPSHOT_EXTERNAL || !path || file_is_missing (path))
        return;
    if (is_memory_of (job->guest, path, &why))
        xml_set (xml_add (plan, "drop"), "@path", path);
    else
        job_log (job, "domain '%s': the memory of snapshot '%s' in '%s' is left there: %s",
                 job->guest->name, snapshot_name (snapshot), path, why.message);
}

//  Copying.

static int take_files (job_t *job, const xml_node_t *merge, error_t *err)
{
    if (qemu_take_file (job, xml_string (merge, "@top"), err) ||
        qemu_take_file (job, xml_string (merge, "@base"), err))
        return -1;
    xml_foreach (below, merge, "below")
        if (qemu_take_file (job, xml_string (below, "@path"), err))
            return -1;
    return 0;
}

static int merge_at_rest (job_t *job, const xml_node_t *merge, error_t *err)
{
    job_progress (job, &(job_progress_t){ .step = "deleting" });
    return take_files (job, merge, err) || qemu_img_commit (job, xml_string (merge, "@top"), err)
               ? -1
               : 0;
}

//  How the image above the top, if there is one, names what is below it.
static bool is_relative (const xml_node_t *merge)
{
    const xml_node_t *above = xml_first (merge, "above");
    return above && xml_string (above, "@named")[0] != '/';
}

static int merge_one (job_t *job, const xml_node_t *merge, error_t *err)
{
    if (!is_live (merge))
        return merge_at_rest (job, merge, err);
    return qemu_block_merge (job, target_of (merge), xml_string (merge, "@top"),
                             xml_string (merge, "@base"), is_relative (merge), err);
}

//  One look at a job of QEMU: *READY stays true if this one waits to be ended.
static int look_at (const json_t *jobs, const xml_node_t *entry, job_progress_t *progress,
                    bool *ready, error_t *err)
{
    const json_t *item = answer_entry (jobs, "id", xml_string (entry, "@id"));
    const char *state = answer_string (item, "status"), *error = answer_string (item, "error");
    if (!item || strcmp (state, "concluded") == 0)
        return error_set (err, ERR_OPERATION_FAILED, "disk '%s': QEMU: %s",
                          xml_string (entry, "@disk"), *error ? error : "the merging ended early");
    progress->processed += answer_number (item, "current-progress");
    progress->total += answer_number (item, "total-progress");
    *ready = *ready && (strcmp (state, "ready") == 0 || strcmp (state, "pending") == 0);
    return 0;
}

static int look (job_t *job, int64_t since, bool *ready, error_t *err)
{
    job_progress_t progress = { .step = "deleting" };
    json_auto_t *jobs = job_qmp (job, "query-jobs", NULL, QMP_MS, err);
    *ready = true;
    xml_foreach (entry, xml_root (job->guest->record), "blockjob")
        if (!jobs || look_at (jobs, entry, &progress, ready, err))
            return -1;
    progress.elapsed_ms = (uint64_t) (job_now (job) - since);
    if (progress.total > progress.processed)
        progress.remaining = progress.total - progress.processed;
    job_progress (job, &progress);
    return jobs ? 0 : -1;
}

static int follow (job_t *job, error_t *err)
{
    int64_t since = job_now (job);
    bool ready = !qemu_block_job_of (job->guest, NULL);
    for (int wait = FIRST_WAIT_MS; !ready;
         wait = wait < LONGEST_WAIT_MS ? wait * 2 : LONGEST_WAIT_MS)
        if (look (job, since, &ready, err) || (!ready && job_wait (job, wait, err)))
            return -1;
    return 0;
}

static int copy_all (merge_t *self, error_t *err)
{
    if (!xml_first (self->record, "merge"))
        return 0;
    if (set_marks (self, true, err) || set_stage (self, "merging", err))
        return -1;
    job_written (self->job, false);
    xml_foreach (merge, self->record, "merge")
        if (merge_one (self->job, merge, err))
            return error_prefix (err, "disk '%s'", target_of (merge));
    return follow (self->job, err);
}

//  Ending: from here on nothing is called off.

//  Does the guest still use the top?
static int ask_used (job_t *job, const xml_node_t *merge, bool *used, error_t *err)
{
    *used = false;
    if (!qemu_block_element (job->guest->live, target_of (merge)))
        return 0;
    auto(qemu_disk_t) disk = qemu_block_find (job, target_of (merge), err);
    if (!disk)
        return -1;
    for (size_t i = 0; i < disk->count && !*used; i++) {
        autofree char *real = disk->chain[i].path ? qemu_chains_path (disk->chain[i].path) : NULL;
        *used = text_equals (real, xml_string (merge, "@top"));
    }
    return 0;
}

//  The first error is told; the other disks go over all the same. A daemon before this one may have
//  told QEMU already.
static int go_over (merge_t *self, error_t *err)
{
    int rc = 0;
    error_t ignored = { 0 };
    json_auto_t *news = json_array ();
    if (qemu_block_conclude (self->job, news, err))
        return -1;
    xml_foreach (merge, self->record, "merge") {
        xml_node_t *entry =
            is_live (merge) ? qemu_block_job_of (self->job->guest, target_of (merge)) : NULL;
        if (entry && qemu_block_finish (self->job, entry, rc ? &ignored : err))
            rc = error_prefix (rc ? &ignored : err, "disk '%s'", target_of (merge));
    }
    return qemu_block_conclude (self->job, news, rc ? &ignored : err) ? -1 : rc;
}

static bool is_written_to (const xml_node_t *merge)
{
    xml_foreach (above, merge, "above")
        if (is_live (above))
            return false;
    return true;
}

//  Of a guest that ended: what was copied below the image that it wrote to is all in the base. That
//  image itself counts unless it is known that the guest went over.
static bool was_used (const guest_t *guest, const xml_node_t *merge)
{
    const xml_node_t *entry = qemu_block_job_of (guest, target_of (merge));
    const xml_node_t *disk =
        guest->live ? qemu_block_element (guest->live, target_of (merge)) : NULL;
    const char *path = disk ? qemu_block_path (disk) : NULL;
    autofree char *real = path ? qemu_chains_path (path) : NULL;
    if (is_done (merge) || !is_written_to (merge))
        return false;
    if (entry && xml_string (entry, "@over"))
        return !xml_equals (entry, "@over", "0");
    return !real || text_equals (real, xml_string (merge, "@top"));
}

//  What is copied by qemu-img is in the base.
static int note_done (merge_t *self, error_t *err)
{
    xml_foreach (merge, self->record, "merge") {
        bool used = false;
        if (is_live (merge) && self->there && ask_used (self->job, merge, &used, err))
            return -1;
        if (is_live (merge) && !self->there)
            used = was_used (self->job->guest, merge);
        xml_set (merge, "@done", used ? "no" : "yes");
    }
    return job_record (self->job, err);
}

static int rewrite_backing (merge_t *self, const xml_node_t *merge, error_t *err)
{
    xml_foreach (above, merge, "above") {
        const char *path = xml_string (above, "@path");
        if ((self->there && is_live (above)) || file_is_missing (path))
            continue;
        if (qemu_take_file (self->job, path, err) ||
            qemu_img_rebase (self->job, path, xml_string (above, "@named"),
                             xml_string (merge, "@format"), err))
            return error_prefix (err, "disk '%s'", target_of (merge));
    }
    return 0;
}

static void rewrite_domain (const xml_node_t *domain, const xml_node_t *merge)
{
    xml_foreach (disk, domain ? xml_find (domain, "devices") : NULL, "disk")
        if (xml_equals (disk, "target/@dev", target_of (merge)))
            qemu_chains_rewrite (disk, xml_string (merge, "@top"), xml_string (merge, "@name"),
                                 xml_string (merge, "@format"));
}

static void rewrite_documents (merge_t *self, const xml_node_t *merge)
{
    guest_t *guest = self->job->guest;
    rewrite_domain (guest->live ? xml_root (guest->live) : NULL, merge);
    rewrite_domain (guest->definition ? xml_root (guest->definition) : NULL, merge);
    for (xml_node_t *each = snapshot_tree_first (self->tree); each;
         each = snapshot_tree_next (each)) {
        rewrite_domain (xml_find (each, "domain"), merge);
        rewrite_domain (xml_find (each, "inactiveDomain"), merge);
    }
    guest->redefined = guest->definition != NULL;
}

//  One that is not deleted as a whole has nothing to do with this disk any more.
static void leave_out (merge_t *self, const xml_node_t *merge)
{
    xml_node_t *snapshot = snapshot_tree_find (self->tree, xml_string (self->record, "@name"));
    xml_foreach (entry, xml_find (snapshot, "disks"), "disk")
        if (xml_equals (entry, "@name", target_of (merge)))
            xml_set (entry, "@snapshot", "no");
}

static int follow_disks (merge_t *self, bool *all, error_t *err)
{
    *all = true;
    xml_foreach (merge, self->record, "merge")
        *all = *all && is_done (merge);
    xml_foreach (merge, self->record, "merge") {
        if (!is_done (merge))
            continue;
        if (rewrite_backing (self, merge, err))
            return -1;
        rewrite_documents (self, merge);
        if (!*all)
            leave_out (self, merge);
    }
    return job_write_definition (self->job, err);
}

static bool is_merged (const merge_t *self, const char *path)
{
    xml_foreach (merge, self->record, "merge")
        if (is_done (merge) && xml_equals (merge, "@top", path))
            return true;
    return false;
}

static int drop_files (merge_t *self, bool all, error_t *err)
{
    xml_foreach (drop, self->record, "drop") {
        const char *path = xml_string (drop, "@path");
        if ((all || is_merged (self, path)) && job_remove_file (self->job, path, err))
            return -1;
    }
    return 0;
}

//  Each step may be done twice, by a daemon that goes on with it.
static int finish (merge_t *self, bool *all, error_t *err)
{
    if (follow_disks (self, all, err))
        return -1;
    if (*all)
        snapshot_tree_remove (self->tree, xml_string (self->record, "@name"));
    if (qemu_snapshot_write_tree (self->job, self->tree, err) || drop_files (self, *all, err))
        return -1;
    if (!self->job->guest->live)
        qemu_give_files_back (self->job);
    return 0;
}

static int end_all (merge_t *self, bool *all, error_t *err)
{
    error_t why = { 0 };
    if (self->there && go_over (self, &why))
        job_log (self->job, "domain '%s': %s", self->job->guest->name, why.message);
    if (note_done (self, err) || finish (self, all, err))
        return -1;
    return *all || why.code == ERR_OK ? 0 : error_set (err, why.code, "%s", why.message);
}

//  Deleting one.

static int delete_all (merge_t *self, error_t *err)
{
    bool all;
    if (copy_all (self, err))
        return -1;
    self->job->closed = true;
    return set_stage (self, "ending", err) || end_all (self, &all, err) ? -1 : 0;
}

int qemu_merge_delete (job_t *job, snapshot_tree_t *tree, const char *name, bool last, error_t *err)
{
    merge_t self = { .job = job, .tree = tree, .there = job->guest->live != NULL };
    auto(xml_t) chains = NULL;
    auto(xml_t) plan = empty_plan ();
    if (qemu_block_check_idle (job->guest, NULL, "the removal of a snapshot", err))
        return -1;
    const xml_node_t *snapshot = snapshot_tree_find (tree, name);
    chains = qemu_chains_load (job, tree, err);
    if (!chains || qemu_chains_plan (chains, snapshot, xml_root (plan), err))
        return -1;
    drop_memory (job, snapshot, xml_root (plan));
    if (begin_record (&self, plan, name, last, err) || delete_all (&self, err))
        return -1;
    job->closed = last;
    guest_record_end (job->guest, "deletion");
    return 0;
}

//  Undo.

static int call_off (merge_t *self, error_t *err)
{
    xml_foreach (merge, self->record, "merge") {
        const xml_node_t *entry = qemu_block_job_of (self->job->guest, target_of (merge));
        autofree char *id = entry && is_live (merge) ? text_copy (xml_string (entry, "@id")) : NULL;
        if (id && qemu_block_undo (self->job, id, err))
            return -1;
    }
    if (!self->job->guest->live)
        qemu_give_files_back (self->job);
    bool untouched = is_stage (self, "begun") && !xml_string (self->record, "@again");
    return untouched ? set_marks (self, false, err) : 0;
}

static int undo (merge_t *self, error_t *err)
{
    bool all = false;
    if (!is_stage (self, "ending"))
        return call_off (self, err);
    if (end_all (self, &all, err))
        return -1;
    self->job->finished = all && xml_equals (self->record, "@last", "yes");
    return 0;
}

int qemu_undo_merge (job_t *job, const char *name, error_t *err)
{
    error_t ignored = { 0 };
    bool opened = false;
    autofree char *path = snapshot_tree_path (job->paths, "qemu", job->guest->uuid);
    auto(snapshot_tree_t) tree = snapshot_tree_load (path, err);
    merge_t self = { .job = job,
                     .tree = tree,
                     .record = record_of (job->guest),
                     .there = job->guest->live && !qemu_has_ended (job) };
    if (!tree || !self.record)
        return tree ? 0 : -1;
    if (self.there && qemu_reach_monitor (job, &opened, err))
        return error_prefix (err, "delete snapshot '%s' of domain '%s'", name, job->guest->name);
    int rc = undo (&self, err);
    if (opened)
        job_monitor_close (job, &ignored);
    if (rc)
        return error_prefix (err, "delete snapshot '%s' of domain '%s'", name, job->guest->name);
    guest_record_end (job->guest, "deletion");
    return job_record (job, err);
}
