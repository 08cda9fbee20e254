//  container_ask.c: asks init to end: through its control pipe (SysV init's, which systemd can have
//  as well), or by a signal.

#include "container/container_ask.h"
#include "util/auto.h"
#include "util/file.h"
#include "util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

//  initreq.h of SysV init: what it reads from the pipe.
#define INIT_MAGIC 0x03091969
#define INIT_CMD_RUNLVL 1

typedef struct {
    int32_t magic, command, run_level, sleep;
    char reserved[368];
} init_request_t;

//  systemd(1), "Signals": SIGRTMIN+4 powers off, SIGRTMIN+5 reboots; SIGTERM does neither.
#define SYSTEMD_POWEROFF 4
#define SYSTEMD_REBOOT 5

//  Links inside must not lead to a file of the host.
static int open_inside (pid_t pid, const char *path)
{
    struct open_how how = { .flags = O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY,
                            .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
    autofree char *root = text_format ("/proc/%d/root", (int) pid);
    autoclose int folder = open (root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return folder < 0 ? -1 : (int) syscall (SYS_openat2, folder, path, &how, sizeof how);
}

//  False: nobody listens there.
static bool ask_by_pipe (const container_init_t *init, bool reboot)
{
    static const char *const paths[] = { "/run/initctl", "/dev/initctl", "/etc/.initctl" };
    init_request_t request = { .magic = INIT_MAGIC,
                               .command = INIT_CMD_RUNLVL,
                               .run_level = reboot ? '6' : '0' };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct stat status;
        autoclose int pipe = open_inside (init->pid, paths[i]);
        if (pipe >= 0 && fstat (pipe, &status) == 0 && S_ISFIFO (status.st_mode) &&
            write (pipe, &request, sizeof request) == sizeof request)
            return true;
    }
    return false;
}

//  The hexadecimal mask of signals in a line of /proc/PID/status (proc(5)).
static uint64_t signals_of (const char *status, const char *line)
{
    const char *at = status ? strstr (status, line) : NULL;
    return at ? strtoull (at + strlen (line), NULL, 16) : 0;
}

//  While it waits there the kernel shows the signals that it waits for as if they were not blocked.
static bool waits_for_signals (pid_t pid)
{
    error_t ignored;
    autofree char *path = text_format ("/proc/%d/syscall", (int) pid);
    autofree char *call = file_read (path, 4096, NULL, &ignored);
    return !call || strtol (call, NULL, 10) == SYS_rt_sigtimedwait;
}

//  For init, a signal that it does not handle is as none. False only if that is certain.
static bool handles (pid_t pid, int number)
{
    error_t ignored;
    if (waits_for_signals (pid))
        return true;
    autofree char *path = text_format ("/proc/%d/status", (int) pid);
    autofree char *status = file_read (path, 65536, NULL, &ignored);
    uint64_t mask = signals_of (status, "\nSigCgt:") | signals_of (status, "\nSigBlk:");
    return mask & (uint64_t) 1 << (number - 1);
}

static bool is_systemd (pid_t pid)
{
    error_t ignored;
    autofree char *path = text_format ("/proc/%d/comm", (int) pid);
    autofree char *name = file_read (path, 64, NULL, &ignored);
    return name && strcmp (name, "systemd\n") == 0;
}

static int ask_by_signal (const container_init_t *init, bool reboot, error_t *err)
{
    int number =
        !is_systemd (init->pid) ? SIGTERM : SIGRTMIN + (reboot ? SYSTEMD_REBOOT : SYSTEMD_POWEROFF);
    if (!handles (init->pid, number))
        return error_set (
            err, ERR_OPERATION_FAILED,
            "ask the container: its init does not handle signal %d, and listens at no "
            "initctl pipe; end it from inside, or destroy the domain",
            number);
    //  It is our child, and not reaped: the pid is its own.
    if (kill (init->pid, number))
        return error_errno (err, ERR_SYSTEM_ERROR, "send init signal %d", number);
    return 0;
}

int container_ask (const container_init_t *init, const char *mode, bool reboot, error_t *err)
{
    bool pipe = !mode || strcmp (mode, "initctl") == 0;
    if (pipe && ask_by_pipe (init, reboot))
        return 0;
    if (mode && pipe)
        return error_set (
            err, ERR_OPERATION_FAILED,
            "ask the container: nobody in it listens at an initctl pipe; use the mode "
            "'signal'");
    return ask_by_signal (init, reboot, err);
}
