//  devices.c: domiflist and domblklist: devices of one kind, read off the domain's XML; and how the
//  disks are: domblkinfo and domblkerror.

#include "cli/columns.h"
#include "cli/json.h"
#include "cli/run.h"
#include "util/xml.h"

#include <inttypes.h>
#include <string.h>

typedef struct {
    const char *title, *key; //  for people, for programs
    const char *paths[6];    //  the first that is there; NULL after the last
} cell_t;

static const cell_t interface_cells[] = {
    { "Interface", "interface", { "target/@dev" } },
    { "Type", "type", { "@type" } },
    { "Source",
      "source",
      { "source/@network", "source/@bridge", "source/@dev", "source/@path", "source/@name" } },
    { "Model", "model", { "model/@type" } },
    { "MAC", "mac", { "mac/@address" } },
    { NULL, NULL, { NULL } },
};

static const cell_t disk_cells[] = {
    { "Target", "target", { "target/@dev" } },
    { "Source", "source", { "source/@file", "source/@dev", "source/@dir", "source/@name" } },
    { NULL, NULL, { NULL } },
};

static const cell_t disk_details[] = {
    { "Type", "type", { "@type" } },
    { "Device", "device", { "@device" } },
    { "Target", "target", { "target/@dev" } },
    { "Source", "source", { "source/@file", "source/@dev", "source/@dir", "source/@name" } },
    { NULL, NULL, { NULL } },
};

static const char *cell_text (const xml_node_t *device, const cell_t *cell)
{
    for (size_t i = 0; cell->paths[i]; i++) {
        const char *text = xml_string (device, cell->paths[i]);
        if (text)
            return text;
    }
    return NULL;
}

static void print_table (const xml_node_t *devices, const char *kind, const cell_t *cells)
{
    const char *titles[8] = { NULL };
    for (size_t i = 0; cells[i].title; i++)
        titles[i] = cells[i].title;
    auto(columns_t) table = columns_new (titles);
    xml_foreach (device, devices, kind)
        for (const cell_t *cell = cells; cell->title; cell++) {
            const char *text = cell_text (device, cell);
            columns_add (table, text ? text : "-");
        }
    columns_print (table, stdout);
}

static void print_json (const xml_node_t *devices, const char *kind, const cell_t *cells)
{
    const char *before = "[";
    xml_foreach (device, devices, kind) {
        printf ("%s\n  {", before);
        before = ",";
        for (const cell_t *cell = cells; cell->title; cell++) {
            const char *text = cell_text (device, cell);
            printf ("%s\"%s\": ", cell == cells ? "" : ", ", cell->key);
            text ? json_text (stdout, text) : (void) fputs ("null", stdout);
        }
        putchar ('}');
    }
    puts (*before == '[' ? "[]" : "\n]");
}

static int list (cli_t *cli, const options_t *options, const char *kind, const cell_t *cells,
                 error_t *err)
{
    auto(xml_t) doc = run_domain_xml (cli, options_str (options, "domain"),
                                      options_flag (options, "inactive"), err);
    if (!doc)
        return -1;
    (cli->json ? print_json : print_table) (xml_find (xml_root (doc), "devices"), kind, cells);
    return 0;
}

int run_domiflist (cli_t *cli, const options_t *options, error_t *err)
{
    return list (cli, options, "interface", interface_cells, err);
}

int run_domblklist (cli_t *cli, const options_t *options, error_t *err)
{
    return list (cli, options, "disk",
                 options_flag (options, "details") ? disk_details : disk_cells, err);
}

//  Sizes and errors.

static const struct {
    const char *title, *key;
} sizes[] = { { "Capacity", "capacity" },
              { "Allocation", "allocation" },
              { "Physical", "physical" } };

#define SIZES (sizeof sizes / sizeof *sizes)

static troupe_message_t *ask_disks (cli_t *cli, const options_t *options, error_t *err)
{
    auto(troupe_args_t) args = troupe_args_new ();
    troupe_args_str (args, "domain", options_str (options, "domain"));
    if (options_str (options, "device"))
        troupe_args_str (args, "disk", options_str (options, "device"));
    return cli_call (cli, "domain.block_info", args, err);
}

//  "-" where there is no medium.
static char *size_text (const options_t *options, const troupe_value_t *disk, const char *key)
{
    uint64_t bytes = troupe_get_u64 (disk, key, 0);
    if (!troupe_get (disk, key))
        return text_copy ("-");
    return options_flag (options, "human") ? run_pretty_size (bytes)
                                           : text_format ("%" PRIu64, bytes);
}

static void print_sizes (const options_t *options, const troupe_value_t *disk)
{
    for (size_t i = 0; i < SIZES; i++) {
        autofree char *title = text_format ("%s:", sizes[i].title);
        autofree char *size = size_text (options, disk, sizes[i].key);
        printf ("%-15s %s\n", title, size);
    }
}

static void print_all_sizes (const options_t *options, const troupe_value_t *list)
{
    const char *const titles[] = { "Target", sizes[0].title, sizes[1].title, sizes[2].title, NULL };
    auto(columns_t) table = columns_new (titles);
    for (size_t i = 0; i < troupe_count (list); i++) {
        const troupe_value_t *disk = troupe_at (list, i);
        columns_add (table, troupe_get_str (disk, "device"));
        for (size_t n = 0; n < SIZES; n++) {
            autofree char *size = size_text (options, disk, sizes[n].key);
            columns_add (table, size);
        }
    }
    columns_print (table, stdout);
}

int run_domblkinfo (cli_t *cli, const options_t *options, error_t *err)
{
    bool all = options_flag (options, "all");
    if (all == (options_str (options, "device") != NULL))
        return cli_usage (cli, err, "domblkinfo: either a disk or --all");
    auto(troupe_message_t) reply = ask_disks (cli, options, err);
    if (!reply)
        return -1;
    const troupe_value_t *list = troupe_message_value (reply);
    if (cli_json (cli, list))
        return 0;
    if (all)
        print_all_sizes (options, list);
    else
        print_sizes (options, troupe_at (list, 0));
    return 0;
}

//  A domain that does not run has no errors to tell of.
static int check_running (cli_t *cli, const char *domain, error_t *err)
{
    auto(troupe_message_t) found = cli_call_domain (cli, "domain.lookup", domain, err);
    if (!found)
        return -1;
    if (troupe_get_i64 (troupe_message_value (found), "id", -1) > 0)
        return 0;
    return error_set (err, ERR_OPERATION_INVALID, "domblkerror: domain '%s' is not running",
                      domain);
}

int run_domblkerror (cli_t *cli, const options_t *options, error_t *err)
{
    if (check_running (cli, options_str (options, "domain"), err))
        return -1;
    auto(troupe_message_t) reply = ask_disks (cli, options, err);
    if (!reply)
        return -1;
    const troupe_value_t *list = troupe_message_value (reply);
    if (cli_json (cli, list))
        return 0;
    bool any = false;
    for (size_t i = 0; i < troupe_count (list); i++) {
        const char *error = troupe_get_str (troupe_at (list, i), "error");
        if (!error || !*error)
            continue;
        any = true;
        printf ("%s: %s\n", troupe_get_str (troupe_at (list, i), "device"), error);
    }
    if (!any)
        puts ("No errors found");
    return 0;
}
