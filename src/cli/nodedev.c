//  nodedev.c: the host's devices, with virsh's options and layout.

#include "cli/json.h"
#include "cli/run.h"
#include "cli/tree.h"

#include <inttypes.h>
#include <string.h>

static void add_capabilities (troupe_args_t *args, const char *words)
{
    auto(strings_t) names = strings_new ();
    autofree char *copy = text_copy (words);
    char *rest = copy;
    for (char *word; (word = strsep (&rest, ","));)
        if (*word)
            strings_add (names, word);
    troupe_args_strs (args, "capabilities", strings_list (names), names->count);
}

int run_nodedev_list (cli_t *cli, const options_t *options, error_t *err)
{
    const char *capabilities = options_str (options, "cap");
    if (capabilities && options_flag (options, "tree"))
        return cli_usage (cli, err, "nodedev-list: --tree does not go with --cap");
    auto(troupe_args_t) args = troupe_args_new ();
    if (capabilities)
        add_capabilities (args, capabilities);
    auto(troupe_message_t) reply = cli_call (cli, "nodedev.list", args, err);
    const troupe_value_t *list = reply ? troupe_message_value (reply) : NULL;
    if (!reply || cli_json (cli, list))
        return reply ? 0 : -1;
    if (options_flag (options, "tree"))
        tree_print (list, NULL);
    else
        tree_print_names (list);
    return 0;
}

//  "a b c"; NULL of none. The caller frees it.
static char *joined (const troupe_value_t *list)
{
    auto(text_t) text = text_new ();
    for (size_t i = 0; i < troupe_count (list); i++)
        text_addf (text, "%s%s", i > 0 ? " " : "", troupe_str (troupe_at (list, i)));
    return text->size > 0 ? text_finish (&text) : NULL;
}

static void print_number (const char *title, const troupe_value_t *info, const char *key)
{
    int64_t number = troupe_get_i64 (info, key, -1);
    autofree char *text = number >= 0 ? text_format ("%" PRId64, number) : NULL;
    tree_print_line (title, text);
}

static void print_list (const char *title, const troupe_value_t *info, const char *key)
{
    autofree char *text = joined (troupe_get (info, key));
    if (text)
        tree_print_line (title, text);
}

static void print_pci (const troupe_value_t *info)
{
    tree_print_line ("Address:", troupe_get_str (info, "address"));
    tree_print_line ("State:", troupe_get_str (info, "state"));
    if (troupe_get_str (info, "returns_to"))
        tree_print_line ("Returns to:", troupe_get_str (info, "returns_to"));
    if (troupe_get_str (info, "holder_name"))
        tree_print_line ("Used by:", troupe_get_str (info, "holder_name"));
    print_number ("IOMMU group:", info, "iommu_group");
    print_list ("In the group:", info, "group");
    print_number ("NUMA node:", info, "numa_node");
    tree_print_line ("Resets:", troupe_get_str (info, "resets"));
    if (troupe_get_str (info, "physical_function"))
        tree_print_line ("VF of:", troupe_get_str (info, "physical_function"));
    if (troupe_get_u64 (info, "total_functions", 0) > 0)
        printf ("%-15s %zu of %" PRIu64 "\n", "VFs:", troupe_count (troupe_get (info, "functions")),
                troupe_get_u64 (info, "total_functions", 0));
    print_list ("Interfaces:", info, "nics");
}

static void print_info (const options_t *options, const troupe_value_t *info)
{
    (void) options;
    tree_print_line ("Name:", troupe_get_str (info, "name"));
    tree_print_line ("Parent:", troupe_get_str (info, "parent"));
    tree_print_line ("Capability:", troupe_get_str (info, "capability"));
    tree_print_line ("Driver:", troupe_get_str (info, "driver"));
    if (troupe_get_str (info, "file"))
        printf ("%-15s /dev/%s\n", "File:", troupe_get_str (info, "file"));
    if (troupe_get_str (info, "address"))
        print_pci (info);
    if (troupe_get_str (info, "interface")) {
        tree_print_line ("Interface:", troupe_get_str (info, "interface"));
        tree_print_line ("MAC:", troupe_get_str (info, "mac"));
    }
}

int run_nodedev_info (cli_t *cli, const options_t *options, error_t *err)
{
    return run_shown (cli, options, print_info, err);
}
