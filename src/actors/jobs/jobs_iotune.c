//  jobs_iotune.c: what is set of single devices: limits of disks and interfaces, what the balloon
//  tells.

#include "actors/jobs/jobs.h"

#include "drivers/iotune.h"
#include "drivers/net/interface_tune.h"
#include "msg/msg.h"

static int edit_limits (job_actor_t *self, xml_node_t *domain, error_t *err)
{
    return iotune_set (domain, value_str (job_arg (self, "disk")), msg_arg (self->start, "args"),
                       err);
}

int job_run_block_tune (job_actor_t *self, error_t *err)
{
    return job_change (self, "limit a disk", edit_limits, err);
}

static int edit_bandwidth (job_actor_t *self, xml_node_t *domain, error_t *err)
{
    return interface_tune_set (domain, value_str (job_arg (self, "interface")),
                               msg_arg (self->start, "args"), err);
}

int job_run_interface_tune (job_actor_t *self, error_t *err)
{
    return job_change (self, "limit an interface", edit_bandwidth, err);
}

static int edit_period (job_actor_t *self, xml_node_t *domain, error_t *err)
{
    uint64_t seconds = 0;
    value_u64 (job_arg (self, "seconds"), &seconds);
    xml_node_t *balloon = xml_find (domain, "devices/memballoon");
    if (seconds > INT32_MAX)
        return error_set (err, ERR_INVALID_ARG, "%llu s: it can be from 0 to %d",
                          (unsigned long long) seconds, INT32_MAX);
    if (!balloon || xml_equals (balloon, "@model", "none"))
        return error_set (
            err, ERR_OPERATION_INVALID,
            "it has no balloon, whose driver in the guest could tell; add <memballoon "
            "model='virtio'/> to its definition");
    if (seconds)
        xml_set_u64 (balloon, "stats/@period", seconds);
    else
        xml_remove_path (balloon, "stats");
    return 0;
}

int job_run_memory_period (job_actor_t *self, error_t *err)
{
    return job_change (self, "set the period of memory statistics", edit_period, err);
}
