//  links_wire.c: what goes to the kernel and what comes from it, and its links as we know them.

#include "actors/links/links_self.h"

#include "actors/runtime/table.h"

#include <errno.h>
#include <poll.h>

//  What we know.

known_t *links_known (links_t *self, uint32_t ifindex)
{
    uint64_t key = ifindex;
    return zhashx_lookup (self->known, &key);
}

known_t *links_by_name (links_t *self, const char *name)
{
    for (known_t *known = zhashx_first (self->known); known; known = zhashx_next (self->known))
        if (strcmp (known->news.link.name, name) == 0)
            return known;
    return NULL;
}

known_t *links_of (links_t *self, owned_t *owned)
{
    known_t *known = links_known (self, owned->record.ifindex);
    return known && link_record_fits (&owned->record, &known->news) ? known : NULL;
}

known_t *links_born (links_t *self, owned_t *owned)
{
    if (owned->record.ifindex > 0)
        return links_of (self, owned);
    known_t *known = zhashx_first (self->known);
    while (known && !link_record_fits (&owned->record, &known->news))
        known = zhashx_next (self->known);
    if (known)
        owned->record.ifindex = (uint32_t) known->ifindex;
    return known;
}

//  The end that the kernel makes first is announced before it has another.
known_t *links_peer (links_t *self, const known_t *known)
{
    const link_t *link = &known->news.link;
    known_t *peer = known->news.peer_elsewhere ? NULL : links_known (self, link->peer_index);
    if (!peer || strcmp (link->kind, "veth") != 0 || strcmp (peer->news.link.kind, "veth") != 0)
        return NULL;
    const uint32_t back = peer->news.link.peer_index;
    return back == link->ifindex || back == 0 || back == peer->ifindex ? peer : NULL;
}

void links_describe (links_t *self, owned_t *owned, link_t *link)
{
    const known_t *known = links_of (self, owned);
    memset (link, 0, sizeof *link);
    link->ifindex = owned->record.ifindex;
    if (!known)
        return;
    *link = known->news.link;
    const known_t *peer = links_peer (self, known);
    if (peer) {
        snprintf (link->peer_name, sizeof link->peer_name, "%s", peer->news.link.name);
        snprintf (link->peer_mac, sizeof link->peer_mac, "%s", peer->news.link.mac);
    }
}

//  News.

void links_tell_gone (links_t *self, const owned_t *owned, const char *name)
{
    auto(msg_t) msg = msg_request ("link.gone");
    pack_t *pack = msg_args (msg);
    pack_key_str (pack, "key", owned->record.key);
    pack_key_u64 (pack, "ifindex", owned->record.ifindex);
    pack_key_str (pack, "name", name);
    actor_send (self->actor, owned->record.owner, &msg);
}

static void tell_changed (links_t *self, owned_t *owned)
{
    link_t link;
    links_describe (self, owned, &link);
    auto(msg_t) msg = msg_request ("link.changed");
    pack_t *pack = msg_args (msg);
    pack_key_str (pack, "key", owned->record.key);
    pack_key (pack, "link");
    link_pack (pack, &link);
    actor_send (self->actor, owned->record.owner, &msg);
}

static bool differs (const link_t *a, const link_t *b)
{
    return strcmp (a->name, b->name) != 0 || strcmp (a->mac, b->mac) != 0 || a->mtu != b->mtu ||
           a->up != b->up || a->running != b->running || a->master_index != b->master_index;
}

//  While an operation is under way it is its work, or it will find out.
static void on_gone (links_t *self, known_t *known)
{
    owned_t *owned = known->owned;
    char name[LINK_NAME_SIZE];
    snprintf (name, sizeof name, "%s", known->news.link.name);
    zhashx_delete (self->known, &known->ifindex);
    if (!owned)
        return;
    owned->gone = true;
    if (owned->active)
        return;
    links_tell_gone (self, owned, name);
    links_forget (self, owned);
    links_save (self);
}

static void on_news (links_t *self, const link_news_t *news)
{
    known_t *known = links_known (self, news->link.ifindex);
    if (news->gone) {
        if (known)
            on_gone (self, known);
        return;
    }
    bool changed = known && known->owned && !known->owned->active && known->owned->record.made &&
                   differs (&known->news.link, &news->link);
    if (!known) {
        known = memory_new (1, sizeof *known);
        known->ifindex = news->link.ifindex;
        zhashx_insert (self->known, &known->ifindex, known);
    }
    known->news = *news;
    known->round = self->round;
    if (changed)
        tell_changed (self, known->owned);
}

//  The list of all links.

static void on_news_readable (actor_t *actor, int fd, short events, void *arg)
{
    (void) fd;
    (void) events;
    (void) arg;
    links_hear (actor_state (actor));
}

//  Until it is there, what is newer waits in the socket.
void links_list (links_t *self)
{
    actor_unwatch_fd (self->actor, self->news_fd);
    autonlmsg struct nl_msg *msg = link_request_list ();
    self->round++;
    self->list_again = false;
    self->list_seq = ++self->last_seq;
    int number = netlink_send (self->fd, msg, (uint32_t) self->list_seq);
    if (number != 0)
        actor_panic (self->actor, "list the links of this host: %s", strerror (number));
}

static void drop_unseen (links_t *self)
{
    zlistx_t *unseen = zlistx_new ();
    for (known_t *known = zhashx_first (self->known); known; known = zhashx_next (self->known))
        if (known->round != self->round)
            zlistx_add_end (unseen, known);
    known_t *known;
    while ((known = zlistx_detach (unseen, NULL)))
        on_gone (self, known);
    zlistx_destroy (&unseen);
}

static void on_listed (links_t *self)
{
    self->list_seq = 0;
    if (self->list_again) {
        links_list (self);
        return;
    }
    drop_unseen (self);
    if (!self->ready)
        links_reconcile (self);
    actor_watch_fd (self->actor, self->news_fd, POLLIN, on_news_readable, NULL);
    links_hear (self);
    op_t *op;
    while (self->list_seq == 0 && (op = zlistx_detach (self->lookers, NULL)))
        op->then (self, op, NULL);
}

//  Operations.

void op_add_step (op_t *op, link_step_t step)
{
    if (!step.msg)
        return;
    assert (op->step_count < LINKS_STEPS);
    op->steps[op->step_count++] = step;
}

void op_clear_steps (op_t *op)
{
    for (size_t i = 0; i < op->step_count; i++)
        nlmsg_free (op->steps[i].msg);
    op->step_count = op->step = 0;
}

static void send_step (links_t *self, op_t *op);

static bool is_fine (const link_step_t *step, int number)
{
    bool fine = number == 0;
    for (size_t i = 0; i < sizeof step->fine / sizeof *step->fine; i++)
        fine = fine || step->fine[i] == number;
    return fine;
}

static void step_done (links_t *self, op_t *op, int number, const char *words)
{
    const link_step_t *step = &op->steps[op->step];
    error_t err;
    if (!is_fine (step, number)) {
        link_refusal (&err, op->what, step, number, words);
        op->collided = number == EEXIST;
        op_clear_steps (op);
        op->then (self, op, &err);
    } else if (++op->step < op->step_count)
        send_step (self, op);
    else {
        op_clear_steps (op);
        op->then (self, op, NULL);
    }
}

static void send_step (links_t *self, op_t *op)
{
    if (zhashx_size (self->in_flight) >= LINKS_IN_FLIGHT) {
        zlistx_add_end (self->crowd, op);
        return;
    }
    op->seq = (uint32_t) ++self->last_seq;
    zhashx_insert (self->in_flight, &op->seq, op);
    int number = netlink_send (self->fd, op->steps[op->step].msg, (uint32_t) op->seq);
    if (number == 0)
        return;
    zhashx_delete (self->in_flight, &op->seq);
    step_done (self, op, number, "");
}

void op_run (links_t *self, op_t *op, op_then_fn *then)
{
    op->then = then;
    if (op->step_count == 0)
        then (self, op, NULL);
    else
        send_step (self, op);
}

void op_look (links_t *self, op_t *op, op_then_fn *then)
{
    op->then = then;
    links_hear (self);
    if (self->list_seq != 0)
        zlistx_add_end (self->lookers, op);
    else
        then (self, op, NULL);
}

//  Sockets.

static void on_answer (void *arg, const netlink_heard_t *heard)
{
    links_t *self = arg;
    link_news_t news;
    uint64_t seq = heard->seq;
    if (seq == (uint32_t) self->list_seq && self->list_seq != 0) {
        self->list_again = self->list_again || heard->interrupted;
        if (!heard->message)
            on_listed (self);
        else if (link_news_read (heard->message, &news))
            on_news (self, &news);
        return;
    }
    op_t *op = heard->message ? NULL : zhashx_lookup (self->in_flight, &seq);
    if (!op)
        return;
    zhashx_delete (self->in_flight, &seq);
    step_done (self, op, heard->number, heard->words);
    op_t *next = zlistx_detach (self->crowd, NULL);
    if (next)
        send_step (self, next);
}

static void on_readable (actor_t *actor, int fd, short events, void *arg)
{
    (void) events;
    (void) arg;
    int number = netlink_hear (fd, on_answer, actor_state (actor));
    //  What was lost is the outcome of requests: the files know what may have come of them.
    if (number != 0)
        actor_panic (actor, "hear what the kernel did to links: %s", strerror (number));
}

static void on_notice (void *arg, const netlink_heard_t *heard)
{
    link_news_t news;
    if (heard->message && link_news_read (heard->message, &news))
        on_news (arg, &news);
}

void links_hear (links_t *self)
{
    if (self->list_seq != 0 || self->news_fd < 0)
        return;
    int number = netlink_hear (self->news_fd, on_notice, self);
    if (number == ENOBUFS)
        links_list (self);
    else if (number != 0)
        actor_panic (self->actor, "hear of links: %s", strerror (number));
}

int links_open (links_t *self, error_t *err)
{
    self->news_fd = netlink_open (true, err);
    self->fd = self->news_fd < 0 ? -1 : netlink_open (false, err);
    if (self->fd < 0)
        return -1;
    actor_watch_fd (self->actor, self->fd, POLLIN, on_readable, NULL);
    return 0;
}

void links_close (links_t *self)
{
    if (self->fd >= 0)
        close (self->fd);
    if (self->news_fd >= 0)
        close (self->news_fd);
}
