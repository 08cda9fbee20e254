//  links_change.c: what is done to a link that is there, and what is asked about it.

#include "actors/links/links_self.h"

#include "drivers/net/link_address.h"
#include "drivers/net/network_routes.h"

#include <errno.h>

//  The key's link, or the error of its having none. PEER: the other end.
static known_t *link_of (links_t *self, op_t *op, bool peer, error_t *err)
{
    owned_t *owned = op->owned;
    known_t *known = owned->exists ? links_of (self, owned) : NULL;
    if (!known && owned->exists && owned->record.away)
        error_set (err, ERR_OPERATION_INVALID,
                   "link '%s' of %s went into another network namespace: it can't be reached",
                   owned->record.key, owned->record.owner);
    else if (!known)
        error_set (err, ERR_NO_INTERFACE, "%s has no link '%s'", owned->record.owner,
                   owned->record.key);
    if (!known || !peer)
        return known;
    known = links_peer (self, known);
    if (!known)
        error_set (err, ERR_OPERATION_INVALID,
                   "link '%s' of %s: its other end is not here: it has none, or that is in another "
                   "network namespace",
                   owned->record.key, owned->record.owner);
    return known;
}

//  The link that the operation is about, and what it is called in errors.
static known_t *begin (links_t *self, op_t *op, bool peer, const char *what)
{
    error_t err;
    links_hear (self);
    known_t *known = link_of (self, op, peer, &err);
    if (known)
        snprintf (op->what, sizeof op->what, what, known->news.link.name);
    else
        op_end (self, op, &err);
    return known;
}

static void run_done (links_t *self, op_t *op, const error_t *err)
{
    op_end (self, op, err);
}

//  Settings.

static void set_saved (links_t *self, op_t *op, const error_t *err)
{
    if (err)
        op_end (self, op, err);
    else
        op_answer_link (self, op);
}

static void set_seen (links_t *self, op_t *op, const error_t *err)
{
    (void) err;
    bool peer = msg_flag (op->request, "peer");
    if (peer || !link_moves (&op->targets)) {
        op_answer_link (self, op);
        return;
    }
    op->owned->record.away = true;
    op_save (self, op, set_saved);
}

static void set_taken_back (links_t *self, op_t *op, const error_t *err)
{
    (void) err; //  what the kernel had not changed it can't change back; the first error counts
    link_record_t *record = &op->owned->record;
    snprintf (record->alias, sizeof record->alias, "%s", op->was_alias);
    snprintf (record->own_mac, sizeof record->own_mac, "%s", op->was_mac);
    links_save (self);
    op_end (self, op, &op->failure);
}

//  The kernel takes one thing after the other, and stops at the first that it refuses.
static void take_back (links_t *self, op_t *op)
{
    const link_settings_t *asked = &op->settings;
    const link_t *was = &op->was;
    link_settings_t back = { .name = asked->name ? was->name : NULL,
                             .mac = asked->mac ? was->mac : NULL,
                             .alias = asked->alias ? op->was_alias : NULL,
                             .mtu = asked->mtu ? was->mtu : 0 };
    if (asked->up != LINK_KEEP)
        back.up = was->up ? LINK_ON : LINK_OFF;
    const link_targets_t targets = { .plug = op->targets.plug,
                                     .master_index = was->master_index,
                                     .netns = -1 };
    op_add_step (op, (link_step_t){ .msg = link_request_set (was->ifindex, &back, &targets) });
    op_run (self, op, set_taken_back);
}

static void set_done (links_t *self, op_t *op, const error_t *err)
{
    if (!err) {
        op_look (self, op, set_seen);
        return;
    }
    op->failure = *err;
    take_back (self, op);
}

static void set_intended (links_t *self, op_t *op, const error_t *err)
{
    if (err)
        op_end (self, op, err);
    else
        op_run (self, op, set_done);
}

//  What it is known by changes: the record knows the new words before the kernel does, and one of
//  the two is true all the time.
static bool keep_words (op_t *op, bool peer)
{
    link_record_t *record = &op->owned->record;
    const link_settings_t *settings = &op->settings;
    uint8_t mac[6];
    snprintf (op->was_alias, sizeof op->was_alias, "%s", record->alias);
    snprintf (op->was_mac, sizeof op->was_mac, "%s", record->own_mac);
    if (peer)
        return false;
    if (settings->mac && link_mac_read (settings->mac, mac))
        link_mac_text (mac, record->own_mac);
    if (settings->alias)
        snprintf (record->alias, sizeof record->alias, "%s", settings->alias);
    return settings->mac || settings->alias;
}

void op_set (links_t *self, op_t *op)
{
    error_t err;
    bool peer = msg_flag (op->request, "peer");
    const known_t *known = begin (self, op, peer, "change link '%s'");
    if (!known)
        return;
    if (link_settings_read (msg_arg (op->request, "settings"), &op->settings, &err)) {
        error_prefix (&err, "%s", op->what);
        op_end (self, op, &err);
        return;
    }
    if (links_resolve (self, &op->settings, op->what, &op->targets, &err)) {
        op_end (self, op, &err);
        return;
    }
    uint32_t ifindex = (uint32_t) known->ifindex;
    op_add_step (op, (link_step_t){ .msg = link_request_set (ifindex, &op->settings, &op->targets),
                                    .exists = link_name_exists,
                                    .over = link_process_over });
    op_add_step (op, (link_step_t){ .msg = link_request_port (ifindex, &op->settings) });
    op->was = known->news.link;
    if (keep_words (op, peer))
        op_save (self, op, set_intended);
    else
        op_run (self, op, set_done);
}

//  Addresses, routes, bandwidth.

static void run_one (links_t *self, op_t *op, int rc, const link_step_t *step, error_t *err)
{
    if (rc) {
        error_prefix (err, "%s", op->what);
        op_end (self, op, err);
        return;
    }
    op_add_step (op, *step);
    op_run (self, op, run_done);
}

void op_address (links_t *self, op_t *op)
{
    error_t err;
    link_step_t step;
    const char *address = msg_str (op->request, "address");
    bool remove = msg_flag (op->request, "remove");
    const known_t *known =
        begin (self, op, false, remove ? "take an address from link '%s'" : "address of link '%s'");
    if (!known)
        return;
    //  Here, where all addresses come by: of two networks that start at once and want the same
    //  subnet each sees that the host has no route to it.
    int rc = address && !remove ? routes_check_address (address, known->news.link.name, &err) : 0;
    if (!rc)
        rc = link_address_step ((uint32_t) known->ifindex, address ? address : "", remove, &step,
                                &err);
    run_one (self, op, rc, &step, &err);
}

void op_route (links_t *self, op_t *op)
{
    error_t err;
    link_step_t step;
    link_route_t route;
    const known_t *known = begin (self, op, false, "route over link '%s'");
    if (!known)
        return;
    int rc = link_route_read (msg_arg (op->request, "route"), &route, &err);
    if (!rc)
        rc = link_route_step ((uint32_t) known->ifindex, &route, msg_flag (op->request, "remove"),
                              &step, &err);
    run_one (self, op, rc, &step, &err);
}

void op_bandwidth (links_t *self, op_t *op)
{
    error_t err;
    link_bandwidth_t bandwidth;
    link_step_t steps[LINK_TRAFFIC_STEPS];
    const value_t *asked = msg_arg (op->request, "bandwidth");
    bool none = value_count (asked) == 0;
    const known_t *known = begin (self, op, false, "bandwidth of link '%s'");
    if (!known)
        return;
    if (!none && link_bandwidth_read (asked, &bandwidth, &err)) {
        error_prefix (&err, "%s", op->what);
        op_end (self, op, &err);
        return;
    }
    size_t count = link_traffic_steps ((uint32_t) known->ifindex, op->owned->record.kind,
                                       none ? NULL : &bandwidth, steps);
    for (size_t i = 0; i < count; i++)
        op_add_step (op, steps[i]);
    op_run (self, op, run_done);
}

//  Looking.

void op_get (links_t *self, op_t *op)
{
    if (begin (self, op, false, "link '%s'"))
        op_answer_link (self, op);
}

static void find_now (links_t *self, op_t *op, const error_t *ignored)
{
    (void) ignored;
    error_t err;
    const char *name = msg_str (op->request, "name");
    const known_t *known = links_by_name (self, name);
    if (!known) {
        error_set (&err, ERR_NO_INTERFACE, "there is no link '%s'", name);
        op_end (self, op, &err);
        return;
    }
    auto(msg_t) reply = msg_reply ();
    pack_map (msg_result (reply));
    pack_key (msg_result (reply), "link");
    link_pack (msg_result (reply), &known->news.link);
    pack_end (msg_result (reply));
    op_answer (self, op, &reply);
}

void op_find (links_t *self, op_t *op)
{
    op_look (self, op, find_now);
}

static void pack_shown (links_t *self, pack_t *pack, owned_t *owned)
{
    link_t link;
    links_describe (self, owned, &link);
    const known_t *master = links_known (self, link.master_index);
    pack_map (pack);
    pack_key_str (pack, "owner", owned->record.owner);
    pack_key_str (pack, "key", owned->record.key);
    pack_key_str (pack, "master", master ? master->news.link.name : "");
    link_pack_fields (pack, &link);
    pack_end (pack);
}

static int by_ifindex (const void *a, const void *b)
{
    const owned_t *left = a, *right = b;
    const uint32_t one = left->record.ifindex, other = right->record.ifindex;
    return one < other ? -1 : one > other; //  several that are being made have none
}

void links_show (links_t *self, msg_t **msg_p)
{
    auto(msg_t) reply = msg_reply ();
    links_hear (self); //  may forget some
    zlistx_t *all = links_owned_list (self);
    zlistx_set_comparator (all, by_ifindex);
    zlistx_sort (all);
    pack_array (msg_result (reply));
    owned_t *owned;
    while ((owned = zlistx_detach (all, NULL)))
        if (owned->exists && owned->record.made)
            pack_shown (self, msg_result (reply), owned);
    pack_end (msg_result (reply));
    zlistx_destroy (&all);
    actor_reply (self->actor, msg_p, &reply);
}
