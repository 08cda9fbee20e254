//  container_filter.c: system calls that namespaces do not confine: they concern the one kernel
//  that all containers share. (seccomp(2).)

#include "container/container_privileges.h"
#include "util/auto.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>

//  They get EPERM, as without the capability.
static const char *const refused[] = {
    "kexec_load",
    "kexec_file_load",
    "init_module",
    "finit_module",
    "delete_module",
    "bpf",
    "perf_event_open",
    "userfaultfd",
    "swapon",
    "swapoff",
    "acct",
    "quotactl",
    "quotactl_fd",
    "iopl",
    "ioperm",
    "lookup_dcookie",
    "nfsservctl",
    "settimeofday",
    "stime",
    "clock_settime",
    "clock_settime64",
    "adjtimex",
    "clock_adjtime",
    "clock_adjtime64",
    "syslog",
    "open_by_handle_at",
    "add_key",
    "request_key",
    "keyctl",
    "uselib",
    "vhangup",
    "pidfd_getfd",
};

static int refuse (scmp_filter_ctx filter, const char *name)
{
    int number = seccomp_syscall_resolve_name (name);
    //  Which this library does not know, this build of it can't refuse; which another architecture
    //  has, it handles by itself.
    if (number == __NR_SCMP_ERROR)
        return 0;
    return seccomp_rule_add (filter, SCMP_ACT_ERRNO (EPERM), number, 0);
}

//  In a user namespace of its own a process has all capabilities, and reaches parts of the kernel
//  that are otherwise root's. The flags of clone3 are in memory, where a filter can't look: "no
//  such call" makes the C libraries take clone.
static int refuse_nesting (scmp_filter_ctx filter)
{
    const struct scmp_arg_cmp flag = SCMP_A0 (SCMP_CMP_MASKED_EQ, CLONE_NEWUSER, CLONE_NEWUSER);
    int rc = seccomp_rule_add_array (filter, SCMP_ACT_ERRNO (EPERM), SCMP_SYS (unshare), 1, &flag);
    if (rc == 0)
        rc = seccomp_rule_add_array (filter, SCMP_ACT_ERRNO (EPERM), SCMP_SYS (clone), 1, &flag);
    if (rc == 0)
        rc = seccomp_rule_add (filter, SCMP_ACT_ERRNO (ENOSYS), SCMP_SYS (clone3), 0);
    return rc;
}

static int fill (scmp_filter_ctx filter, bool nested)
{
    //  32-bit programs are fine on a 64-bit kernel, and refused the same.
    int rc =
        seccomp_arch_native () == SCMP_ARCH_X86_64 ? seccomp_arch_add (filter, SCMP_ARCH_X86) : 0;
    //  The filter must not make a program with more rights run with less of its own.
    if (rc == 0)
        rc = seccomp_attr_set (filter, SCMP_FLTATR_CTL_NNP, 0);
    for (size_t i = 0; rc == 0 && i < sizeof refused / sizeof *refused; i++)
        rc = refuse (filter, refused[i]);
    if (rc == 0 && !nested)
        rc = refuse_nesting (filter);
    return rc ? rc : seccomp_load (filter);
}

int container_filter_load (bool nested, error_t *err)
{
    scmp_filter_ctx filter = seccomp_init (SCMP_ACT_ALLOW);
    int rc = filter ? fill (filter, nested) : -ENOMEM;
    seccomp_release (filter);
    if (rc == 0)
        return 0;
    errno = -rc;
    return error_errno (err, ERR_SYSTEM_ERROR, "filter the container's system calls");
}
