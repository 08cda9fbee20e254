//  snapshot_spec.c: see snapshot_spec.h.

#include "cli/snapshot_spec.h"

#include "util/xml.h"

#include <string.h>

//  Parts between commas; a comma that is meant is written twice. The caller owns the list.
static strings_t *split (const char *spec)
{
    strings_t *parts = strings_new ();
    auto(text_t) part = text_new ();
    for (; *spec; spec++) {
        if (*spec == ',' && spec[1] != ',') {
            strings_add (parts, part->data);
            text_destroy (&part);
            part = text_new ();
            continue;
        }
        spec += *spec == ',';
        text_add_char (part, *spec);
    }
    strings_add (parts, part->data);
    return parts;
}

static int set_part (cli_t *cli, xml_node_t *node, const char *part, const spec_place_t *places,
                     error_t *err)
{
    size_t size = strcspn (part, "=");
    for (; places->key; places++)
        if (part[size] && strlen (places->key) == size && strncmp (part, places->key, size) == 0) {
            xml_set (node, places->path, part + size + 1);
            return 0;
        }
    return cli_usage (cli, err, "'%s' is no part of a spec", part);
}

//  [file=]NAME[,snapshot=TYPE]
static int add_memory (cli_t *cli, xml_node_t *root, const char *spec, error_t *err)
{
    static const spec_place_t places[] = { { "file", "@file" },
                                           { "snapshot", "@snapshot" },
                                           { NULL, NULL } };
    auto(strings_t) parts = split (spec);
    xml_node_t *memory = xml_add (root, "memory");
    for (size_t i = 0; i < parts->count; i++)
        if (i == 0 && !strchr (parts->items[0], '='))
            xml_set (memory, "@file", parts->items[0]);
        else if (set_part (cli, memory, parts->items[i], places, err))
            return -1;
    if (xml_string (memory, "@file") && !xml_string (memory, "@snapshot"))
        xml_set (memory, "@snapshot", "external");
    return 0;
}

xml_node_t *spec_add_disk (cli_t *cli, xml_node_t *disks, const char *spec,
                           const spec_place_t *places, error_t *err)
{
    auto(strings_t) parts = split (spec);
    xml_node_t *disk = xml_add (disks, "disk");
    xml_set (disk, "@name", parts->items[0]);
    for (size_t i = 1; i < parts->count; i++)
        if (set_part (cli, disk, parts->items[i], places, err))
            return NULL;
    return disk;
}

//  DISK[,snapshot=TYPE][,driver=TYPE][,stype=TYPE][,file=NAME]
static int add_disk (cli_t *cli, xml_node_t *disks, const char *spec, error_t *err)
{
    static const spec_place_t places[] = { { "snapshot", "@snapshot" },
                                           { "driver", "driver/@type" },
                                           { "stype", "@type" },
                                           { "file", "source/@file" },
                                           { NULL, NULL } };
    xml_node_t *disk = spec_add_disk (cli, disks, spec, places, err);
    if (!disk)
        return -1;
    if (xml_equals (disk, "@type", "block") && xml_string (disk, "source/@file")) {
        autofree char *path = text_copy (xml_string (disk, "source/@file"));
        xml_remove_path (disk, "source");
        xml_set (disk, "source/@dev", path);
    }
    return 0;
}

static int add_disks (cli_t *cli, xml_node_t *root, const options_t *options, error_t *err)
{
    for (size_t i = 0; i < options->count; i++)
        if (strcmp (options->given[i].arg->name, "diskspec") == 0 &&
            add_disk (cli, xml_ensure (root, "disks"), options->given[i].text, err))
            return -1;
    return 0;
}

char *snapshot_spec_xml (cli_t *cli, const options_t *options, error_t *err)
{
    static const char empty[] = "<domainsnapshot/>";
    static const char *const texts[] = { "name", "description" };
    const char *memory = options_str (options, "memspec");
    auto(xml_t) doc = xml_parse (empty, sizeof empty - 1, "snapshot", err);
    xml_node_t *root = xml_root (doc);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (options_str (options, texts[i]))
            xml_set (root, texts[i], options_str (options, texts[i]));
    if ((memory && add_memory (cli, root, memory, err)) || add_disks (cli, root, options, err))
        return NULL;
    return xml_text (doc);
}
