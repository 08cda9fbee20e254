//  switchboard_route.c: where a frame of each kind goes.
//
//      a request   is registered, then delivered, parked or refused; never lost
//      a reply     is delivered if its request is open and was this actor's to answer; else dropped
//      an end      answers all that was open there, tells the watchers
//      a deadline  answers the requester; a late reply finds no open request

#include "actors/runtime/switchboard_self.h"

static void park (switchboard_t *self, slot_t *slot, msg_t **msg_p)
{
    zlistx_add_end (slot->parked, take (msg_p));
    if (slot->state == SLOT_ASLEEP)
        board_wake (self, slot);
}

void board_deliver (switchboard_t *self, slot_t *slot, msg_t **msg_p)
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
    board_send_to (self, slot, msg_p);
}

static bool is_full (const slot_t *slot, const msg_t *msg)
{
    if (msg_kind (msg) == MSG_STREAM)
        return false; //  its window bounds it; a refused chunk would be lost
    if (msg_head (msg)->flags & MSG_NESTED)
        return false; //  the number of jobs bounds it; what they began must go on
    int limit = slot->class->max_requests ? slot->class->max_requests : ACTOR_MAX_REQUESTS;
    if (msg_head (msg)->flags & MSG_URGENT)
        limit += ACTOR_URGENT_RESERVE;
    return slot->open_requests >= limit;
}

//  The address's slot, if it takes this request; else the requester has got its error.
static slot_t *admit (switchboard_t *self, const msg_t *msg)
{
    const msg_header_t *head = msg_head (msg);
    slot_t *slot = zhashx_lookup (self->slots, head->to);
    error_t err;
    if (!slot) {
        board_set_nobody (&err, head->to);
        board_refuse (self, msg, &err);
        return NULL;
    }
    if (is_full (slot, msg)) {
        error_set (&err, ERR_RESOURCE_BUSY,
                   "%s is busy: %d requests wait there already; try again later", slot->address,
                   slot->open_requests);
        err.retry = true;
        board_refuse (self, msg, &err);
        return NULL;
    }
    return slot;
}

static void route_request (switchboard_t *self, slot_t *sender, msg_t **msg_p)
{
    msg_header_t *head = msg_header (*msg_p);
    head->peer = sender->incarnation;
    if (strcmp (head->to, SWITCHBOARD_ADDRESS) == 0) {
        board_answer_self (self, sender, msg_p);
        return;
    }
    slot_t *slot = admit (self, *msg_p);
    if (!slot)
        return;
    request_add (&self->requests, (pair_key_t){ head->peer, head->id }, slot, head->deadline,
                 head->kind == MSG_STREAM);
    board_deliver (self, slot, msg_p);
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
        board_answer_self (self, sender, msg_p);
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
    slot_t *requester = board_slot_of (self, key.peer);
    if (requester)
        snprintf (head->from, sizeof head->from, "%s", requester->address);
    board_deliver (self, slot, msg_p);
}

static void route_reply (switchboard_t *self, slot_t *sender, msg_t **msg_p)
{
    const msg_header_t *head = msg_head (*msg_p);
    request_t *request = request_find (&self->requests, (pair_key_t){ head->peer, head->id });
    if (!request || request->slot != sender)
        return;
    request_remove (&self->requests, &request);
    board_send_to_peer (self, head->peer, msg_p);
}

static void route_send (switchboard_t *self, slot_t *sender, msg_t **msg_p)
{
    msg_header (*msg_p)->peer = sender->incarnation;
    slot_t *slot = zhashx_lookup (self->slots, msg_head (*msg_p)->to);
    if (slot && (slot->state == SLOT_LIVE || zlistx_size (slot->parked) < ACTOR_MAX_PARKED))
        board_deliver (self, slot, msg_p);
}

//  Nobody would get the answer: the effect is not begun.
static void refuse_late (switchboard_t *self, const msg_header_t *head)
{
    error_t err;
    error_set (&err, ERR_OPERATION_TIMEOUT,
               "start actor %s: whoever asked for it does not wait any more", head->to);
    auto(msg_t) msg = msg_error (&err);
    msg_header (msg)->peer = head->peer;
    msg_header (msg)->id = head->id;
    msg_header (msg)->flags = MSG_LATE;
    board_send_to_peer (self, head->peer, &msg);
}

static void route_spawn (switchboard_t *self, slot_t *sender, msg_t **msg_p)
{
    msg_header_t *head = msg_header (*msg_p);
    head->peer = sender ? sender->incarnation : 0;
    if ((head->flags & MSG_IF_ADMITTED) && sender && !sender->admitted) {
        refuse_late (self, head);
        return;
    }
    slot_t *slot = board_slot_for_spawn (self, *msg_p);
    if (!slot)
        return;
    pair_key_t key = { head->peer, head->id };
    int64_t deadline = head->deadline;
    error_t err;
    if (board_start_actor (self, slot, msg_p, &err)) {
        if (*msg_p)
            board_refuse (self, *msg_p, &err);
        board_release_slot (self, slot, &err);
        return;
    }
    if (!sender)
        return;
    request_t *request = request_add (&self->requests, key, slot, deadline, false);
    if (request)
        request->incarnation = slot->incarnation;
}

void board_route_stop (switchboard_t *self, slot_t *sender, msg_t **msg_p)
{
    (void) sender;
    slot_t *slot = zhashx_lookup (self->slots, msg_head (*msg_p)->to);
    if (!slot)
        return;
    if (slot->state == SLOT_LIVE || slot->state == SLOT_STARTING)
        board_deliver (self, slot, msg_p);
    else if (slot->state != SLOT_DOZING) {
        error_t err;
        board_set_nobody (&err, slot->address);
        board_tell_watchers (self, slot, END_NORMAL, &err);
        board_release_slot (self, slot, &err);
    }
}

//  Watchers that ended themselves: those of an address that lives long would pile up.
static void forget_watchers (switchboard_t *self, slot_t *slot)
{
    pair_key_t *watcher = zlistx_first (slot->watchers);
    while (watcher) {
        void *place = zlistx_cursor (slot->watchers);
        pair_key_t *gone = board_slot_of (self, watcher->peer) ? NULL : watcher;
        watcher = zlistx_next (slot->watchers);
        if (gone) {
            zlistx_detach (slot->watchers, place);
            free (gone);
        }
    }
}

static void route_watch (switchboard_t *self, slot_t *sender, msg_t **msg_p)
{
    const msg_header_t *head = msg_head (*msg_p);
    pair_key_t watcher = { sender->incarnation, head->id };
    slot_t *slot = zhashx_lookup (self->slots, head->to);
    if (!slot) {
        error_t err;
        board_set_nobody (&err, head->to);
        board_tell_watcher (self, watcher, head->to, END_NORMAL, &err);
        return;
    }
    pair_key_t *copy = malloc (sizeof *copy);
    assert (copy);
    *copy = watcher;
    forget_watchers (self, slot);
    zlistx_add_end (slot->watchers, copy);
}

static void event_deliver (void *arg, const subscription_t *subscription, msg_t **copy_p)
{
    board_send_to_peer (arg, subscription->peer, copy_p);
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
    sender->admitted = request && request->slot == sender;
    if (!sender->admitted)
        return;
    request->admitted = true;
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
    [MSG_BYE] = board_route_bye,
    [MSG_DOZE] = board_route_doze,
    [MSG_STOP] = board_route_stop,
    [MSG_SPAWN] = route_spawn,
    [MSG_WATCH] = route_watch,
    [MSG_SUBSCRIBE] = route_subscribe,
    [MSG_UNSUBSCRIBE] = route_unsubscribe,
    [MSG_ADMIT] = route_admit,
    [MSG_FORWARD] = route_forward,
};

void board_route (switchboard_t *self, slot_t *sender, msg_t **msg_p)
{
    msg_header_t *head = msg_header (*msg_p);
    sender->handled = head->handled;
    sender->longest_us = head->longest_us;
    snprintf (head->from, sizeof head->from, "%s", sender->address);
    board_trace (self, *msg_p, head->to);
    if (head->kind == MSG_HELLO)
        board_route_hello (self, sender);
    else if (head->kind < sizeof routes / sizeof *routes && routes[head->kind])
        routes[head->kind](self, sender, msg_p);
}
