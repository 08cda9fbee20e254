//  jobs_migrate_wishes.c: how a migration is to be done: what its user asks for, and what of that
//  the receiver is told.

#include "actors/jobs/jobs_migrate.h"
#include "util/text.h"

#include <stddef.h>
#include <string.h>

enum {
    CHANNELS_MAX = 255,
    PER_CENT_MAX = 99,
    LEVEL_MAX = 20,
    PORT_MAX = 65535
};

static bool wants (const job_actor_t *self, const char *name)
{
    return value_bool (job_arg (self, name), false);
}

static uint64_t number (const job_actor_t *self, const char *name)
{
    uint64_t value = 0;
    value_u64 (job_arg (self, name), &value);
    return value;
}

//  Small numbers: how large they may be, and who is told.
static const struct {
    const char *arg;
    size_t at;
    unsigned max;
    bool prepared;
} numbers[] = {
    { "parallel", offsetof (migration_t, channels), CHANNELS_MAX, true },
    { "compression_level", offsetof (migration_t, compression_level), LEVEL_MAX, false },
    { "auto_converge_initial", offsetof (migration_t, throttle_initial), PER_CENT_MAX, false },
    { "auto_converge_increment", offsetof (migration_t, throttle_increment), PER_CENT_MAX, false },
    { "disks_port", offsetof (migration_t, disks_port), PORT_MAX, true },
};

#define EACH_NUMBER(i) (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)

static unsigned *number_of (migration_t *migration, size_t i)
{
    return (unsigned *) (void *) ((char *) migration + numbers[i].at);
}

static int read_numbers (const job_actor_t *self, migration_t *migration, error_t *err)
{
    for
        EACH_NUMBER (i)
        {
            uint64_t value = number (self, numbers[i].arg);
            if (value > numbers[i].max)
                return error_set (err, ERR_INVALID_ARG, "%s: %u at most", numbers[i].arg,
                                  numbers[i].max);
            *number_of (migration, i) = (unsigned) value;
        }
    return 0;
}

static copy_storage_t copy_of (const char *text)
{
    return !text ? COPY_NONE : strcmp (text, "top") == 0 ? COPY_TOP : COPY_ALL;
}

static void read_disks (const job_actor_t *self, migration_t *migration)
{
    const value_t *list = job_arg (self, "disks");
    migration->disks = strings_new ();
    for (size_t i = 0; i < value_count (list); i++)
        strings_add (migration->disks, value_str (value_at (list, i)));
}

//  What is of no use without the other, or does not go with it.
static int check_pairs (const migration_t *self, error_t *err)
{
    bool streams = self->compression && text_starts (self->compression, "z");
    const struct {
        bool wrong;
        const char *why;
    } pairs[] = {
        { self->postcopy && self->channels > 1,
          "post-copy does not go with parallel connections; choose one" },
        { self->postcopy_after_pass && !self->postcopy,
          "postcopy_after_precopy goes with postcopy" },
        { (self->throttle_initial || self->throttle_increment) && !self->auto_converge,
          "auto_converge_initial and auto_converge_increment go with auto_converge" },
        { streams && self->channels < 2,
          "zlib and zstd compress parallel connections only: say how many (parallel)" },
        { self->compression && !streams && self->channels > 1,
          "xbzrle and mt do not go with parallel connections; zlib and zstd do" },
        { self->compression_cache && !text_equals (self->compression, "xbzrle"),
          "compression_cache goes with the compression xbzrle" },
        { self->compression_level &&
              (!self->compression || strcmp (self->compression, "xbzrle") == 0),
          "compression_level goes with the compressions mt, zlib and zstd" },
        { self->disks_port && self->copy == COPY_NONE, "disks_port goes with copy" },
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (pairs[i].wrong)
            return error_set (err, ERR_INVALID_ARG, "%s", pairs[i].why);
    return 0;
}

int migrate_read_wishes (const job_actor_t *self, migration_t *migration, error_t *err)
{
    const char *peer = value_str (job_arg (self, "peer"));
    *migration = (migration_t){
        .uri = value_str (job_arg (self, "uri")),
        .listen = value_str (job_arg (self, "listen_address")),
        .local = peer && text_starts (peer, "ipc://"),
        .live = wants (self, "live"),
        .unsafe = wants (self, "unsafe"),
        .auto_converge = wants (self, "auto_converge"),
        .postcopy = wants (self, "postcopy"),
        .postcopy_after_pass = wants (self, "postcopy_after_precopy"),
        .abort_on_error = wants (self, "abort_on_error"),
        .compression = value_str (job_arg (self, "compression")),
        .compression_cache = number (self, "compression_cache"),
        .bandwidth = number (self, "bandwidth"),
        .postcopy_bandwidth = number (self, "postcopy_bandwidth"),
        .downtime_ms = number (self, "downtime_ms"),
        .copy = copy_of (value_str (job_arg (self, "copy"))),
    };
    read_disks (self, migration);
    return read_numbers (self, migration, err) || check_pairs (migration, err) ? -1 : 0;
}

void migrate_pack_wishes (const migration_t *migration, pack_t *pack)
{
    static const char *const copies[] = { [COPY_ALL] = "all", [COPY_TOP] = "top" };
    migration_t wishes = *migration;
    pack_key_bool (pack, "postcopy", migration->postcopy);
    for
        EACH_NUMBER (i)
    if (numbers[i].prepared && *number_of (&wishes, i))
        pack_key_u64 (pack, numbers[i].arg, *number_of (&wishes, i));
    if (migration->compression)
        pack_key_str (pack, "compression", migration->compression);
    if (migration->listen)
        pack_key_str (pack, "listen_address", migration->listen);
    if (migration->copy == COPY_NONE)
        return;
    pack_key_str (pack, "copy", copies[migration->copy]);
    pack_key_array (pack, "disks");
    for (size_t i = 0; i < migration->disks->count; i++)
        pack_str (pack, migration->disks->items[i]);
    pack_end (pack);
}

//  Its sender has checked it; QEMU refuses what makes no sense.
void migrate_read_prepared (const job_actor_t *self, migration_t *migration)
{
    error_t ignored = { 0 };
    *migration = (migration_t){
        .token = value_str (job_arg (self, "token")),
        .uri = value_str (job_arg (self, "uri")),
        .listen = value_str (job_arg (self, "listen_address")),
        .postcopy = wants (self, "postcopy"),
        .compression = value_str (job_arg (self, "compression")),
        .copy = copy_of (value_str (job_arg (self, "copy"))),
    };
    read_numbers (self, migration, &ignored);
    read_disks (self, migration);
}
