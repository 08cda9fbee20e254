//  migrate_tune.c: how fast the migration that is under way may be, or the next one; and how
//  post-copy begins and breaks. Units as virsh has them: MiB a second, milliseconds.

#include "cli/json.h"
#include "cli/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    MIB = 1024 * 1024
};

//  What virsh prints of a speed without a limit.
#define NO_LIMIT_MIB (INT64_MAX / MIB)

static int tune (cli_t *cli, const options_t *options, const char *flag, error_t *err)
{
    bool postcopy = options_flag (options, "postcopy");
    auto(troupe_args_t) args = troupe_args_new ();
    troupe_args_str (args, "domain", options_str (options, "domain"));
    if (options_str (options, "downtime"))
        troupe_args_u64 (args, "downtime_ms", options_u64 (options, "downtime", 0));
    if (options_str (options, "bandwidth"))
        troupe_args_u64 (args, postcopy ? "postcopy_bandwidth" : "bandwidth",
                         options_u64 (options, "bandwidth", 0) * MIB);
    if (flag)
        troupe_args_bool (args, flag, true);
    auto(troupe_message_t) reply = cli_call (cli, "domain.migrate_tune", args, err);
    if (reply)
        cli_json (cli, troupe_message_value (reply));
    return reply ? 0 : -1;
}

//  A change to zero would be none.
static int check_number (cli_t *cli, const options_t *options, const char *name, error_t *err)
{
    return options_str (options, name) && options_u64 (options, name, 0) == 0
               ? cli_usage (cli, err, "%s: %s has to be at least 1", options->command->name, name)
               : 0;
}

//  migrate-postcopy, migrate-setmaxdowntime, migrate-setspeed.
int run_migrate_tune (cli_t *cli, const options_t *options, error_t *err)
{
    bool begins = strcmp (options->command->name, "migrate-postcopy") == 0;
    if (check_number (cli, options, "bandwidth", err) ||
        check_number (cli, options, "downtime", err))
        return -1;
    return tune (cli, options, begins ? "postcopy" : NULL, err);
}

//  The limits that the domain has now: of *REPLY_P, the caller's. NULL: that failed, or, with RC 0,
//  they were shown as JSON.
static const troupe_value_t *ask_limits (cli_t *cli, const options_t *options,
                                         troupe_message_t **reply_p, int *rc, error_t *err)
{
    *reply_p = cli_call_domain (cli, "domain.migrate_tune", options_str (options, "domain"), err);
    const troupe_value_t *now = *reply_p ? troupe_message_value (*reply_p) : NULL;
    *rc = now ? 0 : -1;
    return now && !cli_json (cli, now) ? now : NULL;
}

//  migrate-getmaxdowntime, migrate-getspeed.
int run_migrate_limits (cli_t *cli, const options_t *options, error_t *err)
{
    bool downtime = strcmp (options->command->name, "migrate-getmaxdowntime") == 0;
    const char *speed = options_flag (options, "postcopy") ? "postcopy_bandwidth" : "bandwidth";
    int rc;
    auto(troupe_message_t) reply = NULL;
    const troupe_value_t *now = ask_limits (cli, options, &reply, &rc, err);
    if (!now)
        return rc;
    uint64_t value = troupe_get_u64 (now, downtime ? "downtime_ms" : speed, 0);
    if (!downtime)
        value = value > 0 ? value / MIB : NO_LIMIT_MIB;
    printf ("%" PRIu64 "\n", value);
    return 0;
}

static int set_cache (cli_t *cli, const options_t *options, error_t *err)
{
    auto(troupe_args_t) args = troupe_args_new ();
    troupe_args_str (args, "domain", options_str (options, "domain"));
    troupe_args_u64 (args, "compression_cache", options_u64 (options, "size", 0));
    auto(troupe_message_t) reply = cli_call (cli, "domain.migrate_tune", args, err);
    return reply ? 0 : -1;
}

int run_migrate_compcache (cli_t *cli, const options_t *options, error_t *err)
{
    if (check_number (cli, options, "size", err) ||
        (options_str (options, "size") && set_cache (cli, options, err)))
        return -1;
    int rc;
    auto(troupe_message_t) reply = NULL;
    const troupe_value_t *now = ask_limits (cli, options, &reply, &rc, err);
    if (!now)
        return rc;
    double bytes = (double) troupe_get_u64 (now, "compression_cache", 0);
    printf ("Compression cache: %.3f MiB\n", bytes / MIB);
    return 0;
}

int run_domjobabort (cli_t *cli, const options_t *options, error_t *err)
{
    return options_flag (options, "postcopy") ? tune (cli, options, "break_postcopy", err)
                                              : run_plain (cli, options, err);
}
