//  links_host.c: links of the host that a guest is given, and has to itself. What happens when, and
//  what a daemon that is killed there leaves:
//
//      the loan is saved: ifindex, MAC, who has it      the link where it was; its owner ends the
//      loan the kernel moves it, by its ifindex              the link there; the same, or its owner
//      claims it the record is saved: made; the answer            the same
//
//  It is not seen from here then. Whoever is in that namespace moves it back before that ends.

#include "actors/links/links_self.h"

#include <errno.h>

static const char *name_of (const owned_t *owned)
{
    return owned->record.key + strlen (LINK_HOST_PREFIX);
}

//  Who has the host's link of this name; NULL: nobody.
static const owned_t *find_loan (links_t *self, const char *name)
{
    for (const owned_t *owned = zhashx_first (self->owned); owned;
         owned = zhashx_next (self->owned))
        if (owned->exists && owned->record.kind == LINK_HOST && strcmp (name_of (owned), name) == 0)
            return owned;
    return NULL;
}

//  For whom we made KNOWN, or the other end of it, which alone may know that there are two; NULL:
//  it is not ours.
static const owned_t *find_maker (links_t *self, const known_t *known)
{
    const owned_t *maker = NULL;
    owned_t *owned;
    zlistx_t *all = links_owned_list (self);
    while ((owned = zlistx_detach (all, NULL))) {
        const known_t *own = links_of (self, owned);
        if (own && (own == known || links_peer (self, own) == known))
            maker = owned;
    }
    zlistx_destroy (&all);
    return maker;
}

static int check (links_t *self, const op_t *op, const known_t *known, error_t *err)
{
    const owned_t *maker = find_maker (self, known);
    const known_t *master = links_known (self, known->news.link.master_index);
    if (strcmp (known->news.link.name, "lo") == 0)
        return error_set (err, ERR_OPERATION_INVALID, "%s: each network has a lo of its own",
                          op->what);
    if (maker)
        return error_set (err, ERR_OPERATION_INVALID,
                          "%s: it was made for '%s' of %s, and can't be given to another", op->what,
                          maker->record.key, maker->record.owner);
    if (known->news.link.master_index > 0)
        return error_set (err, ERR_OPERATION_INVALID,
                          "%s: it is a port of '%s'; take it out of there first", op->what,
                          master ? master->news.link.name : "another link");
    return 0;
}

static known_t *find_free (links_t *self, op_t *op, error_t *err)
{
    const char *name = name_of (op->owned);
    known_t *known = links_by_name (self, name);
    const owned_t *loan = known ? NULL : find_loan (self, name);
    if (loan)
        error_set (err, ERR_OPERATION_INVALID, "%s: %s has it; end that first", op->what,
                   loan->record.alias);
    else if (!known)
        error_set (err, ERR_NO_INTERFACE, "%s: the host has no link of this name", op->what);
    return known && check (self, op, known, err) == 0 ? known : NULL;
}

//  Step by step, the last one first.

static void take_forgotten (links_t *self, op_t *op, const error_t *ignored)
{
    (void) ignored; //  it was logged; a record too many does no harm
    op_end (self, op, &op->failure);
}

static void take_failed (links_t *self, op_t *op, const error_t *err)
{
    op->failure = *err;
    links_forget (self, op->owned);
    op_save (self, op, take_forgotten);
}

//  If it can't be saved the loan is on record all the same: the owner's undo ends it.
static void take_done (links_t *self, op_t *op, const error_t *err)
{
    op_end (self, op, err);
}

static void take_moved (links_t *self, op_t *op, const error_t *err)
{
    if (err) {
        take_failed (self, op, err);
        return;
    }
    op->owned->record.made = true;
    op_save (self, op, take_done);
}

static void take_intended (links_t *self, op_t *op, const error_t *err)
{
    const link_settings_t settings = { .name = name_of (op->owned) };
    if (err) {
        take_failed (self, op, err);
        return;
    }
    op_add_step (op, (link_step_t){ .msg = link_request_set (op->owned->record.ifindex, &settings,
                                                             &op->targets),
                                    .exists = "the guest has a link of this name already",
                                    .over = link_process_over });
    op_run (self, op, take_moved);
}

static void make_loan (op_t *op, const known_t *known)
{
    link_record_t *record = &op->owned->record;
    record->kind = LINK_HOST;
    record->ifindex = (uint32_t) known->ifindex;
    record->made = false;
    record->away = true;
    *record->peer_mac = *record->own_mac = 0;
    snprintf (record->mac, sizeof record->mac, "%s", known->news.link.mac);
    snprintf (record->alias, sizeof record->alias, "%s", msg_str (op->request, "holder"));
    op->owned->exists = true;
}

static void take_look (links_t *self, op_t *op, const error_t *ignored)
{
    (void) ignored;
    error_t err;
    const link_settings_t settings = { .process = msg_str (op->request, "process") };
    const known_t *known = find_free (self, op, &err);
    if (!known || links_resolve (self, &settings, op->what, &op->targets, &err)) {
        op_end (self, op, &err);
        return;
    }
    make_loan (op, known);
    op_save (self, op, take_intended);
}

void op_take (links_t *self, op_t *op)
{
    error_t err;
    const char *holder = msg_str (op->request, "holder");
    const char *process = msg_str (op->request, "process");
    bool keyed = text_starts (op->owned->record.key, LINK_HOST_PREFIX) && *name_of (op->owned);
    if (!keyed || !process || !holder || strpbrk (holder, "\n")) {
        error_set (&err, ERR_INVALID_ARG,
                   "link.take: it needs a key \"" LINK_HOST_PREFIX
                   "NAME\", a process and a holder");
        op_end (self, op, &err);
        return;
    }
    snprintf (op->what, sizeof op->what, "take link '%s' of the host", name_of (op->owned));
    if (op->owned->exists) {
        error_set (&err, ERR_OPERATION_INVALID, "%s: %s has it already", op->what, holder);
        op_end (self, op, &err);
        return;
    }
    op_look (self, op, take_look);
}

//  The end.

//  Its ifindex is another if somebody took that meanwhile; its MAC, if the container could change
//  it for good.
static const known_t *find_returned (links_t *self, const link_record_t *record)
{
    const known_t *known = links_known (self, record->ifindex);
    if (known)
        return known;
    known = zhashx_first (self->known);
    while (known && strcmp (known->news.link.mac, record->mac) != 0)
        known = zhashx_next (self->known);
    return known;
}

static void loan_over (links_t *self, op_t *op, const error_t *ignored)
{
    (void) ignored; //  it was logged
    op_end (self, op, NULL);
}

static void loan_look (links_t *self, op_t *op, const error_t *ignored)
{
    (void) ignored;
    const link_record_t *record = &op->owned->record;
    const char *name = name_of (op->owned);
    const known_t *known = find_returned (self, record);
    if (!known)
        actor_log (self->actor, LEVEL_ERROR,
                   "link '%s' of the host did not come back from %s, which was killed with its "
                   "supervisor or removed it: hardware is in the host's initial network namespace, "
                   "any other link is gone",
                   name, record->alias);
    else if (strcmp (known->news.link.name, name) != 0)
        actor_log (self->actor, LEVEL_WARNING,
                   "link '%s' of the host came back from %s as '%s': its name is taken", name,
                   record->alias, known->news.link.name);
    links_forget (self, op->owned);
    op_save (self, op, loan_over);
}

void op_end_loan (links_t *self, op_t *op)
{
    op_look (self, op, loan_look);
}
