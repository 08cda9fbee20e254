//  stats.c: domstats.

#include "cli/run.h"

#include <inttypes.h>
#include <string.h>

//  Filters, as the option is called, and as the argument is.
static const char *const filters[][2] = {
    { "list_active", "active" },         { "list_inactive", "inactive" },
    { "list_persistent", "persistent" }, { "list_transient", "transient" },
    { "list_running", "state_running" }, { "list_paused", "state_paused" },
    { "list_shutoff", "state_shutoff" }, { "list_other", "state_other" },
};

static troupe_args_t *stats_args (const options_t *options)
{
    static const char *const flags[] = { "state", "cpu_total", "balloon",  "vcpu",   "interface",
                                         "block", "perf",      "iothread", "memory", "dirtyrate",
                                         "vm",    "backing",   "enforce" };
    troupe_args_t *args = troupe_args_new ();
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (options_flag (options, flags[i]))
            troupe_args_bool (args, flags[i], true);
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++)
        if (options_flag (options, filters[i][0]))
            troupe_args_bool (args, filters[i][1], true);
    if (options_str (options, "budget"))
        troupe_args_u64 (args, "budget", options_u64 (options, "budget", 0));
    return args;
}

static bool has_filter (const options_t *options)
{
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++)
        if (options_flag (options, filters[i][0]))
            return true;
    return false;
}

//  Names are words: none of them has a blank here. One that has is named by its uuid.
static void add_names (troupe_args_t *args, const char *words)
{
    auto(strings_t) names = strings_new ();
    while (words && *words) {
        size_t size = strcspn (words, " ");
        if (size > 0)
            strings_add_taken (names, text_copy_bytes (words, size));
        words += size + (words[size] == ' ');
    }
    if (names->count > 0)
        troupe_args_strs (args, "domains", strings_list (names), names->count);
}

static void print_field (const char *name, const troupe_value_t *value)
{
    if (troupe_str (value))
        printf ("  %s=%s\n", name, troupe_str (value));
    else if (troupe_type (value) == TROUPE_BOOL)
        printf ("  %s=%s\n", name, troupe_bool (value, false) ? "yes" : "no");
    else
        printf ("  %s=%" PRIu64 "\n", name, troupe_u64 (value, 0));
}

static void print_domain (const troupe_value_t *domain)
{
    const char *name = troupe_get_str (domain, "name"), *error = troupe_get_str (domain, "error");
    const troupe_value_t *stats = troupe_get (domain, "stats");
    printf ("Domain: '%s'\n", name ? name : "-");
    if (error)
        printf ("  (not measured: %s)\n", error);
    else if (troupe_get_bool (domain, "stale", false))
        printf ("  (last known values, %.1f s old)\n",
                (double) troupe_get_i64 (domain, "age_ms", 0) / 1000);
    for (size_t i = 0; i < troupe_count (stats); i++)
        print_field (troupe_key_at (stats, i), troupe_at (stats, i));
    putchar ('\n');
}

int run_domstats (cli_t *cli, const options_t *options, error_t *err)
{
    if (options_str (options, "domain") && has_filter (options))
        return cli_usage (cli, err, "domstats: name domains, or filter them by --list-...");
    auto(troupe_args_t) args = stats_args (options);
    add_names (args, options_str (options, "domain"));
    auto(troupe_message_t) reply = cli_call (cli, "domain.stats", args, err);
    if (!reply)
        return -1;
    const troupe_value_t *list = troupe_message_value (reply);
    if (cli_json (cli, list))
        return 0;
    for (size_t i = 0; i < troupe_count (list); i++)
        print_domain (troupe_at (list, i));
    return 0;
}
