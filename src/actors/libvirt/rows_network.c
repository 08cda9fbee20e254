//  rows_network.c: virtual networks, their leases and ports. They are the host's: every connection
//  sees them.

#include "actors/libvirt/rpc_self.h"

#include "util/uuid.h"
#include "util/xml.h"

#include <string.h>
#include <sys/random.h>

//  Lists.

//  Of virConnectListAllNetworksFlags: both or none is all.
static int prepare_list (rpc_call_t *call, pack_t *args, error_t *err)
{
    (void) err;
    enum {
        INACTIVE = 1,
        ACTIVE = 2
    };
    uint64_t which = value_get_u64 (call->args, "flags", 0) & (INACTIVE | ACTIVE);
    if (which != ACTIVE)
        pack_key_bool (args, which == INACTIVE ? "inactive" : "all", true);
    return 0;
}

static int prepare_inactive (rpc_call_t *call, pack_t *args, error_t *err)
{
    (void) call, (void) err;
    pack_key_bool (args, "inactive", true);
    return 0;
}

//  One network.

//  Whatever the text is, what has not that name is not there: no error about the text.
static int answer_by_name (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result;
    const char *name = value_get_str (call->args, "name");
    const network_view_t *network;
    for (size_t i = 0; (network = networks_at (call->gateway->view.networks, i)); i++)
        if (text_equals (network->name, name)) {
            pack_key_map (ret, "net");
            pack_key_str (ret, "name", network->name);
            pack_key_str (ret, "uuid", network->uuid);
            pack_end (ret);
            return 0;
        }
    return error_set (err, ERR_NO_NETWORK, "Network not found: no network with matching name '%s'",
                      name);
}

static int answer_bridge (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) call;
    const char *bridge = value_get_str (result, "bridge");
    if (!bridge || !*bridge)
        return error_set (err, ERR_INTERNAL_ERROR, "network '%s' does not have a bridge name",
                          value_get_str (result, "name"));
    pack_key_str (ret, "name", bridge);
    return 0;
}

static int prepare_update (rpc_call_t *call, pack_t *args, error_t *err)
{
    static const char *const commands[] = { NULL, "modify", "delete", "add-last", "add-first" };
    static const char *const sections[] = {
        NULL,           "bridge",        "domain",   "ip",
        "ip-dhcp-host", "ip-dhcp-range", "forward",  "forward-interface",
        "forward-pf",   "portgroup",     "dns-host", "dns-txt",
        "dns-srv"
    };
    //  Clients that do not ask for the feature are older: the two are the other way round in
    //  theirs.
    bool in_order = call->client->new_order;
    uint64_t command = value_get_u64 (call->args, in_order ? "command" : "section", 0);
    uint64_t section = value_get_u64 (call->args, in_order ? "section" : "command", 0);
    if (command >= sizeof commands / sizeof *commands || !commands[command])
        return error_set (err, ERR_INVALID_ARG, "NETWORK_UPDATE: there is no command %llu",
                          (unsigned long long) command);
    if (section >= sizeof sections / sizeof *sections || !sections[section])
        return error_set (err, ERR_INVALID_ARG, "NETWORK_UPDATE: there is no section %llu",
                          (unsigned long long) section);
    pack_key_str (args, "command", commands[command]);
    pack_key_str (args, "section", sections[section]);
    int64_t index = value_get_i64 (call->args, "parentIndex", -1);
    if (index >= 0)
        pack_key_i64 (args, "index", index);
    return 0;
}

//  Leases.

static void pack_optional (pack_t *pack, const char *key, const char *text)
{
    pack_key_str (pack, key, text && *text ? text : NULL);
}

static void pack_lease (const value_t *lease, const char *bridge, pack_t *ret)
{
    pack_map (ret);
    pack_key_str (ret, "iface", bridge ? bridge : "");
    pack_key_i64 (ret, "expirytime", value_get_i64 (lease, "expiry", 0));
    pack_key_i64 (ret, "type", value_get_bool (lease, "ipv6", false)); //  virIPAddrType
    pack_optional (ret, "mac", value_get_str (lease, "mac"));
    pack_optional (ret, "iaid", value_get_str (lease, "iaid"));
    pack_key_str (ret, "ipaddr", value_get_str (lease, "address"));
    pack_key_u64 (ret, "prefix", value_get_u64 (lease, "prefix", 0));
    pack_optional (ret, "hostname", value_get_str (lease, "hostname"));
    pack_optional (ret, "clientid", value_get_str (lease, "client"));
    pack_end (ret);
}

static int answer_leases (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    const char *uuid = rpc_network_of (call->args);
    const network_view_t *network =
        networks_resolve (call->gateway->view.networks, "network.leases", uuid, err);
    if (!network)
        return -1;
    const char *bridge = value_get_str (document_root (network->facts), "bridge");
    bool wanted = value_get_i64 (call->args, "need_results", 0) != 0;
    pack_key_array (ret, "leases");
    for (size_t i = 0; wanted && i < value_count (result); i++)
        pack_lease (value_at (result, i), bridge, ret);
    pack_end (ret);
    pack_key_u64 (ret, "ret", value_count (result));
    return 0;
}

//  Ports. Guests' interfaces have them made by themselves.

//  A uuid that the document has, in the form that we use, or a new one.
static int choose_port (const xml_node_t *port, char uuid[UUID_TEXT_SIZE], error_t *err)
{
    uint8_t random[16];
    const char *given = xml_string (port, "uuid");
    if (given && !uuid_normalize (given, uuid))
        return error_set (err, ERR_XML_ERROR, "port XML: the uuid '%s' is none", given);
    if (!given && getrandom (random, sizeof random, GRND_NONBLOCK) != (ssize_t) sizeof random)
        return error_errno (err, ERR_SYSTEM_ERROR, "get random numbers");
    if (!given)
        uuid_from_random (random, uuid);
    return 0;
}

//  One that there is already is granted again, which who asks has to want.
static int check_port (const rpc_call_t *call, const char *uuid, error_t *err)
{
    enum {
        RECLAIM = 1 //  virNetworkPortCreateFlags
    };
    pack_t args;
    error_t none = { 0 };
    if (value_get_u64 (call->args, "flags", 0) & RECLAIM)
        return 0;
    pack_init (&args);
    pack_map (&args);
    pack_key_str (&args, "network", rpc_network_of (call->args));
    pack_key_str (&args, "port", uuid);
    pack_end (&args);
    auto(document_t) found = rpc_query (call, "network.port_xml", &args, &none);
    pack_close (&args);
    return found ? error_set (err, ERR_NETWORK_PORT_EXIST,
                              "the network has a port '%s' already; give another uuid, or reclaim "
                              "it",
                              uuid)
                 : 0;
}

//  A <networkport> (https://libvirt.org/formatnetworkport.html). <plug> is the network's to say.
static int check_port_elements (const xml_node_t *port, error_t *err)
{
    static const char *const known[] = { "uuid", "owner", "mac", "group", "plug" };
    if (!xml_is (port, "networkport"))
        return error_set (err, ERR_XML_ERROR,
                          "port XML: the root element is <%s>; it has to be <networkport>",
                          xml_name (port));
    xml_foreach (child, port, NULL) {
        size_t i = 0;
        while (i < sizeof known / sizeof *known && !xml_is (child, known[i]))
            i++;
        if (i == sizeof known / sizeof *known)
            return error_set (err, ERR_CONFIG_UNSUPPORTED,
                              "port XML: not supported: the element <%s>", xml_name (child));
    }
    return 0;
}

static int prepare_port (rpc_call_t *call, pack_t *args, error_t *err)
{
    static const char *const parts[][2] = { { "owner/uuid", "domain" },
                                            { "owner/name", "domain_name" },
                                            { "mac/@address", "mac" },
                                            { "group", "portgroup" } };
    const char *text = value_get_str (call->args, "xml");
    char uuid[UUID_TEXT_SIZE];
    auto(xml_t) doc = xml_parse (text, strlen (text), "port XML", err);
    if (!doc)
        return -1;
    const xml_node_t *port = xml_root (doc);
    if (check_port_elements (port, err) || choose_port (port, uuid, err) ||
        check_port (call, uuid, err))
        return -1;
    pack_key_str (args, "port", uuid);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (xml_string (port, parts[i][0]))
            pack_key_str (args, parts[i][1], xml_string (port, parts[i][0]));
    return 0;
}

static void pack_port (const rpc_call_t *call, const char *path, const char *uuid, pack_t *ret)
{
    pack_map (ret);
    pack_key_value (ret, "net", rpc_field (call->args, path));
    pack_key_str (ret, "uuid", uuid);
    pack_end (ret);
}

static int answer_ports (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) err;
    bool wanted = value_get_i64 (call->args, "need_results", 0) != 0;
    pack_key_array (ret, "ports");
    for (size_t i = 0; wanted && i < value_count (result); i++)
        pack_port (call, "network",
                   value_get_str (value_get (value_at (result, i), "plug"), "port"), ret);
    pack_end (ret);
    pack_key_u64 (ret, "ret", value_count (result));
    return 0;
}

static int answer_port (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result, (void) err;
    pack_key (ret, "port");
    pack_port (call, "network", value_get_str (call->args, "uuid"), ret);
    return 0;
}

static int answer_port_made (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) err;
    pack_key (ret, "port");
    pack_port (call, "network", value_get_str (result, "port"), ret);
    return 0;
}

const rpc_row_t rpc_rows_network[] = {
    { "CONNECT_NUM_OF_NETWORKS", .verb = "network.list", .answer = rpc_answer_list },
    { "CONNECT_LIST_NETWORKS", .verb = "network.list", .answer = rpc_answer_list },
    { "CONNECT_NUM_OF_DEFINED_NETWORKS", .verb = "network.list", .prepare = prepare_inactive,
      .answer = rpc_answer_list },
    { "CONNECT_LIST_DEFINED_NETWORKS", .verb = "network.list", .prepare = prepare_inactive,
      .answer = rpc_answer_list },
    { "CONNECT_LIST_ALL_NETWORKS", .verb = "network.list",
      .flags = FLAGS ({ 1 | 2, NULL }, { 4, "persistent" }, { 8, "transient" }, { 16, "autostart" },
                      { 32, "no_autostart" }),
      .prepare = prepare_list, .answer = rpc_answer_list },
    { "NETWORK_LOOKUP_BY_NAME", .answer = answer_by_name },
    { "NETWORK_LOOKUP_BY_UUID", .verb = "network.info", .args = "network=uuid", .ret = "net" },
    { "NETWORK_IS_ACTIVE", .verb = "network.info", .ret = "active" },
    { "NETWORK_IS_PERSISTENT", .verb = "network.info", .ret = "persistent" },
    { "NETWORK_GET_AUTOSTART", .verb = "network.info", .ret = "autostart" },
    { "NETWORK_SET_AUTOSTART", .verb = "network.autostart", .args = "disable=!autostart" },
    { "NETWORK_GET_BRIDGE_NAME", .verb = "network.info", .answer = answer_bridge },
    { "NETWORK_GET_XML_DESC", .verb = "network.xml", .flags = FLAGS ({ 1, "inactive" }),
      .ret = "xml" },
    { "NETWORK_DEFINE_XML", .verb = "network.define", .args = "xml", .ret = "net" },
    { "NETWORK_DEFINE_XML_FLAGS", .verb = "network.define", .args = "xml",
      .flags = FLAGS ({ 1, NULL }), .ret = "net" },
    { "NETWORK_CREATE_XML", .verb = "network.create_xml", .args = "xml", .ret = "net" },
    { "NETWORK_CREATE_XML_FLAGS", .verb = "network.create_xml", .args = "xml",
      .flags = FLAGS ({ 1, NULL }), .ret = "net" },
    { "NETWORK_CREATE", .verb = "network.create" },
    { "NETWORK_DESTROY", .verb = "network.destroy" },
    { "NETWORK_UNDEFINE", .verb = "network.undefine" },
    { "NETWORK_UPDATE", .verb = "network.update", .args = "xml",
      .flags = FLAGS ({ 1, "live" }, { 2, "config" }), .prepare = prepare_update },
    { "NETWORK_GET_DHCP_LEASES", .verb = "network.leases", .args = "mac", .answer = answer_leases },
    { "NETWORK_LIST_ALL_PORTS", .verb = "network.ports", .answer = answer_ports },
    { "NETWORK_PORT_LOOKUP_BY_UUID", .verb = "network.port_xml", .args = "port=uuid",
      .answer = answer_port },
    { "NETWORK_PORT_GET_XML_DESC", .verb = "network.port_xml", .args = "port=port.uuid",
      .ret = "xml" },
    //  2 (validate): an element that is not known is refused in any case.
    { "NETWORK_PORT_CREATE_XML", .verb = "network.port_create", .flags = FLAGS ({ 1 | 2, NULL }),
      .prepare = prepare_port, .answer = answer_port_made },
    { "NETWORK_PORT_DELETE", .verb = "network.port_delete", .args = "port=port.uuid" },
    { 0 },
};
