//  device_tune.c: limits of single disks and interfaces: blkdeviotune, domiftune. Without a value
//  to set they show what is set.

#include "cli/json.h"
#include "cli/run.h"

#include <inttypes.h>
#include <string.h>

//  Adds live and config. -1 and ERR: both of them, or one besides current.
static int add_scope (cli_t *cli, const options_t *options, troupe_args_t *args, error_t *err)
{
    static const char *const flags[] = { "live", "config" };
    if (run_check_scope (cli, options, err))
        return -1;
    troupe_args_str (args, "domain", options_str (options, "domain"));
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (options_flag (options, flags[i]))
            troupe_args_bool (args, flags[i], true);
    return 0;
}

static int show (cli_t *cli, const char *verb, const troupe_args_t *args, int width, error_t *err)
{
    auto(troupe_message_t) reply = cli_call (cli, verb, args, err);
    if (!reply)
        return -1;
    const troupe_value_t *map = troupe_message_value (reply);
    for (size_t i = 0; !cli_json (cli, map) && i < troupe_count (map); i++) {
        const troupe_value_t *value = troupe_at (map, i);
        printf ("%-*s: ", width, troupe_key_at (map, i));
        if (troupe_type (value) == TROUPE_STR)
            puts (troupe_str (value));
        else
            printf ("%" PRId64 "\n", troupe_i64 (value, 0));
    }
    return 0;
}

static int set (cli_t *cli, const char *verb, const troupe_args_t *args, error_t *err)
{
    auto(troupe_message_t) reply = cli_call (cli, verb, args, err);
    if (reply)
        cli_json (cli, troupe_message_value (reply));
    return reply ? 0 : -1;
}

//  A size, if it is one of bytes; *ANY if it was given.
static int add_limit (cli_t *cli, const options_t *options, const char *name, troupe_args_t *args,
                      bool *any, error_t *err)
{
    bool bytes = strstr (name, "_bytes_sec") && !text_ends (name, "_length");
    if (!options_str (options, name))
        return 0;
    *any = true;
    if (bytes)
        return run_add_size (cli, args, options, name, 1, err);
    troupe_args_u64 (args, name, options_u64 (options, name, 0));
    return 0;
}

static int add_limits (cli_t *cli, const options_t *options, troupe_args_t *args, bool *any,
                       error_t *err)
{
    static const char *const of[] = { "total", "read", "write" };
    static const char *const what[] = { "bytes_sec", "iops_sec" };
    static const char *const when[] = { "", "_max", "_max_length" };
    for (size_t i = 0; i < 18; i++) {
        autofree char *name = text_format ("%s_%s%s", of[i % 3], what[i / 3 % 2], when[i / 6]);
        if (add_limit (cli, options, name, args, any, err))
            return -1;
    }
    return add_limit (cli, options, "size_iops_sec", args, any, err);
}

int run_blkdeviotune (cli_t *cli, const options_t *options, error_t *err)
{
    auto(troupe_args_t) args = troupe_args_new ();
    const char *group = options_str (options, "group_name");
    bool any = group != NULL;
    if (add_scope (cli, options, args, err))
        return -1;
    troupe_args_str (args, "disk", options_str (options, "device"));
    if (group)
        troupe_args_str (args, "group_name", group);
    if (add_limits (cli, options, args, &any, err))
        return -1;
    return any ? set (cli, "domain.block_io_parameters_set", args, err)
               : show (cli, "domain.block_io_parameters", args, 26, err);
}

//  "AVERAGE,PEAK,BURST", of which the last ones may be missing.
static int add_way (cli_t *cli, const options_t *options, const char *way, troupe_args_t *args,
                    error_t *err)
{
    static const char *const rates[] = { "average", "peak", "burst", "floor" };
    const char *given = options_str (options, way);
    autofree char *copy = text_copy (given);
    char *rest = copy, *part;
    for (size_t i = 0; (part = strsep (&rest, ",")); i++) {
        uint64_t value = 0;
        if (i == sizeof rates / sizeof *rates || (*part && !text_to_u64 (part, &value)))
            return cli_usage (
                cli, err, "domiftune: --%s '%s' is not of the form AVERAGE,PEAK,BURST", way, given);
        autofree char *field = text_format ("%s_%s", way, rates[i]);
        if (*part)
            troupe_args_u64 (args, field, value);
    }
    return 0;
}

int run_domiftune (cli_t *cli, const options_t *options, error_t *err)
{
    auto(troupe_args_t) args = troupe_args_new ();
    bool any = options_str (options, "inbound") || options_str (options, "outbound");
    if (add_scope (cli, options, args, err))
        return -1;
    troupe_args_str (args, "interface", options_str (options, "interface"));
    if (add_way (cli, options, "inbound", args, err) ||
        add_way (cli, options, "outbound", args, err))
        return -1;
    return any ? set (cli, "domain.interface_parameters_set", args, err)
               : show (cli, "domain.interface_parameters", args, 16, err);
}

//  dommemstat --period.
int run_memory_period (cli_t *cli, const options_t *options, error_t *err)
{
    auto(troupe_args_t) args = troupe_args_new ();
    if (add_scope (cli, options, args, err))
        return -1;
    troupe_args_u64 (args, "seconds", options_u64 (options, "period", 0));
    return set (cli, "domain.memory_period_set", args, err);
}
