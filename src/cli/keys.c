//  keys.c: commands about the keys by which hosts know each other over TCP. They need no daemon:
//  they read and write the folder that it reads (client/keys.h).

#include "cli/columns.h"
#include "cli/json.h"
#include "cli/run.h"
#include "client/keys.h"

#include <string.h>

static void print_json_member (const char *name, const char *text, const char *after)
{
    fputs ("\"", stdout);
    fputs (name, stdout);
    fputs ("\": ", stdout);
    json_text (stdout, text);
    fputs (after, stdout);
}

int run_key_own (cli_t *cli, const options_t *options, error_t *err)
{
    (void) options;
    curve_t curve;
    autofree char *folder = cli_keys (cli, err);
    if (!folder || keys_make (folder, err) || keys_own (folder, &curve, err))
        return -1;
    if (!cli->json) {
        puts (curve.public);
        return 0;
    }
    fputs ("{\n  ", stdout);
    print_json_member ("key", curve.public, "\n}\n");
    return 0;
}

static int take_text (cli_t *cli, const options_t *options, const char *name, const char *otherwise,
                      char *to, size_t room, error_t *err)
{
    const char *text = options_str (options, name);
    if (!text)
        text = otherwise;
    if (strlen (text) >= room)
        return cli_usage (cli, err, "%s: --%s has %zu characters at most", options->command->name,
                          name, room - 1);
    snprintf (to, room, "%s", text);
    return 0;
}

int run_key_add (cli_t *cli, const options_t *options, error_t *err)
{
    known_key_t known;
    autofree char *folder = cli_keys (cli, err);
    if (!folder || take_text (cli, options, "name", "", known.name, sizeof known.name, err) ||
        take_text (cli, options, "key", "", known.public, sizeof known.public, err) ||
        take_text (cli, options, "role", "read", known.role, sizeof known.role, err) ||
        take_text (cli, options, "endpoint", "", known.endpoint, sizeof known.endpoint, err) ||
        keys_add (folder, &known, err))
        return -1;
    cli_say (cli, "Key of '%s' added, for role %s\n", known.name, known.role);
    return 0;
}

int run_key_remove (cli_t *cli, const options_t *options, error_t *err)
{
    const char *name = options_str (options, "name");
    autofree char *folder = cli_keys (cli, err);
    if (!folder || keys_remove (folder, name, err))
        return -1;
    cli_say (cli, "Key of '%s' removed; its connections end\n", name);
    return 0;
}

static void print_json_key (const known_key_t *known, bool last)
{
    fputs ("  { ", stdout);
    print_json_member ("name", known->name, ", ");
    print_json_member ("role", known->role, ", ");
    print_json_member ("key", known->public, ", ");
    print_json_member ("endpoint", known->endpoint, last ? " }\n" : " },\n");
}

static void add_row (columns_t *table, const known_key_t *known)
{
    columns_add (table, known->name);
    columns_add (table, known->role);
    columns_add (table, known->public);
    columns_add (table, known->endpoint[0] ? known->endpoint : "-");
}

int run_key_list (cli_t *cli, const options_t *options, error_t *err)
{
    (void) options;
    const char *const titles[] = { "Name", "Role", "Key", "Endpoint", NULL };
    autofree char *folder = cli_keys (cli, err);
    auto(strings_t) names = folder ? keys_list (folder, err) : NULL;
    if (!names)
        return -1;
    auto(columns_t) table = columns_new (titles);
    if (cli->json)
        puts ("[");
    for (size_t i = 0; i < names->count; i++) {
        known_key_t known;
        if (keys_read (folder, names->items[i], &known, err))
            return -1;
        if (cli->json)
            print_json_key (&known, i + 1 == names->count);
        else
            add_row (table, &known);
    }
    if (cli->json)
        puts ("]");
    else
        columns_print (table, stdout);
    return 0;
}
