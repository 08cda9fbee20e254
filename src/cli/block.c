//  block.c: disks of running domains, with virsh's options.

#include "cli/run.h"
#include "util/size.h"

//  Numbers without a unit count SCALE bytes each.
static int add_size (cli_t *cli, troupe_args_t *args, const options_t *options, const char *option,
                     uint64_t scale, error_t *err)
{
    uint64_t bytes;
    const char *text = options_str (options, option);
    if (!text)
        return 0;
    if (!size_from_text (text, scale, &bytes))
        return cli_usage (cli, err,
                          "%s: --%s '%s' is no size: a whole number, with a unit as in "
                          "10GiB or without",
                          options->command->name, option, text);
    troupe_args_u64 (args, option, bytes);
    return 0;
}

int run_blockresize (cli_t *cli, const options_t *options, error_t *err)
{
    const char *path = options_str (options, "path");
    auto(troupe_args_t) args = troupe_args_new ();
    if (!options_str (options, "size") && !options_flag (options, "capacity"))
        return cli_usage (cli, err, "blockresize: --size or --capacity is missing");
    if (add_size (cli, args, options, "size", 1024, err))
        return -1;
    troupe_args_str (args, "domain", options_str (options, "domain"));
    troupe_args_str (args, "disk", path);
    if (options_flag (options, "capacity"))
        troupe_args_bool (args, "capacity", true);
    auto(troupe_message_t) reply = cli_call (cli, "domain.block_resize", args, err);
    if (!reply)
        return -1;
    if (!cli_json (cli, troupe_message_value (reply)))
        cli_say (cli, "Block device '%s' is resized\n", path);
    return 0;
}
