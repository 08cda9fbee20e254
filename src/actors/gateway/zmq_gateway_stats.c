//  zmq_gateway_stats.c: statistics of many domains, gathered for one call.

#include "actors/gateway/zmq_gateway_parts.h"

#include "actors/gateway/gather.h"

//  Who asked.
typedef struct {
    uint64_t session, id;
} asker_t;

static void on_gathered (actor_t *self, const gather_t *gather, void *arg)
{
    gateway_t *gateway = actor_state (self);
    const asker_t asker = *(asker_t *) arg;
    session_t *session = sessions_by_number (gateway->sessions, asker.session);
    zlistx_delete (gateway->askers, zlistx_find (gateway->askers, arg));
    if (session)
        session->open_requests--;
    if (!session || session->dead)
        return;
    reply_begin (&gateway->frame, asker.id);
    gather_pack (gather, &gateway->view, actor_wall_clock (self), &gateway->frame);
    reply_end (&gateway->frame);
    gateway_post (self, session, NULL);
}

int gateway_stats (actor_t *self, session_t *session, const call_t *call, error_t *err)
{
    gateway_t *gateway = actor_state (self);
    if (session->open_requests >= MAX_OPEN_SESSION)
        return error_set (err, ERR_RESOURCE_BUSY, "%s: %d requests of this session wait already",
                          call->verb, session->open_requests);
    asker_t *asker = memory_new (1, sizeof *asker);
    *asker = (asker_t){ session->number, call->id };
    zlistx_add_end (gateway->askers, asker);
    session->open_requests++;
    if (gather_begin (self, gateway->gathers, &gateway->view, call->args, on_gathered, asker,
                      err) == 0)
        return 0;
    zlistx_delete (gateway->askers, zlistx_find (gateway->askers, asker));
    session->open_requests--;
    return -1;
}

static void asker_destroy (void **asker_p)
{
    free (take (asker_p));
}

void gateway_open_stats (actor_t *self)
{
    gateway_t *gateway = actor_state (self);
    gateway->gathers = zlistx_new ();
    gateway->askers = zlistx_new ();
    zlistx_set_destructor (gateway->askers, asker_destroy);
}

void gateway_forget_stats (actor_t *self)
{
    gateway_t *gateway = actor_state (self);
    gather_forget (&gateway->gathers);
    zlistx_destroy (&gateway->askers);
}
