//  rows_measure.c: what a running domain uses, as its driver measures it under the names of
//  CONNECT_GET_ALL_DOMAIN_STATS (drivers/driver.h), in the forms that libvirt had before that.

#include "actors/gateway/gather.h"
#include "actors/libvirt/rpc_self.h"

#include <strings.h>

enum {
    DEVICE_MAX = 1000 //  of each kind that are looked through
};

static const value_t *stats_of (const value_t *measured)
{
    return value_get (measured, "stats");
}

//  The fields of a device: "block.0.rd.bytes".
static const value_t *device_field (const value_t *stats, const char *kind, size_t number,
                                    const char *what)
{
    char field[80];
    snprintf (field, sizeof field, "%s.%zu.%s", kind, number, what);
    return value_get (stats, field);
}

static uint64_t device_number (const value_t *stats, const char *kind, size_t number,
                               const char *what)
{
    uint64_t value = 0;
    return value_u64 (device_field (stats, kind, number, what), &value) ? value : 0;
}

static size_t device_count (const value_t *stats, const char *kind)
{
    char field[80];
    snprintf (field, sizeof field, "%s.count", kind);
    uint64_t count = value_get_u64 (stats, field, 0);
    return count < DEVICE_MAX ? (size_t) count : DEVICE_MAX;
}

//  Memory.

//  virDomainMemoryStatTags, by number.
static const char *const memory_fields[] = {
    "balloon.swap_in",        "balloon.swap_out",    "balloon.major_fault",
    "balloon.minor_fault",    "balloon.unused",      "balloon.available",
    "balloon.current",        "balloon.rss",         "balloon.usable",
    "balloon.last-update",    "balloon.disk_caches", "balloon.hugetlb_pgalloc",
    "balloon.hugetlb_pgfail",
};

static int answer_memory (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) err;
    uint64_t room = value_get_u64 (call->args, "maxStats", 0), value;
    pack_key_array (ret, "stats");
    for (size_t i = 0; i < sizeof memory_fields / sizeof *memory_fields && room > 0; i++) {
        if (!value_u64 (value_get (stats_of (result), memory_fields[i]), &value))
            continue;
        pack_map (ret);
        pack_key_u64 (ret, "tag", i);
        pack_key_u64 (ret, "val", value);
        pack_end (ret);
        room--;
    }
    pack_end (ret);
    return 0;
}

//  Disks: one of them by target or source, or, without a name, all together.

static const struct {
    const char *field, *what; //  libvirt's name; as it is measured
    const char *old;          //  of DOMAIN_BLOCK_STATS; NULL: it has none
} disk_fields[] = {
    { "rd_bytes", "rd.bytes", "rd_bytes" },   { "rd_operations", "rd.reqs", "rd_req" },
    { "rd_total_times", "rd.times", NULL },   { "wr_bytes", "wr.bytes", "wr_bytes" },
    { "wr_operations", "wr.reqs", "wr_req" }, { "wr_total_times", "wr.times", NULL },
    { "flush_operations", "fl.reqs", NULL },  { "flush_total_times", "fl.times", NULL },
};

enum {
    DISK_FIELDS = sizeof disk_fields / sizeof *disk_fields
};

typedef struct {
    bool there[DISK_FIELDS];
    uint64_t values[DISK_FIELDS];
} disk_stats_t;

static bool is_device (const value_t *stats, const char *kind, size_t number, const char *named)
{
    const char *name = value_str (device_field (stats, kind, number, "name"));
    const char *path = value_str (device_field (stats, kind, number, "path"));
    return text_equals (name, named) || text_equals (path, named);
}

static int read_disks (const rpc_call_t *call, const value_t *stats, disk_stats_t *disks,
                       error_t *err)
{
    const char *path = value_get_str (call->args, "path");
    size_t found = 0, count = device_count (stats, "block");
    *disks = (disk_stats_t){ { 0 }, { 0 } };
    for (size_t i = 0; i < count; i++) {
        if (*path && !is_device (stats, "block", i, path))
            continue;
        found++;
        for (size_t n = 0; n < DISK_FIELDS; n++) {
            disks->there[n] |= device_field (stats, "block", i, disk_fields[n].what) != NULL;
            disks->values[n] += device_number (stats, "block", i, disk_fields[n].what);
        }
    }
    if (*path && found == 0)
        return error_set (err, ERR_INVALID_ARG, "invalid path: no disk of the domain is '%s'",
                          path);
    return 0;
}

static int answer_disk (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    disk_stats_t disks;
    if (read_disks (call, stats_of (result), &disks, err))
        return -1;
    for (size_t i = 0; i < DISK_FIELDS; i++)
        if (disk_fields[i].old)
            pack_key_u64 (ret, disk_fields[i].old, disks.values[i]);
    pack_key_i64 (ret, "errs", -1); //  it is not known
    return 0;
}

static int answer_disk_params (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    disk_stats_t disks;
    if (read_disks (call, stats_of (result), &disks, err))
        return -1;
    uint64_t room = value_get_u64 (call->args, "nparams", 0), count = 0;
    pack_key_array (ret, "params");
    for (size_t i = 0; i < DISK_FIELDS; i++)
        if (disks.there[i] && count++ < room)
            rpc_param_llong (ret, disk_fields[i].field, (int64_t) disks.values[i]);
    pack_end (ret);
    pack_key_u64 (ret, "nparams", count);
    return 0;
}

//  Interfaces: by the name of the host's link, or by MAC.

static const char *link_of (const rpc_call_t *call, const char *named)
{
    error_t gone;
    const snapshot_t *domain = rpc_domain (call, &gone);
    const value_t *list = domain && domain->interfaces ? document_root (domain->interfaces) : NULL;
    for (size_t i = 0; i < value_count (list); i++) {
        const char *mac = value_get_str (value_at (list, i), "mac");
        if (mac && strcasecmp (mac, named) == 0)
            return value_get_str (value_at (list, i), "name");
    }
    return named;
}

static int answer_interface (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    static const struct {
        const char *field, *what;
    } fields[] = { { "rx_bytes", "rx.bytes" }, { "rx_packets", "rx.pkts" },
                   { "rx_errs", "rx.errs" },   { "rx_drop", "rx.drop" },
                   { "tx_bytes", "tx.bytes" }, { "tx_packets", "tx.pkts" },
                   { "tx_errs", "tx.errs" },   { "tx_drop", "tx.drop" } };
    const value_t *stats = stats_of (result);
    const char *device = value_get_str (call->args, "device"), *link = link_of (call, device);
    size_t count = device_count (stats, "net"), number = 0;
    while (number < count && !is_device (stats, "net", number, link))
        number++;
    if (number == count)
        return error_set (err, ERR_INVALID_ARG,
                          "invalid path: no network interface of the domain is '%s'", device);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        pack_key_u64 (ret, fields[i].field, device_number (stats, "net", number, fields[i].what));
    return 0;
}

//  Processors: all that the domain took.

static const struct {
    const char *field, *what;
} cpu_fields[] = { { "cpu_time", "cpu.time" },
                   { "user_time", "cpu.user" },
                   { "system_time", "cpu.system" } };

static int answer_cpu (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) err;
    uint64_t room = value_get_u64 (call->args, "nparams", 0), count = 0, value;
    pack_key_array (ret, "params");
    for (size_t i = 0; i < sizeof cpu_fields / sizeof *cpu_fields; i++)
        if (value_u64 (value_get (stats_of (result), cpu_fields[i].what), &value) && count++ < room)
            rpc_param_ullong (ret, cpu_fields[i].field, value);
    pack_end (ret);
    pack_key_u64 (ret, "nparams", room > 0 && room < count ? room : count);
    return 0;
}

//  Without the owner, if there is a meter.
static int answer_cpu_read (rpc_call_t *call, pack_t *ret, error_t *err)
{
    const snapshot_t *domain = rpc_domain (call, err);
    auto(document_t) read = domain && domain->id > 0
                                ? gather_read_cpu (domain, actor_wall_clock (call->actor), err)
                                : NULL;
    return read ? answer_cpu (call, document_root (read), ret, err) : -1;
}

//  What each is measured by.

static int measure_memory (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result, (void) ret;
    return rpc_measure (call, answer_memory, err);
}

static int measure_disk (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result, (void) ret;
    return rpc_measure (call, answer_disk, err);
}

static int measure_disk_params (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result, (void) ret;
    return rpc_measure (call, answer_disk_params, err);
}

static int measure_interface (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result, (void) ret;
    return rpc_measure (call, answer_interface, err);
}

static int measure_cpu (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result;
    //  How many there are is the same for all: some clients ask that of the first CPU.
    bool counts = value_get_u64 (call->args, "nparams", 0) == 0 &&
                  value_get_u64 (call->args, "ncpus", 0) == 1;
    if (value_get_i64 (call->args, "start_cpu", 0) >= 0 && !counts)
        return error_set (
            err, ERR_OPERATION_UNSUPPORTED,
            "DOMAIN_GET_CPU_STATS: not supported: the time on each of the host's CPUs "
            "is not known, only that on all of them (start_cpu -1)");
    error_t ignored;
    return answer_cpu_read (call, ret, &ignored) ? rpc_measure (call, answer_cpu, err) : 0;
}

const rpc_row_t rpc_rows_measure[] = {
    { "DOMAIN_MEMORY_STATS", .answer = measure_memory },
    { "DOMAIN_BLOCK_STATS", .answer = measure_disk },
    //  4: texts are understood; there are none.
    { "DOMAIN_BLOCK_STATS_FLAGS", .flags = FLAGS ({ 4, NULL }), .answer = measure_disk_params },
    { "DOMAIN_INTERFACE_STATS", .answer = measure_interface },
    { "DOMAIN_GET_CPU_STATS", .flags = FLAGS ({ 4, NULL }), .answer = measure_cpu },
    { 0 },
};
