//  qemu_agent.c: freezing and thawing, and the table of what agents are asked.

#include "drivers/qemu/qemu_agent.h"

#include "drivers/qemu/qemu_agent_ask.h"
#include "util/text.h"

#include <limits.h>
#include <string.h>

enum {
    STATUS_MS = 5000,
    FREEZE_MS = 5 * 60000, //  a guest writes its caches first
    THAW_MS = 60000,
    UNDO_MS = 5000, //  then the owner sees to it, and nothing waits
    POWER_MS = 60000,
    COMMAND_MS = 5000,
    QMP_MS = 5000
};

//  Freezing.

static bool froze (const guest_t *guest)
{
    return guest->record && xml_find (xml_root (guest->record), "freeze");
}

static int is_frozen (job_t *job, bool *frozen, error_t *err)
{
    json_auto_t *status = qemu_agent_call (job, "guest-fsfreeze-status", NULL, 0, STATUS_MS, err);
    if (!status)
        return -1;
    const char *word = json_string_value (status);
    *frozen = word && strcmp (word, "frozen") == 0;
    return 0;
}

static int thaw (job_t *job, int ms, int64_t *count, error_t *err)
{
    json_auto_t *thawed = job_agent (job, "guest-fsfreeze-thaw", NULL, 0, ms, err);
    if (!thawed)
        return -1;
    *count = json_integer_value (thawed);
    return 0;
}

int qemu_agent_freeze (job_t *job, error_t *err)
{
    bool frozen;
    if (is_frozen (job, &frozen, err))
        return -1;
    if (frozen)
        return 0;
    xml_set (xml_root (job->guest->record), "freeze/@by", "job");
    if (job_undo (job, "qemu.thaw", "", err) || job_record (job, err))
        return -1;
    json_auto_t *count = qemu_agent_call (job, "guest-fsfreeze-freeze", NULL, 0, FREEZE_MS, err);
    return count ? 0 : -1;
}

static int thaw_recorded (job_t *job, int ms, error_t *err)
{
    int64_t count;
    if (!froze (job->guest))
        return 0;
    if (thaw (job, ms, &count, err))
        return -1;
    xml_remove_path (xml_root (job->guest->record), "freeze");
    return 0;
}

int qemu_agent_thaw (job_t *job, error_t *err)
{
    bool frozen = froze (job->guest);
    if (thaw_recorded (job, THAW_MS, err))
        return -1;
    return frozen ? job_record (job, err) : 0;
}

int qemu_agent_undo_thaw (job_t *job, const char *argument, error_t *err)
{
    (void) argument;
    if (thaw_recorded (job, UNDO_MS, err))
        job_log (job, "%s; its file systems are thawed as soon as it answers", err->message);
    return 0;
}

//  What the user asks for. A freeze of a job of ours is not theirs to end.

static json_t *mounts_of (const json_t *args)
{
    json_t *mounts = json_object_get (args, "mountpoints");
    return json_array_size (mounts) > 0 ? mounts : NULL;
}

static json_t *count_of (json_t *count)
{
    return count ? json_pack ("{s:o}", "count", count) : NULL;
}

static json_t *do_freeze (job_t *job, const json_t *args, error_t *err)
{
    json_t *mounts = mounts_of (args);
    json_t *arguments = mounts ? json_pack ("{s:O}", "mountpoints", mounts) : NULL;
    return count_of (
        qemu_agent_call (job, mounts ? "guest-fsfreeze-freeze-list" : "guest-fsfreeze-freeze",
                         arguments, 0, FREEZE_MS, err));
}

//  An agent thaws all that it froze, or nothing.
static json_t *do_thaw (job_t *job, const json_t *args, error_t *err)
{
    if (mounts_of (args)) {
        error_set (err, ERR_ARGUMENT_UNSUPPORTED,
                   "thaw file systems of domain '%s': an agent thaws all at once; leave the mount "
                   "points out",
                   job->guest->name);
        return NULL;
    }
    if (froze (job->guest)) {
        error_set (err, ERR_OPERATION_INVALID,
                   "thaw file systems of domain '%s': a job froze them, and thaws them when it is "
                   "done",
                   job->guest->name);
        return NULL;
    }
    return count_of (qemu_agent_call (job, "guest-fsfreeze-thaw", NULL, 0, THAW_MS, err));
}

//  What is left of a job.
static json_t *do_thaw_left (job_t *job, const json_t *args, error_t *err)
{
    (void) args;
    return count_of (job_agent (job, "guest-fsfreeze-thaw", NULL, 0, THAW_MS, err));
}

//  Power. An agent says nothing when it succeeds: it goes.

static json_t *power (job_t *job, const char *mode, error_t *err)
{
    return qemu_agent_call (job, "guest-shutdown", json_pack ("{s:s}", "mode", mode), AGENT_ENDS,
                            POWER_MS, err);
}

static json_t *do_shutdown (job_t *job, const json_t *args, error_t *err)
{
    (void) args;
    json_auto_t *done = power (job, "powerdown", err);
    return done ? json_null () : NULL;
}

static json_t *do_reboot (job_t *job, const json_t *args, error_t *err)
{
    (void) args;
    json_auto_t *done = power (job, "reboot", err);
    return done ? json_null () : NULL;
}

//  Sleep. An agent says nothing when it succeeds: its guest sleeps.

//  QEMU can't wake every machine; one that sleeps on is lost to its user (QEMU Guest Agent Protocol
//  Reference, guest-suspend-ram).
static int check_wakes (job_t *job, error_t *err)
{
    json_auto_t *machine = job_qmp (job, "query-current-machine", NULL, QMP_MS, err);
    if (!machine || json_is_true (json_object_get (machine, "wakeup-suspend-support")))
        return machine ? 0 : -1;
    return error_set (err, ERR_OPERATION_UNSUPPORTED,
                      "suspend domain '%s': its machine type can't be woken again",
                      job->guest->name);
}

static json_t *do_suspend (job_t *job, const json_t *args, error_t *err)
{
    static const struct {
        const char *target, *execute;
        unsigned how;
    } ways[] = { { "mem", "guest-suspend-ram", AGENT_SLEEPS },
                 { "disk", "guest-suspend-disk", AGENT_SLEEPS | AGENT_ENDS },
                 { "hybrid", "guest-suspend-hybrid", AGENT_SLEEPS } };
    const char *target = json_string_value (json_object_get (args, "target"));
    size_t way = 0;
    while (way < sizeof ways / sizeof *ways - 1 && !text_equals (target, ways[way].target))
        way++;
    if (json_integer_value (json_object_get (args, "duration")) != 0) {
        error_set (err, ERR_ARGUMENT_UNSUPPORTED,
                   "suspend domain '%s': not supported: a duration; it sleeps until it is woken, "
                   "as by dompmwakeup",
                   job->guest->name);
        return NULL;
    }
    if (!(ways[way].how & AGENT_ENDS) && check_wakes (job, err))
        return NULL;
    json_auto_t *done =
        qemu_agent_call (job, ways[way].execute, NULL, ways[way].how, POWER_MS, err);
    return done ? json_null () : NULL;
}

//  In ms; -1: it is none.
static int timeout_of (job_t *job, const json_t *args, unsigned *how, error_t *err)
{
    const json_t *given = json_object_get (args, "timeout");
    json_int_t seconds = given ? json_integer_value (given) : QEMU_AGENT_DEFAULT;
    *how = seconds == QEMU_AGENT_NOWAIT ? AGENT_UNHEARD : 0;
    if (seconds < QEMU_AGENT_BLOCK)
        return error_set (err, ERR_INVALID_ARG,
                          "agent command for domain '%s': %lld is no timeout; -2 is none at all",
                          job->guest->name, (long long) seconds);
    if (seconds == QEMU_AGENT_BLOCK || seconds > QEMU_AGENT_BLOCK_MS / 1000)
        return QEMU_AGENT_BLOCK_MS;
    return seconds > 0 ? (int) seconds * 1000 : COMMAND_MS;
}

static json_t *do_command (job_t *job, const json_t *args, error_t *err)
{
    unsigned how;
    json_error_t where = { .text = "it is no object" };
    const char *text = json_string_value (json_object_get (args, "command"));
    json_auto_t *command = json_loads (text, JSON_REJECT_DUPLICATES, &where);
    const char *execute = json_string_value (json_object_get (command, "execute"));
    if (!execute) {
        error_set (err, ERR_INVALID_ARG,
                   "agent command for domain '%s': %s; it is to be of the form "
                   "{\"execute\":\"guest-ping\"}",
                   job->guest->name, command ? "there is no \"execute\"" : where.text);
        return NULL;
    }
    int ms = timeout_of (job, args, &how, err);
    if (ms < 0)
        return NULL;
    json_t *result = job_agent (job, execute, json_incref (json_object_get (command, "arguments")),
                                how, ms, err);
    if (!result)
        return NULL;
    json_auto_t *answer = json_pack ("{s:o}", "return", result);
    autofree char *dumped = json_dumps (answer, JSON_COMPACT);
    return json_pack ("{s:s?}", "reply", how & AGENT_UNHEARD ? NULL : dumped);
}

static const struct {
    const char *what;
    json_t *(*run) (job_t *job, const json_t *args, error_t *err);
} table[] = {
    { "fs_info", qemu_agent_file_systems },
    { "fs_trim", qemu_agent_trim },
    { "guest_info", qemu_agent_info },
    { "hostname", qemu_agent_hostname },
    { "interfaces", qemu_agent_interfaces },
    { "time", qemu_agent_time },
    { "time_set", qemu_agent_set_time },
    { "vcpus", qemu_agent_vcpus },
    { "vcpus_set", qemu_agent_set_vcpus },
    { "password_set", qemu_agent_set_password },
    { "ssh_keys", qemu_agent_ssh_keys },
    { "ssh_keys_set", qemu_agent_set_ssh_keys },
    { "command", do_command },
    { "fs_freeze", do_freeze },
    { "fs_thaw", do_thaw },
    { "thaw", do_thaw_left },
    { "pm_suspend", do_suspend },
    { "shutdown", do_shutdown },
    { "reboot", do_reboot },
};

json_t *qemu_agent (job_t *job, const char *what, const json_t *args, error_t *err)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp (table[i].what, what) == 0)
            return table[i].run (job, args, err);
    error_set (err, ERR_INTERNAL_ERROR, "ask the agent of domain '%s': '%s' is not known",
               job->guest->name, what);
    return NULL;
}
