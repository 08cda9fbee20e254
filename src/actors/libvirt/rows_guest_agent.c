//  rows_guest_agent.c: what the guest's agent is asked, and the addresses that others know of it.

#include "actors/libvirt/rpc_self.h"

#include <string.h>

//  File systems.

//  None named is all of them.
static int prepare_mountpoints (rpc_call_t *call, pack_t *args, error_t *err)
{
    (void) err;
    const value_t *mountpoints = value_get (call->args, "mountpoints");
    if (value_count (mountpoints) > 0)
        pack_key_value (args, "mountpoints", mountpoints);
    return 0;
}

static int prepare_trim (rpc_call_t *call, pack_t *args, error_t *err)
{
    (void) args;
    const char *mountpoint = value_get_str (call->args, "mountPoint");
    if (!mountpoint)
        return 0;
    return error_set (err, ERR_OPERATION_INVALID,
                      "DOMAIN_FSTRIM: not supported: agents trim all file systems, not '%s' alone",
                      mountpoint);
}

static void pack_file_system (const value_t *system, pack_t *ret)
{
    const value_t *targets = value_get (system, "targets");
    pack_map (ret);
    pack_key_str (ret, "mountpoint", value_get_str (system, "mountpoint"));
    pack_key_str (ret, "name", value_get_str (system, "name"));
    pack_key_str (ret, "fstype", value_get_str (system, "type"));
    pack_key_array (ret, "dev_aliases");
    for (size_t i = 0; i < value_count (targets); i++)
        pack_value (ret, value_at (targets, i));
    pack_end (ret);
    pack_end (ret);
}

static int answer_file_systems (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) call, (void) err;
    pack_key_array (ret, "info");
    for (size_t i = 0; i < value_count (result); i++)
        pack_file_system (value_at (result, i), ret);
    pack_end (ret);
    pack_key_u64 (ret, "ret", value_count (result));
    return 0;
}

//  Its clock.

static int prepare_time (rpc_call_t *call, pack_t *args, error_t *err)
{
    enum {
        SYNC = 1
    };
    int64_t seconds = value_get_i64 (call->args, "seconds", 0);
    uint64_t nanoseconds = value_get_u64 (call->args, "nseconds", 0);
    if (value_get_u64 (call->args, "flags", 0) & SYNC)
        return 0;
    if (seconds < 0)
        return error_set (err, ERR_INVALID_ARG, "DOMAIN_SET_TIME: no time before 1970");
    pack_key_i64 (args, "seconds", seconds);
    pack_key_u64 (args, "nseconds", nanoseconds);
    return 0;
}

//  Facts.

//  virDomainGuestInfoTypes
static int prepare_info (rpc_call_t *call, pack_t *args, error_t *err)
{
    static const char *const names[] = { "user",       "os",   "timezone", "hostname",
                                         "filesystem", "disk", "interface" };
    uint64_t types = value_get_u64 (call->args, "types", 0);
    size_t count = sizeof names / sizeof *names;
    if (types >> count)
        return error_set (err, ERR_INVALID_ARG, "DOMAIN_GET_GUEST_INFO: unsupported types (0x%llx)",
                          (unsigned long long) types);
    if (types == 0)
        return 0;
    pack_key_array (args, "types");
    for (size_t i = 0; i < count; i++)
        if (types & (uint64_t) 1 << i)
            pack_str (args, names[i]);
    pack_end (args);
    return 0;
}

//  Numbers and truths are of type unsigned int and boolean, but for these.
static int type_of (const char *field, const value_t *value)
{
    static const struct {
        const char *end;
        int type;
    } types[] = { { ".login-time", PARAM_ULLONG },
                  { ".total-bytes", PARAM_ULLONG },
                  { ".used-bytes", PARAM_ULLONG },
                  { "timezone.offset", PARAM_INT } };
    if (value->type == MSGPACK_OBJECT_STR)
        return PARAM_STRING;
    if (value->type == MSGPACK_OBJECT_BOOLEAN)
        return PARAM_BOOLEAN;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (text_ends (field, types[i].end))
            return types[i].type;
    return PARAM_UINT;
}

static int answer_info (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) call, (void) err;
    pack_key_array (ret, "params");
    for (size_t i = 0; i < value_count (result); i++) {
        const char *field = value_key_at (result, i);
        const value_t *value = value_val_at (result, i);
        rpc_param_typed (ret, field, type_of (field, value), value);
    }
    pack_end (ret);
    return 0;
}

//  Addresses.

//  virDomainInterfaceAddressesSource
static int prepare_addresses (rpc_call_t *call, pack_t *args, error_t *err)
{
    static const char *const sources[] = { "lease", "agent", "arp" };
    uint64_t source = value_get_u64 (call->args, "source", 0);
    if (source >= sizeof sources / sizeof *sources)
        return error_set (err, ERR_INVALID_ARG,
                          "DOMAIN_INTERFACE_ADDRESSES: there is no source %llu",
                          (unsigned long long) source);
    if (strcmp (sources[source], "agent") == 0)
        call->verb = verb_find ("domain.interface_addresses");
    pack_key_str (args, "source", sources[source]);
    return 0;
}

static void pack_addresses (const value_t *addresses, pack_t *ret)
{
    pack_key_array (ret, "addrs");
    for (size_t i = 0; i < value_count (addresses); i++) {
        const value_t *address = value_at (addresses, i);
        pack_map (ret);
        //  virIPAddrType
        pack_key_i64 (ret, "type", text_equals (value_get_str (address, "type"), "ipv6"));
        pack_key_str (ret, "addr", value_get_str (address, "address"));
        pack_key_u64 (ret, "prefix", value_get_u64 (address, "prefix", 0));
        pack_end (ret);
    }
    pack_end (ret);
}

//  The agent knows all interfaces; others only those whose addresses they know.
static int answer_addresses (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) err;
    bool agent = call->verb->owner != OWNER_GATEWAY;
    pack_key_array (ret, "ifaces");
    for (size_t i = 0; i < value_count (result); i++) {
        const value_t *interface = value_at (result, i);
        const value_t *addresses = value_get (interface, "addresses");
        const char *name = value_get_str (interface, "name");
        if (!agent && value_count (addresses) == 0)
            continue;
        pack_map (ret);
        pack_key_str (ret, "name", name ? name : "");
        pack_key_str (ret, "hwaddr", value_get_str (interface, "mac"));
        pack_addresses (addresses, ret);
        pack_end (ret);
    }
    pack_end (ret);
    return 0;
}

static int answer_timeout (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) call, (void) result, (void) err;
    pack_key_i64 (ret, "result", 0);
    return 0;
}

static const rpc_param_t vcpu_params[] = { { "vcpus", PARAM_STRING, NULL },
                                           { "online", PARAM_STRING, NULL },
                                           { "offlinable", PARAM_STRING, NULL },
                                           { 0 } };

const rpc_row_t rpc_rows_guest_agent[] = {
    { "DOMAIN_FSFREEZE", .verb = "domain.fs_freeze", .prepare = prepare_mountpoints,
      .ret = "filesystems=count" },
    { "DOMAIN_FSTHAW", .verb = "domain.fs_thaw", .prepare = prepare_mountpoints,
      .ret = "filesystems=count" },
    { "DOMAIN_FSTRIM", .verb = "domain.fs_trim", .args = "minimum", .prepare = prepare_trim },
    { "DOMAIN_GET_FSINFO", .verb = "domain.fs_info", .answer = answer_file_systems },
    { "DOMAIN_GET_TIME", .verb = "domain.time", .ret = "seconds nseconds" },
    { "DOMAIN_SET_TIME", .verb = "domain.time_set", .flags = FLAGS ({ 1, "sync" }),
      .prepare = prepare_time },
    { "DOMAIN_GET_GUEST_INFO", .verb = "domain.guest_info", .prepare = prepare_info,
      .answer = answer_info },
    //  2: from its agent, as always.
    { "DOMAIN_GET_HOSTNAME", .verb = "domain.hostname", .flags = FLAGS ({ 2, NULL }),
      .ret = "hostname" },
    { "DOMAIN_INTERFACE_ADDRESSES", .verb = "domain.addresses", .prepare = prepare_addresses,
      .answer = answer_addresses },
    { "DOMAIN_GET_GUEST_VCPUS", .verb = "domain.guest_vcpus", .params = vcpu_params },
    { "DOMAIN_SET_GUEST_VCPUS", .verb = "domain.guest_vcpus_set",
      .args = "cpus=cpumap online=state" },
    { "DOMAIN_AGENT_SET_RESPONSE_TIMEOUT", .verb = "domain.agent_timeout_set", .args = "timeout",
      .answer = answer_timeout },
    { "DOMAIN_SET_USER_PASSWORD", .verb = "domain.password_set", .args = "user password",
      .flags = FLAGS ({ 1, "encrypted" }) },
    { 0 },
};
