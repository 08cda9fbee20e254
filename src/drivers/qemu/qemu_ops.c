//  qemu_ops.c: commands to a running guest, through QMP.

#include "drivers/qemu/qemu_live.h"
#include "drivers/qemu/qemu_ops.h"
#include "drivers/qemu/plug/qemu_memory_live.h"
#include "drivers/qemu/qemu_answer.h"
#include "drivers/state.h"
#include "util/text.h"

#include <string.h>

#define QMP_MS 5000
#define MEASURE_MS 200 //  what a question for figures may take
#define PASSTHROUGH_MS 60000
#define KIB 1024
#define RUN_STATE_SIZE 32

static int command (job_t *job, const char *what, const char *execute, error_t *err)
{
    json_auto_t *reply = job_qmp (job, execute, NULL, QMP_MS, err);
    return reply ? 0 : error_prefix (err, "%s domain '%s'", what, job->guest->name);
}

static int check_mode (const job_t *job, shutdown_mode_t mode, const char *what, error_t *err)
{
    if (mode != SHUTDOWN_INITCTL && mode != SHUTDOWN_SIGNAL)
        return 0;
    return error_set (err, ERR_ARGUMENT_UNSUPPORTED,
                      "not supported: %s domain '%s' with mode '%s'; only a container has an init "
                      "to ask, use 'acpi' or 'agent'",
                      what, job->guest->name, mode == SHUTDOWN_SIGNAL ? "signal" : "initctl");
}

int qemu_shutdown (job_t *job, shutdown_mode_t mode, error_t *err)
{
    if (check_mode (job, mode, "shut down", err) ||
        command (job, "shut down", "system_powerdown", err))
        return -1;
    guest_restore_poweroff (job->guest);
    return 0;
}

int qemu_reboot (job_t *job, shutdown_mode_t mode, error_t *err)
{
    if (check_mode (job, mode, "reboot", err) || command (job, "reboot", "system_powerdown", err))
        return -1;
    //  Kept with the live document, so that a daemon that was killed meanwhile does it as well.
    xml_set (xml_root (job->guest->live), "on_poweroff", "restart");
    return 0;
}

int qemu_reset (job_t *job, error_t *err)
{
    return command (job, "reset", "system_reset", err);
}

//  QEMU's RunState.
static int ask_run_state (job_t *job, char state[RUN_STATE_SIZE], error_t *err)
{
    json_auto_t *status = job_qmp (job, "query-status", NULL, QMP_MS, err);
    if (!status)
        return -1;
    snprintf (state, RUN_STATE_SIZE, "%s", answer_string (status, "status"));
    return 0;
}

//  A guest may fall asleep in the moment in which it is stopped; QEMU has nothing to stop then, and
//  does not say so.
static int stop (job_t *job, error_t *err)
{
    char state[RUN_STATE_SIZE];
    if (qemu_tell (job, "stop", NULL, QMP_MS, err) || ask_run_state (job, state, err))
        return -1;
    return strcmp (state, "suspended") == 0
               ? error_set (err, ERR_OPERATION_INVALID,
                            "it sleeps, and would run once it wakes; wake it first "
                            "('troupe dompmwakeup')")
               : 0;
}

int qemu_suspend (job_t *job, error_t *err)
{
    if (stop (job, err))
        return error_prefix (err, "suspend domain '%s'", job->guest->name);
    job->guest->status = (guest_status_t){ STATE_PAUSED, PAUSED_USER };
    return 0;
}

//  QEMU refuses unless the guest sleeps, which may have ended since: it runs then, or *HELD, since
//  it was reset in its sleep, or stopped again.
static int wake (job_t *job, bool *held, error_t *err)
{
    char state[RUN_STATE_SIZE];
    error_t why = { 0 };
    *held = false;
    if (qemu_tell (job, "system_wakeup", NULL, QMP_MS, &why) == 0)
        return 0;
    if (why.code == ERR_OPERATION_FAILED && ask_run_state (job, state, err))
        return -1;
    if (why.code == ERR_OPERATION_FAILED && strcmp (state, "running") == 0)
        return 0;
    *held = why.code == ERR_OPERATION_FAILED && strcmp (state, "suspended") != 0;
    *err = why;
    return *held ? error_set (err, ERR_OPERATION_INVALID,
                              "it is not asleep any more, but does not run (QEMU says '%s')", state)
                 : -1;
}

int qemu_wake (job_t *job, error_t *err)
{
    bool held;
    return wake (job, &held, err);
}

//  A guest that sleeps is woken by its own hardware, not by letting its cpus run.
static int go_on (job_t *job, bool asleep, error_t *err)
{
    bool held = true;
    if (asleep && wake (job, &held, err) == 0)
        return 0;
    return held ? qemu_tell (job, "cont", NULL, QMP_MS, err) : -1;
}

int qemu_resume (job_t *job, error_t *err)
{
    bool asleep = job->guest->status.state == STATE_PMSUSPENDED;
    if (go_on (job, asleep, err))
        return error_prefix (err, "resume domain '%s'", job->guest->name);
    job->guest->status =
        (guest_status_t){ STATE_RUNNING, asleep ? RUNNING_WAKEUP : RUNNING_UNPAUSED };
    return 0;
}

//  Budgeted: a QEMU that hangs is answered for from what is known.
static uint64_t balloon_kib (job_t *job)
{
    uint64_t bytes = 0;
    error_t ignored = { 0 };
    json_auto_t *balloon = job_qmp (job, "query-balloon", NULL, MEASURE_MS, &ignored);
    if (balloon && job->guest->live)
        bytes = qemu_memory_balloon (balloon, xml_root (job->guest->live)) * KIB;
    if (!bytes && job->guest->live)
        xml_size (xml_root (job->guest->live), "currentMemory", "KiB", &bytes, &ignored);
    return bytes / KIB;
}

int qemu_info (job_t *job, guest_info_t *info, error_t *err)
{
    process_t process;
    *info = (guest_info_t){ 0 };
    if (!guest_recorded_process (job->guest, &process))
        return error_set (err, ERR_OPERATION_INVALID,
                          "measure domain '%s': it has no process; is it running?",
                          job->guest->name);
    if (process_usage (&process, &info->cpu_ns, &info->rss_kib, err))
        return error_prefix (err, "measure domain '%s'", job->guest->name);
    info->memory_kib = balloon_kib (job);
    return 0;
}

void qemu_meter (const guest_t *guest, meter_place_t *place)
{
    place->process = guest_recorded (guest, "process/@identity");
}

static int human_command (job_t *job, const char *text, char **reply, error_t *err)
{
    json_auto_t *result = job_qmp (job, "human-monitor-command",
                                   json_pack ("{s:s}", "command-line", text), PASSTHROUGH_MS, err);
    if (!result)
        return -1;
    *reply = text_copy (json_is_string (result) ? json_string_value (result) : "");
    return 0;
}

//  QEMU's own words of what it refused, {class, desc}; NULL if something else is in ERR.
static json_t *refusal (const char *execute, const error_t *err)
{
    autofree char *start = text_format ("QEMU refused %s: ", execute);
    if (!text_starts (err->message, start))
        return NULL;
    const char *words = err->message + strlen (start), *desc = strstr (words, ": ");
    size_t size = desc ? (size_t) (desc - words) : 0;
    return json_pack ("{s:s%, s:s}", "class", words, size, "desc", desc ? desc + 2 : words);
}

//  The reply as QEMU would have sent it, with the caller's id.
static int json_command (job_t *job, const char *text, bool raw, const char *lent, char **reply,
                         error_t *err)
{
    json_error_t where;
    json_auto_t *request = json_loads (text, JSON_REJECT_DUPLICATES, &where);
    const char *execute = json_string_value (json_object_get (request, "execute"));
    if (!execute)
        return error_set (err, ERR_INVALID_ARG,
                          "monitor command for domain '%s': %s; it is to be of the form "
                          "{\"execute\":\"query-status\"}",
                          job->guest->name, request ? "there is no \"execute\"" : where.text);
    json_t *arguments = json_incref (json_object_get (request, "arguments"));
    const job_file_t file = { .device = lent };
    json_t *result = lent ? job_qmp_file (job, execute, arguments, &file, PASSTHROUGH_MS, err)
                          : job_qmp (job, execute, arguments, PASSTHROUGH_MS, err);
    json_t *refused = !result && raw ? refusal (execute, err) : NULL;
    if (!result && !refused)
        return -1;
    json_auto_t *answer =
        result ? json_pack ("{s:o}", "return", result) : json_pack ("{s:o}", "error", refused);
    json_t *id = json_object_get (request, "id");
    if (id)
        json_object_set (answer, "id", id);
    char *dumped = json_dumps (answer, JSON_COMPACT);
    *reply = text_copy (dumped);
    free (dumped);
    return 0;
}

int qemu_monitor_command (job_t *job, const char *text, unsigned flags, const char *lent,
                          char **reply, error_t *err)
{
    *reply = NULL;
    if ((flags & MONITOR_HUMAN) && lent)
        return error_set (
            err, ERR_ARGUMENT_UNSUPPORTED,
            "monitor command for domain '%s': a descriptor can't go with a command of "
            "the human monitor; pass it with one in JSON",
            job->guest->name);
    return flags & MONITOR_HUMAN ? human_command (job, text, reply, err)
                                 : json_command (job, text, flags & MONITOR_RAW, lent, reply, err);
}
