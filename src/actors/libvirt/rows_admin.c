//  rows_admin.c: libvirt's administration program, as virt-admin asks for it: who is connected, how
//  many may be, and where the log goes. Those who do not connect to its own socket do not see it.
//
//  There are two servers: "libvirtd" (that is how tools call it) with the clients of the read-write
//  and the read-only socket, and "admin" with those of this one.

#include "actors/libvirt/rpc_self.h"

enum {
    MOST_CLIENTS = 100000
};

static const struct {
    const char *name;
    rpc_server_t number;
} servers[] = { { "libvirtd", RPC_SERVER_LIBVIRT }, { "admin", RPC_SERVER_ADMIN } };

enum {
    SERVERS = sizeof servers / sizeof *servers
};

static const char *server_name (rpc_server_t number)
{
    for (size_t i = 0; i < SERVERS; i++)
        if (servers[i].number == number)
            return servers[i].name;
    return "";
}

static int find_server (const char *name, rpc_server_t *number, error_t *err)
{
    for (size_t i = 0; i < SERVERS; i++)
        if (text_equals (servers[i].name, name)) {
            *number = servers[i].number;
            return 0;
        }
    return error_set (err, ERR_NO_SERVER,
                      "Server not found: No server named '%s'; there are libvirtd and admin", name);
}

//  That the call is about, at PATH of its arguments.
static int server_of (const rpc_call_t *call, const char *path, rpc_server_t *number, error_t *err)
{
    return find_server (value_str (rpc_field (call->args, path)), number, err);
}

//  Opening and closing.

static int answer_open (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result, (void) ret;
    if (call->client->driver)
        return error_set (err, ERR_INVALID_CONN, "open: the connection is open already");
    call->client->driver = "admin";
    call->client->uri = "libvirtd:///system";
    return 0;
}

static int answer_close (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result, (void) ret, (void) err;
    call->client->closing = true;
    return 0;
}

static int answer_version (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) call, (void) result, (void) err;
    pack_key_u64 (ret, "libVer", RPC_LIBVIRT_VERSION);
    return 0;
}

//  Servers.

static void pack_server (pack_t *pack, const char *key, rpc_server_t number)
{
    if (key)
        pack_key (pack, key);
    pack_map (pack);
    pack_key_str (pack, "name", server_name (number));
    pack_end (pack);
}

static bool needs_results (const rpc_call_t *call)
{
    return value_get_u64 (call->args, "need_results", 0) != 0;
}

static int answer_servers (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result, (void) err;
    pack_key_array (ret, "servers");
    for (size_t i = 0; i < SERVERS && needs_results (call); i++)
        pack_server (ret, NULL, servers[i].number);
    pack_end (ret);
    pack_key_u64 (ret, "ret", SERVERS);
    return 0;
}

static int answer_server (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    rpc_server_t number = RPC_SERVER_LIBVIRT;
    (void) result;
    if (server_of (call, "name", &number, err))
        return -1;
    pack_server (ret, "srv", number);
    return 0;
}

//  There is no pool: one thread serves all clients, and what takes time is a job, a thread that is
//  made for it. So all of these are 0, and none can be set.
static int answer_pool (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    static const char *const fields[] = { "minWorkers",  "maxWorkers",  "nWorkers",
                                          "freeWorkers", "prioWorkers", "jobQueueDepth" };
    rpc_server_t number = RPC_SERVER_LIBVIRT;
    (void) result;
    if (server_of (call, "srv.name", &number, err))
        return -1;
    pack_key_array (ret, "params");
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        rpc_param_uint (ret, fields[i], 0);
    pack_end (ret);
    return 0;
}

static int refuse_pool (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    rpc_server_t number = RPC_SERVER_LIBVIRT;
    (void) result, (void) ret;
    if (server_of (call, "srv.name", &number, err))
        return -1;
    return error_set (
        err, ERR_NO_SUPPORT,
        "not supported: threads of server '%s': it has no pool of workers; one thread "
        "serves all clients, and each job has one of its own",
        server_name (number));
}

//  Limits. The kernel says who a client is before it is heard: none is ever unauthenticated.

static int answer_limits (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    rpc_server_t number = RPC_SERVER_LIBVIRT;
    (void) result;
    if (server_of (call, "srv.name", &number, err))
        return -1;
    pack_key_array (ret, "params");
    rpc_param_uint (ret, "nclients_max", (uint64_t) call->gateway->max_clients[number]);
    rpc_param_uint (ret, "nclients", (uint64_t) rpc_count_clients (call->gateway, number));
    rpc_param_uint (ret, "nclients_unauth", 0);
    pack_end (ret);
    return 0;
}

static int read_limit (const value_t *param, int *most, error_t *err)
{
    const char *field = value_get_str (param, "field");
    uint64_t value = value_get_u64 (value_get (param, "value"), "value", 0);
    if (text_equals (field, "nclients_unauth_max"))
        return error_set (
            err, ERR_NO_SUPPORT,
            "not supported: a limit of clients that are not authenticated: the kernel "
            "says who they are when they connect, so there are none");
    if (!text_equals (field, "nclients_max"))
        return error_set (err, ERR_INVALID_ARG, "limits of clients: parameter '%s' not supported",
                          field);
    if (value < 1 || value > MOST_CLIENTS)
        return error_set (err, ERR_INVALID_ARG,
                          "limits of clients: nclients_max has to be from 1 to %d", MOST_CLIENTS);
    *most = (int) value;
    return 0;
}

static int answer_set_limits (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    rpc_server_t number = RPC_SERVER_LIBVIRT;
    (void) result, (void) ret;
    if (server_of (call, "srv.name", &number, err))
        return -1;
    int most = call->gateway->max_clients[number];
    const value_t *params = value_get (call->args, "params");
    for (size_t i = 0; i < value_count (params); i++)
        if (read_limit (value_at (params, i), &most, err))
            return -1;
    call->gateway->max_clients[number] = most;
    rpc_watch_doors (call->actor);
    return 0;
}

//  Clients.

static void pack_client (pack_t *pack, const char *key, const rpc_client_t *client)
{
    enum {
        US_PER_S = 1000000,
        TRANSPORT_UNIX = 0 //  virClientTransport
    };
    if (key)
        pack_key (pack, key);
    pack_map (pack);
    pack_server (pack, "srv", rpc_server_of (client->socket));
    pack_key_u64 (pack, "id", client->number);
    pack_key_i64 (pack, "timestamp", client->since_us / US_PER_S);
    pack_key_u64 (pack, "transport", TRANSPORT_UNIX);
    pack_end (pack);
}

//  The next of server NUMBER's from CLIENT on; NULL: there is none.
static rpc_client_t *next_client (rpc_client_t *client, rpc_server_t number)
{
    while (client && (client->dead || rpc_server_of (client->socket) != number))
        client = client->next;
    return client;
}

static int answer_clients (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    rpc_server_t number = RPC_SERVER_LIBVIRT;
    uint64_t count = 0;
    (void) result;
    if (server_of (call, "srv.name", &number, err))
        return -1;
    pack_key_array (ret, "clients");
    for (rpc_client_t *each = call->gateway->clients; (each = next_client (each, number));
         each = each->next, count++)
        if (needs_results (call))
            pack_client (ret, NULL, each);
    pack_end (ret);
    pack_key_u64 (ret, "ret", count);
    return 0;
}

//  That the call is about: SERVER and ID are paths of its arguments. NULL and ERR.
static rpc_client_t *client_of (const rpc_call_t *call, const char *server, const char *id,
                                error_t *err)
{
    rpc_server_t number = RPC_SERVER_LIBVIRT;
    uint64_t wanted = 0;
    if (server_of (call, server, &number, err))
        return NULL;
    value_u64 (rpc_field (call->args, id), &wanted);
    for (rpc_client_t *each = call->gateway->clients; (each = next_client (each, number));
         each = each->next)
        if (each->number == wanted)
            return each;
    error_set (err, ERR_NO_CLIENT,
               "Client not found: No client with matching ID '%llu' at server '%s'",
               (unsigned long long) wanted, server_name (number));
    return NULL;
}

static int answer_client (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result;
    const rpc_client_t *client = client_of (call, "srv.name", "id", err);
    if (client)
        pack_client (ret, "clnt", client);
    return client ? 0 : -1;
}

//  The names of users are not looked up: that may have to wait for another host.
static int answer_client_info (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result;
    const rpc_client_t *client = client_of (call, "clnt.srv.name", "clnt.id", err);
    if (!client)
        return -1;
    pack_key_array (ret, "params");
    rpc_param_bool (ret, "readonly", client->read_only);
    rpc_param_int (ret, "unix_user_id", (int32_t) client->peer.uid);
    rpc_param_int (ret, "unix_group_id", (int32_t) client->peer.gid);
    rpc_param_int (ret, "unix_process_id", client->peer.pid);
    pack_end (ret);
    return 0;
}

static int answer_disconnect (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result, (void) ret;
    rpc_client_t *client = client_of (call, "clnt.srv.name", "clnt.id", err);
    if (!client)
        return -1;
    if (client == call->client)
        client->closing = true; //  once it has the answer
    else
        rpc_client_end (call->actor, client, "an administrator wanted it");
    return 0;
}

//  The log.

//  As libvirt writes outputs: LEVEL:KIND:PLACE, where 1 is debug and 4 is error.
static int answer_outputs (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    static const int levels[] = {
        [LEVEL_ERROR] = 4, [LEVEL_WARNING] = 3, [LEVEL_INFO] = 2, [LEVEL_DEBUG] = 1
    };
    (void) result, (void) err;
    const config_t *config = call->gateway->config;
    int level = levels[config->log_level];
    autofree char *outputs = text_format ("%d:file:%s/troupe.log", level, config->paths->log);
    autofree char *both = text_format ("%s %d:stderr", outputs, level);
    pack_key_str (ret, "outputs", config->foreground ? both : outputs);
    pack_key_u64 (ret, "noutputs", config->foreground ? 2 : 1);
    return 0;
}

static int answer_filters (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) call, (void) result, (void) err;
    pack_key_u64 (ret, "nfilters", 0);
    return 0;
}

static int refuse_log (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) call, (void) result, (void) ret;
    return error_set (err, ERR_NO_SUPPORT,
                      "not supported: what is logged, and where to, is said by trouped's options "
                      "--debug and --quiet when it starts");
}

static int refuse_tls (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) call, (void) result, (void) ret;
    return error_set (
        err, ERR_NO_SUPPORT,
        "not supported: TLS: libvirt's clients are served on this host's sockets only");
}

static int refuse_timeout (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) call, (void) result, (void) ret;
    return error_set (err, ERR_NO_SUPPORT,
                      "not supported: when an idle daemon ends is said by trouped's option "
                      "--idle-exit when it starts");
}

const rpc_row_t rpc_rows_admin[] = {
    { "CONNECT_OPEN", .answer = answer_open },
    { "CONNECT_CLOSE", .answer = answer_close },
    { "CONNECT_GET_LIB_VERSION", .answer = answer_version },
    { "CONNECT_LIST_SERVERS", .answer = answer_servers },
    { "CONNECT_LOOKUP_SERVER", .answer = answer_server },
    { "SERVER_GET_THREADPOOL_PARAMETERS", .answer = answer_pool },
    { "SERVER_SET_THREADPOOL_PARAMETERS", .answer = refuse_pool },
    { "SERVER_LIST_CLIENTS", .answer = answer_clients },
    { "SERVER_LOOKUP_CLIENT", .answer = answer_client },
    { "CLIENT_GET_INFO", .answer = answer_client_info },
    { "CLIENT_CLOSE", .answer = answer_disconnect },
    { "SERVER_GET_CLIENT_LIMITS", .answer = answer_limits },
    { "SERVER_SET_CLIENT_LIMITS", .answer = answer_set_limits },
    { "CONNECT_GET_LOGGING_OUTPUTS", .answer = answer_outputs },
    { "CONNECT_GET_LOGGING_FILTERS", .answer = answer_filters },
    { "CONNECT_SET_LOGGING_OUTPUTS", .answer = refuse_log },
    { "CONNECT_SET_LOGGING_FILTERS", .answer = refuse_log },
    { "SERVER_UPDATE_TLS_FILES", .answer = refuse_tls },
    { "CONNECT_SET_DAEMON_TIMEOUT", .answer = refuse_timeout },
    { 0 },
};
