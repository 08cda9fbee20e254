//  salvage.c: see salvage.h.

#include "drivers/salvage.h"

#include "drivers/state.h"
#include "util/file.h"
#include "util/unix_socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define END_MS 15000
#define COMMAND_LINE_MAX (2u << 20) //  what the kernel lets a program have, all in all

//  *PID is 0 if nobody does.
static int find_listener (const char *path, pid_t *pid, error_t *err)
{
    *pid = 0;
    autoclose int fd = unix_connect (path, err);
    if (fd < 0)
        return errno == ECONNREFUSED || errno == ENOENT ? 0 : -1;
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &peer, &size))
        return error_errno (err, ERR_SYSTEM_ERROR, "see who listens at '%s'", path);
    *pid = peer.pid;
    return 0;
}

//  The program's arguments. /proc says no size, so it is read to its end.
static strings_t *read_command (pid_t pid, error_t *err)
{
    autofree char *path = text_format ("/proc/%d/cmdline", (int) pid);
    size_t size;
    autofree char *bytes = file_read (path, COMMAND_LINE_MAX, &size, err);
    if (!bytes)
        return NULL;
    strings_t *list = strings_new ();
    for (size_t at = 0; at < size; at += strlen (bytes + at) + 1)
        strings_add (list, bytes + at);
    return list;
}

static int await_end (job_t *job, salvage_t *found, const char *monitor, error_t *err)
{
    strings_destroy (&found->command);
    if (job_wait_exit (job, &found->process, END_MS, err) == 0)
        return job_remove_file (job, monitor, err);
    return error_prefix (err, "process %d, which listens at '%s' and is about to end",
                         (int) found->process.pid, monitor);
}

int salvage_find (job_t *job, const char *monitor, salvage_t *found, error_t *err)
{
    pid_t pid;
    *found = (salvage_t){ .command = NULL };
    if (access (monitor, F_OK))
        return 0;
    if (find_listener (monitor, &pid, err))
        return -1;
    if (pid == 0)
        return job_remove_file (job, monitor, err);
    //  It may end at any of these steps; then there is nothing to salvage.
    if (process_identify (pid, &found->process, err))
        return err->code == ERR_OPERATION_INVALID ? job_remove_file (job, monitor, err) : -1;
    found->command = read_command (pid, err);
    //  Whoever ends lets its arguments go before its sockets.
    bool ends = found->command ? found->command->count == 0 : errno == ENOENT || errno == ESRCH;
    if (ends)
        return await_end (job, found, monitor, err);
    return found->command ? 0 : -1;
}

void salvage_close (salvage_t *self)
{
    strings_destroy (&self->command);
}

int salvage_refuse (const salvage_t *self, const char *monitor, const char *who, error_t *err)
{
    return error_set (err, ERR_OPERATION_FAILED,
                      "process %d listens at '%s', but is not %s of this guest; end it",
                      (int) self->process.pid, monitor, who);
}

int salvage_record (job_t *job, const salvage_t *found, const char *monitor, error_t *err)
{
    char identity[PROCESS_TEXT_SIZE];
    guest_t *guest = job->guest;
    if (guest_record_new (guest, err))
        return -1;
    xml_node_t *record = xml_root (guest->record);
    process_to_text (&found->process, identity);
    xml_set (record, "monitor/@path", monitor);
    xml_set (record, "process/@identity", identity);
    xml_set (record, "salvaged/@asked", "no");
    guest->status = (guest_status_t){ STATE_RUNNING, RUNNING_UNKNOWN };
    return 0;
}

bool salvage_is_open (const guest_t *guest)
{
    return guest->record && xml_find (xml_root (guest->record), "salvaged");
}

void salvage_is_over (guest_t *guest)
{
    xml_remove_path (xml_root (guest->record), "salvaged");
}
