//  checkpoints.c: checkpoints, with virsh's options and layout.

#include "cli/run.h"
#include "cli/snapshot_spec.h"
#include "cli/tree.h"

#include <string.h>

static troupe_args_t *domain_args (const options_t *options)
{
    troupe_args_t *args = troupe_args_new ();
    troupe_args_str (args, "domain", options_str (options, "domain"));
    return args;
}

static void add_flags (troupe_args_t *args, const options_t *options, const char *const *flags)
{
    for (; *flags; flags++)
        if (options_flag (options, *flags))
            troupe_args_bool (args, *flags, true);
}

//  Making one.

static int create (cli_t *cli, const options_t *options, troupe_args_t *args, error_t *err)
{
    const char *file = options_str (options, "xmlfile");
    auto(troupe_message_t) reply = cli_call (cli, "checkpoint.create", args, err);
    if (!reply)
        return -1;
    const char *name = troupe_get_str (troupe_message_value (reply), "name");
    if (cli_json (cli, troupe_message_value (reply)))
        return 0;
    cli_say (cli, "Domain checkpoint %s created%s%s%s\n", name, file ? " from '" : "",
             file ? file : "", file ? "'" : "");
    return 0;
}

int run_checkpoint_create (cli_t *cli, const options_t *options, error_t *err)
{
    bool validate = options_flag (options, "redefine_validate");
    const char *file = options_str (options, "xmlfile");
    auto(troupe_args_t) args = domain_args (options);
    if (file && options_add_file (args, "xml", file, err))
        return -1;
    if (validate || options_flag (options, "redefine"))
        troupe_args_bool (args, "redefine", true);
    if (validate)
        troupe_args_bool (args, "validate", true);
    if (options_flag (options, "quiesce"))
        troupe_args_bool (args, "quiesce", true);
    return create (cli, options, args, err);
}

static char *spec_xml (cli_t *cli, const options_t *options, error_t *err)
{
    static const char empty[] = "<domaincheckpoint/>";
    static const spec_place_t places[] = { { "checkpoint", "@checkpoint" },
                                           { "bitmap", "@bitmap" },
                                           { NULL, NULL } };
    static const char *const texts[] = { "name", "description" };
    auto(xml_t) doc = xml_parse (empty, sizeof empty - 1, "checkpoint", err);
    xml_node_t *root = xml_root (doc);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (options_str (options, texts[i]))
            xml_add_text (root, texts[i], options_str (options, texts[i]));
    for (size_t i = 0; i < options->count; i++)
        if (strcmp (options->given[i].arg->name, "diskspec") == 0 &&
            !spec_add_disk (cli, xml_ensure (root, "disks"), options->given[i].text, places, err))
            return NULL;
    return xml_text (doc);
}

int run_checkpoint_create_as (cli_t *cli, const options_t *options, error_t *err)
{
    autofree char *xml = spec_xml (cli, options, err);
    if (!xml)
        return -1;
    if (options_flag (options, "print_xml")) {
        printf ("%s\n", xml);
        return 0;
    }
    auto(troupe_args_t) args = domain_args (options);
    troupe_args_str (args, "xml", xml);
    if (options_flag (options, "quiesce"))
        troupe_args_bool (args, "quiesce", true);
    return create (cli, options, args, err);
}

//  One that there is.

static troupe_message_t *ask_one (cli_t *cli, const options_t *options, const char *verb,
                                  error_t *err)
{
    auto(troupe_args_t) args = domain_args (options);
    troupe_args_str (args, "checkpoint", options_str (options, "checkpointname"));
    return cli_call (cli, verb, args, err);
}

static int apply_edit (cli_t *cli, const options_t *options, const char *text, error_t *err)
{
    const char *old = options_str (options, "checkpointname");
    auto(xml_t) xml = xml_parse (text, strlen (text), "checkpoint XML", err);
    if (!xml)
        return -1;
    if (!xml_equals (xml_root (xml), "name", old))
        return error_set (err, ERR_INVALID_ARG,
                          "checkpoint-edit: its name was changed; its bitmaps have the old one");
    auto(troupe_args_t) args = domain_args (options);
    troupe_args_str (args, "xml", text);
    troupe_args_bool (args, "redefine", true);
    auto(troupe_message_t) reply = cli_call (cli, "checkpoint.create", args, err);
    if (reply)
        cli_json (cli, troupe_message_value (reply));
    return reply ? 0 : -1;
}

int run_checkpoint_edit (cli_t *cli, const options_t *options, error_t *err)
{
    auto(troupe_message_t) reply = ask_one (cli, options, "checkpoint.xml", err);
    if (!reply)
        return -1;
    const char *xml = troupe_get_str (troupe_message_value (reply), "xml");
    autofree char *what = text_format ("Checkpoint %s", options_str (options, "checkpointname"));
    return edit_document (cli, options, what, xml ? xml : "", apply_edit, err);
}

int run_checkpoint_delete (cli_t *cli, const options_t *options, error_t *err)
{
    static const char *const flags[] = { "children", "children_only", "metadata", NULL };
    const char *name = options_str (options, "checkpointname");
    auto(troupe_args_t) args = domain_args (options);
    troupe_args_str (args, "checkpoint", name);
    add_flags (args, options, flags);
    auto(troupe_message_t) reply = cli_call (cli, "checkpoint.delete", args, err);
    if (!reply)
        return -1;
    cli_json (cli, troupe_message_value (reply));
    cli_say (cli,
             options_flag (options, "children_only") ? "Domain checkpoint %s children deleted\n"
                                                     : "Domain checkpoint %s deleted\n",
             name);
    return 0;
}

int run_checkpoint_dumpxml (cli_t *cli, const options_t *options, error_t *err)
{
    const char *verb = options_flag (options, "size") ? "checkpoint.measure" : "checkpoint.xml";
    auto(troupe_message_t) reply = ask_one (cli, options, verb, err);
    if (!reply)
        return -1;
    const char *xml = troupe_get_str (troupe_message_value (reply), "xml");
    if (!cli_json (cli, troupe_message_value (reply)))
        printf ("%s\n", xml ? xml : "");
    return 0;
}

int run_checkpoint_info (cli_t *cli, const options_t *options, error_t *err)
{
    auto(troupe_message_t) reply = ask_one (cli, options, "checkpoint.info", err);
    if (!reply)
        return -1;
    const troupe_value_t *info = troupe_message_value (reply);
    if (cli_json (cli, info))
        return 0;
    tree_print_line ("Name:", troupe_get_str (info, "name"));
    tree_print_line ("Domain:", troupe_get_str (info, "domain"));
    tree_print_relatives (info);
    return 0;
}

int run_checkpoint_parent (cli_t *cli, const options_t *options, error_t *err)
{
    auto(troupe_message_t) reply = ask_one (cli, options, "checkpoint.info", err);
    if (!reply)
        return -1;
    return tree_print_parent (cli, troupe_message_value (reply), "checkpoint",
                              ERR_NO_DOMAIN_CHECKPOINT, err);
}

//  Lists.

static void print_table (const troupe_value_t *list, bool parents)
{
    static const char *const titles[] = { "Name", "Creation Time", NULL };
    static const char *const more[] = { "Name", "Creation Time", "Parent", NULL };
    auto(columns_t) table = columns_new (parents ? more : titles);
    for (size_t i = 0; i < troupe_count (list); i++) {
        const troupe_value_t *checkpoint = troupe_at (list, i);
        columns_add (table, troupe_get_str (checkpoint, "name"));
        tree_add_time (table, checkpoint);
        if (parents)
            columns_add (table, troupe_get_str (checkpoint, "parent"));
    }
    columns_print (table, stdout);
}

static int check_list (cli_t *cli, const options_t *options, error_t *err)
{
    bool parent = options_flag (options, "parent"), roots = options_flag (options, "roots");
    bool tree = options_flag (options, "tree"), from = options_str (options, "from") != NULL;
    if (parent + roots + tree > 1 || (parent && options_flag (options, "name")))
        return cli_usage (cli, err,
                          "checkpoint-list: --parent, --roots, --tree, and --name with --parent "
                          "exclude each other");
    if (from && roots)
        return cli_usage (cli, err, "checkpoint-list: --roots does not go with --from");
    if (options_flag (options, "descendants") && !from)
        return cli_usage (cli, err, "checkpoint-list: --descendants goes with --from");
    return 0;
}

int run_checkpoint_list (cli_t *cli, const options_t *options, error_t *err)
{
    static const char *const flags[] = { "roots", "leaves", "no_leaves", NULL };
    const char *from = options_str (options, "from");
    if (check_list (cli, options, err))
        return -1;
    auto(troupe_args_t) args = domain_args (options);
    add_flags (args, options, flags);
    if (from)
        troupe_args_str (args, "from", from);
    if (from && (options_flag (options, "descendants") || options_flag (options, "tree")))
        troupe_args_bool (args, "descendants", true);
    auto(troupe_message_t) reply = cli_call (cli, "checkpoint.list", args, err);
    if (!reply)
        return -1;
    const troupe_value_t *list = troupe_message_value (reply);
    if (!cli_json (cli, list))
        tree_show (options, list, from, print_table);
    return 0;
}
