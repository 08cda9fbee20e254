//  switchboard_life.c: how actors start, end, sleep and wake, and who has to hear of it.

#include "actors/runtime/switchboard_self.h"

int board_start_actor (switchboard_t *self, slot_t *slot, msg_t **start_p, error_t *err)
{
    if (self->actors >= self->max_actors) {
        error_set (err, ERR_RESOURCE_BUSY,
                   "start actor %s: %d actors live, and open files (RLIMIT_NOFILE) allow no more",
                   slot->address, self->actors);
        err->retry = true;
        return -1;
    }
    if (self->stopping)
        return error_set (err, ERR_OPERATION_ABORTED, "start actor %s: the daemon is ending",
                          slot->address);
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
            board_fail_request (self, &request, err);
    }
}

//  The address is nobody's any more.
void board_release_slot (switchboard_t *self, slot_t *slot, const error_t *err)
{
    fail_requests (self, slot, true, err);
    zhashx_delete (self->slots, slot->address);
    slot_destroy (&slot);
}

void board_tell_watcher (switchboard_t *self, pair_key_t watcher, const char *address,
                         end_reason_t reason, const error_t *err)
{
    auto(msg_t) down = msg_error (err);
    msg_header_t *head = msg_header (down);
    head->kind = MSG_DOWN;
    head->reason = (uint16_t) reason;
    head->peer = watcher.peer;
    head->id = watcher.id;
    snprintf (head->from, sizeof head->from, "%s", address);
    board_send_to_peer (self, watcher.peer, &down);
}

void board_tell_watchers (switchboard_t *self, slot_t *slot, end_reason_t reason,
                          const error_t *err)
{
    pair_key_t *watcher;
    while ((watcher = zlistx_detach (slot->watchers, NULL))) {
        board_tell_watcher (self, *watcher, slot->address, reason, err);
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

void board_wake (switchboard_t *self, slot_t *slot)
{
    error_t err;
    auto(msg_t) start = take (&slot->sleep_args);
    if (board_start_actor (self, slot, &start, &err)) {
        board_tell_watchers (self, slot, END_FAILED, &err);
        board_release_slot (self, slot, &err);
    }
}

//  Why those who wait for an actor that ended get no answer. A domain's owner ends by itself when
//  nothing is left of the domain.
static void set_ended (const switchboard_t *self, const slot_t *slot, error_t *err)
{
    if (board_has_state (slot->address) && !self->stopping)
        board_set_nobody (err, slot->address);
    else
        error_set (err, ERR_OPERATION_ABORTED, "%s ended before it answered", slot->address);
}

void board_route_bye (switchboard_t *self, slot_t *slot, msg_t **msg_p)
{
    end_reason_t reason = (end_reason_t) msg_head (*msg_p)->reason;
    error_t err;
    if (!msg_failed (*msg_p, &err))
        set_ended (self, slot, &err);
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
            board_wake (self, slot);
        return;
    }
    fail_requests (self, slot, false, &err);
    board_tell_watchers (self, slot, reason, &err);
    if (reason == END_PANIC && slot->supervised)
        slot->state = SLOT_DOWN;
    else
        board_release_slot (self, slot, &err);
}

void board_route_hello (switchboard_t *self, slot_t *slot)
{
    slot->state = SLOT_LIVE;
    msg_t *start = take (&slot->start);
    board_send_to (self, slot, &start);
    msg_t *msg;
    while ((msg = zlistx_detach (slot->parked, NULL)))
        board_deliver (self, slot, &msg);
}

void board_route_doze (switchboard_t *self, slot_t *slot, msg_t **msg_p)
{
    if (slot->handled != slot->sent)
        return; //  something is on its way to it, and will keep it awake
    slot->sleep_args = take (msg_p);
    auto(msg_t) stop = msg_new (MSG_STOP);
    msg_header (stop)->reason = END_SLEEP;
    board_send_to (self, slot, &stop);
    slot->state = SLOT_DOZING;
}

slot_t *board_slot_for_spawn (switchboard_t *self, const msg_t *msg)
{
    const msg_header_t *head = msg_head (msg);
    slot_t *slot = zhashx_lookup (self->slots, head->to);
    if (slot && slot->state != SLOT_DOWN) {
        error_t err;
        error_set (&err, ERR_OPERATION_INVALID, "start actor %s: it lives already", head->to);
        board_refuse (self, msg, &err);
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
