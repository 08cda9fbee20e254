//  qemu_undo.c: how a guest that was being saved or dumped goes on when that is called off, in the
//  daemon that did it or in the next one.

#include "drivers/qemu/qemu_agent.h"
#include "drivers/qemu/storage/qemu_backup.h"
#include "drivers/qemu/storage/qemu_block.h"
#include "drivers/qemu/storage/qemu_block_job.h"
#include "drivers/qemu/storage/qemu_checkpoint.h"
#include "drivers/qemu/qemu_live.h"
#include "drivers/qemu/storage/qemu_merge.h"
#include "drivers/qemu/memory/qemu_migrate.h"
#include "drivers/qemu/storage/qemu_overlay.h"
#include "drivers/qemu/memory/qemu_save.h"
#include "drivers/qemu/storage/qemu_snapshot.h"
#include "drivers/qemu/storage/qemu_stream.h"
#include "drivers/qemu/plug/qemu_memory_live.h"
#include "drivers/qemu/plug/qemu_plug.h"
#include "drivers/qemu/qemu_steps.h"
#include "drivers/qemu/qemu_tune.h"
#include "drivers/save_image.h"
#include "drivers/state.h"
#include "drivers/undo.h"
#include "util/file.h"
#include "util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define MONITOR_MS 5000

int qemu_undo_pause (job_t *job, bool running, error_t *err)
{
    return job_undo (job, "qemu.pause", running ? "run" : "stay", err) || job_record (job, err) ? -1
                                                                                                : 0;
}

int qemu_reach_monitor (job_t *job, bool *opened, error_t *err)
{
    bool running;
    const char *monitor = guest_recorded (job->guest, "monitor/@path");
    if (qemu_is_running (job, &running, err) == 0)
        return 0;
    if (err->code == ERR_OPERATION_TIMEOUT || !monitor ||
        job_monitor_open (job, monitor, MONITOR_MS, err))
        return -1;
    *opened = true;
    return 0;
}

static int go_on (job_t *job, error_t *err)
{
    if (qemu_stream_go_on (job, err))
        return -1;
    job->guest->status = (guest_status_t){ STATE_RUNNING, RUNNING_SAVE_CANCELED };
    return 0;
}

//  What is undone with the help of QEMU, if it is still there.
static int undo_in_guest (job_t *job, const char *argument,
                          int (*run) (job_t *job, const char *argument, error_t *err), error_t *err)
{
    process_t process;
    bool opened = false;
    error_t ignored = { 0 };
    if (!guest_recorded_process (job->guest, &process) ||
        job_wait_exit (job, &process, 0, &ignored) == 0)
        return 0;
    if (qemu_reach_monitor (job, &opened, err))
        return error_prefix (err, "let domain '%s' go on", job->guest->name);
    int rc = run (job, argument, err);
    if (opened)
        job_monitor_close (job, &ignored);
    return rc ? error_prefix (err, "let domain '%s' go on", job->guest->name) : 0;
}

static int stop_work (job_t *job, const char *argument, error_t *err)
{
    bool goes_on = strcmp (argument, "run") == 0 && !qemu_overlay_is_handed_back (job->guest);
    return qemu_work_stop (job, err) || (goes_on && go_on (job, err)) ? -1 : 0;
}

static int undo_pause (job_t *job, const char *argument, error_t *err)
{
    process_t process;
    error_t ignored = { 0 };
    const char *identity = guest_recorded (job->guest, "process/@identity");
    if (strcmp (argument, "run") != 0 && strcmp (argument, "stay") != 0)
        return error_set (err, ERR_INVALID_ARG, "undo qemu.pause '%s': not run or stay", argument);
    bool there = guest_recorded_process (job->guest, &process) &&
                 job_wait_exit (job, &process, 0, &ignored) != 0;
    if (there && save_image_recorded (job->guest))
        return undo_run (job, "process", identity, err);
    if (there)
        xml_remove_path (xml_root (job->guest->record), "save");
    return undo_in_guest (job, argument, stop_work, err);
}

static int undo_migration (job_t *job, const char *argument, error_t *err)
{
    if (strcmp (argument, "run") != 0 && strcmp (argument, "stay") != 0 &&
        strcmp (argument, "live") != 0)
        return error_set (err, ERR_INVALID_ARG, "undo qemu.migration '%s': not run, live or stay",
                          argument);
    return undo_in_guest (job, argument, qemu_migrate_call_off, err);
}

char *qemu_used_path (const guest_t *guest, const char *path)
{
    autofree char *folder = file_folder (path);
    return text_format ("%s/.troupe-%s.used", folder, guest->uuid);
}

//  Never over another file that has the name by now.
static int undo_used (job_t *job, const char *path, error_t *err)
{
    if (path[0] != '/')
        return error_set (err, ERR_INVALID_ARG, "undo qemu.used '%s': the path is not absolute",
                          path);
    autofree char *used = qemu_used_path (job->guest, path);
    if (renameat2 (AT_FDCWD, used, AT_FDCWD, path, RENAME_NOREPLACE) && errno != ENOENT)
        return error_errno (err, ERR_SYSTEM_ERROR, "rename '%s' back to '%s'", used, path);
    return 0;
}

void qemu_drop_used (job_t *job)
{
    const char *used = guest_recorded (job->guest, "used/@path");
    error_t err = { 0 };
    if (!used)
        return;
    if (job_remove_file (job, used, &err))
        job_log (job, "domain '%s': %s", job->guest->name, err.message);
    xml_remove_path (xml_root (job->guest->record), "used");
}

static int undo_node (job_t *job, const char *node, error_t *err)
{
    bool opened = false;
    error_t ignored = { 0 };
    if (qemu_has_ended (job))
        return 0;
    if (qemu_reach_monitor (job, &opened, err))
        return error_prefix (err, "remove the node '%s' of domain '%s'", node, job->guest->name);
    int rc = qemu_block_remove (job, node, err);
    if (opened)
        job_monitor_close (job, &ignored);
    return rc;
}

typedef int (undo_fn) (job_t *job, const char *argument, error_t *err);

//  What was left on the host goes without QEMU as well.
static int undo_reached (job_t *job, const char *what, undo_fn *undo, const char *argument,
                         error_t *err)
{
    bool opened = false;
    error_t ignored = { 0 };
    if (!qemu_has_ended (job) && qemu_reach_monitor (job, &opened, err))
        return error_prefix (err, "end the %s of domain '%s'", what, job->guest->name);
    int rc = undo (job, argument, err);
    if (opened)
        job_monitor_close (job, &ignored);
    return rc;
}

static int end_backup (job_t *job, const char *argument, error_t *err)
{
    (void) argument;
    return qemu_backup_end (job, err);
}

static int undo_backup (job_t *job, const char *argument, error_t *err)
{
    return undo_reached (job, "backup", end_backup, argument, err);
}

static int undo_blockjob (job_t *job, const char *id, error_t *err)
{
    return undo_reached (job, "block job", qemu_block_undo, id, err);
}

static int undo_checkpoint (job_t *job, const char *name, error_t *err)
{
    return undo_reached (job, "checkpoint", qemu_checkpoint_undo, name, err);
}

//  What QEMU may have, or get as soon as it listens, keeps its links, files and host devices.
static int undo_plug (job_t *job, const char *alias, error_t *err)
{
    int rc = undo_reached (job, "hot-plug", qemu_undo_plug, alias, err);
    job->unsure = job->unsure || rc;
    return rc;
}

static int undo_unplug (job_t *job, const char *alias, error_t *err)
{
    return undo_reached (job, "hot-unplug", qemu_undo_unplug, alias, err);
}

static int undo_medium (job_t *job, const char *alias, error_t *err)
{
    return undo_reached (job, "change of media", qemu_undo_medium, alias, err);
}

static int undo_link (job_t *job, const char *alias, error_t *err)
{
    return undo_reached (job, "change of a link", qemu_undo_link, alias, err);
}

static int undo_requested (job_t *job, const char *alias, error_t *err)
{
    return undo_reached (job, "change of a memory device", qemu_undo_requested, alias, err);
}

static int undo_password (job_t *job, const char *alias, error_t *err)
{
    return undo_reached (job, "change of a password", qemu_undo_password, alias, err);
}

static int undo_balloon (job_t *job, const char *argument, error_t *err)
{
    return undo_in_guest (job, argument, qemu_undo_balloon, err);
}

static int undo_command (job_t *job, const char *argument, error_t *err)
{
    return undo_in_guest (job, argument, qemu_undo_command, err);
}

//  INODE:PATH, where INODE has a colon itself; or :PATH.
static int undo_image (job_t *job, const char *argument, error_t *err)
{
    const char *slash = strchr (argument, '/');
    if (!slash || slash == argument || slash[-1] != ':')
        return error_set (err, ERR_INVALID_ARG, "undo qemu.image '%s': not INODE:PATH", argument);
    autofree char *inode = text_copy_bytes (argument, (size_t) (slash - argument) - 1);
    return qemu_block_drop_file (job, slash, inode, err);
}

static const struct {
    const char *kind;
    undo_fn *run;
} kinds[] = {
    { "pause", undo_pause },
    { "migration", undo_migration },
    { "used", undo_used },
    { "node", undo_node },
    { "backup", undo_backup },
    { "blockjob", undo_blockjob },
    { "checkpoint", undo_checkpoint },
    { "image", undo_image },
    { "snapshot", qemu_undo_snapshot },
    { "forget", qemu_undo_forget },
    { "revert", qemu_undo_revert },
    { "thaw", qemu_agent_undo_thaw },
    { "overlay", qemu_undo_overlay },
    { "branch", qemu_undo_branch },
    { "merge", qemu_undo_merge },
    { "plug", undo_plug },
    { "unplug", undo_unplug },
    { "medium", undo_medium },
    { "link", undo_link },
    { "password", undo_password },
    { "requested", undo_requested },
    { "affinity", qemu_undo_affinity },
    { "balloon", undo_balloon },
    { "command", undo_command },
};

int qemu_undo (job_t *job, const char *kind, const char *argument, error_t *err)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp (kinds[i].kind, kind) == 0)
            return kinds[i].run (job, argument, err);
    return error_set (err, ERR_INVALID_ARG, "undo 'qemu.%s': this daemon does not know it", kind);
}
