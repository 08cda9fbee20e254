//  networks.c: virtual networks, with virsh's options and layout.

#include "cli/columns.h"
#include "cli/json.h"
#include "cli/run.h"
#include "util/uuid.h"
#include "util/xml.h"

#include <inttypes.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

static const char *yes_no (const troupe_value_t *map, const char *key)
{
    return troupe_get_bool (map, key, false) ? "yes" : "no";
}

//  Lists.

static void print_table (const troupe_value_t *list, bool titles)
{
    const char *const with_titles[] = { "Name", "State", "Autostart", "Persistent", "Title", NULL };
    const char *const without[] = { "Name", "State", "Autostart", "Persistent", NULL };
    auto(columns_t) table = columns_new (titles ? with_titles : without);
    for (size_t i = 0; i < troupe_count (list); i++) {
        const troupe_value_t *network = troupe_at (list, i);
        columns_add (table, troupe_get_str (network, "name"));
        columns_add (table, troupe_get_bool (network, "active", false) ? "active" : "inactive");
        columns_add (table, yes_no (network, "autostart"));
        columns_add (table, yes_no (network, "persistent"));
        if (titles)
            columns_add (table, troupe_get_str (network, "title"));
    }
    columns_print (table, stdout);
}

static void print_net_list (const options_t *options, const troupe_value_t *list)
{
    bool name = options_flag (options, "name"), uuid = options_flag (options, "uuid");
    if (!name && !uuid)
        print_table (list, options_flag (options, "title"));
    for (size_t i = 0; (name || uuid) && i < troupe_count (list); i++)
        puts (troupe_get_str (troupe_at (list, i), name ? "name" : "uuid"));
}

int run_net_list (cli_t *cli, const options_t *options, error_t *err)
{
    bool name = options_flag (options, "name"), uuid = options_flag (options, "uuid");
    if (name + uuid + options_flag (options, "table") > 1)
        return cli_usage (cli, err, "net-list: --name, --uuid and --table exclude each other");
    if ((name || uuid) && options_flag (options, "title"))
        return cli_usage (cli, err, "net-list: --name and --uuid don't go with --title");
    return run_shown (cli, options, print_net_list, err);
}

//  One network.

static void line (const char *name, const char *text)
{
    printf ("%-15s %s\n", name, text ? text : "-");
}

static void print_net_info (const options_t *options, const troupe_value_t *info)
{
    (void) options;
    line ("Name:", troupe_get_str (info, "name"));
    line ("UUID:", troupe_get_str (info, "uuid"));
    line ("Active:", yes_no (info, "active"));
    line ("Persistent:", yes_no (info, "persistent"));
    line ("Autostart:", yes_no (info, "autostart"));
    line ("Bridge:", troupe_get_str (info, "bridge"));
}

int run_net_info (cli_t *cli, const options_t *options, error_t *err)
{
    return run_shown (cli, options, print_net_info, err);
}

static void print_lookup (const options_t *options, const troupe_value_t *info)
{
    const char *key = strcmp (options->command->name, "net-name") == 0 ? "name" : "uuid";
    puts (troupe_get_str (info, key));
}

//  net-name and net-uuid.
int run_net_lookup (cli_t *cli, const options_t *options, error_t *err)
{
    return run_shown (cli, options, print_lookup, err);
}

static int define (cli_t *cli, const options_t *options, const char *xml, error_t *err)
{
    (void) options;
    auto(troupe_args_t) args = troupe_args_new ();
    troupe_args_str (args, "xml", xml);
    auto(troupe_message_t) reply = cli_call (cli, "network.define", args, err);
    if (reply)
        cli_json (cli, troupe_message_value (reply));
    return reply ? 0 : -1;
}

static troupe_args_t *network_args (const options_t *options)
{
    troupe_args_t *args = troupe_args_new ();
    troupe_args_str (args, "network", options_str (options, "network"));
    return args;
}

int run_net_edit (cli_t *cli, const options_t *options, error_t *err)
{
    auto(troupe_args_t) args = network_args (options);
    troupe_args_bool (args, "inactive", true);
    auto(troupe_message_t) reply = cli_call (cli, "network.xml", args, err);
    if (!reply)
        return -1;
    const char *xml = troupe_get_str (troupe_message_value (reply), "xml");
    autofree char *what =
        text_format ("Network %s XML configuration", options_str (options, "network"));
    return edit_document (cli, options, what, xml ? xml : "", define, err);
}

//  What is no element is the name of a file.
static int add_element (troupe_args_t *args, const char *xml, error_t *err)
{
    if (*xml != '<')
        return options_add_file (args, "xml", xml, err);
    troupe_args_str (args, "xml", xml);
    return 0;
}

//  Without a flag, what is active is changed, else the definition.
static bool is_active (cli_t *cli, const options_t *options)
{
    error_t ignored; //  it is asked for what is said of it alone
    auto(troupe_args_t) args = network_args (options);
    auto(troupe_message_t) info = cli_call (cli, "network.info", args, &ignored);
    return info && troupe_get_bool (troupe_message_value (info), "active", false);
}

int run_net_update (cli_t *cli, const options_t *options, error_t *err)
{
    bool live = options_flag (options, "live"), config = options_flag (options, "config");
    if (options_flag (options, "current") && (live || config))
        return cli_usage (cli, err, "net-update: --current does not go with --live or --config");
    auto(troupe_args_t) args = network_args (options);
    troupe_args_str (args, "command", options_str (options, "command"));
    troupe_args_str (args, "section", options_str (options, "section"));
    if (add_element (args, options_str (options, "xml"), err))
        return -1;
    if (options_str (options, "parent_index"))
        troupe_args_u64 (args, "index", options_u64 (options, "parent_index", 0));
    if (live)
        troupe_args_bool (args, "live", true);
    if (config)
        troupe_args_bool (args, "config", true);
    bool changes_live = live || (!config && is_active (cli, options));
    auto(troupe_message_t) reply = cli_call (cli, "network.update", args, err);
    if (!reply)
        return -1;
    if (!cli_json (cli, troupe_message_value (reply)))
        cli_say (cli, "Updated network %s %s\n", options_str (options, "network"),
                 !changes_live ? "persistent config"
                 : config      ? "persistent config and live state"
                               : "live state");
    return 0;
}

//  Leases.

static void add_expiry (columns_t *table, uint64_t expiry)
{
    char text[32];
    struct tm parts;
    time_t when = (time_t) expiry;
    strftime (text, sizeof text, "%Y-%m-%d %H:%M:%S", localtime_r (&when, &parts));
    columns_add (table, expiry == 0 ? "never" : text);
}

static void add_text (columns_t *table, const char *text)
{
    columns_add (table, text && *text ? text : "-");
}

static void print_net_dhcp_leases (const options_t *options, const troupe_value_t *list)
{
    (void) options;
    const char *const titles[] = { "Expiry Time", "MAC address",       "Protocol", "IP address",
                                   "Hostname",    "Client ID or DUID", NULL };
    auto(columns_t) table = columns_new (titles);
    for (size_t i = 0; i < troupe_count (list); i++) {
        const troupe_value_t *lease = troupe_at (list, i);
        add_expiry (table, troupe_get_u64 (lease, "expiry", 0));
        add_text (table, troupe_get_str (lease, "mac"));
        columns_add (table, troupe_get_bool (lease, "ipv6", false) ? "ipv6" : "ipv4");
        add_text (table, troupe_get_str (lease, "address"));
        add_text (table, troupe_get_str (lease, "hostname"));
        add_text (table, troupe_get_str (lease, "client"));
    }
    columns_print (table, stdout);
}

int run_net_dhcp_leases (cli_t *cli, const options_t *options, error_t *err)
{
    return run_shown (cli, options, print_net_dhcp_leases, err);
}

//  Ports.

static void print_ports (const options_t *options, const troupe_value_t *list)
{
    const char *const titles[] = { "UUID", "Domain", "MAC address", "Plugged into", NULL };
    bool uuid = options_flag (options, "uuid");
    auto(columns_t) table = columns_new (titles);
    for (size_t i = 0; i < troupe_count (list); i++) {
        const troupe_value_t *port = troupe_at (list, i), *plug = troupe_get (port, "plug");
        const char *key = troupe_get_str (plug, "port"), *bridge = troupe_get_str (plug, "bridge");
        if (uuid)
            puts (key);
        columns_add (table, key);
        add_text (table, troupe_get_str (port, "domain_name"));
        add_text (table, troupe_get_str (port, "mac"));
        add_text (table, bridge ? bridge : troupe_get_str (plug, "device"));
    }
    if (!uuid)
        columns_print (table, stdout);
}

int run_net_port_list (cli_t *cli, const options_t *options, error_t *err)
{
    if (options_flag (options, "uuid") && options_flag (options, "table"))
        return cli_usage (cli, err, "net-port-list: --uuid and --table exclude each other");
    return run_shown (cli, options, print_ports, err);
}

static const char *or_new_uuid (const char *text, char uuid[UUID_TEXT_SIZE], error_t *err)
{
    uint8_t random[16];
    if (text)
        return text;
    if (getrandom (random, sizeof random, 0) != (ssize_t) sizeof random) {
        error_errno (err, ERR_SYSTEM_ERROR, "get random numbers");
        return NULL;
    }
    uuid_from_random (random, uuid);
    return uuid;
}

//  What of a <networkport> counts when one is made: the network says the rest.
static int add_port (troupe_args_t *args, const xml_node_t *port, error_t *err)
{
    static const char *const parts[][2] = { { "owner/uuid", "domain" },
                                            { "owner/name", "domain_name" },
                                            { "mac/@address", "mac" },
                                            { "group", "portgroup" } };
    char made[UUID_TEXT_SIZE];
    if (!xml_is (port, "networkport"))
        return error_set (err, ERR_XML_ERROR,
                          "net-port-create: the root element is <%s>; it has to be <networkport>",
                          xml_name (port));
    const char *uuid = or_new_uuid (xml_string (port, "uuid"), made, err);
    if (!uuid)
        return -1;
    troupe_args_str (args, "port", uuid);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (xml_string (port, parts[i][0]))
            troupe_args_str (args, parts[i][1], xml_string (port, parts[i][0]));
    return 0;
}

int run_net_port_create (cli_t *cli, const options_t *options, error_t *err)
{
    autofree char *text = options_read_file (options_str (options, "file"), err);
    auto(xml_t) doc = text ? xml_parse (text, strlen (text), "port XML", err) : NULL;
    auto(troupe_args_t) args = network_args (options);
    if (!doc || add_port (args, xml_root (doc), err))
        return -1;
    auto(troupe_message_t) reply = cli_call (cli, "network.port_create", args, err);
    if (!reply)
        return -1;
    const troupe_value_t *port = troupe_message_value (reply);
    if (!cli_json (cli, port))
        cli_say (cli, "Network port %s created from %s\n", troupe_get_str (port, "port"),
                 options_str (options, "file"));
    return 0;
}

//  Checking.

typedef struct {
    cli_t *cli;
    bool repair;
    strings_t *good; //  their names
    text_t *bad;     //  the same, with commas between
} check_t;

static void show_check (check_t *self, const char *network, const troupe_value_t *found)
{
    const char *problem = troupe_get_str (found, "problem");
    bool good = !problem || troupe_get_bool (found, "repaired", false);
    if (good)
        strings_add (self->good, network);
    else
        text_addf (self->bad, "%s%s", self->bad->size > 0 ? ", " : "", network);
    if (problem)
        cli_say (self->cli, "Network %s: %s%s\n", network, problem, good ? "; repaired" : "");
    else
        cli_say (self->cli, "Network %s is as it has to be\n", network);
}

static void json_names (const strings_t *names)
{
    putchar ('[');
    for (size_t i = 0; i < names->count; i++) {
        fputs (i > 0 ? ", " : "", stdout);
        json_text (stdout, names->items[i]);
    }
    puts ("]");
}

static troupe_message_t *check_one (check_t *self, const char *network, error_t *err)
{
    auto(troupe_args_t) args = troupe_args_new ();
    troupe_args_str (args, "network", network);
    if (self->repair)
        troupe_args_bool (args, "repair", true);
    return cli_call (self->cli, "network.check", args, err);
}

static int check_all (check_t *self, error_t *err)
{
    auto(troupe_message_t) reply = cli_call (self->cli, "network.list", NULL, err);
    const troupe_value_t *list = reply ? troupe_message_value (reply) : NULL;
    for (size_t i = 0; i < troupe_count (list); i++) {
        const troupe_value_t *network = troupe_at (list, i);
        const char *name = troupe_get_str (network, "name");
        if (!troupe_get_bool (network, "active", false))
            continue;
        auto(troupe_message_t) found = check_one (self, troupe_get_str (network, "uuid"), err);
        if (!found && err->code != ERR_NO_NETWORK && err->code != ERR_OPERATION_INVALID)
            return error_prefix (err, "network '%s'", name);
        if (found) //  else it ended meanwhile
            show_check (self, name, troupe_message_value (found));
    }
    if (self->bad->size > 0)
        return error_set (err, ERR_OPERATION_FAILED,
                          "not as they have to be: %s; 'troupe net-check --repair' makes it good",
                          self->bad->data);
    if (reply && self->cli->json)
        json_names (self->good);
    return reply ? 0 : -1;
}

int run_net_check (cli_t *cli, const options_t *options, error_t *err)
{
    auto(strings_t) good = strings_new ();
    auto(text_t) bad = text_new ();
    check_t self = { cli, options_flag (options, "repair"), good, bad };
    const char *network = options_str (options, "network");
    if (!network)
        return check_all (&self, err);
    auto(troupe_message_t) reply = check_one (&self, network, err);
    if (!reply)
        return -1;
    const troupe_value_t *value = troupe_message_value (reply);
    const char *problem = troupe_get_str (value, "problem");
    if (problem && !troupe_get_bool (value, "repaired", false))
        return error_set (err, ERR_OPERATION_FAILED,
                          "network '%s': %s; 'troupe net-check %s --repair' makes it good", network,
                          problem, network);
    if (!cli_json (cli, value))
        show_check (&self, network, value);
    return 0;
}
