//  interface_tune.c: see interface_tune.h.

#include "drivers/net/interface_tune.h"

#include "drivers/net/interface.h"
#include "util/text.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

static const char *const ways[] = { "inbound", "outbound" };
static const char *const rates[] = { "average", "peak", "burst" };

#define WAYS 2
#define RATES 3

xml_node_t *interface_named (const xml_node_t *domain, const char *name, error_t *err)
{
    xml_foreach (interface, xml_find (domain, "devices"), "interface") {
        const char *mac = xml_string (interface, "mac/@address");
        if ((mac && strcasecmp (mac, name) == 0) || xml_equals (interface, "target/@dev", name))
            return interface;
    }
    error_set (err, ERR_INVALID_ARG,
               "there is no interface '%s'; 'troupe domiflist' shows their names and MACs", name);
    return NULL;
}

static uint64_t rate_of (const xml_node_t *interface, const char *way, const char *rate)
{
    error_t ignored; //  checked
    uint64_t value = 0;
    autofree char *path = text_format ("bandwidth/%s/@%s", way, rate);
    return interface && xml_u64 (interface, path, &value, &ignored) == 0 ? value : 0;
}

void interface_tune_pack (pack_t *pack, const xml_node_t *interface)
{
    for (size_t i = 0; i < WAYS * RATES; i++) {
        autofree char *key = text_format ("%s_%s", ways[i / RATES], rates[i % RATES]);
        pack_key_u64 (pack, key, rate_of (interface, ways[i / RATES], rates[i % RATES]));
    }
    pack_key_u64 (pack, "inbound_floor", rate_of (interface, "inbound", "floor"));
}

//  Changes.

static int read_way (const value_t *args, const char *way, uint64_t values[RATES], bool *any,
                     error_t *err)
{
    for (size_t i = 0; i < RATES; i++) {
        autofree char *field = text_format ("%s_%s", way, rates[i]);
        const value_t *value = value_get (args, field);
        values[i] = 0;
        *any = *any || value;
        if (value && (!value_u64 (value, &values[i]) || values[i] > UINT32_MAX))
            return error_set (err, ERR_INVALID_ARG, "%s: it can be from 0 to %" PRIu32, field,
                              UINT32_MAX);
    }
    return *any && !values[0] && (values[1] || values[2])
               ? error_set (err, ERR_INVALID_ARG, "%s: it has no average, which the rest goes with",
                            way)
               : 0;
}

static void write_way (xml_node_t *interface, const char *way, const uint64_t values[RATES])
{
    autofree char *path = text_format ("bandwidth/%s", way);
    xml_remove_path (interface, path);
    for (size_t i = 0; i < RATES; i++) {
        autofree char *rate = text_format ("%s/@%s", path, rates[i]);
        if (values[i])
            xml_set_u64 (interface, rate, values[i]);
    }
}

int interface_tune_set (xml_node_t *domain, const char *name, const value_t *args, error_t *err)
{
    xml_node_t *interface = interface_named (domain, name, err);
    uint64_t values[WAYS][RATES];
    bool any[WAYS] = { false };
    if (!interface)
        return -1;
    for (size_t i = 0; i < WAYS; i++)
        if (read_way (args, ways[i], values[i], &any[i], err))
            return -1;
    if (value_get_u64 (args, "inbound_floor", 0))
        return error_set (
            err, ERR_CONFIG_UNSUPPORTED,
            "not supported: the floor of an interface; a portgroup of its network can "
            "have one");
    if (!any[0] && !any[1] && !value_get (args, "inbound_floor"))
        return error_set (err, ERR_INVALID_ARG, "the request names nothing that is to be set");
    for (size_t i = 0; i < WAYS; i++)
        if (any[i])
            write_way (interface, ways[i], values[i]);
    if (xml_find (interface, "bandwidth") && !xml_first (xml_find (interface, "bandwidth"), NULL))
        xml_remove_path (interface, "bandwidth");
    return 0;
}

//  The guest.

//  "net0 0 0 0 0 0 0"
static char *text_of (const char *alias, const xml_node_t *interface)
{
    auto(text_t) text = text_new ();
    text_add (text, alias);
    for (size_t i = 0; i < WAYS * RATES; i++)
        text_addf (text, " %" PRIu64, rate_of (interface, ways[i / RATES], rates[i % RATES]));
    return text_finish (&text);
}

static int apply (job_t *job, const char *text, error_t *err)
{
    link_bandwidth_t set = { 0 };
    char alias[ALIAS_MAX + 1];
    link_rate_t *in = &set.inbound, *out = &set.outbound;
    if (sscanf (text, "%48s %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64,
                alias, &in->average_kb, &in->peak_kb, &in->burst_kib, &out->average_kb,
                &out->peak_kb, &out->burst_kib) != 7)
        return error_set (err, ERR_INVALID_ARG, "undo bandwidth '%s': not ALIAS and six rates",
                          text);
    bool any = in->average_kb || out->average_kb;
    return job_link_bandwidth (job, alias, any ? &set : NULL, err);
}

int interface_undo_bandwidth (job_t *job, const char *argument, error_t *err)
{
    return apply (job, argument, err);
}

static int follow (job_t *job, const xml_node_t *interface, const xml_node_t *old, error_t *err)
{
    const char *alias = interface_alias (interface);
    autofree char *was = text_of (alias, old), *is = text_of (alias, interface);
    if (strcmp (was, is) == 0)
        return 0;
    if (!interface_link (job->guest->record, interface))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: the bandwidth of the interface '%s' of type '%s', which "
                          "has no link of its own on this host",
                          alias, xml_string (interface, "@type"));
    return job_undo (job, "bandwidth", was, err) || job_record (job, err) || apply (job, is, err)
               ? -1
               : 0;
}

int interface_tune (job_t *job, const xml_node_t *before, error_t *err)
{
    error_t ignored;
    xml_foreach (interface, xml_find (xml_root (job->guest->live), "devices"), "interface") {
        const char *mac = xml_string (interface, "mac/@address");
        const xml_node_t *old = mac ? interface_named (before, mac, &ignored) : NULL;
        if (old && follow (job, interface, old, err))
            return -1;
    }
    return 0;
}
