//  qemu_end.c: how a guest ends, and how a restarted daemon finds out whether it did.

#include "drivers/guest_end.h"
#include "drivers/qemu/storage/qemu_backup.h"
#include "drivers/qemu/storage/qemu_block_job.h"
#include "drivers/qemu/qemu_files.h"
#include "drivers/qemu/qemu_hostdev.h"
#include "drivers/qemu/qemu_interface.h"
#include "drivers/qemu/qemu_live.h"
#include "drivers/qemu/memory/qemu_migrate.h"
#include "drivers/qemu/qemu_ops.h"
#include "drivers/qemu/qemu_salvage.h"
#include "drivers/qemu/qemu_stats_parts.h"
#include "drivers/qemu/plug/qemu_plug.h"
#include "drivers/qemu/plug/qemu_memory_live.h"
#include "drivers/salvage.h"
#include "drivers/qemu/memory/qemu_save.h"
#include "drivers/save_image.h"
#include "drivers/state.h"
#include "drivers/undo.h"
#include "util/text.h"

#include <signal.h>
#include <string.h>

#define TERM_MS 5000      //  to write what its disks' caches hold
#define GRACEFUL_MS 30000 //  the same, when nothing harder follows
#define KILL_MS 15000     //  a disk that hangs delays even SIGKILL
#define MONITOR_MS 5000
#define QMP_MS 5000

static int end_process (job_t *job, const process_t *process, bool graceful, error_t *err)
{
    //  That it is over already shows in the wait.
    error_t ignored = { 0 };
    bool stopped = !graceful && process_is_stopped (process); //  it can't write its caches either
    job_kill (job, process, stopped ? SIGKILL : SIGTERM, &ignored);
    int over = job_wait_exit (job, process, graceful ? GRACEFUL_MS : TERM_MS, err);
    if (over == 0 || err->code == ERR_OPERATION_ABORTED)
        return over;
    if (graceful)
        return error_set (err, ERR_OPERATION_FAILED,
                          "QEMU did not end within %d s; destroy it without --graceful",
                          GRACEFUL_MS / 1000);
    job_kill (job, process, SIGKILL, &ignored);
    return job_wait_exit (job, process, KILL_MS, err);
}

static int end_guest (job_t *job, bool graceful, error_t *err)
{
    process_t process;
    if (!guest_recorded_process (job->guest, &process))
        return 0;
    qemu_block_last_look (job);
    if (guest_end_record (job, err))
        return -1;
    if (end_process (job, &process, graceful, err) == 0)
        return 0;
    if (graceful)
        guest_end_forget (job);
    return -1;
}

int qemu_destroy (job_t *job, bool graceful, error_t *err)
{
    if (end_guest (job, graceful, err))
        return error_prefix (err, "destroy domain '%s'", job->guest->name);
    guest_end_clean (job, "monitor", "");
    guest_end_clean (job, "file", guest_recorded (job->guest, "monitor/@path"));
    guest_end_clean (job, "folder", guest_recorded (job->guest, "folder/@path"));
    guest_end_clean (job, "folder", guest_recorded (job->guest, "ram/@path"));
    //  Who is granted the port of one next finds it free.
    qemu_hostdev_unplug (job);
    guest_end_unplug (job);
    guest_end_ungroup (job);
    qemu_migrate_drop_created (job);
    qemu_give_files_back (job);
    qemu_backup_abandon (job);
    qemu_block_forget (job);
    job->guest->status = (guest_status_t){ STATE_SHUTOFF, SHUTOFF_DESTROYED };
    return 0;
}

//  QMP's RunState.
static const struct {
    const char *name;
    guest_status_t status;
} run_states[] = {
    { "running", { STATE_RUNNING, RUNNING_BOOTED } },
    { "paused", { STATE_PAUSED, PAUSED_USER } },
    { "prelaunch", { STATE_PAUSED, PAUSED_STARTING_UP } },
    { "io-error", { STATE_PAUSED, PAUSED_IOERROR } },
    { "watchdog", { STATE_PAUSED, PAUSED_WATCHDOG } },
    { "internal-error", { STATE_PAUSED, PAUSED_UNKNOWN } },
    { "debug", { STATE_PAUSED, PAUSED_UNKNOWN } },
    { "inmigrate", { STATE_PAUSED, PAUSED_MIGRATION } },
    { "postmigrate", { STATE_PAUSED, PAUSED_MIGRATION } },
    { "finish-migrate", { STATE_PAUSED, PAUSED_MIGRATION } },
    { "save-vm", { STATE_PAUSED, PAUSED_SAVE } },
    { "restore-vm", { STATE_PAUSED, PAUSED_MIGRATION } },
    { "colo", { STATE_PAUSED, PAUSED_MIGRATION } },
    { "suspended", { STATE_PMSUSPENDED, 0 } },
    { "shutdown", { STATE_SHUTOFF, SHUTOFF_SHUTDOWN } },
    { "guest-panicked", { STATE_CRASHED, CRASHED_PANICKED } },
};

//  The recorded state stays as it is, reason included, if QEMU says the same.
static void note_run_state (guest_t *guest, const char *name)
{
    for (size_t i = 0; i < sizeof run_states / sizeof *run_states; i++)
        if (strcmp (run_states[i].name, name) == 0 &&
            run_states[i].status.state != guest->status.state)
            guest->status = run_states[i].status;
}

//  The guest is over, and QEMU with it: what is left of both is removed.
static int note_end (job_t *job, guest_status_t status, error_t *err)
{
    job->guest->status = status;
    if (qemu_destroy (job, false, err))
        return -1;
    job->guest->status = status;
    return 0;
}

//  Only the other host knows whether that is the end of the guest.
static int note_vanished (job_t *job, const process_t *process, error_t *err)
{
    bool handed = xml_equals (xml_root (job->guest->record), "migration/@phase", "handed");
    if (!handed)
        return note_end (job, guest_end_vanished (process), err);
    job->guest->status = guest_end_vanished (process);
    return 0;
}

//  A panic that on_crash wants preserved stays to be looked at.
static bool is_over (const guest_t *guest)
{
    if (guest->status.state == STATE_SHUTOFF)
        return true;
    return guest->status.state == STATE_CRASHED &&
           !(guest->live && xml_equals (xml_root (guest->live), "on_crash", "preserve"));
}

//  The guest is down, and was to start again: its QEMU is still there, so it does so in place.
int qemu_restart (job_t *job, error_t *err)
{
    json_auto_t *reset = job_qmp (job, "system_reset", NULL, QMP_MS, err);
    json_auto_t *cont = reset ? job_qmp (job, "cont", NULL, QMP_MS, err) : NULL;
    if (!cont)
        return -1;
    guest_restore_poweroff (job->guest);
    job->guest->status = (guest_status_t){ STATE_RUNNING, RUNNING_BOOTED };
    return 0;
}

static bool wants_restart (const guest_t *guest)
{
    const char *element = guest->status.state == STATE_CRASHED ? "on_crash" : "on_poweroff";
    return guest->live && xml_equals (xml_root (guest->live), element, "restart");
}

static int ask_state (job_t *job, error_t *err)
{
    json_auto_t *status = job_qmp (job, "query-status", NULL, QMP_MS, err);
    if (!status)
        return -1;
    const char *name = json_string_value (json_object_get (status, "status"));
    note_run_state (job->guest, name ? name : "");
    if (qemu_migrate_ask_postcopy (job, err))
        return -1;
    guest_status_t now = job->guest->status;
    if (now.state == STATE_CRASHED)
        now = (guest_status_t){ STATE_SHUTOFF, SHUTOFF_CRASHED };
    if (!is_over (job->guest))
        return 0;
    return wants_restart (job->guest) ? qemu_restart (job, err) : note_end (job, now, err);
}

//  What the guest did with them while nobody listened.
static int ask_channels (job_t *job, error_t *err)
{
    const xml_t *live = job->guest->live;
    bool any = live && xml_find (xml_root (live), "devices/channel");
    return is_over (job->guest) || !any ? 0 : qemu_live_ask_chardevs (job, err);
}

//  And which devices it let go of.
static int look_at_devices (job_t *job, error_t *err)
{
    return is_over (job->guest) ? 0 : qemu_look_at_devices (job, err);
}

//  Only its changes are told. A QEMU without a balloon refuses.
static int ask_balloon (job_t *job, error_t *err)
{
    json_auto_t *balloon = NULL;
    if (is_over (job->guest))
        return 0;
    if (qemu_stats_ask (job, "query-balloon", NULL, &balloon, err))
        return -1;
    job->guest->balloon_kib = qemu_memory_balloon (balloon, xml_root (job->guest->live));
    return 0;
}

int qemu_adopt (job_t *job, error_t *err)
{
    process_t process;
    guest_status_t end;
    const char *monitor = guest_recorded (job->guest, "monitor/@path");
    if (!guest_recorded_process (job->guest, &process))
        return note_end (job, (guest_status_t){ STATE_SHUTOFF, SHUTOFF_FAILED }, err);
    //  Its QEMU may still be there, but what it would go on from is on disk.
    if (save_image_recorded (job->guest))
        return note_end (job, (guest_status_t){ STATE_SHUTOFF, SHUTOFF_SAVED }, err);
    if (guest_end_noted (job->guest, &end))
        return note_end (job, end, err);
    qemu_drop_used (job);
    error_t running = { 0 };
    if (job_wait_exit (job, &process, 0, &running) == 0)
        return note_vanished (job, &process, err);
    if (running.code != ERR_OPERATION_TIMEOUT) {
        *err = running;
        return error_prefix (err, "adopt domain '%s'", job->guest->name);
    }
    if (!monitor)
        return error_set (err, ERR_INTERNAL_ERROR,
                          "adopt domain '%s': its record has no monitor; 'troupe destroy' ends it",
                          job->guest->name);
    if (job_watch_exit (job, &process, err) == 0 &&
        job_monitor_open (job, monitor, MONITOR_MS, err) == 0 &&
        (!salvage_is_open (job->guest) || qemu_salvage_ask (job, err) == 0) &&
        interface_claim (job, err) == 0 && ask_state (job, err) == 0 &&
        look_at_devices (job, err) == 0 && ask_channels (job, err) == 0 &&
        ask_balloon (job, err) == 0)
        return 0;
    //  It may have ended in between.
    error_t ended = { 0 };
    if (job_wait_exit (job, &process, 0, &ended) == 0)
        return note_vanished (job, &process, err);
    return error_prefix (err, "adopt domain '%s'", job->guest->name);
}
