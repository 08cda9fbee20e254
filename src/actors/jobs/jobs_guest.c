//  jobs_guest.c: what is done with a guest. Each asks the driver, and says what is new.

#include "actors/jobs/jobs.h"

#include "drivers/state.h"
#include "util/text.h"

#include <strings.h>

enum {
    HOST_MS = 20000
};

int job_unsupported (const job_actor_t *self, const char *what, error_t *err)
{
    return error_set (err, ERR_NO_SUPPORT, "%s domain '%s': the driver '%s' cannot do that", what,
                      self->base.guest->name, self->driver->name);
}

int job_next_id (job_actor_t *self, error_t *err)
{
    auto(msg_t) msg = msg_request ("host.next_id");
    pack_key_str (msg_args (msg), "uuid", self->base.guest->uuid);
    pack_key_bool (msg_args (msg), "loading", self->kind->run == job_run_load);
    auto(msg_t) reply = NULL;
    if (job_ask (self, "host", &msg, HOST_MS, &reply, err))
        return -1;
    self->base.guest->id = (int) value_get_i64 (msg_value (reply), "id", -1);
    return 0;
}

//  What came with the request is what is started, whatever the domain's own definition says. What a
//  managed save has would then belong to disks that went on.
static int take_given (job_actor_t *self, bool saved, error_t *err)
{
    guest_t *guest = self->base.guest;
    const char *given = value_str (job_arg (self, "definition"));
    if (!given)
        return 0;
    if (saved)
        return error_set (err, ERR_OPERATION_INVALID,
                          "create domain '%s': it has a managed save; start it, which restores it, "
                          "or remove that first",
                          guest->name);
    auto(xml_t) doc = xml_parse_own (given, strlen (given), "domain XML", err);
    if (!doc)
        return -1;
    xml_destroy (&guest->definition);
    guest->definition = take (&doc);
    return 0;
}

int job_run_start (job_actor_t *self, error_t *err)
{
    guest_t *guest = self->base.guest;
    bool paused = value_bool (job_arg (self, "paused"), false), saved;
    autofree char *managed = job_managed_save (self, &saved);
    if (take_given (self, saved, err))
        return -1;
    bool dropped = saved && value_bool (job_arg (self, "force_boot"), false);
    if (dropped && job_remove_file (&self->base, managed, err))
        return -1;
    job_tell_managed_save (self);
    if (saved && !dropped)
        return job_restore_managed (self, managed, paused, err);
    if (job_next_id (self, err) ||
        self->driver->start (&self->base, paused ? START_PAUSED : 0, err))
        return -1;
    guest->status = paused ? (guest_status_t){ STATE_PAUSED, PAUSED_USER }
                           : (guest_status_t){ STATE_RUNNING, RUNNING_BOOTED };
    self->parts = PART_LIVE | PART_STATUS;
    return 0;
}

static shutdown_mode_t mode_of (const job_actor_t *self)
{
    static const struct {
        const char *name;
        shutdown_mode_t mode;
    } modes[] = {
        { "agent", SHUTDOWN_AGENT },
        { "initctl", SHUTDOWN_INITCTL },
        { "signal", SHUTDOWN_SIGNAL },
    };
    const char *mode = value_str (job_arg (self, "mode"));
    if (!mode)
        return SHUTDOWN_DEFAULT;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (strcmp (modes[i].name, mode) == 0)
            return modes[i].mode;
    return SHUTDOWN_ACPI;
}

int job_run_shutdown (job_actor_t *self, error_t *err)
{
    if (!self->driver->shutdown)
        return job_unsupported (self, "shut down", err);
    self->parts = PART_LIVE;
    return self->driver->shutdown (&self->base, mode_of (self), err);
}

int job_run_reboot (job_actor_t *self, error_t *err)
{
    if (!self->driver->reboot)
        return job_unsupported (self, "reboot", err);
    self->parts = PART_LIVE;
    return self->driver->reboot (&self->base, mode_of (self), err);
}

int job_run_reset (job_actor_t *self, error_t *err)
{
    if (!self->driver->reset)
        return job_unsupported (self, "reset", err);
    self->parts = PART_RECORD;
    return self->driver->reset (&self->base, err);
}

int job_run_restart (job_actor_t *self, error_t *err)
{
    self->parts = PART_LIVE | PART_STATUS;
    return self->driver->restart (&self->base, err);
}

int job_run_suspend (job_actor_t *self, error_t *err)
{
    if (!self->driver->suspend)
        return job_unsupported (self, "suspend", err);
    if (self->driver->suspend (&self->base, err))
        return -1;
    self->base.guest->status = (guest_status_t){ STATE_PAUSED, PAUSED_USER };
    self->parts = PART_RECORD | PART_STATUS;
    return 0;
}

int job_run_resume (job_actor_t *self, error_t *err)
{
    guest_t *guest = self->base.guest;
    bool asleep = guest->status.state == STATE_PMSUSPENDED;
    if (!self->driver->resume)
        return job_unsupported (self, "resume", err);
    if (self->driver->resume (&self->base, err))
        return -1;
    guest->status = (guest_status_t){ STATE_RUNNING, asleep ? RUNNING_WAKEUP : RUNNING_UNPAUSED };
    self->parts = PART_RECORD | PART_STATUS;
    return 0;
}

//  Also cleans up behind a guest that ended by itself.
int job_run_destroy (job_actor_t *self, error_t *err)
{
    bool graceful = value_bool (job_arg (self, "graceful"), false);
    return self->driver->destroy (&self->base, graceful, err);
}

int job_run_usage (job_actor_t *self, error_t *err)
{
    guest_info_t info = { 0 };
    if (!self->driver->info)
        return job_unsupported (self, "measure", err);
    if (self->driver->info (&self->base, &info, err))
        return -1;
    pack_t *pack = &self->value;
    pack_map (pack);
    pack_key_u64 (pack, "cpu_ns", info.cpu_ns);
    pack_key_u64 (pack, "memory_kib", info.memory_kib);
    pack_key_u64 (pack, "rss_kib", info.rss_kib);
    pack_key_i64 (pack, "measured_us", actor_wall_clock (self->actor));
    pack_key_bool (pack, "stale", false);
    pack_end (pack);
    return 0;
}

static void pack_stats (pack_t *pack, json_t *stats)
{
    const char *name;
    json_t *value;
    pack_key_map (pack, "stats");
    json_object_foreach (stats, name, value)
    {
        if (json_is_integer (value))
            pack_key_i64 (pack, name, json_integer_value (value));
        else if (json_is_string (value))
            pack_key_str (pack, name, json_string_value (value));
        else if (json_is_boolean (value))
            pack_key_bool (pack, name, json_is_true (value));
    }
    pack_end (pack);
}

int job_run_stats (job_actor_t *self, error_t *err)
{
    json_auto_t *stats = json_object ();
    if (!self->driver->stats)
        return job_unsupported (self, "measure", err);
    if (self->driver->stats (&self->base, stats, err))
        return -1;
    pack_map (&self->value);
    pack_stats (&self->value, stats);
    pack_key_i64 (&self->value, "measured_us", actor_wall_clock (self->actor));
    pack_key_bool (&self->value, "stale", false);
    pack_end (&self->value);
    return 0;
}

int job_run_monitor_command (job_actor_t *self, error_t *err)
{
    autofree char *answer = NULL;
    bool human = value_bool (job_arg (self, "hmp"), false);
    bool raw = value_bool (job_arg (self, "raw"), false);
    if (!self->driver->monitor_command)
        return job_unsupported (self, "pass a monitor command to", err);
    if (job_lent (self, 1))
        return error_set (err, ERR_ARGUMENT_UNSUPPORTED,
                          "monitor command for domain '%s': QEMU's commands take one descriptor "
                          "each",
                          self->base.guest->name);
    if (self->driver->monitor_command (&self->base, value_str (job_arg (self, "command")),
                                       (human ? MONITOR_HUMAN : 0u) | (raw ? MONITOR_RAW : 0u),
                                       job_lent (self, 0), &answer, err))
        return -1;
    pack_map (&self->value);
    pack_key_str (&self->value, "reply", answer);
    pack_end (&self->value);
    return 0;
}

static json_t *list_texts (const value_t *list)
{
    json_t *array = json_array ();
    for (size_t i = 0; i < value_count (list); i++)
        json_array_append_new (array, json_string (value_str (value_at (list, i))));
    return array;
}

int job_run_enter (job_actor_t *self, error_t *err)
{
    autofree char *socket = NULL, *ticket = NULL;
    const value_t *argv = job_arg (self, "argv");
    if (!self->driver->enter)
        return job_unsupported (self, "enter", err);
    if (value_count (argv) == 0)
        return error_set (err, ERR_INVALID_ARG, "enter domain '%s': argv is empty; name a program",
                          self->base.guest->name);
    if (self->driver->enter (&self->base, list_texts (argv), &socket, &ticket, err))
        return -1;
    pack_map (&self->value);
    pack_key_str (&self->value, "socket", socket);
    pack_key_str (&self->value, "ticket", ticket);
    pack_end (&self->value);
    return 0;
}

//  virDomainProcessSignal: the numbers are Linux's.
static int signal_number (const char *text)
{
    static const char *const names[] = {
        "nop",  "hup",  "int",  "quit", "ill",    "trap",   "abrt",  "bus",  "fpe",  "kill", "usr1",
        "segv", "usr2", "pipe", "alrm", "term",   "stkflt", "chld",  "cont", "stop", "tstp", "ttin",
        "ttou", "urg",  "xcpu", "xfsz", "vtalrm", "prof",   "winch", "poll", "pwr",  "sys",
    };
    enum {
        COUNT = sizeof names / sizeof *names,
        LAST = 64
    };
    uint64_t number;
    if (text_to_u64 (text, &number))
        return number <= LAST ? (int) number : -1;
    text += strncasecmp (text, "sig", 3) == 0 ? 3 : 0;
    text += *text == '_';
    for (int i = 0; i < COUNT; i++)
        if (strcasecmp (text, names[i]) == 0)
            return i;
    if (strncasecmp (text, "rt", 2) == 0 && text_to_u64 (text + 2, &number) &&
        number <= LAST - COUNT)
        return COUNT + (int) number;
    return -1;
}

int job_run_send_signal (job_actor_t *self, error_t *err)
{
    const char *text = value_str (job_arg (self, "signal"));
    int64_t pid = 0;
    int number = signal_number (text);
    if (!self->driver->signal)
        return job_unsupported (self, "send a signal into", err);
    if (number < 0)
        return error_set (
            err, ERR_INVALID_ARG,
            "send a signal to domain '%s': there is no signal '%s'; it is a number up "
            "to 64, or a name as kill or sigterm",
            self->base.guest->name, text);
    if (!value_i64 (job_arg (self, "pid"), &pid) || pid < 1)
        return error_set (err, ERR_INVALID_ARG,
                          "send a signal to domain '%s': %lld is no process: the first is 1, and "
                          "groups of processes are not supported",
                          self->base.guest->name, (long long) pid);
    return self->driver->signal (&self->base, pid, number, err);
}
