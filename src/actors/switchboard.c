//  switchboard.c: routes messages, and keeps the runtime's promises with the table of open
//  requests.
//
//      a request     is registered, then delivered, parked or refused; never lost
//      a reply       is delivered if its request is open and was this actor's to answer; else
//      dropped an end        answers all that was open there, tells the watchers, takes back
//      subscriptions a deadline    answers the requester; a late reply finds no open request

#include "actors/switchboard.h"

#include "actors/mailbox.h"
#include "actors/slot.h"
#include "actors/topics.h"

#include <errno.h>
#include <sys/resource.h>

enum {
    DRAIN = 256,             //  frames between two looks at the deadlines
    TRACE_MAX_BEHIND = 4096, //  frames that a tracer may lag before trace events are dropped
    STOP_RANKS = 4,
    STOP_MS = 15000, //  for the actors of one rank to end at shut-down
    SPARE_DESCRIPTORS = 256
};

struct switchboard {
    void *context, *router;
    zhashx_t *slots;        //  slot_t by address
    zhashx_t *incarnations; //  slot_t by incarnation, while its thread exists
    requests_t requests;
    topics_t topics;
    uint64_t last_incarnation, traced_lost;
    int actors, max_actors;
    const char *root;
    bool root_ended;
    error_t root_error;
};

static void deliver (switchboard_t *self, slot_t *slot, msg_t **msg_p);
static void route (switchboard_t *self, slot_t *sender, msg_t **msg_p);

//  Making.

static int open_router (switchboard_t *self, error_t *err)
{
    int none = 0, mandatory = 1;
    self->router = zmq_socket (self->context, ZMQ_ROUTER);
    if (self->router) {
        zmq_setsockopt (self->router, ZMQ_SNDHWM, &none, sizeof none);
        zmq_setsockopt (self->router, ZMQ_RCVHWM, &none, sizeof none);
        zmq_setsockopt (self->router, ZMQ_LINGER, &none, sizeof none);
        zmq_setsockopt (self->router, ZMQ_ROUTER_MANDATORY, &mandatory, sizeof mandatory);
        if (zmq_bind (self->router, "inproc://switchboard") == 0)
            return 0;
    }
    return error_set (err, ERR_SYSTEM_ERROR, "open the switchboard: %s", zmq_strerror (errno));
}

//  Each mailbox takes a descriptor; leave some for everything else.
static int descriptor_limit (void)
{
    struct rlimit limit;
    if (getrlimit (RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit (RLIMIT_NOFILE, &limit);
    }
    getrlimit (RLIMIT_NOFILE, &limit);
    rlim_t most = limit.rlim_cur > 1000000 ? 1000000 : limit.rlim_cur;
    return (int) most - SPARE_DESCRIPTORS;
}

switchboard_t *switchboard_new (int max_actors, error_t *err)
{
    auto(switchboard_t) self = calloc (1, sizeof *self);
    assert (self);
    int limit = descriptor_limit ();
    self->max_actors = max_actors > 0 && max_actors < limit ? max_actors : limit;
    self->slots = zhashx_new ();
    self->incarnations = table_by_u64 ();
    requests_open (&self->requests);
    topics_open (&self->topics);
    self->context = zmq_ctx_new ();
    assert (self->slots && self->context);
    zmq_ctx_set (self->context, ZMQ_MAX_SOCKETS, limit + SPARE_DESCRIPTORS);
    if (open_router (self, err))
        return NULL;
    return take (&self);
}

void switchboard_destroy (switchboard_t **self_p)
{
    switchboard_t *self = take (self_p);
    if (!self)
        return;
    requests_close (&self->requests);
    for (slot_t *slot = zhashx_first (self->slots); slot; slot = zhashx_next (self->slots))
        slot_destroy (&slot);
    zhashx_destroy (&self->slots);
    zhashx_destroy (&self->incarnations);
    topics_close (&self->topics);
    if (self->router)
        zmq_close (self->router);
    zmq_ctx_term (self->context);
    free (self);
}

//  Sending.

static slot_t *slot_of (switchboard_t *self, uint64_t incarnation)
{
    return zhashx_lookup (self->incarnations, &incarnation);
}

static void send_to (switchboard_t *self, slot_t *slot, msg_t **msg_p)
{
    slot->sent++;
    int rc = msg_send (self->router, slot->incarnation, msg_p);
    assert (rc == 0); //  it said hello, and has not said bye: its pipe is there
}

//  To whoever asked, if that incarnation still lives.
static void send_to_peer (switchboard_t *self, uint64_t peer, msg_t **msg_p)
{
    slot_t *slot = slot_of (self, peer);
    if (slot && slot->state == SLOT_LIVE)
        send_to (self, slot, msg_p);
    else
        msg_destroy (msg_p);
}

static void answer_error (switchboard_t *self, pair_key_t key, const char *from, const error_t *err)
{
    auto(msg_t) msg = msg_error (err);
    msg_header (msg)->peer = key.peer;
    msg_header (msg)->id = key.id;
    snprintf (msg_header (msg)->from, MSG_ADDRESS_MAX, "%s", from);
    send_to_peer (self, key.peer, &msg);
}

static void fail_request (switchboard_t *self, request_t **request_p, const error_t *err)
{
    pair_key_t key = (*request_p)->key;
    const char *from = (*request_p)->slot->address;
    answer_error (self, key, from, err);
    request_remove (&self->requests, request_p);
}

//  Trace: a copy of the header of what is routed, for those who asked for it.

static void trace_deliver (void *arg, const subscription_t *subscription, msg_t **copy_p)
{
    switchboard_t *self = arg;
    slot_t *slot = slot_of (self, subscription->peer);
    if (slot && slot->sent - slot->handled > TRACE_MAX_BEHIND) {
        self->traced_lost++;
        msg_destroy (copy_p);
    } else
        send_to_peer (self, subscription->peer, copy_p);
}

static const char *kind_name (msg_kind_t kind)
{
    static const char *const names[] = {
        [MSG_REQUEST] = "request",
        [MSG_REPLY] = "reply",
        [MSG_ERROR] = "error",
        [MSG_SEND] = "send",
        [MSG_EVENT] = "event",
        [MSG_STREAM] = "stream",
        [MSG_DOWN] = "down",
        [MSG_HELLO] = "hello",
        [MSG_BYE] = "bye",
        [MSG_DOZE] = "doze",
        [MSG_START] = "start",
        [MSG_STOP] = "stop",
        [MSG_SPAWN] = "spawn",
        [MSG_WATCH] = "watch",
        [MSG_SUBSCRIBE] = "subscribe",
        [MSG_ADMIT] = "admit",
        [MSG_FORWARD] = "forward",
        [MSG_REPORT] = "report",
        [MSG_UNSUBSCRIBE] = "unsubscribe",
    };
    return names[kind];
}

static void trace (switchboard_t *self, const msg_t *msg, const char *to)
{
    if (!topics_wanted (&self->topics, SWITCHBOARD_TRACE_TOPIC) || msg_kind (msg) == MSG_REPORT)
        return;
    const msg_header_t *head = msg_head (msg);
    auto(msg_t) event = msg_event (SWITCHBOARD_TRACE_TOPIC);
    pack_t *pack = msg_args (event);
    pack_key_i64 (pack, "time_us", mailbox_wall_clock ());
    pack_key_str (pack, "kind", kind_name (msg_kind (msg)));
    pack_key_str (pack, "from", head->from);
    pack_key_str (pack, "to", to);
    pack_key_str (pack, "verb", msg_verb (msg));
    pack_key_u64 (pack, "id", head->id);
    pack_key_u64 (pack, "bytes", msg_size (msg));
    pack_key_u64 (pack, "lost", self->traced_lost);
    snprintf (msg_header (event)->to, MSG_ADDRESS_MAX, SWITCHBOARD_TRACE_TOPIC);
    msg_header (event)->reason = MSG_PASS;
    topics_publish (&self->topics, &event, trace_deliver, self);
}

//  Starting and ending actors.

static int start_actor (switchboard_t *self, slot_t *slot, msg_t **start_p, error_t *err)
{
    if (self->actors >= self->max_actors) {
        error_set (err, ERR_RESOURCE_BUSY,
                   "start actor %s: %d actors live, and open files (RLIMIT_NOFILE) allow no more",
                   slot->address, self->actors);
        err->retry = true;
        return -1;
    }
    //  A routing id may not begin with a zero byte.
    uint64_t incarnation = (++self->last_incarnation << 8) | 1;
    slot->actor = actor_new (self->context, slot->address, slot->class, incarnation, err);
    if (!slot->actor)
        return -1;
    if (actor_launch (slot->actor, err)) {
        actor_destroy (&slot->actor);
        return -1;
    }
    self->actors++;
    slot->incarnation = incarnation;
    slot->state = SLOT_STARTING;
    slot->sent = slot->handled = 0;
    slot->start = take (start_p);
    msg_header (slot->start)->kind = MSG_START;
    zhashx_insert (self->incarnations, &slot->incarnation, slot);
    return 0;
}

static void fail_requests (switchboard_t *self, slot_t *slot, bool parked_too, const error_t *err)
{
    request_t *next;
    for (request_t *request = slot->requests; request; request = next) {
        next = request->next;
        if (parked_too || request->incarnation)
            fail_request (self, &request, err);
    }
}

//  The address is nobody's any more.
static void release_slot (switchboard_t *self, slot_t *slot, const error_t *err)
{
    fail_requests (self, slot, true, err);
    zhashx_delete (self->slots, slot->address);
    slot_destroy (&slot);
}

static void tell_watcher (switchboard_t *self, pair_key_t watcher, const char *address,
                          end_reason_t reason, const error_t *err)
{
    auto(msg_t) down = msg_error (err);
    msg_header_t *head = msg_header (down);
    head->kind = MSG_DOWN;
    head->reason = (uint16_t) reason;
    head->peer = watcher.peer;
    head->id = watcher.id;
    snprintf (head->from, sizeof head->from, "%s", address);
    send_to_peer (self, watcher.peer, &down);
}

static void tell_watchers (switchboard_t *self, slot_t *slot, end_reason_t reason,
                           const error_t *err)
{
    pair_key_t *watcher;
    while ((watcher = zlistx_detach (slot->watchers, NULL))) {
        tell_watcher (self, *watcher, slot->address, reason, err);
        free (watcher);
    }
}

//  What the ended incarnation itself waited for: nobody wants the answers any more.
static void forget_requester (switchboard_t *self, uint64_t incarnation)
{
    zlistx_t *gone = zlistx_new ();
    for (request_t *request = zhashx_first (self->requests.by_key); request;
         request = zhashx_next (self->requests.by_key))
        if (request->key.peer == incarnation)
            zlistx_add_end (gone, request);
    request_t *request;
    while ((request = zlistx_detach (gone, NULL)))
        request_remove (&self->requests, &request);
    zlistx_destroy (&gone);
    topics_unsubscribe (&self->topics, incarnation, 0);
}

static void wake (switchboard_t *self, slot_t *slot)
{
    error_t err;
    auto(msg_t) start = take (&slot->sleep_args);
    if (start_actor (self, slot, &start, &err)) {
        tell_watchers (self, slot, END_FAILED, &err);
        release_slot (self, slot, &err);
    }
}

static void route_bye (switchboard_t *self, slot_t *slot, msg_t **msg_p)
{
    end_reason_t reason = (end_reason_t) msg_head (*msg_p)->reason;
    error_t err;
    if (!msg_failed (*msg_p, &err))
        error_set (&err, ERR_OPERATION_ABORTED, "%s ended before it answered", slot->address);
    forget_requester (self, slot->incarnation);
    zhashx_delete (self->incarnations, &slot->incarnation);
    actor_destroy (&slot->actor);
    self->actors--;
    if (strcmp (slot->address, self->root) == 0) {
        self->root_ended = true;
        self->root_error = reason == END_NORMAL ? (error_t){ 0 } : err;
    }
    if (reason == END_SLEEP) {
        slot->state = SLOT_ASLEEP;
        if (zlistx_size (slot->parked) > 0)
            wake (self, slot);
        return;
    }
    fail_requests (self, slot, false, &err);
    tell_watchers (self, slot, reason, &err);
    if (reason == END_PANIC && slot->supervised)
        slot->state = SLOT_DOWN;
    else
        release_slot (self, slot, &err);
}

static void route_hello (switchboard_t *self, slot_t *slot)
{
    slot->state = SLOT_LIVE;
    msg_t *start = take (&slot->start);
    send_to (self, slot, &start);
    msg_t *msg;
    while ((msg = zlistx_detach (slot->parked, NULL)))
        deliver (self, slot, &msg);
}

static void route_doze (switchboard_t *self, slot_t *slot, msg_t **msg_p)
{
    if (slot->handled != slot->sent)
        return; //  something is on its way to it, and will keep it awake
    slot->sleep_args = take (msg_p);
    auto(msg_t) stop = msg_new (MSG_STOP);
    msg_header (stop)->reason = END_SLEEP;
    send_to (self, slot, &stop);
    slot->state = SLOT_DOZING;
}

//  Delivering.

static void park (switchboard_t *self, slot_t *slot, msg_t **msg_p)
{
    zlistx_add_end (slot->parked, take (msg_p));
    if (slot->state == SLOT_ASLEEP)
        wake (self, slot);
}

static void deliver (switchboard_t *self, slot_t *slot, msg_t **msg_p)
{
    if (slot->state != SLOT_LIVE) {
        park (self, slot, msg_p);
        return;
    }
    const msg_header_t *head = msg_head (*msg_p);
    if (head->kind == MSG_REQUEST || head->kind == MSG_STREAM) {
        request_t *request = request_find (&self->requests, (pair_key_t){ head->peer, head->id });
        if (!request) {
            //  Its deadline passed, or its requester ended, while it was parked.
            msg_destroy (msg_p);
            return;
        }
        request->incarnation = slot->incarnation;
    }
    send_to (self, slot, msg_p);
}

static bool is_full (const slot_t *slot, const msg_t *msg)
{
    if (msg_kind (msg) == MSG_STREAM)
        return false; //  its window bounds it; a refused chunk would be lost
    int limit = slot->class->max_requests ? slot->class->max_requests : ACTOR_MAX_REQUESTS;
    if (msg_head (msg)->flags & MSG_URGENT)
        limit += ACTOR_URGENT_RESERVE;
    return slot->open_requests >= limit;
}

static void set_nobody (error_t *err, const char *address)
{
    bool domain = strncmp (address, "domain/", 7) == 0;
    error_set (err, domain ? ERR_NO_DOMAIN : ERR_OPERATION_INVALID,
               "nobody is at the address %s: it ended, or never was", address);
}

static void refuse (switchboard_t *self, const msg_t *msg, const error_t *err)
{
    const msg_header_t *head = msg_head (msg);
    answer_error (self, (pair_key_t){ head->peer, head->id }, head->to, err);
}

//  The address's slot, if it takes this request; else the requester has got its error.
static slot_t *admit (switchboard_t *self, const msg_t *msg)
{
    const msg_header_t *head = msg_head (msg);
    slot_t *slot = zhashx_lookup (self->slots, head->to);
    error_t err;
    if (!slot) {
        set_nobody (&err, head->to);
        refuse (self, msg, &err);
        return NULL;
    }
    if (is_full (slot, msg)) {
        error_set (&err, ERR_RESOURCE_BUSY,
                   "%s is busy: %d requests wait there already; try again later", slot->address,
                   slot->open_requests);
        err.retry = true;
        refuse (self, msg, &err);
        return NULL;
    }
    return slot;
}

static void answer_self (switchboard_t *self, slot_t *sender, msg_t **msg_p);

static void route_request (switchboard_t *self, slot_t *sender, msg_t **msg_p)
{
    msg_header_t *head = msg_header (*msg_p);
    head->peer = sender->incarnation;
    if (strcmp (head->to, SWITCHBOARD_ADDRESS) == 0) {
        answer_self (self, sender, msg_p);
        return;
    }
    slot_t *slot = admit (self, *msg_p);
    if (!slot)
        return;
    request_add (&self->requests, (pair_key_t){ head->peer, head->id }, slot, head->deadline,
                 head->kind == MSG_STREAM);
    deliver (self, slot, msg_p);
}

//  An open request moves on to another address, whose actor then has to answer it.
static void route_forward (switchboard_t *self, slot_t *sender, msg_t **msg_p)
{
    msg_header_t *head = msg_header (*msg_p);
    pair_key_t key = { head->peer, head->id };
    request_t *request = request_find (&self->requests, key);
    if (!request || request->slot != sender)
        return;
    if (strcmp (head->to, SWITCHBOARD_ADDRESS) == 0) {
        request_remove (&self->requests, &request);
        answer_self (self, sender, msg_p);
        return;
    }
    slot_t *slot = admit (self, *msg_p);
    if (!slot) {
        request_remove (&self->requests, &request);
        return;
    }
    request_move (request, slot);
    head->kind = MSG_REQUEST;
    //  Whoever answers sees who asked first, not who passed it on.
    slot_t *requester = slot_of (self, key.peer);
    if (requester)
        snprintf (head->from, sizeof head->from, "%s", requester->address);
    deliver (self, slot, msg_p);
}

static void route_reply (switchboard_t *self, slot_t *sender, msg_t **msg_p)
{
    const msg_header_t *head = msg_head (*msg_p);
    request_t *request = request_find (&self->requests, (pair_key_t){ head->peer, head->id });
    if (!request || request->slot != sender)
        return;
    request_remove (&self->requests, &request);
    send_to_peer (self, head->peer, msg_p);
}

static void route_send (switchboard_t *self, slot_t *sender, msg_t **msg_p)
{
    msg_header (*msg_p)->peer = sender->incarnation;
    slot_t *slot = zhashx_lookup (self->slots, msg_head (*msg_p)->to);
    if (slot && (slot->state == SLOT_LIVE || zlistx_size (slot->parked) < ACTOR_MAX_PARKED))
        deliver (self, slot, msg_p);
}

//  The slot for a new incarnation; NULL, and the requester has got its error, if the address is
//  taken.
static slot_t *slot_for_spawn (switchboard_t *self, const msg_t *msg)
{
    const msg_header_t *head = msg_head (msg);
    slot_t *slot = zhashx_lookup (self->slots, head->to);
    if (slot && slot->state != SLOT_DOWN) {
        error_t err;
        error_set (&err, ERR_OPERATION_INVALID, "start actor %s: it lives already", head->to);
        refuse (self, msg, &err);
        return NULL;
    }
    if (slot)
        slot->restarts++;
    else {
        slot = slot_new (head->to);
        zhashx_insert (self->slots, slot->address, slot);
    }
    slot->class = head->data;
    slot->supervised = head->reason;
    return slot;
}

static void route_spawn (switchboard_t *self, slot_t *sender, msg_t **msg_p)
{
    msg_header_t *head = msg_header (*msg_p);
    head->peer = sender ? sender->incarnation : 0;
    slot_t *slot = slot_for_spawn (self, *msg_p);
    if (!slot)
        return;
    pair_key_t key = { head->peer, head->id };
    int64_t deadline = head->deadline;
    error_t err;
    if (start_actor (self, slot, msg_p, &err)) {
        if (*msg_p)
            refuse (self, *msg_p, &err);
        release_slot (self, slot, &err);
        return;
    }
    if (!sender)
        return;
    request_t *request = request_add (&self->requests, key, slot, deadline, false);
    if (request)
        request->incarnation = slot->incarnation;
}

static void route_stop (switchboard_t *self, slot_t *sender, msg_t **msg_p)
{
    (void) sender;
    slot_t *slot = zhashx_lookup (self->slots, msg_head (*msg_p)->to);
    if (!slot)
        return;
    if (slot->state == SLOT_LIVE || slot->state == SLOT_STARTING)
        deliver (self, slot, msg_p);
    else if (slot->state != SLOT_DOZING) {
        error_t err;
        set_nobody (&err, slot->address);
        tell_watchers (self, slot, END_NORMAL, &err);
        release_slot (self, slot, &err);
    }
}

static void route_watch (switchboard_t *self, slot_t *sender, msg_t **msg_p)
{
    const msg_header_t *head = msg_head (*msg_p);
    pair_key_t watcher = { sender->incarnation, head->id };
    slot_t *slot = zhashx_lookup (self->slots, head->to);
    if (!slot) {
        error_t err;
        set_nobody (&err, head->to);
        tell_watcher (self, watcher, head->to, END_NORMAL, &err);
        return;
    }
    pair_key_t *copy = malloc (sizeof *copy);
    assert (copy);
    *copy = watcher;
    zlistx_add_end (slot->watchers, copy);
}

static void event_deliver (void *arg, const subscription_t *subscription, msg_t **copy_p)
{
    send_to_peer (arg, subscription->peer, copy_p);
}

static void route_subscribe (switchboard_t *self, slot_t *sender, msg_t **msg_p)
{
    const msg_header_t *head = msg_head (*msg_p);
    topics_subscribe (&self->topics, (pair_key_t){ sender->incarnation, head->id }, head->to,
                      event_deliver, self);
}

static void route_unsubscribe (switchboard_t *self, slot_t *sender, msg_t **msg_p)
{
    topics_unsubscribe (&self->topics, sender->incarnation, msg_head (*msg_p)->id);
}

static void route_event (switchboard_t *self, slot_t *sender, msg_t **msg_p)
{
    (void) sender;
    topics_publish (&self->topics, msg_p, event_deliver, self);
}

static void route_admit (switchboard_t *self, slot_t *sender, msg_t **msg_p)
{
    const msg_header_t *head = msg_head (*msg_p);
    request_t *request = request_find (&self->requests, (pair_key_t){ head->peer, head->id });
    if (request && request->slot == sender)
        timers_set (&self->requests.deadlines, &request->node, head->deadline);
}

typedef void (route_fn) (switchboard_t *self, slot_t *sender, msg_t **msg_p);

static route_fn *const routes[MSG_REPORT + 1] = {
    [MSG_REQUEST] = route_request,
    [MSG_REPLY] = route_reply,
    [MSG_ERROR] = route_reply,
    [MSG_SEND] = route_send,
    [MSG_EVENT] = route_event,
    [MSG_STREAM] = route_request,
    [MSG_BYE] = route_bye,
    [MSG_DOZE] = route_doze,
    [MSG_STOP] = route_stop,
    [MSG_SPAWN] = route_spawn,
    [MSG_WATCH] = route_watch,
    [MSG_SUBSCRIBE] = route_subscribe,
    [MSG_UNSUBSCRIBE] = route_unsubscribe,
    [MSG_ADMIT] = route_admit,
    [MSG_FORWARD] = route_forward,
};

static void route (switchboard_t *self, slot_t *sender, msg_t **msg_p)
{
    msg_header_t *head = msg_header (*msg_p);
    sender->handled = head->handled;
    sender->longest_us = head->longest_us;
    snprintf (head->from, sizeof head->from, "%s", sender->address);
    trace (self, *msg_p, head->to);
    if (head->kind == MSG_HELLO)
        route_hello (self, sender);
    else if (head->kind < sizeof routes / sizeof *routes && routes[head->kind])
        routes[head->kind](self, sender, msg_p);
}

//  `ps`.

static const char *state_name (slot_state_t state)
{
    static const char *const names[] = { "starting", "live", "dozing", "asleep", "down" };
    return names[state];
}

static void pack_slot (pack_t *pack, const slot_t *slot)
{
    pack_map (pack);
    pack_key_str (pack, "address", slot->address);
    pack_key_str (pack, "kind", slot->class->kind);
    pack_key_str (pack, "state", state_name (slot->state));
    pack_key_u64 (pack, "mailbox", slot->sent - slot->handled);
    pack_key_u64 (pack, "handled", slot->handled);
    pack_key_u64 (pack, "longest_us", slot->longest_us);
    pack_key_i64 (pack, "requests", slot->open_requests);
    pack_key_u64 (pack, "parked", zlistx_size (slot->parked));
    pack_key_u64 (pack, "restarts", slot->restarts);
    pack_end (pack);
}

static int compare_addresses (const void *a, const void *b)
{
    return strcmp (a, b);
}

static void answer_self (switchboard_t *self, slot_t *sender, msg_t **msg_p)
{
    (void) sender;
    const msg_header_t *head = msg_head (*msg_p);
    if (!msg_is (*msg_p, "ps") && !msg_is (*msg_p, "host.actors")) {
        error_t err;
        error_set (&err, ERR_NO_SUPPORT, "the switchboard does not know the verb '%s'",
                   msg_verb (*msg_p));
        refuse (self, *msg_p, &err);
        return;
    }
    auto(msg_t) reply = msg_reply ();
    pack_array (msg_result (reply));
    zlistx_t *addresses = zhashx_keys (self->slots);
    zlistx_set_comparator (addresses, compare_addresses);
    zlistx_sort (addresses);
    for (const char *address = zlistx_first (addresses); address; address = zlistx_next (addresses))
        pack_slot (msg_result (reply), zhashx_lookup (self->slots, address));
    zlistx_destroy (&addresses);
    pack_end (msg_result (reply));
    msg_header (reply)->peer = head->peer;
    msg_header (reply)->id = head->id;
    send_to_peer (self, head->peer, &reply);
}

//  The loop.

static void expire (switchboard_t *self)
{
    timer_node_t *node;
    int64_t now = mailbox_now ();
    while ((node = timers_pop (&self->requests.deadlines, now))) {
        request_t *request = (request_t *) node;
        error_t err;
        error_set (&err, ERR_OPERATION_TIMEOUT, "no answer from %s within the deadline",
                   request->slot->address);
        err.retry = true;
        fail_request (self, &request, &err);
    }
}

static void turn (switchboard_t *self, int64_t until)
{
    timer_node_t *first = timers_first (&self->requests.deadlines);
    if (first && first->due < until)
        until = first->due;
    zmq_pollitem_t item = { self->router, 0, ZMQ_POLLIN, 0 };
    mailbox_wait (&item, 1, until);
    uint64_t peer;
    msg_t *msg;
    for (int i = 0; i < DRAIN && (msg = msg_recv (self->router, &peer)); i++) {
        slot_t *sender = slot_of (self, peer);
        if (sender)
            route (self, sender, &msg);
        msg_destroy (&msg);
    }
    expire (self);
}

//  Shut-down, by rank: those that lean on others first.

static int tell_rank (switchboard_t *self, int rank, bool stop, const char **left)
{
    int count = 0;
    zlistx_t *slots = zhashx_values (self->slots);
    for (slot_t *slot = zlistx_first (slots); slot; slot = zlistx_next (slots)) {
        if (slot->class->stop_rank != rank)
            continue;
        count++;
        *left = slot->address;
        if (!stop)
            continue;
        auto(msg_t) msg = msg_new (MSG_STOP);
        snprintf (msg_header (msg)->to, MSG_ADDRESS_MAX, "%s", slot->address);
        route_stop (self, NULL, &msg);
    }
    zlistx_destroy (&slots);
    return count;
}

static int stop_all (switchboard_t *self, error_t *err)
{
    const char *left = NULL;
    for (int rank = 0; rank < STOP_RANKS; rank++) {
        int64_t until = mailbox_now () + STOP_MS;
        tell_rank (self, rank, true, &left);
        while (tell_rank (self, rank, false, &left) > 0) {
            turn (self, until);
            if (mailbox_now () >= until)
                return error_set (err, ERR_OPERATION_TIMEOUT,
                                  "stop: %s does not end within %d s; the process ends without it",
                                  left, STOP_MS / 1000);
        }
    }
    return 0;
}

int switchboard_run (switchboard_t *self, const char *address, const actor_class_t *root,
                     msg_t **args_p, error_t *err)
{
    auto(msg_t) args = take (args_p);
    msg_header (args)->data = root;
    snprintf (msg_header (args)->to, MSG_ADDRESS_MAX, "%s", address);
    self->root = address;
    self->root_ended = false;
    error_set (&self->root_error, ERR_OK, "%s", "");
    slot_t *slot = slot_for_spawn (self, args);
    assert (slot);
    if (start_actor (self, slot, &args, err)) {
        release_slot (self, slot, err);
        return -1;
    }
    while (!self->root_ended)
        turn (self, INT64_MAX);
    if (stop_all (self, err))
        return -1;
    if (self->root_error.code == ERR_OK)
        return 0;
    *err = self->root_error;
    return -1;
}
