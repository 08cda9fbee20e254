//  jobs_migrate_tune.c: the limits of the migration that is under way; or of the next ones, which
//  the guest's record keeps as long as the guest runs here:
//
//      <migration_limits bandwidth='...' postcopy_bandwidth='...' downtime_ms='...'
//                        compression_cache='...'/>       what was not set is not there

#include "actors/jobs/jobs.h"
#include "actors/jobs/jobs_migrate.h"

#include <stddef.h>

#define PART "migration_limits"

//  In requests, in the record, and in answers.
static const struct {
    const char *name, *path;
    size_t at, in_migration;
} limits[] = {
    { "bandwidth", PART "/@bandwidth", offsetof (migrate_tuning_t, bandwidth),
      offsetof (migration_t, bandwidth) },
    { "postcopy_bandwidth", PART "/@postcopy_bandwidth",
      offsetof (migrate_tuning_t, postcopy_bandwidth), offsetof (migration_t, postcopy_bandwidth) },
    { "downtime_ms", PART "/@downtime_ms", offsetof (migrate_tuning_t, downtime_ms),
      offsetof (migration_t, downtime_ms) },
    { "compression_cache", PART "/@compression_cache",
      offsetof (migrate_tuning_t, compression_cache), offsetof (migration_t, compression_cache) },
};

enum {
    LIMITS = sizeof limits / sizeof *limits
};

static uint64_t *number_at (void *structure, size_t at)
{
    return (uint64_t *) (void *) ((char *) structure + at);
}

//  The next migration's.
static migrate_tuning_t set_ahead (const job_actor_t *self)
{
    error_t ignored = { 0 };
    migrate_tuning_t tuning = self->driver->migrate_defaults;
    const xml_t *record = self->base.guest->record;
    for (size_t i = 0; record && i < LIMITS; i++)
        xml_u64 (xml_root (record), limits[i].path, number_at (&tuning, limits[i].at), &ignored);
    return tuning;
}

void migrate_take_limits (const job_actor_t *self, migration_t *migration)
{
    migrate_tuning_t tuning = set_ahead (self);
    for (size_t i = 0; i < LIMITS; i++) {
        uint64_t *wish = number_at (migration, limits[i].in_migration);
        *wish = *wish ? *wish : *number_at (&tuning, limits[i].at);
    }
}

//  The request.

static bool wants (const job_actor_t *self, const char *name)
{
    return value_bool (job_arg (self, name), false);
}

//  True if it is to change a limit.
static bool read_request (const job_actor_t *self, migrate_tuning_t *tuning)
{
    bool changes = false;
    *tuning = (migrate_tuning_t){ .start_postcopy = wants (self, "postcopy"),
                                  .break_postcopy = wants (self, "break_postcopy") };
    for (size_t i = 0; i < LIMITS; i++) {
        uint64_t *wish = number_at (tuning, limits[i].at);
        value_u64 (job_arg (self, limits[i].name), wish);
        changes = changes || *wish;
    }
    return changes;
}

static int keep (job_actor_t *self, migrate_tuning_t *tuning, error_t *err)
{
    xml_node_t *root = xml_root (self->base.guest->record);
    for (size_t i = 0; i < LIMITS; i++) {
        uint64_t value = *number_at (tuning, limits[i].at);
        if (value) {
            xml_ensure (root, PART);
            xml_set_u64 (root, limits[i].path, value);
        }
    }
    return job_record (&self->base, err);
}

//  The hypervisor takes them ahead, too, so that it refuses what it can't do at once. The record
//  is the migration's own while there is one.
static int change (job_actor_t *self, migrate_tuning_t *tuning, bool limits_change, error_t *err)
{
    if (self->driver->migrate_tune (&self->base, tuning, err))
        return -1;
    bool ahead = limits_change && !msg_flag (self->start, "migrating");
    return ahead ? keep (self, tuning, err) : 0;
}

static void answer (job_actor_t *self, migrate_tuning_t *tuning)
{
    pack_map (&self->value);
    for (size_t i = 0; i < LIMITS; i++)
        pack_key_u64 (&self->value, limits[i].name, *number_at (tuning, limits[i].at));
    pack_end (&self->value);
}

//  What was changed may be over the next moment, so it is not asked for as well.
static int tune (job_actor_t *self, error_t *err)
{
    migrate_tuning_t tuning;
    bool limits_change = read_request (self, &tuning);
    if (limits_change || tuning.start_postcopy || tuning.break_postcopy)
        return change (self, &tuning, limits_change, err);
    if (!msg_flag (self->start, "migrating"))
        tuning = set_ahead (self);
    else if (self->driver->migrate_tuning (&self->base, &tuning, err))
        return -1;
    answer (self, &tuning);
    return 0;
}

int job_run_migrate_tune (job_actor_t *self, error_t *err)
{
    if (!self->driver->migrate_tune)
        return job_unsupported (self, "migrate", err);
    return tune (self, err)
               ? error_prefix (err, "tune the migration of domain '%s'", self->base.guest->name)
               : 0;
}
