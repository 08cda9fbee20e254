//  rpc_call.c: one call of a client: mapped to a verb, and answered when that is.

#include "actors/libvirt/rpc_self.h"

#include "actors/domain/domain.h"
#include "actors/gateway/queries.h"

#include <string.h>

enum {
    DEADLINE_MS = 30000, //  to be admitted: libvirt's clients name none
    FROM_RPC = 7,        //  virErrorDomain in libvirt's API reference
    FROM_TEST = 12,
    FROM_QEMU = 10,
    FROM_LXC = 17,
    FROM_NETWORK = 19,
    LEVEL_OF_ERROR = 2 //  virErrorLevel
};

//  Calls.

static rpc_call_t *call_new (actor_t *self, rpc_client_t *client, const rpc_header_t *header)
{
    rpc_gateway_t *gateway = actor_state (self);
    rpc_call_t *call = memory_new (1, sizeof *call);
    call->actor = self;
    call->gateway = gateway;
    call->client = client;
    call->header = *header;
    call->next = gateway->calls;
    if (call->next)
        call->next->previous = call;
    gateway->calls = call;
    client->open_calls++;
    return call;
}

void rpc_call_destroy (rpc_call_t **call_p)
{
    rpc_call_t *call = take (call_p);
    if (call->previous)
        call->previous->next = call->next;
    else
        call->gateway->calls = call->next;
    if (call->next)
        call->next->previous = call->previous;
    if (call->client)
        call->client->open_calls--;
    rpc_fds_close (call);
    document_destroy (&call->document);
    free (call->named);
    free (call);
}

void rpc_forget_client (rpc_gateway_t *gateway, const rpc_client_t *client)
{
    for (rpc_call_t *call = gateway->calls; call; call = call->next)
        if (call->client == client)
            call->client = NULL;
}

//  Answers.

static rpc_header_t reply_header (const rpc_call_t *call, uint32_t status)
{
    rpc_header_t header = call->header;
    header.type = status == RPC_OK && call->given_count > 0 ? RPC_REPLY_WITH_FDS : RPC_REPLY;
    header.status = status;
    return header;
}

//  What is in OUT, and the next call of a client who had to wait for this one.
static void finish (rpc_call_t **call_p, bool with_fds)
{
    actor_t *self = (*call_p)->actor;
    rpc_client_t *client = (*call_p)->client;
    const rpc_call_t *call = *call_p;
    rpc_gateway_t *gateway = call->gateway;
    int given[RPC_MAX_CALL_FDS];
    size_t count = with_fds ? call->given_count : 0;
    memcpy (given, call->given, count * sizeof *given);
    (*call_p)->given_count -= count;
    gateway->fd_count -= count;
    rpc_out_end (gateway);
    rpc_call_destroy (call_p);
    rpc_client_send (self, client);
    for (size_t i = 0; i < count; i++)
        rpc_client_send_fd (self, client, given[i]);
    rpc_client_go_on (self, client);
}

int rpc_error_domain (const rpc_client_t *client, const error_t *err)
{
    static const struct {
        const char *driver;
        int domain;
    } drivers[] = { { "qemu", FROM_QEMU }, { "lxc", FROM_LXC }, { "test", FROM_TEST } };
    if (err->code == ERR_NO_NETWORK || err->code == ERR_NETWORK_EXIST)
        return FROM_NETWORK;
    for (size_t i = 0; i < sizeof drivers / sizeof *drivers && err->code != ERR_RPC; i++)
        if (text_equals (client->driver, drivers[i].driver))
            return drivers[i].domain;
    return FROM_RPC;
}

static void pack_error (pack_t *pack, const error_t *err, int domain)
{
    pack_map (pack);
    pack_key_i64 (pack, "code", err->code);
    pack_key_i64 (pack, "domain", domain);
    pack_key_str (pack, "message", err->message);
    pack_key_i64 (pack, "level", LEVEL_OF_ERROR);
    pack_key_str (pack, "str1", "%s");
    pack_key_str (pack, "str2", err->message);
    pack_key_i64 (pack, "int1", -1);
    pack_key_i64 (pack, "int2", -1);
    pack_end (pack);
}

void rpc_add_error (rpc_gateway_t *gateway, const error_t *err, int domain)
{
    pack_t pack;
    error_t none;
    pack_init (&pack);
    pack_error (&pack, err, domain);
    auto(document_t) map = document_parse (pack.bytes, pack.size, VALUE_MAX_BYTES, &none);
    if (!map || xdr_encode (xdr_error, document_root (map), gateway->out, &none))
        abort (); //  of our own words
    pack_close (&pack);
}

//  libvirt's clients do not know our verbs, and say themselves what they asked for.
static void forget_verb (const rpc_call_t *call, error_t *err)
{
    size_t size = call->verb ? strlen (call->verb->name) : 0;
    if (size > 0 && strncmp (err->message, call->verb->name, size) == 0 &&
        text_starts (err->message + size, ": "))
        memmove (err->message, err->message + size + 2, strlen (err->message + size + 2) + 1);
}

void rpc_fail (rpc_call_t **call_p, const error_t *err)
{
    rpc_call_t *call = *call_p;
    if (!call->client) {
        rpc_call_destroy (call_p);
        return;
    }
    error_t said = *err;
    forget_verb (call, &said);
    const rpc_header_t header = reply_header (call, RPC_ERROR);
    rpc_out_begin (call->gateway, &header);
    rpc_add_error (call->gateway, &said, rpc_error_domain (call->client, &said));
    finish (call_p, false);
}

void rpc_reply (rpc_call_t **call_p, const value_t *ret)
{
    rpc_call_t *call = *call_p;
    if (!call->client) {
        rpc_call_destroy (call_p);
        return;
    }
    error_t err;
    const rpc_header_t header = reply_header (call, RPC_OK);
    rpc_out_begin (call->gateway, &header);
    if (header.type == RPC_REPLY_WITH_FDS)
        xdr_add_u32 (call->gateway->out, (uint32_t) call->given_count);
    int rc = xdr_encode (call->entry->procedure->ret, ret, call->gateway->out, &err);
    if (rc == 0 && call->gateway->out->size > RPC_MAX_MESSAGE)
        rc = error_set (&err, ERR_RPC, "the answer has more than the %d bytes of a message",
                        RPC_MAX_MESSAGE);
    if (rc == 0) {
        finish (call_p, true);
        return;
    }
    error_prefix (&err, "%s", call->entry->procedure->name);
    rpc_fail (call_p, &err);
}

//  Adds what ANSWER and the row say of RESULT, and sends it. The call is over, unless somebody is
//  asked again.
static void answer (rpc_call_t **call_p, const value_t *result)
{
    rpc_call_t *call = *call_p;
    error_t err;
    pack_t ret;
    if (call->entry->row->heard)
        call->entry->row->heard (call, result);
    if (!call->client) {
        rpc_call_destroy (call_p);
        return;
    }
    pack_init (&ret);
    pack_map (&ret);
    error_t gone;
    const snapshot_t *domain = *call->uuid ? rpc_domain (call, &gone) : NULL;
    int rc = call->answer ? call->answer (call, result, &ret, &err) : 0;
    auto(document_t) map = NULL;
    if (rc == 0) {
        rpc_map_ret (call->entry, call->args, result, domain, &ret);
        pack_end (&ret);
        map = document_parse (ret.bytes, ret.size, VALUE_MAX_BYTES_INSIDE, &err);
    }
    pack_close (&ret);
    if (rc == 0 && map)
        rpc_reply (call_p, document_root (map));
    else if (rc <= 0)
        rpc_fail (call_p, &err);
}

//  Asking.

//  A destination is asked under another name than its client gave, who may not know that one.
static void name_destination (const rpc_call_t *call, error_t *err)
{
    const char *uri = value_get_str (call->args, "dconnuri");
    if (uri && !strstr (err->message, uri))
        error_prefix (err, "migrate peer-to-peer to '%s'", uri);
}

static void on_answer (actor_t *self, const msg_t *reply, void *arg)
{
    rpc_call_t *call = arg;
    error_t err;
    call->gateway->reads -= call->reads;
    call->reads = false;
    if (!msg_failed (reply, &err)) {
        answer (&call, msg_value (reply));
        return;
    }
    owner_reword (&call->gateway->view, call->verb, call->named, reply, actor_wall_clock (self),
                  &err);
    name_destination (call, &err);
    rpc_fail (&call, &err);
}

//  An owner's queue is the same for all who ask: whoever may only read can't fill it.
static int request (rpc_call_t *call, const char *address, msg_t **msg_p, int deadline_ms,
                    error_t *err)
{
    rpc_gateway_t *gateway = call->gateway;
    if (call->client->read_only && gateway->reads >= RPC_MAX_READS) {
        error_set (err, ERR_RESOURCE_BUSY,
                   "%s: %d calls of read-only connections wait already; try again later",
                   call->entry->procedure->name, gateway->reads);
        err->retry = true;
        return -1;
    }
    call->reads = call->client->read_only;
    gateway->reads += call->reads;
    actor_request (call->actor, address, msg_p, deadline_ms, on_answer, call);
    return RPC_LATER;
}

static document_t *look_up (const rpc_call_t *call, const verb_t *verb, const value_t *args,
                            error_t *err)
{
    const view_t *view = &call->gateway->view;
    //  Who may not read passwords has been told so by now.
    query_t query = {
        view->snapshots, view->networks, verb, args, ACCESS_WRITE, actor_wall_clock (call->actor)
    };
    pack_t result;
    pack_init (&result);
    int rc = query_answer (&query, &result, err);
    document_t *document =
        rc ? NULL : document_parse (result.bytes, result.size, VALUE_MAX_BYTES_INSIDE, err);
    pack_close (&result);
    return document;
}

document_t *rpc_query (const rpc_call_t *call, const char *verb, const pack_t *args, error_t *err)
{
    auto(document_t) map = document_parse (args->bytes, args->size, VALUE_MAX_BYTES, err);
    return map ? look_up (call, verb_find (verb), document_root (map), err) : NULL;
}

static int ask_snapshots (rpc_call_t *call, const value_t *args, error_t *err)
{
    auto(document_t) document = look_up (call, call->verb, args, err);
    if (!document)
        return -1;
    answer (&call, document_root (document));
    return RPC_LATER;
}

static int ask_owner (rpc_call_t *call, const value_t *args, error_t *err)
{
    char address[MSG_ADDRESS_MAX];
    const rpc_client_t *client = call->client;
    if (owner_find (&call->gateway->view, call->verb, args, address, err))
        return -1;
    pack_t by;
    pack_init (&by);
    by_open (&client->peer, client->role, client->number, NULL, &by);
    rpc_fds_pack (call, &by);
    pack_end (&by);
    auto(msg_t) msg = owner_request (call->verb, args, &by);
    pack_close (&by);
    if (owner_is_urgent (call->verb))
        msg_header (msg)->flags |= MSG_URGENT;
    return request (call, address, &msg, DEADLINE_MS, err);
}

//  RPC_LATER: the call is not ours any more.
static int ask (rpc_call_t *call, const pack_t *pack, error_t *err)
{
    auto(document_t) args = document_parse (pack->bytes, pack->size, VALUE_MAX_BYTES, err);
    if (!args || verb_check_args (call->verb, document_root (args), err))
        return -1;
    free (call->named);
    call->named = owner_named (document_root (args));
    return call->verb->owner == OWNER_GATEWAY ? ask_snapshots (call, document_root (args), err)
                                              : ask_owner (call, document_root (args), err);
}

int rpc_ask (rpc_call_t *call, const char *verb, const pack_t *args, rpc_answer_fn *on_result,
             error_t *err)
{
    call->verb = verb_find (verb);
    call->answer = on_result;
    return ask (call, args, err);
}

//  What it is about.

bool rpc_sees (const rpc_client_t *client, const snapshot_t *domain)
{
    return text_equals (client->driver, domain->driver);
}

const snapshot_t *rpc_domain (const rpc_call_t *call, error_t *err)
{
    const snapshot_t *domain = snapshots_by_uuid (call->gateway->view.snapshots, call->uuid);
    if (domain && call->client && rpc_sees (call->client, domain))
        return domain;
    error_set (err, ERR_NO_DOMAIN, "Domain not found: no domain with matching uuid '%s'",
               call->uuid);
    return NULL;
}

const snapshot_t *rpc_running (const rpc_call_t *call, error_t *err)
{
    const snapshot_t *domain = rpc_domain (call, err);
    if (!domain || domain->id > 0)
        return domain;
    error_set (err, ERR_OPERATION_INVALID, "%s: domain '%s' is not running",
               call->entry->procedure->name, domain->name);
    return NULL;
}

int rpc_prepare_running (rpc_call_t *call, pack_t *args, error_t *err)
{
    (void) args;
    return rpc_running (call, err) ? 0 : -1;
}

int rpc_prepare_driver (rpc_call_t *call, pack_t *args, error_t *err)
{
    (void) err;
    pack_key_str (args, "driver", call->client->driver);
    return 0;
}

static int find_object (rpc_call_t *call, error_t *err)
{
    const char *uuid = rpc_domain_of (call->args);
    snprintf (call->uuid, sizeof call->uuid, "%s", uuid ? uuid : "");
    return !uuid || rpc_domain (call, err) ? 0 : -1;
}

int rpc_measure (rpc_call_t *call, rpc_answer_fn *on_result, error_t *err)
{
    char address[MSG_ADDRESS_MAX];
    const snapshot_t *domain = rpc_running (call, err);
    if (!domain)
        return -1;
    call->verb = verb_find ("domain.usage"); //  as it is called where clients see it
    call->answer = on_result;
    snprintf (address, sizeof address, "domain/%s", domain->uuid);
    auto(msg_t) msg = msg_request ("domain.measure");
    return request (call, address, &msg, DOMAIN_FIRST_ANSWER_MS, err);
}

//  Carrying it out.

static int decode (rpc_call_t *call, const char *bytes, size_t size, error_t *err)
{
    pack_t pack;
    pack_init (&pack);
    if (xdr_decode (call->entry->procedure->args, bytes, size, &pack, err) == 0)
        call->document = document_parse (pack.bytes, pack.size, VALUE_MAX_BYTES_INSIDE, err);
    pack_close (&pack);
    if (!call->document)
        return error_prefix (err, "%s", call->entry->procedure->name);
    call->args = document_root (call->document);
    return 0;
}

static int carry_out (rpc_call_t *call, const char *bytes, size_t size, error_t *err)
{
    const rpc_entry_t *entry = call->entry;
    if (rpc_check_call (call->client, &call->header, entry, err) ||
        decode (call, bytes, size, err) || rpc_check_arguments (call, err) ||
        find_object (call, err))
        return -1;
    call->verb = entry->verb;
    call->answer = entry->row->answer;
    pack_t args;
    pack_init (&args);
    int rc = rpc_map_args (entry, call, call->args, &args, err);
    if (rc == 0 && entry->verb)
        rc = ask (call, &args, err);
    else if (rc == 0)
        answer (&call, NULL);
    pack_close (&args);
    return rc < 0 ? -1 : 0;
}

static void read_header (const char *bytes, rpc_header_t *header)
{
    uint32_t *const words[] = { &header->program, &header->version, &header->procedure,
                                &header->type,    &header->serial,  &header->status };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        *words[i] = xdr_u32_at (bytes + 4 + 4 * i);
}

static void take_ping (actor_t *self, rpc_client_t *client, const rpc_header_t *ping)
{
    rpc_gateway_t *gateway = actor_state (self);
    if (ping->procedure != 1 || ping->type != RPC_MESSAGE)
        return;
    rpc_header_t pong = *ping;
    pong.procedure = 2;
    rpc_out_begin (gateway, &pong);
    rpc_out_end (gateway);
    rpc_client_send (self, client);
}

uint32_t rpc_announced (const char *bytes, size_t size)
{
    rpc_header_t header;
    read_header (bytes, &header);
    return header.type == RPC_CALL_WITH_FDS && size >= RPC_HEADER + 4
               ? xdr_u32_at (bytes + RPC_HEADER)
               : 0;
}

void rpc_take_message (actor_t *self, rpc_client_t *client, const char *bytes, size_t size)
{
    rpc_gateway_t *gateway = actor_state (self);
    rpc_header_t header;
    error_t err;
    read_header (bytes, &header);
    if (header.program == PROGRAM_KEEPALIVE) {
        take_ping (self, client, &header);
        return;
    }
    if (header.type == RPC_STREAM)
        rpc_take_packet (self, client, &header, bytes + RPC_HEADER, size - RPC_HEADER);
    bool with_fds = header.type == RPC_CALL_WITH_FDS;
    size_t at = RPC_HEADER + (with_fds && size >= RPC_HEADER + 4 ? 4 : 0);
    if (!with_fds && header.type != RPC_CALL)
        return;
    rpc_call_t *call = call_new (self, client, &header);
    call->entry = rpc_table_find (gateway->table, header.program, header.procedure);
    if (rpc_fds_take (call, client->socket == RPC_SOCKET_READ ? 0 : rpc_announced (bytes, size),
                      &err) ||
        carry_out (call, bytes + at, size - at, &err))
        rpc_fail (&call, &err);
}
