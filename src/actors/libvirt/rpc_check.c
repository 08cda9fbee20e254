//  rpc_check.c: which calls a client may make.

#include "actors/libvirt/rpc_self.h"

static int check_header (const rpc_client_t *client, const rpc_header_t *header,
                         const rpc_entry_t *entry, error_t *err)
{
    bool administrates = header->program == PROGRAM_ADMIN;
    if (!program_known (header->program) || administrates != (client->socket == RPC_SOCKET_ADMIN))
        return error_set (err, ERR_RPC, "unknown program 0x%x", header->program);
    if (header->version != PROGRAM_VERSION)
        return error_set (err, ERR_RPC, "program 0x%x: unknown version %u; it has version %d",
                          header->program, header->version, PROGRAM_VERSION);
    //  Clients take these words for "not supported".
    if (!entry || (entry->procedure->flags & PROC_EVENT))
        return error_set (err, ERR_RPC, "unknown procedure: %d", (int32_t) header->procedure);
    if (header->status != RPC_OK)
        return error_set (err, ERR_RPC, "%s: a call has status 0, not %u", entry->procedure->name,
                          header->status);
    if (header->type == RPC_CALL_WITH_FDS && !(entry->procedure->flags & PROC_FDS))
        return error_set (err, ERR_RPC, "%s: descriptors are not taken", entry->procedure->name);
    return 0;
}

//  Nothing serves it. Clients know it by their function's name.
static int check_served (const procedure_t *procedure, error_t *err)
{
    autofree char *api = procedure_api (procedure);
    return error_set (err, ERR_NO_SUPPORT,
                      "this function is not supported by the connection driver: %s", api);
}

static int check_access (const rpc_client_t *client, const rpc_entry_t *entry, error_t *err)
{
    const procedure_t *procedure = entry->procedure;
    if (!client->known && !(procedure->flags & PROC_NO_AUTH))
        return error_set (err, ERR_RPC, "%s: authentication required: call AUTH_LIST first",
                          procedure->name);
    if (client->read_only && !(procedure->flags & (PROC_READ_ONLY | PROC_NO_AUTH)))
        return error_set (err, ERR_OPERATION_DENIED,
                          "operation forbidden: %s: this connection is read-only", procedure->name);
    if (!entry->row)
        return check_served (procedure, err);
    if (entry->verb && entry->verb->access > client->role && !client->read_only)
        return error_set (
            err, ERR_OPERATION_DENIED, "%s: it needs the right '%s', and this connection has '%s'",
            procedure->name, access_name (entry->verb->access), access_name (client->role));
    return 0;
}

//  What a read-only connection may call, but not with these arguments.
static int check_read_only (const rpc_call_t *call, error_t *err)
{
    static const struct {
        const char *procedure, *field;
        uint64_t bits, equal;
    } denied[] = {
        { "DOMAIN_GET_XML_DESC", "flags", 1 | 8, 0 },
        { "DOMAIN_SNAPSHOT_GET_XML_DESC", "flags", 1, 0 },
        { "DOMAIN_CHECKPOINT_GET_XML_DESC", "flags", 1, 0 },
        { "DOMAIN_MANAGED_SAVE_GET_XML_DESC", "flags", 1, 0 },
        { "DOMAIN_GET_VCPUS_FLAGS", "flags", 8, 0 },
        { "DOMAIN_INTERFACE_ADDRESSES", "source", 0, 1 },
    };
    const char *name = call->entry->procedure->name;
    for (size_t i = 0; i < sizeof denied / sizeof *denied && call->client->read_only; i++) {
        uint64_t value = value_get_u64 (call->args, denied[i].field, 0);
        bool hit = denied[i].bits ? (value & denied[i].bits) != 0 : value == denied[i].equal;
        if (hit && text_equals (name, denied[i].procedure))
            return error_set (err, ERR_OPERATION_DENIED,
                              "operation forbidden: %s with these %s: this connection is read-only",
                              name, denied[i].field);
    }
    return 0;
}

static bool needs_connection (const rpc_entry_t *entry)
{
    static const char *const before[] = { "CONNECT_OPEN", "CONNECT_CLOSE",
                                          "CONNECT_SUPPORTS_FEATURE" };
    for (size_t i = 0; i < sizeof before / sizeof *before; i++)
        if (text_equals (entry->procedure->name, before[i]))
            return false;
    return !(entry->procedure->flags & PROC_NO_AUTH);
}

int rpc_check_call (const rpc_client_t *client, const rpc_header_t *header,
                    const rpc_entry_t *entry, error_t *err)
{
    return check_header (client, header, entry, err) || check_access (client, entry, err) ? -1 : 0;
}

int rpc_check_arguments (const rpc_call_t *call, error_t *err)
{
    if (!call->client->driver && needs_connection (call->entry))
        return error_set (err, ERR_INVALID_CONN,
                          "%s: no connection is open: call CONNECT_OPEN first",
                          call->entry->procedure->name);
    return check_read_only (call, err);
}
