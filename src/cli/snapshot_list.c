//  snapshot_list.c: which snapshots there are, in virsh's layout.

#include "cli/columns.h"
#include "cli/run.h"
#include "cli/tree.h"

#include <string.h>

//  Lists.

static void print_table (const troupe_value_t *list, bool parents)
{
    static const char *const titles[] = { "Name", "Creation Time", "State", NULL };
    static const char *const more[] = { "Name", "Creation Time", "State", "Parent", NULL };
    auto(columns_t) table = columns_new (parents ? more : titles);
    for (size_t i = 0; i < troupe_count (list); i++) {
        const troupe_value_t *snapshot = troupe_at (list, i);
        columns_add (table, troupe_get_str (snapshot, "name"));
        tree_add_time (table, snapshot);
        columns_add (table, troupe_get_str (snapshot, "state"));
        if (parents)
            columns_add (table, troupe_get_str (snapshot, "parent"));
    }
    columns_print (table, stdout);
}

static int check_list (cli_t *cli, const options_t *options, error_t *err)
{
    static const char *const layouts[] = { "parent", "roots", "tree" };
    int count = 0;
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
        count += options_flag (options, layouts[i]);
    bool from = options_str (options, "from") || options_flag (options, "current");
    if (count > 1 || (options_flag (options, "name") && options_flag (options, "parent")))
        return cli_usage (cli, err,
                          "snapshot-list: --parent, --roots, --tree and --name with --parent "
                          "exclude each other");
    if (options_str (options, "from") && options_flag (options, "current"))
        return cli_usage (cli, err, "snapshot-list: --from does not go with --current");
    if (from && options_flag (options, "roots"))
        return cli_usage (cli, err, "snapshot-list: --roots does not go with --from");
    if (options_flag (options, "descendants") && !from)
        return cli_usage (cli, err, "snapshot-list: --descendants goes with --from or --current");
    return 0;
}

//  Where the list begins: *FROM is the caller's, NULL: everywhere.
static int find_from (cli_t *cli, const options_t *options, char **from, error_t *err)
{
    *from = text_copy (options_str (options, "from"));
    if (!options_flag (options, "current"))
        return 0;
    auto(troupe_message_t) reply =
        cli_call_domain (cli, "snapshot.info", options_str (options, "domain"), err);
    if (!reply)
        return -1;
    *from = text_copy (troupe_get_str (troupe_message_value (reply), "name"));
    return 0;
}

static troupe_message_t *ask_list (cli_t *cli, const options_t *options, const char *from,
                                   error_t *err)
{
    static const char *const flags[] = { "roots",       "leaves",    "no_leaves",  "inactive",
                                         "active",      "disk_only", "internal",   "external",
                                         "topological", "metadata",  "no_metadata" };
    auto(troupe_args_t) args = troupe_args_new ();
    troupe_args_str (args, "domain", options_str (options, "domain"));
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (options_flag (options, flags[i]))
            troupe_args_bool (args, flags[i], true);
    if (from)
        troupe_args_str (args, "from", from);
    if (from && (options_flag (options, "descendants") || options_flag (options, "tree")))
        troupe_args_bool (args, "descendants", true);
    return cli_call (cli, "snapshot.list", args, err);
}

int run_snapshot_list (cli_t *cli, const options_t *options, error_t *err)
{
    autofree char *from = NULL;
    if (check_list (cli, options, err) || find_from (cli, options, &from, err))
        return -1;
    auto(troupe_message_t) reply = ask_list (cli, options, from, err);
    if (!reply)
        return -1;
    const troupe_value_t *list = troupe_message_value (reply);
    if (!cli_json (cli, list))
        tree_show (options, list, from, print_table);
    return 0;
}

//  One of them.

static troupe_message_t *ask_one (cli_t *cli, const options_t *options, const char *verb,
                                  error_t *err)
{
    const char *name = options_str (options, "snapshotname");
    if (!name == !options_flag (options, "current")) {
        cli_usage (cli, err, "%s: either a snapshot's name or --current", options->command->name);
        return NULL;
    }
    auto(troupe_args_t) args = troupe_args_new ();
    troupe_args_str (args, "domain", options_str (options, "domain"));
    if (name)
        troupe_args_str (args, "snapshot", name);
    if (options_flag (options, "security_info"))
        troupe_args_bool (args, "security_info", true);
    return cli_call (cli, verb, args, err);
}

int run_snapshot_dumpxml (cli_t *cli, const options_t *options, error_t *err)
{
    auto(troupe_message_t) reply = ask_one (cli, options, "snapshot.xml", err);
    if (!reply)
        return -1;
    const char *xml = troupe_get_str (troupe_message_value (reply), "xml");
    if (!cli_json (cli, troupe_message_value (reply)))
        printf ("%s\n", xml ? xml : "");
    return 0;
}

static void print_info (const troupe_value_t *info)
{
    tree_print_line ("Name:", troupe_get_str (info, "name"));
    tree_print_line ("Domain:", troupe_get_str (info, "domain"));
    tree_print_line ("Current:", troupe_get_bool (info, "current", false) ? "yes" : "no");
    tree_print_line ("State:", troupe_get_str (info, "state"));
    tree_print_line ("Location:", troupe_get_str (info, "location"));
    tree_print_relatives (info);
    tree_print_line ("Metadata:", "yes");
}

int run_snapshot_info (cli_t *cli, const options_t *options, error_t *err)
{
    auto(troupe_message_t) reply = ask_one (cli, options, "snapshot.info", err);
    if (!reply)
        return -1;
    if (!cli_json (cli, troupe_message_value (reply)))
        print_info (troupe_message_value (reply));
    return 0;
}

int run_snapshot_parent (cli_t *cli, const options_t *options, error_t *err)
{
    auto(troupe_message_t) reply = ask_one (cli, options, "snapshot.info", err);
    if (!reply)
        return -1;
    return tree_print_parent (cli, troupe_message_value (reply), "snapshot", ERR_NO_DOMAIN_SNAPSHOT,
                              err);
}
