//  links_remover.c: see links_remover.h.

#include "actors/links/links_remover.h"

#include "drivers/net/link_request.h"

#include <errno.h>
#include <poll.h>

typedef struct {
    int fd;
    uint32_t seq;
    msg_t *request; //  that the kernel works on
    error_t unusable;
} remover_t;

static void answer (actor_t *actor, int number, const char *words)
{
    remover_t *self = actor_state (actor);
    auto(msg_t) reply = msg_reply ();
    pack_map (msg_result (reply));
    pack_key_i64 (msg_result (reply), "number", number);
    pack_key_str (msg_result (reply), "words", words);
    pack_end (msg_result (reply));
    if (self->request)
        actor_reply (actor, &self->request, &reply);
}

static void on_heard (void *arg, const netlink_heard_t *heard)
{
    actor_t *actor = arg;
    const remover_t *self = actor_state (actor);
    if (!heard->message && heard->seq == self->seq)
        answer (actor, heard->number, heard->words);
}

static void on_readable (actor_t *actor, int fd, short events, void *arg)
{
    (void) events;
    (void) arg;
    int number = netlink_hear (fd, on_heard, actor);
    if (number != 0)
        actor_panic (actor, "hear of links: errno %d", number);
}

static void remover_handle (actor_t *actor, msg_t **msg_p)
{
    remover_t *self = actor_state (actor);
    if (!msg_is (*msg_p, "link.remove_group"))
        return;
    if (self->fd < 0 || self->request) {
        error_t busy;
        error_set (&busy, ERR_RESOURCE_BUSY, "links are being removed");
        actor_reply_error (actor, msg_p, self->fd < 0 ? &self->unusable : &busy);
        return;
    }
    uint32_t group = (uint32_t) msg_u64 (*msg_p, "group", 0);
    self->request = take (msg_p);
    autonlmsg struct nl_msg *msg = link_request_delete_group (group);
    int number = group ? netlink_send (self->fd, msg, ++self->seq) : EINVAL;
    if (number != 0)
        answer (actor, number, "");
}

static int remover_start (actor_t *actor, const msg_t *args, error_t *err)
{
    (void) args;
    (void) err;
    remover_t *self = actor_state (actor);
    self->fd = netlink_open (false, &self->unusable);
    if (self->fd >= 0)
        actor_watch_fd (actor, self->fd, POLLIN, on_readable, NULL);
    return 0;
}

static void remover_stop (actor_t *actor)
{
    remover_t *self = actor_state (actor);
    msg_destroy (&self->request);
    if (self->fd > 0)
        close (self->fd);
}

const actor_class_t links_remover_class = { .kind = "links",
                                            .state_size = sizeof (remover_t),
                                            .stop_rank = 2,
                                            .start = remover_start,
                                            .handle = remover_handle,
                                            .stop = remover_stop };
