//  rows_interface.c: network interfaces of the host, which can be read only.

#include "actors/libvirt/rpc_self.h"

#include <strings.h>

enum {
    INACTIVE = 1, //  virConnectListAllInterfacesFlags
    ACTIVE = 2
};

static bool is_up (const value_t *interface)
{
    return value_get_bool (interface, "up", false);
}

static bool is_active (const rpc_call_t *call, const value_t *interface)
{
    (void) call;
    return is_up (interface);
}

static bool is_inactive (const rpc_call_t *call, const value_t *interface)
{
    (void) call;
    return !is_up (interface);
}

//  Both or none is all.
static bool is_wanted (const rpc_call_t *call, const value_t *interface)
{
    uint64_t which = value_get_u64 (call->args, "flags", 0) & (INACTIVE | ACTIVE);
    return which == 0 || (which & (is_up (interface) ? ACTIVE : INACTIVE));
}

static int answer_active (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    return rpc_answer_some (call, result, is_active, ret, err);
}

static int answer_inactive (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    return rpc_answer_some (call, result, is_inactive, ret, err);
}

static int answer_all (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    return rpc_answer_some (call, result, is_wanted, ret, err);
}

//  One of them.

static const value_t *find (const value_t *list, const char *key, const char *value, size_t *count)
{
    const value_t *found = NULL;
    *count = 0;
    for (size_t i = 0; i < value_count (list); i++) {
        const char *has = value_get_str (value_at (list, i), key);
        if (has && strcasecmp (has, value) == 0 && (*count)++ == 0)
            found = value_at (list, i);
    }
    return found;
}

static void pack_interface (pack_t *ret, const value_t *interface)
{
    pack_key_map (ret, "iface");
    pack_key_str (ret, "name", value_get_str (interface, "name"));
    pack_key_str (ret, "mac", value_get_str (interface, "mac"));
    pack_end (ret);
}

static int answer_by_name (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    size_t count;
    const char *name = value_get_str (call->args, "name");
    const value_t *found = find (result, "name", name, &count);
    if (!found)
        return error_set (err, ERR_NO_INTERFACE, "the host has no network interface '%s'", name);
    pack_interface (ret, found);
    return 0;
}

static int answer_by_mac (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    size_t count;
    const char *mac = value_get_str (call->args, "mac");
    const value_t *found = find (result, "mac", mac, &count);
    if (!found)
        return error_set (err, ERR_NO_INTERFACE,
                          "the host has no network interface with the MAC address '%s'", mac);
    if (count > 1)
        return error_set (err, ERR_MULTIPLE_INTERFACES,
                          "%zu network interfaces of the host have the MAC address '%s'", count,
                          mac);
    pack_interface (ret, found);
    return 0;
}

static int answer_is_active (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    size_t count;
    const char *name = value_str (rpc_field (call->args, "iface.name"));
    const value_t *found = find (result, "name", name, &count);
    if (!found)
        return error_set (err, ERR_NO_INTERFACE, "the host has no network interface '%s'", name);
    pack_key_bool (ret, "active", is_up (found));
    return 0;
}

const rpc_row_t rpc_rows_interface[] = {
    { "CONNECT_NUM_OF_INTERFACES", .verb = "interface.list", .answer = answer_active },
    { "CONNECT_LIST_INTERFACES", .verb = "interface.list", .answer = answer_active },
    { "CONNECT_NUM_OF_DEFINED_INTERFACES", .verb = "interface.list", .answer = answer_inactive },
    { "CONNECT_LIST_DEFINED_INTERFACES", .verb = "interface.list", .answer = answer_inactive },
    { "CONNECT_LIST_ALL_INTERFACES", .verb = "interface.list",
      .flags = FLAGS ({ INACTIVE | ACTIVE, NULL }), .answer = answer_all },
    { "INTERFACE_LOOKUP_BY_NAME", .verb = "interface.list", .answer = answer_by_name },
    { "INTERFACE_LOOKUP_BY_MAC_STRING", .verb = "interface.list", .answer = answer_by_mac },
    { "INTERFACE_IS_ACTIVE", .verb = "interface.list", .answer = answer_is_active },
    //  1 (inactive): what it would be configured as is not known here, only how it is.
    { "INTERFACE_GET_XML_DESC", .verb = "interface.xml", .args = "interface=iface.name",
      .flags = FLAGS ({ 1, NULL }), .ret = "xml" },
    { 0 },
};
