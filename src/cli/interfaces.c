//  interfaces.c: commands about the host's network interfaces, with virsh's output.

#include "cli/columns.h"
#include "cli/run.h"

#include <string.h>
#include <strings.h>

static void print_list (const options_t *options, const troupe_value_t *list)
{
    static const char *const titles[] = { "Name", "State", "MAC Address", NULL };
    bool all = options_flag (options, "all"), inactive = options_flag (options, "inactive");
    auto(columns_t) table = columns_new (titles);
    for (size_t i = 0; i < troupe_count (list); i++) {
        const troupe_value_t *each = troupe_at (list, i);
        bool up = troupe_get_bool (each, "up", false);
        if (!all && up == inactive)
            continue;
        columns_add (table, troupe_get_str (each, "name"));
        columns_add (table, up ? "active" : "inactive");
        columns_add (table, troupe_get_str (each, "mac"));
    }
    columns_print (table, stdout);
}

int run_iface_list (cli_t *cli, const options_t *options, error_t *err)
{
    return run_shown (cli, options, print_list, err);
}

static bool is_meant (const troupe_value_t *each, const char *key, const char *wanted)
{
    const char *value = troupe_get_str (each, key);
    return value && strcasecmp (value, wanted) == 0;
}

//  iface-name from a MAC, iface-mac from a name: what is found, of which there has to be one.
static int convert (cli_t *cli, const options_t *options, const char *from, const char *to,
                    error_t *err)
{
    const char *wanted = options_str (options, "interface");
    auto(troupe_message_t) reply = cli_call (cli, "interface.list", NULL, err);
    auto(strings_t) found = strings_new ();
    const troupe_value_t *list = reply ? troupe_message_value (reply) : NULL;
    if (!reply)
        return -1;
    for (size_t i = 0; i < troupe_count (list); i++)
        if (is_meant (troupe_at (list, i), from, wanted))
            strings_add (found, troupe_get_str (troupe_at (list, i), to));
    if (found->count == 1)
        return run_print_texts (cli, found);
    return error_set (err, found->count ? ERR_MULTIPLE_INTERFACES : ERR_NO_INTERFACE,
                      "%s interface of this host has the %s '%s'; 'troupe iface-list --all' shows "
                      "them",
                      found->count ? "more than one" : "no", strcmp (from, "mac") ? "name" : "MAC",
                      wanted);
}

int run_iface_name (cli_t *cli, const options_t *options, error_t *err)
{
    return convert (cli, options, "mac", "name", err);
}

int run_iface_mac (cli_t *cli, const options_t *options, error_t *err)
{
    return convert (cli, options, "name", "mac", err);
}
