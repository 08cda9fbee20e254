//  lxc_start.c: from a definition to a running container.

#include "drivers/cgroup/cgroup.h"
#include "drivers/lxc/lxc_interface.h"
#include "drivers/lxc/lxc_parts.h"
#include "drivers/state.h"
#include "container/container_protocol.h"
#include "util/file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define MONITOR_MS 30000
#define CREATE_MS 60000 //  its file systems may be slow
#define RUN_MS 30000

typedef struct {
    job_t *job;
    char *program, *monitor, *entrance, *identity, *log;
    process_t process;
} start_t;

static void start_close (start_t *self)
{
    free (self->program);
    free (self->monitor);
    free (self->entrance);
    free (self->identity);
    free (self->log);
}

static void add_aliases (xml_node_t *devices)
{
    static const char *const kinds[][2] = { { "filesystem", "fs" },
                                            { "interface", "net" },
                                            { "hostdev", "hostdev" },
                                            { "console", "console" } };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        int number = 0;
        xml_foreach (device, devices, kinds[i][0]) {
            if (!*interface_alias (device))
                xml_setf (device, "alias/@name", "%s%d", kinds[i][1], number);
            number++;
        }
    }
}

void lxc_make_live (job_t *job)
{
    guest_t *guest = job->guest;
    xml_destroy (&guest->live);
    guest->live = xml_copy (guest->definition);
    xml_node_t *domain = xml_root (guest->live);
    xml_setf (domain, "@id", "%d", guest->id);
    add_aliases (xml_find (domain, "devices"));
    lxc_interface_name (xml_find (domain, "devices"));
}

static bool is_source (const xml_node_t *fs, const char *type, bool fits)
{
    return fits && xml_equals (fs, "@type", type);
}

//  Named here, where the user's own words are known; the supervisor has the last word.
static int check_sources (const job_t *job, error_t *err)
{
    xml_foreach (fs, xml_find (xml_root (job->guest->live), "devices"), "filesystem") {
        struct stat status;
        const char *source = lxc_filesystem_source (fs);
        if (!source || xml_equals (fs, "@type", "bind"))
            continue;
        if (stat (source, &status))
            return error_errno (err, ERR_OPERATION_FAILED, "filesystem '%s': its source '%s'",
                                xml_string (fs, "target/@dir"), source);
        if (is_source (fs, "file", S_ISREG (status.st_mode)) ||
            is_source (fs, "block", S_ISBLK (status.st_mode)) ||
            is_source (fs, "mount", S_ISDIR (status.st_mode)))
            continue;
        return error_set (err, ERR_OPERATION_FAILED, "filesystem '%s': its source '%s' is no %s",
                          xml_string (fs, "target/@dir"), source,
                          xml_equals (fs, "@type", "file")    ? "file"
                          : xml_equals (fs, "@type", "block") ? "block device"
                                                              : "folder");
    }
    return 0;
}

static int prepare (start_t *self, error_t *err)
{
    job_t *job = self->job;
    lxc_make_live (job);
    self->program = text_format ("%s/troupe-container", job->helpers);
    self->monitor = text_format ("%s/lxc/%s.monitor", job->paths->run, job->guest->uuid);
    self->entrance = text_format ("%s/lxc/%s.enter", job->paths->run, job->guest->uuid);
    self->identity = text_format ("%s/lxc/%s.init", job->paths->run, job->guest->uuid);
    self->log = text_format ("%s/lxc/%s.log", job->paths->log, job->guest->name);
    return check_sources (job, err);
}

//  Undone last to first: the supervisor, init, its file, the socket; its cgroups before all that,
//  so that they are removed when nothing is in them any more.
static int record_intent (start_t *self, error_t *err)
{
    job_t *job = self->job;
    if (guest_record_new (job->guest, err))
        return -1;
    xml_node_t *record = xml_root (job->guest->record);
    xml_set (record, "monitor/@path", self->monitor);
    xml_set (record, "entrance/@path", self->entrance);
    xml_set (record, "init/@path", self->identity);
    bool failed = cgroup_make (job, true, err) || job_undo (job, "file", self->monitor, err) ||
                  job_undo (job, "file", self->entrance, err) ||
                  job_undo (job, "file", self->identity, err) ||
                  job_undo (job, "lxc.init", self->identity, err) ||
                  lxc_interface_intend (job, err) || lxc_given_intend (job, err) ||
                  job_record (job, err);
    return failed ? -1 : 0;
}

//  As root with all capabilities, but nothing else of the daemon's.
static int spawn (start_t *self, error_t *err)
{
    job_t *job = self->job;
    const char *argv[] = { self->program, job->guest->name, NULL };
    const char *env[] = { "LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
    spawn_t what = { .argv = argv,
                     .env = env,
                     .log = self->log,
                     .privileged = true,
                     .listen = { { .path = self->monitor, .fd = CONTAINER_SOCKET_FD },
                                 { .path = self->entrance, .fd = CONTAINER_ENTRANCE_FD } } };
    char identity[PROCESS_TEXT_SIZE];
    if (job_spawn (job, &what, &self->process, err))
        return -1;
    process_to_text (&self->process, identity);
    xml_set (xml_root (job->guest->record), "process/@identity", identity);
    bool failed = job_undo (job, "process", identity, err) || lxc_given_undo (job, identity, err) ||
                  job_undo (job, "monitor", "", err) || job_record (job, err) ||
                  job_go (job, &self->process, err) ||
                  job_monitor_open (job, self->monitor, MONITOR_MS, err);
    return failed ? -1 : 0;
}

//  As libvirt's documents have it.
static void note_console (xml_node_t *devices, const char *alias, const char *path)
{
    xml_foreach (console, devices, "console") {
        if (strcmp (interface_alias (console), alias) != 0)
            continue;
        if (!xml_find (console, "source"))
            xml_add_before (xml_first (console, NULL), "source");
        xml_set (console, "source/@path", path);
        xml_set (console, "@tty", path);
    }
}

void lxc_note_consoles (job_t *job, const json_t *state)
{
    size_t i;
    const json_t *console;
    json_array_foreach (json_object_get (state, "consoles"), i, console)
    {
        const char *alias = json_string_value (json_object_get (console, "alias"));
        const char *path = json_string_value (json_object_get (console, "path"));
        if (alias && path)
            note_console (xml_find (xml_root (job->guest->live), "devices"), alias, path);
    }
}

//  The network namespace is there, and init waits.
static int plug (start_t *self, error_t *err)
{
    char identity[PROCESS_TEXT_SIZE];
    process_to_text (&self->process, identity);
    if (lxc_given_plug (self->job, identity, err))
        return -1;
    return lxc_interface_plug (self->job, identity, err);
}

static int create (start_t *self, error_t *err)
{
    job_t *job = self->job;
    auto(strings_t) folders = cgroup_folders (job->guest);
    json_t *devices = lxc_hostdev_list (xml_root (job->guest->live), err);
    json_t *shared = devices ? lxc_share_list (job, err) : NULL;
    if (!shared) {
        json_decref (devices);
        return -1;
    }
    json_t *spec =
        lxc_spec (job->guest->live, self->identity, strings_list (folders), devices, shared);
    if (!spec)
        return error_set (err, ERR_INTERNAL_ERROR, "its description can't be made");
    json_auto_t *state = job_qmp (job, "create", spec, CREATE_MS, err);
    if (!state)
        return -1;
    lxc_note_consoles (job, state);
    return 0;
}

//  What starts paused has executed its first instructions by then, as nothing is frozen before.
static int let_run (start_t *self, unsigned flags, error_t *err)
{
    job_t *job = self->job;
    bool paused = flags & START_PAUSED;
    json_auto_t *state = job_qmp (job, "run", NULL, RUN_MS, err);
    if (!state || (paused && cgroup_freeze (job, true, err)))
        return -1;
    job->guest->status = paused ? (guest_status_t){ STATE_PAUSED, PAUSED_USER }
                                : (guest_status_t){ STATE_RUNNING, RUNNING_BOOTED };
    return 0;
}

int lxc_start (job_t *job, unsigned flags, error_t *err)
{
    start_t self = { .job = job };
    bool failed = prepare (&self, err) || record_intent (&self, err) || lxc_tune (job, NULL, err) ||
                  spawn (&self, err) || create (&self, err) || plug (&self, err) ||
                  let_run (&self, flags, err);
    start_close (&self);
    return failed ? error_prefix (err, "start domain '%s'", job->guest->name) : 0;
}

//  Its supervisor is still there, with the consoles, the network and the cgroups.
int lxc_restart (job_t *job, error_t *err)
{
    json_auto_t *state = job_qmp (job, "restart", NULL, CREATE_MS, err);
    if (!state)
        return error_prefix (err, "start domain '%s' again", job->guest->name);
    job->guest->status = (guest_status_t){ STATE_RUNNING, RUNNING_BOOTED };
    return 0;
}
