//  container_privileges.c: identity and capabilities of a container's init (capabilities(7)).

#include "container/container_privileges.h"
#include "util/auto.h"

#include <errno.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <sys/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool is_kept (const container_spec_t *spec, cap_value_t cap)
{
    return spec->keep & (uint64_t) 1 << cap;
}

//  What is not in the bounding set can't be got again, by no program that init executes.
static int drop_bounding_set (const container_spec_t *spec, error_t *err)
{
    for (cap_value_t cap = 0; cap < cap_max_bits (); cap++)
        if (!is_kept (spec, cap) && cap_get_bound (cap) == 1 && cap_drop_bound (cap))
            return error_errno (err, ERR_SYSTEM_ERROR, "drop capability %d", (int) cap);
    return 0;
}

//  Those that the daemon has itself, and that are to be kept. An init that is no root has none, as
//  after any login. Nobody has inheritable ones, which the daemon has for its helpers: the bounding
//  set does not hold them back from a program with the set-user-ID bit.
static int set_capabilities (const container_spec_t *spec, bool root, error_t *err)
{
    cap_t own = cap_get_proc (), kept = cap_init ();
    bool failed = !own || !kept || cap_reset_ambient ();
    for (cap_value_t cap = 0; !failed && cap < cap_max_bits (); cap++) {
        cap_flag_value_t has = CAP_CLEAR;
        failed = cap_get_flag (own, cap, CAP_PERMITTED, &has) != 0;
        if (!failed && root && has == CAP_SET && is_kept (spec, cap))
            failed = cap_set_flag (kept, CAP_PERMITTED, 1, &cap, CAP_SET) ||
                     cap_set_flag (kept, CAP_EFFECTIVE, 1, &cap, CAP_SET);
    }
    failed = failed || cap_set_proc (kept);
    int number = errno;
    cap_free (own);
    cap_free (kept);
    errno = number;
    return failed ? error_errno (err, ERR_SYSTEM_ERROR, "drop capabilities") : 0;
}

static int set_identity (const container_user_t *user, error_t *err)
{
    if (setgroups (0, NULL) || setresgid (user->gid, user->gid, user->gid) ||
        setresuid (user->uid, user->uid, user->uid))
        return error_errno (err, ERR_SYSTEM_ERROR, "become user %u, group %u in the container",
                            user->uid, user->gid);
    return 0;
}

//  The keys of whoever started the daemon are none of the container's. A kernel without keyrings
//  has none.
static int leave_keyring (error_t *err)
{
    if (syscall (SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS)
        return error_errno (err, ERR_SYSTEM_ERROR, "leave the daemon's keyring");
    return 0;
}

int container_privileges_drop (const container_spec_t *spec, const container_user_t *user,
                               error_t *err)
{
    bool nested = is_kept (spec, CAP_SYS_ADMIN);
    bool failed = leave_keyring (err) || container_filter_load (nested, err) ||
                  drop_bounding_set (spec, err) || set_identity (user, err) ||
                  set_capabilities (spec, user->uid == 0, err);
    return failed ? -1 : 0;
}
