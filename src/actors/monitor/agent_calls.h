//  agent_calls.h: the commands that one guest agent is asked, first come first: the first one may
//  have been sent; the others wait for it.

#ifndef TROUPE_AGENT_CALLS_H
#define TROUPE_AGENT_CALLS_H

#include "actors/runtime/actor.h"

#include <czmq.h>

typedef struct {
    msg_t *request;
    int64_t until; //  ms
    int ms;        //  that it was given
    bool ends, sleeps, unheard;
    bool left; //  the agent did, perhaps because its guest falls asleep
} agent_call_t;

typedef struct {
    zlistx_t *list; //  agent_call_t
    bool sent;      //  the first one was
} agent_calls_t;

void agent_calls_open (agent_calls_t *self);
//  Nobody is answered any more.
void agent_calls_close (agent_calls_t *self);

//  Takes the request over (its arguments: agent.h), unless too many wait.
int agent_calls_add (actor_t *actor, agent_calls_t *self, msg_t **request_p, error_t *err);
agent_call_t *agent_calls_first (const agent_calls_t *self);       //  NULL: there is none
agent_call_t *agent_calls_late (agent_calls_t *self, int64_t now); //  one past its deadline
int64_t agent_calls_deadline (agent_calls_t *self);                //  the first; INT64_MAX: none

//  Answers. The call is forgotten with its answer.
void agent_calls_answer (actor_t *actor, agent_calls_t *self, agent_call_t *call, const char *json);
void agent_calls_fail (actor_t *actor, agent_calls_t *self, agent_call_t *call, const error_t *err);
//  The agent went while a command was under way, if one was: ERR, unless that is how it ends.
void agent_calls_fail_sent (actor_t *actor, agent_calls_t *self, const error_t *err);
//  The guest went to sleep: the command under way is answered if that is what it was to do; else
//  it is still waited for.
void agent_calls_end_asleep (actor_t *actor, agent_calls_t *self);
//  The guest closed the channel: ERR for all, but who waits for its sleep waits LEFT_MS more.
void agent_calls_fail_left (actor_t *actor, agent_calls_t *self, int left_ms, const error_t *err);
void agent_calls_fail_all (actor_t *actor, agent_calls_t *self, const error_t *err);

#endif
