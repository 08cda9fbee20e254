//  calls.c: the requests that wait for their answer.

#include "client/calls.h"
#include "util/auto.h"

#include <assert.h>
#include <stdio.h>

void calls_init (calls_t *self)
{
    *self = (calls_t){ .soonest = INT64_MAX };
}

void calls_add (calls_t *self, uint64_t id, const char *verb, int64_t limit)
{
    call_t *call = calloc (1, sizeof *call);
    assert (call);
    call->id = id;
    call->limit = limit;
    snprintf (call->verb, sizeof call->verb, "%s", verb);
    call_t **bucket = &self->buckets[id % CALLS_BUCKETS];
    call->next = *bucket;
    *bucket = call;
    self->count++;
    if (limit < self->soonest)
        self->soonest = limit;
}

static call_t **find (const calls_t *self, uint64_t id)
{
    call_t **link = (call_t **) &self->buckets[id % CALLS_BUCKETS];
    while (*link && (*link)->id != id)
        link = &(*link)->next;
    return link;
}

static call_t *unlink_call (calls_t *self, call_t **link)
{
    call_t *call = *link;
    *link = call->next;
    call->next = NULL;
    if (--self->count == 0)
        self->soonest = INT64_MAX;
    return call;
}

bool calls_has (const calls_t *self, uint64_t id)
{
    return *find (self, id);
}

call_t *calls_take (calls_t *self, uint64_t id)
{
    call_t **link = find (self, id);
    return *link ? unlink_call (self, link) : NULL;
}

call_t *calls_take_expired (calls_t *self, int64_t now)
{
    if (now < self->soonest && now != INT64_MAX)
        return NULL;
    int64_t soonest = INT64_MAX;
    for (size_t i = 0; i < CALLS_BUCKETS; i++)
        for (call_t **link = &self->buckets[i]; *link; link = &(*link)->next) {
            if ((*link)->limit <= now)
                return unlink_call (self, link);
            if ((*link)->limit < soonest)
                soonest = (*link)->limit;
        }
    self->soonest = soonest;
    return NULL;
}
