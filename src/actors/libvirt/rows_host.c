//  rows_host.c: the host: processors, memory, firmware, and what its domains can have.

#include "actors/libvirt/rpc_self.h"

#include <inttypes.h>
#include <string.h>

#define KIB 1024u

//  Numbers of the host, in lists of {field, value} that are older than typed parameters.

typedef struct {
    const char *field, *key; //  libvirt's name, and the verb's
} number_t;

static int pack_numbers (const rpc_call_t *call, const number_t *numbers, const value_t *result,
                         pack_t *ret)
{
    uint64_t room = value_get_u64 (call->args, "nparams", 0), count = 0, value;
    pack_key_array (ret, "params");
    for (; numbers->field; numbers++) {
        if (!value_u64 (value_get (result, numbers->key), &value) || count++ >= room)
            continue;
        pack_map (ret);
        pack_key_str (ret, "field", numbers->field);
        pack_key_u64 (ret, "value", value);
        pack_end (ret);
    }
    pack_end (ret);
    pack_key_u64 (ret, "nparams", count);
    return 0;
}

static int answer_cpu_stats (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    static const number_t numbers[] = { { "kernel", "system_ns" },
                                        { "user", "user_ns" },
                                        { "idle", "idle_ns" },
                                        { "iowait", "iowait_ns" },
                                        { 0 } };
    (void) err;
    return pack_numbers (call, numbers, result, ret);
}

static int answer_memory_stats (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    static const number_t numbers[] = { { "total", "total_kib" },
                                        { "free", "free_kib" },
                                        { "buffers", "buffers_kib" },
                                        { "cached", "cached_kib" },
                                        { 0 } };
    (void) err;
    return pack_numbers (call, numbers, result, ret);
}

//  One CPU, or one cell; -1: all together.
static int pack_which (const rpc_call_t *call, const char *field, const char *arg, pack_t *args,
                       error_t *err)
{
    int64_t which = value_get_i64 (call->args, field, -1);
    if (which < -1)
        return error_set (err, ERR_INVALID_ARG, "%s: %s has to be -1 or more, not %lld",
                          call->entry->procedure->name, field, (long long) which);
    if (which >= 0)
        pack_key_i64 (args, arg, which);
    return 0;
}

static int prepare_cpu_stats (rpc_call_t *call, pack_t *args, error_t *err)
{
    return pack_which (call, "cpuNum", "cpu", args, err);
}

static int prepare_memory_stats (rpc_call_t *call, pack_t *args, error_t *err)
{
    return pack_which (call, "cellNum", "cell", args, err);
}

//  Memory.

static int answer_free (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) call, (void) err;
    pack_key_u64 (ret, "freeMem", value_get_u64 (result, "free_kib", 0) * KIB);
    return 0;
}

static int answer_cells (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    int64_t first = value_get_i64 (call->args, "startCell", 0);
    int64_t room = value_get_i64 (call->args, "maxcells", 0);
    if (first < 0 || (size_t) first >= value_count (result))
        return error_set (err, ERR_INVALID_ARG, "NODE_GET_CELLS_FREE_MEMORY: there is no cell %lld",
                          (long long) first);
    pack_key_array (ret, "cells");
    for (size_t i = (size_t) first; i < value_count (result) && room > 0; i++, room--)
        pack_u64 (ret, value_get_u64 (value_at (result, i), "free_kib", 0) * KIB);
    pack_end (ret);
    return 0;
}

//  Of one size in one cell; CELL -1: in all of them.
static uint64_t free_pages (const value_t *rows, int64_t cell, uint64_t size_kib)
{
    uint64_t count = 0;
    for (size_t i = 0; i < value_count (rows); i++) {
        const value_t *row = value_at (rows, i);
        if (value_get_u64 (row, "size_kib", 0) == size_kib &&
            (cell < 0 || value_get_i64 (row, "cell", -1) == cell))
            count += value_get_u64 (row, "free", 0);
    }
    return count;
}

static bool has_pages (const value_t *rows, const char *key, int64_t number)
{
    for (size_t i = 0; i < value_count (rows); i++)
        if (value_get_i64 (value_at (rows, i), key, -1) == number)
            return true;
    return false;
}

//  Cell by cell, those of all sizes that are asked for.
static int answer_pages (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    const value_t *sizes = value_get (call->args, "pages");
    int64_t first = value_get_i64 (call->args, "startCell", -1);
    int64_t count = first < 0 ? 1 : value_get_i64 (call->args, "cellCount", 0), size;
    for (size_t i = 0; i < value_count (sizes); i++)
        if (!value_i64 (value_at (sizes, i), &size) || !has_pages (result, "size_kib", size))
            return error_set (err, ERR_INVALID_ARG, "NODE_GET_FREE_PAGES: there are no such pages");
    pack_key_array (ret, "counts");
    for (int64_t cell = first; cell < first + count; cell++) {
        if (cell >= 0 && !has_pages (result, "cell", cell))
            break;
        for (size_t i = 0; i < value_count (sizes) && value_i64 (value_at (sizes, i), &size); i++)
            pack_u64 (ret, free_pages (result, cell, (uint64_t) size));
    }
    pack_end (ret);
    return 0;
}

//  virNodeAllocPagesFlags: else they are added.
enum {
    SET_PAGES = 1
};

//  In as many cells as there are from the first one on; -1: wherever the kernel finds them.
static int prepare_allocate (rpc_call_t *call, pack_t *args, error_t *err)
{
    const value_t *sizes = value_get (call->args, "pageSizes");
    const value_t *counts = value_get (call->args, "pageCounts");
    if (value_count (sizes) != value_count (counts) || value_count (sizes) == 0)
        return error_set (err, ERR_INVALID_ARG,
                          "NODE_ALLOC_PAGES: there is to be a count for each size of pages");
    pack_key_array (args, "pages");
    for (size_t i = 0; i < value_count (sizes); i++) {
        uint64_t size = 0, count = 0;
        value_u64 (value_at (sizes, i), &size);
        value_u64 (value_at (counts, i), &count);
        autofree char *text = text_format ("%" PRIu64 ":%" PRIu64, size, count);
        pack_str (args, text);
    }
    pack_end (args);
    if (!(value_get_u64 (call->args, "flags", 0) & SET_PAGES))
        pack_key_bool (args, "add", true);
    if (value_get_i64 (call->args, "startCell", -1) >= 0)
        pack_key_u64 (args, "cells", value_get_u64 (call->args, "cellCount", 1));
    return pack_which (call, "startCell", "cell", args, err);
}

//  How many pools were changed.
static int answer_allocate (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result, (void) err;
    bool some = value_get_i64 (call->args, "startCell", -1) >= 0;
    uint64_t cells = some ? value_get_u64 (call->args, "cellCount", 1) : 1;
    pack_key_u64 (ret, "ret", cells * value_count (value_get (call->args, "pageSizes")));
    return 0;
}

static int answer_native (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) call, (void) err;
    pack_key_str (ret, "nativeConfig", value_str (result));
    return 0;
}

//  Processors.

static int answer_cpu_map (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) err;
    const char *map = value_get_str (result, "map");
    char bytes[2048] = "";
    size_t count = map ? strlen (map) : 0, size = (count + 7) / 8;
    for (size_t i = 0; i < count && i / 8 < sizeof bytes; i++)
        if (map[i] == 'y')
            bytes[i / 8] = (char) (bytes[i / 8] | 1 << i % 8);
    bool wanted = value_get_i64 (call->args, "need_map", 0) != 0;
    pack_key (ret, "cpumap");
    pack_bin (ret, bytes, !wanted ? 0 : size < sizeof bytes ? size : sizeof bytes);
    pack_key_u64 (ret, "online", value_get_u64 (result, "online", 0));
    pack_key_u64 (ret, "ret", value_get_u64 (result, "present", 0));
    return 0;
}

static int answer_models (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) err;
    bool wanted = value_get_i64 (call->args, "need_results", 0) != 0;
    pack_key_array (ret, "models");
    for (size_t i = 0; wanted && i < value_count (result); i++)
        pack_value (ret, value_at (result, i));
    pack_end (ret);
    pack_key_u64 (ret, "ret", value_count (result));
    return 0;
}

//  Those that can be changed.
static const rpc_param_t merging_params[] = {
    { "shm_pages_to_scan", PARAM_UINT, "pages_to_scan" },
    { "shm_sleep_millisecs", PARAM_UINT, "sleep_millisecs" },
    { "shm_merge_across_nodes", PARAM_UINT, "merge_across_nodes" },
    { 0 },
};

static const rpc_param_t shared_memory_params[] = {
    { "shm_pages_to_scan", PARAM_UINT, "pages_to_scan" },
    { "shm_sleep_millisecs", PARAM_UINT, "sleep_millisecs" },
    { "shm_pages_shared", PARAM_ULLONG, "pages_shared" },
    { "shm_pages_sharing", PARAM_ULLONG, "pages_sharing" },
    { "shm_pages_unshared", PARAM_ULLONG, "pages_unshared" },
    { "shm_pages_volatile", PARAM_ULLONG, "pages_volatile" },
    { "shm_full_scans", PARAM_ULLONG, "full_scans" },
    { "shm_merge_across_nodes", PARAM_UINT, "merge_across_nodes" },
    { 0 },
};

//  Of what runs the connection's domains.
static int prepare_version (rpc_call_t *call, pack_t *args, error_t *err)
{
    (void) err;
    pack_key_str (args, "type", call->client->driver);
    return 0;
}

//  The type of domain that is asked about; without one it is this connection's, which matters where
//  that is not QEMU: there is an answer for QEMU's alone.
static int pack_type (const rpc_call_t *call, const char *field, pack_t *args)
{
    const char *type = value_get_str (call->args, field);
    if (!type && !text_equals (call->client->driver, "qemu"))
        type = call->client->driver;
    if (type)
        pack_key_str (args, field, type);
    return 0;
}

static int prepare_max_vcpus (rpc_call_t *call, pack_t *args, error_t *err)
{
    (void) err;
    return pack_type (call, "type", args);
}

static int prepare_domain_capabilities (rpc_call_t *call, pack_t *args, error_t *err)
{
    (void) err;
    return pack_type (call, "virttype", args);
}

//  Processors.

static int prepare_compare (rpc_call_t *call, pack_t *args, error_t *err)
{
    (void) err;
    return pack_type (call, "virttype", args);
}

//  One document of all. What is wrong in one of them, whoever reads it says.
static int prepare_baseline (rpc_call_t *call, pack_t *args, error_t *err)
{
    (void) err;
    const value_t *cpus = value_get (call->args, "xmlCPUs");
    auto(text_t) xml = text_new ();
    text_add (xml, "<cpus>");
    for (size_t i = 0; i < value_count (cpus); i++) {
        const char *text = value_str (value_at (cpus, i));
        const char *behind = text_starts (text, "<?xml") ? strstr (text, "?>") : NULL;
        text_add (xml, behind ? behind + 2 : text);
    }
    text_add (xml, "</cpus>");
    pack_key_str (args, "xml", xml->data);
    return pack_type (call, "virttype", args);
}

//  As virCPUCompareResult has them.
static int answer_compare (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    static const char *const relations[] = { "incompatible", "identical", "superset" };
    (void) call, (void) err;
    size_t i = 0;
    while (i < 2 && !text_equals (value_get_str (result, "relation"), relations[i]))
        i++;
    pack_key_i64 (ret, "result", (int64_t) i);
    return 0;
}

enum {
    COMPARE_FAIL_INCOMPATIBLE = 1,
    BASELINE_EXPAND_FEATURES = 1,
    BASELINE_MIGRATABLE = 2
};

static const rpc_flag_t compare_flags[] = { { COMPARE_FAIL_INCOMPATIBLE, "error" }, { 0 } };
static const rpc_flag_t baseline_flags[] = { { BASELINE_EXPAND_FEATURES, "features" },
                                             { BASELINE_MIGRATABLE, "migratable" },
                                             { 0 } };

const rpc_row_t rpc_rows_host[] = {
    { "CONNECT_GET_VERSION", .verb = "host.hypervisor", .prepare = prepare_version,
      .ret = "hv_ver=version" },
    { "CONNECT_GET_MAX_VCPUS", .verb = "host.max_vcpus", .prepare = prepare_max_vcpus,
      .ret = "max_vcpus=max" },
    { "CONNECT_GET_SYSINFO", .verb = "host.sysinfo", .ret = "sysinfo=xml" },
    { "CONNECT_GET_DOMAIN_CAPABILITIES", .verb = "host.domain_capabilities",
      .args = "emulatorbin arch machine", .prepare = prepare_domain_capabilities,
      .ret = "capabilities=xml" },
    { "CONNECT_DOMAIN_XML_TO_NATIVE", .verb = "host.domain_native",
      .args = "format=nativeFormat xml=domainXml", .prepare = rpc_prepare_driver,
      .answer = answer_native },
    { "CONNECT_GET_CPU_MODEL_NAMES", .verb = "host.cpu_models", .args = "arch",
      .answer = answer_models },
    { "CONNECT_COMPARE_CPU", .verb = "host.cpu_compare", .args = "xml", .flags = compare_flags,
      .prepare = prepare_compare, .answer = answer_compare },
    { "CONNECT_COMPARE_HYPERVISOR_CPU", .verb = "host.hypervisor_cpu_compare",
      .args = "xml=xmlCPU emulator arch machine", .flags = compare_flags,
      .prepare = prepare_compare, .answer = answer_compare },
    { "CONNECT_BASELINE_CPU", .verb = "host.cpu_baseline", .flags = baseline_flags,
      .prepare = prepare_baseline, .ret = "cpu=xml" },
    { "CONNECT_BASELINE_HYPERVISOR_CPU", .verb = "host.hypervisor_cpu_baseline",
      .args = "emulator arch machine", .flags = baseline_flags, .prepare = prepare_baseline,
      .ret = "cpu=xml" },
    { "NODE_GET_CPU_STATS", .verb = "host.cpu_stats", .prepare = prepare_cpu_stats,
      .answer = answer_cpu_stats },
    { "NODE_GET_CPU_MAP", .verb = "host.cpu_map", .answer = answer_cpu_map },
    { "NODE_GET_MEMORY_STATS", .verb = "host.memory_stats", .prepare = prepare_memory_stats,
      .answer = answer_memory_stats },
    { "NODE_GET_FREE_MEMORY", .verb = "host.memory_stats", .answer = answer_free },
    { "NODE_GET_CELLS_FREE_MEMORY", .verb = "host.cells", .answer = answer_cells },
    { "NODE_GET_FREE_PAGES", .verb = "host.pages", .answer = answer_pages },
    { "NODE_ALLOC_PAGES", .verb = "host.pages_allocate", .flags = FLAGS ({ SET_PAGES, NULL }),
      .prepare = prepare_allocate, .answer = answer_allocate },
    { "NODE_SET_MEMORY_PARAMETERS", .verb = "host.shared_memory_set", .params = merging_params },
    //  4: texts are understood; there are none.
    { "NODE_GET_MEMORY_PARAMETERS", .verb = "host.shared_memory", .flags = FLAGS ({ 4, NULL }),
      .params = shared_memory_params },
    { 0 },
};
