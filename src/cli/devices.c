//  devices.c: domiflist and domblklist: devices of one kind, read off the domain's XML.

#include "cli/columns.h"
#include "cli/json.h"
#include "cli/run.h"
#include "util/xml.h"

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
