//  rows_tune.c: a domain's share of the host: memory, virtual CPUs, limits, and where it runs.

#include "actors/libvirt/rpc_self.h"

//  Memory and virtual CPUs. What has no flags is about the running domain, or about the most that
//  there can be.

enum {
    LIVE = 1,
    CONFIG = 2,
    MAXIMUM = 4,
    IN_GUEST = 8,
    HOTPLUGGABLE = 16
};

static uint64_t flags_of (const rpc_call_t *call)
{
    return value_get_u64 (call->args, "flags", 0);
}

static int prepare_live (rpc_call_t *call, pack_t *args, error_t *err)
{
    (void) call, (void) err;
    pack_key_bool (args, "live", true);
    return 0;
}

static int prepare_maximum (rpc_call_t *call, pack_t *args, error_t *err)
{
    (void) call, (void) err;
    pack_key_bool (args, "maximum", true);
    return 0;
}

//  How many there are is known; how many of them the guest uses, only to its agent.
static int prepare_count (rpc_call_t *call, pack_t *args, error_t *err)
{
    (void) args;
    const snapshot_t *domain = rpc_domain (call, err);
    uint64_t flags = flags_of (call);
    if (!domain)
        return -1;
    if ((flags & LIVE) && (flags & CONFIG))
        return error_set (err, ERR_INVALID_ARG, "%s: live and config exclude each other",
                          call->entry->procedure->name);
    if ((flags & LIVE) && !rpc_running (call, err))
        return -1;
    if ((flags & CONFIG) && !domain->persistent)
        return error_set (err, ERR_OPERATION_INVALID,
                          "domain '%s' is transient: it has no definition", domain->name);
    if (flags & IN_GUEST)
        call->verb = verb_find ("domain.guest_vcpus");
    return 0;
}

static int prepare_set_count (rpc_call_t *call, pack_t *args, error_t *err)
{
    static const rpc_flag_t names[] = { { LIVE, "live" },
                                        { CONFIG, "config" },
                                        { MAXIMUM, "maximum" },
                                        { HOTPLUGGABLE, "hotpluggable" } };
    uint64_t flags = flags_of (call);
    if (flags & IN_GUEST) {
        call->verb = verb_find ("domain.guest_vcpus_set");
        return flags & (CONFIG | MAXIMUM | HOTPLUGGABLE)
                   ? error_set (err, ERR_INVALID_ARG, "%s: what the guest uses goes with live only",
                                call->entry->procedure->name)
                   : 0;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (flags & names[i].bit)
            pack_key_bool (args, names[i].arg, true);
    return 0;
}

static int prepare_vcpu (rpc_call_t *call, pack_t *args, error_t *err)
{
    int64_t state = value_get_i64 (call->args, "state", 0);
    pack_key_bool (args, "enable", state == 1);
    return state == 0 || state == 1
               ? 0
               : error_set (err, ERR_INVALID_ARG, "%s: the state %lld is neither 0 nor 1",
                            call->entry->procedure->name, (long long) state);
}

static int answer_count (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    const snapshot_t *domain = rpc_domain (call, err);
    uint64_t flags = flags_of (call);
    if (!domain)
        return -1;
    bool live = !(flags & CONFIG) && domain->id > 0;
    const char *key = flags & MAXIMUM ? (live ? "live_max" : "config_max")
                                      : (live ? "live_current" : "config_current");
    int64_t count = value_get_i64 (result, key, 0);
    if (flags & IN_GUEST)
        count = rpc_cpus_count (value_get_str (result, flags & MAXIMUM ? "vcpus" : "online"));
    pack_key_i64 (ret, "num", count);
    return 0;
}

//  Limits.

static int answer_scheduler (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) call, (void) err;
    pack_key_str (ret, "type", "posix");
    pack_key_u64 (ret, "nparams", value_count (result));
    return 0;
}

static const rpc_param_t memory_params[] = { { "hard_limit", PARAM_ULLONG, NULL },
                                             { "soft_limit", PARAM_ULLONG, NULL },
                                             { "swap_hard_limit", PARAM_ULLONG, NULL },
                                             { 0 } };

static const rpc_param_t blkio_params[] = { { "weight", PARAM_UINT, NULL },
                                            { "device_weight", PARAM_STRING, NULL },
                                            { "device_read_iops_sec", PARAM_STRING, NULL },
                                            { "device_write_iops_sec", PARAM_STRING, NULL },
                                            { "device_read_bytes_sec", PARAM_STRING, NULL },
                                            { "device_write_bytes_sec", PARAM_STRING, NULL },
                                            { 0 } };

static const rpc_param_t scheduler_params[] = {
    { "cpu_shares", PARAM_ULLONG, NULL },    { "vcpu_period", PARAM_ULLONG, NULL },
    { "vcpu_quota", PARAM_LLONG, NULL },     { "emulator_period", PARAM_ULLONG, NULL },
    { "emulator_quota", PARAM_LLONG, NULL }, { "global_period", PARAM_ULLONG, NULL },
    { "global_quota", PARAM_LLONG, NULL },   { "iothread_period", PARAM_ULLONG, NULL },
    { "iothread_quota", PARAM_LLONG, NULL }, { 0 },
};

static const rpc_param_t numa_params[] = { { "numa_nodeset", PARAM_STRING, NULL },
                                           { "numa_mode", PARAM_INT, NULL },
                                           { 0 } };

static const rpc_param_t iothread_params[] = {
    { "poll_max_ns", PARAM_ULLONG, NULL },  { "poll_grow", PARAM_UINT, NULL },
    { "poll_shrink", PARAM_UINT, NULL },    { "thread_pool_min", PARAM_INT, NULL },
    { "thread_pool_max", PARAM_INT, NULL }, { 0 }
};

#define SCOPE FLAGS ({ LIVE, "live" }, { CONFIG, "config" })
//  4: texts are understood (rpc_params.c).
#define GET_SCOPE FLAGS ({ LIVE, "live" }, { CONFIG, "config" }, { 4, NULL })
#define MAXIMUM_SCOPE FLAGS ({ LIVE, "live" }, { CONFIG, "config" }, { MAXIMUM, "maximum" })

const rpc_row_t rpc_rows_tune[] = {
    { "DOMAIN_SET_MEMORY", .verb = "domain.memory_set", .args = "memory_kib=memory",
      .prepare = prepare_live },
    { "DOMAIN_SET_MAX_MEMORY", .verb = "domain.memory_set", .args = "memory_kib=memory",
      .prepare = prepare_maximum },
    { "DOMAIN_SET_MEMORY_FLAGS", .verb = "domain.memory_set", .args = "memory_kib=memory",
      .flags = MAXIMUM_SCOPE },
    { "DOMAIN_SET_VCPUS", .verb = "domain.vcpus_set", .args = "vcpus=nvcpus",
      .prepare = prepare_live },
    { "DOMAIN_SET_VCPUS_FLAGS", .verb = "domain.vcpus_set", .args = "vcpus=nvcpus",
      .flags = FLAGS ({ 31, NULL }), .prepare = prepare_set_count },
    { "DOMAIN_SET_VCPU", .verb = "domain.vcpu_set", .args = "vcpus=cpumap", .flags = SCOPE,
      .prepare = prepare_vcpu },
    { "DOMAIN_GET_VCPUS_FLAGS", .verb = "domain.vcpus", .flags = FLAGS ({ 15, NULL }),
      .prepare = prepare_count, .answer = answer_count },
    { "DOMAIN_GET_MEMORY_PARAMETERS", .verb = "domain.memory_parameters", .flags = GET_SCOPE,
      .params = memory_params },
    { "DOMAIN_SET_MEMORY_PARAMETERS", .verb = "domain.memory_parameters_set", .flags = SCOPE,
      .params = memory_params },
    { "DOMAIN_GET_BLKIO_PARAMETERS", .verb = "domain.blkio_parameters", .flags = GET_SCOPE,
      .params = blkio_params },
    { "DOMAIN_SET_BLKIO_PARAMETERS", .verb = "domain.blkio_parameters_set", .flags = SCOPE,
      .params = blkio_params },
    { "DOMAIN_GET_SCHEDULER_TYPE", .verb = "domain.scheduler_parameters",
      .answer = answer_scheduler },
    { "DOMAIN_GET_SCHEDULER_PARAMETERS", .verb = "domain.scheduler_parameters",
      .params = scheduler_params },
    { "DOMAIN_GET_SCHEDULER_PARAMETERS_FLAGS", .verb = "domain.scheduler_parameters",
      .flags = GET_SCOPE, .params = scheduler_params },
    { "DOMAIN_SET_SCHEDULER_PARAMETERS", .verb = "domain.scheduler_parameters_set",
      .params = scheduler_params },
    { "DOMAIN_SET_SCHEDULER_PARAMETERS_FLAGS", .verb = "domain.scheduler_parameters_set",
      .flags = SCOPE, .params = scheduler_params },
    { "DOMAIN_GET_NUMA_PARAMETERS", .verb = "domain.numa_parameters", .flags = GET_SCOPE,
      .params = numa_params },
    { "DOMAIN_SET_NUMA_PARAMETERS", .verb = "domain.numa_parameters_set", .flags = SCOPE,
      .params = numa_params },
    { "DOMAIN_ADD_IOTHREAD", .verb = "domain.iothread_add", .args = "iothread=iothread_id",
      .flags = SCOPE },
    { "DOMAIN_DEL_IOTHREAD", .verb = "domain.iothread_delete", .args = "iothread=iothread_id",
      .flags = SCOPE },
    { "DOMAIN_SET_IOTHREAD_PARAMS", .verb = "domain.iothread_set", .args = "iothread=iothread_id",
      .flags = SCOPE, .params = iothread_params },
    { 0 },
};
