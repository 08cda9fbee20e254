//  qemu_migrate.c: the sender of a live migration. (QEMU's QMP reference: migrate,
//  MigrationCapability, MigrationParameters, MigrationStatus.)

#include "drivers/qemu/storage/qemu_block.h"
#include "drivers/qemu/memory/qemu_migrate.h"
#include "drivers/qemu/command/qemu_alias.h"
#include "drivers/qemu/command/qemu_complete.h"
#include "drivers/qemu/qemu_live.h"
#include "drivers/qemu/qemu_ops.h"
#include "drivers/qemu/qemu_ram.h"
#include "drivers/qemu/memory/qemu_save.h"
#include "drivers/qemu/storage/qemu_stream.h"
#include "drivers/qemu/qemu_transport.h"
#include "drivers/state.h"

#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>

#define QMP_MS 10000
#define LEAVE_MS 200
#define RESUME_MS 30000
#define PREPARE_MS 120000 //  a slow emulator
#define IMAGE_MS 60000    //  each that is made
//  Not in linux/magic.h.
#define GFS2_SUPER_MAGIC 0x01161970
#define LUSTRE_SUPER_MAGIC 0x0BD00BD0

static int command (job_t *job, const char *execute, json_t *arguments, error_t *err)
{
    json_auto_t *reply = job_qmp (job, execute, arguments, QMP_MS, err);
    return reply ? 0 : -1;
}

//  Before.

//  File systems that several hosts see in the same state.
static bool is_shared (const char *path)
{
    static const long magics[] = { NFS_SUPER_MAGIC,  SMB_SUPER_MAGIC,   CIFS_SUPER_MAGIC,
                                   SMB2_SUPER_MAGIC, OCFS2_SUPER_MAGIC, CEPH_SUPER_MAGIC,
                                   FUSE_SUPER_MAGIC, //  GlusterFS and others
                                   GFS2_SUPER_MAGIC, LUSTRE_SUPER_MAGIC };
    struct statfs status;
    if (statfs (path, &status))
        return false;
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++)
        if ((long) status.f_type == magics[i])
            return true;
    return false;
}

//  A disk that the other host does not see would be lost to the guest there.
static int check_disks (const xml_t *live, error_t *err)
{
    xml_foreach (disk, xml_find (xml_root (live), "devices"), "disk") {
        const char *path = xml_string (disk, "source/@file");
        if (path && !xml_find (disk, "readonly") && !is_shared (path))
            return error_set (err, ERR_MIGRATE_UNSAFE,
                              "disk '%s' is the file '%s', which is on no shared file system; copy "
                              "it (--copy-storage-all), or say --unsafe if the other host has it",
                              xml_string (disk, "target/@dev"), path);
    }
    return 0;
}

//  Where it is on this host is something else on the other one. PCI devices and mediated ones QEMU
//  does not let go.
static int check_hostdevs (const xml_t *live, error_t *err)
{
    xml_foreach (hostdev, xml_find (xml_root (live), "devices"), "hostdev") {
        bool usb = xml_equals (hostdev, "@type", "usb"),
             scsi = xml_equals (hostdev, "@type", "scsi");
        if (scsi || (usb && !xml_find (hostdev, "source/vendor")))
            return error_set (err, ERR_MIGRATE_UNSAFE,
                              "the %s device '%s' is known by its place on this host only, where "
                              "the other one may have another device; detach it, or %ssay --unsafe "
                              "if it has the same there",
                              usb ? "USB" : "SCSI", qemu_alias (hostdev),
                              usb ? "name it by vendor and product, or " : "");
    }
    return 0;
}

static int check_safe (const migration_t *migration, const xml_t *live, error_t *err)
{
    if (migration->local || migration->unsafe)
        return 0;
    return check_hostdevs (live, err) || (migration->copy == COPY_NONE && check_disks (live, err))
               ? -1
               : 0;
}

//  A receiver's own deadlines are shorter, so that its error comes, and not only that none came.
static int prepare_ms (const migration_t *migration, const xml_t *document)
{
    size_t images = migration->copy == COPY_NONE ? 0 : migration->disks->count;
    return qemu_ram_ms (document, PREPARE_MS + (int) images * IMAGE_MS);
}

xml_t *qemu_migrate_begin (job_t *job, const char *xml, migration_t *migration, error_t *err)
{
    if (qemu_block_check_idle (job->guest, NULL, "migrate", err) || qemu_stream_check (job, err))
        return NULL;
    auto(xml_t) document = xml_copy (job->guest->live);
    if (check_safe (migration, job->guest->live, err) || qemu_complete (job, document, err))
        return NULL;
    if (migration->copy != COPY_NONE) {
        strings_t *disks = qemu_copy_list (job, migration->disks, err);
        if (!disks)
            return NULL;
        strings_destroy (&migration->disks);
        migration->disks = disks;
    }
    xml_t *changed = xml ? qemu_changed_document (job, document, xml, err) : take (&document);
    if (changed)
        migration->prepare_ms = prepare_ms (migration, changed);
    return changed;
}

//  Sending.

static int start_sending (job_t *job, const migration_t *migration, error_t *err)
{
    qemu_transport_t to;
    if (qemu_transport_parse (&to, migration->uri, err) ||
        qemu_stream_prepare (job, migration->bandwidth, err) ||
        qemu_migrate_set_up (job, migration, err))
        return -1;
    autofree char *uri = qemu_transport_uri (&to);
    return command (job, "migrate", json_pack ("{s:s}", "uri", uri), err);
}

//  Done for now: the guest stands still, and what comes next is ours.
static int ask_sender (job_t *job, qemu_work_t *work, job_progress_t *progress, error_t *err)
{
    char status[QEMU_STATUS_SIZE];
    if (qemu_stream_ask (job, work, progress, err) || qemu_stream_status (job, status, NULL, err))
        return -1;
    if (strcmp (status, "pre-switchover") == 0 || strcmp (status, "postcopy-active") == 0)
        *work = QEMU_WORK_DONE;
    return 0;
}

//  All memory was sent once, and what the guest changed meanwhile is less than it can fetch.
static int ask_until_postcopy (job_t *job, qemu_work_t *work, job_progress_t *progress,
                               error_t *err)
{
    if (ask_sender (job, work, progress, err))
        return -1;
    return *work == QEMU_WORK_ACTIVE && progress->passes > 1
               ? command (job, "migrate-start-postcopy", NULL, err)
               : 0;
}

static int check_disks_work (job_t *job, error_t *err)
{
    json_auto_t *reply = job_qmp (job, "query-status", NULL, QMP_MS, err);
    if (!reply)
        return -1;
    return text_equals (json_string_value (json_object_get (reply, "status")), "io-error")
               ? error_set (err, ERR_OPERATION_FAILED,
                            "the guest has an I/O error, which was to end the migration")
               : 0;
}

static int ask_strictly (job_t *job, qemu_work_t *work, job_progress_t *progress, error_t *err)
{
    return check_disks_work (job, err) || ask_sender (job, work, progress, err) ? -1 : 0;
}

static int ask_strictly_until_postcopy (job_t *job, qemu_work_t *work, job_progress_t *progress,
                                        error_t *err)
{
    return check_disks_work (job, err) || ask_until_postcopy (job, work, progress, err) ? -1 : 0;
}

static int follow (job_t *job, const migration_t *migration, error_t *err)
{
    static qemu_work_ask_fn *const asks[2][2] = { { ask_sender, ask_until_postcopy },
                                                  { ask_strictly, ask_strictly_until_postcopy } };
    return qemu_work_follow (job, asks[migration->abort_on_error][migration->postcopy_after_pass],
                             "migrating", QEMU_WORK_REMOTE, err);
}

static int ask_after_switchover (job_t *job, qemu_work_t *work, job_progress_t *progress,
                                 error_t *err)
{
    char status[QEMU_STATUS_SIZE];
    if (qemu_stream_ask (job, work, progress, err) || qemu_stream_status (job, status, NULL, err))
        return -1;
    if (strcmp (status, "postcopy-active") == 0)
        *work = QEMU_WORK_DONE;
    return 0;
}

//  The guest stands still, and its disks are alike on both sides from now on.
static int switch_over (job_t *job, error_t *err)
{
    if (qemu_copy_end (job, err) ||
        command (job, "migrate-continue", json_pack ("{s:s}", "state", "pre-switchover"), err))
        return -1;
    return qemu_work_follow (job, ask_after_switchover, "migrating", QEMU_WORK_REMOTE, err);
}

static int send (job_t *job, const migration_t *migration, error_t *err)
{
    char status[QEMU_STATUS_SIZE];
    if ((migration->storage && qemu_copy_begin (job, migration, err)) ||
        start_sending (job, migration, err) || follow (job, migration, err) ||
        qemu_stream_status (job, status, NULL, err))
        return -1;
    return strcmp (status, "pre-switchover") == 0 ? switch_over (job, err) : 0;
}

int qemu_migrate_out (job_t *job, const migration_t *migration, error_t *err)
{
    bool running;
    if (qemu_is_running (job, &running, err))
        return -1;
    const char *how = !running ? "stay" : migration->live ? "live" : "run";
    if (job_undo (job, "qemu.migration", how, err) || job_record (job, err) ||
        (strcmp (how, "run") == 0 && command (job, "stop", NULL, err)) ||
        send (job, migration, err))
        return -1;
    job->guest->status = (guest_status_t){ STATE_PAUSED, PAUSED_MIGRATION };
    return 0;
}

//  After.

static int let_go_on (job_t *job, bool stopped_by_us, error_t *err)
{
    json_auto_t *reply = job_qmp (job, "query-status", NULL, QMP_MS, err);
    if (!reply)
        return -1;
    const char *now = json_string_value (json_object_get (reply, "status"));
    bool still = now && qemu_stream_holds (now);
    //  Else its user has stopped it meanwhile; or QEMU has let it go on.
    if (!still && !(stopped_by_us && now && strcmp (now, "paused") == 0))
        return 0;
    if (qemu_stream_go_on (job, err))
        return -1;
    job->guest->status = (guest_status_t){ STATE_RUNNING, RUNNING_MIGRATION_CANCELED };
    return 0;
}

int qemu_migrate_call_off (job_t *job, const char *how, error_t *err)
{
    //  In this order: QEMU does not wait for its disks any more.
    if (qemu_work_stop (job, err) || qemu_copy_forget (job, err))
        return -1;
    return strcmp (how, "stay") == 0 ? 0 : let_go_on (job, strcmp (how, "run") == 0, err);
}

int qemu_migrate_stay (job_t *job, bool run, error_t *err)
{
    if (qemu_migrate_call_off (job, run ? "run" : "stay", err))
        return error_prefix (err, "let domain '%s' go on here", job->guest->name);
    if (!run)
        job->guest->status = (guest_status_t){ STATE_PAUSED, PAUSED_USER };
    return 0;
}

static bool is_needed (const char *status)
{
    return strncmp (status, "postcopy-", strlen ("postcopy-")) == 0;
}

//  In post-copy the guest runs there, and its memory is still here: only a QEMU that is gone, or
//  has sent all, is not needed any more.
static int await_postcopy (job_t *job, error_t *err)
{
    char status[QEMU_STATUS_SIZE];
    error_t asked = { 0 };
    while (qemu_stream_status (job, status, NULL, &asked) == 0) {
        if (!is_needed (status))
            return 0;
        if (job_wait (job, LEAVE_MS, err))
            return -1;
    }
    //  Only its end says that nothing is needed of it any more, not a monitor that is lost.
    if (asked.code != ERR_OPERATION_ABORTED && qemu_has_ended (job))
        return 0;
    *err = asked;
    return -1;
}

//  Files that both hosts see are the other guest's now.
static void forget_owners (guest_t *guest)
{
    xml_node_t *owner;
    while (guest->record && (owner = xml_first (xml_root (guest->record), "owner")))
        xml_remove (owner);
}

int qemu_migrate_leave (job_t *job, const migration_t *migration, error_t *err)
{
    const guest_status_t over = { STATE_SHUTOFF, SHUTOFF_MIGRATED };
    if (await_postcopy (job, err))
        return -1;
    if (migration->copy == COPY_NONE)
        forget_owners (job->guest);
    job->guest->status = over;
    if (qemu_destroy (job, false, err))
        return error_prefix (err, "it runs there, but its QEMU here does not end");
    job->guest->status = over;
    return 0;
}

int qemu_migrate_state (job_t *job, transfer_t *transfer, error_t *err)
{
    static const struct {
        const char *status;
        transfer_t transfer;
    } known[] = {
        { "none", TRANSFER_NONE },
        { "completed", TRANSFER_COMPLETE },
        { "failed", TRANSFER_FAILED },
        { "cancelled", TRANSFER_FAILED },
        { "cancelling", TRANSFER_FAILED },
        { "postcopy-paused", TRANSFER_BROKEN },
        { "postcopy-active", TRANSFER_POSTCOPY },
        { "postcopy-recover", TRANSFER_POSTCOPY },
    };
    char status[QEMU_STATUS_SIZE];
    *transfer = TRANSFER_GONE;
    if (qemu_has_ended (job))
        return 0;
    if (qemu_stream_status (job, status, NULL, err)) {
        bool ended = qemu_has_ended (job);
        *transfer = ended ? TRANSFER_GONE : TRANSFER_ACTIVE;
        return ended ? 0 : -1;
    }
    *transfer = TRANSFER_ACTIVE;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp (known[i].status, status) == 0)
            *transfer = known[i].transfer;
    //  Once all is sent nobody may run it before it is somebody's: somebody resumed it meanwhile.
    bool running = false;
    if (*transfer == TRANSFER_COMPLETE && qemu_is_running (job, &running, err))
        return -1;
    if (running)
        *transfer = TRANSFER_FAILED;
    return 0;
}

//  It connects, asks what is there, and goes on.
int qemu_migrate_resume (job_t *job, const char *uri, error_t *err)
{
    qemu_transport_t to;
    char status[QEMU_STATUS_SIZE];
    if (qemu_transport_parse (&to, uri, err))
        return -1;
    autofree char *text = qemu_transport_uri (&to);
    if (command (job, "migrate", json_pack ("{s:s, s:b}", "uri", text, "resume", true), err))
        return -1;
    for (int64_t until = job_now (job) + RESUME_MS; job_now (job) < until;) {
        if (qemu_stream_status (job, status, NULL, err))
            return -1;
        if (strcmp (status, "postcopy-active") == 0 || strcmp (status, "completed") == 0)
            return 0;
        if (job_wait (job, LEAVE_MS, err))
            return -1;
    }
    return error_set (err, ERR_OPERATION_TIMEOUT,
                      "QEMU could not connect to %s within %d s; its log may say more", uri,
                      RESUME_MS / 1000);
}
