//  jobs_balloon.c: how often a guest's balloon tells of its memory.

#include "actors/jobs/jobs.h"

#define WHAT "set the period of memory statistics"

static int edit (xml_t *doc, uint64_t period, error_t *err)
{
    xml_node_t *balloon = xml_find (xml_root (doc), "devices/memballoon");
    if (!balloon || xml_equals (balloon, "@model", "none"))
        return error_set (err, ERR_OPERATION_INVALID,
                          "it has no balloon, which tells of its memory; add <memballoon "
                          "model='virtio'/> to its definition");
    if (period > 0)
        xml_set_u64 (balloon, "stats/@period", period);
    else
        xml_remove_path (balloon, "stats");
    return 0;
}

static int tell_guest (job_actor_t *self, uint64_t period, error_t *err)
{
    if (!self->driver->control)
        return error_set (err, ERR_NO_SUPPORT, "not supported: the driver '%s' has no balloons",
                          self->driver->name);
    json_auto_t *args = json_pack ("{s:I}", "period", (json_int_t) period);
    json_auto_t *done = self->driver->control (&self->base, "balloon_period", args, err);
    return done ? 0 : -1;
}

static int set_period (job_actor_t *self, bool live, bool config, error_t *err)
{
    guest_t *guest = self->base.guest;
    uint64_t period = 0;
    value_u64 (job_arg (self, "period"), &period);
    if (period > INT32_MAX)
        return error_set (err, ERR_INVALID_ARG, "%llu seconds are too many",
                          (unsigned long long) period);
    if (config && edit (guest->definition, period, err))
        return -1;
    return live && (edit (guest->live, period, err) || tell_guest (self, period, err)) ? -1 : 0;
}

int job_run_memory_stats_period (job_actor_t *self, error_t *err)
{
    bool live, config;
    if (job_scope (self, WHAT, &live, &config, err))
        return -1;
    if (set_period (self, live, config, err))
        return error_prefix (err, WHAT " of domain '%s'", self->base.guest->name);
    self->parts = (live ? PART_LIVE : 0u) | (config ? PART_DEFINITION : 0u);
    return 0;
}
