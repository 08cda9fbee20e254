//  zmq_gateway_calls.c: a client's request: checked, then answered here or passed on to its owner.

#include "actors/gateway/zmq_gateway_parts.h"

#include "actors/gateway/keyed_calls.h"
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
    request->domain = owner_named (call->args);
    request->deadline = actor_now (self) + call->deadline_ms;
    request->force = value_get_bool (call->args, "force", false);
    session->open_requests++;
    enlist (gateway, request);
    return request;
}

void gateway_forward (actor_t *self, open_request_t *request, const char *to, msg_t **msg_p,
                      actor_reply_fn *on_reply)
{
    int64_t left_ms = request->deadline - actor_now (self);
    if (owner_is_urgent (request->verb))
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

void gateway_on_answer (actor_t *self, const msg_t *reply, void *arg)
{
    gateway_t *gateway = actor_state (self);
    open_request_t *request = arg;
    uint64_t id = request->id;
    error_t err;
    bool failed = msg_failed (reply, &err);
    if (failed)
        owner_reword (&gateway->view, request->verb, request->domain, reply,
                      actor_wall_clock (self), &err);
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

static void pack_by (const session_t *session, const call_t *call, pack_t *by)
{
    pack_init (by);
    by_pack (&session->peer, session->role, session->number, call->trace, by);
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
    const gateway_t *gateway = actor_state (self);
    pack_t by;
    pack_by (session, call, &by);
    auto(msg_t) msg = owner_request_once (&gateway->view, verb, call->args, call->key, &by);
    pack_close (&by);
    gateway_forward (self, request, KEYED_CALLS_ADDRESS, &msg, gateway_on_answer);
    return 0;
}

static int pass_on (actor_t *self, session_t *session, const call_t *call, const verb_t *verb,
                    error_t *err)
{
    char address[MSG_ADDRESS_MAX];
    const gateway_t *gateway = actor_state (self);
    if (owner_find (&gateway->view, verb, call->args, address, err))
        return -1;
    open_request_t *request = gateway_open_request (self, session, call, verb, err);
    if (!request)
        return -1;
    pack_t by;
    pack_by (session, call, &by);
    auto(msg_t) msg = owner_request (verb, call->args, &by);
    pack_close (&by);
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
    if (named && !(domain = snapshots_resolve (gateway->view.snapshots, call->verb, named, err)))
        return -1;
    const char *net_name = value_get_str (call->args, "network");
    const network_view_t *network = NULL;
    if (net_name &&
        !(network = networks_resolve (gateway->view.networks, call->verb, net_name, err)))
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
    query_t query = { gateway->view.snapshots, gateway->view.networks, verb, call->args,
                      session->role,           actor_wall_clock (self) };
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
