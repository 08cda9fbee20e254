//  lxc_cgroup.c: the control groups of a container.

#include "drivers/lxc/lxc_cgroup.h"
#include "util/file.h"
#include "util/process.h"
#include "util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum {
    FILE_MAX_BYTES = 1024 * 1024,
    FREEZE_MS = 10000,
    REMOVE_MS = 10000,
    STEP_MS = 2,
    TRIES = 8 //  while others remove the folder above
};

//  Hierarchies.

static bool has_option (const char *options, const char *name)
{
    size_t size = strlen (name);
    for (const char *at = options; at; at = strchr (at, ',')) {
        at += *at == ',';
        if (strncmp (at, name, size) == 0 && (at[size] == ',' || !at[size]))
            return true;
    }
    return false;
}

void lxc_cgroup_find (const char *mounts, lxc_cgroup_mounts_t *found)
{
    *found = (lxc_cgroup_mounts_t){ 0 };
    for (const char *line = mounts; *line; line += *line == '\n') {
        char path[512], type[32], options[512];
        size_t size = strcspn (line, "\n");
        autofree char *text = text_copy_bytes (line, size);
        line += size;
        if (sscanf (text, "%*s %511s %31s %511s", path, type, options) != 3)
            continue;
        bool first = strcmp (type, "cgroup") == 0;
        if (strcmp (type, "cgroup2") == 0 && !found->unified)
            found->unified = text_copy (path);
        if (first && has_option (options, "freezer") && !found->freezer)
            found->freezer = text_copy (path);
        if (first && has_option (options, "memory") && !found->memory)
            found->memory = text_copy (path);
    }
}

void lxc_cgroup_mounts_close (lxc_cgroup_mounts_t *self)
{
    free (self->unified);
    free (self->freezer);
    free (self->memory);
}

//  Files of a folder.

static char *read_text (const char *folder, const char *name, error_t *err)
{
    autofree char *path = text_format ("%s/%s", folder, name);
    return file_read (path, FILE_MAX_BYTES, NULL, err);
}

static int write_text (const char *folder, const char *name, const char *text, error_t *err)
{
    autofree char *path = text_format ("%s/%s", folder, name);
    autoclose int fd = open (path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write (fd, text, strlen (text)) < 0)
        return error_errno (err, ERR_SYSTEM_ERROR, "write '%s' to '%s'", text, path);
    return 0;
}

//  The number behind NAME at a line's start; -1 if there is none.
static int64_t number_in (const char *text, const char *name)
{
    for (const char *line = text; line && *line; line = strchr (line, '\n')) {
        line += *line == '\n';
        size_t size = strlen (name);
        if (strncmp (line, name, size) == 0 && line[size] == ' ')
            return (int64_t) strtoull (line + size, NULL, 10);
    }
    return -1;
}

//  Folders.

//  "unified", "freezer", "memory"; NULL: the container has none of this name.
static const char *folder_of (const guest_t *guest, const char *name)
{
    xml_foreach (cgroup, guest->record ? xml_root (guest->record) : NULL, "cgroup")
        if (xml_equals (cgroup, "@name", name))
            return xml_string (cgroup, "@path");
    return NULL;
}

strings_t *lxc_cgroup_folders (const guest_t *guest)
{
    strings_t *list = strings_new ();
    xml_foreach (cgroup, guest->record ? xml_root (guest->record) : NULL, "cgroup")
        strings_add (list, xml_string (cgroup, "@path"));
    return list;
}

//  Memory is counted and limited in version 2 only below folders that say so. Version 1 has the
//  controller then, or the host none.
static void enable_memory (const char *mount, const char *parent)
{
    error_t ignored;
    if (write_text (mount, "cgroup.subtree_control", "+memory", &ignored) == 0)
        write_text (parent, "cgroup.subtree_control", "+memory", &ignored);
}

static int make_both (const char *mount, const char *parent, const char *path, bool unified)
{
    for (int i = 0; i < TRIES; i++) {
        if (mkdir (parent, 0755) && errno != EEXIST)
            return -1;
        if (unified)
            enable_memory (mount, parent);
        if (mkdir (path, 0755) == 0)
            return 0;
        if (errno != ENOENT)
            return -1;
    }
    return -1;
}

//  Without one of them a container runs all the same.
static void give_up (job_t *job, const char *name, const char *path)
{
    job_log (job, "domain '%s': it runs without the cgroup '%s' (%s): %s", job->guest->name, path,
             name, strerror (errno));
}

static int make_one (job_t *job, const char *mount, const char *name, error_t *err)
{
    if (!mount)
        return 0;
    autofree char *parent = text_format ("%s/troupe-%s", mount, job->instance);
    autofree char *path = text_format ("%s/%s", parent, job->guest->uuid);
    if (job_undo (job, "lxc.cgroup", path, err) || job_record (job, err))
        return -1;
    //  What a container of this uuid left is over: whoever had it was destroyed before this start.
    if (lxc_cgroup_remove (job, path, err))
        return -1;
    if (make_both (mount, parent, path, strcmp (name, "unified") == 0)) {
        give_up (job, name, path);
        return 0;
    }
    xml_node_t *cgroup = xml_add (xml_root (job->guest->record), "cgroup");
    xml_set (cgroup, "@name", name);
    xml_set (cgroup, "@path", path);
    return 0;
}

int lxc_cgroup_make (job_t *job, error_t *err)
{
    lxc_cgroup_mounts_t mounts;
    autofree char *text = file_read ("/proc/self/mounts", FILE_MAX_BYTES, NULL, err);
    if (!text)
        return -1;
    lxc_cgroup_find (text, &mounts);
    bool failed = make_one (job, mounts.unified, "unified", err) ||
                  make_one (job, mounts.unified ? NULL : mounts.freezer, "freezer", err) ||
                  make_one (job, mounts.memory, "memory", err);
    if (!mounts.unified && !mounts.freezer && !mounts.memory)
        job_log (
            job,
            "domain '%s': this host has no cgroups: it can't be suspended, limited or measured",
            job->guest->name);
    lxc_cgroup_mounts_close (&mounts);
    return failed ? -1 : 0;
}

//  The kernel lets go of a folder a moment after the last process.
int lxc_cgroup_remove (job_t *job, const char *path, error_t *err)
{
    error_t ignored;
    int64_t end = job_now (job) + REMOVE_MS;
    bool killed = false;
    while (rmdir (path)) {
        if (errno == ENOENT)
            break;
        if (errno != EBUSY || job_now (job) >= end)
            return error_errno (err, ERR_SYSTEM_ERROR, "remove the cgroup '%s'", path);
        //  All of them are below an init that is over, so only those that were moved in by somebody
        //  else can be left.
        if (!killed && write_text (path, "cgroup.kill", "1", &ignored) == 0)
            killed = true;
        if (job_wait (job, STEP_MS, err))
            return -1;
    }
    autofree char *parent = file_folder (path);
    rmdir (parent); //  of the last one
    return 0;
}

//  Limits.

int lxc_cgroup_limit_memory (job_t *job, uint64_t bytes, error_t *err)
{
    const char *first = folder_of (job->guest, "memory"),
               *second = folder_of (job->guest, "unified");
    autofree char *text = text_format ("%" PRIu64, bytes);
    autofree char *probe = second ? text_format ("%s/memory.max", second) : NULL;
    if (first)
        return write_text (first, "memory.limit_in_bytes", text, err);
    if (probe && access (probe, F_OK) == 0)
        return write_text (second, "memory.max", text, err);
    job_log (job, "domain '%s': its <memory> is no limit: this host has no memory controller",
             job->guest->name);
    return 0;
}

//  Freezing.

bool lxc_cgroup_is_frozen (const guest_t *guest)
{
    error_t ignored;
    const char *second = folder_of (guest, "unified"), *first = folder_of (guest, "freezer");
    autofree char *events = second ? read_text (second, "cgroup.events", &ignored) : NULL;
    autofree char *state = first ? read_text (first, "freezer.state", &ignored) : NULL;
    return (events && number_in (events, "frozen") == 1) ||
           (state && strcmp (state, "FROZEN\n") == 0);
}

static int set_frozen (const guest_t *guest, bool freeze, error_t *err)
{
    const char *second = folder_of (guest, "unified"), *first = folder_of (guest, "freezer");
    if (second)
        return write_text (second, "cgroup.freeze", freeze ? "1" : "0", err);
    if (first)
        return write_text (first, "freezer.state", freeze ? "FROZEN" : "THAWED", err);
    return error_set (err, ERR_OPERATION_UNSUPPORTED,
                      "not supported: this host has neither cgroups of version 2 nor a freezer");
}

int lxc_cgroup_freeze (job_t *job, bool freeze, error_t *err)
{
    int64_t end = job_now (job) + FREEZE_MS;
    if (set_frozen (job->guest, freeze, err))
        return -1;
    while (lxc_cgroup_is_frozen (job->guest) != freeze) {
        if (job_now (job) >= end) {
            lxc_cgroup_thaw (job->guest);
            return error_set (err, ERR_OPERATION_TIMEOUT,
                              "its processes did not %s within %d s; one may wait for a disk",
                              freeze ? "stop" : "go on", FREEZE_MS / 1000);
        }
        if (job_wait (job, STEP_MS, err)) {
            lxc_cgroup_thaw (job->guest);
            return -1;
        }
    }
    return 0;
}

void lxc_cgroup_thaw (const guest_t *guest)
{
    error_t ignored; //  there may be no folder any more
    set_frozen (guest, false, &ignored);
}

//  Measuring.

static int no_folder (const char *what, error_t *err)
{
    return error_set (err, ERR_OPERATION_UNSUPPORTED,
                      "not supported: %s of a container without cgroups of version 2", what);
}

int lxc_cgroup_times (const guest_t *guest, uint64_t *user_ns, uint64_t *system_ns, error_t *err)
{
    const char *folder = folder_of (guest, "unified");
    if (!folder)
        return no_folder ("CPU time", err);
    autofree char *text = read_text (folder, "cpu.stat", err);
    int64_t user = text ? number_in (text, "user_usec") : -1;
    int64_t system = text ? number_in (text, "system_usec") : -1;
    if (user < 0 || system < 0)
        return text ? error_set (err, ERR_INTERNAL_ERROR, "'%s/cpu.stat' has no times", folder)
                    : -1;
    *user_ns = (uint64_t) user * 1000;
    *system_ns = (uint64_t) system * 1000;
    return 0;
}

//  Where no controller counts: what its processes have resident, shared pages several times.
static int sum_resident (const char *folder, uint64_t *bytes, error_t *err)
{
    autofree char *text = read_text (folder, "cgroup.procs", err);
    if (!text)
        return -1;
    *bytes = 0;
    char *end = text;
    for (long pid = strtol (text, &end, 10); pid > 0; pid = strtol (end, &end, 10)) {
        process_t process;
        error_t over; //  one that ended meanwhile has none
        uint64_t cpu, kib = 0;
        if (process_identify ((pid_t) pid, &process, &over) == 0 &&
            process_usage (&process, &cpu, &kib, &over) == 0)
            *bytes += kib * 1024;
    }
    return 0;
}

int lxc_cgroup_memory (const guest_t *guest, uint64_t *bytes, error_t *err)
{
    const char *second = folder_of (guest, "unified"), *first = folder_of (guest, "memory");
    error_t ignored;
    autofree char *one = first ? read_text (first, "memory.usage_in_bytes", &ignored) : NULL;
    autofree char *two = second ? read_text (second, "memory.current", &ignored) : NULL;
    const char *text = one ? one : two;
    if (!text && !second)
        return no_folder ("memory", err);
    if (!text)
        return sum_resident (second, bytes, err);
    *bytes = strtoull (text, NULL, 10);
    return 0;
}
