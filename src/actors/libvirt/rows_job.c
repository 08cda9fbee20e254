//  rows_job.c: the job that runs on a domain, the last one that did, and migrations under way.

#include "actors/libvirt/rpc_self.h"

#define MIB (1024u * 1024u)
#define NO_LIMIT_MIB ((uint64_t) INT64_MAX / MIB) //  as libvirt's clients know it

//  virDomainJobType
enum {
    JOB_NONE,
    JOB_UNBOUNDED = 2,
    JOB_COMPLETED,
    JOB_FAILED,
    JOB_CANCELLED
};

enum {
    WITH_POSTCOPY = 1 //  of several flags: in or of post-copy
};

static uint64_t flags_of (const rpc_call_t *call)
{
    return value_get_u64 (call->args, "flags", 0);
}

//  What runs. libvirt's clients know of jobs that are about the whole guest.
static bool is_shown (const value_t *job)
{
    return value_get_bool (job, "async", false);
}

//  Of which jobs a field tells: a backup writes the guest's disks, the others its memory.
typedef enum {
    COUNT_ALL,
    COUNT_MEMORY,
    COUNT_DISKS
} count_t;

static bool counts (const value_t *job, count_t what)
{
    bool disks = text_equals (value_get_str (job, "verb"), "domain.backup_begin");
    return what == COUNT_ALL || (what == COUNT_DISKS) == disks;
}

static int answer_info (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) call, (void) err;
    static const struct {
        const char *field, *key;
        count_t counts;
    } fields[] = {
        { "timeElapsed", "elapsed_ms", COUNT_ALL },   { "timeRemaining", "left_ms", COUNT_ALL },
        { "dataTotal", "total", COUNT_ALL },          { "dataProcessed", "done", COUNT_ALL },
        { "dataRemaining", "remaining", COUNT_ALL },  { "memTotal", "total", COUNT_MEMORY },
        { "memProcessed", "done", COUNT_MEMORY },     { "memRemaining", "remaining", COUNT_MEMORY },
        { "fileTotal", "total", COUNT_DISKS },        { "fileProcessed", "done", COUNT_DISKS },
        { "fileRemaining", "remaining", COUNT_DISKS }
    };
    const value_t *job = is_shown (result) ? result : NULL;
    pack_key_i64 (ret, "type", job ? JOB_UNBOUNDED : JOB_NONE);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        pack_key_u64 (ret, fields[i].field,
                      counts (job, fields[i].counts) ? value_get_u64 (job, fields[i].key, 0) : 0);
    return 0;
}

//  virDomainJobOperation
static int operation_of (const char *verb)
{
    static const struct {
        const char *verb;
        int operation;
    } operations[] = {
        { "domain.create", 1 },       { "domain.create_xml", 1 }, { "domain.save", 2 },
        { "domain.managed_save", 2 }, { "domain.restore", 3 },    { "migration.prepare", 4 },
        { "migration.receive", 4 },   { "domain.migrate", 5 },    { "migration.begin", 5 },
        { "snapshot.create", 6 },     { "snapshot.revert", 7 },   { "domain.dump", 8 },
        { "domain.backup_begin", 9 }, { "snapshot.delete", 10 },
    };
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        if (text_equals (operations[i].verb, verb))
            return operations[i].operation;
    return 0;
}

static void pack_stats (const value_t *job, int type, pack_t *ret)
{
    static const struct {
        const char *field, *key;
        count_t counts;
    } fields[] = { { "time_elapsed", "elapsed_ms", COUNT_ALL },
                   { "time_remaining", "left_ms", COUNT_ALL },
                   { "data_total", "total", COUNT_ALL },
                   { "data_processed", "done", COUNT_ALL },
                   { "data_remaining", "remaining", COUNT_ALL },
                   { "memory_total", "total", COUNT_MEMORY },
                   { "memory_processed", "done", COUNT_MEMORY },
                   { "memory_remaining", "remaining", COUNT_MEMORY },
                   { "memory_bps", "rate", COUNT_MEMORY },
                   { "memory_dirty_rate", "dirty_rate", COUNT_MEMORY },
                   { "memory_iteration", "passes", COUNT_MEMORY },
                   { "disk_total", "total", COUNT_DISKS },
                   { "disk_processed", "done", COUNT_DISKS },
                   { "disk_remaining", "remaining", COUNT_DISKS },
                   { "disk_bps", "rate", COUNT_DISKS } };
    const char *error = value_get_str (job, "error");
    uint64_t value;
    pack_key_i64 (ret, "type", type);
    pack_key_array (ret, "params");
    if (job)
        rpc_param_int (ret, "operation", operation_of (value_get_str (job, "verb")));
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (counts (job, fields[i].counts) && value_u64 (value_get (job, fields[i].key), &value))
            rpc_param_ullong (ret, fields[i].field, value);
    if (type > JOB_UNBOUNDED)
        rpc_param_bool (ret, "success", type == JOB_COMPLETED);
    if (error)
        rpc_param_str (ret, "errmsg", error);
    pack_end (ret);
}

//  The last one that libvirt's clients know of.
static const value_t *last_of (const value_t *list)
{
    for (size_t i = value_count (list); i > 0; i--)
        if (operation_of (value_get_str (value_at (list, i - 1), "verb")) > 1)
            return value_at (list, i - 1);
    return NULL;
}

static int answer_stats (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) call, (void) err;
    if (result->type != MSGPACK_OBJECT_ARRAY) {
        const value_t *job = is_shown (result) ? result : NULL;
        pack_stats (job, job ? JOB_UNBOUNDED : JOB_NONE, ret);
        return 0;
    }
    const value_t *last = last_of (result);
    const char *outcome = value_get_str (last, "outcome");
    pack_stats (last,
                !last                                ? JOB_NONE
                : text_equals (outcome, "completed") ? JOB_COMPLETED
                : text_equals (outcome, "cancelled") ? JOB_CANCELLED
                                                     : JOB_FAILED,
                ret);
    return 0;
}

//  virDomainGetJobStatsFlags: 2 (KEEP) is always so, 1 asks for the last one that is over.
static int prepare_stats (rpc_call_t *call, pack_t *args, error_t *err)
{
    enum {
        COMPLETED = 1
    };
    if (!(flags_of (call) & COMPLETED))
        return rpc_prepare_running (call, args, err);
    call->verb = verb_find ("domain.jobs");
    pack_key_bool (args, "history", true);
    return 0;
}

//  Post-copy can't be undone: there only the connection ends.
static int prepare_abort (rpc_call_t *call, pack_t *args, error_t *err)
{
    (void) err;
    if (flags_of (call) & WITH_POSTCOPY) {
        call->verb = verb_find ("domain.migrate_tune");
        pack_key_bool (args, "break_postcopy", true);
    }
    return 0;
}

//  Migrations.

static int prepare_speed (rpc_call_t *call, pack_t *args, error_t *err)
{
    uint64_t speed = value_get_u64 (call->args, "bandwidth", 0);
    if (speed == 0)
        return error_set (err, ERR_INVALID_ARG,
                          "DOMAIN_MIGRATE_SET_MAX_SPEED: 0 MiB/s: it has to be at least 1");
    if (speed > UINT64_MAX / MIB)
        return error_set (err, ERR_OVERFLOW,
                          "DOMAIN_MIGRATE_SET_MAX_SPEED: %llu MiB/s are too many",
                          (unsigned long long) speed);
    pack_key_u64 (args, flags_of (call) & WITH_POSTCOPY ? "postcopy_bandwidth" : "bandwidth",
                  speed * MIB);
    return 0;
}

static int answer_speed (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) err;
    bool postcopy = flags_of (call) & WITH_POSTCOPY;
    uint64_t speed = value_get_u64 (result, postcopy ? "postcopy_bandwidth" : "bandwidth", 0);
    pack_key_u64 (ret, "bandwidth", speed ? (speed + MIB - 1) / MIB : NO_LIMIT_MIB);
    return 0;
}

static int prepare_postcopy (rpc_call_t *call, pack_t *args, error_t *err)
{
    (void) call, (void) err;
    pack_key_bool (args, "postcopy", true);
    return 0;
}

//  Whether it answers.

//  virDomainControlState: OK, JOB, OCCUPIED.
static int answer_control (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result;
    enum {
        OK,
        JOB,
        OCCUPIED
    };
    const snapshot_t *domain = rpc_running (call, err);
    if (!domain)
        return -1;
    int64_t now = actor_wall_clock (call->actor), since = domain->silent_since_us;
    const value_t *job = domain->job ? document_root (domain->job) : NULL;
    int state = since > 0 ? OCCUPIED : is_shown (job) ? JOB : OK;
    if (state == JOB)
        since = value_get_i64 (job, "since_us", now);
    pack_key_i64 (ret, "state", state);
    pack_key_i64 (ret, "details", 0);
    pack_key_i64 (ret, "stateTime", state == OK || since > now ? 0 : (now - since) / 1000);
    return 0;
}

const rpc_row_t rpc_rows_job[] = {
    { "DOMAIN_GET_JOB_INFO", .verb = "domain.job_info", .prepare = rpc_prepare_running,
      .answer = answer_info },
    { "DOMAIN_GET_JOB_STATS", .verb = "domain.job_info", .flags = FLAGS ({ 1 | 2, NULL }),
      .prepare = prepare_stats, .answer = answer_stats },
    { "DOMAIN_ABORT_JOB", .verb = "domain.job_abort" },
    { "DOMAIN_ABORT_JOB_FLAGS", .verb = "domain.job_abort", .flags = FLAGS ({ 1, NULL }),
      .prepare = prepare_abort },
    { "DOMAIN_MIGRATE_SET_MAX_DOWNTIME", .verb = "domain.migrate_tune",
      .args = "downtime_ms=downtime" },
    { "DOMAIN_MIGRATE_GET_MAX_DOWNTIME", .verb = "domain.migrate_tune",
      .ret = "downtime=downtime_ms" },
    { "DOMAIN_MIGRATE_SET_MAX_SPEED", .verb = "domain.migrate_tune", .flags = FLAGS ({ 1, NULL }),
      .prepare = prepare_speed },
    { "DOMAIN_MIGRATE_GET_MAX_SPEED", .verb = "domain.migrate_tune", .flags = FLAGS ({ 1, NULL }),
      .answer = answer_speed },
    { "DOMAIN_MIGRATE_SET_COMPRESSION_CACHE", .verb = "domain.migrate_tune",
      .args = "compression_cache=cacheSize" },
    { "DOMAIN_MIGRATE_GET_COMPRESSION_CACHE", .verb = "domain.migrate_tune",
      .ret = "cacheSize=compression_cache" },
    { "DOMAIN_MIGRATE_START_POST_COPY", .verb = "domain.migrate_tune",
      .prepare = prepare_postcopy },
    { "DOMAIN_GET_CONTROL_INFO", .answer = answer_control },
    { 0 },
};
