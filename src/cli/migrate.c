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
                                { "abort_on_error", "abort_on_error" },
                                { "postcopy", "postcopy" },
                                { "postcopy_after_precopy", "postcopy_after_precopy" },
                                { NULL, NULL } };

static const pair_t texts[] = { { "desturi", "peer" },
                                { "migrateuri", "uri" },
                                { "dname", "name" },
                                { "listen_address", "listen_address" },
                                { NULL, NULL } };

static const pair_t numbers[] = { { "disks_port", "disks_port" },
                                  { "auto_converge_initial", "auto_converge_initial" },
                                  { "auto_converge_increment", "auto_converge_increment" },
                                  { "comp_xbzrle_cache", "compression_cache" },
                                  { "comp_mt_level", "compression_level" },
                                  { "comp_zlib_level", "compression_level" },
                                  { "comp_zstd_level", "compression_level" },
                                  { NULL, NULL } };

static const pair_t files[] = { { "xml", "xml" },
                                { "persistent_xml", "persistent_xml" },
                                { NULL, NULL } };

static const pair_t speeds[] = { { "bandwidth", "bandwidth" },
                                 { "postcopy_bandwidth", "postcopy_bandwidth" },
                                 { NULL, NULL } };

//  What makes no sense together.
static const pair_t needs[] = { { "undefinesource", "persistent" },
                                { "persistent_xml", "persistent" },
                                { "parallel_connections", "parallel" },
                                { "postcopy_bandwidth", "postcopy" },
                                { "timeout_suspend", "timeout" },
                                { "timeout_postcopy", "timeout" },
                                { "timeout_postcopy", "postcopy" },
                                { "offline", "persistent" },
                                { "postcopy_after_precopy", "postcopy" },
                                { "auto_converge_initial", "auto_converge" },
                                { "auto_converge_increment", "auto_converge" },
                                { "comp_methods", "compressed" },
                                { NULL, NULL } };

//  A level is that of the one method that is used.
static const pair_t levels[] = { { "comp_xbzrle_cache", "xbzrle" },
                                 { "comp_mt_level", "mt" },
                                 { "comp_zlib_level", "zlib" },
                                 { "comp_zstd_level", "zstd" },
                                 { NULL, NULL } };

static const pair_t excludes[] = { { "copy_storage_all", "copy_storage_inc" },
                                   { "timeout_suspend", "timeout_postcopy" },
                                   { "offline", "live" },
                                   { "offline", "copy_storage_all" },
                                   { "offline", "copy_storage_inc" },
                                   { "offline", "xml" },
                                   { "offline", "suspend" },
                                   { "offline", "postcopy" },
                                   { "offline", "compressed" },
                                   { "offline", "auto_converge" },
                                   { "offline", "parallel" },
                                   { "offline", "bandwidth" },
                                   { "offline", "timeout" },
                                   { "offline", "migrateuri" },
                                   { "offline", "listen_address" },
                                   { "offline", "abort_on_error" },
                                   { NULL, NULL } };

//  virsh has these; what is said of them here.
static const pair_t unsupported[] = {
    { "tunnelled",
      "the hypervisors of the two hosts are connected directly; use a VPN, or a tunnel "
      "of your own and migrateuri" },
    { "tls", "what the hypervisors send is not encrypted; use a VPN, or a tunnel of your own and "
             "migrateuri" },
    { "tls_destination", "what the hypervisors send is not encrypted" },
    { "rdma_pin_all", "memory is sent over TCP or a UNIX socket only" },
    { "zerocopy", "memory is copied once as it is sent; leave the option out" },
    { "direct", "the daemons of the two hosts talk to each other (--p2p); leave the option out" },
    { "graphicsuri", "who looks at the guest's screen has to connect again" },
    { "disks_uri", "disks are received where the guest is; see --listen-address and --disks-port" },
    { "comp_mt_threads", "QEMU's own number of threads is used; leave the option out" },
    { "comp_mt_dthreads", "QEMU's own number of threads is used; leave the option out" },
    { NULL, NULL }
};

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

static int check_support (const options_t *options, error_t *err)
{
    for (const pair_t *pair = unsupported; pair->option; pair++)
        if (is_given (options, pair->option)) {
            autofree char *option = option_name (&(verb_arg_t){ .name = pair->option });
            return error_set (err, ERR_NO_SUPPORT, "migrate: not supported: --%s: %s", option,
                              pair->arg);
        }
    return 0;
}

//  The daemon knows which methods there are.
static const char *compression (const options_t *options)
{
    const char *methods = options_str (options, "comp_methods");
    return methods ? methods : options_flag (options, "compressed") ? "xbzrle" : NULL;
}

static int check_compression (cli_t *cli, const options_t *options, error_t *err)
{
    const char *method = compression (options);
    if (method && strchr (method, ','))
        return error_set (err, ERR_NO_SUPPORT,
                          "migrate: not supported: --comp-methods %s: one method at a time",
                          method);
    for (const pair_t *pair = levels; pair->option; pair++)
        if (options_str (options, pair->option) && !text_equals (method, pair->arg)) {
            autofree char *option = option_name (&(verb_arg_t){ .name = pair->option });
            return cli_usage (cli, err, "migrate: --%s goes with --compressed --comp-methods %s",
                              option, pair->arg);
        }
    return 0;
}

//  The daemon's own words would be about an argument that has another name.
static int check_name (cli_t *cli, const options_t *options, error_t *err)
{
    const char *name = options_str (options, "dname");
    return name && !verb_is_name (name)
               ? cli_usage (
                     cli, err,
                     "migrate: --dname '%s': a domain's name has 1 to 255 bytes, without '/' "
                     "and control characters",
                     name)
               : 0;
}

static int check_options (cli_t *cli, const options_t *options, error_t *err)
{
    const char *peer = options_str (options, "desturi");
    if (check_name (cli, options, err))
        return -1;
    if (check_support (options, err) || check_compression (cli, options, err))
        return -1;
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
    for (const pair_t *pair = numbers; pair->option; pair++)
        if (options_str (options, pair->option))
            troupe_args_u64 (args, pair->arg, options_u64 (options, pair->option, 0));
    if (compression (options))
        troupe_args_str (args, "compression", compression (options));
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

static int send_definition (cli_t *cli, const options_t *options, error_t *err)
{
    const char *name = options_str (options, "dname"),
               *xml = options_str (options, "persistent_xml");
    auto(troupe_args_t) args = troupe_args_new ();
    troupe_args_str (args, "domain", options_str (options, "domain"));
    troupe_args_str (args, "peer", options_str (options, "desturi"));
    if (name)
        troupe_args_str (args, "name", name);
    if (xml && options_add_file (args, "xml", xml, err))
        return -1;
    if (options_flag (options, "undefinesource"))
        troupe_args_bool (args, "undefine_source", true);
    return run_long (cli, options, "domain.migrate_offline", args, err);
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
    if (options_flag (options, "offline"))
        return send_definition (cli, options, err);
    if (add_all (args, options, err))
        return -1;
    cli->alarm = &alarm;
    int rc = run_long (cli, options, "domain.migrate", args, err);
    cli->alarm = NULL;
    return rc;
}
