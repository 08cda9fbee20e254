//  rows_stats.c: statistics of many domains in one call.

#include "actors/libvirt/rpc_self.h"

#include "actors/gateway/gather.h"
#include "actors/libvirt/rpc_params.h"

#include <string.h>

//  virConnectGetAllDomainStatsFlags, behind the filters of lists.
#define FILTERS 0xffu
#define NOWAIT (1u << 29)
#define BACKING (1u << 30)
#define ENFORCE (1u << 31)

//  virDomainStatsTypes, bit by bit: arguments of domain.stats.
static const char *const groups[] = { "state",     "cpu_total", "balloon", "vcpu",
                                      "interface", "block",     "perf",    "iothread",
                                      "memory",    "dirtyrate", "vm" };

enum {
    GROUPS = sizeof groups / sizeof *groups
};

//  As libvirt documents their types (virConnectGetAllDomainStats); '*' is a number. All others are
//  what their values say, numbers unsigned long long.
static const struct {
    const char *field;
    int type;
} types[] = {
    { "state.state", PARAM_INT },
    { "state.reason", PARAM_INT },
    { "vcpu.current", PARAM_UINT },
    { "vcpu.maximum", PARAM_UINT },
    { "vcpu.*.state", PARAM_INT },
    { "net.count", PARAM_UINT },
    { "block.count", PARAM_UINT },
    { "block.*.backingIndex", PARAM_UINT },
    { "iothread.count", PARAM_UINT },
    { "iothread.*.poll-grow", PARAM_UINT },
    { "iothread.*.poll-shrink", PARAM_UINT },
    { "dirtyrate.calc_status", PARAM_INT },
    { "dirtyrate.calc_start_time", PARAM_LLONG },
    { "dirtyrate.calc_period", PARAM_INT },
    { "dirtyrate.megabytes_per_second", PARAM_LLONG },
};

static bool is_like (const char *pattern, const char *field)
{
    for (; *pattern && *field; pattern++, field++) {
        if (*pattern == '*') {
            size_t digits = strspn (field, "0123456789");
            if (digits == 0)
                return false;
            field += digits - 1;
        } else if (*pattern != *field)
            return false;
    }
    return !*pattern && !*field;
}

static void pack_param (pack_t *pack, const char *field, const value_t *value)
{
    int64_t number;
    int type = 0;
    for (size_t i = 0; i < sizeof types / sizeof *types && !type; i++)
        if (is_like (types[i].field, field))
            type = types[i].type;
    if (!type || !value_i64 (value, &number))
        rpc_param_value (pack, field, value);
    else if (type == PARAM_INT)
        rpc_param_int (pack, field, number);
    else if (type == PARAM_UINT)
        rpc_param_uint (pack, field, (uint64_t) number);
    else
        rpc_param_llong (pack, field, number);
}

//  Which domains, and what of them.

//  Of the domains that are named those that there are; or all that the filters admit.
static bool is_asked (const rpc_call_t *call, const domain_filter_t *filter,
                      const snapshot_t *domain)
{
    return domain && rpc_sees (call->client, domain) && domain_filter_matches (filter, domain);
}

static void pack_domains (const rpc_call_t *call, uint64_t flags, pack_t *args)
{
    const snapshots_t *snapshots = call->gateway->view.snapshots;
    const value_t *named = value_get (call->args, "doms");
    size_t count = value_count (named);
    domain_filter_t filter;
    rpc_read_filter (flags & FILTERS, &filter);
    pack_key_array (args, "domains");
    for (size_t i = 0; i < (count ? count : snapshots_count (snapshots)); i++) {
        const snapshot_t *domain =
            count ? snapshots_by_uuid (snapshots, value_get_str (value_at (named, i), "uuid"))
                  : snapshots_at (snapshots, i);
        if (is_asked (call, &filter, domain))
            pack_str (args, domain->uuid);
    }
    pack_end (args);
}

static int pack_groups (const rpc_call_t *call, uint64_t flags, pack_t *args, error_t *err)
{
    uint64_t stats = value_get_u64 (call->args, "stats", 0);
    if ((flags & ENFORCE) && stats >> GROUPS)
        return error_set (err, ERR_ARGUMENT_UNSUPPORTED,
                          "Stats types bits 0x%llx are not supported by this daemon",
                          (unsigned long long) (stats >> GROUPS << GROUPS));
    for (size_t i = 0; i < GROUPS; i++)
        if (stats & 1u << i)
            pack_key_bool (args, groups[i], true);
    if (flags & ENFORCE)
        pack_key_bool (args, "enforce", true);
    if (flags & BACKING)
        pack_key_bool (args, "backing", true);
    return 0;
}

//  The answer.

static void pack_record (pack_t *pack, const rpc_call_t *call, const value_t *part)
{
    const char *uuid = value_get_str (part, "uuid");
    const snapshot_t *domain = snapshots_by_uuid (call->gateway->view.snapshots, uuid);
    const value_t *stats = value_get (part, "stats");
    pack_map (pack);
    rpc_pack_domain (pack, "dom", value_get_str (part, "name"), uuid, domain ? domain->id : -1);
    pack_key_array (pack, "params");
    for (size_t i = 0; i < value_count (stats); i++)
        pack_param (pack, value_key_at (stats, i), value_val_at (stats, i));
    pack_end (pack);
    pack_end (pack);
}

static int pack_records (const rpc_call_t *call, const gather_t *gather, pack_t *ret, error_t *err)
{
    pack_t pack;
    pack_init (&pack);
    gather_pack (gather, &call->gateway->view, actor_wall_clock (call->actor), &pack);
    auto(document_t) parts = document_parse (pack.bytes, pack.size, VALUE_MAX_BYTES_INSIDE, err);
    pack_close (&pack);
    if (!parts)
        return -1;
    pack_map (ret);
    pack_key_array (ret, "retStats");
    for (size_t i = 0; i < value_count (document_root (parts)); i++)
        pack_record (ret, call, value_at (document_root (parts), i));
    pack_end (ret);
    pack_end (ret);
    return 0;
}

static void on_gathered (actor_t *self, const gather_t *gather, void *arg)
{
    (void) self;
    rpc_call_t *call = arg;
    error_t err;
    pack_t ret;
    pack_init (&ret);
    auto(document_t) map = NULL;
    if (pack_records (call, gather, &ret, &err) == 0)
        map = document_parse (ret.bytes, ret.size, VALUE_MAX_BYTES_INSIDE, &err);
    pack_close (&ret);
    if (map)
        rpc_reply (&call, document_root (map));
    else
        rpc_fail (&call, &err);
}

//  A hypervisor that does not answer at once makes nobody wait (NOWAIT): its last values are told.
static int answer_stats (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result, (void) ret;
    uint64_t flags = value_get_u64 (call->args, "flags", 0);
    pack_t args;
    pack_init (&args);
    pack_map (&args);
    pack_domains (call, flags, &args);
    int rc = pack_groups (call, flags, &args, err);
    pack_end (&args);
    auto(document_t) map = rc ? NULL : document_parse (args.bytes, args.size, VALUE_MAX_BYTES, err);
    pack_close (&args);
    if (!map || gather_begin (call->actor, call->gateway->gathers, &call->gateway->view,
                              document_root (map), on_gathered, call, err))
        return -1;
    return RPC_LATER;
}

const rpc_row_t rpc_rows_stats[] = {
    { "CONNECT_GET_ALL_DOMAIN_STATS",
      .flags = FLAGS ({ FILTERS | NOWAIT | BACKING | ENFORCE, NULL }), .answer = answer_stats },
    { 0 },
};
