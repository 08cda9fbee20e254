//  zmq_gateway_calls.c: a client's request: checked, then answered here or passed on to its owner.

#include "actors/gateway/zmq_gateway_parts.h"

#include "actors/gateway/keyed_calls.h"
#include "actors/pci/devices.h"
#include "actors/runtime/switchboard.h"

#include <inttypes.h>

void gateway_error (actor_t *self, session_t *session, bool has_id, uint64_t id, const error_t *err)
{
    gateway_t *gateway = actor_state (self);
    reply_error (&gateway->frame, has_id, id, err);
    gateway_post (self, session, NULL);
}

static void reply_nil (actor_t *self, session_t *session, uint64_t id)
{
    gateway_t *gateway = actor_state (self);
    reply_begin (&gateway->frame, id);
    pack_nil (&gateway->frame);
    reply_end (&gateway->frame);
    gateway_post (self, session, NULL);
}

//  Requests that others answer.

static void enlist (gateway_t *gateway, open_request_t *request)
{
    request->next = gateway->requests;
    if (request->next)
        request->next->previous = request;
    gateway->requests = request;
    gateway->open_requests++;
}

static void open_request_destroy (gateway_t *gateway, open_request_t **request_p)
{
    open_request_t *request = take (request_p);
    if (request->previous)
        request->previous->next = request->next;
    else
        gateway->requests = request->next;
    if (request->next)
        request->next->previous = request->previous;
    gateway->open_requests--;
    free (request->domain);
    free (request);
}

void gateway_forget_requests (actor_t *self)
{
    gateway_t *gateway = actor_state (self);
    while (gateway->requests) {
        open_request_t *first = gateway->requests;
        open_request_destroy (gateway, &first);
    }
}

static int check_room (gateway_t *gateway, const session_t *session, const char *verb, error_t *err)
{
    bool own = session->open_requests >= MAX_OPEN_SESSION;
    if (!own && gateway->open_requests < MAX_OPEN)
        return 0;
    error_set (err, ERR_RESOURCE_BUSY, "%s: %d requests of %s wait for an answer; try again later",
               verb, own ? session->open_requests : gateway->open_requests,
               own ? "this session" : "all sessions");
    err->retry = true;
    return -1;
}

//  The domain, or network, that a call is about.
static const value_t *named_in (const value_t *args)
{
    const value_t *network = value_get (args, "network");
    return network ? network : value_get (args, "domain");
}

static char *domain_text (const value_t *domain)
{
    uint64_t id;
    if (value_u64 (domain, &id))
        return text_format ("%" PRIu64, id);
    return text_copy (value_str (domain));
}

open_request_t *gateway_open_request (actor_t *self, session_t *session, const call_t *call,
                                      const verb_t *verb, error_t *err)
{
    gateway_t *gateway = actor_state (self);
    if (check_room (gateway, session, verb->name, err))
        return NULL;
    open_request_t *request = memory_new (1, sizeof *request);
    request->session = session->number;
    request->id = call->id;
    request->verb = verb;
    request->domain = domain_text (named_in (call->args));
    request->deadline = actor_now (self) + call->deadline_ms;
    request->force = value_get_bool (call->args, "force", false);
    session->open_requests++;
    enlist (gateway, request);
    return request;
}

//  What ends that others wait gets through however many they are.
static bool is_urgent (const verb_t *verb)
{
    return verb->class == CLASS_DESTROY || strcmp (verb->name, "domain.job_abort") == 0;
}

void gateway_forward (actor_t *self, open_request_t *request, const char *to, msg_t **msg_p,
                      actor_reply_fn *on_reply)
{
    int64_t left_ms = request->deadline - actor_now (self);
    if (is_urgent (request->verb))
        msg_header (*msg_p)->flags |= MSG_URGENT;
    actor_request (self, to, msg_p, left_ms > 0 ? (int) left_ms : 0, on_reply, request);
}

session_t *gateway_waiting (actor_t *self, const open_request_t *request)
{
    gateway_t *gateway = actor_state (self);
    session_t *session = sessions_by_number (gateway->sessions, request->session);
    return session && !session->dead ? session : NULL;
}

session_t *gateway_finish (actor_t *self, open_request_t **request_p)
{
    gateway_t *gateway = actor_state (self);
    session_t *session = sessions_by_number (gateway->sessions, (*request_p)->session);
    if (session)
        session->open_requests--;
    open_request_destroy (gateway, request_p);
    return session && !session->dead ? session : NULL;
}

//  The runtime knows addresses only: says it in the words of who asked.
static void reword (actor_t *self, const open_request_t *request, const msg_t *reply, error_t *err)
{
    const gateway_t *gateway = actor_state (self);
    const char *verb = request->verb->name;
    bool late = msg_is_expired (reply);
    bool network = request->verb->owner == OWNER_NETWORK;
    if (err->code == ERR_NO_NETWORK && request->domain && network)
        error_set (err, ERR_NO_NETWORK, "%s: there is no network '%s' any more", verb,
                   request->domain);
    else if (late && request->domain && network)
        error_set (err, ERR_OPERATION_TIMEOUT, "%s: network '%s': not done within the deadline",
                   verb, request->domain);
    else if (err->code == ERR_NO_DOMAIN && request->domain)
        snapshots_unknown (verb, request->domain, err);
    else if (late && request->domain)
        snapshots_late (gateway->snapshots, verb, request->domain, actor_wall_clock (self), err);
    else if (late)
        error_set (err, ERR_OPERATION_TIMEOUT, "%s: not done within the deadline", verb);
    if (late)
        err->retry = true;
}

void gateway_on_answer (actor_t *self, const msg_t *reply, void *arg)
{
    gateway_t *gateway = actor_state (self);
    open_request_t *request = arg;
    uint64_t id = request->id;
    error_t err;
    bool failed = msg_failed (reply, &err);
    if (failed)
        reword (self, request, reply, &err);
    session_t *session = gateway_finish (self, &request);
    if (!session)
        return;
    if (failed) {
        gateway_error (self, session, true, id, &err);
        return;
    }
    reply_begin (&gateway->frame, id);
    if (msg_value (reply))
        pack_value (&gateway->frame, msg_value (reply));
    else
        pack_nil (&gateway->frame);
    reply_end (&gateway->frame);
    gateway_post (self, session, NULL);
}

//  ARGS in a request to VERB's owner; a domain's owner is itself what `domain` names.
static void pack_args (pack_t *pack, const verb_t *verb, const value_t *args)
{
    for (size_t i = 0; i < value_count (args); i++) {
        const char *name = value_key_at (args, i);
        if ((verb->owner == OWNER_DOMAIN && strcmp (name, "domain") == 0) ||
            (verb->owner == OWNER_NETWORK && strcmp (name, "network") == 0))
            continue;
        pack_key (pack, name);
        pack_value (pack, value_val_at (args, i));
    }
}

static msg_t *request_by (const session_t *session, const call_t *call, const char *verb)
{
    pack_t by;
    pack_init (&by);
    session_pack_by (session, call->trace, &by);
    msg_t *msg = msg_request (verb);
    msg_set_by (msg, by.bytes, by.size);
    pack_close (&by);
    return msg;
}

static msg_t *request_of (const session_t *session, const call_t *call, const verb_t *verb)
{
    msg_t *msg = request_by (session, call, verb->name);
    pack_args (msg_args (msg), verb, call->args);
    return msg;
}

static int find_network (gateway_t *gateway, const call_t *call, const verb_t *verb,
                         char address[MSG_ADDRESS_MAX], error_t *err)
{
    const network_view_t *network = networks_resolve (gateway->networks, verb->name,
                                                      value_get_str (call->args, "network"), err);
    if (!network)
        return -1;
    snprintf (address, MSG_ADDRESS_MAX, "network/%s", network->uuid);
    return 0;
}

//  The address of VERB's owner.
static int find_owner (gateway_t *gateway, const call_t *call, const verb_t *verb,
                       char address[MSG_ADDRESS_MAX], error_t *err)
{
    if (verb->owner == OWNER_NETWORK)
        return find_network (gateway, call, verb, address, err);
    if (verb->owner != OWNER_DOMAIN) {
        const char *owner = verb->owner == OWNER_SWITCHBOARD ? SWITCHBOARD_ADDRESS
                            : verb->owner == OWNER_LINKS     ? "links"
                            : verb->owner == OWNER_DEVICES   ? DEVICES_ADDRESS
                                                             : "host";
        snprintf (address, MSG_ADDRESS_MAX, "%s", owner);
        return 0;
    }
    const value_t *named = value_get (call->args, "domain");
    const snapshot_t *domain = snapshots_resolve (gateway->snapshots, verb->name, named, err);
    if (!domain)
        return -1;
    snprintf (address, MSG_ADDRESS_MAX, "domain/%s", domain->uuid);
    return 0;
}

//  A call with a key: whether it was made before has to be known before whether its domain is
//  there, which the first call may have ended, undefined or renamed.
static msg_t *keyed_request (gateway_t *gateway, const session_t *session, const call_t *call,
                             const verb_t *verb)
{
    char address[MSG_ADDRESS_MAX];
    error_t missing;
    bool found = find_owner (gateway, call, verb, address, &missing) == 0;
    bool network = verb->owner == OWNER_NETWORK;
    const value_t *domain = value_get (call->args, network ? "network" : "domain");
    msg_t *msg = request_by (session, call, "keyed.call");
    pack_t *pack = msg_args (msg);
    pack_key_str (pack, "key", call->key);
    pack_key_str (pack, "verb", verb->name);
    if (domain) {
        pack_key (pack, "domain");
        pack_value (pack, domain);
    }
    if (found)
        pack_key_str (pack, "to", address);
    else {
        pack_key (pack, "error");
        error_pack (&missing, pack);
    }
    pack_key_map (pack, "args");
    pack_args (pack, verb, call->args);
    pack_end (pack);
    return msg;
}

static int pass_on_once (actor_t *self, session_t *session, const call_t *call, const verb_t *verb,
                         error_t *err)
{
    if (!verb_takes_key (verb))
        return error_set (err, ERR_INVALID_ARG,
                          "%s: it changes nothing that could happen twice: ask without the key",
                          verb->name);
    open_request_t *request = gateway_open_request (self, session, call, verb, err);
    if (!request)
        return -1;
    auto(msg_t) msg = keyed_request (actor_state (self), session, call, verb);
    gateway_forward (self, request, KEYED_CALLS_ADDRESS, &msg, gateway_on_answer);
    return 0;
}

static int pass_on (actor_t *self, session_t *session, const call_t *call, const verb_t *verb,
                    error_t *err)
{
    char address[MSG_ADDRESS_MAX];
    if (find_owner (actor_state (self), call, verb, address, err))
        return -1;
    open_request_t *request = gateway_open_request (self, session, call, verb, err);
    if (!request)
        return -1;
    auto(msg_t) msg = request_of (session, call, verb);
    bool console = strcmp (verb->name, "console.open") == 0;
    gateway_forward (self, request, address, &msg,
                     console ? gateway_on_console : gateway_on_answer);
    return 0;
}

//  Verbs about the session itself. 0: it was answered, or will be.

static int call_ping (actor_t *self, session_t *session, const call_t *call, error_t *err)
{
    (void) err;
    gateway_t *gateway = actor_state (self);
    pack_t *pack = &gateway->frame;
    reply_begin (pack, call->id);
    pack_map (pack);
    pack_key_u64 (pack, "session", session->number);
    pack_key_str (pack, "role", access_name (session->role));
    if (session->peer.key[0])
        pack_key_str (pack, "key", session->peer.key);
    else {
        pack_key_u64 (pack, "uid", session->peer.uid);
        pack_key_i64 (pack, "pid", session->peer.pid);
    }
    pack_end (pack);
    reply_end (pack);
    gateway_post (self, session, NULL);
    return 0;
}

//  Can all that the client missed since its last event be told? *SINCE: from where on.
static int check_since (const gateway_t *gateway, const call_t *call, uint64_t *since,
                        bool *complete, error_t *err)
{
    const char *epoch = value_get_str (call->args, "epoch");
    bool given = value_u64 (value_get (call->args, "since"), since);
    if (given != (epoch != NULL))
        return error_set (
            err, ERR_INVALID_ARG,
            "event.subscribe: 'since' and 'epoch' go together: both are in the answer "
            "of an earlier event.subscribe");
    *complete = !given || (strcmp (epoch, gateway->epoch) == 0 &&
                           history_has_since (gateway->history, *since));
    if (!given || !*complete)
        *since = history_last (gateway->history);
    return 0;
}

static void reply_subscribed (actor_t *self, session_t *session, uint64_t id, bool complete)
{
    gateway_t *gateway = actor_state (self);
    pack_t *pack = &gateway->frame;
    reply_begin (pack, id);
    pack_map (pack);
    pack_key_str (pack, "epoch", gateway->epoch);
    pack_key_u64 (pack, "seq", history_last (gateway->history));
    pack_key_bool (pack, "complete", complete);
    pack_end (pack);
    reply_end (pack);
    gateway_post (self, session, NULL);
}

static int call_subscribe (actor_t *self, session_t *session, const call_t *call, error_t *err)
{
    gateway_t *gateway = actor_state (self);
    const value_t *named = value_get (call->args, "domain");
    const snapshot_t *domain = NULL;
    if (named && !(domain = snapshots_resolve (gateway->snapshots, call->verb, named, err)))
        return -1;
    const char *net_name = value_get_str (call->args, "network");
    const network_view_t *network = NULL;
    if (net_name && !(network = networks_resolve (gateway->networks, call->verb, net_name, err)))
        return -1;
    uint64_t since = 0;
    bool complete;
    if (check_since (gateway, call, &since, &complete, err))
        return -1;
    const interest_t *interest = session_subscribe (session,
                                                    network  ? network->uuid
                                                    : domain ? domain->uuid
                                                             : "",
                                                    value_get (call->args, "verbs"), err);
    if (!interest)
        return -1;
    reply_subscribed (self, session, call->id, complete);
    gateway_replay (self, session, interest, since);
    return 0;
}

static int call_unsubscribe (actor_t *self, session_t *session, const call_t *call, error_t *err)
{
    (void) err;
    session_unsubscribe (session);
    reply_nil (self, session, call->id);
    return 0;
}

static int call_trace (actor_t *self, session_t *session, const call_t *call, error_t *err)
{
    (void) err;
    gateway_trace (self, session, value_get_bool (call->args, "enable", true));
    reply_nil (self, session, call->id);
    return 0;
}

typedef int (call_fn) (actor_t *self, session_t *session, const call_t *call, error_t *err);

static const struct {
    const char *verb;
    call_fn *call;
} own_calls[] = {
    { "session.ping", call_ping },
    { "event.subscribe", call_subscribe },
    { "event.unsubscribe", call_unsubscribe },
    { "host.trace", call_trace },
    { "domain.stats", gateway_stats },
    { "console.write", gateway_console_write },
    { "console.close", gateway_console_close },
};

static int answer_here (actor_t *self, session_t *session, const call_t *call, const verb_t *verb,
                        error_t *err)
{
    for (size_t i = 0; i < sizeof own_calls / sizeof *own_calls; i++)
        if (strcmp (own_calls[i].verb, verb->name) == 0)
            return own_calls[i].call (self, session, call, err);
    gateway_t *gateway = actor_state (self);
    query_t query = { gateway->snapshots, gateway->networks, verb,
                      call->args,         session->role,     actor_wall_clock (self) };
    reply_begin (&gateway->frame, call->id);
    if (query_answer (&query, &gateway->frame, err))
        return -1;
    reply_end (&gateway->frame);
    gateway_post (self, session, NULL);
    return 0;
}

static int check_access (const session_t *session, const verb_t *verb, error_t *err)
{
    if (session->role >= verb->access)
        return 0;
    const char *instead = session->peer.key[0] ? "have its key added with another --role there"
                          : verb->access == ACCESS_ADMIN ? "ask as root, or as the daemon's user"
                                                         : "use troupe.sock, not troupe-ro.sock";
    return error_set (err, ERR_OPERATION_DENIED,
                      "%s: it needs the right '%s', and this connection may only %s; %s",
                      verb->name, access_name (verb->access), access_name (session->role), instead);
}

static int carry_out (actor_t *self, session_t *session, const call_t *call, error_t *err)
{
    const verb_t *verb = verb_find (call->verb);
    if (!verb)
        return error_set (err, ERR_NO_SUPPORT,
                          "unknown verb '%.64s'; docs/protocol.md lists those that there are",
                          call->verb);
    if (check_access (session, verb, err) || verb_check_args (verb, call->args, err))
        return -1;
    if (call->key)
        return pass_on_once (self, session, call, verb, err);
    return verb->owner == OWNER_GATEWAY ? answer_here (self, session, call, verb, err)
                                        : pass_on (self, session, call, verb, err);
}

void gateway_call (actor_t *self, session_t *session, const void *bytes, size_t size)
{
    call_t call;
    error_t err;
    if (call_read (&call, bytes, size, &err) || carry_out (self, session, &call, &err))
        gateway_error (self, session, call.has_id, call.id, &err);
    call_close (&call);
}
