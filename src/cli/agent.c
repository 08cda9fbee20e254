//  agent.c: commands that ask a guest's agent.

#include "cli/json.h"
#include "cli/run.h"

#include <string.h>

//  virDomainQemuAgentCommandTimeoutValues.
static int add_timeout (cli_t *cli, troupe_args_t *args, const options_t *options, error_t *err)
{
    uint64_t seconds = options_u64 (options, "timeout", 0);
    bool given = options_str (options, "timeout") != NULL;
    bool async = options_flag (options, "async"), block = options_flag (options, "block");
    if (given + async + block > 1)
        return cli_usage (cli, err, "%s: --timeout, --async and --block exclude each other",
                          options->command->name);
    if (given && (seconds == 0 || seconds > 86400))
        return cli_usage (cli, err, "%s: --timeout has to be a number of seconds from 1 to 86400",
                          options->command->name);
    if (given || async || block)
        troupe_args_i64 (args, "timeout", given ? (int64_t) seconds : async ? 0 : -2);
    return 0;
}

int run_agent_command (cli_t *cli, const options_t *options, error_t *err)
{
    auto(troupe_args_t) args = troupe_args_new ();
    autofree char *command = run_qmp_words (options_str (options, "cmd"));
    troupe_args_str (args, "domain", options_str (options, "domain"));
    troupe_args_str (args, "command", command);
    if (add_timeout (cli, args, options, err))
        return -1;
    cli->patient = true;
    auto(troupe_message_t) message = cli_call (cli, "domain.agent_command", args, err);
    cli->patient = false;
    if (!message)
        return -1;
    const troupe_value_t *result = troupe_message_value (message);
    const char *reply = troupe_get_str (result, "reply");
    if (cli_json (cli, result) || !reply)
        return 0;
    if (options_flag (options, "pretty"))
        json_pretty (stdout, reply);
    else
        puts (reply);
    return 0;
}

//  domfsfreeze and domfsthaw.
int run_domfsfreeze (cli_t *cli, const options_t *options, error_t *err)
{
    bool thaw = strcmp (options->command->name, "domfsthaw") == 0;
    auto(troupe_args_t) args = troupe_args_new ();
    auto(strings_t) mounts = strings_new ();
    for (size_t i = 0; i < options->count; i++)
        if (strcmp (options->given[i].arg->name, "mountpoint") == 0)
            strings_add (mounts, options->given[i].text);
    troupe_args_str (args, "domain", options_str (options, "domain"));
    if (mounts->count > 0)
        troupe_args_strs (args, "mountpoints", strings_list (mounts), mounts->count);
    cli->patient = true;
    auto(troupe_message_t) reply =
        cli_call (cli, thaw ? "domain.fs_thaw" : "domain.fs_freeze", args, err);
    cli->patient = false;
    if (!reply)
        return -1;
    const troupe_value_t *result = troupe_message_value (reply);
    if (!cli_json (cli, result))
        cli_say (cli, thaw ? "Thawed %lld filesystem(s)\n" : "Froze %lld filesystem(s)\n",
                 (long long) troupe_get_i64 (result, "count", 0));
    return 0;
}
