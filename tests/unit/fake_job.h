//  fake_job.h: a job for tests of drivers: it does nothing, writes each call down as one line
//  ("undo file /x"), and answers as the test says.

#ifndef TROUPE_FAKE_JOB_H
#define TROUPE_FAKE_JOB_H

#include "drivers/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *execute; //  or with its arguments: "stop {...}"
    const char *reply;   //  JSON of QMP's "return", or "!message" for an error
} fake_reply_t;

typedef struct {
    char kind[32], argument[512];
} fake_undo_t;

typedef struct {
    job_t job; //  first: a job_t * is a fake_job_t *
    paths_t paths;
    guest_t guest;
    char trace[32768];
    const fake_reply_t *replies; //  execute NULL at the end; what is missing is answered with {}
    const char *caps;            //  what job_emulator gives
    const char *fail;            //  the call whose line starts with this fails
    error_code_t fail_code;      //  with this code (ERR_OPERATION_FAILED if none)
    process_t process;           //  what job_spawn gives
    int code;                    //  with which what job_run runs ends
    fake_undo_t undos[32];       //  pushed and not undone (real_unwind)
    size_t undo_count;
    device_fate_t fate;      //  what is told of each device that is to go
    unsigned agent_how;      //  as the agent was asked last, and for how long
    int agent_ms, qmp_ms;    //  of the last command
    job_progress_t progress; //  the last that was told
    uint8_t next_random;
    int64_t now;
} fake_job_t;

static inline int fake_note (job_t *self, error_t *err, const char *call, const char *argument)
{
    fake_job_t *fake = (fake_job_t *) self;
    char line[4096];
    snprintf (line, sizeof line, "%s%s%s\n", call, *argument ? " " : "", argument);
    size_t used = strlen (fake->trace);
    snprintf (fake->trace + used, sizeof fake->trace - used, "%s", line);
    if (fake->fail && strncmp (line, fake->fail, strlen (fake->fail)) == 0)
        return error_set (err, fake->fail_code ? fake->fail_code : ERR_OPERATION_FAILED,
                          "the test lets '%s' fail", call);
    return 0;
}

static inline int64_t fake_now (job_t *self)
{
    return ((fake_job_t *) self)->now;
}

static inline void fake_random (job_t *self, void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((uint8_t *) bytes)[i] = ++((fake_job_t *) self)->next_random;
}

static inline int fake_wait (job_t *self, int ms, error_t *err)
{
    ((fake_job_t *) self)->now += ms;
    return fake_note (self, err, "wait", "");
}

static inline int fake_undo (job_t *self, const char *kind, const char *argument, error_t *err)
{
    fake_job_t *fake = (fake_job_t *) self;
    char line[512];
    snprintf (line, sizeof line, "undo %s", kind);
    if (fake_note (self, err, line, argument))
        return -1;
    if (fake->undo_count == sizeof fake->undos / sizeof *fake->undos)
        abort ();
    fake_undo_t *entry = &fake->undos[fake->undo_count++];
    snprintf (entry->kind, sizeof entry->kind, "%s", kind);
    snprintf (entry->argument, sizeof entry->argument, "%s", argument);
    return 0;
}

static inline int fake_record (job_t *self, error_t *err)
{
    return fake_note (self, err, "record", "");
}

static inline int fake_commit (job_t *self, error_t *err)
{
    if (fake_note (self, err, "commit", ""))
        return -1;
    ((fake_job_t *) self)->undo_count = 0;
    return 0;
}

static inline int fake_finish (job_t *self, error_t *err)
{
    return fake_note (self, err, "finish", "");
}

static inline int fake_spawn (job_t *self, const spawn_t *spawn, process_t *process, error_t *err)
{
    *process = ((fake_job_t *) self)->process;
    return fake_note (self, err, "spawn", spawn->argv[0]);
}

static inline int fake_go (job_t *self, const process_t *process, error_t *err)
{
    (void) process;
    return fake_note (self, err, "go", "");
}

static inline int fake_kill (job_t *self, const process_t *process, int signal, error_t *err)
{
    char line[64];
    snprintf (line, sizeof line, "%d %d", (int) process->pid, signal);
    return fake_note (self, err, "kill", line);
}

static inline int fake_wait_exit (job_t *self, const process_t *process, int ms, error_t *err)
{
    (void) ms;
    char line[64];
    snprintf (line, sizeof line, "%d", (int) process->pid);
    return fake_note (self, err, "wait_exit", line);
}

static inline int fake_run (job_t *self, const process_t *process, int ms, int *code, error_t *err)
{
    (void) process;
    (void) ms;
    *code = ((fake_job_t *) self)->code;
    return fake_note (self, err, "run", "");
}

static inline int fake_watch_exit (job_t *self, const process_t *process, error_t *err)
{
    char line[64];
    snprintf (line, sizeof line, "%d", (int) process->pid);
    return fake_note (self, err, "watch_exit", line);
}

static inline int fake_monitor_open (job_t *self, const char *path, int ms, error_t *err)
{
    (void) ms;
    return fake_note (self, err, "monitor_open", path);
}

static inline int fake_monitor_close (job_t *self, error_t *err)
{
    return fake_note (self, err, "monitor_close", "");
}

//  CALL is "qmp" or "agent".
static inline json_t *fake_ask (job_t *self, const char *call, const char *execute,
                                json_t *arguments, error_code_t refused, error_t *err)
{
    char line[2048];
    char *text = arguments ? json_dumps (arguments, JSON_COMPACT) : NULL;
    snprintf (line, sizeof line, "%s%s%s", execute, text ? " " : "", text ? text : "");
    free (text);
    json_decref (arguments);
    if (fake_note (self, err, call, line))
        return NULL;
    const fake_reply_t *reply = ((fake_job_t *) self)->replies;
    while (reply && reply->execute && strcmp (reply->execute, execute) != 0 &&
           strcmp (reply->execute, line) != 0)
        reply++;
    if (!reply || !reply->execute)
        return json_object ();
    if (reply->reply[0] == '!')
        error_set (err, refused, "%s", reply->reply + 1);
    return reply->reply[0] == '!' ? NULL : json_loads (reply->reply, JSON_DECODE_ANY, NULL);
}

static inline json_t *fake_qmp (job_t *self, const char *execute, json_t *arguments, int ms,
                                error_t *err)
{
    ((fake_job_t *) self)->qmp_ms = ms;
    return fake_ask (self, "qmp", execute, arguments, ERR_OPERATION_FAILED, err);
}

static inline json_t *fake_agent (job_t *self, const char *execute, json_t *arguments, unsigned how,
                                  int ms, error_t *err)
{
    ((fake_job_t *) self)->agent_how = how;
    ((fake_job_t *) self)->agent_ms = ms;
    return fake_ask (self, "agent", execute, arguments, ERR_AGENT_COMMAND_FAILED, err);
}

static inline json_t *fake_qmp_file (job_t *self, const char *execute, json_t *arguments,
                                     const job_file_t *file, int ms, error_t *err)
{
    char line[512];
    snprintf (line, sizeof line, "%s from %llu", file->path ? file->path : file->device,
              (unsigned long long) file->offset);
    if (fake_note (self, err, "file", line)) {
        json_decref (arguments);
        return NULL;
    }
    return self->ops->qmp (self, execute, arguments, ms, err);
}

static inline int fake_wait_device (job_t *self, const char *alias, int ms, device_fate_t *fate,
                                    error_t *err)
{
    *fate = ((fake_job_t *) self)->fate;
    ((fake_job_t *) self)->now += ms;
    return fake_note (self, err, "wait_device", alias);
}

static inline char *fake_emulator (job_t *self, const char *path, error_t *err)
{
    fake_job_t *fake = (fake_job_t *) self;
    if (fake_note (self, err, "emulator", path))
        return NULL;
    return strdup (fake->caps ? fake->caps : "");
}

static inline int fake_write_file (job_t *self, const char *path, const char *text, error_t *err)
{
    (void) text;
    return fake_note (self, err, "write_file", path);
}

static inline int fake_remove_file (job_t *self, const char *path, error_t *err)
{
    return fake_note (self, err, "remove_file", path);
}

static inline int fake_write_definition (job_t *self, error_t *err)
{
    return fake_note (self, err, "write_definition", "");
}

static inline void fake_progress (job_t *self, const job_progress_t *progress)
{
    ((fake_job_t *) self)->progress = *progress;
}

static inline void fake_written (job_t *self, bool status)
{
    error_t ignored;
    fake_note (self, &ignored, "written", status ? "status" : "");
}

static inline void fake_log (job_t *self, const char *text)
{
    error_t ignored;
    fake_note (self, &ignored, "log", text);
}

//  Links: named after their template, numbered from 10; every link that is looked for is a bridge.
static inline void fake_link (link_t *link, const char *name, const char *kind)
{
    *link = (link_t){ .ifindex = 10, .mtu = 1400 };
    snprintf (link->kind, sizeof link->kind, "%s", kind);
    snprintf (link->name, sizeof link->name, "%.*s0", (int) strcspn (name, "%"), name);
}

static inline int fake_link_create (job_t *self, const char *key, const link_spec_t *spec,
                                    link_t *link, error_t *err)
{
    char text[256];
    snprintf (text, sizeof text, "%s %s '%s' mac %s mtu %u master '%s' lower '%s'%s", key,
              link_kind_name (spec->kind), spec->set.name, spec->set.mac, spec->set.mtu,
              spec->set.master ? spec->set.master : "", spec->lower ? spec->lower : "",
              spec->multi_queue ? " multi_queue" : "");
    fake_link (link, spec->set.name, link_kind_name (spec->kind));
    return fake_note (self, err, "link_create", text);
}

static inline int fake_link_find (job_t *self, const char *name, link_t *link, error_t *err)
{
    fake_link (link, name, "bridge");
    return fake_note (self, err, "link_find", name);
}

static inline int fake_link_bandwidth (job_t *self, const char *key,
                                       const link_bandwidth_t *bandwidth, error_t *err)
{
    char text[256];
    if (!bandwidth) {
        snprintf (text, sizeof text, "%s none", key);
        return fake_note (self, err, "link_bandwidth", text);
    }
    snprintf (text, sizeof text, "%s %llu %llu %llu %llu", key,
              (unsigned long long) bandwidth->inbound.average_kb,
              (unsigned long long) bandwidth->inbound.peak_kb,
              (unsigned long long) bandwidth->inbound.burst_kib,
              (unsigned long long) bandwidth->outbound.average_kb);
    return fake_note (self, err, "link_bandwidth", text);
}

static inline int fake_link_set (job_t *self, const char *key, bool peer,
                                 const link_settings_t *settings, link_t *link, error_t *err)
{
    (void) peer;
    char text[256];
    snprintf (text, sizeof text, "%s master '%s' mtu %u%s", key,
              settings->master ? settings->master : "", settings->mtu,
              settings->isolated == LINK_ON ? " isolated" : "");
    fake_link (link, "vnet%d", "tun");
    return fake_note (self, err, "link_set", text);
}

//  Networks: the uuid of one is its name. "pool" gives devices of the host, the others the bridge
//  of their name.
static inline int fake_network (job_t *self, const char *name, char uuid[UUID_TEXT_SIZE],
                                error_t *err)
{
    snprintf (uuid, UUID_TEXT_SIZE, "%s", name);
    return fake_note (self, err, "network", name);
}

static inline int fake_port_create (job_t *self, const port_request_t *request, port_grant_t *grant,
                                    error_t *err)
{
    char text[256];
    snprintf (text, sizeof text, "%s/%s", request->network, request->port);
    *grant = (port_grant_t){ .kind = strcmp (request->network, "pool") == 0 ? PORT_MACVTAP
                                                                            : PORT_BRIDGE };
    snprintf (grant->bridge, sizeof grant->bridge, "%.14s0", request->network);
    return fake_note (self, err, "port_create", text);
}

static inline int fake_port_delete (job_t *self, const char *network, const char *port,
                                    error_t *err)
{
    char text[256];
    snprintf (text, sizeof text, "%s/%s", network, port);
    return fake_note (self, err, "port_delete", text);
}

static inline int fake_link_claim (job_t *self, const char *const *keys, error_t *err)
{
    char text[256] = "";
    for (; *keys; keys++)
        snprintf (text + strlen (text), sizeof text - strlen (text), "%s ", *keys);
    return fake_note (self, err, "link_claim", text);
}

static inline int fake_link_take (job_t *self, const char *key, const char *process,
                                  const char *holder, error_t *err)
{
    char text[256];
    snprintf (text, sizeof text, "%s %s %s", key, process, holder);
    return fake_note (self, err, "link_take", text);
}

static inline int fake_link_delete (job_t *self, const char *key, error_t *err)
{
    return fake_note (self, err, "link_delete", key);
}

static inline int fake_link_release (job_t *self, error_t *err)
{
    return fake_note (self, err, "link_release", "");
}

static inline int fake_device_take (job_t *self, const char *address, bool managed,
                                    const char *settings, error_t *err)
{
    autofree char *text =
        text_format ("%s%s%s", address, settings ? " " : "", settings ? settings : "");
    return fake_note (self, err, managed ? "device_take managed" : "device_take", text);
}

static inline int fake_device_check (job_t *self, const char *address, unsigned *group,
                                     error_t *err)
{
    *group = 7;
    return fake_note (self, err, "device_check", address);
}

static inline int fake_device_hold (job_t *self, const char *name, bool shared, error_t *err)
{
    return fake_note (self, err, shared ? "device_hold shared" : "device_hold", name);
}

//  The last one.
static inline int fake_device_leave (job_t *self, const char *name, const char *before, char **back,
                                     error_t *err)
{
    *back = before ? strdup (before) : NULL;
    return fake_note (self, err, "device_leave", name);
}

static inline int fake_device_give (job_t *self, const char *address, error_t *err)
{
    return fake_note (self, err, "device_give", address);
}

static const job_ops_t fake_ops = {
    .link_create = fake_link_create,
    .link_find = fake_link_find,
    .link_set = fake_link_set,
    .network = fake_network,
    .port_create = fake_port_create,
    .port_delete = fake_port_delete,
    .link_take = fake_link_take,
    .link_delete = fake_link_delete,
    .link_bandwidth = fake_link_bandwidth,
    .link_claim = fake_link_claim,
    .link_release = fake_link_release,
    .device_take = fake_device_take,
    .device_check = fake_device_check,
    .device_hold = fake_device_hold,
    .device_leave = fake_device_leave,
    .device_give = fake_device_give,
    .now = fake_now,
    .random = fake_random,
    .wait = fake_wait,
    .undo = fake_undo,
    .record = fake_record,
    .commit = fake_commit,
    .finish = fake_finish,
    .spawn = fake_spawn,
    .go = fake_go,
    .kill = fake_kill,
    .wait_exit = fake_wait_exit,
    .run = fake_run,
    .watch_exit = fake_watch_exit,
    .monitor_open = fake_monitor_open,
    .monitor_close = fake_monitor_close,
    .qmp = fake_qmp,
    .qmp_file = fake_qmp_file,
    .agent = fake_agent,
    .wait_device = fake_wait_device,
    .emulator = fake_emulator,
    .write_file = fake_write_file,
    .remove_file = fake_remove_file,
    .write_definition = fake_write_definition,
    .progress = fake_progress,
    .written = fake_written,
    .log = fake_log,
};

//  A job whose folders are below ROOT (which need not exist), about a guest without documents.
static inline void fake_job_init (fake_job_t *self, char *root)
{
    memset (self, 0, sizeof *self);
    self->paths = (paths_t){
        .mode = PATHS_ROOT, .etc = root, .run = root, .lib = root, .log = root, .cache = root
    };
    self->process = (process_t){ .pid = 4242,
                                 .start_time = 77,
                                 .boot_id = "11111111-2222-3333-4444-555555555555" };
    self->job = (job_t){ .ops = &fake_ops, .paths = &self->paths, .guest = &self->guest };
}

//  The documents that a test gave the guest are its own.
static inline void fake_job_clear (fake_job_t *fake)
{
    xml_destroy (&fake->guest.record);
    xml_destroy (&fake->guest.live);
    strings_destroy (&fake->guest.news);
}

#endif
