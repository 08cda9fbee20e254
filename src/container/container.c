//  container.c: troupe-container, the supervisor of one container. It outlives the daemon, is
//  init's parent, holds the consoles, and knows how the container ended (container_protocol.h). It
//  has one thread, and waits in one place.

#include "container/container_state.h"
#include "util/auto.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <unistd.h>

//  Linux 6.3; newer than the C library's headers may be.
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010u
#endif

enum {
    POLL_SIGNAL,
    POLL_WATCHER,
    POLL_MONITOR,
    POLL_ENTRANCE = POLL_MONITOR + 2,
    POLL_CONSOLES = POLL_ENTRANCE + CONTAINER_ENTRANCE_POLLS,
    POLL_MAX = POLL_CONSOLES + 2 * CONTAINER_CONSOLES_MAX
};

//  True: this process runs from a file in memory that nobody can change.
static bool is_sealed (int program)
{
    int seals = fcntl (program, F_GET_SEALS);
    return seals >= 0 && (seals & F_SEAL_WRITE);
}

static int copy_program (int from)
{
    int to = memfd_create ("troupe-container", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
    if (to < 0 && errno == EINVAL) //  a kernel before 6.3: all of them can be executed
        to = memfd_create ("troupe-container", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    ssize_t count;
    do
        count = to < 0 ? -1 : sendfile (to, from, NULL, INT32_MAX);
    while (count > 0);
    return count < 0 ||
                   fcntl (to, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
               ? -1
               : to;
}

//  Init executes whatever its root has under the name, which may lead to /proc/self/exe: this
//  program. From there the container's root could write to it, were it the host's file.
static int leave_file (char **argv)
{
    autoclose int own = open ("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (own >= 0 && is_sealed (own))
        return prctl (PR_SET_NAME, "troupe-container");
    int copy = own < 0 ? -1 : copy_program (own);
    return copy < 0 ? -1 : fexecve (copy, argv, environ);
}

static int open_signals (void)
{
    sigset_t signals;
    sigemptyset (&signals);
    sigaddset (&signals, SIGCHLD);
    sigaddset (&signals, SIGTERM);
    if (sigprocmask (SIG_BLOCK, &signals, NULL))
        return -1;
    return signalfd (-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void take_signals (container_t *self, int fd)
{
    struct signalfd_siginfo info;
    while (read (fd, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGTERM) {
            container_init_end (&self->init);
            container_given_return (&self->given, &self->spec);
            exit (0);
        }
        container_reap (self);
    }
}

static void take_watches (container_t *self)
{
    union {
        struct inotify_event event;
        char bytes[4096];
    } buffer;
    ssize_t size = read (self->watcher, buffer.bytes, sizeof buffer.bytes);
    for (ssize_t at = 0; at < size;) {
        struct inotify_event event;
        memcpy (&event, buffer.bytes + at, sizeof event);
        for (size_t i = 0; i < self->console_count; i++)
            container_console_opened (&self->consoles[i], event.wd);
        at += (ssize_t) (sizeof event + event.len);
    }
}

static void turn (container_t *self, struct pollfd polls[POLL_MAX])
{
    size_t consoles = self->console_count;
    polls[POLL_WATCHER] = (struct pollfd){ .fd = self->watcher, .events = POLLIN };
    container_monitor_wait (&self->monitor, &polls[POLL_MONITOR]);
    container_entrance_wait (&self->entrance, &polls[POLL_ENTRANCE]);
    for (size_t i = 0; i < consoles; i++)
        container_console_wait (&self->consoles[i], &polls[POLL_CONSOLES + 2 * i]);
    if (poll (polls, POLL_CONSOLES + 2 * consoles, -1) < 0)
        return;
    //  Output first: the last words of an init that ended are still in its terminal.
    for (size_t i = 0; i < consoles; i++)
        container_console_move (&self->consoles[i], &polls[POLL_CONSOLES + 2 * i]);
    if (polls[POLL_WATCHER].revents)
        take_watches (self);
    if (polls[POLL_SIGNAL].revents)
        take_signals (self, polls[POLL_SIGNAL].fd);
    container_monitor_move (&self->monitor, &polls[POLL_MONITOR]);
    container_entrance_move (&self->entrance, &polls[POLL_ENTRANCE], &self->spec,
                             self->stage == CONTAINER_RUNNING ? self->init.pid : 0);
}

static int fail (const char *what)
{
    fprintf (stderr, "troupe-container: %s: %s\n", what, strerror (errno));
    return 2;
}

int main (int argc, char **argv)
{
    (void) argc;
    container_t self = { .init.control = -1, .given.home = -1, .user = -1, .how = "" };
    struct pollfd polls[POLL_MAX] = { { .events = POLLIN } };
    if (leave_file (argv))
        return fail ("run from a file of its own");
    polls[POLL_SIGNAL].fd = open_signals ();
    self.watcher = inotify_init1 (IN_CLOEXEC | IN_NONBLOCK);
    if (polls[POLL_SIGNAL].fd < 0 || self.watcher < 0 ||
        fcntl (CONTAINER_SOCKET_FD, F_SETFD, FD_CLOEXEC) ||
        fcntl (CONTAINER_ENTRANCE_FD, F_SETFD, FD_CLOEXEC))
        return fail ("the daemon starts this program, with sockets as descriptors 3 and 4");
    container_entrance_open (&self.entrance, CONTAINER_ENTRANCE_FD);
    container_monitor_open (&self.monitor, CONTAINER_SOCKET_FD, container_command, &self);
    for (;;)
        turn (&self, polls);
}
