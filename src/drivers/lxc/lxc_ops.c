//  lxc_ops.c: what is done with a running container.

#include "drivers/cgroup/cgroup_files.h"
#include "drivers/lxc/lxc_interface.h"
#include "drivers/lxc/lxc_parts.h"
#include "drivers/state.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#define ASK_MS 5000
#define KIB 1024

static int ask (job_t *job, const char *what, const char *command, shutdown_mode_t mode,
                error_t *err)
{
    json_t *arguments = NULL;
    if (mode == SHUTDOWN_ACPI || mode == SHUTDOWN_AGENT)
        return error_set (err, ERR_ARGUMENT_UNSUPPORTED,
                          "not supported: %s domain '%s' with mode '%s'; a container's can be "
                          "initctl or signal",
                          what, job->guest->name, mode == SHUTDOWN_ACPI ? "acpi" : "agent");
    if (mode != SHUTDOWN_DEFAULT)
        arguments = json_pack ("{s:s}", "mode", mode == SHUTDOWN_INITCTL ? "initctl" : "signal");
    json_auto_t *reply = job_qmp (job, command, arguments, ASK_MS, err);
    return reply ? 0 : error_prefix (err, "%s domain '%s'", what, job->guest->name);
}

int lxc_shutdown (job_t *job, shutdown_mode_t mode, error_t *err)
{
    return ask (job, "shut down", "shutdown", mode, err);
}

int lxc_reboot (job_t *job, shutdown_mode_t mode, error_t *err)
{
    return ask (job, "reboot", "reboot", mode, err);
}

int lxc_suspend (job_t *job, error_t *err)
{
    if (cgroup_freeze (job, true, err))
        return error_prefix (err, "suspend domain '%s'", job->guest->name);
    return 0;
}

int lxc_resume (job_t *job, error_t *err)
{
    if (cgroup_freeze (job, false, err))
        return error_prefix (err, "resume domain '%s'", job->guest->name);
    return 0;
}

static int measure (job_t *job, uint64_t *user_ns, uint64_t *system_ns, uint64_t *bytes,
                    error_t *err)
{
    if (cgroup_times (job->guest, user_ns, system_ns, err) ||
        cgroup_memory (job->guest, bytes, err))
        return error_prefix (err, "measure domain '%s'", job->guest->name);
    return 0;
}

int lxc_info (job_t *job, guest_info_t *info, error_t *err)
{
    uint64_t user_ns, system_ns, bytes, limit = 0;
    *info = (guest_info_t){ 0 };
    if (measure (job, &user_ns, &system_ns, &bytes, err) ||
        xml_size (xml_root (job->guest->live), "currentMemory", "KiB", &limit, err))
        return -1;
    info->cpu_ns = user_ns + system_ns;
    info->memory_kib = limit / KIB;
    info->rss_kib = bytes / KIB;
    return 0;
}

//  The record's process is the supervisor, which is not in it.
void lxc_meter (const guest_t *guest, meter_place_t *place)
{
    place->cgroup = cgroup_folder (guest, "unified");
}

static void set_number (json_t *stats, const char *name, uint64_t value)
{
    json_object_set_new (stats, name, json_integer ((json_int_t) value));
}

//  What no cgroup counts is not there.
static int add_usage (job_t *job, json_t *stats, error_t *err)
{
    uint64_t user_ns, system_ns, bytes;
    if (measure (job, &user_ns, &system_ns, &bytes, err))
        return err->code == ERR_OPERATION_UNSUPPORTED ? 0 : -1;
    set_number (stats, "cpu.time", user_ns + system_ns);
    set_number (stats, "cpu.user", user_ns);
    set_number (stats, "cpu.system", system_ns);
    set_number (stats, "balloon.rss", bytes / KIB);
    return 0;
}

int lxc_stats (job_t *job, json_t *stats, error_t *err)
{
    uint64_t limit = 0;
    if (add_usage (job, stats, err) ||
        xml_size (xml_root (job->guest->live), "currentMemory", "KiB", &limit, err))
        return -1;
    set_number (stats, "balloon.current", limit / KIB);
    set_number (stats, "block.count", 0);
    return interface_stats (job, stats, err);
}

int lxc_enter (job_t *job, json_t *argv, char **socket, char **ticket, error_t *err)
{
    const char *path = xml_string (xml_root (job->guest->record), "entrance/@path");
    json_t *arguments = json_pack ("{s:o}", "argv", argv);
    if (job->guest->status.state != STATE_RUNNING || !path) {
        json_decref (arguments);
        return error_set (err, ERR_OPERATION_INVALID, "enter domain '%s': %s", job->guest->name,
                          path ? "it is paused; resume it first"
                               : "it was started by an earlier version, which can't; restart it");
    }
    json_auto_t *reply = job_qmp (job, "enter", arguments, ASK_MS, err);
    const char *text = json_string_value (json_object_get (reply, "ticket"));
    if (!text)
        return error_prefix (err, "enter domain '%s'", job->guest->name);
    *socket = text_copy (path);
    *ticket = text_copy (text);
    return 0;
}

int lxc_signal (job_t *job, int64_t pid, int number, error_t *err)
{
    json_auto_t *reply =
        job_qmp (job, "signal", json_pack ("{s:I, s:i}", "pid", (json_int_t) pid, "number", number),
                 ASK_MS, err);
    return reply ? 0 : error_prefix (err, "send a signal to domain '%s'", job->guest->name);
}

int lxc_console (const xml_t *live, const char *device, console_source_t *source, error_t *err)
{
    const xml_node_t *domain = xml_root (live);
    xml_foreach (console, xml_find (domain, "devices"), "console") {
        const char *path = xml_string (console, "source/@path");
        if (!path || (device && strcmp (interface_alias (console), device) != 0))
            continue;
        source->kind = CONSOLE_PTY;
        snprintf (source->alias, sizeof source->alias, "%s", interface_alias (console));
        snprintf (source->path, sizeof source->path, "%s", path);
        return 0;
    }
    return error_set (err, ERR_DEVICE_MISSING, "open a console of domain '%s': it has no %s%s%s",
                      xml_string (domain, "name"), device ? "console '" : "console",
                      device ? device : "", device ? "'" : "; add <console type='pty'/>");
}

int lxc_driver_capabilities (job_t *job, xml_node_t *capabilities, error_t *err)
{
    (void) job, (void) err;
    struct utsname host;
    xml_node_t *guest = xml_add (capabilities, "guest");
    xml_set (guest, "os_type", "exe");
    uname (&host);
    xml_set (guest, "arch/@name", host.machine);
    xml_set (guest, "arch/wordsize", "64");
    xml_set (guest, "arch/domain/@type", "lxc");
    xml_ensure (guest, "features/privnet");
    return 0;
}

int lxc_version (job_t *job, uint64_t *version, error_t *err)
{
    (void) job;
    unsigned major, minor, release = 0;
    struct utsname host;
    uname (&host);
    if (sscanf (host.release, "%u.%u.%u", &major, &minor, &release) < 2)
        return error_set (err, ERR_INTERNAL_ERROR, "version of the kernel: '%s' is not understood",
                          host.release);
    *version = major * UINT64_C (1000000) + minor * UINT64_C (1000) + release;
    return 0;
}
