//  run.c: running a command line, and the commands that are a verb and nothing more.

#include "cli/run.h"
#include "cli/globals.h"
#include "cli/json.h"
#include "cli/columns.h"
#include "util/uuid.h"

#include <string.h>

//  The daemon says what is wrong in a document; which file it came from, only we know.
static void name_file (const options_t *options, error_t *err)
{
    const char *command = options->command->name;
    if (err->code == ERR_NO_CONNECT || text_starts (err->message, command))
        return;
    for (const verb_arg_t *arg = options->command->verb->args; arg->name; arg++) {
        const char *path = arg->type == TYPE_XML ? options_str (options, arg->name) : NULL;
        if (path)
            error_prefix (err, "%s '%s'", command, path);
    }
}

troupe_message_t *run_verb (cli_t *cli, const options_t *options, error_t *err)
{
    auto(troupe_args_t) args = options_args (options, err);
    auto(troupe_message_t) reply =
        args ? cli_call (cli, options->command->verb->name, args, err) : NULL;
    if (args && !reply)
        name_file (options, err);
    return take (&reply);
}

int run_shown (cli_t *cli, const options_t *options, run_print_fn *print, error_t *err)
{
    auto(troupe_message_t) reply = run_verb (cli, options, err);
    if (!reply)
        return -1;
    if (!cli_json (cli, troupe_message_value (reply)))
        print (options, troupe_message_value (reply));
    return 0;
}

xml_t *run_domain_xml (cli_t *cli, const char *domain, bool inactive, error_t *err)
{
    auto(troupe_args_t) args = troupe_args_new ();
    troupe_args_str (args, "domain", domain);
    if (inactive)
        troupe_args_bool (args, "inactive", true);
    auto(troupe_message_t) reply = cli_call (cli, "domain.xml", args, err);
    const char *text = reply ? troupe_get_str (troupe_message_value (reply), "xml") : NULL;
    return text ? xml_parse (text, strlen (text), "the domain's XML", err) : NULL;
}

static char *run_network_name (cli_t *cli, const char *network, error_t *err)
{
    char uuid[UUID_TEXT_SIZE];
    if (cli->quiet || cli->json || !uuid_normalize (network, uuid))
        return text_copy (network);
    auto(troupe_args_t) args = troupe_args_new ();
    troupe_args_str (args, "network", network);
    auto(troupe_message_t) found = cli_call (cli, "network.info", args, err);
    const char *name = found ? troupe_get_str (troupe_message_value (found), "name") : NULL;
    return found ? text_copy (name ? name : network) : NULL;
}

char *run_domain_name (cli_t *cli, const options_t *options, error_t *err)
{
    const char *domain = options_str (options, "domain");
    const char *network = options_str (options, "network");
    if (!domain && network)
        return run_network_name (cli, network, err);
    if (!domain)
        return text_copy ("");
    char uuid[UUID_TEXT_SIZE];
    uint64_t id;
    //  With a key the domain may be gone already.
    if (cli->quiet || cli->json || cli->key ||
        (!text_to_u64 (domain, &id) && !uuid_normalize (domain, uuid)))
        return text_copy (domain);
    auto(troupe_message_t) found = cli_call_domain (cli, "domain.lookup", domain, err);
    if (!found)
        return NULL;
    const char *name = troupe_get_str (troupe_message_value (found), "name");
    return text_copy (name ? name : domain);
}

void run_say (cli_t *cli, const options_t *options, const char *done, const char *name)
{
    auto(text_t) text = text_new ();
    for (const char *at = done; *at;) {
        const char *end = *at == '{' ? strchr (at, '}') : NULL;
        if (!end) {
            text_add_char (text, *at++);
            continue;
        }
        autofree char *key = text_copy_bytes (at + 1, (size_t) (end - at - 1));
        const char *value = strcmp (key, "name") == 0 ? name : options_str (options, key);
        text_add (text, value ? value : "");
        at = end + 1;
    }
    cli_say (cli, "%s\n", text->data);
}

int run_plain (cli_t *cli, const options_t *options, error_t *err)
{
    //  Afterwards the domain may be gone, and its name with it.
    const char *done = options->command->done;
    autofree char *given = done ? run_domain_name (cli, options, err) : NULL;
    if (done && !given)
        return -1;
    auto(troupe_message_t) reply = run_verb (cli, options, err);
    if (!reply)
        return -1;
    const troupe_value_t *value = troupe_message_value (reply);
    if (cli_json (cli, value))
        return 0;
    const char *name = troupe_get_str (value, "name");
    if (done)
        run_say (cli, options, done, name ? name : given);
    else
        columns_show (stdout, value);
    return 0;
}

int run_long (cli_t *cli, const options_t *options, const char *verb, const troupe_args_t *args,
              error_t *err)
{
    cli->patient = true;
    cli->abortable = options_str (options, "domain");
    cli->watched = options_flag (options, "verbose") ? cli->abortable : NULL;
    auto(troupe_message_t) reply = cli_call (cli, verb, args, err);
    cli->patient = false;
    cli->watched = cli->abortable = NULL;
    if (reply)
        cli_json (cli, troupe_message_value (reply));
    return reply ? 0 : -1;
}

static int run_options (cli_t *cli, const command_t *command, int argc, const char *const *argv,
                        error_t *err)
{
    auto(options_t) options = options_parse (cli, command, (size_t) argc - 1, argv + 1, err);
    if (!options)
        return -1;
    if (cli->help)
        return help_command (command);
    cli->command = command->name;
    return command->run ? command->run (cli, options, err) : run_plain (cli, options, err);
}

//  On stdout too, for programs: they get one document in any case.
static void print_error (const cli_t *cli, const error_t *err)
{
    fprintf (stderr, "error: %s\n", err->message);
    if (!cli->json)
        return;
    printf ("{\n  \"error\": {\n    \"code\": %d,\n    \"name\": ", err->code);
    json_text (stdout, error_code_name ((int) err->code));
    fputs (",\n    \"message\": ", stdout);
    json_text (stdout, err->message);
    printf (",\n    \"retry\": %s\n  }\n}\n", err->retry ? "true" : "false");
}

//  What was printed has to have arrived (a full disk, say).
static int finish_output (error_t *err)
{
    if (fflush (stdout) == 0 && !ferror (stdout))
        return 0;
    clearerr (stdout);
    return error_errno (err, ERR_WRITE_FAILED, "write to stdout");
}

int cli_run (cli_t *self, int argc, const char *const *argv)
{
    error_t err = { 0 };
    command_t command;
    int rc;
    self->usage = false;
    self->status = EXIT_OK;
    if (command_find (argv[0], &command))
        rc = run_options (self, &command, argc, argv, &err);
    else
        rc = cli_usage (self, &err, "unknown command '%s'; 'troupe help' lists them", argv[0]);
    if (rc == 0)
        rc = finish_output (&err);
    if (rc)
        print_error (self, &err);
    fflush (stdout);
    return rc == 0 ? self->status : self->usage ? EXIT_USAGE : EXIT_FAILED;
}

int run_check_scope (cli_t *cli, const options_t *options, error_t *err)
{
    if (options_flag (options, "current") &&
        (options_flag (options, "live") || options_flag (options, "config")))
        return cli_usage (cli, err, "%s: --current does not go with --live or --config",
                          options->command->name);
    return 0;
}
