//  guest.c: commands that show what a guest's agent tells of it, and what it is to change there.

#include "cli/columns.h"
#include "cli/json.h"
#include "cli/run.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

static troupe_args_t *args_of (const options_t *options)
{
    troupe_args_t *args = troupe_args_new ();
    troupe_args_str (args, "domain", options_str (options, "domain"));
    return args;
}

//  A change: SAID once it is made.
static int change (cli_t *cli, const char *verb, const troupe_args_t *args, const char *said,
                   error_t *err)
{
    auto(troupe_message_t) reply = cli_call (cli, verb, args, err);
    if (!reply)
        return -1;
    if (!cli_json (cli, troupe_message_value (reply)))
        cli_say (cli, "%s\n", said);
    return 0;
}

//  What VERB answers, unless it was shown as JSON: NULL then, and on failure with *FAILED.
static troupe_message_t *ask (cli_t *cli, const char *verb, const options_t *options, bool *failed,
                              error_t *err)
{
    auto(troupe_args_t) args = args_of (options);
    auto(troupe_message_t) reply = cli_call (cli, verb, args, err);
    *failed = !reply;
    return reply && !cli_json (cli, troupe_message_value (reply)) ? take (&reply) : NULL;
}

int run_guestinfo (cli_t *cli, const options_t *options, error_t *err)
{
    static const char *const types[] = { "user",       "os",   "timezone", "hostname",
                                         "filesystem", "disk", "interface" };
    auto(troupe_args_t) args = args_of (options);
    auto(strings_t) wanted = strings_new ();
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (options_flag (options, types[i]))
            strings_add (wanted, types[i]);
    if (wanted->count > 0)
        troupe_args_strs (args, "types", strings_list (wanted), wanted->count);
    auto(troupe_message_t) reply = cli_call (cli, "domain.guest_info", args, err);
    if (!reply)
        return -1;
    const troupe_value_t *fields = troupe_message_value (reply);
    if (cli_json (cli, fields))
        return 0;
    for (size_t i = 0; i < troupe_count (fields); i++) {
        printf ("%-20s: ", troupe_key_at (fields, i));
        columns_show (stdout, troupe_at (fields, i));
    }
    return 0;
}

static char *join (const troupe_value_t *texts)
{
    auto(text_t) joined = text_new ();
    for (size_t i = 0; i < troupe_count (texts); i++)
        text_addf (joined, "%s%s", i > 0 ? "," : "", troupe_str (troupe_at (texts, i)));
    return text_finish (&joined);
}

int run_domfsinfo (cli_t *cli, const options_t *options, error_t *err)
{
    static const char *const titles[] = { "Mountpoint", "Name", "Type", "Target", NULL };
    bool failed;
    auto(troupe_message_t) reply = ask (cli, "domain.fs_info", options, &failed, err);
    if (!reply)
        return failed ? -1 : 0;
    auto(columns_t) table = columns_new (titles);
    const troupe_value_t *systems = troupe_message_value (reply);
    for (size_t i = 0; i < troupe_count (systems); i++) {
        const troupe_value_t *each = troupe_at (systems, i);
        autofree char *targets = join (troupe_get (each, "targets"));
        columns_add (table, troupe_get_str (each, "mountpoint"));
        columns_add (table, troupe_get_str (each, "name"));
        columns_add (table, troupe_get_str (each, "type"));
        columns_add (table, targets);
    }
    columns_print (table, stdout);
    return 0;
}

int run_domfstrim (cli_t *cli, const options_t *options, error_t *err)
{
    auto(troupe_args_t) args = args_of (options);
    if (options_str (options, "minimum"))
        troupe_args_u64 (args, "minimum", options_u64 (options, "minimum", 0));
    cli->patient = true;
    int rc = change (cli, "domain.fs_trim", args, "Trimmed", err);
    cli->patient = false;
    return rc;
}

int run_domhostname (cli_t *cli, const options_t *options, error_t *err)
{
    bool failed;
    auto(troupe_message_t) reply = ask (cli, "domain.hostname", options, &failed, err);
    if (!reply)
        return failed ? -1 : 0;
    puts (troupe_get_str (troupe_message_value (reply), "hostname"));
    return 0;
}

static void add_addresses (columns_t *table, const troupe_value_t *interface, bool full)
{
    const troupe_value_t *addresses = troupe_get (interface, "addresses");
    const char *mac = troupe_get_str (interface, "mac"), *name = troupe_get_str (interface, "name");
    for (size_t i = 0; i < troupe_count (addresses) || i == 0; i++) {
        const troupe_value_t *each = troupe_at (addresses, i);
        columns_add (table, (full || i == 0) && name ? name : "-");
        columns_add (table, (full || i == 0) && *mac ? mac : "-");
        columns_add (table, each ? troupe_get_str (each, "type") : "N/A");
        if (each)
            columns_addf (table, "%s/%" PRIu64, troupe_get_str (each, "address"),
                          troupe_get_u64 (each, "prefix", 0));
        else
            columns_add (table, "N/A");
    }
}

int run_domifaddr (cli_t *cli, const options_t *options, error_t *err)
{
    static const char *const titles[] = { "Name", "MAC address", "Protocol", "Address", NULL };
    const char *only = options_str (options, "interface");
    auto(troupe_args_t) args = args_of (options);
    const char *source = options_str (options, "source");
    bool agent = text_equals (source, "agent");
    troupe_args_str (args, "source", source ? source : "lease");
    auto(troupe_message_t) reply =
        cli_call (cli, agent ? "domain.interface_addresses" : "domain.addresses", args, err);
    if (!reply || cli_json (cli, troupe_message_value (reply)))
        return reply ? 0 : -1;
    auto(columns_t) table = columns_new (titles);
    const troupe_value_t *interfaces = troupe_message_value (reply);
    for (size_t i = 0; i < troupe_count (interfaces); i++) {
        const troupe_value_t *each = troupe_at (interfaces, i);
        if (!only || text_equals (only, troupe_get_str (each, "name")))
            add_addresses (table, each, options_flag (options, "full"));
    }
    columns_print (table, stdout);
    return 0;
}

static int show_time (cli_t *cli, const options_t *options, error_t *err)
{
    bool failed;
    auto(troupe_message_t) reply = ask (cli, "domain.time", options, &failed, err);
    if (!reply)
        return failed ? -1 : 0;
    time_t seconds = (time_t) troupe_get_i64 (troupe_message_value (reply), "seconds", 0);
    struct tm parts;
    char text[64];
    if (options_flag (options, "pretty") && gmtime_r (&seconds, &parts) &&
        strftime (text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts))
        printf ("Time: %s\n", text);
    else
        printf ("Time: %lld\n", (long long) seconds);
    return 0;
}

int run_domtime (cli_t *cli, const options_t *options, error_t *err)
{
    bool now = options_flag (options, "now"), sync = options_flag (options, "sync");
    bool given = options_str (options, "time") != NULL;
    if (now + sync + given > 1)
        return cli_usage (cli, err, "domtime: --now, --sync and --time exclude each other");
    if (!now && !sync && !given)
        return show_time (cli, options, err);
    auto(troupe_args_t) args = args_of (options);
    struct timespec host;
    clock_gettime (CLOCK_REALTIME, &host);
    if (sync)
        troupe_args_bool (args, "sync", true);
    else
        troupe_args_u64 (args, "seconds",
                         now ? (uint64_t) host.tv_sec : options_u64 (options, "time", 0));
    if (now)
        troupe_args_u64 (args, "nseconds", (uint64_t) host.tv_nsec);
    return change (cli, "domain.time_set", args, "Time set", err);
}

static int show_vcpus (cli_t *cli, const options_t *options, error_t *err)
{
    static const char *const names[] = { "vcpus", "online", "offlinable" };
    bool failed;
    auto(troupe_message_t) reply = ask (cli, "domain.guest_vcpus", options, &failed, err);
    for (size_t i = 0; reply && i < sizeof names / sizeof *names; i++)
        printf ("%-15s: %s\n", names[i], troupe_get_str (troupe_message_value (reply), names[i]));
    return failed ? -1 : 0;
}

int run_guestvcpus (cli_t *cli, const options_t *options, error_t *err)
{
    bool enable = options_flag (options, "enable"), disable = options_flag (options, "disable");
    const char *list = options_str (options, "cpulist");
    if ((enable && disable) || (enable || disable) != (list != NULL))
        return cli_usage (cli, err, "guestvcpus: --cpulist goes with either --enable or --disable");
    if (!list)
        return show_vcpus (cli, options, err);
    auto(troupe_args_t) args = args_of (options);
    troupe_args_str (args, "cpus", list);
    troupe_args_bool (args, "online", enable);
    return change (cli, "domain.guest_vcpus_set", args, enable ? "CPUs enabled" : "CPUs disabled",
                   err);
}
