//  lxc_end.c: how a container ends, and how a restarted daemon finds out whether it did.

#include "drivers/cgroup/cgroup.h"
#include "drivers/guest_end.h"
#include "drivers/lxc/lxc_interface.h"
#include "drivers/lxc/lxc_parts.h"
#include "drivers/salvage.h"
#include "drivers/state.h"
#include "drivers/undo.h"
#include "util/file.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#define TERM_MS 5000  //  for the supervisor to end init
#define KILL_MS 15000 //  a process that waits for a disk delays even SIGKILL
#define MONITOR_MS 5000
#define QUERY_MS 5000

//  Of an init that outlived its supervisor: it may have cut its tie.
static int undo_init (job_t *job, const char *path, error_t *err)
{
    process_t init;
    autofree char *text = file_read (path, PROCESS_TEXT_SIZE, NULL, err);
    if (!text)
        return errno == ENOENT ? 0 : -1;
    if (!process_from_text (text, &init))
        return error_set (err, ERR_INVALID_ARG, "end init: '%s' has no process", path);
    cgroup_thaw (job->guest);
    return undo_run (job, "process", text, err);
}

//  The supervisor ends init, and with that all processes of the container, which may be frozen.
static int end_supervisor (job_t *job, const process_t *process, error_t *err)
{
    error_t ignored = { 0 }; //  that it is over already shows in the wait
    bool stopped = process_is_stopped (process);
    job_kill (job, process, stopped ? SIGKILL : SIGTERM, &ignored);
    cgroup_thaw (job->guest);
    int over = job_wait_exit (job, process, TERM_MS, err);
    if (over == 0 || err->code == ERR_OPERATION_ABORTED)
        return over;
    job_kill (job, process, SIGKILL, &ignored);
    return job_wait_exit (job, process, KILL_MS, err);
}

//  In order: it has links of the host.
static int undo_given (job_t *job, const char *text, error_t *err)
{
    process_t process;
    if (!process_from_text (text, &process))
        return error_set (err, ERR_INVALID_ARG, "undo lxc.given '%s': not PID:START:BOOTID", text);
    return end_supervisor (job, &process, err);
}

int lxc_undo (job_t *job, const char *kind, const char *argument, error_t *err)
{
    if (strcmp (kind, "given") == 0)
        return undo_given (job, argument, err);
    if (argument[0] != '/')
        return error_set (err, ERR_INVALID_ARG, "undo lxc.%s '%s': the path is not absolute", kind,
                          argument);
    //  Of a daemon that had no other cgroups than those of containers.
    if (strcmp (kind, "cgroup") == 0)
        return cgroup_remove (job, argument, err);
    if (strcmp (kind, "init") == 0)
        return undo_init (job, argument, err);
    return error_set (err, ERR_INVALID_ARG, "undo lxc.%s '%s': there is no such undo", kind,
                      argument);
}

static int end_all (job_t *job, error_t *err)
{
    process_t process;
    const char *init = guest_recorded (job->guest, "init/@path");
    if (job->guest->record && guest_end_record (job, err))
        return -1;
    guest_end_clean (job, "monitor", ""); //  that the supervisor ends is no news from here on
    if (guest_recorded_process (job->guest, &process) && end_supervisor (job, &process, err))
        return -1;
    return init ? undo_init (job, init, err) : 0;
}

static void clean_all (job_t *job)
{
    guest_end_unplug (job);
    guest_end_clean (job, "file", guest_recorded (job->guest, "monitor/@path"));
    guest_end_clean (job, "file", guest_recorded (job->guest, "entrance/@path"));
    guest_end_clean (job, "file", guest_recorded (job->guest, "init/@path"));
    guest_end_ungroup (job);
}

int lxc_destroy (job_t *job, bool graceful, error_t *err)
{
    if (graceful)
        return error_set (err, ERR_ARGUMENT_UNSUPPORTED,
                          "not supported: destroy domain '%s' gracefully; 'troupe shutdown' asks a "
                          "container to end",
                          job->guest->name);
    if (end_all (job, err))
        return error_prefix (err, "destroy domain '%s'", job->guest->name);
    clean_all (job);
    job->guest->status = (guest_status_t){ STATE_SHUTOFF, SHUTOFF_DESTROYED };
    return 0;
}

//  The container is over: what is left of it is removed.
static int note_end (job_t *job, guest_status_t status, error_t *err)
{
    job->guest->status = status;
    if (lxc_destroy (job, false, err))
        return -1;
    job->guest->status = status;
    return 0;
}

//  The recorded state stays as it is, reason included, if the cgroups say the same.
static void note_frozen (guest_t *guest)
{
    bool frozen = cgroup_is_frozen (guest);
    if (frozen && guest->status.state != STATE_PAUSED)
        guest->status = (guest_status_t){ STATE_PAUSED, PAUSED_UNKNOWN };
    if (!frozen && guest->status.state != STATE_RUNNING)
        guest->status = (guest_status_t){ STATE_RUNNING, RUNNING_UNKNOWN };
}

static int ask_state (job_t *job, error_t *err)
{
    json_auto_t *state = job_qmp (job, "query", NULL, QUERY_MS, err);
    if (!state)
        return -1;
    if (salvage_is_open (job->guest))
        lxc_salvage_rest (job, state);
    const char *stage = json_string_value (json_object_get (state, "state"));
    if (stage && strcmp (stage, "running") == 0) {
        note_frozen (job->guest);
        return 0;
    }
    guest_change_t change = { .status = { STATE_SHUTOFF, SHUTOFF_FAILED } };
    if (stage && strcmp (stage, "ended") == 0)
        lxc_read_end (state, xml_root (job->guest->live), &change);
    return change.kind == CHANGE_RESTART ? lxc_restart (job, err)
                                         : note_end (job, change.status, err);
}

int lxc_adopt (job_t *job, error_t *err)
{
    process_t process;
    guest_status_t end;
    const char *monitor = guest_recorded (job->guest, "monitor/@path");
    if (!guest_recorded_process (job->guest, &process) || !monitor)
        return note_end (job, (guest_status_t){ STATE_SHUTOFF, SHUTOFF_FAILED }, err);
    if (guest_end_noted (job->guest, &end))
        return note_end (job, end, err);
    error_t running = { 0 };
    if (job_wait_exit (job, &process, 0, &running) == 0)
        return note_end (job, guest_end_vanished (&process), err);
    if (running.code != ERR_OPERATION_TIMEOUT) {
        *err = running;
        return error_prefix (err, "adopt domain '%s'", job->guest->name);
    }
    if (job_watch_exit (job, &process, err) == 0 &&
        job_monitor_open (job, monitor, MONITOR_MS, err) == 0 && interface_claim (job, err) == 0 &&
        ask_state (job, err) == 0)
        return 0;
    //  It may have ended in between.
    error_t ended = { 0 };
    if (job_wait_exit (job, &process, 0, &ended) == 0)
        return note_end (job, guest_end_vanished (&process), err);
    return error_prefix (err, "adopt domain '%s'", job->guest->name);
}
