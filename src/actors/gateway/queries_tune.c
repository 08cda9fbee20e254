//  queries_tune.c: a domain's share of the host's resources, as its documents say.

#include "actors/gateway/queries_tune.h"

#include "drivers/iotune.h"
#include "drivers/net/interface_tune.h"
#include "drivers/tune/tune.h"

#include <string.h>

//  Of the document that is meant. MAP may be NULL.
static int read_scope (const query_t *self, const snapshot_t *domain, bool *live,
                       const value_t **map, error_t *err)
{
    bool config = value_get_bool (self->args, "config", false);
    *live = value_get_bool (self->args, "live", false);
    if (*live && config)
        return error_set (err, ERR_INVALID_ARG, "%s: live and config exclude each other",
                          self->verb->name);
    if (*live && domain->id <= 0)
        return error_set (err, ERR_OPERATION_INVALID, "%s: domain '%s' is not running",
                          self->verb->name, domain->name);
    if (config && !domain->persistent)
        return error_set (err, ERR_OPERATION_INVALID,
                          "%s: domain '%s' is transient: it has no definition", self->verb->name,
                          domain->name);
    *live = !config && domain->id > 0;
    if (map)
        *map = domain->tune ? value_get (document_root (domain->tune), *live ? "live" : "config")
                            : NULL;
    return 0;
}

//  "domain.memory_parameters" is about the group "memory".
static bool is_asked (const query_t *self, const tune_t *tune)
{
    const char *group = strchr (self->verb->name, '.') + 1;
    size_t size = strlen (tune->group);
    return strncmp (group, tune->group, size) == 0 && group[size] == '_';
}

int answer_parameters (const query_t *self, const snapshot_t *domain, pack_t *result, error_t *err)
{
    bool live;
    const value_t *map = NULL;
    const driver_t *driver = driver_by_name (domain->driver);
    if (read_scope (self, domain, &live, &map, err))
        return -1;
    pack_map (result);
    for (const tune_t *tune = tunes; tune->field; tune++)
        if (is_asked (self, tune) && (!driver || tune_known (driver, tune)))
            tune_pack_field (result, tune, map);
    pack_end (result);
    return 0;
}

//  The cpus of NUMBER in a list of pins; NULL: it has no pin.
static const char *pin_of (const value_t *pins, uint64_t number)
{
    for (size_t i = 0; i < value_count (pins); i++)
        if (value_get_u64 (value_at (pins, i), "number", UINT64_MAX) == number)
            return value_get_str (value_at (pins, i), "cpus");
    return NULL;
}

static const char *first_text (const char *a, const char *b)
{
    return a ? a : b ? b : "";
}

static void pack_pin (pack_t *result, uint64_t number, const char *cpus)
{
    pack_map (result);
    pack_key_u64 (result, "number", number);
    pack_key_str (result, "cpus", cpus);
    pack_end (result);
}

//  A vcpu without a pin runs where vcpu's cpuset says, as all that has none.
int answer_vcpu_pins (const query_t *self, const snapshot_t *domain, pack_t *result, error_t *err)
{
    bool live;
    const value_t *map = NULL;
    if (read_scope (self, domain, &live, &map, err))
        return -1;
    uint64_t count = live ? domain->max_vcpus : domain->config_max_vcpus;
    pack_array (result);
    for (uint64_t i = 0; i < count; i++)
        pack_pin (
            result, i,
            first_text (pin_of (value_get (map, "vcpu_pins"), i), value_get_str (map, "cpuset")));
    pack_end (result);
    return 0;
}

int answer_emulator_pins (const query_t *self, const snapshot_t *domain, pack_t *result,
                          error_t *err)
{
    bool live;
    const value_t *map = NULL;
    if (read_scope (self, domain, &live, &map, err))
        return -1;
    pack_map (result);
    pack_key_str (result, "cpus",
                  first_text (value_get_str (map, "emulator_pin"), value_get_str (map, "cpuset")));
    pack_end (result);
    return 0;
}

int answer_iothread_pins (const query_t *self, const snapshot_t *domain, pack_t *result,
                          error_t *err)
{
    bool live;
    const value_t *map = NULL;
    if (read_scope (self, domain, &live, &map, err))
        return -1;
    const value_t *ids = value_get (map, "iothreads");
    pack_array (result);
    for (size_t i = 0; i < value_count (ids); i++) {
        uint64_t id = 0;
        value_u64 (value_at (ids, i), &id);
        pack_pin (result, id,
                  first_text (pin_of (value_get (map, "iothread_pins"), id),
                              value_get_str (map, "cpuset")));
    }
    pack_end (result);
    return 0;
}

//  The document is read for this, which nobody asks often.
static xml_t *read_document (const query_t *self, const snapshot_t *domain, error_t *err)
{
    bool live;
    if (read_scope (self, domain, &live, NULL, err))
        return NULL;
    const char *text = live || !domain->xml_inactive ? domain->xml : domain->xml_inactive;
    return xml_parse_own (text ? text : "", text ? strlen (text) : 0, "domain XML", err);
}

int answer_block_io (const query_t *self, const snapshot_t *domain, pack_t *result, error_t *err)
{
    const char *name = value_get_str (self->args, "disk");
    auto(xml_t) document = read_document (self, domain, err);
    const xml_node_t *disk = document && name ? iotune_disk (xml_root (document), name, err) : NULL;
    if (!document || (name && !disk))
        return document ? error_prefix (err, "domain '%s'", domain->name) : -1;
    const char *group = disk ? iotune_group (disk) : NULL;
    pack_map (result);
    for (const iotune_t *limit = iotunes; limit->field; limit++)
        pack_key_u64 (result, limit->field, disk ? iotune_get (disk, limit) : 0);
    pack_key_str (result, "group_name", group ? group : "");
    pack_end (result);
    return 0;
}

int answer_interface_limits (const query_t *self, const snapshot_t *domain, pack_t *result,
                             error_t *err)
{
    auto(xml_t) document = read_document (self, domain, err);
    const char *name = value_get_str (self->args, "interface");
    const xml_node_t *interface =
        document ? interface_named (xml_root (document), name, err) : NULL;
    if (!interface)
        return document ? error_prefix (err, "domain '%s'", domain->name) : -1;
    pack_map (result);
    interface_tune_pack (result, interface);
    pack_end (result);
    return 0;
}
