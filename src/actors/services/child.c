//  child.c: one process that the spawner knows.

#include "actors/services/child.h"

#include "util/launch.h"
#include "util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static void destroy_msg (void **item_p)
{
    msg_destroy ((msg_t **) item_p);
}

static child_t *child_new (child_state_t state)
{
    child_t *self = memory_new (1, sizeof *self);
    self->state = state;
    self->pidfd = self->socket = -1;
    self->waits = zlistx_new ();
    zlistx_set_destructor (self->waits, destroy_msg);
    return self;
}

void child_destroy (child_t **self_p)
{
    child_t *self = take (self_p);
    if (!self)
        return;
    child_hang_up (self);
    if (self->pidfd >= 0)
        close (self->pidfd);
    msg_destroy (&self->spawn_request);
    msg_destroy (&self->go_request);
    zlistx_destroy (&self->waits);
    free (self->program);
    free (self);
}

void child_hang_up (child_t *self)
{
    if (self->socket >= 0)
        close (self->socket);
    self->socket = -1;
    free (take (&self->spec));
    free (take (&self->answer));
}

//  The launcher with its end of the socket as LAUNCH_FD. All our other descriptors are
//  close-on-exec.
static int spawn_launcher (const char *launcher, int end, pid_t *pid, error_t *err)
{
    char name[] = "troupe-launch";
    char *argv[] = { name, NULL }, *env[] = { NULL };
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init (&actions);
    posix_spawn_file_actions_adddup2 (&actions, end, LAUNCH_FD);
    const int number = posix_spawn (pid, launcher, &actions, NULL, argv, env);
    posix_spawn_file_actions_destroy (&actions);
    if (number == 0)
        return 0;
    errno = number;
    error_errno (err, ERR_OPERATION_FAILED,
                 "execute the launcher '%s' (a part of troupe's installation)", launcher);
    err->retry = number == EAGAIN || number == ENOMEM;
    return -1;
}

//  Without a pidfd we would not see its end: then it must not stay.
static int watch_launcher (child_t *self, pid_t pid, error_t *err)
{
    siginfo_t info;
    self->pidfd = (int) syscall (SYS_pidfd_open, pid, 0);
    if (self->pidfd >= 0)
        return 0;
    error_errno (err, ERR_SYSTEM_ERROR, "open process %d", (int) pid);
    kill (pid, SIGKILL); //  it is ours and was not reaped: the pid is its own
    waitid (P_PID, (id_t) pid, &info, WEXITED | WNOHANG);
    return -1;
}

static int start_launcher (child_t *self, const char *launcher, error_t *err)
{
    int ends[2];
    pid_t pid;
    if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
        return error_errno (err, ERR_SYSTEM_ERROR, "make a socket for the launcher");
    self->socket = ends[0];
    //  Keeps a number for the pidfd, so that it is not the one thing that fails.
    const int spare = fcntl (ends[0], F_DUPFD_CLOEXEC, 0);
    const int failed = spawn_launcher (launcher, ends[1], &pid, err);
    close (ends[1]);
    if (spare >= 0)
        close (spare);
    if (failed || watch_launcher (self, pid, err))
        return -1;
    if (process_identify (pid, &self->process, err) == 0)
        process_to_text (&self->process, self->text);
    else
        self->state = CHILD_LEAVING;
    return 0;
}

child_t *child_spawn (const char *launcher, char **spec_p, size_t spec_size, error_t *err)
{
    auto(child_t) self = child_new (CHILD_PREPARING);
    self->spawned = true;
    self->spec = take (spec_p);
    self->spec_size = spec_size;
    self->answer = memory_new (1, LAUNCH_ANSWER_MAX);
    return start_launcher (self, launcher, err) ? NULL : take (&self);
}

child_t *child_adopt (const process_t *process, error_t *err)
{
    auto(child_t) self = child_new (CHILD_RUNNING);
    self->process = *process;
    process_to_text (process, self->text);
    self->pidfd = process_open (process, err);
    return self->pidfd < 0 ? NULL : take (&self);
}

bool child_send_spec (child_t *self)
{
    while (self->spec_sent < self->spec_size) {
        const ssize_t count = send (self->socket, self->spec + self->spec_sent,
                                    self->spec_size - self->spec_sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count < 0)
            return errno != EAGAIN && errno != EINTR;
        self->spec_sent += (size_t) count;
    }
    free (take (&self->spec));
    return true;
}

bool child_send_go (child_t *self)
{
    //  The spec was read, so the socket's buffer is empty and takes three bytes.
    const ssize_t size = sizeof LAUNCH_GO - 1;
    return send (self->socket, LAUNCH_GO, (size_t) size, MSG_NOSIGNAL | MSG_DONTWAIT) == size;
}

//  The next answer of those that were received.
static child_heard_t next_answer (child_t *self, error_t *err)
{
    size_t used;
    const launch_answer_t answer = launch_answer (self->answer, self->answer_size, &used, err);
    self->answer_size -= used;
    memmove (self->answer, self->answer + used, self->answer_size);
    return answer == LAUNCH_READY    ? HEARD_READY
           : answer == LAUNCH_FAILED ? HEARD_ERROR
                                     : HEARD_NOTHING;
}

child_heard_t child_hear (child_t *self, error_t *err)
{
    const child_heard_t heard = next_answer (self, err);
    if (heard != HEARD_NOTHING)
        return heard;
    const ssize_t count = recv (self->socket, self->answer + self->answer_size,
                                LAUNCH_ANSWER_MAX - self->answer_size, MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return HEARD_NOTHING;
    //  ECONNRESET: its end was closed with something of ours unread, so it did not see "go".
    if (count <= 0)
        return count == 0 ? HEARD_END : HEARD_DEATH;
    self->answer_size += (size_t) count;
    return next_answer (self, err);
}

int child_kill (const child_t *self, int signal, error_t *err)
{
    if (syscall (SYS_pidfd_send_signal, self->pidfd, signal, NULL, 0) && errno != ESRCH)
        return error_errno (err, ERR_SYSTEM_ERROR, "send signal %d to process %d", signal,
                            (int) self->process.pid);
    return 0;
}

bool child_reap (child_t *self, child_end_t *end)
{
    siginfo_t info = { 0 };
    *end = (child_end_t){ -1, 0 };
    //  P_PIDFD: a pid could be another's by now. What is not our child (ECHILD) is not ours to
    //  reap.
    if (waitid (P_PIDFD, (id_t) self->pidfd, &info, WEXITED | WNOHANG))
        return errno == ECHILD;
    if (info.si_pid == 0)
        return false;
    if (info.si_code == CLD_EXITED)
        end->code = info.si_status;
    else
        end->signal = info.si_status;
    return true;
}
