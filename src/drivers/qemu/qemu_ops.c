//  qemu_ops.c: commands to a running guest, through QMP.

#include "drivers/qemu/qemu_live.h"
#include "drivers/qemu/qemu_ops.h"
#include "drivers/qemu/plug/qemu_memory_live.h"
#include "drivers/state.h"
#include "util/text.h"

#include <string.h>

#define QMP_MS 5000
#define MEASURE_MS 200 //  what a question for figures may take
#define PASSTHROUGH_MS 60000
#define KIB 1024

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

int qemu_suspend (job_t *job, error_t *err)
{
    if (command (job, "suspend", "stop", err))
        return -1;
    job->guest->status = (guest_status_t){ STATE_PAUSED, PAUSED_USER };
    return 0;
}

//  A guest that sleeps is woken by its own hardware, not by letting its cpus run.
int qemu_resume (job_t *job, error_t *err)
{
    bool asleep = job->guest->status.state == STATE_PMSUSPENDED;
    if (command (job, "resume", asleep ? "system_wakeup" : "cont", err))
        return -1;
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
        return -1;
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
