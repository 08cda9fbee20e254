//  qemu_migrate_tune.c: how a migration goes: QEMU's capabilities and parameters. (QEMU's QMP
//  reference: MigrationCapability, MigrationParameters.)

#include "drivers/qemu/memory/qemu_migrate.h"
#include "drivers/qemu/storage/qemu_stream.h"
#include "util/text.h"

#include <string.h>

#define QMP_MS 10000
//  QEMU's own defaults.
#define THROTTLE_INITIAL 20
#define THROTTLE_INCREMENT 10
#define NO_LIMIT ((json_int_t) INT64_MAX / 1024)

static int command (job_t *job, const char *execute, json_t *arguments, error_t *err)
{
    json_auto_t *reply = job_qmp (job, execute, arguments, QMP_MS, err);
    return reply ? 0 : -1;
}

static json_int_t limit_of (uint64_t bandwidth)
{
    return bandwidth < (uint64_t) NO_LIMIT ? (json_int_t) bandwidth : NO_LIMIT;
}

//  Before it begins.

static void add_capability (json_t *list, const char *name, bool on)
{
    json_array_append_new (list, json_pack ("{s:s, s:b}", "capability", name, "state", on));
}

//  Streams of their own are compressed by parameters, one stream by capabilities.
void qemu_compression_capabilities (const migration_t *migration, json_t *list)
{
    add_capability (list, "xbzrle", text_equals (migration->compression, "xbzrle"));
    add_capability (list, "compress", text_equals (migration->compression, "mt"));
}

void qemu_compression_parameters (const migration_t *migration, json_t *parameters)
{
    static const struct {
        const char *method, *level;
    } levels[] = { { "mt", "compress-level" },
                   { "zlib", "multifd-zlib-level" },
                   { "zstd", "multifd-zstd-level" } };
    const char *method = migration->compression;
    bool streams = method && migration->channels > 1;
    if (migration->channels > 1) {
        json_object_set_new (parameters, "multifd-channels",
                             json_integer ((json_int_t) migration->channels));
        json_object_set_new (parameters, "multifd-compression",
                             json_string (streams ? method : "none"));
    }
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (migration->compression_level && text_equals (method, levels[i].method))
            json_object_set_new (parameters, levels[i].level,
                                 json_integer ((json_int_t) migration->compression_level));
    if (migration->compression_cache)
        json_object_set_new (parameters, "xbzrle-cache-size",
                             json_integer ((json_int_t) migration->compression_cache));
}

static int set_capabilities (job_t *job, const migration_t *migration, error_t *err)
{
    json_t *list = json_array ();
    add_capability (list, "events", true);
    add_capability (list, "auto-converge", migration->auto_converge);
    add_capability (list, "postcopy-ram", migration->postcopy);
    add_capability (list, "multifd", migration->channels > 1);
    qemu_compression_capabilities (migration, list);
    //  The disks are brought to their end while the guest stands still.
    add_capability (list, "pause-before-switchover", migration->storage != NULL);
    return command (job, "migrate-set-capabilities", json_pack ("{s:o}", "capabilities", list),
                    err);
}

static int or_default (unsigned value, int otherwise)
{
    return value ? (int) value : otherwise;
}

//  What was set during an earlier migration counts no more: all is set anew.
static int set_parameters (job_t *job, const migration_t *migration, error_t *err)
{
    json_t *parameters = json_pack (
        "{s:I, s:I, s:i, s:i}", "downtime-limit", (json_int_t) migration->downtime_ms,
        "max-postcopy-bandwidth", limit_of (migration->postcopy_bandwidth), "cpu-throttle-initial",
        or_default (migration->throttle_initial, THROTTLE_INITIAL), "cpu-throttle-increment",
        or_default (migration->throttle_increment, THROTTLE_INCREMENT));
    qemu_compression_parameters (migration, parameters);
    return command (job, "migrate-set-parameters", parameters, err);
}

int qemu_migrate_set_up (job_t *job, const migration_t *migration, error_t *err)
{
    return set_capabilities (job, migration, err) || set_parameters (job, migration, err) ? -1 : 0;
}

//  While it is under way.

static bool is_sending (const char *status)
{
    static const char *const others[] = { "none", "completed", "failed", "cancelled",
                                          "cancelling" };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp (others[i], status) == 0)
            return false;
    return true;
}

//  The wish may come before QEMU has begun to send, since the other host prepares for long, or when
//  that is over: it refuses then in words that say something else.
static int steer (job_t *job, const char *execute, error_t *err)
{
    char status[QEMU_STATUS_SIZE];
    error_t why = { 0 };
    if (command (job, execute, NULL, &why) == 0)
        return 0;
    if (why.code == ERR_OPERATION_FAILED && qemu_stream_status (job, status, NULL, err))
        return -1;
    *err = why;
    if (why.code != ERR_OPERATION_FAILED || is_sending (status))
        return -1;
    error_set (err, ERR_OPERATION_INVALID,
               "QEMU sends nothing at present ('%s'): it has not begun to, or it is over", status);
    err->retry = true;
    return -1;
}

int qemu_migrate_tune (job_t *job, const migrate_tuning_t *tuning, error_t *err)
{
    const struct {
        const char *name;
        uint64_t wanted;
        json_int_t value;
    } rows[] = {
        { "max-bandwidth", tuning->bandwidth, limit_of (tuning->bandwidth) },
        { "max-postcopy-bandwidth", tuning->postcopy_bandwidth,
          limit_of (tuning->postcopy_bandwidth) },
        { "downtime-limit", tuning->downtime_ms, (json_int_t) tuning->downtime_ms },
        { "xbzrle-cache-size", tuning->compression_cache, limit_of (tuning->compression_cache) },
    };
    json_t *parameters = json_object ();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].wanted)
            json_object_set_new (parameters, rows[i].name, json_integer (rows[i].value));
    if (json_object_size (parameters) == 0)
        json_decref (parameters);
    else if (command (job, "migrate-set-parameters", parameters, err))
        return -1;
    if (tuning->start_postcopy && steer (job, "migrate-start-postcopy", err))
        return -1;
    return tuning->break_postcopy ? steer (job, "migrate-pause", err) : 0;
}

static uint64_t number (const json_t *object, const char *key)
{
    json_int_t value = json_integer_value (json_object_get (object, key));
    return value > 0 && value < NO_LIMIT ? (uint64_t) value : 0;
}

int qemu_migrate_tuning (job_t *job, migrate_tuning_t *tuning, error_t *err)
{
    json_auto_t *now = job_qmp (job, "query-migrate-parameters", NULL, QMP_MS, err);
    if (!now)
        return -1;
    tuning->bandwidth = number (now, "max-bandwidth");
    tuning->postcopy_bandwidth = number (now, "max-postcopy-bandwidth");
    tuning->downtime_ms = number (now, "downtime-limit");
    tuning->compression_cache = number (now, "xbzrle-cache-size");
    return 0;
}
