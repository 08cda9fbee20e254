//  jobs_iotune.c: limits of a domain's disks are set, or shown.

#include "actors/jobs/jobs.h"

#include "drivers/iotune.h"
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
