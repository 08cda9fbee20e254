//  agent_calls.c: see agent_calls.h.

#include "actors/monitor/agent_calls.h"

#include "actors/monitor/agent.h"
#include "util/text.h"

void agent_calls_open (agent_calls_t *self)
{
    self->list = zlistx_new ();
    self->sent = false;
}

agent_call_t *agent_calls_first (const agent_calls_t *self)
{
    return zlistx_first (self->list);
}

static void forget (agent_calls_t *self, agent_call_t *call)
{
    if (call == agent_calls_first (self))
        self->sent = false;
    zlistx_detach (self->list, zlistx_find (self->list, call));
    msg_destroy (&call->request);
    free (call);
}

void agent_calls_close (agent_calls_t *self)
{
    agent_call_t *call;
    while (self->list && (call = agent_calls_first (self)))
        forget (self, call);
    zlistx_destroy (&self->list);
}

int agent_calls_add (actor_t *actor, agent_calls_t *self, msg_t **request_p, error_t *err)
{
    if (zlistx_size (self->list) >= AGENT_MAX_CALLS) {
        error_set (err, ERR_RESOURCE_BUSY,
                   "%d commands wait for the guest agent already; try again later",
                   AGENT_MAX_CALLS);
        err->retry = true;
        return -1;
    }
    agent_call_t *call = memory_new (1, sizeof *call);
    call->ms = (int) msg_i64 (*request_p, "ms", AGENT_SYNC_MS);
    call->until = actor_now (actor) + call->ms;
    call->ends = msg_flag (*request_p, "ends");
    call->sleeps = msg_flag (*request_p, "sleeps");
    call->unheard = msg_flag (*request_p, "unheard");
    call->request = take (request_p);
    zlistx_add_end (self->list, call);
    return 0;
}

agent_call_t *agent_calls_late (agent_calls_t *self, int64_t now)
{
    for (agent_call_t *call = zlistx_first (self->list); call; call = zlistx_next (self->list))
        if (call->until <= now)
            return call;
    return NULL;
}

int64_t agent_calls_deadline (agent_calls_t *self)
{
    int64_t first = INT64_MAX;
    for (agent_call_t *call = zlistx_first (self->list); call; call = zlistx_next (self->list))
        first = call->until < first ? call->until : first;
    return first;
}

void agent_calls_answer (actor_t *actor, agent_calls_t *self, agent_call_t *call, const char *json)
{
    auto(msg_t) reply = msg_reply ();
    pack_map (msg_result (reply));
    pack_key_str (msg_result (reply), "json", json);
    pack_end (msg_result (reply));
    actor_reply (actor, &call->request, &reply);
    forget (self, call);
}

void agent_calls_fail (actor_t *actor, agent_calls_t *self, agent_call_t *call, const error_t *err)
{
    actor_reply_error (actor, &call->request, err);
    forget (self, call);
}

static void answer_nothing (actor_t *actor, agent_calls_t *self, agent_call_t *call)
{
    agent_calls_answer (actor, self, call, "{\"return\": {}}");
}

void agent_calls_end_asleep (actor_t *actor, agent_calls_t *self)
{
    agent_call_t *call = agent_calls_first (self);
    if (self->sent && call->sleeps)
        answer_nothing (actor, self, call);
}

void agent_calls_fail_sent (actor_t *actor, agent_calls_t *self, const error_t *err)
{
    agent_call_t *call = agent_calls_first (self);
    if (!self->sent)
        return;
    if (call->ends)
        answer_nothing (actor, self, call);
    else
        agent_calls_fail (actor, self, call, err);
}

void agent_calls_fail_all (actor_t *actor, agent_calls_t *self, const error_t *err)
{
    agent_call_t *call;
    agent_calls_fail_sent (actor, self, err);
    while ((call = agent_calls_first (self)))
        agent_calls_fail (actor, self, call, err);
}

void agent_calls_fail_left (actor_t *actor, agent_calls_t *self, int left_ms, const error_t *err)
{
    agent_call_t *first = agent_calls_first (self), *call;
    if (!self->sent || !first->sleeps || first->ends) {
        agent_calls_fail_all (actor, self, err);
        return;
    }
    first->left = true;
    int64_t until = actor_now (actor) + left_ms;
    first->until = until < first->until ? until : first->until;
    while ((call = zlistx_last (self->list)) != first)
        agent_calls_fail (actor, self, call, err);
}
