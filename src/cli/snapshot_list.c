//  snapshot_list.c: which snapshots there are, in virsh's layout.

#include "cli/columns.h"
#include "cli/run.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

//  Lists.

static void add_time (columns_t *table, const troupe_value_t *snapshot)
{
    time_t time = (time_t) troupe_get_i64 (snapshot, "creation_time", 0);
    struct tm local;
    char text[64];
    strftime (text, sizeof text, "%Y-%m-%d %H:%M:%S %z", localtime_r (&time, &local));
    columns_add (table, text);
}

static void print_table (const troupe_value_t *list, bool parents)
{
    static const char *const titles[] = { "Name", "Creation Time", "State", NULL };
    static const char *const more[] = { "Name", "Creation Time", "State", "Parent", NULL };
    auto(columns_t) table = columns_new (parents ? more : titles);
    for (size_t i = 0; i < troupe_count (list); i++) {
        const troupe_value_t *snapshot = troupe_at (list, i);
        columns_add (table, troupe_get_str (snapshot, "name"));
        add_time (table, snapshot);
        columns_add (table, troupe_get_str (snapshot, "state"));
        if (parents)
            columns_add (table, troupe_get_str (snapshot, "parent"));
    }
    columns_print (table, stdout);
}

static void print_names (const troupe_value_t *list)
{
    for (size_t i = 0; i < troupe_count (list); i++)
        puts (troupe_get_str (troupe_at (list, i), "name"));
}

//  Trees.

static bool is_child (const troupe_value_t *snapshot, const char *parent)
{
    const char *own = troupe_get_str (snapshot, "parent");
    return own && strcmp (own, parent) == 0;
}

static const troupe_value_t *next_child (const troupe_value_t *list, size_t *at, const char *parent)
{
    while (*at < troupe_count (list)) {
        const troupe_value_t *snapshot = troupe_at (list, (*at)++);
        if (is_child (snapshot, parent))
            return snapshot;
    }
    return NULL;
}

//  What is below NAME, each line behind INDENT.
static void print_below (const troupe_value_t *list, const char *name, const char *indent)
{
    size_t at = 0;
    const troupe_value_t *child = next_child (list, &at, name);
    while (child) {
        const troupe_value_t *next = next_child (list, &at, name);
        const char *own = troupe_get_str (child, "name");
        autofree char *deeper = text_format ("%s%s", indent, next ? "  | " : "    ");
        printf ("%s  |\n%s  +- %s\n", indent, indent, own);
        print_below (list, own, deeper);
        child = next;
    }
}

static bool is_top (const troupe_value_t *list, const troupe_value_t *snapshot)
{
    const char *parent = troupe_get_str (snapshot, "parent");
    for (size_t i = 0; parent && i < troupe_count (list); i++)
        if (strcmp (troupe_get_str (troupe_at (list, i), "name"), parent) == 0)
            return false;
    return true;
}

static void print_tree (const troupe_value_t *list, const char *from)
{
    if (from) {
        puts (from);
        print_below (list, from, "");
        putchar ('\n');
        return;
    }
    for (size_t i = 0; i < troupe_count (list); i++)
        if (is_top (list, troupe_at (list, i))) {
            const char *name = troupe_get_str (troupe_at (list, i), "name");
            puts (name);
            print_below (list, name, "");
            putchar ('\n');
        }
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
    static const char *const flags[] = { "roots",  "leaves",    "no_leaves", "inactive",
                                         "active", "disk_only", "internal",  "external" };
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
    if (cli_json (cli, list))
        return 0;
    if (options_flag (options, "tree"))
        print_tree (list, from);
    else if (options_flag (options, "name"))
        print_names (list);
    else
        print_table (list, options_flag (options, "parent"));
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

static void print_line (const char *title, const char *text)
{
    printf ("%-15s %s\n", title, text ? text : "-");
}

static void print_info (const troupe_value_t *info)
{
    print_line ("Name:", troupe_get_str (info, "name"));
    print_line ("Domain:", troupe_get_str (info, "domain"));
    print_line ("Current:", troupe_get_bool (info, "current", false) ? "yes" : "no");
    print_line ("State:", troupe_get_str (info, "state"));
    print_line ("Location:", troupe_get_str (info, "location"));
    print_line ("Parent:", troupe_get_str (info, "parent"));
    printf ("%-15s %" PRIu64 "\n", "Children:", troupe_get_u64 (info, "children", 0));
    printf ("%-15s %" PRIu64 "\n", "Descendants:", troupe_get_u64 (info, "descendants", 0));
    print_line ("Metadata:", "yes");
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
    const troupe_value_t *info = troupe_message_value (reply);
    const char *parent = troupe_get_str (info, "parent");
    if (!parent)
        return error_set (err, ERR_NO_DOMAIN_SNAPSHOT, "snapshot '%s' has no parent",
                          troupe_get_str (info, "name"));
    if (!cli_json (cli, info))
        puts (parent);
    return 0;
}
