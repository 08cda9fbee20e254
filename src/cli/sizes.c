//  sizes.c: options that are sizes, with virsh's units.

#include "cli/run.h"
#include "util/size.h"

#define MIB (1024 * 1024)

char *run_pretty_size (uint64_t bytes)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    double value = (double) bytes;
    size_t unit = 0;
    for (; value >= 1024; unit++)
        value /= 1024;
    return text_format ("%.3f %s", value, units[unit]);
}

int run_read_size (cli_t *cli, const options_t *options, const char *option, uint64_t scale,
                   uint64_t *bytes, error_t *err)
{
    const char *text = options_str (options, option);
    if (!text || size_from_text (text, scale, bytes))
        return 0;
    return cli_usage (
        cli, err, "%s: --%s '%s' is no size: a whole number, with a unit as in 10GiB or without",
        options->command->name, option, text);
}

int run_add_size (cli_t *cli, troupe_args_t *args, const options_t *options, const char *option,
                  uint64_t scale, error_t *err)
{
    uint64_t bytes = 0;
    if (run_read_size (cli, options, option, scale, &bytes, err))
        return -1;
    if (options_str (options, option))
        troupe_args_u64 (args, option, bytes);
    return 0;
}

int run_add_bandwidth (cli_t *cli, troupe_args_t *args, const options_t *options, error_t *err)
{
    return run_add_size (cli, args, options, "bandwidth", options_flag (options, "bytes") ? 1 : MIB,
                         err);
}
