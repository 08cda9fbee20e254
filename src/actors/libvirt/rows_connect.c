//  rows_connect.c: the connection itself, and the host.

#include "actors/libvirt/rpc_self.h"
#include "drivers/driver.h"
#include "util/xml.h"

#include <string.h>

enum {
    OPEN_READ_ONLY = 1, //  of CONNECT_OPEN; its other bits are the client's own notes
    AUTH_NONE = 0
};

//  Drivers' features (what clients ask for before they use it).
enum {
    FEATURE_MIGRATION_P2P = 4,
    FEATURE_MIGRATION_V3 = 6,
    FEATURE_CHANGE_PROTECTION = 7, //  a migration keeps its domain from the first phase on
    FEATURE_FD_PASSING = 8,
    FEATURE_TYPED_PARAM_STRING = 9,
    FEATURE_KEEPALIVE = 10,
    FEATURE_XML_MIGRATABLE = 11,
    FEATURE_MIGRATION_OFFLINE = 12,
    FEATURE_MIGRATION_PARAMS = 13,
    FEATURE_EVENT_CALLBACK = 14,
    FEATURE_CLOSE_CALLBACK = 15,
    FEATURE_UPDATE_ORDER = 16 //  NETWORK_UPDATE's arguments in the order of their names
};

static const int features[] = { FEATURE_MIGRATION_P2P,     FEATURE_MIGRATION_V3,
                                FEATURE_CHANGE_PROTECTION, FEATURE_TYPED_PARAM_STRING,
                                FEATURE_FD_PASSING,        FEATURE_KEEPALIVE,
                                FEATURE_XML_MIGRATABLE,    FEATURE_MIGRATION_OFFLINE,
                                FEATURE_MIGRATION_PARAMS,  FEATURE_EVENT_CALLBACK,
                                FEATURE_CLOSE_CALLBACK,    FEATURE_UPDATE_ORDER };

//  Authentication: the kernel has said who it is.

static int answer_auth (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result, (void) err;
    call->client->known = true;
    pack_key_array (ret, "types");
    pack_i64 (ret, AUTH_NONE);
    pack_end (ret);
    return 0;
}

static int answer_other_auth (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result, (void) ret;
    return error_set (err, ERR_AUTH_FAILED,
                      "%s: not supported: whoever may open the socket needs no authentication",
                      call->entry->procedure->name);
}

//  Opening and closing.

typedef struct {
    const char *name;   //  without the query behind it
    const char *driver; //  whose domains it shows
} uri_t;

static const uri_t uris[] = {
    { "qemu:///system", "qemu" }, { "qemu:///session", "qemu" }, { "lxc:///system", "lxc" },
    { "lxc:///", "lxc" },         { "test:///default", "test" },
};

//  Without a name: what most come for.
static const uri_t *find_uri (const rpc_gateway_t *gateway, const char *name)
{
    if (!name || !*name)
        return &uris[gateway->config->paths->mode == PATHS_SESSION];
    size_t size = strcspn (name, "?#");
    for (size_t i = 0; i < sizeof uris / sizeof *uris; i++)
        if (strlen (uris[i].name) == size && strncmp (uris[i].name, name, size) == 0)
            return &uris[i];
    return NULL;
}

static int answer_open (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result, (void) ret;
    rpc_client_t *client = call->client;
    const char *name = value_get_str (call->args, "name");
    const uri_t *uri = find_uri (call->gateway, name);
    if (client->driver)
        return error_set (err, ERR_INVALID_CONN, "open '%s': the connection is open already: '%s'",
                          name ? name : "", client->uri);
    if (!uri)
        return error_set (err, ERR_NO_CONNECT,
                          "open '%s': there are qemu:///system, qemu:///session, lxc:///system and "
                          "test:///default here",
                          name ? name : "");
    client->uri = uri->name;
    client->driver = uri->driver;
    if (value_get_u64 (call->args, "flags", 0) & OPEN_READ_ONLY) {
        client->read_only = true;
        client->role = ACCESS_READ;
    }
    return 0;
}

static int answer_close (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result, (void) ret, (void) err;
    call->client->closing = true;
    return 0;
}

static int answer_feature (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result;
    int64_t feature = value_get_i64 (call->args, "feature", 0);
    if (feature == FEATURE_KEEPALIVE)
        call->client->keepalive = true;
    else if (!call->client->driver)
        return error_set (
            err, ERR_INVALID_CONN,
            "CONNECT_SUPPORTS_FEATURE: no connection is open: call CONNECT_OPEN first");
    else if (feature == FEATURE_UPDATE_ORDER)
        call->client->new_order = true;
    bool supported = false;
    for (size_t i = 0; i < sizeof features / sizeof *features; i++)
        supported = supported || features[i] == feature;
    pack_key_bool (ret, "supported", supported);
    return 0;
}

//  About it.

static int answer_type (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result, (void) err;
    static const char *const types[][2] = { { "qemu", "QEMU" },
                                            { "lxc", "LXC" },
                                            { "test", "TEST" } };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (text_equals (types[i][0], call->client->driver))
            pack_key_str (ret, "type", types[i][1]);
    return 0;
}

static int answer_uri (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result, (void) err;
    pack_key_str (ret, "uri", call->client->uri);
    return 0;
}

static bool is_guest_of (const xml_node_t *guest, const char *driver)
{
    const driver_t *its = driver_for_type (xml_string (guest, "arch/domain/@type"));
    return its && text_equals (its->name, driver);
}

//  What clients find there they define: only what this connection takes.
static int answer_capabilities (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    const char *text = value_get_str (result, "xml");
    auto(xml_t) doc = xml_parse_own (text, strlen (text), "capabilities", err);
    if (!doc)
        return -1;
    xml_node_t *guest = xml_first (xml_root (doc), "guest");
    while (guest) {
        xml_node_t *next = xml_next (guest, "guest");
        if (!is_guest_of (guest, call->client->driver))
            xml_remove (guest);
        guest = next;
    }
    autofree char *own = xml_text (doc);
    pack_key_str (ret, "capabilities", own);
    return 0;
}

static int answer_lib_version (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) call, (void) result, (void) err;
    pack_key_u64 (ret, "lib_ver", RPC_LIBVIRT_VERSION);
    return 0;
}

//  A local socket.
static int answer_secure (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) call, (void) result, (void) err;
    pack_key_bool (ret, "secure", true);
    return 0;
}

//  There is none.
static int answer_security_model (rpc_call_t *call, const value_t *result, pack_t *ret,
                                  error_t *err)
{
    (void) call, (void) result, (void) err;
    pack_key_str (ret, "model", "");
    pack_key_str (ret, "doi", "");
    return 0;
}

//  Lists of domains.

void rpc_read_filter (uint64_t flags, domain_filter_t *filter)
{
    bool *const bits[] = {
        &filter->active,
        &filter->inactive,
        &filter->persistent,
        &filter->transient,
        &filter->running,
        &filter->paused,
        &filter->shutoff,
        &filter->other,
        &filter->with_managed_save,
        &filter->without_managed_save,
        &filter->autostart,
        &filter->no_autostart,
        &filter->with_snapshot,
        &filter->without_snapshot,
        &filter->with_checkpoint,
        &filter->without_checkpoint,
    };
    *filter = (domain_filter_t){ 0 };
    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++)
        *bits[i] = flags & (uint64_t) 1 << i;
}

//  The next domain from *INDEX on that the client sees and FILTER asks for.
static const snapshot_t *next_domain (const rpc_call_t *call, const domain_filter_t *filter,
                                      size_t *index)
{
    const snapshot_t *domain;
    while ((domain = snapshots_at (call->gateway->view.snapshots, (*index)++)))
        if (rpc_sees (call->client, domain) && domain_filter_matches (filter, domain))
            return domain;
    return NULL;
}

static int answer_list_all (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result, (void) err;
    uint64_t count = 0;
    domain_filter_t filter;
    rpc_read_filter (value_get_u64 (call->args, "flags", 0), &filter);
    bool wanted = value_get_i64 (call->args, "need_results", 0) != 0;
    const snapshot_t *domain;
    pack_key_array (ret, "domains");
    for (size_t i = 0; (domain = next_domain (call, &filter, &i)); count++)
        if (wanted)
            rpc_pack_domain (ret, NULL, domain->name, domain->uuid, domain->id);
    pack_end (ret);
    pack_key_u64 (ret, "ret", count);
    return 0;
}

//  The first virConnectListAllDomainsFlags.
enum {
    ACTIVE = 1,
    INACTIVE = 2
};

static int answer_count (rpc_call_t *call, pack_t *ret, uint64_t flags)
{
    int64_t count = 0;
    domain_filter_t filter;
    rpc_read_filter (flags, &filter);
    for (size_t i = 0; next_domain (call, &filter, &i); count++)
        ;
    pack_key_i64 (ret, "num", count);
    return 0;
}

static int answer_active_count (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result, (void) err;
    return answer_count (call, ret, ACTIVE);
}

static int answer_inactive_count (rpc_call_t *call, const value_t *result, pack_t *ret,
                                  error_t *err)
{
    (void) result, (void) err;
    return answer_count (call, ret, INACTIVE);
}

static int answer_ids (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result, (void) err;
    const snapshot_t *domain;
    int64_t left = value_get_i64 (call->args, "maxids", 0);
    pack_key_array (ret, "ids");
    for (size_t i = 0;
         left > 0 && (domain = next_domain (call, &(domain_filter_t){ .active = true }, &i));
         left--)
        pack_i64 (ret, domain->id);
    pack_end (ret);
    return 0;
}

static int answer_names (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result, (void) err;
    const snapshot_t *domain;
    int64_t left = value_get_i64 (call->args, "maxnames", 0);
    pack_key_array (ret, "names");
    for (size_t i = 0;
         left > 0 && (domain = next_domain (call, &(domain_filter_t){ .inactive = true }, &i));
         left--)
        pack_str (ret, domain->name);
    pack_end (ret);
    return 0;
}

#define LIST_FLAGS FLAGS ({ 0xffff, NULL }) //  all sixteen are filters, read above

const rpc_row_t rpc_rows_connect[] = {
    { "AUTH_LIST", .answer = answer_auth },
    { "AUTH_SASL_INIT", .answer = answer_other_auth },
    { "AUTH_SASL_START", .answer = answer_other_auth },
    { "AUTH_SASL_STEP", .answer = answer_other_auth },
    { "AUTH_POLKIT", .answer = answer_other_auth },
    { "CONNECT_OPEN", .answer = answer_open, .flags = FLAGS ({ 0xffffffff, NULL }) },
    { "CONNECT_CLOSE", .answer = answer_close },
    { "CONNECT_SUPPORTS_FEATURE", .answer = answer_feature },
    { "CONNECT_GET_TYPE", .answer = answer_type },
    { "CONNECT_GET_URI", .answer = answer_uri },
    { "CONNECT_GET_LIB_VERSION", .answer = answer_lib_version },
    { "CONNECT_IS_SECURE", .answer = answer_secure },
    { "CONNECT_GET_HOSTNAME", .verb = "host.info", .ret = "hostname" },
    { "CONNECT_GET_CAPABILITIES", .verb = "host.capabilities", .answer = answer_capabilities },
    { "NODE_GET_INFO", .verb = "host.info",
      .ret = "model=cpu_model memory=memory_kib cpus mhz nodes=numa_nodes sockets cores threads" },
    { "NODE_GET_SECURITY_MODEL", .answer = answer_security_model },
    { "CONNECT_LIST_ALL_DOMAINS", .flags = LIST_FLAGS, .answer = answer_list_all },
    { "CONNECT_NUM_OF_DOMAINS", .answer = answer_active_count },
    { "CONNECT_NUM_OF_DEFINED_DOMAINS", .answer = answer_inactive_count },
    { "CONNECT_LIST_DOMAINS", .answer = answer_ids },
    { "CONNECT_LIST_DEFINED_DOMAINS", .answer = answer_names },
    { 0 },
};
