//  links.c: owns the kernel's network links; see links_self.h for what is where.

#include "actors/links/links_self.h"

#include "actors/runtime/table.h"

#include <errno.h>

//  Operations.

static void op_free (op_t *op)
{
    op_clear_steps (op);
    links_let_go (&op->targets);
    links_let_go (&op->peer_targets);
    msg_destroy (&op->request);
    free (op);
}

static op_t *op_new (op_start_fn *start)
{
    op_t *op = memory_new (1, sizeof *op);
    op->start = start;
    op->targets.netns = op->peer_targets.netns = -1;
    return op;
}

static void start_next (links_t *self, owned_t *owned)
{
    op_t *next = zlistx_detach (owned->queue, NULL);
    owned->active = next;
    if (next)
        next->start (self, next);
    else if (!owned->exists)
        zhashx_delete (self->owned, owned->name);
}

static void enqueue (links_t *self, owned_t *owned, op_t *op)
{
    op->owned = owned;
    zlistx_add_end (owned->queue, op);
    if (!owned->active)
        start_next (self, owned);
}

//  It vanished while somebody worked on it, who was not to remove it.
static void notice_gone (links_t *self, owned_t *owned)
{
    if (!owned->gone)
        return;
    owned->gone = false;
    if (!owned->exists || !owned->record.made || owned->record.away || links_of (self, owned))
        return;
    links_tell_gone (self, owned, "");
    links_forget (self, owned);
    links_save (self);
}

static void op_over (links_t *self, op_t *op, const error_t *err)
{
    owned_t *owned = op->owned;
    batch_t *batch = op->batch;
    if (batch && err && batch->err.code == ERR_OK)
        batch->err = *err;
    else if (!batch && !op->request && err)
        actor_log (self->actor, LEVEL_ERROR, "%s", err->message);
    op_free (op);
    if (batch)
        batch_close (self, batch);
    if (!owned)
        return;
    notice_gone (self, owned);
    start_next (self, owned);
}

void op_answer (links_t *self, op_t *op, msg_t **result_p)
{
    if (op->request)
        actor_reply (self->actor, &op->request, result_p);
    op_over (self, op, NULL);
}

void op_end (links_t *self, op_t *op, const error_t *err)
{
    if (op->request && err)
        actor_reply_error (self->actor, &op->request, err);
    if (op->request) {
        auto(msg_t) reply = msg_reply ();
        pack_nil (msg_result (reply));
        actor_reply (self->actor, &op->request, &reply);
    }
    op_over (self, op, err);
}

static void pack_link_of (links_t *self, pack_t *pack, owned_t *owned)
{
    link_t link;
    links_describe (self, owned, &link);
    pack_key (pack, "link");
    link_pack (pack, &link);
}

void op_answer_link (links_t *self, op_t *op)
{
    auto(msg_t) reply = msg_reply ();
    pack_map (msg_result (reply));
    pack_link_of (self, msg_result (reply), op->owned);
    pack_end (msg_result (reply));
    op_answer (self, op, &reply);
}

void links_remove (links_t *self, owned_t *owned, batch_t *batch)
{
    op_t *op = op_new (op_delete);
    op->batch = batch;
    if (batch)
        batch->open++;
    enqueue (self, owned, op);
}

//  What an owner that claims its links is told that it has.
static void pack_links (links_t *self, pack_t *pack, const char *owner)
{
    pack_key_array (pack, "links");
    for (owned_t *owned = zhashx_first (self->owned); owned; owned = zhashx_next (self->owned)) {
        if (!owned->exists || strcmp (owned->record.owner, owner) != 0)
            continue;
        pack_map (pack);
        pack_key_str (pack, "key", owned->record.key);
        pack_link_of (self, pack, owned);
        pack_end (pack);
    }
    pack_end (pack);
}

static msg_t *batch_reply (links_t *self, const batch_t *batch)
{
    msg_t *reply = msg_reply ();
    pack_t *pack = msg_result (reply);
    if (!msg_is (batch->request, "link.claim")) {
        pack_nil (pack);
        return reply;
    }
    pack_map (pack);
    pack_links (self, pack, msg_str (batch->request, "owner"));
    pack_end (pack);
    return reply;
}

void batch_close (links_t *self, batch_t *batch)
{
    if (--batch->open > 0)
        return;
    if (batch->err.code != ERR_OK)
        actor_reply_error (self->actor, &batch->request, &batch->err);
    else {
        auto(msg_t) reply = batch_reply (self, batch);
        actor_reply (self->actor, &batch->request, &reply);
    }
    free (batch);
}

//  Requests.

static const struct {
    const char *verb;
    op_start_fn *start;
} key_verbs[] = {
    { "link.create", op_create },   { "link.set", op_set },     { "link.get", op_get },
    { "link.address", op_address }, { "link.route", op_route }, { "link.bandwidth", op_bandwidth },
    { "link.delete", op_delete },   { "link.take", op_take },
};

static const struct {
    const char *verb;
    void (*run) (links_t *self, msg_t **msg_p);
} other_verbs[] = {
    { "link.release", links_batch },
    { "link.claim", links_batch },
    { "links.settle", links_settle },
    { "link.list", links_show },
};

static void take_for_key (links_t *self, msg_t **msg_p, op_start_fn *start)
{
    error_t err;
    link_record_t checked;
    const char *owner = msg_str (*msg_p, "owner"), *key = msg_str (*msg_p, "key");
    if (!link_record_name (&checked, owner, key)) {
        error_set (&err, ERR_INVALID_ARG, "%s: '%s' of '%s' is no key of a link", msg_verb (*msg_p),
                   key ? key : "", owner ? owner : "");
        actor_reply_error (self->actor, msg_p, &err);
        return;
    }
    owned_t *owned = links_owned (self, owner, key, true);
    if (zlistx_size (owned->queue) >= LINKS_QUEUE) {
        error_set (&err, ERR_RESOURCE_BUSY, "%u requests wait for link '%s' of %s already",
                   LINKS_QUEUE, key, owner);
        actor_reply_error (self->actor, msg_p, &err);
        return;
    }
    op_t *op = op_new (start);
    op->request = take (msg_p);
    enqueue (self, owned, op);
}

static void handle_now (links_t *self, msg_t **msg_p)
{
    if (msg_is (*msg_p, "link.get") && msg_str (*msg_p, "name")) {
        op_t *op = op_new (op_find);
        op->request = take (msg_p);
        op_find (self, op);
        return;
    }
    for (size_t i = 0; i < sizeof key_verbs / sizeof *key_verbs && *msg_p; i++)
        if (msg_is (*msg_p, key_verbs[i].verb))
            take_for_key (self, msg_p, key_verbs[i].start);
    for (size_t i = 0; i < sizeof other_verbs / sizeof *other_verbs && *msg_p; i++)
        if (msg_is (*msg_p, other_verbs[i].verb))
            other_verbs[i].run (self, msg_p);
}

static void links_handle (actor_t *actor, msg_t **msg_p)
{
    links_t *self = actor_state (actor);
    if (self->unusable.code != ERR_OK)
        actor_reply_error (actor, msg_p, &self->unusable);
    else if (self->ready)
        handle_now (self, msg_p);
    else
        zlistx_add_end (self->early, take (msg_p));
}

void links_serve (links_t *self)
{
    msg_t *msg;
    self->ready = true;
    while ((msg = zlistx_detach (self->early, NULL))) {
        handle_now (self, &msg);
        msg_destroy (&msg);
    }
}

//  Life.

static void free_item (void **item_p)
{
    free (take (item_p));
}

static void destroy_msg (void **item_p)
{
    msg_destroy ((msg_t **) item_p);
}

static void make_tables (links_t *self)
{
    self->in_flight = table_by_u64 ();
    self->known = table_by_u64 ();
    zhashx_set_destructor (self->known, free_item);
    self->owned = zhashx_new ();
    zhashx_set_destructor (self->owned, owned_destroy);
    self->crowd = zlistx_new ();
    self->lookers = zlistx_new ();
    self->savers = zlistx_new ();
    self->doomed = zlistx_new ();
    self->early = zlistx_new ();
    zlistx_set_destructor (self->early, destroy_msg);
}

//  A daemon that can't reach the kernel's links is there for guests without any, all the same.
static int links_start (actor_t *actor, const msg_t *args, error_t *err)
{
    links_t *self = actor_state (actor);
    self->actor = actor;
    self->config = config_of (args);
    self->fd = self->news_fd = -1;
    make_tables (self);
    if (links_load (self, err) || links_open (self, err)) {
        self->unusable = *err;
        actor_log (actor, LEVEL_ERROR, "no network links: %s", err->message);
        return 0;
    }
    links_list (self);
    return 0;
}

//  Whoever waits is answered by the switchboard.
static void drop_op (op_t *op)
{
    batch_t *batch = op->batch;
    if (batch && --batch->open == 0) {
        msg_destroy (&batch->request);
        free (batch);
    }
    op_free (op);
}

static void drop_operations (links_t *self)
{
    op_t *op;
    while ((op = zlistx_detach (self->lookers, NULL)))
        if (!op->owned)
            drop_op (op);
    for (owned_t *owned = zhashx_first (self->owned); owned; owned = zhashx_next (self->owned)) {
        if (owned->active)
            drop_op (take (&owned->active));
        while ((op = zlistx_detach (owned->queue, NULL)))
            drop_op (op);
    }
}

//  The links stay.
static void links_stop (actor_t *actor)
{
    links_t *self = actor_state (actor);
    if (!self->owned)
        return; //  stopped before it started
    drop_operations (self);
    links_close (self);
    zlistx_destroy (&self->crowd);
    zlistx_destroy (&self->lookers);
    zlistx_destroy (&self->savers);
    zlistx_destroy (&self->doomed);
    zlistx_destroy (&self->going);
    zlistx_destroy (&self->early);
    zhashx_destroy (&self->in_flight);
    zhashx_destroy (&self->known);
    zhashx_destroy (&self->owned);
    free (self->path);
    free (self->boot_id);
}

const actor_class_t links_class = { .kind = "links",
                                    .state_size = sizeof (links_t),
                                    .max_requests = 4096,
                                    .stop_rank = 2,
                                    .start = links_start,
                                    .handle = links_handle,
                                    .stop = links_stop };
