//  rows_device.c: devices of domains that come, go and change.

#include "actors/libvirt/rpc_self.h"

enum {
    LIVE = 1, //  virDomainDeviceModifyFlags
    CONFIG = 2,
    FORCE = 4
};

//  What has no flags is about the running domain.
static int prepare_live (rpc_call_t *call, pack_t *args, error_t *err)
{
    (void) call, (void) err;
    pack_key_bool (args, "live", true);
    return 0;
}

//  How long libvirt's clients expect to be kept waiting for a guest: what it does later the events
//  "device-removed" and "device-removal-failed" tell (libvirt-domain API reference,
//  virDomainDetachDeviceFlags).
static int prepare_detach (rpc_call_t *call, pack_t *args, error_t *err)
{
    (void) call, (void) err;
    pack_key_u64 (args, "wait_ms", 5000);
    return 0;
}

static int prepare_detach_live (rpc_call_t *call, pack_t *args, error_t *err)
{
    return prepare_live (call, args, err) || prepare_detach (call, args, err) ? -1 : 0;
}

//  It never waits (virDomainDetachDeviceAlias).
static int prepare_detach_alias (rpc_call_t *call, pack_t *args, error_t *err)
{
    (void) call, (void) err;
    pack_key_u64 (args, "wait_ms", 0);
    return 0;
}

static const rpc_param_t bandwidth_params[] = {
    { "inbound.average", PARAM_UINT, "inbound_average" },
    { "inbound.peak", PARAM_UINT, "inbound_peak" },
    { "inbound.burst", PARAM_UINT, "inbound_burst" },
    { "inbound.floor", PARAM_UINT, "inbound_floor" },
    { "outbound.average", PARAM_UINT, "outbound_average" },
    { "outbound.peak", PARAM_UINT, "outbound_peak" },
    { "outbound.burst", PARAM_UINT, "outbound_burst" },
    { 0 },
};

static int prepare_period (rpc_call_t *call, pack_t *args, error_t *err)
{
    int64_t period = value_get_i64 (call->args, "period", 0);
    pack_key_i64 (args, "seconds", period);
    return period >= 0 ? 0
                       : error_set (err, ERR_INVALID_ARG, "%s: a period of %lld s is negative",
                                    call->entry->procedure->name, (long long) period);
}

#define SCOPE FLAGS ({ LIVE, "live" }, { CONFIG, "config" })

const rpc_row_t rpc_rows_device[] = {
    { "DOMAIN_ATTACH_DEVICE", .verb = "domain.device_attach", .args = "xml",
      .prepare = prepare_live },
    { "DOMAIN_ATTACH_DEVICE_FLAGS", .verb = "domain.device_attach", .args = "xml", .flags = SCOPE },
    { "DOMAIN_DETACH_DEVICE", .verb = "domain.device_detach", .args = "xml",
      .prepare = prepare_detach_live },
    { "DOMAIN_DETACH_DEVICE_FLAGS", .verb = "domain.device_detach", .args = "xml", .flags = SCOPE,
      .prepare = prepare_detach },
    { "DOMAIN_DETACH_DEVICE_ALIAS", .verb = "domain.device_detach", .args = "alias", .flags = SCOPE,
      .prepare = prepare_detach_alias },
    { "DOMAIN_UPDATE_DEVICE_FLAGS", .verb = "domain.device_update", .args = "xml",
      .flags = FLAGS ({ LIVE, "live" }, { CONFIG, "config" }, { FORCE, "force" }) },
    { "DOMAIN_SET_INTERFACE_PARAMETERS", .verb = "domain.interface_parameters_set",
      .args = "interface=device", .flags = SCOPE, .params = bandwidth_params },
    //  4: texts are understood; there are none.
    { "DOMAIN_GET_INTERFACE_PARAMETERS", .verb = "domain.interface_parameters",
      .args = "interface=device",
      .flags = FLAGS ({ LIVE, "live" }, { CONFIG, "config" }, { 4, NULL }),
      .params = bandwidth_params },
    { "DOMAIN_SET_MEMORY_STATS_PERIOD", .verb = "domain.memory_period_set", .flags = SCOPE,
      .prepare = prepare_period },
    { 0 },
};
