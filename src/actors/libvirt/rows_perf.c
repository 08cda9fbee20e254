//  rows_perf.c: which performance events of a domain's process are counted.

#include "actors/libvirt/rpc_self.h"

#include "util/xml.h"

#include <string.h>

enum {
    LIVE = 1,
    CONFIG = 2
};

//  VIR_PERF_PARAM_...
static const char *const events[] = {
    "cmt",
    "mbmt",
    "mbml",
    "cpu_cycles",
    "instructions",
    "cache_references",
    "cache_misses",
    "branch_instructions",
    "branch_misses",
    "bus_cycles",
    "stalled_cycles_frontend",
    "stalled_cycles_backend",
    "ref_cpu_cycles",
    "cpu_clock",
    "task_clock",
    "page_faults",
    "context_switches",
    "cpu_migrations",
    "page_faults_min",
    "page_faults_maj",
    "alignment_faults",
    "emulation_faults",
};

enum {
    EVENTS = sizeof events / sizeof *events
};

//  Those that are to be ENABLED, or that are not.
static void pack_events (pack_t *args, const char *key, const value_t *list, bool enabled)
{
    pack_key_array (args, key);
    for (size_t i = 0; i < value_count (list); i++) {
        const value_t *value = value_get (value_at (list, i), "value");
        if ((value_get_i64 (value, "value", 0) != 0) == enabled)
            pack_str (args, value_get_str (value_at (list, i), "field"));
    }
    pack_end (args);
}

static int prepare_set (rpc_call_t *call, pack_t *args, error_t *err)
{
    const value_t *list = value_get (call->args, "params");
    for (size_t i = 0; i < value_count (list); i++)
        if (value_get_i64 (value_get (value_at (list, i), "value"), "type", 0) != PARAM_BOOLEAN)
            return error_set (err, ERR_INVALID_ARG,
                              "DOMAIN_SET_PERF_EVENTS: parameter '%s' has the wrong type",
                              value_get_str (value_at (list, i), "field"));
    pack_events (args, "enable", list, true);
    pack_events (args, "disable", list, false);
    return 0;
}

static int prepare_get (rpc_call_t *call, pack_t *args, error_t *err)
{
    uint64_t flags = value_get_u64 (call->args, "flags", 0);
    const snapshot_t *domain = rpc_domain (call, err);
    if (!domain)
        return -1;
    if ((flags & LIVE) && (flags & CONFIG))
        return error_set (err, ERR_INVALID_ARG,
                          "DOMAIN_GET_PERF_EVENTS: live and config exclude each other");
    if ((flags & LIVE) && !rpc_running (call, err))
        return -1;
    if (flags & CONFIG)
        pack_key_bool (args, "inactive", true);
    return 0;
}

static bool is_enabled (const xml_node_t *perf, const char *name)
{
    xml_foreach (event, perf, "event")
        if (xml_equals (event, "@name", name))
            return xml_flag (event, "@enabled", false);
    return false;
}

static int answer_get (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) call;
    const char *text = value_get_str (result, "xml");
    auto(xml_t) document = xml_parse_own (text, strlen (text), "domain XML", err);
    if (!document)
        return -1;
    const xml_node_t *perf = xml_find (xml_root (document), "perf");
    pack_key_array (ret, "params");
    for (size_t i = 0; i < EVENTS; i++)
        rpc_param_bool (ret, events[i], is_enabled (perf, events[i]));
    pack_end (ret);
    return 0;
}

const rpc_row_t rpc_rows_perf[] = {
    //  4: texts are understood; there are none.
    { "DOMAIN_GET_PERF_EVENTS", .verb = "domain.xml", .flags = FLAGS ({ LIVE | CONFIG | 4, NULL }),
      .prepare = prepare_get, .answer = answer_get },
    { "DOMAIN_SET_PERF_EVENTS", .verb = "domain.perf_set",
      .flags = FLAGS ({ LIVE, "live" }, { CONFIG, "config" }), .prepare = prepare_set },
    { 0 },
};
