//  backup.c: backups, with virsh's options.

#include "cli/run.h"

static int add_document (troupe_args_t *args, const options_t *options, const char *option,
                         const char *arg, error_t *err)
{
    const char *path = options_str (options, option);
    return path ? options_add_file (args, arg, path, err) : 0;
}

int run_backup_begin (cli_t *cli, const options_t *options, error_t *err)
{
    auto(troupe_args_t) args = troupe_args_new ();
    troupe_args_str (args, "domain", options_str (options, "domain"));
    if (add_document (args, options, "backupxml", "xml", err) ||
        add_document (args, options, "checkpointxml", "checkpoint_xml", err) ||
        run_add_bandwidth (cli, args, options, err))
        return -1;
    if (options_flag (options, "reuse_external"))
        troupe_args_bool (args, "reuse_external", true);
    cli->patient = true;
    auto(troupe_message_t) reply = cli_call (cli, "domain.backup_begin", args, err);
    cli->patient = false;
    if (!reply)
        return -1;
    cli_json (cli, troupe_message_value (reply));
    cli_say (cli, "Backup started\n");
    return 0;
}
