//  qemu_nbd.c: see qemu_nbd.h.

#include "drivers/qemu/storage/qemu_nbd.h"
#include "drivers/qemu/qemu_answer.h"
#include "drivers/qemu/qemu_live.h"
#include "util/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STOP_MS 60000
#define CLIENTS_MS 20000 //  QEMU's limit for a negotiation, twice
#define WAIT_MS 50

enum {
    //  proc(5): of an unix socket; a connection that is not accepted yet, and one that is.
    UNIX_CONNECTING = 2,
    UNIX_CONNECTED = 3,
    UNIX_LISTENS = 0x10000,
    //  proc(5), of a TCP socket: the kernel's TCP_ESTABLISHED and TCP_CLOSE_WAIT.
    TCP_ESTABLISHED = 1,
    TCP_CLOSE_WAIT = 8
};

//  Num RefCount Protocol Flags Type St Inode Path
bool qemu_nbd_is_unix_client (const char *line, const char *socket)
{
    unsigned flags, state;
    int path = 0;
    if (sscanf (line, "%*s %*s %*s %x %*s %x %*s %n", &flags, &state, &path) != 2 || !path)
        return false;
    size_t size = strcspn (line + path, "\n");
    return size == strlen (socket) && strncmp (line + path, socket, size) == 0 &&
           !(flags & UNIX_LISTENS) && (state == UNIX_CONNECTING || state == UNIX_CONNECTED);
}

//  sl: local_address:port rem_address:port st ...
bool qemu_nbd_is_tcp_client (const char *line, const char *port)
{
    unsigned local, state;
    if (sscanf (line, "%*s %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x", &local, &state) != 2)
        return false;
    return local == strtoul (port, NULL, 10) &&
           (state == TCP_ESTABLISHED || state == TCP_CLOSE_WAIT);
}

static int count_in (const process_t *process, const char *name, const qemu_nbd_t *server,
                     error_t *err)
{
    int count = 0;
    size_t room = 0;
    autofree char *line = NULL;
    autofree char *path = text_format ("/proc/%d/net/%s", process->pid, name);
    FILE *file = fopen (path, "re");
    if (!file && errno == ENOENT)
        return 0; //  a kernel without IPv6; or the process has ended
    if (!file)
        return error_errno (err, ERR_SYSTEM_ERROR, "read '%s'", path);
    while (getline (&line, &room, file) > 0)
        count += server->socket ? qemu_nbd_is_unix_client (line, server->socket)
                                : qemu_nbd_is_tcp_client (line, server->port);
    bool failed = ferror (file);
    fclose (file);
    return failed ? error_set (err, ERR_SYSTEM_ERROR, "read '%s': input/output error", path)
                  : count;
}

int qemu_nbd_clients (const process_t *process, const qemu_nbd_t *server, error_t *err)
{
    if (server->socket)
        return count_in (process, "unix", server, err);
    int four = count_in (process, "tcp", server, err);
    int six = four < 0 ? -1 : count_in (process, "tcp6", server, err);
    return six < 0 ? -1 : four + six;
}

static int wait_for_clients (job_t *job, const qemu_nbd_t *server, error_t *err)
{
    process_t process;
    int64_t until = job_now (job) + CLIENTS_MS;
    if (!guest_recorded_process (job->guest, &process))
        return 0;
    for (;;) {
        int count = qemu_nbd_clients (&process, server, err);
        if (count <= 0)
            return count;
        if (job_now (job) > until)
            return error_set (err, ERR_OPERATION_TIMEOUT,
                              "end its NBD server on '%s': %d clients stay connected; end them",
                              server->socket ? server->socket : server->port, count);
        if (job_wait (job, WAIT_MS, err))
            return -1;
    }
}

//  The one reason for which QEMU refuses is that it does not run.
int qemu_nbd_stop (job_t *job, const qemu_nbd_t *server, error_t *err)
{
    error_t why = { 0 };
    if (wait_for_clients (job, server, err))
        return -1;
    if (qemu_tell (job, "nbd-server-stop", NULL, STOP_MS, &why) == 0 ||
        why.code == ERR_OPERATION_FAILED)
        return 0;
    *err = why;
    return -1;
}
