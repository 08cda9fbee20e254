//  migrate.c: guests that move to other hosts, with virsh's options. Units as virsh has them: MiB a
//  second, seconds, milliseconds.

#include "cli/run.h"

#include "util/text.h"

#include <stdio.h>
#include <string.h>

enum {
    MIB = 1024 * 1024,
    CONNECTIONS = 2,
    BESIDE_MS = 10000
};

typedef struct {
    const char *option, *arg;
} pair_t;

static const pair_t flags[] = { { "live", "live" },
                                { "persistent", "persistent" },
                                { "undefinesource", "undefine_source" },
                                { "suspend", "suspend" },
                                { "unsafe", "unsafe" },
                                { "auto_converge", "auto_converge" },
                                { "postcopy", "postcopy" },
                                { NULL, NULL } };

static const pair_t texts[] = {
    { "desturi", "peer" }, { "migrateuri", "uri" }, { "dname", "name" }, { NULL, NULL }
};

static const pair_t files[] = { { "xml", "xml" },
                                { "persistent_xml", "persistent_xml" },
                                { NULL, NULL } };

static const pair_t speeds[] = { { "bandwidth", "bandwidth" },
                                 { "postcopy_bandwidth", "postcopy_bandwidth" },
                                 { NULL, NULL } };

//  What makes no sense together.
static const pair_t needs[] = {
    { "undefinesource", "persistent" },     { "persistent_xml", "persistent" },
    { "parallel_connections", "parallel" }, { "postcopy_bandwidth", "postcopy" },
    { "timeout_suspend", "timeout" },       { "timeout_postcopy", "timeout" },
    { "timeout_postcopy", "postcopy" },     { NULL, NULL }
};

static const pair_t excludes[] = { { "copy_storage_all", "copy_storage_inc" },
                                   { "timeout_suspend", "timeout_postcopy" },
                                   { NULL, NULL } };

static bool is_given (const options_t *options, const char *name)
{
    return options_flag (options, name) || options_str (options, name);
}

static int refuse_pair (cli_t *cli, const options_t *options, const pair_t *pair, const char *how,
                        error_t *err)
{
    autofree char *first = option_name (&(verb_arg_t){ .name = pair->option });
    autofree char *second = option_name (&(verb_arg_t){ .name = pair->arg });
    return cli_usage (cli, err, "%s: --%s %s --%s", options->command->name, first, how, second);
}

static int check_options (cli_t *cli, const options_t *options, error_t *err)
{
    const char *peer = options_str (options, "desturi");
    for (const pair_t *pair = needs; pair->option; pair++)
        if (is_given (options, pair->option) && !is_given (options, pair->arg))
            return refuse_pair (cli, options, pair, "goes with", err);
    for (const pair_t *pair = excludes; pair->option; pair++)
        if (is_given (options, pair->option) && is_given (options, pair->arg))
            return refuse_pair (cli, options, pair, "does not go with", err);
    if (!text_starts (peer, "ipc://") && !text_starts (peer, "tcp://"))
        return cli_usage (
            cli, err, "migrate: '%s': a daemon's endpoint is ipc://PATH or tcp://HOST:PORT", peer);
    if (options_str (options, "migrate_disks") && !options_flag (options, "copy_storage_all") &&
        !options_flag (options, "copy_storage_inc"))
        return cli_usage (
            cli, err,
            "migrate: --migrate-disks goes with --copy-storage-all or --copy-storage-inc");
    return 0;
}

static void add_speeds (troupe_args_t *args, const options_t *options)
{
    for (const pair_t *pair = speeds; pair->option; pair++)
        if (options_str (options, pair->option))
            troupe_args_u64 (args, pair->arg, options_u64 (options, pair->option, 0) * MIB);
}

static void add_disks (troupe_args_t *args, const char *list)
{
    auto(strings_t) disks = strings_new ();
    for (size_t size; *list; list += size + (list[size] == ',')) {
        size = strcspn (list, ",");
        if (size > 0)
            strings_add_taken (disks, text_copy_bytes (list, size));
    }
    troupe_args_strs (args, "disks", strings_list (disks), disks->count);
}

static void add_copy (troupe_args_t *args, const options_t *options)
{
    const char *disks = options_str (options, "migrate_disks");
    if (options_flag (options, "copy_storage_all"))
        troupe_args_str (args, "copy", "all");
    if (options_flag (options, "copy_storage_inc"))
        troupe_args_str (args, "copy", "top");
    if (disks)
        add_disks (args, disks);
}

static int add_all (troupe_args_t *args, const options_t *options, error_t *err)
{
    troupe_args_str (args, "domain", options_str (options, "domain"));
    for (const pair_t *pair = flags; pair->option; pair++)
        if (options_flag (options, pair->option))
            troupe_args_bool (args, pair->arg, true);
    for (const pair_t *pair = texts; pair->option; pair++)
        if (options_str (options, pair->option))
            troupe_args_str (args, pair->arg, options_str (options, pair->option));
    for (const pair_t *pair = files; pair->option; pair++) {
        const char *path = options_str (options, pair->option);
        if (path && options_add_file (args, pair->arg, path, err))
            return -1;
    }
    if (options_flag (options, "parallel"))
        troupe_args_u64 (args, "parallel",
                         options_u64 (options, "parallel_connections", CONNECTIONS));
    add_speeds (args, options);
    add_copy (args, options);
    return 0;
}

//  It takes too long. The migration goes on in any case.
static void hurry (cli_t *cli, const void *arg)
{
    const options_t *options = arg;
    bool postcopy = options_flag (options, "timeout_postcopy");
    troupe_error_t failure;
    auto(troupe_args_t) args = troupe_args_new ();
    troupe_args_str (args, "domain", options_str (options, "domain"));
    if (postcopy)
        troupe_args_bool (args, "postcopy", true);
    auto(troupe_message_t) reply =
        troupe_call (cli->troupe, postcopy ? "domain.migrate_tune" : "domain.suspend", args,
                     BESIDE_MS, &failure);
    if (!reply && !cli->quiet)
        fprintf (stderr, "migrate: after --timeout: %s\n", failure.message);
}

static int resume (cli_t *cli, const options_t *options, error_t *err)
{
    auto(troupe_args_t) args = troupe_args_new ();
    troupe_args_str (args, "domain", options_str (options, "domain"));
    troupe_args_str (args, "peer", options_str (options, "desturi"));
    if (options_str (options, "migrateuri"))
        troupe_args_str (args, "uri", options_str (options, "migrateuri"));
    auto(troupe_message_t) reply = cli_call (cli, "domain.migrate_resume", args, err);
    if (reply)
        cli_json (cli, troupe_message_value (reply));
    return reply ? 0 : -1;
}

int run_migrate (cli_t *cli, const options_t *options, error_t *err)
{
    cli_alarm_t alarm = { .after_ms = (int64_t) options_u64 (options, "timeout", 0) * 1000,
                          .ring = hurry,
                          .arg = options };
    auto(troupe_args_t) args = troupe_args_new ();
    if (check_options (cli, options, err))
        return -1;
    if (options_flag (options, "postcopy_resume"))
        return resume (cli, options, err);
    if (add_all (args, options, err))
        return -1;
    cli->alarm = &alarm;
    int rc = run_long (cli, options, "domain.migrate", args, err);
    cli->alarm = NULL;
    return rc;
}

//  migrate-postcopy, migrate-setmaxdowntime, migrate-setspeed.
int run_migrate_tune (cli_t *cli, const options_t *options, error_t *err)
{
    auto(troupe_args_t) args = troupe_args_new ();
    troupe_args_str (args, "domain", options_str (options, "domain"));
    if (options_str (options, "downtime"))
        troupe_args_u64 (args, "downtime_ms", options_u64 (options, "downtime", 0));
    add_speeds (args, options);
    if (strcmp (options->command->name, "migrate-postcopy") == 0)
        troupe_args_bool (args, "postcopy", true);
    auto(troupe_message_t) reply = cli_call (cli, "domain.migrate_tune", args, err);
    if (reply)
        cli_json (cli, troupe_message_value (reply));
    return reply ? 0 : -1;
}
