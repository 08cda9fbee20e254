//  undo.c: the table of undo kinds.

#include "drivers/undo.h"
#include "drivers/cgroup/cgroup.h"
#include "drivers/net/interface_tune.h"
#include "drivers/driver.h"
#include "drivers/file_owner.h"
#include "drivers/net/network_rules.h"
#include "util/file.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

//  A process in an uninterruptible system call (a disk that hangs) outlives SIGKILL for as long.
#define KILL_MS 10000

static int undo_file (job_t *job, const char *path, error_t *err)
{
    if (path[0] != '/')
        return error_set (err, ERR_INVALID_ARG, "undo file '%s': the path is not absolute", path);
    return job_remove_file (job, path, err);
}

static int undo_process (job_t *job, const char *text, error_t *err)
{
    process_t process;
    if (!process_from_text (text, &process))
        return error_set (err, ERR_INVALID_ARG, "undo process '%s': not PID:START:BOOTID", text);
    //  That it ended before is no failure: whether it is over decides.
    error_t kill_error = { 0 };
    int killed = job_kill (job, &process, SIGKILL, &kill_error);
    if (job_wait_exit (job, &process, KILL_MS, err) == 0)
        return 0;
    if (killed)
        *err = kill_error;
    return -1;
}

static int undo_monitor (job_t *job, const char *argument, error_t *err)
{
    (void) argument;
    return job_monitor_close (job, err);
}

static int undo_owner (job_t *job, const char *note, error_t *err)
{
    int rc = file_owner_restore (note, err);
    if (rc < 0)
        return error_prefix (err, "undo owner '%s'", note);
    if (rc > 0)
        job_log (job, "'%s' is another file than the one that the guest had: its owner stays",
                 file_owner_path (note));
    return 0;
}

//  "NAME", or "NAME NOTE".
static int undo_node (job_t *job, const char *argument, error_t *err)
{
    const char *note = strchr (argument, ' ');
    autofree char *name = text_copy_bytes (argument, strcspn (argument, " "));
    autofree char *back = NULL;
    if (job_device_leave (job, name, note ? note + 1 : NULL, &back, err))
        return -1;
    return back ? undo_owner (job, back, err) : 0;
}

//  Ours, with the sockets that the guest's process made in it.
static int undo_folder (job_t *job, const char *path, error_t *err)
{
    (void) job;
    if (path[0] != '/')
        return error_set (err, ERR_INVALID_ARG, "undo folder '%s': the path is not absolute", path);
    return file_remove_folder (path, err);
}

static int undo_rules (job_t *job, const char *uuid, error_t *err)
{
    return network_rules_remove (job, uuid, err);
}

static int undo_link (job_t *job, const char *key, error_t *err)
{
    return job_link_delete (job, key, err);
}

static int undo_port (job_t *job, const char *argument, error_t *err)
{
    const char *port = strchr (argument, '/');
    if (!port)
        return error_set (err, ERR_INVALID_ARG, "undo port '%s': not NETWORK/PORT", argument);
    autofree char *network = text_copy_bytes (argument, (size_t) (port - argument));
    return job_port_delete (job, network, port + 1, err);
}

static int undo_cgroup (job_t *job, const char *path, error_t *err)
{
    if (path[0] != '/')
        return error_set (err, ERR_INVALID_ARG, "undo cgroup '%s': the path is not absolute", path);
    return cgroup_remove (job, path, err);
}

static int undo_device (job_t *job, const char *address, error_t *err)
{
    return job_device_give (job, address, err);
}

static const struct {
    const char *kind;
    int (*run) (job_t *job, const char *argument, error_t *err);
} undo_kinds[] = {
    { "file", undo_file },
    { "folder", undo_folder },
    { "process", undo_process },
    { "monitor", undo_monitor },
    { "owner", undo_owner },
    { "node", undo_node },
    { "link", undo_link },
    { "port", undo_port },
    { "rules", undo_rules },
    { "device", undo_device },
    { "cgroup", undo_cgroup },
    { "cgroup_value", cgroup_undo_value },
    { "bandwidth", interface_undo_bandwidth },
};

static const driver_t *driver_of (const char *kind)
{
    autofree char *name = text_copy_bytes (kind, strcspn (kind, "."));
    const driver_t *driver = strchr (kind, '.') ? driver_by_name (name) : NULL;
    return driver && driver->undo ? driver : NULL;
}

int undo_run (job_t *job, const char *kind, const char *argument, error_t *err)
{
    const driver_t *driver = driver_of (kind);
    if (driver)
        return driver->undo (job, strchr (kind, '.') + 1, argument, err);
    if (job->kept)
        return 0;
    for (size_t i = 0; i < sizeof undo_kinds / sizeof *undo_kinds; i++)
        if (strcmp (undo_kinds[i].kind, kind) == 0)
            return undo_kinds[i].run (job, argument, err);
    return error_set (err, ERR_INVALID_ARG,
                      "undo '%s' of '%s': this daemon does not know this kind of undo; look at the "
                      "guest and clean up by hand",
                      kind, argument);
}
