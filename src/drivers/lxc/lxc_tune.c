//  lxc_tune.c: a container's share of the host's resources: all of it is in its cgroups.

#include "drivers/cgroup/cgroup.h"
#include "drivers/lxc/lxc_parts.h"
#include "drivers/net/interface_tune.h"

//  As libvirt's "Domain XML format" page has it, a container's processors are not told apart: what
//  limits each of a guest's vcpus limits all of a container.
static const cgroup_scope_t scope = { .memory = true,
                                      .vcpus = true,
                                      .quota = "cputune/quota",
                                      .period = "cputune/period",
                                      .shares = "cputune/shares" };

//  It sees all of the host's processors, however many its document counts.
static int check_count (const job_t *job, const xml_t *before, error_t *err)
{
    static const char *const paths[] = { "vcpu", "vcpu/@current" };
    const xml_node_t *old = before ? xml_root (before) : NULL, *new = xml_root (job->guest->live);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (old && !text_equals (xml_string (old, paths[i]), xml_string (new, paths[i])))
            return error_set (
                err, ERR_CONFIG_UNSUPPORTED,
                "not supported: the number of vcpus of a container that runs; "
                "vcpu_quota limits the time that it gets, and config changes the number "
                "in its definition");
    return 0;
}

int lxc_tune (job_t *job, const xml_t *before, error_t *err)
{
    if (check_count (job, before, err))
        return -1;
    if (before && interface_tune (job, xml_root (before), err))
        return -1;
    return cgroup_tune (job, &scope, before, err);
}
