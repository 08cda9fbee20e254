//  message.c: what a client receives.

#include "client/message.h"
#include "msg/msg.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static troupe_message_t *message_new (troupe_kind_t kind, uint64_t id, const char *verb)
{
    troupe_message_t *self = calloc (1, sizeof *self);
    assert (self);
    self->kind = kind;
    self->id = id;
    snprintf (self->verb, sizeof self->verb, "%s", verb ? verb : "");
    return self;
}

troupe_message_t *message_failure (uint64_t id, const char *verb, const error_t *error)
{
    troupe_message_t *self = message_new (TROUPE_FAILURE, id, verb);
    self->error = *error;
    return self;
}

troupe_message_t *message_notice (const char *verb)
{
    return message_new (TROUPE_NOTICE, 0, verb);
}

//  The wire's kinds, and where their content is.
static const struct {
    const char *name, *content;
    troupe_kind_t kind;
} kinds[] = { { "reply", "result", TROUPE_REPLY },
              { "error", "error", TROUPE_FAILURE },
              { "event", "args", TROUPE_EVENT } };

static troupe_message_t *message_read (const value_t *root)
{
    const char *name = value_get_str (root, "kind");
    size_t i = 0, count = sizeof kinds / sizeof *kinds;
    while (i < count && (!name || strcmp (name, kinds[i].name) != 0))
        i++;
    if (i == count)
        return NULL;
    troupe_message_t *self =
        message_new (kinds[i].kind, value_get_u64 (root, "id", 0), value_get_str (root, "verb"));
    self->value = value_get (root, kinds[i].content);
    if (self->kind == TROUPE_FAILURE)
        error_unpack (take (&self->value), &self->error);
    if (self->kind == TROUPE_EVENT)
        self->id = 0;
    return self;
}

troupe_message_t *message_parse (const void *bytes, size_t size, error_t *err)
{
    err->code = ERR_OK;
    auto(document_t) document = document_parse (bytes, size, VALUE_MAX_BYTES, err);
    if (!document)
        return NULL;
    const value_t *root = document_root (document);
    if (!value_get_str (root, "kind")) {
        error_set (err, ERR_RPC, "a message of %zu bytes has no kind", size);
        return NULL;
    }
    troupe_message_t *self = message_read (root);
    if (self)
        self->document = take (&document);
    return self;
}

void troupe_message_destroy (troupe_message_t **self_p)
{
    troupe_message_t *self = take (self_p);
    if (!self)
        return;
    document_destroy (&self->document);
    free (self);
}

troupe_kind_t troupe_message_kind (const troupe_message_t *self)
{
    return self->kind;
}

uint64_t troupe_message_id (const troupe_message_t *self)
{
    return self->id;
}

const char *troupe_message_verb (const troupe_message_t *self)
{
    return self->verb;
}

const troupe_value_t *troupe_message_value (const troupe_message_t *self)
{
    return public_value (self->value);
}

bool troupe_message_failed (const troupe_message_t *self, troupe_error_t *err)
{
    if (self->kind != TROUPE_FAILURE)
        return false;
    public_error (err, &self->error);
    return true;
}

void queue_put (queue_t *self, troupe_message_t *message)
{
    message->next = NULL;
    if (self->last)
        self->last->next = message;
    else
        self->first = message;
    self->last = message;
    self->count++;
}

//  Takes out the message that AFTER's pointer leads to.
static troupe_message_t *queue_remove (queue_t *self, troupe_message_t *before)
{
    troupe_message_t **link = before ? &before->next : &self->first;
    troupe_message_t *message = *link;
    *link = message->next;
    if (self->last == message)
        self->last = before;
    message->next = NULL;
    self->count--;
    return message;
}

troupe_message_t *queue_take (queue_t *self)
{
    return self->first ? queue_remove (self, NULL) : NULL;
}

troupe_message_t *queue_take_answer (queue_t *self, uint64_t id)
{
    troupe_message_t *before = NULL;
    for (troupe_message_t *m = self->first; m; before = m, m = m->next)
        if (m->id == id && m->kind <= TROUPE_FAILURE)
            return queue_remove (self, before);
    return NULL;
}

bool queue_drop_event (queue_t *self)
{
    troupe_message_t *before = NULL;
    for (troupe_message_t *m = self->first; m; before = m, m = m->next)
        if (m->kind > TROUPE_FAILURE) {
            auto(troupe_message_t) dropped = queue_remove (self, before);
            return true;
        }
    return false;
}
