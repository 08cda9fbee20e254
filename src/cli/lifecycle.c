//  lifecycle.c: commands that change a domain and do a little more than their verb.

#include "cli/run.h"

#include <string.h>

//  start and create.
int run_start (cli_t *cli, const options_t *options, error_t *err)
{
    bool console = options_flag (options, "console");
    if (console && cli->json)
        return cli_usage (cli, err, "%s: --console does not go with --output json",
                          options->command->name);
    if (console && console_check_terminal ("", err))
        return error_prefix (err, "%s --console", options->command->name);
    auto(troupe_message_t) reply = run_verb (cli, options, err);
    if (!reply)
        return -1;
    const troupe_value_t *domain = troupe_message_value (reply);
    if (cli_json (cli, domain))
        return 0;
    const char *name = troupe_get_str (domain, "name");
    name = name ? name : options_str (options, "domain");
    run_say (cli, options, options->command->done, name);
    return console ? console_attach (cli, name, NULL, false, err) : 0;
}

//  Of a domain or a network.
int run_autostart (cli_t *cli, const options_t *options, error_t *err)
{
    autofree char *name = run_domain_name (cli, options, err);
    auto(troupe_message_t) reply = name ? run_verb (cli, options, err) : NULL;
    if (!reply)
        return -1;
    if (cli_json (cli, troupe_message_value (reply)))
        return 0;
    const char *off = options_str (options, "network") ? "Network {name} unmarked as autostarted"
                                                       : "Domain '{name}' unmarked as autostarted";
    run_say (cli, options, options_flag (options, "disable") ? off : options->command->done, name);
    return 0;
}

int run_domrename (cli_t *cli, const options_t *options, error_t *err)
{
    auto(troupe_args_t) args = troupe_args_new ();
    troupe_args_str (args, "domain", options_str (options, "domain"));
    troupe_args_str (args, "name", options_str (options, "new_name"));
    auto(troupe_message_t) reply = cli_call (cli, "domain.rename", args, err);
    if (!reply)
        return -1;
    if (!cli_json (cli, troupe_message_value (reply)))
        cli_say (cli, "Domain successfully renamed\n");
    return 0;
}
