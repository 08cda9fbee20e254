//  queries_networks.c: see queries_networks.h.

#include "actors/gateway/queries_networks.h"

#include "actors/domain/status_text.h"
#include "util/text.h"

#include <string.h>
#include <strings.h>

typedef int (network_answer_fn) (const query_t *self, const network_view_t *network, pack_t *result,
                                 error_t *err);

static const value_t *facts_of (const network_view_t *network)
{
    return document_root (network->facts);
}

static bool fact (const network_view_t *network, const char *key)
{
    return value_get_bool (facts_of (network), key, false);
}

static bool flag (const query_t *self, const char *name)
{
    return value_get_bool (self->args, name, false);
}

static const char *title_of (const network_view_t *network)
{
    const value_t *metadata = value_get (facts_of (network), "metadata");
    return value_get_str (value_get (metadata, fact (network, "active") ? "live" : "config"),
                          "title");
}

static void pack_facts (pack_t *pack, const network_view_t *network)
{
    pack_map (pack);
    pack_key_str (pack, "uuid", network->uuid);
    pack_key_str (pack, "name", network->name);
    pack_key_bool (pack, "active", fact (network, "active"));
    pack_key_bool (pack, "persistent", fact (network, "persistent"));
    pack_key_bool (pack, "autostart", fact (network, "autostart"));
    pack_key_str (pack, "bridge", value_get_str (facts_of (network), "bridge"));
    pack_key_str (pack, "title", title_of (network));
    pack_end (pack);
}

//  Lists.

//  A group of two: YES and NO ask for networks that are something, or that are not.
static bool matches (const query_t *self, const char *yes, const char *no, bool is)
{
    return flag (self, yes) == flag (self, no) || flag (self, yes) == is;
}

static bool is_listed (const query_t *self, const network_view_t *network)
{
    bool active = fact (network, "active");
    bool shown = flag (self, "all") || active != flag (self, "inactive");
    return shown && matches (self, "persistent", "transient", fact (network, "persistent")) &&
           matches (self, "autostart", "no_autostart", fact (network, "autostart"));
}

static int answer_list (const query_t *self, const network_view_t *none, pack_t *result,
                        error_t *err)
{
    (void) none, (void) err;
    const network_view_t *network;
    pack_array (result);
    for (size_t i = 0; (network = networks_at (self->networks, i)); i++)
        if (is_listed (self, network))
            pack_facts (result, network);
    pack_end (result);
    return 0;
}

//  One network.

static int answer_info (const query_t *self, const network_view_t *network, pack_t *result,
                        error_t *err)
{
    (void) self, (void) err;
    pack_facts (result, network);
    return 0;
}

static int answer_xml (const query_t *self, const network_view_t *network, pack_t *result,
                       error_t *err)
{
    (void) err;
    const char *key = flag (self, "inactive") ? "xml_inactive" : "xml";
    pack_map (result);
    pack_key_str (result, "xml", value_get_str (facts_of (network), key));
    pack_end (result);
    return 0;
}

static int answer_metadata (const query_t *self, const network_view_t *network, pack_t *result,
                            error_t *err)
{
    const char *type = value_get_str (self->args, "type"), *uri = value_get_str (self->args, "uri");
    bool element = text_equals (type, "element");
    bool config = flag (self, "config") || !fact (network, "active");
    const value_t *metadata =
        value_get (value_get (facts_of (network), "metadata"), config ? "config" : "live");
    if (element != (uri != NULL))
        return error_set (err, ERR_INVALID_ARG, "%s: argument 'uri' goes with type 'element', %s",
                          self->verb->name, element ? "and is missing" : "and with no other");
    const char *text = element ? value_get_str (value_get (metadata, "elements"), uri)
                               : value_get_str (metadata, type);
    if (!text)
        return error_set (err, ERR_NO_NETWORK_METADATA, "%s: network '%s' has no %s%s",
                          self->verb->name, network->name, element ? "metadata element of " : type,
                          element ? uri : "");
    pack_map (result);
    pack_key_str (result, "metadata", text);
    pack_end (result);
    return 0;
}

//  Leases, without those that are over.

static bool lasts (const query_t *self, const value_t *lease)
{
    uint64_t expiry = value_get_u64 (lease, "expiry", 0);
    return expiry == 0 || expiry > (uint64_t) self->now_us / 1000000;
}

static void pack_lease (pack_t *result, const network_view_t *network, const value_t *lease)
{
    pack_map (result);
    for (size_t i = 0; i < value_count (lease); i++)
        pack_key_value (result, value_key_at (lease, i), value_val_at (lease, i));
    pack_key_u64 (result, "prefix", networks_prefix (network, value_get_str (lease, "address")));
    pack_end (result);
}

static int answer_leases (const query_t *self, const network_view_t *network, pack_t *result,
                          error_t *err)
{
    (void) err;
    const char *mac = value_get_str (self->args, "mac");
    const value_t *leases = value_get (facts_of (network), "leases");
    pack_array (result);
    for (size_t i = 0; i < value_count (leases); i++) {
        const value_t *lease = value_at (leases, i);
        const char *has = value_get_str (lease, "mac");
        if (lasts (self, lease) && (!mac || (has && strcasecmp (has, mac) == 0)))
            pack_lease (result, network, lease);
    }
    pack_end (result);
    return 0;
}

//  Ports.

static const char *port_key (const value_t *port)
{
    return value_get_str (value_get (port, "plug"), "port");
}

static int answer_ports (const query_t *self, const network_view_t *network, pack_t *result,
                         error_t *err)
{
    (void) self, (void) err;
    const value_t *ports = value_get (facts_of (network), "ports");
    pack_value (result, ports);
    return 0;
}

static void add_element (text_t *text, const char *indent, const char *name, const char *value)
{
    auto(text_t) safe = text_new ();
    status_add_attribute (safe, "x", value);
    //  Between the quotes of ' x="..."'.
    text_addf (text, "%s<%s>%.*s</%s>\n", indent, name, (int) safe->size - 5, safe->data + 4, name);
}

static void add_virtualport (text_t *text, const value_t *plug)
{
    const char *type = value_get_str (plug, "virtualport");
    const char *profile = value_get_str (plug, "profile");
    if (!type)
        return;
    text_add (text, "  <virtualport");
    status_add_attribute (text, "type", type);
    text_add (text, ">\n    <parameters");
    if (profile)
        status_add_attribute (text, "profileid", profile);
    text_add (text, "/>\n  </virtualport>\n");
}

//  As libvirt documents a <networkport> (https://libvirt.org/formatnetworkport.html).
static char *port_xml (const value_t *port)
{
    const value_t *plug = value_get (port, "plug");
    const char *kind = value_get_str (plug, "kind"), *group = value_get_str (port, "portgroup");
    const char *mac = value_get_str (port, "mac");
    bool bridge = text_equals (kind, "bridge"), hostdev = text_equals (kind, "hostdev");
    auto(text_t) text = text_new ();
    text_add (text, "<networkport>\n");
    add_element (text, "  ", "uuid", port_key (port));
    text_add (text, "  <owner>\n");
    add_element (text, "    ", "name", value_get_str (port, "domain_name"));
    add_element (text, "    ", "uuid", value_get_str (port, "domain"));
    text_add (text, "  </owner>\n");
    if (mac && *mac) {
        text_add (text, "  <mac");
        status_add_attribute (text, "address", mac);
        text_add (text, "/>\n");
    }
    if (group && *group)
        add_element (text, "  ", "group", group);
    add_virtualport (text, plug);
    text_addf (text, "  <plug type='%s'", bridge ? "network" : hostdev ? "hostdev-pci" : "direct");
    status_add_attribute (text, bridge ? "bridge" : "dev",
                          value_get_str (plug, bridge ? "bridge" : "device"));
    if (!bridge && !hostdev)
        status_add_attribute (text, "mode", value_get_str (plug, "mode"));
    text_add (text, "/>\n</networkport>\n");
    return text_finish (&text);
}

static int answer_port_xml (const query_t *self, const network_view_t *network, pack_t *result,
                            error_t *err)
{
    const char *key = value_get_str (self->args, "port");
    const value_t *ports = value_get (facts_of (network), "ports");
    for (size_t i = 0; i < value_count (ports); i++)
        if (text_equals (port_key (value_at (ports, i)), key)) {
            autofree char *xml = port_xml (value_at (ports, i));
            pack_map (result);
            pack_key_str (result, "xml", xml);
            pack_end (result);
            return 0;
        }
    return error_set (err, ERR_NO_NETWORK_PORT,
                      "%s: network '%s' has no port '%s'; 'troupe net-port-list' shows them",
                      self->verb->name, network->name, key);
}

//  The table.

static const struct {
    const char *verb;
    network_answer_fn *answer;
} answers[] = {
    { "network.list", answer_list },         { "network.info", answer_info },
    { "network.xml", answer_xml },           { "network.metadata_get", answer_metadata },
    { "network.leases", answer_leases },     { "network.ports", answer_ports },
    { "network.port_xml", answer_port_xml },
};

static network_answer_fn *find_answer (const verb_t *verb)
{
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        if (text_equals (answers[i].verb, verb->name))
            return answers[i].answer;
    return NULL;
}

bool network_query_known (const verb_t *verb)
{
    return find_answer (verb) != NULL;
}

int network_query_answer (const query_t *self, pack_t *result, error_t *err)
{
    const char *named = value_get_str (self->args, "network");
    const network_view_t *network = NULL;
    if (named && !(network = networks_resolve (self->networks, self->verb->name, named, err)))
        return -1;
    return find_answer (self->verb) (self, network, result, err);
}
