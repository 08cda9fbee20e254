//  links_create.c: making a link. What happens when, and what a daemon that is killed there leaves:
//
//      the intent is saved: its random MAC, its kind      nothing
//      the kernel makes the link, with this MAC           a link that the MAC proves to be ours
//      it is found by its MAC: this is its ifindex        the same
//      it gets all else: alias, its own MAC, bridge, up   ours by MAC or alias
//      the record is saved: made; the answer              a link of its owner
//
//  What was not made to the end is removed at the next start.

#include "actors/links/links_self.h"

#include "drivers/net/link_tap.h"
#include "drivers/net/netns.h"

#include <errno.h>

//  Names.

static known_t *find_named (links_t *self, const char *name, uint32_t ifindex, const char *what,
                            const char *part, error_t *err)
{
    known_t *known = name ? links_by_name (self, name) : links_known (self, ifindex);
    if (known && (ifindex == 0 || known->ifindex == ifindex))
        return known;
    if (known)
        error_set (err, ERR_NO_INTERFACE,
                   "%s: %s '%s' is link %u now, not %u: another has its name", what, part, name,
                   (unsigned) known->ifindex, ifindex);
    else if (name)
        error_set (err, ERR_NO_INTERFACE, "%s: there is no %s '%s'", what, part, name);
    else
        error_set (err, ERR_NO_INTERFACE, "%s: there is no %s %u", what, part, ifindex);
    return NULL;
}

int links_resolve (links_t *self, const link_settings_t *settings, const char *what,
                   link_targets_t *targets, error_t *err)
{
    const char *name = settings->master && *settings->master ? settings->master : NULL;
    *targets = (link_targets_t){ .netns = -1 };
    targets->plug = settings->master || settings->master_index > 0;
    if (name || settings->master_index > 0) {
        const known_t *master =
            find_named (self, name, settings->master_index, what, "bridge", err);
        if (!master)
            return -1;
        targets->master_index = (uint32_t) master->ifindex;
    }
    if (settings->process && netns_of_process (settings->process, &targets->pid, err))
        return error_prefix (err, "%s", what);
    if (settings->netns && (targets->netns = netns_open (settings->netns, err)) < 0)
        return error_prefix (err, "%s", what);
    return 0;
}

void links_let_go (link_targets_t *targets)
{
    if (targets->netns >= 0)
        close (targets->netns);
    targets->netns = -1;
}

static int resolve (links_t *self, op_t *op, error_t *err)
{
    const link_spec_t *spec = &op->spec;
    if (links_resolve (self, &spec->set, op->what, &op->targets, err) ||
        links_resolve (self, &spec->peer, op->what, &op->peer_targets, err))
        return -1;
    if (!spec->lower && spec->lower_index == 0)
        return 0;
    const known_t *lower =
        find_named (self, spec->lower, spec->lower_index, op->what, "lower link", err);
    if (!lower)
        return -1;
    op->birth.lower_index = (uint32_t) lower->ifindex;
    return 0;
}

//  What is on record before there is anything.

static void make_mac (links_t *self, uint8_t mac[6], char text[LINK_MAC_SIZE])
{
    uint8_t random[6];
    actor_random (self->actor, random, sizeof random);
    link_mac_make (random, mac);
    link_mac_text (mac, text);
}

static void make_record (links_t *self, op_t *op)
{
    link_record_t *record = &op->owned->record;
    const link_spec_t *spec = &op->spec;
    uint8_t mac[6];
    record->kind = spec->kind;
    record->ifindex = 0;
    record->made = record->away = false;
    *record->peer_mac = *record->own_mac = 0;
    make_mac (self, op->birth.mac, record->mac);
    op->birth.group = link_record_group (record);
    if (spec->kind == LINK_VETH)
        make_mac (self, op->birth.peer_mac, record->peer_mac);
    if (link_peer_is_born_away (&spec->peer, &op->peer_targets))
        op->birth.peer = &op->peer_targets;
    if (spec->set.mac && link_mac_read (spec->set.mac, mac))
        link_mac_text (mac, record->own_mac);
    if (spec->set.alias)
        snprintf (record->alias, sizeof record->alias, "%s", spec->set.alias);
    else
        snprintf (record->alias, sizeof record->alias, "troupe %s %s", record->owner, record->key);
    op->owned->exists = true;
}

//  Failure: nothing may be left.

static void fail_forgotten (links_t *self, op_t *op, const error_t *ignored)
{
    (void) ignored; //  it was logged; a record too many does no harm
    op_end (self, op, &op->failure);
}

static void fail_removed (links_t *self, op_t *op, const error_t *err)
{
    if (err) {
        //  It stays on record, and is removed with its owner or at the next start.
        error_prefix (&op->failure, "%s (and what was made could not be removed: %.300s)", op->what,
                      err->message);
        op_end (self, op, &op->failure);
        return;
    }
    links_forget (self, op->owned);
    op_save (self, op, fail_forgotten);
}

static void fail (links_t *self, op_t *op, const error_t *err)
{
    op->failure = *err;
    op_remove (self, op, fail_removed);
}

//  Step by step, the last one first.

static void create_done (links_t *self, op_t *op, const error_t *err)
{
    if (err)
        fail (self, op, err);
    else
        op_answer_link (self, op);
}

static void create_seen (links_t *self, op_t *op, const error_t *err)
{
    (void) err;
    error_t vanished;
    op->owned->record.away = link_moves (&op->targets);
    if (!op->owned->record.away && !links_of (self, op->owned)) {
        error_set (&vanished, ERR_OPERATION_FAILED, "%s: somebody removed it while it was set up",
                   op->what);
        fail (self, op, &vanished);
        return;
    }
    op->owned->record.made = true;
    op_save (self, op, create_done);
}

static void create_set (links_t *self, op_t *op, const error_t *err)
{
    if (err)
        fail (self, op, err);
    else
        op_look (self, op, create_seen);
}

//  What the request that made it has given it already is left out.
static void add_settings (op_t *op, uint32_t ifindex, link_settings_t settings,
                          const link_targets_t *targets)
{
    if (!link_moves (targets))
        settings.name = NULL;
    if (op->spec.kind != LINK_TAP)
        settings.mtu = 0;
    op_add_step (op, (link_step_t){ .msg = link_request_set (ifindex, &settings, targets),
                                    .exists = link_name_exists,
                                    .over = link_process_over,
                                    .mac = settings.mac });
    op_add_step (op, (link_step_t){ .msg = link_request_port (ifindex, &settings) });
}

static void set_up (links_t *self, op_t *op, const known_t *known)
{
    const known_t *peer = op->birth.peer ? NULL : links_peer (self, known);
    link_settings_t settings = op->spec.set;
    settings.alias = op->owned->record.alias;
    if (peer)
        add_settings (op, (uint32_t) peer->ifindex, op->spec.peer, &op->peer_targets);
    add_settings (op, (uint32_t) known->ifindex, settings, &op->targets);
    op_run (self, op, create_set);
}

static void create_look (links_t *self, op_t *op, const error_t *err)
{
    (void) err;
    owned_t *owned = op->owned;
    error_t vanished;
    known_t *known = links_born (self, owned);
    if (!known) {
        error_set (&vanished, ERR_OPERATION_FAILED, "%s: somebody removed it at once", op->what);
        fail (self, op, &vanished);
        return;
    }
    known->owned = owned;
    owned->gone = false;
    set_up (self, op, known);
}

static void make (links_t *self, op_t *op);

//  The name came from a template, so it was free when the kernel looked. Whoever takes it in
//  between can't do so for ever.
static void made (links_t *self, op_t *op, const error_t *err)
{
    bool chosen = !strchr (op->spec.set.name, '%') &&
                  (!op->spec.peer.name || !strchr (op->spec.peer.name, '%'));
    if (!err)
        op_look (self, op, create_look);
    else if (op->collided && ++op->attempts < LINKS_ATTEMPTS && !chosen)
        make (self, op);
    else
        fail (self, op, err);
}

static void make_tap (links_t *self, op_t *op)
{
    const link_step_t step = { .exists = link_name_exists };
    char name[LINK_NAME_SIZE];
    error_t err;
    int number = link_tap_make (&op->spec, op->birth.mac, name);
    if (number == 0) {
        made (self, op, NULL);
        return;
    }
    link_refusal (&err, op->what, &step, number, number == ENOENT ? "/dev/net/tun" : "");
    op->collided = number == EEXIST;
    made (self, op, &err);
}

static void make (links_t *self, op_t *op)
{
    if (op->spec.kind == LINK_TAP) {
        make_tap (self, op);
        return;
    }
    op_add_step (op, (link_step_t){ .msg = link_request_create (&op->spec, &op->birth),
                                    .exists = link_name_exists,
                                    .over = link_process_over });
    op_run (self, op, made);
}

static void intended (links_t *self, op_t *op, const error_t *err)
{
    if (err)
        fail (self, op, err);
    else
        make (self, op);
}

void op_create (links_t *self, op_t *op)
{
    error_t err;
    op->targets.netns = op->peer_targets.netns = -1;
    if (link_spec_read (msg_arg (op->request, "spec"), &op->spec, &err)) {
        op_end (self, op, &err);
        return;
    }
    snprintf (op->what, sizeof op->what, "make %s '%s'", link_kind_name (op->spec.kind),
              op->spec.set.name);
    if (op->owned->exists) {
        error_set (&err, ERR_OPERATION_INVALID, "%s: %s has a link '%s' already", op->what,
                   op->owned->record.owner, op->owned->record.key);
        op_end (self, op, &err);
        return;
    }
    if (resolve (self, op, &err)) {
        op_end (self, op, &err);
        return;
    }
    make_record (self, op);
    op_save (self, op, intended);
}
