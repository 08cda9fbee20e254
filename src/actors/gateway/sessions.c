//  sessions.c: who is connected to the native API.

#include "actors/gateway/sessions.h"

#include "actors/runtime/table.h"

enum {
    MAX_INTEREST_VERBS = 32
};

struct sessions {
    zhashx_t *by_key, *by_number;
    session_t *first, *last;
    uint64_t last_number;
};

sessions_t *sessions_new (void)
{
    sessions_t *self = memory_new (1, sizeof *self);
    self->by_key = table_by_u64 ();
    self->by_number = table_by_u64 ();
    return self;
}

void sessions_destroy (sessions_t **self_p)
{
    sessions_t *self = take (self_p);
    if (!self)
        return;
    assert (!self->first);
    zhashx_destroy (&self->by_key);
    zhashx_destroy (&self->by_number);
    free (self);
}

session_t *sessions_add (sessions_t *self, uint64_t key, const char *user_id, const peer_t *peer,
                         access_t role)
{
    if (sessions_count (self) >= SESSIONS_MAX)
        return NULL;
    session_t *session = memory_new (1, sizeof *session);
    session->key = key;
    session->number = ++self->last_number;
    session->peer = *peer;
    session->role = role;
    snprintf (session->user_id, sizeof session->user_id, "%s", user_id);
    session->previous = self->last;
    if (self->last)
        self->last->next = session;
    else
        self->first = session;
    self->last = session;
    zhashx_insert (self->by_key, &session->key, session);
    zhashx_insert (self->by_number, &session->number, session);
    return session;
}

void sessions_remove (sessions_t *self, session_t **session_p)
{
    session_t *session = take (session_p);
    assert (!session->streams && !session->outbox.first);
    session_unsubscribe (session);
    if (session->previous)
        session->previous->next = session->next;
    else
        self->first = session->next;
    if (session->next)
        session->next->previous = session->previous;
    else
        self->last = session->previous;
    zhashx_delete (self->by_key, &session->key);
    zhashx_delete (self->by_number, &session->number);
    free (session);
}

session_t *sessions_find (const sessions_t *self, uint64_t key)
{
    return zhashx_lookup (self->by_key, &key);
}

session_t *sessions_by_number (const sessions_t *self, uint64_t number)
{
    return zhashx_lookup (self->by_number, &number);
}

session_t *sessions_first (const sessions_t *self)
{
    return self->first;
}

size_t sessions_count (const sessions_t *self)
{
    return zhashx_size (self->by_key);
}

static strings_t *copy_verbs (const value_t *names)
{
    if (!names)
        return NULL;
    strings_t *copy = strings_new ();
    for (size_t i = 0; i < value_count (names); i++)
        strings_add (copy, value_str (value_at (names, i)));
    return copy;
}

//  Who waits for an event that does not exist waits for ever.
static int check_names (const value_t *names, error_t *err)
{
    for (size_t i = 0; i < value_count (names); i++) {
        const char *name = value_str (value_at (names, i));
        if (!verb_is_event (name))
            return error_set (err, ERR_INVALID_ARG,
                              "event.subscribe: there is no event '%.64s'; the protocol's document "
                              "lists them",
                              name);
    }
    if (value_count (names) > MAX_INTEREST_VERBS || (names && value_count (names) == 0))
        return error_set (err, ERR_INVALID_ARG,
                          "event.subscribe: argument 'verbs' may have 1 to %d names",
                          MAX_INTEREST_VERBS);
    return 0;
}

static int check_subscription (const session_t *self, const value_t *names, error_t *err)
{
    if (self->interest_count >= SESSION_MAX_INTERESTS)
        return error_set (err, ERR_RESOURCE_BUSY,
                          "event.subscribe: this session has %d subscriptions already; "
                          "event.unsubscribe ends them",
                          self->interest_count);
    return check_names (names, err);
}

const interest_t *session_subscribe (session_t *self, const char *uuid, const value_t *names,
                                     error_t *err)
{
    if (check_subscription (self, names, err))
        return NULL;
    interest_t *interest = memory_new (1, sizeof *interest);
    snprintf (interest->uuid, sizeof interest->uuid, "%s", uuid);
    interest->verbs = copy_verbs (names);
    interest->next = self->interests;
    self->interests = interest;
    self->interest_count++;
    return interest;
}

void session_unsubscribe (session_t *self)
{
    interest_t *interest;
    while ((interest = self->interests)) {
        self->interests = interest->next;
        strings_destroy (&interest->verbs);
        free (interest);
    }
    self->interest_count = 0;
}

bool interest_has (const interest_t *self, const char *uuid, const char *verb)
{
    return (!self->uuid[0] || strcmp (self->uuid, uuid) == 0) &&
           (!self->verbs || strings_contain (self->verbs, verb));
}

bool session_wants (const session_t *self, const char *uuid, const char *verb)
{
    for (const interest_t *each = self->interests; each; each = each->next)
        if (interest_has (each, uuid, verb))
            return true;
    return false;
}

bool session_listens (const session_t *self)
{
    return self->interests || self->streams || self->tracing;
}
