//  job_ops.c: see job_ops.h.

#include "actors/jobs/job_ops.h"

#include "actors/services/disk_request.h"
#include "actors/domain/domain_files.h"
#include "actors/jobs/job_devices.h"
#include "actors/jobs/job_links.h"
#include "actors/jobs/job_ports.h"
#include "actors/monitor/monitor.h"
#include "actors/monitor/qmp.h"
#include "util/text.h"

enum {
    DISK_MS = 60000,
    SPAWN_MS = 30000,
    KILL_MS = 5000,
    ASK_MS = 50,
    EMULATOR_MS = 60000,
    MONITOR_CLOSE_MS = 5000,
    AGENT_SLACK_MS = 2000 //  the agent's own error says more
};

static job_actor_t *actor_of (job_t *job)
{
    return (job_actor_t *) job;
}

static int64_t op_now (job_t *job)
{
    return actor_now (actor_of (job)->actor);
}

static void op_random (job_t *job, void *bytes, size_t size)
{
    actor_random (actor_of (job)->actor, bytes, size);
}

static int op_wait (job_t *job, int ms, error_t *err)
{
    job_actor_t *self = actor_of (job);
    int64_t until = actor_now (self->actor) + ms;
    while (actor_now (self->actor) < until) {
        if (job_check_cancelled (self, err))
            return -1;
        actor_step (self->actor, until);
    }
    return job_check_cancelled (self, err);
}

static int op_undo (job_t *job, const char *kind, const char *argument, error_t *err)
{
    if (job_check_cancelled (actor_of (job), err))
        return -1;
    job_push_undo (actor_of (job), kind, argument);
    return 0;
}

void job_pack_undo (pack_t *pack, zlistx_t *undo)
{
    pack_key_array (pack, "undo");
    for (undo_entry_t *entry = zlistx_first (undo); entry; entry = zlistx_next (undo)) {
        pack_array (pack);
        pack_str (pack, entry->kind);
        pack_str (pack, entry->argument);
        pack_end (pack);
    }
    pack_end (pack);
}

static int op_record (job_t *job, error_t *err)
{
    job_actor_t *self = actor_of (job);
    auto(msg_t) msg = msg_request ("job.record");
    pack_t *pack = msg_args (msg);
    autofree char *live = job->guest->live ? xml_text (job->guest->live) : NULL;
    autofree char *record = job->guest->record ? xml_text (job->guest->record) : NULL;
    autofree char *backup = job->guest->backup ? xml_text (job->guest->backup) : NULL;
    pack_key_str (pack, "live", live);
    pack_key_str (pack, "record", record);
    pack_key_str (pack, "backup", backup);
    pack_key_i64 (pack, "id", job->guest->id);
    pack_key_i64 (pack, "state", job->guest->status.state);
    pack_key_i64 (pack, "reason", job->guest->status.reason);
    job_pack_undo (pack, self->undo);
    return job_tell (self, self->owner, &msg, DISK_MS, err);
}

static int op_commit (job_t *job, error_t *err)
{
    job_actor_t *self = actor_of (job);
    zlistx_t *kept = self->undo;
    self->undo = job_undo_new ();
    self->committed = true;
    int rc = op_record (job, err);
    //  What is not durable did not happen.
    zlistx_t **unused = rc ? &self->undo : &kept;
    zlistx_destroy (unused);
    if (rc)
        self->undo = kept;
    self->committed = rc == 0;
    return rc;
}

static int op_finish (job_t *job, error_t *err)
{
    job_actor_t *self = actor_of (job);
    auto(msg_t) msg = msg_request ("job.finish");
    autofree char *backup = job->guest->backup ? xml_text (job->guest->backup) : NULL;
    pack_key_str (msg_args (msg), "backup", backup);
    self->committed = true;
    int rc = job_tell (self, self->owner, &msg, DISK_MS, err);
    self->committed = rc == 0;
    return rc;
}

//  Processes.

static void pack_strings (pack_t *pack, const char *key, const char *const *strings)
{
    pack_key_array (pack, key);
    for (; strings && *strings; strings++)
        pack_str (pack, *strings);
    pack_end (pack);
}

static void pack_listen (pack_t *pack, const spawn_t *spawn)
{
    pack_key_array (pack, "listen");
    for (size_t i = 0; i < sizeof spawn->listen / sizeof *spawn->listen; i++) {
        if (!spawn->listen[i].path)
            break;
        pack_map (pack);
        pack_key_str (pack, "path", spawn->listen[i].path);
        pack_key_i64 (pack, "fd", spawn->listen[i].fd);
        pack_end (pack);
    }
    pack_end (pack);
}

static int read_process (const msg_t *reply, process_t *process, error_t *err)
{
    const char *text = value_get_str (msg_value (reply), "process");
    if (text && process_from_text (text, process))
        return 0;
    return error_set (err, ERR_INTERNAL_ERROR, "the spawner returned no process");
}

static int op_spawn (job_t *job, const spawn_t *spawn, process_t *process, error_t *err)
{
    job_actor_t *self = actor_of (job);
    auto(msg_t) msg = msg_request ("process.spawn");
    pack_t *pack = msg_args (msg);
    pack_strings (pack, "argv", spawn->argv);
    pack_strings (pack, "env", spawn->env);
    pack_key_str (pack, "folder", spawn->folder);
    pack_key_str (pack, "log", spawn->log);
    pack_key_u64 (pack, "uid", spawn->uid);
    pack_key_u64 (pack, "gid", spawn->gid);
    pack_key_bool (pack, "drop_capabilities", spawn->drop_capabilities);
    pack_key_bool (pack, "privileged", spawn->privileged);
    pack_key_bool (pack, "tied", spawn->tied);
    pack_strings (pack, "cgroups", spawn->cgroups);
    pack_key_u64 (pack, "memlock_bytes", spawn->memlock_bytes);
    pack_listen (pack, spawn);
    pack_strings (pack, "devices", spawn->devices);
    pack_key_str (pack, "owner", job->guest ? self->owner : "");
    auto(msg_t) reply = NULL;
    if (job_ask (self, "spawner", &msg, SPAWN_MS, &reply, err))
        return -1;
    return read_process (reply, process, err);
}

static msg_t *process_request (const char *verb, const process_t *process)
{
    char text[96];
    process_to_text (process, text);
    msg_t *msg = msg_request (verb);
    pack_key_str (msg_args (msg), "process", text);
    return msg;
}

static int op_go (job_t *job, const process_t *process, error_t *err)
{
    auto(msg_t) msg = process_request ("process.go", process);
    return job_tell (actor_of (job), "spawner", &msg, SPAWN_MS, err);
}

static int op_kill (job_t *job, const process_t *process, int signal, error_t *err)
{
    auto(msg_t) msg = process_request ("process.kill", process);
    pack_key_i64 (msg_args (msg), "signal", signal);
    return job_tell (actor_of (job), "spawner", &msg, KILL_MS, err);
}

//  With a deadline of now the switchboard would answer before the spawner hears of it.
static int op_wait_exit (job_t *job, const process_t *process, int ms, error_t *err)
{
    auto(msg_t) msg = process_request ("process.wait", process);
    return job_tell (actor_of (job), "spawner", &msg, ms > ASK_MS ? ms : ASK_MS, err);
}

static int op_run (job_t *job, const process_t *process, int ms, int *code, error_t *err)
{
    auto(msg_t) msg = process_request ("process.go", process);
    pack_key_bool (msg_args (msg), "wait", true);
    auto(msg_t) reply = NULL;
    if (job_ask (actor_of (job), "spawner", &msg, ms, &reply, err))
        return -1;
    *code = (int) value_get_i64 (msg_value (reply), "code", -1);
    return 0;
}

static int op_watch_exit (job_t *job, const process_t *process, error_t *err)
{
    auto(msg_t) msg = process_request ("process.watch", process);
    pack_key_str (msg_args (msg), "owner", actor_of (job)->owner);
    return job_tell (actor_of (job), "spawner", &msg, KILL_MS, err);
}

//  Monitor.

//  Returns when the connection has ended, so that the next one finds its address free.
static int op_monitor_close (job_t *job, error_t *err)
{
    job_actor_t *self = actor_of (job);
    auto(msg_t) msg = msg_request ("monitor.close");
    actor_send (self->actor, self->monitor, &msg);
    return job_await_end (self, self->monitor, MONITOR_CLOSE_MS, err);
}

//  An earlier connection may still be there: to a QEMU that just ended, or of an adoption that was
//  cancelled.
//  An emulator that is probed has no domain, and no driver.
static const char *monitor_name (const job_actor_t *self)
{
    return self->driver ? self->driver->monitor : "QEMU";
}

static int op_monitor_open (job_t *job, const char *path, int ms, error_t *err)
{
    job_actor_t *self = actor_of (job);
    if (op_monitor_close (job, err))
        return -1;
    auto(msg_t) args = msg_request ("start");
    pack_t *pack = msg_args (args);
    config_pack (self->config, pack);
    pack_key_str (pack, "path", path);
    pack_key_str (pack, "who", monitor_name (self));
    pack_key_str (pack, "owner", job->guest ? self->owner : "");
    pack_key_i64 (pack, "deadline_ms", ms);
    void *arg;
    actor_reply_fn *on_reply = job_expect (self, &arg);
    actor_spawn (self->actor, self->monitor, &monitor_class, &args, false, ms + 1000, on_reply,
                 arg);
    return job_await (self, NULL, err);
}

static void pack_file (pack_t *pack, const job_file_t *file)
{
    pack_key_str (pack, "path", file->path);
    pack_key_str (pack, "device", file->device);
    pack_key_bool (pack, "write", file->write);
    pack_key_u64 (pack, "offset", file->offset);
}

static char *command_text (const char *execute, json_t *arguments)
{
    json_auto_t *command = json_pack ("{s:s, s:o*}", "execute", execute, "arguments", arguments);
    return json_dumps (command, JSON_COMPACT);
}

//  Did the other side end before it answered? A driver takes this code for the job's cancelling.
static bool has_ended (const job_actor_t *self, const error_t *err)
{
    error_t cancelled;
    return err->code == ERR_OPERATION_ABORTED && job_check_cancelled (self, &cancelled) == 0;
}

//  An operator knows the domain, not its monitor's address.
static void name_guest (const job_actor_t *self, const char *execute, int ms, error_t *err)
{
    const guest_t *guest = self->base.guest;
    autofree char *who = guest ? text_format ("%s of domain '%s'", monitor_name (self), guest->name)
                               : text_copy (monitor_name (self));
    size_t size = strlen (self->monitor);
    if (err->code == ERR_OPERATION_TIMEOUT)
        error_set (err, ERR_OPERATION_TIMEOUT,
                   "%s did not answer '%s' within %d ms: it hangs, or its process is stopped", who,
                   execute, ms);
    else if (has_ended (self, err))
        error_set (err, ERR_OPERATION_FAILED, "%s ended before it answered '%s'", who, execute);
    else if (err->code == ERR_OPERATION_INVALID)
        error_set (err, ERR_OPERATION_INVALID,
                   "%s could not be told '%s': it ended, or does not respond", who, execute);
    else if (guest && text_starts (err->message, self->monitor) &&
             text_starts (err->message + size, ": "))
        memmove (err->message, err->message + size + 2, strlen (err->message + size + 2) + 1);
}

static json_t *op_qmp_file (job_t *job, const char *execute, json_t *arguments,
                            const job_file_t *file, int ms, error_t *err)
{
    job_actor_t *self = actor_of (job);
    const char *who = monitor_name (self);
    autofree char *text = command_text (execute, arguments);
    auto(msg_t) msg = msg_request ("qmp");
    pack_key_str (msg_args (msg), "command", text);
    if (file)
        pack_file (msg_args (msg), file);
    auto(msg_t) reply = NULL;
    if (job_ask (self, self->monitor, &msg, ms, &reply, err)) {
        name_guest (self, execute, ms, err);
        return NULL;
    }
    const char *json = value_get_str (msg_value (reply), "json");
    return qmp_result (json ? json : "", who, execute, err);
}

static json_t *op_qmp (job_t *job, const char *execute, json_t *arguments, int ms, error_t *err)
{
    return op_qmp_file (job, execute, arguments, NULL, ms, err);
}

static device_fate_t fate_of (const job_actor_t *self, const char *alias)
{
    static const char *const words[] = { [FATE_GONE] = "gone", [FATE_REFUSED] = "refused" };
    for (device_fate_t fate = FATE_GONE; fate <= FATE_REFUSED; fate++) {
        autofree char *told = text_format ("%s %s", words[fate], alias);
        if (strings_contain (self->fates, told))
            return fate;
    }
    return FATE_UNKNOWN;
}

static int op_wait_device (job_t *job, const char *alias, int ms, device_fate_t *fate, error_t *err)
{
    job_actor_t *self = actor_of (job);
    int64_t until = actor_now (self->actor) + ms;
    while ((*fate = fate_of (self, alias)) == FATE_UNKNOWN && actor_now (self->actor) < until) {
        if (job_check_cancelled (self, err))
            return -1;
        actor_step (self->actor, until);
    }
    return job_check_cancelled (self, err);
}

//  Agent.

static json_t *agent_result (job_t *job, const msg_t *reply, const char *execute, error_t *err)
{
    const char *json = value_get_str (msg_value (reply), "json");
    if (json && strcmp (json, "{}") == 0)
        return json_object ();
    json_t *result =
        qmp_return (json ? json : "", "the guest agent", execute, ERR_AGENT_COMMAND_FAILED, err);
    if (!result)
        error_prefix (err, "domain '%s'", job->guest->name);
    return result;
}

static json_t *op_agent (job_t *job, const char *execute, json_t *arguments, unsigned how, int ms,
                         error_t *err)
{
    job_actor_t *self = actor_of (job);
    autofree char *text = command_text (execute, arguments);
    autofree char *address = text_format ("agent/%s", job->guest->uuid);
    auto(msg_t) msg = msg_request ("agent");
    pack_t *pack = msg_args (msg);
    pack_key_str (pack, "command", text);
    pack_key_i64 (pack, "ms", ms);
    pack_key_bool (pack, "ends", how & AGENT_ENDS);
    pack_key_bool (pack, "sleeps", how & AGENT_SLEEPS);
    pack_key_bool (pack, "unheard", how & AGENT_UNHEARD);
    auto(msg_t) reply = NULL;
    if (job_ask (self, address, &msg, ms + AGENT_SLACK_MS, &reply, err) == 0)
        return agent_result (job, reply, execute, err);
    //  Nobody is there, or not any more.
    if (err->code == ERR_OPERATION_INVALID || has_ended (self, err))
        error_set (err, ERR_AGENT_UNRESPONSIVE, "the guest agent is not connected");
    error_prefix (err, "domain '%s': %s", job->guest->name, execute);
    return NULL;
}

static char *op_emulator (job_t *job, const char *path, error_t *err)
{
    auto(msg_t) msg = msg_request ("emulator.get");
    pack_key_str (msg_args (msg), "path", path);
    auto(msg_t) reply = NULL;
    if (job_ask (actor_of (job), "emulators", &msg, EMULATOR_MS, &reply, err))
        return NULL;
    return text_copy (value_get_str (msg_value (reply), "capabilities"));
}

//  Files.

//  It can't be called off once the disk actor has it: undo, which looks at files, would look before
//  it is there, and take it for not written.
static int disk_write (job_t *job, const char *path, const char *text, error_t *err)
{
    job_actor_t *self = actor_of (job);
    char disk[MSG_ADDRESS_MAX];
    if (job_check_cancelled (self, err))
        return -1;
    disk_address (job->guest ? job->guest->uuid : path, disk);
    auto(msg_t) msg = disk_request ();
    disk_add_file (msg, path, text);
    self->writing = true;
    int rc = job_tell (self, disk, &msg, DISK_MS, err);
    self->writing = false;
    return rc;
}

static int op_write_file (job_t *job, const char *path, const char *text, error_t *err)
{
    return disk_write (job, path, text, err);
}

static int op_remove_file (job_t *job, const char *path, error_t *err)
{
    return disk_write (job, path, NULL, err);
}

static int op_write_definition (job_t *job, error_t *err)
{
    const job_actor_t *self = actor_of (job);
    const guest_t *guest = job->guest;
    if (self->transient || !guest->definition)
        return 0;
    autofree char *text = xml_text (guest->definition);
    autofree char *path =
        domain_path (self->config->paths, self->driver, guest->uuid, FILE_DEFINITION);
    return disk_write (job, path, text, err);
}

static void op_progress (job_t *job, const job_progress_t *progress)
{
    job_actor_t *self = actor_of (job);
    auto(msg_t) msg = msg_request ("job.progress");
    pack_t *pack = msg_args (msg);
    pack_key_str (pack, "step", progress->step);
    pack_key_u64 (pack, "done", progress->processed);
    pack_key_u64 (pack, "total", progress->total);
    pack_key_u64 (pack, "remaining", progress->remaining);
    pack_key_u64 (pack, "rate", progress->rate);
    pack_key_u64 (pack, "dirty_rate", progress->dirty_rate);
    pack_key_u64 (pack, "elapsed_ms", progress->elapsed_ms);
    pack_key_u64 (pack, "passes", progress->passes);
    actor_send (self->actor, self->owner, &msg);
}

static void op_written (job_t *job, bool status)
{
    job_actor_t *self = actor_of (job);
    auto(msg_t) msg = msg_request ("job.written");
    if (status) {
        pack_key_i64 (msg_args (msg), "state", job->guest->status.state);
        pack_key_i64 (msg_args (msg), "reason", job->guest->status.reason);
    }
    actor_send (self->actor, self->owner, &msg);
}

static void op_log (job_t *job, const char *text)
{
    actor_log (actor_of (job)->actor, LEVEL_INFO, "%s", text);
}

const job_ops_t job_actor_ops = { .now = op_now,
                                  .random = op_random,
                                  .wait = op_wait,
                                  .undo = op_undo,
                                  .record = op_record,
                                  .commit = op_commit,
                                  .finish = op_finish,
                                  .spawn = op_spawn,
                                  .go = op_go,
                                  .kill = op_kill,
                                  .wait_exit = op_wait_exit,
                                  .run = op_run,
                                  .watch_exit = op_watch_exit,
                                  .monitor_open = op_monitor_open,
                                  .monitor_close = op_monitor_close,
                                  .qmp = op_qmp,
                                  .qmp_file = op_qmp_file,
                                  .agent = op_agent,
                                  .wait_device = op_wait_device,
                                  .emulator = op_emulator,
                                  .write_file = op_write_file,
                                  .remove_file = op_remove_file,
                                  .write_definition = op_write_definition,
                                  .link_create = job_links_create,
                                  .link_set = job_links_set,
                                  .link_get = job_links_get,
                                  .link_find = job_links_find,
                                  .link_take = job_links_take,
                                  .link_delete = job_links_delete,
                                  .link_address = job_links_address,
                                  .link_route = job_links_route,
                                  .link_bandwidth = job_links_bandwidth,
                                  .link_claim = job_links_claim,
                                  .link_release = job_links_release,
                                  .domain = job_ports_domain,
                                  .network = job_ports_network,
                                  .device_take = job_devices_take,
                                  .device_check = job_devices_check,
                                  .device_hold = job_devices_hold,
                                  .device_leave = job_devices_leave,
                                  .device_give = job_devices_give,
                                  .port_create = job_ports_create,
                                  .port_delete = job_ports_delete,
                                  .progress = op_progress,
                                  .written = op_written,
                                  .log = op_log };
