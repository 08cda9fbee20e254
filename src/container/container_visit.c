//  container_visit.c: a process in a running container: enters its namespaces, gets a terminal of
//  its own or what it was given, and gives up what init gave up.

#include "container/container_clone.h"
#include "container/container_enter.h"
#include "container/container_idmap.h"
#include "container/container_init.h"
#include "container/container_privileges.h"
#include "util/auto.h"
#include "util/descriptors.h"
#include "util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static const container_user_t root = { 0 };

//  The helper is outside the container's pid namespace. What comes after it can be seen from
//  inside, and traced with sys_ptrace, so it has nothing any more that the container does not have.
static int enter (const void *arg, int report, error_t *err)
{
    const container_program_t *self = arg;
    const int kept[] = {
        self->fds[0], self->fds[1], self->fds[2], self->control, self->go, report
    };
    descriptors_close_others (kept, sizeof kept / sizeof *kept);
    bool mapped = *self->spec->uid_map;
    const int flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWCGROUP |
                      CLONE_NEWNET | (mapped ? CLONE_NEWUSER : 0);
    autoclose int process = (int) syscall (SYS_pidfd_open, self->init, 0);
    if (process < 0 || setns (process, flags) || (mapped && container_idmap_become_root ()))
        return error_errno (err, ERR_SYSTEM_ERROR, "enter the container's namespaces");
    return container_privileges_drop (self->spec, &root, err);
}

//  A terminal of the container's own takes the place of what was given none: of the host's, it
//  would get at what else is typed there.
static int open_terminal (container_program_t *self, error_t *err)
{
    int slave;
    if (self->fds[0] >= 0 && self->fds[1] >= 0 && self->fds[2] >= 0)
        return 0;
    autoclose int master = container_child_terminal (&root, &slave, err);
    if (master < 0)
        return -1;
    if (descriptors_send (self->control, "terminal\n", &master, 1))
        return error_errno (err, ERR_SYSTEM_ERROR, "hand over the program's terminal");
    for (int i = 0; i < 3; i++)
        if (self->fds[i] < 0)
            self->fds[i] = slave;
    self->terminal = true;
    return 0;
}

static int execute (container_program_t *self, error_t *err)
{
    container_child_reset_signals ();
    umask (0022);
    if (chdir ("/"))
        return error_errno (err, ERR_SYSTEM_ERROR, "enter the container's root");
    if (open_terminal (self, err) || container_child_set_output (self->fds, self->terminal, err))
        return -1;
    environ = (char **) self->spec->env;
    execvp (self->argv[0], (char *const *) self->argv);
    return error_errno (err, ERR_OPERATION_FAILED, "execute '%s' in the container", self->argv[0]);
}

//  Not before it is in the container's cgroups.
static _Noreturn void run (const container_program_t *what)
{
    error_t err = { 0 };
    char byte;
    container_program_t self = *what;
    while (read (self.go, &byte, 1) < 0 && errno == EINTR)
        ;
    execute (&self, &err);
    autofree char *line = text_format ("error %s\n", err.message);
    descriptors_send (self.control, line, NULL, 0);
    _exit (127);
}

pid_t container_program_run (container_program_t *self, error_t *err)
{
    int go[2];
    if (pipe2 (go, O_CLOEXEC))
        return error_errno (err, ERR_SYSTEM_ERROR, "make a pipe");
    self->go = go[0];
    pid_t pid = container_clone (enter, self, 0, err);
    if (pid == 0)
        run (self);
    close (go[0]);
    if (pid > 0 && container_cgroup_move (self->spec, pid, err)) {
        kill (pid, SIGKILL);
        container_await (pid);
        pid = -1;
    }
    close (go[1]);
    return pid;
}
