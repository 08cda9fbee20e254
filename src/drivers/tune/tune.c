//  tune.c: see tune.h.

#include "drivers/tune/tune.h"

#include "drivers/cpuset.h"
#include "drivers/definition.h"
#include "drivers/iothreads.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const tune_t tunes[] = {
#define TUNE(group, field, path, kind, min, max, unset)                                            \
    { group, field, path, kind, min, max, unset },
#include "drivers/tune/tune.def"
#undef TUNE
    { NULL, NULL, NULL, 0, 0, 0, 0 },
};

//  In the order of libvirt's numbers.
static const char *const modes[] = { "strict", "preferred", "interleave", "restrictive" };

#define MODES (sizeof modes / sizeof *modes)

bool tune_known (const driver_t *driver, const tune_t *tune)
{
    error_t ignored;
    return !driver->takes || driver->takes (tune->path, NULL, &ignored) == 0;
}

//  From a value to the document's text.

static int out_of_range (const tune_t *tune, const char *text, error_t *err)
{
    return error_set (err, ERR_INVALID_ARG,
                      "%s '%s': it has to be from %" PRIu64 " to %" PRIu64 "%s", tune->field, text,
                      tune->min, tune->max,
                      tune->kind == TUNE_QUOTA ? ", or negative for no limit" : "");
}

//  *TEXT NULL: not set.
static int number_text (const tune_t *tune, int64_t number, char **text, error_t *err)
{
    bool unlimited = tune->kind == TUNE_KIB && (number < 0 || number >= TUNE_UNLIMITED);
    *text = NULL;
    if (number == 0 || unlimited)
        return 0;
    *text = tune->kind == TUNE_QUOTA && number < 0 ? text_copy ("-1")
                                                   : text_format ("%" PRId64, number);
    bool fits = (tune->kind == TUNE_QUOTA && number < 0) ||
                (number > 0 && (uint64_t) number >= tune->min && (uint64_t) number <= tune->max);
    return fits ? 0 : out_of_range (tune, *text, err);
}

static int mode_text (const tune_t *tune, int64_t number, char **text, error_t *err)
{
    if (number < 0 || number >= (int64_t) MODES)
        return error_set (err, ERR_INVALID_ARG,
                          "%s '%" PRId64 "': it is 0 (strict), 1 (preferred), 2 (interleave) or 3 "
                          "(restrictive)",
                          tune->field, number);
    *text = text_copy (modes[number]);
    return 0;
}

static int set_text (const char *given, char **text, error_t *err)
{
    cpu_set_t set;
    if (!*given)
        return 0;
    *text = text_copy (given);
    return cpuset_parse (given, &set, err);
}

static int value_text (const tune_t *tune, const value_t *value, char **text, error_t *err)
{
    int64_t number = 0;
    const char *given = value_str (value);
    bool texts = tune->kind == TUNE_SET || tune->kind == TUNE_DEVICES;
    *text = NULL;
    if (texts ? !given : !value_i64 (value, &number))
        return error_set (err, ERR_INVALID_ARG, "%s: it is a %s", tune->field,
                          texts ? "text" : "number below 2^63");
    if (tune->kind == TUNE_SET)
        return set_text (given, text, err);
    return tune->kind == TUNE_MODE ? mode_text (tune, number, text, err)
                                   : number_text (tune, number, text, err);
}

//  Changing the document.

xml_node_t *tune_ensure (xml_node_t *domain, const char *path)
{
    autofree char *first = text_copy_bytes (path, strcspn (path, "/"));
    xml_node_t *node = xml_find (domain, first);
    return node ? node : definition_insert (domain, first);
}

void tune_prune (xml_node_t *domain, const char *path)
{
    autofree char *first = text_copy_bytes (path, strcspn (path, "/"));
    xml_node_t *node = xml_find (domain, first);
    if (node && !xml_first (node, NULL))
        xml_remove (node);
}

static void store (xml_node_t *domain, const tune_t *tune, const char *text)
{
    if (text) {
        tune_ensure (domain, tune->path);
        xml_set (domain, tune->path, text);
        if (tune->kind == TUNE_KIB) {
            autofree char *unit = text_format ("%s/@unit", tune->path);
            xml_set (domain, unit, "KiB");
        }
        return;
    }
    xml_remove_path (domain, tune->path);
    tune_prune (domain, tune->path);
}

int tune_set (xml_node_t *domain, const driver_t *driver, const tune_t *tune, const value_t *value,
              error_t *err)
{
    autofree char *text = NULL;
    if (tune->kind == TUNE_DEVICES && value_str (value)) {
        if (driver->takes && driver->takes (tune->path, NULL, err))
            return -1;
        return tune_devices_set (domain, tune, value_str (value), err);
    }
    if (value_text (tune, value, &text, err) ||
        (driver->takes && driver->takes (tune->path, text, err)))
        return -1;
    store (domain, tune, text);
    return 0;
}

//  Checking.

static int check_number (xml_node_t *domain, const tune_t *tune, error_t *err)
{
    char *end;
    const char *given = xml_string (domain, tune->path);
    autofree char *text = NULL;
    if (!given)
        return 0;
    int64_t number = strtoll (given, &end, 10);
    if (*end || !*given)
        return error_set (err, ERR_XML_ERROR, "domain XML: %s '%s' is no number", tune->path,
                          given);
    if (number_text (tune, number, &text, err)) {
        err->code = ERR_XML_ERROR;
        return error_prefix (err, "domain XML: %s", tune->path);
    }
    store (domain, tune, text);
    return 0;
}

static int check_kib (xml_node_t *domain, const tune_t *tune, error_t *err)
{
    uint64_t kib = 0;
    if (definition_complete_size (domain, tune->path, &kib, err))
        return -1;
    if (xml_find (domain, tune->path) && (kib == 0 || kib >= TUNE_UNLIMITED))
        store (domain, tune, NULL);
    return 0;
}

static int check_words (const xml_node_t *domain, const tune_t *tune, error_t *err)
{
    cpu_set_t set;
    const char *text = xml_string (domain, tune->path);
    size_t mode = 0;
    if (!text)
        return 0;
    if (tune->kind == TUNE_SET)
        return cpuset_parse (text, &set, err) ? error_prefix (err, "domain XML: %s", tune->path)
                                              : 0;
    while (mode < MODES && strcmp (modes[mode], text) != 0)
        mode++;
    return mode < MODES ? 0
                        : error_set (err, ERR_XML_ERROR, "domain XML: %s '%s' is not known",
                                     tune->path, text);
}

static int check_one (xml_node_t *domain, const tune_t *tune, error_t *err)
{
    switch (tune->kind) {
    case TUNE_KIB:
        return check_kib (domain, tune, err);
    case TUNE_COUNT:
    case TUNE_QUOTA:
        return check_number (domain, tune, err);
    case TUNE_MODE:
    case TUNE_SET:
        return check_words (domain, tune, err);
    default:
        return 0;
    }
}

//  A cgroup's path is part of undo, and of what is told to processes.
static int check_partition (const xml_node_t *domain, error_t *err)
{
    const char *partition = xml_string (domain, "resource/partition");
    if (!partition || (partition[0] == '/' && !strpbrk (partition, " \t\n\\") &&
                       !strstr (partition, "/../") && !text_ends (partition, "/..")))
        return 0;
    return error_set (
        err, ERR_XML_ERROR,
        "domain XML: resource/partition '%s': it is no absolute path of a cgroup, or has "
        "white space or '..' in it",
        partition);
}

//  What belongs together.
static int check_all (const xml_node_t *domain, error_t *err)
{
    uint64_t hard = 0, swap = 0;
    cpu_set_t set;
    const char *cpuset = xml_string (domain, "vcpu/@cpuset");
    if (xml_size (domain, "memtune/hard_limit", "KiB", &hard, err) ||
        xml_size (domain, "memtune/swap_hard_limit", "KiB", &swap, err))
        return -1;
    if (swap && swap < hard)
        return error_set (err, ERR_XML_ERROR,
                          "domain XML: memtune/swap_hard_limit is less than memtune/hard_limit; it "
                          "limits memory and swap together");
    if (xml_string (domain, "numatune/memory/@mode") &&
        !xml_string (domain, "numatune/memory/@nodeset"))
        return error_set (err, ERR_XML_ERROR,
                          "domain XML: numatune/memory has no nodeset; say which nodes");
    return cpuset && cpuset_parse (cpuset, &set, err)
               ? error_prefix (err, "domain XML: vcpu/@cpuset")
               : 0;
}

int tune_check (xml_node_t *domain, error_t *err)
{
    for (const tune_t *tune = tunes; tune->field; tune++)
        if (check_one (domain, tune, err))
            return -1;
    if (xml_string (domain, "numatune/memory/@nodeset"))
        definition_default (domain, "numatune/memory/@mode", modes[0]);
    return tune_devices_check (domain, err) || check_partition (domain, err) ||
                   check_all (domain, err)
               ? -1
               : 0;
}

//  Showing.

static void pack_number (pack_t *pack, const tune_t *tune, const xml_node_t *domain)
{
    error_t ignored; //  checked
    uint64_t bytes = 0;
    if (tune->kind == TUNE_KIB) {
        xml_size (domain, tune->path, "KiB", &bytes, &ignored);
        pack_u64 (pack, bytes / 1024);
    } else
        pack_i64 (pack, strtoll (xml_string (domain, tune->path), NULL, 10));
}

static void pack_one (pack_t *pack, const tune_t *tune, const xml_node_t *domain)
{
    const char *text = xml_string (domain, tune->path);
    autofree char *devices = tune->kind == TUNE_DEVICES ? tune_devices_text (domain, tune) : NULL;
    int64_t mode = 0;
    if (devices)
        pack_key_str (pack, tune->field, devices);
    if (!text || tune->kind == TUNE_DEVICES)
        return;
    pack_key (pack, tune->field);
    while (tune->kind == TUNE_MODE && mode < (int64_t) MODES - 1 && strcmp (modes[mode], text) != 0)
        mode++;
    if (tune->kind == TUNE_MODE)
        pack_i64 (pack, mode);
    else if (tune->kind == TUNE_SET)
        pack_str (pack, text);
    else
        pack_number (pack, tune, domain);
}

static void pack_pins (pack_t *pack, const char *key, const xml_node_t *domain, const char *element,
                       const char *number)
{
    error_t ignored;
    pack_key_array (pack, key);
    xml_foreach (pin, xml_find (domain, "cputune"), element) {
        uint64_t value = 0;
        if (xml_u64 (pin, number, &value, &ignored))
            continue;
        pack_map (pack);
        pack_key_u64 (pack, "number", value);
        pack_key_str (pack, "cpus", xml_string (pin, "@cpuset"));
        pack_end (pack);
    }
    pack_end (pack);
}

void tune_pack (pack_t *pack, const xml_node_t *domain)
{
    pack_map (pack);
    for (const tune_t *tune = tunes; tune->field; tune++)
        pack_one (pack, tune, domain);
    pack_key_array (pack, "iothreads");
    for (int id = 0; (id = iothreads_next (domain, id));)
        pack_i64 (pack, id);
    pack_end (pack);
    pack_key_str (pack, "cpuset", xml_string (domain, "vcpu/@cpuset"));
    pack_key_str (pack, "emulator_pin", xml_string (domain, "cputune/emulatorpin/@cpuset"));
    pack_pins (pack, "vcpu_pins", domain, "vcpupin", "@vcpu");
    pack_pins (pack, "iothread_pins", domain, "iothreadpin", "@iothread");
    pack_end (pack);
}

void tune_pack_field (pack_t *pack, const tune_t *tune, const value_t *map)
{
    const value_t *value = value_get (map, tune->field);
    pack_key (pack, tune->field);
    if (value)
        pack_value (pack, value);
    else if (tune->kind == TUNE_SET || tune->kind == TUNE_DEVICES)
        pack_str (pack, "");
    else
        pack_i64 (pack, tune->unset);
}
