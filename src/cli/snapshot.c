//  snapshot.c: snapshots are taken, edited, deleted, and gone back to, with virsh's options.

#include "cli/run.h"
#include "cli/snapshot_spec.h"

#include "util/xml.h"

#include <string.h>
#include <unistd.h>

static void add_domain (troupe_args_t *args, const options_t *options)
{
    troupe_args_str (args, "domain", options_str (options, "domain"));
}

static void add_flags (troupe_args_t *args, const options_t *options, const char *const *flags)
{
    for (; *flags; flags++)
        if (options_flag (options, *flags))
            troupe_args_bool (args, *flags, true);
}

//  It may take long; people see how far it is, and Ctrl+C aborts it.
static troupe_message_t *call_long (cli_t *cli, const options_t *options, const char *verb,
                                    const troupe_args_t *args, error_t *err)
{
    cli->patient = true;
    cli->abortable = options_str (options, "domain");
    cli->watched = isatty (STDERR_FILENO) && !cli->quiet ? cli->abortable : NULL;
    troupe_message_t *reply = cli_call (cli, verb, args, err);
    cli->patient = false;
    cli->watched = cli->abortable = NULL;
    return reply;
}

//  The snapshot that is meant: the one that is named or, if that is asked, the current one. The
//  caller frees it.
static char *snapshot_meant (cli_t *cli, const options_t *options, error_t *err)
{
    const char *name = options_str (options, "snapshotname");
    bool current = options_flag (options, "current");
    if (!name == !current) {
        cli_usage (cli, err, "%s: either a snapshot's name or --current", options->command->name);
        return NULL;
    }
    if (name)
        return text_copy (name);
    auto(troupe_message_t) reply =
        cli_call_domain (cli, "snapshot.info", options_str (options, "domain"), err);
    return reply ? text_copy (troupe_get_str (troupe_message_value (reply), "name")) : NULL;
}

//  Taking one.

static const char *const create_flags[] = { "disk_only", "reuse_external", "quiesce",
                                            "atomic",    "live",           "halt",
                                            "redefine",  "current",        NULL };

static int create (cli_t *cli, const options_t *options, troupe_args_t *args, error_t *err)
{
    const char *file = options_str (options, "xmlfile");
    add_domain (args, options);
    add_flags (args, options, create_flags);
    if (options_flag (options, "no_metadata"))
        troupe_args_bool (args, "no_metadata", true);
    auto(troupe_message_t) reply = call_long (cli, options, "snapshot.create", args, err);
    if (!reply)
        return -1;
    const troupe_value_t *value = troupe_message_value (reply);
    const char *name = troupe_get_str (value, "name");
    if (cli_json (cli, value))
        return 0;
    if (file)
        cli_say (cli, "Domain snapshot %s created from '%s'\n", name ? name : "", file);
    else
        cli_say (cli, "Domain snapshot %s created\n", name ? name : "");
    return 0;
}

int run_snapshot_create (cli_t *cli, const options_t *options, error_t *err)
{
    const char *file = options_str (options, "xmlfile");
    auto(troupe_args_t) args = troupe_args_new ();
    if (options_flag (options, "current") && !options_flag (options, "redefine"))
        return cli_usage (cli, err, "snapshot-create: --current goes with --redefine");
    if (file && options_add_file (args, "xml", file, err))
        return -1;
    return create (cli, options, args, err);
}

int run_snapshot_create_as (cli_t *cli, const options_t *options, error_t *err)
{
    autofree char *xml = snapshot_spec_xml (cli, options, err);
    if (!xml)
        return -1;
    if (options_flag (options, "print_xml")) {
        printf ("%s\n", xml);
        return 0;
    }
    auto(troupe_args_t) args = troupe_args_new ();
    troupe_args_str (args, "xml", xml);
    return create (cli, options, args, err);
}

//  Going back, deleting.

int run_snapshot_revert (cli_t *cli, const options_t *options, error_t *err)
{
    static const char *const flags[] = { "running", "paused", "force", NULL };
    autofree char *name = snapshot_meant (cli, options, err);
    auto(troupe_args_t) args = troupe_args_new ();
    if (!name)
        return -1;
    if (options_flag (options, "running") && options_flag (options, "paused"))
        return cli_usage (cli, err, "snapshot-revert: --running does not go with --paused");
    add_domain (args, options);
    add_flags (args, options, flags);
    troupe_args_str (args, "snapshot", name);
    auto(troupe_message_t) reply = call_long (cli, options, "snapshot.revert", args, err);
    if (!reply)
        return -1;
    if (!cli_json (cli, troupe_message_value (reply)))
        cli_say (cli, "Domain snapshot %s reverted\n", name);
    return 0;
}

int run_snapshot_delete (cli_t *cli, const options_t *options, error_t *err)
{
    static const char *const flags[] = { "children", "children_only", "metadata", NULL };
    autofree char *name = snapshot_meant (cli, options, err);
    auto(troupe_args_t) args = troupe_args_new ();
    bool only = options_flag (options, "children_only");
    if (!name)
        return -1;
    if (only && options_flag (options, "children"))
        return cli_usage (cli, err,
                          "snapshot-delete: --children does not go with "
                          "--children-only");
    add_domain (args, options);
    add_flags (args, options, flags);
    troupe_args_str (args, "snapshot", name);
    auto(troupe_message_t) reply = call_long (cli, options, "snapshot.delete", args, err);
    if (!reply)
        return -1;
    if (!cli_json (cli, troupe_message_value (reply)))
        cli_say (cli,
                 only ? "Domain snapshot %s children deleted\n" : "Domain snapshot %s deleted\n",
                 name);
    return 0;
}

//  Redefining.

static troupe_message_t *ask_xml (cli_t *cli, const options_t *options, const char *name,
                                  bool secure, error_t *err)
{
    auto(troupe_args_t) args = troupe_args_new ();
    add_domain (args, options);
    if (name)
        troupe_args_str (args, "snapshot", name);
    if (secure)
        troupe_args_bool (args, "security_info", true);
    return cli_call (cli, "snapshot.xml", args, err);
}

static int redefine (cli_t *cli, const options_t *options, const char *xml, bool current,
                     error_t *err)
{
    auto(troupe_args_t) args = troupe_args_new ();
    add_domain (args, options);
    troupe_args_str (args, "xml", xml);
    troupe_args_bool (args, "redefine", true);
    if (current)
        troupe_args_bool (args, "current", true);
    auto(troupe_message_t) reply = cli_call (cli, "snapshot.create", args, err);
    if (reply)
        cli_json (cli, troupe_message_value (reply));
    return reply ? 0 : -1;
}

static int forget (cli_t *cli, const options_t *options, const char *name, error_t *err)
{
    auto(troupe_args_t) args = troupe_args_new ();
    add_domain (args, options);
    troupe_args_str (args, "snapshot", name);
    troupe_args_bool (args, "metadata", true);
    auto(troupe_message_t) reply = cli_call (cli, "snapshot.delete", args, err);
    return reply ? 0 : -1;
}

//  Another name is another snapshot: that has to be meant.
static int apply_edit (cli_t *cli, const options_t *options, const char *text, error_t *err)
{
    autofree char *old = snapshot_meant (cli, options, err);
    auto(xml_t) xml = old ? xml_parse (text, strlen (text), "snapshot XML", err) : NULL;
    if (!xml)
        return -1;
    const char *name = xml_string (xml_root (xml), "name");
    bool other = !text_equals (name, old), rename = options_flag (options, "rename");
    if (other && !rename && !options_flag (options, "clone"))
        return error_set (err, ERR_INVALID_ARG,
                          "snapshot-edit: its name was changed; that needs --rename or --clone");
    auto(troupe_message_t) info =
        cli_call_domain (cli, "snapshot.info", options_str (options, "domain"), err);
    bool current = info && text_equals (troupe_get_str (troupe_message_value (info), "name"), old);
    if (redefine (cli, options, text, current && (rename || !other), err))
        return -1;
    return other && rename ? forget (cli, options, old, err) : 0;
}

int run_snapshot_edit (cli_t *cli, const options_t *options, error_t *err)
{
    if (options_flag (options, "rename") && options_flag (options, "clone"))
        return cli_usage (cli, err, "snapshot-edit: --rename does not go with --clone");
    autofree char *name = snapshot_meant (cli, options, err);
    auto(troupe_message_t) reply = name ? ask_xml (cli, options, name, true, err) : NULL;
    if (!reply)
        return -1;
    const char *xml = troupe_get_str (troupe_message_value (reply), "xml");
    autofree char *what = text_format ("Snapshot %s", name);
    return edit_document (cli, options, what, xml ? xml : "", apply_edit, err);
}

//  With a name it becomes the current one.
int run_snapshot_current (cli_t *cli, const options_t *options, error_t *err)
{
    const char *name = options_str (options, "snapshotname");
    bool secure = name || options_flag (options, "security_info");
    auto(troupe_message_t) reply = ask_xml (cli, options, name, secure, err);
    if (!reply)
        return -1;
    const troupe_value_t *value = troupe_message_value (reply);
    const char *xml = troupe_get_str (value, "xml"), *found = troupe_get_str (value, "name");
    if (name) {
        if (redefine (cli, options, xml, true, err))
            return -1;
        cli_say (cli, "Snapshot %s set as current\n", name);
    } else if (!cli_json (cli, value))
        printf ("%s\n", options_flag (options, "name") ? found : xml);
    return 0;
}
