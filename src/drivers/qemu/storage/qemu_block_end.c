//  qemu_block_end.c: how block jobs end: what is noted of it, and what is removed behind them.

#include "drivers/qemu/qemu_answer.h"
#include "drivers/qemu/storage/qemu_block_job.h"
#include "drivers/qemu/qemu_live.h"
#include "util/text.h"

#include <string.h>

#define QMP_MS 10000
#define CANCELED "Operation canceled" //  QEMU's words: strerror (ECANCELED)

static void log_failure (job_t *job, const error_t *err)
{
    job_log (job, "domain '%s': %s", job->guest->name, err->message);
}

//  The file that was made for a copy which is not complete.
static int drop_copy (job_t *job, const xml_node_t *entry, error_t *err)
{
    const xml_node_t *dest = xml_find (entry, "dest");
    const char *inode = xml_string (dest, "@inode");
    if (!xml_equals (dest, "@made", "yes") || xml_equals (dest, "@kept", "yes"))
        return 0;
    return qemu_block_drop_file (job, xml_string (dest, "@path"), inode ? inode : "", err);
}

//  Called off.

static int end_in_qemu (job_t *job, const xml_node_t *entry, error_t *err)
{
    const char *node = xml_string (entry, "dest/@node");
    autofree char *create = text_format ("create-%s", node ? node : "");
    if (qemu_block_end_job (job, xml_string (entry, "@id"), err))
        return -1;
    return node && (qemu_block_end_job (job, create, err) || qemu_block_remove (job, node, err))
               ? -1
               : 0;
}

int qemu_block_undo (job_t *job, const char *id, error_t *err)
{
    xml_foreach (entry, job->guest->record ? xml_root (job->guest->record) : NULL, "blockjob") {
        if (!xml_equals (entry, "@id", id))
            continue;
        if ((!qemu_has_ended (job) && end_in_qemu (job, entry, err) && !qemu_has_ended (job)) ||
            drop_copy (job, entry, err))
            return error_prefix (err, "end the block job '%s' of domain '%s'", id,
                                 job->guest->name);
        qemu_block_show_mirror (job, entry, true);
        xml_remove (entry);
        return job_record (job, err);
    }
    return 0;
}

//  Over.

typedef struct {
    job_t *job;
    xml_node_t *entry;
    block_status_t status;
    qemu_disk_t *disk; //  as it is now; NULL: the guest does not have it any more
} ended_t;

static bool is_in_chain (const qemu_disk_t *disk, const char *path)
{
    for (size_t i = 0; disk && i < disk->count; i++)
        if (text_equals (disk->chain[i].path, path))
            return true;
    return false;
}

static bool has_node (const qemu_disk_t *disk, const char *node)
{
    for (size_t i = 0; disk && i < disk->count; i++)
        if (strcmp (disk->chain[i].node, node) == 0)
            return true;
    return false;
}

//  The next start uses what the disk has now, if it would have used what it had before.
static void write_definition (const ended_t *self)
{
    guest_t *guest = self->job->guest;
    const char *target = xml_string (self->entry, "@disk");
    xml_node_t *disk = guest->definition ? qemu_block_element (guest->definition, target) : NULL;
    if (!disk || !xml_equals (disk, "target/@dev", target) ||
        !text_equals (qemu_block_path (disk), xml_string (self->entry, "@path")))
        return;
    bool listed = xml_find (disk, "backingStore") != NULL;
    qemu_block_write (disk, self->disk->chain, self->disk->count);
    if (!listed)
        xml_remove_path (disk, "backingStore");
    guest->redefined = true;
}

static void write_documents (const ended_t *self)
{
    qemu_block_show_mirror (self->job, self->entry, true);
    if (!self->disk || self->disk->count == 0)
        return;
    qemu_block_write (self->disk->element, self->disk->chain, self->disk->count);
    if (self->status == BLOCK_COMPLETED)
        write_definition (self);
}

//  What was below the image was durable, so it has to be in the image as well. QEMU has no QMP
//  command for that.
static void flush_pulled (const ended_t *self)
{
    error_t err = { 0 };
    if (self->status != BLOCK_COMPLETED || qemu_block_type (self->entry) != BLOCK_PULL ||
        !self->disk || self->disk->count == 0)
        return;
    autofree char *line = text_format ("qemu-io %s flush", self->disk->chain[0].node);
    if (qemu_tell (self->job, "human-monitor-command", json_pack ("{s:s}", "command-line", line),
                   QMP_MS, &err))
        log_failure (self->job, &err);
}

//  What fails here is logged: the job is over, and what is left harms nobody.
static void remove_nodes (const ended_t *self)
{
    error_t err = { 0 };
    const char *copy = xml_string (self->entry, "dest/@node");
    if (copy && !has_node (self->disk, copy) && qemu_block_remove (self->job, copy, &err))
        log_failure (self->job, &err);
    xml_foreach (node, self->entry, "node") {
        const char *name = xml_string (node, "@name");
        if (self->disk && !has_node (self->disk, name) && qemu_block_remove (self->job, name, &err))
            log_failure (self->job, &err);
    }
}

static void remove_files (const ended_t *self)
{
    error_t err = { 0 };
    bool gone_over = is_in_chain (self->disk, xml_string (self->entry, "dest/@path"));
    if (!gone_over && drop_copy (self->job, self->entry, &err))
        log_failure (self->job, &err);
    if (self->status != BLOCK_COMPLETED)
        return;
    xml_foreach (drop, self->entry, "drop") {
        const char *path = xml_string (drop, "@path");
        if (self->disk && !is_in_chain (self->disk, path) &&
            job_remove_file (self->job, path, &err))
            log_failure (self->job, &err);
    }
}

static void tell (const xml_node_t *entry, block_status_t status, json_t *news)
{
    const char *error = xml_string (entry, "@error");
    json_t *json = qemu_block_describe (entry);
    json_object_set_new (json, "status", json_integer (status));
    json_object_set_new (json, "error", json_string (error ? error : ""));
    json_array_append_new (news, json);
}

//  A copy that was ready when it was aborted is complete, and stays.
static void note_over (xml_node_t *entry, const qemu_block_state_t *state)
{
    block_status_t status = BLOCK_COMPLETED;
    const char *error = *state->state ? state->error : "QEMU does not have the job any more";
    bool aborted = xml_equals (entry, "@state", "aborting") || text_equals (error, CANCELED);
    bool stayed = xml_find (entry, "dest") && !xml_equals (entry, "@state", "pivoting");
    if (!error && stayed)
        xml_set (entry, "dest/@kept", "yes");
    if (error ? aborted : stayed)
        status = BLOCK_CANCELED;
    else if (error)
        status = BLOCK_FAILED;
    if (status == BLOCK_FAILED)
        xml_set (entry, "@error", error);
    xml_setf (entry, "@over", "%d", status);
    xml_set_u64 (entry, "@done", state->done);
    xml_set_u64 (entry, "@total", state->total);
}

//  How it ended is on disk before QEMU forgets it.
static int take_note (job_t *job, xml_node_t *entry, const qemu_block_state_t *state, error_t *err)
{
    if (!xml_string (entry, "@over")) {
        note_over (entry, state);
        if (job_record (job, err))
            return -1;
    }
    return *state->state
               ? qemu_tell (job, "job-dismiss",
                            json_pack ("{s:s}", "id", xml_string (entry, "@id")), QMP_MS, err)
               : 0;
}

static int clean_up (job_t *job, xml_node_t *entry, json_t *news, error_t *err)
{
    int status = BLOCK_FAILED;
    const char *target = xml_string (entry, "@disk");
    bool there = qemu_block_element (job->guest->live, target) != NULL;
    auto(qemu_disk_t) disk = there ? qemu_block_find (job, target, err) : NULL;
    if ((there && !disk) || xml_int (entry, "@over", BLOCK_COMPLETED, BLOCK_CANCELED, &status, err))
        return -1;
    ended_t self = { job, entry, (block_status_t) status, disk };
    if (disk && disk->count > 0 &&
        text_equals (disk->chain[0].path, xml_string (entry, "dest/@path")))
        self.status = BLOCK_COMPLETED;
    flush_pulled (&self);
    write_documents (&self);
    remove_nodes (&self);
    remove_files (&self);
    tell (entry, self.status, news);
    xml_remove (entry);
    return 0;
}

//  What was wanted when the daemon was killed, it may not have said to QEMU.
static void look_at_running (job_t *job, xml_node_t *entry, const char *state, json_t *news)
{
    error_t err = { 0 };
    bool ready = strcmp (state, "ready") == 0 || strcmp (state, "pending") == 0;
    bool pivoting = xml_equals (entry, "@state", "pivoting");
    if (ready && !xml_equals (entry, "@ready", "yes")) {
        xml_set (entry, "@ready", "yes");
        tell (entry, BLOCK_READY, news);
    }
    bool ends = xml_equals (entry, "@state", "aborting") || (pivoting && ready);
    if (ends && !xml_equals (entry, "@told", "yes") && qemu_block_tell_end (job, entry, &err))
        log_failure (job, &err);
    if (xml_equals (entry, "@state", "starting"))
        xml_set (entry, "@state", "running");
    qemu_block_show_mirror (job, entry, false);
}

static int conclude_entry (job_t *job, xml_node_t *entry, json_t *news, error_t *err)
{
    qemu_block_state_t state;
    int rc = 0;
    if (qemu_block_ask_job (job, xml_string (entry, "@id"), &state, err))
        return -1;
    if (qemu_block_is_over (&state))
        rc = take_note (job, entry, &state, err) || clean_up (job, entry, news, err) ? -1 : 0;
    else
        look_at_running (job, entry, state.state, news);
    qemu_block_state_close (&state);
    return rc;
}

int qemu_block_conclude (job_t *job, json_t *news, error_t *err)
{
    xml_node_t *next;
    xml_node_t *record = job->guest->record ? xml_root (job->guest->record) : NULL;
    for (xml_node_t *entry = xml_first (record, "blockjob"); entry; entry = next) {
        next = xml_next (entry, "blockjob");
        if (conclude_entry (job, entry, news, err))
            return error_prefix (err, "end a block job of domain '%s'", job->guest->name);
    }
    return 0;
}

//  With the guest.

static xml_node_t *pivoting_entry (const guest_t *guest)
{
    xml_foreach (entry, guest->record ? xml_root (guest->record) : NULL, "blockjob")
        if (xml_equals (entry, "@state", "pivoting"))
            return entry;
    return NULL;
}

void qemu_block_last_look (job_t *job)
{
    process_t process;
    error_t err = { 0 };
    json_auto_t *ignored = json_array ();
    if (!pivoting_entry (job->guest) || !job->guest->live ||
        !guest_recorded_process (job->guest, &process) || process_is_stopped (&process))
        return;
    if (qemu_block_conclude (job, ignored, &err))
        log_failure (job, &err);
}

//  A disk that may have gone over just before nobody could say so any more keeps both images.
void qemu_block_forget (job_t *job)
{
    xml_node_t *entry;
    xml_node_t *record = job->guest->record ? xml_root (job->guest->record) : NULL;
    while ((entry = xml_first (record, "blockjob"))) {
        error_t err = { 0 };
        if (xml_equals (entry, "@state", "pivoting") && xml_find (entry, "dest"))
            job_log (job,
                     "domain '%s': its end came while the disk '%s' went over from '%s' to '%s': "
                     "compare both before the next start",
                     job->guest->name, xml_string (entry, "@disk"), xml_string (entry, "@path"),
                     xml_string (entry, "dest/@path"));
        else if (drop_copy (job, entry, &err))
            log_failure (job, &err);
        xml_remove (entry);
    }
}
