//  qemu_start.c: from a definition to a running guest.

#include "drivers/driver.h"
#include "drivers/qemu/qemu_start.h"
#include "drivers/qemu/command/qemu_command.h"
#include "drivers/cgroup/cgroup.h"
#include "drivers/cpuset.h"
#include "drivers/qemu/qemu_files.h"
#include "drivers/qemu/qemu_hostdev.h"
#include "drivers/qemu/qemu_interface.h"
#include "drivers/qemu/command/qemu_host_model.h"
#include "drivers/qemu/qemu_live.h"
#include "drivers/qemu/qemu_missing.h"
#include "drivers/qemu/qemu_perf.h"
#include "drivers/qemu/qemu_ram.h"
#include "drivers/qemu/qemu_sockets.h"
#include "drivers/qemu/storage/qemu_stream.h"
#include "drivers/qemu/plug/qemu_memory_live.h"
#include "drivers/qemu/plug/qemu_vcpus.h"
#include "drivers/qemu/qemu_tune.h"
#include "drivers/qemu/qemu_vsock.h"
#include "drivers/qemu/qemu_words.h"
#include "drivers/state.h"
#include "util/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define MONITOR_MS 30000
#define QMP_MS 10000
#define LAST_MS 2000 //  from the end of its monitor to that of QEMU

typedef struct {
    job_t *job;
    const xml_t *document;           //  NULL: the guest's definition
    const job_file_t *state;         //  to go on from; NULL: the guest boots
    const qemu_incoming_t *incoming; //  or comes from another host
    qemu_caps_t *caps;               //  of its emulator
    strings_t *args;
    char *monitor, *folder, *log;
    off_t log_before; //  the log's size before QEMU could write to it
    uid_t uid;
    gid_t gid;
    process_t process;
} start_t;

static void start_close (start_t *self)
{
    qemu_caps_destroy (&self->caps);
    strings_destroy (&self->args);
    free (self->monitor);
    free (self->folder);
    free (self->log);
}

char *qemu_log_path (const job_t *job)
{
    return text_format ("%s/qemu/%s.log", job->paths->log, job->guest->name);
}

//  A firmware's variables are copied from the template when there are none yet. They outlast the
//  guest; only a start that fails takes them away again.
static int make_nvram (job_t *job, error_t *err)
{
    const xml_node_t *domain = xml_root (job->guest->live);
    const char *path = xml_string (domain, "os/nvram");
    const char *template = xml_string (domain, "os/nvram/@template");
    if (!path || !template || access (path, F_OK) == 0)
        return 0;
    size_t size;
    autofree char *data = file_read (template, 64u << 20, &size, err);
    if (!data || job_undo (job, "file", path, err) || job_record (job, err))
        return -1;
    return file_write (path, data, size, err);
}

//  What the guest is started with: first without a RECORD, to see whether it can be, and again once
//  its links are there.
static int make_arguments (start_t *self, const xml_t *record, error_t *err)
{
    strings_destroy (&self->args);
    self->args = qemu_command (self->job->guest->live, record, self->caps, err);
    if (!self->args)
        return -1;
    if (self->state || self->incoming) {
        strings_add (self->args, "-incoming");
        strings_add (self->args, "defer");
    }
    return 0;
}

//  All that can fail without anything having happened.
static int prepare (start_t *self, error_t *err)
{
    job_t *job = self->job;
    qemu_live_make (job, self->document, &self->folder);
    qemu_drop_missing (job, self->state || self->incoming);
    if (qemu_hostdev_find (job, self->state || self->incoming, err) ||
        qemu_sockets_check_all (job, err))
        return -1;
    if (self->incoming && !self->folder)
        self->folder = qemu_folder_path (job);
    const char *emulator = xml_string (xml_root (job->guest->live), "devices/emulator");
    autofree char *text = job_emulator (job, emulator, err);
    auto(qemu_caps_t) caps = text ? qemu_caps_parse (text, err) : NULL;
    if (!caps || qemu_host_model_apply (job->guest->live, caps, err) ||
        qemu_ram_check_pages ("", xml_root (job->guest->live), NULL, err))
        return -1;
    self->monitor = text_format ("%s/qemu/%s.monitor", job->paths->run, job->guest->uuid);
    self->log = qemu_log_path (job);
    qemu_identity (job, &self->uid, &self->gid);
    self->caps = take (&caps);
    return make_arguments (self, NULL, err);
}

static int record_intent (start_t *self, error_t *err)
{
    job_t *job = self->job;
    if (guest_record_new (job->guest, err))
        return -1;
    xml_node_t *record = xml_root (job->guest->record);
    xml_set (record, "monitor/@path", self->monitor);
    if (self->folder)
        xml_set (record, "folder/@path", self->folder);
    bool failed = job_undo (job, "file", self->monitor, err) ||
                  (self->folder && job_undo (job, "folder", self->folder, err)) ||
                  qemu_ram_intend (job, err) || qemu_interface_intend (job, err) ||
                  qemu_hostdev_intend (job, err) || job_record (job, err);
    return failed ? -1 : 0;
}

//  The folder for the sockets that QEMU itself makes.
int qemu_make_folder (const char *folder, uid_t uid, gid_t gid, error_t *err)
{
    if (mkdir (folder, 0700) && errno != EEXIST)
        return error_errno (err, ERR_SYSTEM_ERROR, "make the folder '%s'", folder);
    if (uid && chown (folder, uid, gid))
        return error_errno (err, ERR_SYSTEM_ERROR, "give the folder '%s' to user %u", folder, uid);
    return 0;
}

static int make_folder (start_t *self, error_t *err)
{
    if (self->folder && qemu_make_folder (self->folder, self->uid, self->gid, err))
        return -1;
    return qemu_ram_make (self->job, self->uid, self->gid, err);
}

//  What was executed, for whoever reads the guest's log.
static int log_command (start_t *self, error_t *err)
{
    auto(text_t) text = text_new ();
    text_addf (text, "troupe %s starts:", TROUPE_VERSION);
    for (size_t i = 0; i < self->args->count; i++)
        text_addf (text, " %s", self->args->items[i]);
    text_add_char (text, '\n');
    autoclose int fd = open (self->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || write (fd, text->data, text->size) < 0)
        return error_errno (err, ERR_SYSTEM_ERROR, "write the guest's log '%s'", self->log);
    self->log_before = qemu_words_mark (self->log);
    return 0;
}

const char *const *qemu_start_environment (void)
{
    static const char *const env[] = {
        "LC_ALL=C", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/bin", "HOME=/", NULL
    };
    return env;
}

static int spawn (start_t *self, error_t *err)
{
    job_t *job = self->job;
    auto(strings_t) cgroups = cgroup_folders (job->guest);
    auto(strings_t) devices = qemu_interface_devices (job->guest->record);
    qemu_vsock_add_device (job->guest->record, devices);
    spawn_t what = { .argv = strings_list (self->args),
                     .env = qemu_start_environment (),
                     .log = self->log,
                     .uid = self->uid,
                     .gid = self->gid,
                     .drop_capabilities = true,
                     .memlock_bytes = qemu_ram_lock_bytes (job->guest->live),
                     .cgroups = strings_list (cgroups),
                     .devices = strings_list (devices),
                     .listen = { { .path = self->monitor, .fd = QEMU_MONITOR_FD } } };
    if (job_spawn (job, &what, &self->process, err))
        return -1;
    char identity[96];
    process_to_text (&self->process, identity);
    const char *cpuset = xml_string (xml_root (job->guest->live), "vcpu/@cpuset");
    xml_set (xml_root (job->guest->record), "process/@identity", identity);
    qemu_perf_record (job->guest);
    bool failed = job_undo (job, "process", identity, err) || job_undo (job, "monitor", "", err) ||
                  job_record (job, err) ||
                  (cpuset && cpuset_apply (cpuset, self->process.pid, err)) ||
                  qemu_sockets_check_all (job, err) || job_go (job, &self->process, err);
    return failed ? -1 : 0;
}

//  A QEMU that waits for the peer of a vhostuser interface has nobody else to talk to. Those of
//  interfaces before it came.
static void name_peer (start_t *self, int ms, error_t *err)
{
    autofree char *socket = qemu_words_last (self->log, self->log_before,
                                             "QEMU waiting for connection on: disconnected:");
    if (socket)
        qemu_sockets_no_peer (socket, ms, err);
}

static int connect_monitor (start_t *self, error_t *err)
{
    error_t ignored = { 0 };
    const int ms = qemu_ram_ms (self->job->guest->live, MONITOR_MS);
    if (job_monitor_open (self->job, self->monitor, ms, err) == 0)
        return 0;
    if (err->code == ERR_OPERATION_ABORTED)
        return -1;
    if (job_wait_exit (self->job, &self->process, LAST_MS, &ignored) == 0)
        qemu_words_add (self->log, self->log_before, "at its start", err);
    else if (ignored.code != ERR_OPERATION_ABORTED)
        name_peer (self, ms, err);
    return -1;
}

static int read_state (start_t *self, error_t *err)
{
    error_t ignored = { 0 };
    if (!self->state || qemu_stream_read (self->job, self->state, err) == 0)
        return 0;
    //  A QEMU that can't make sense of a state ends.
    if (err->code != ERR_OPERATION_ABORTED &&
        job_wait_exit (self->job, &self->process, LAST_MS, &ignored) == 0)
        qemu_words_add (self->log, self->log_before, "over the saved state", err);
    return -1;
}

static int make_files (start_t *self, error_t *err)
{
    return self->incoming ? self->incoming->files (self->job, self->incoming->with, err) : 0;
}

static int listen_for_guest (start_t *self, error_t *err)
{
    return self->incoming ? self->incoming->listen (self->job, self->incoming->with, err) : 0;
}

static int let_run (start_t *self, unsigned flags, error_t *err)
{
    guest_t *guest = self->job->guest;
    if (flags & START_PAUSED) {
        guest->status = (guest_status_t){ STATE_PAUSED, PAUSED_USER };
        return 0;
    }
    json_auto_t *reply = job_qmp (self->job, "cont", NULL, QMP_MS, err);
    if (!reply)
        return -1;
    guest->status = (guest_status_t){ STATE_RUNNING, RUNNING_BOOTED };
    return 0;
}

static int run (start_t *self, unsigned flags, error_t *err)
{
    job_t *job = self->job;
    bool failed =
        prepare (self, err) || record_intent (self, err) || make_nvram (job, err) ||
        make_files (self, err) || qemu_check_files (job->guest->live, err) ||
        qemu_take_files (job, self->uid, self->gid, err) || make_folder (self, err) ||
        qemu_tune_prepare (job, err) || qemu_interface_plug (job, self->uid, self->gid, err) ||
        qemu_hostdev_plug (job, err) || qemu_vsock_plug (job, err) ||
        make_arguments (self, job->guest->record, err) || log_command (self, err) ||
        spawn (self, err) || connect_monitor (self, err) || qemu_vcpus_start (job, err) ||
        qemu_live_ask (job, err) || qemu_tune_started (job, err) || read_state (self, err) ||
        qemu_memory_start (job, err) || qemu_live_set (job, self->state || self->incoming, err) ||
        listen_for_guest (self, err) || let_run (self, flags, err);
    return failed ? -1 : 0;
}

int qemu_start (job_t *job, unsigned flags, error_t *err)
{
    start_t self = { .job = job };
    int result = run (&self, flags, err);
    start_close (&self);
    return result ? error_prefix (err, "start domain '%s'", job->guest->name) : 0;
}

int qemu_start_from (job_t *job, const xml_t *document, const job_file_t *state, error_t *err)
{
    start_t self = { .job = job, .document = document, .state = state };
    int result = run (&self, START_PAUSED, err);
    start_close (&self);
    return result;
}

int qemu_start_incoming (job_t *job, const xml_t *document, const qemu_incoming_t *incoming,
                         error_t *err)
{
    start_t self = { .job = job, .document = document, .incoming = incoming };
    int result = run (&self, START_PAUSED, err);
    start_close (&self);
    return result;
}

char *qemu_folder_path (const job_t *job)
{
    return text_format ("%s/qemu/%s", job->paths->run, job->guest->uuid);
}
