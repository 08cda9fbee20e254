//  lxc_privileges.c: which capabilities a container has (capabilities(7), and "Altering the
//  available capabilities" of libvirt's "LXC container driver" page).

#include "drivers/lxc/lxc_parts.h"

#include <string.h>

//  OWN: in a network namespace of its own. What is left out by default reaches past the namespaces:
//  the host's devices, clock, modules, logs, mounts, processes, or other containers' share.
typedef enum {
    BY_REQUEST,
    DEFAULT,
    OWN_NETWORK
} keep_t;

static const struct {
    const char *name;
    keep_t keep;
} capabilities[] = {
    { "chown", DEFAULT },
    { "dac_override", DEFAULT },
    { "fowner", DEFAULT },
    { "fsetid", DEFAULT },
    { "kill", DEFAULT },
    { "setgid", DEFAULT },
    { "setuid", DEFAULT },
    { "setpcap", DEFAULT },
    { "ipc_owner", DEFAULT },
    { "sys_chroot", DEFAULT },
    { "sys_boot", DEFAULT },
    { "lease", DEFAULT },
    { "audit_write", DEFAULT },
    { "setfcap", DEFAULT },
    { "ipc_lock", DEFAULT },
    { "net_bind_service", DEFAULT },
    { "net_admin", OWN_NETWORK },
    { "net_raw", OWN_NETWORK },
    { "net_broadcast", OWN_NETWORK },
    { "audit_control", BY_REQUEST },
    { "audit_read", BY_REQUEST },
    { "block_suspend", BY_REQUEST },
    { "bpf", BY_REQUEST },
    { "checkpoint_restore", BY_REQUEST },
    { "dac_read_search", BY_REQUEST },
    { "linux_immutable", BY_REQUEST },
    { "mac_admin", BY_REQUEST },
    { "mac_override", BY_REQUEST },
    { "mknod", BY_REQUEST },
    { "perfmon", BY_REQUEST },
    { "sys_admin", BY_REQUEST },
    { "sys_module", BY_REQUEST },
    { "sys_nice", BY_REQUEST },
    { "sys_pacct", BY_REQUEST },
    { "sys_ptrace", BY_REQUEST },
    { "sys_rawio", BY_REQUEST },
    { "sys_resource", BY_REQUEST },
    { "sys_time", BY_REQUEST },
    { "sys_tty_config", BY_REQUEST },
    { "syslog", BY_REQUEST },
    { "wake_alarm", BY_REQUEST },
};

#define CAPABILITY_COUNT (sizeof capabilities / sizeof *capabilities)

bool lxc_capability_known (const char *name)
{
    for (size_t i = 0; i < CAPABILITY_COUNT; i++)
        if (strcmp (capabilities[i].name, name) == 0)
            return true;
    return false;
}

static bool is_kept (const xml_node_t *domain, size_t index)
{
    const xml_node_t *policy = xml_find (domain, "features/capabilities");
    const xml_node_t *own = policy ? xml_find (policy, capabilities[index].name) : NULL;
    keep_t keep = capabilities[index].keep;
    if (own && xml_string (own, "@state"))
        return xml_equals (own, "@state", "on");
    //  Without the attribute it is the default.
    if (policy &&
        (xml_equals (policy, "@policy", "allow") || xml_equals (policy, "@policy", "deny")))
        return xml_equals (policy, "@policy", "allow");
    return keep == DEFAULT || (keep == OWN_NETWORK && lxc_has_network (domain));
}

strings_t *lxc_capabilities_kept (const xml_node_t *domain)
{
    strings_t *kept = strings_new ();
    for (size_t i = 0; i < CAPABILITY_COUNT; i++)
        if (is_kept (domain, i))
            strings_add (kept, capabilities[i].name);
    return kept;
}
