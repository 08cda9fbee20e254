//  container_clone.c: children that are in other namespaces than their parent. (clone(2).)

#include "container/container_clone.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
    pid_t pid;
    error_t err;
} cloned_t;

void container_await (pid_t pid)
{
    while (waitpid (pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

//  CLONE_PARENT: a child of the helper's parent.
static pid_t clone_sibling (container_place_fn *place, const void *arg, int report,
                            unsigned long flags, error_t *err)
{
    //  Nobody inside may look into a process of the host's root.
    prctl (PR_SET_DUMPABLE, 0, 0, 0, 0);
    if (place (arg, report, err))
        return -1;
    pid_t pid = (pid_t) syscall (SYS_clone, flags | CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid < 0)
        error_errno (err, ERR_SYSTEM_ERROR, "make a process in the container");
    return pid;
}

pid_t container_clone (container_place_fn *place, const void *arg, unsigned long flags,
                       error_t *err)
{
    int ends[2];
    cloned_t cloned = { .pid = -1 };
    if (pipe2 (ends, O_CLOEXEC))
        return error_errno (err, ERR_SYSTEM_ERROR, "make a pipe");
    pid_t helper = fork ();
    if (helper == 0) {
        cloned.pid = clone_sibling (place, arg, ends[1], flags, &cloned.err);
        if (cloned.pid == 0) {
            close (ends[0]);
            close (ends[1]);
            return 0;
        }
        (void) !write (ends[1], &cloned, sizeof cloned);
        _exit (0);
    }
    error_set (&cloned.err, ERR_OPERATION_FAILED, "make a process in the container: interrupted");
    close (ends[1]);
    if (helper > 0) {
        container_await (helper);
        (void) !read (ends[0], &cloned, sizeof cloned);
    }
    close (ends[0]);
    if (cloned.pid < 0)
        *err = cloned.err;
    return cloned.pid;
}
