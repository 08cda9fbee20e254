//  switchboard.c: the switchboard's sockets, its loop, and the orderly end.

#include "actors/runtime/switchboard_self.h"

#include "actors/runtime/mailbox.h"
#include "util/text.h"

#include <errno.h>
#include <sys/resource.h>

enum {
    DRAIN = 256, //  frames between two looks at the deadlines
    STOP_RANKS = 4,
    STOP_MS = 15000, //  for the actors of one rank to end at shut-down
    SPARE_DESCRIPTORS = 256
};

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

slot_t *board_slot_of (switchboard_t *self, uint64_t incarnation)
{
    return zhashx_lookup (self->incarnations, &incarnation);
}

void board_send_to (switchboard_t *self, slot_t *slot, msg_t **msg_p)
{
    slot->sent++;
    int rc = msg_send (self->router, slot->incarnation, msg_p);
    assert (rc == 0); //  it said hello, and has not said bye: its pipe is there
}

//  To whoever asked, if that incarnation still lives.
void board_send_to_peer (switchboard_t *self, uint64_t peer, msg_t **msg_p)
{
    slot_t *slot = board_slot_of (self, peer);
    if (slot && slot->state == SLOT_LIVE)
        board_send_to (self, slot, msg_p);
    else
        msg_destroy (msg_p);
}

static void answer_error (switchboard_t *self, pair_key_t key, const char *from, const error_t *err,
                          unsigned flags)
{
    auto(msg_t) msg = msg_error (err);
    msg_header (msg)->flags = (uint8_t) flags;
    msg_header (msg)->peer = key.peer;
    msg_header (msg)->id = key.id;
    snprintf (msg_header (msg)->from, MSG_ADDRESS_MAX, "%s", from);
    board_send_to_peer (self, key.peer, &msg);
}

void board_answer_error (switchboard_t *self, pair_key_t key, const char *from, const error_t *err)
{
    answer_error (self, key, from, err, 0);
}

void board_fail_request (switchboard_t *self, request_t **request_p, const error_t *err)
{
    pair_key_t key = (*request_p)->key;
    const char *from = (*request_p)->slot->address;
    board_answer_error (self, key, from, err);
    request_remove (&self->requests, request_p);
}

bool board_has_state (const char *address)
{
    return text_starts (address, "domain/") || text_starts (address, "network/");
}

static error_code_t nobody_code (const char *address)
{
    if (!board_has_state (address))
        return ERR_OPERATION_INVALID;
    return text_starts (address, "network/") ? ERR_NO_NETWORK : ERR_NO_DOMAIN;
}

void board_set_nobody (error_t *err, const char *address)
{
    error_set (err, nobody_code (address), "nobody is at the address %s: it ended, or never was",
               address);
}

void board_refuse (switchboard_t *self, const msg_t *msg, const error_t *err)
{
    const msg_header_t *head = msg_head (msg);
    board_answer_error (self, (pair_key_t){ head->peer, head->id }, head->to, err);
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
        unsigned flags = MSG_EXPIRED | (request->admitted ? 0 : MSG_UNBEGUN);
        answer_error (self, request->key, request->slot->address, &err, flags);
        request_remove (&self->requests, &request);
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
        slot_t *sender = board_slot_of (self, peer);
        if (sender)
            board_route (self, sender, &msg);
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
        board_route_stop (self, NULL, &msg);
    }
    zlistx_destroy (&slots);
    return count;
}

static int stop_all (switchboard_t *self, error_t *err)
{
    const char *left = NULL;
    self->stopping = true;
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
    slot_t *slot = board_slot_for_spawn (self, args);
    assert (slot);
    if (board_start_actor (self, slot, &args, err)) {
        board_release_slot (self, slot, err);
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
