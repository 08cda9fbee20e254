//  links_remove.c: removing links. Each is looked at first: is it the one on record? Then, by its
//  ifindex, it is put into a group that nobody else has, and the group is removed by
//  `links/remover`. Those that come meanwhile go into the next group.

#include "actors/links/links_self.h"

#include "actors/runtime/switchboard.h"

#include <errno.h>

enum {
    REMOVE_MS = 60000,
    ASK_MS = 10000
};

//  A group without links.
uint32_t links_new_group (links_t *self)
{
    uint32_t group = 0;
    const known_t *known = NULL;
    do {
        actor_random (self->actor, &group, sizeof group);
        group &= INT32_MAX;
        known = zhashx_first (self->known);
        while (known && known->news.group != group)
            known = zhashx_next (self->known);
    } while (group == 0 || known);
    return group;
}

static void remove_group (links_t *self);

//  What the kernel says of the group as a whole counts for those that are still there.
static void after_removal (links_t *self, op_t *op, const error_t *err)
{
    (void) err;
    error_t still;
    op_then_fn *then = op->removed;
    if (!links_of (self, op->owned)) {
        then (self, op, NULL);
        return;
    }
    error_set (&still, ERR_OPERATION_FAILED, "%s: it is still there", op->what);
    then (self, op, op->unremoved.code ? &op->unremoved : &still);
}

static void on_removed (actor_t *actor, const msg_t *reply, void *arg)
{
    (void) arg;
    links_t *self = actor_state (actor);
    error_t err = { 0 };
    const value_t *result = msg_value (reply);
    int number = (int) value_get_i64 (result, "number", 0);
    const char *words = value_get_str (result, "words");
    //  ENODEV: others have removed them all.
    if (!msg_failed (reply, &err) && number != 0 && number != ENODEV)
        link_refusal (&err, "remove links", NULL, number, words ? words : "");
    zlistx_t *gone = take (&self->going);
    op_t *op;
    while ((op = zlistx_detach (gone, NULL))) {
        op->unremoved = err;
        op_look (self, op, after_removal);
    }
    zlistx_destroy (&gone);
    remove_group (self);
}

static void remove_group (links_t *self)
{
    if (self->going || self->joining > 0 || zlistx_size (self->doomed) == 0)
        return;
    auto(msg_t) request = msg_request ("link.remove_group");
    pack_key_u64 (msg_args (request), "group", self->group);
    self->going = self->doomed;
    self->doomed = zlistx_new ();
    self->group = links_new_group (self);
    actor_request (self->actor, "links/remover", &request, REMOVE_MS, on_removed, NULL);
}

static void joined (links_t *self, op_t *op, const error_t *err)
{
    self->joining--;
    if (err)
        op->removed (self, op, err);
    else
        zlistx_add_end (self->doomed, op);
    remove_group (self);
}

static void join_group (links_t *self, op_t *op, const error_t *err)
{
    (void) err;
    const known_t *known = links_born (self, op->owned);
    if (!known && links_known (self, op->owned->record.ifindex))
        actor_log (self->actor, LEVEL_WARNING,
                   "link %u was '%s' of %s; what it is now can't be told to be ours: left alone",
                   op->owned->record.ifindex, op->owned->record.key, op->owned->record.owner);
    if (!known) {
        op->removed (self, op, NULL);
        return;
    }
    snprintf (op->what, sizeof op->what, "remove link '%s'", known->news.link.name);
    op_add_step (op,
                 (link_step_t){ .msg = link_request_group ((uint32_t) known->ifindex, self->group),
                                .fine = { ENODEV } });
    self->joining++;
    op_run (self, op, joined);
}

void op_remove (links_t *self, op_t *op, op_then_fn *then)
{
    op->removed = then;
    op_look (self, op, join_group);
}

//  One.

static void deleted (links_t *self, op_t *op, const error_t *err)
{
    if (err)
        actor_log (self->actor, LEVEL_WARNING,
                   "link '%s' of %s is removed, but still on record: %s", op->owned->record.key,
                   op->owned->record.owner, err->message);
    op_end (self, op, NULL);
}

static void delete_removed (links_t *self, op_t *op, const error_t *err)
{
    if (err) {
        op_end (self, op, err);
        return;
    }
    links_forget (self, op->owned);
    op_save (self, op, deleted);
}

void op_delete (links_t *self, op_t *op)
{
    if (op->owned->exists && op->owned->record.kind == LINK_HOST)
        op_end_loan (self, op);
    else if (op->owned->exists)
        op_remove (self, op, delete_removed);
    else
        op_end (self, op, NULL);
}

//  Several.

static bool is_listed (const value_t *keys, const char *key)
{
    bool listed = false;
    for (size_t i = 0; i < value_count (keys); i++)
        listed = listed || text_equals (value_str (value_at (keys, i)), key);
    return listed;
}

//  All of OWNER but KEYS.
static void remove_all (links_t *self, const char *owner, const value_t *keys, batch_t *batch)
{
    auto(strings_t) names = links_owned_names (self);
    batch->open++; //  not over before all are counted
    for (size_t i = 0; i < names->count; i++) {
        owned_t *owned = zhashx_lookup (self->owned, names->items[i]);
        if (owned && strcmp (owned->record.owner, owner) == 0 &&
            !is_listed (keys, owned->record.key))
            links_remove (self, owned, batch);
    }
    batch_close (self, batch);
}

void links_batch (links_t *self, msg_t **msg_p)
{
    link_record_t checked;
    error_t err;
    const msg_t *msg = *msg_p;
    const char *owner = msg_str (msg, "owner");
    if (!link_record_name (&checked, owner, "key")) {
        error_set (&err, ERR_INVALID_ARG, "%s: '%s' is no owner", msg_verb (msg),
                   owner ? owner : "");
        actor_reply_error (self->actor, msg_p, &err);
        return;
    }
    batch_t *batch = memory_new (1, sizeof *batch);
    batch->request = take (msg_p);
    remove_all (self, checked.owner, msg_arg (msg, "keys"), batch);
}

//  Owners that are not there any more.

static bool lives (const value_t *actors, const char *address)
{
    bool found = false;
    for (size_t i = 0; i < value_count (actors); i++)
        found = found || text_equals (value_get_str (value_at (actors, i), "address"), address);
    return found;
}

static void on_actors (actor_t *actor, const msg_t *reply, void *arg)
{
    (void) arg;
    links_t *self = actor_state (actor);
    error_t err;
    if (msg_failed (reply, &err)) {
        actor_log (actor, LEVEL_ERROR, "see who has links: %s", err.message);
        return;
    }
    auto(strings_t) names = links_owned_names (self);
    for (size_t i = 0; i < names->count; i++) {
        owned_t *owned = zhashx_lookup (self->owned, names->items[i]);
        if (!owned || !owned->exists || lives (msg_value (reply), owned->record.owner))
            continue;
        actor_log (actor, LEVEL_WARNING, "link '%s' of %s, which does not exist: removed",
                   owned->record.key, owned->record.owner);
        links_remove (self, owned, NULL);
    }
}

void links_settle (links_t *self, msg_t **msg_p)
{
    auto(msg_t) request = msg_request ("ps");
    auto(msg_t) reply = msg_reply ();
    pack_nil (msg_result (reply));
    actor_request (self->actor, SWITCHBOARD_ADDRESS, &request, ASK_MS, on_actors, NULL);
    actor_reply (self->actor, msg_p, &reply);
}
