//  real_job.h: a job for tests that really starts programs and really talks QMP, in the simplest
//  way that can work: one thread, blocking, no daemon.

#ifndef TROUPE_REAL_JOB_H
#define TROUPE_REAL_JOB_H

#include "drivers/undo.h"
#include "fake_job.h"
#include "folder.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

typedef struct real_job real_job_t;

struct real_job {
    fake_job_t fake; //  first; what is not replaced below is the fake's
    //  Called whenever the job waits; true cancels it.
    bool (*on_wait) (real_job_t *self);
    int waits;
    bool cancelled, unwinding;
    pid_t pid;
    int go; //  the child waits to read from it
    FILE *qmp;
    int qmp_fd;
    char *caps;
    char root[UNIT_PATH_SIZE];
};

static inline int64_t real_now (job_t *job)
{
    (void) job;
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static inline int real_check (real_job_t *self, error_t *err)
{
    if (!self->cancelled || self->unwinding)
        return 0;
    return error_set (err, ERR_OPERATION_ABORTED, "the test cancelled it");
}

static inline int real_wait (job_t *job, int ms, error_t *err)
{
    real_job_t *self = (real_job_t *) job;
    self->waits++;
    if (self->on_wait && !self->unwinding && self->on_wait (self))
        self->cancelled = true;
    poll (NULL, 0, ms);
    return real_check (self, err);
}

//  Nobody tells it of events.
static inline int real_wait_device (job_t *job, const char *alias, int ms, device_fate_t *fate,
                                    error_t *err)
{
    (void) alias;
    *fate = FATE_UNKNOWN;
    return job->ops->wait (job, ms < 50 ? ms : 50, err);
}

//  What the actor of a job does when its driver failed.
static inline void real_unwind (real_job_t *self)
{
    error_t err = { 0 };
    self->unwinding = true;
    self->fake.job.unsure = false;
    while (self->fake.undo_count > 0) {
        fake_undo_t entry = self->fake.undos[--self->fake.undo_count];
        if (!self->fake.job.unsure && undo_run (&self->fake.job, entry.kind, entry.argument, &err))
            fake_log (&self->fake.job, err.message);
    }
    self->unwinding = self->cancelled = false;
}

static inline int real_listen (const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf (address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket (AF_UNIX, SOCK_STREAM, 0);
    if (bind (fd, (struct sockaddr *) &address, sizeof address) || listen (fd, 1))
        abort ();
    return fd;
}

static inline void real_child (const spawn_t *spawn, int go)
{
    char byte;
    int log = open (spawn->log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2 (log, 1);
    dup2 (log, 2);
    if (read (go, &byte, 1) == 1)
        execve (spawn->argv[0], (char **) spawn->argv, (char **) spawn->env);
    _exit (127);
}

static inline int real_spawn (job_t *job, const spawn_t *spawn, process_t *process, error_t *err)
{
    real_job_t *self = (real_job_t *) job;
    int pipes[2];
    if (pipe2 (pipes, O_CLOEXEC))
        abort ();
    int listening = real_listen (spawn->listen[0].path);
    self->pid = fork ();
    if (self->pid == 0) {
        int go = fcntl (pipes[0], F_DUPFD_CLOEXEC, 20);
        int socket = fcntl (listening, F_DUPFD_CLOEXEC, 21);
        dup2 (socket, spawn->listen[0].fd);
        real_child (spawn, go);
    }
    close (pipes[0]);
    close (listening);
    self->go = pipes[1];
    return process_identify (self->pid, process, err);
}

static inline int real_go (job_t *job, const process_t *process, error_t *err)
{
    real_job_t *self = (real_job_t *) job;
    (void) process;
    ssize_t wrote = write (self->go, "g", 1);
    close (self->go);
    return wrote == 1 ? 0 : error_set (err, ERR_OPERATION_FAILED, "the child is gone");
}

static inline int real_kill (job_t *job, const process_t *process, int signal, error_t *err)
{
    (void) job;
    return kill (process->pid, signal) ? error_errno (err, ERR_SYSTEM_ERROR, "kill") : 0;
}

static inline int real_wait_exit (job_t *job, const process_t *process, int ms, error_t *err)
{
    (void) job;
    for (int waited = 0; waited <= ms; waited += 5) {
        pid_t done = waitpid (process->pid, NULL, WNOHANG);
        if (done == process->pid || (done < 0 && errno == ECHILD))
            return 0;
        poll (NULL, 0, 5);
    }
    return error_set (err, ERR_OPERATION_TIMEOUT, "the process is still there");
}

//  The next line that is no event; NULL at the end of file.
static inline json_t *real_line (real_job_t *self)
{
    char *line = NULL;
    size_t room = 0;
    json_t *json = NULL;
    while (!json && getline (&line, &room, self->qmp) > 0) {
        json = json_loads (line, 0, NULL);
        if (json_object_get (json, "event")) {
            json_decref (json);
            json = NULL;
        }
    }
    free (line);
    return json;
}

//  TEXT, with the descriptor FILE unless that is -1.
static inline void real_send (real_job_t *self, const char *text, int file)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE (sizeof (int))];
    } control = { .head = { .cmsg_len = CMSG_LEN (sizeof (int)),
                            .cmsg_level = SOL_SOCKET,
                            .cmsg_type = SCM_RIGHTS } };
    struct iovec bytes = { (char *) text, strlen (text) };
    struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1 };
    if (file >= 0) {
        memcpy (CMSG_DATA (&control.head), &file, sizeof (int));
        message.msg_control = control.room;
        message.msg_controllen = sizeof control.room;
    }
    sendmsg (self->qmp_fd, &message, MSG_NOSIGNAL);
}

static inline json_t *real_command (real_job_t *self, const char *execute, json_t *arguments,
                                    int file, error_t *err)
{
    json_t *command = json_pack ("{s:s}", "execute", execute);
    if (arguments)
        json_object_set_new (command, "arguments", arguments);
    char *text = json_dumps (command, JSON_COMPACT);
    json_decref (command);
    if (self->qmp)
        real_send (self, text, file);
    free (text);
    json_t *answer = self->qmp ? real_line (self) : NULL;
    json_t *result = json_incref (json_object_get (answer, "return"));
    if (!result) {
        const char *why =
            json_string_value (json_object_get (json_object_get (answer, "error"), "desc"));
        error_set (err, ERR_OPERATION_FAILED, "%s", why ? why : "QEMU is gone");
    }
    json_decref (answer);
    return result;
}

static inline json_t *real_qmp (job_t *job, const char *execute, json_t *arguments, int ms,
                                error_t *err)
{
    real_job_t *self = (real_job_t *) job;
    (void) ms;
    if (fake_note (job, err, "qmp", execute) || real_check (self, err)) {
        json_decref (arguments);
        return NULL;
    }
    return real_command (self, execute, arguments, -1, err);
}

static inline json_t *real_qmp_file (job_t *job, const char *execute, json_t *arguments,
                                     const job_file_t *file, int ms, error_t *err)
{
    real_job_t *self = (real_job_t *) job;
    (void) ms;
    int fd = open (file->path, (file->write ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
    if (fd < 0 || lseek (fd, (off_t) file->offset, SEEK_SET) < 0)
        abort ();
    json_t *result = real_command (self, execute, arguments, fd, err);
    close (fd);
    return result;
}

static inline int real_monitor_open (job_t *job, const char *path, int ms, error_t *err)
{
    real_job_t *self = (real_job_t *) job;
    (void) ms;
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf (address.sun_path, sizeof address.sun_path, "%s", path);
    self->qmp_fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect (self->qmp_fd, (struct sockaddr *) &address, sizeof address))
        return error_errno (err, ERR_OPERATION_FAILED, "connect the monitor");
    self->qmp = fdopen (self->qmp_fd, "r+");
    json_t *greeting = real_line (self);
    if (!greeting)
        return error_set (err, ERR_OPERATION_FAILED, "QEMU ended before its greeting");
    json_decref (greeting);
    json_t *reply = real_qmp (job, "qmp_capabilities", NULL, 0, err);
    json_decref (reply);
    return reply ? 0 : -1;
}

static inline int real_monitor_close (job_t *job, error_t *err)
{
    real_job_t *self = (real_job_t *) job;
    (void) err;
    if (self->qmp)
        fclose (self->qmp);
    self->qmp = NULL;
    return 0;
}

static inline int real_remove_file (job_t *job, const char *path, error_t *err)
{
    (void) job;
    if (unlink (path) && errno != ENOENT)
        return error_errno (err, ERR_SYSTEM_ERROR, "remove '%s'", path);
    return 0;
}

static inline char *real_emulator (job_t *job, const char *path, error_t *err)
{
    (void) path;
    (void) err;
    return strdup (((real_job_t *) job)->caps);
}

//  Its folders are below a new one in /tmp.
static inline void real_job_init (real_job_t *self)
{
    static const char *const folders[] = { "", "/qemu" };
    memset (self, 0, sizeof *self);
    unit_new_folder (self->root);
    fake_job_init (&self->fake, self->root);
    char folder[128];
    snprintf (folder, sizeof folder, "%s%s", self->root, folders[1]);
    if (mkdir (folder, 0700))
        abort ();
}

static inline const job_ops_t *real_ops (job_ops_t *ops)
{
    *ops = fake_ops;
    ops->spawn = real_spawn;
    ops->go = real_go;
    ops->kill = real_kill;
    ops->wait_exit = real_wait_exit;
    ops->monitor_open = real_monitor_open;
    ops->monitor_close = real_monitor_close;
    ops->qmp = real_qmp;
    ops->qmp_file = real_qmp_file;
    ops->now = real_now;
    ops->wait = real_wait;
    ops->wait_device = real_wait_device;
    ops->remove_file = real_remove_file;
    ops->emulator = real_emulator;
    return ops;
}

static inline void real_job_remove (real_job_t *self)
{
    char command[128];
    snprintf (command, sizeof command, "rm -rf '%s'", self->root);
    if (system (command))
        abort ();
    free (self->caps);
}

#endif
