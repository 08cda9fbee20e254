//  slot.c: addresses and the requests that are open at them.

#include "actors/runtime/slot.h"

slot_t *slot_new (const char *address)
{
    slot_t *self = calloc (1, sizeof *self);
    assert (self);
    snprintf (self->address, sizeof self->address, "%s", address);
    self->parked = zlistx_new ();
    self->watchers = zlistx_new ();
    assert (self->parked && self->watchers);
    return self;
}

static void drop_parked (slot_t *self)
{
    msg_t *msg;
    while ((msg = zlistx_detach (self->parked, NULL)))
        msg_destroy (&msg);
}

static void drop_watchers (slot_t *self)
{
    pair_key_t *watcher;
    while ((watcher = zlistx_detach (self->watchers, NULL)))
        free (watcher);
}

void slot_destroy (slot_t **self_p)
{
    slot_t *self = take (self_p);
    if (!self)
        return;
    assert (!self->requests);
    drop_parked (self);
    drop_watchers (self);
    zlistx_destroy (&self->parked);
    zlistx_destroy (&self->watchers);
    msg_destroy (&self->start);
    msg_destroy (&self->sleep_args);
    actor_destroy (&self->actor);
    free (self);
}

void requests_open (requests_t *self)
{
    memset (self, 0, sizeof *self);
    self->by_key = table_by_pair ();
}

void requests_close (requests_t *self)
{
    request_t *request;
    while ((request = zhashx_first (self->by_key)))
        request_remove (self, &request);
    zhashx_destroy (&self->by_key);
    timers_close (&self->deadlines);
}

static void link_request (request_t *request, slot_t *slot)
{
    request->slot = slot;
    request->previous = NULL;
    request->next = slot->requests;
    if (slot->requests)
        slot->requests->previous = request;
    slot->requests = request;
    slot->open_requests += !request->stream;
}

static void unlink_request (request_t *request)
{
    if (request->previous)
        request->previous->next = request->next;
    else
        request->slot->requests = request->next;
    if (request->next)
        request->next->previous = request->previous;
    request->slot->open_requests -= !request->stream;
}

request_t *request_add (requests_t *self, pair_key_t key, slot_t *slot, int64_t deadline,
                        bool stream)
{
    request_t *request = calloc (1, sizeof *request);
    assert (request);
    request->key = key;
    request->stream = stream;
    if (zhashx_insert (self->by_key, &request->key, request)) {
        free (request);
        return NULL;
    }
    link_request (request, slot);
    timers_set (&self->deadlines, &request->node, deadline);
    return request;
}

request_t *request_find (requests_t *self, pair_key_t key)
{
    return zhashx_lookup (self->by_key, &key);
}

void request_move (request_t *request, slot_t *slot)
{
    unlink_request (request);
    link_request (request, slot);
    request->incarnation = 0;
}

void request_remove (requests_t *self, request_t **request_p)
{
    request_t *request = take (request_p);
    unlink_request (request);
    timers_remove (&self->deadlines, &request->node);
    zhashx_delete (self->by_key, &request->key);
    free (request);
}
