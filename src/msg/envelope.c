//  envelope.c: reading clients' requests, writing their answers.

#include "msg/envelope.h"

#include "msg/msg.h"

#include <string.h>

static const char *const fields[] = {
    "id", "kind", "verb", "args", "deadline", "key", "trace", NULL
};

static bool is_field (const char *name)
{
    for (const char *const *field = fields; *field; field++)
        if (strcmp (*field, name) == 0)
            return true;
    return false;
}

static int check_fields (const value_t *root, error_t *err)
{
    for (size_t i = 0; i < value_count (root); i++) {
        const char *name = value_key_at (root, i);
        if (!is_field (name))
            return error_set (err, ERR_RPC,
                              "read a request: it has an unknown field '%.64s'; docs/protocol.md "
                              "lists them",
                              name);
    }
    return 0;
}

static int read_deadline (call_t *self, const value_t *value, error_t *err)
{
    uint64_t ms = CALL_DEADLINE_MS;
    if (value && (!value_u64 (value, &ms) || ms == 0 || ms > CALL_MAX_DEADLINE_MS))
        return error_set (err, ERR_RPC,
                          "read a request: its field 'deadline' has to be 1 to %d (milliseconds)",
                          CALL_MAX_DEADLINE_MS);
    self->deadline_ms = (int) ms;
    return 0;
}

static int read_trace (call_t *self, const value_t *value, error_t *err)
{
    self->trace = value_str (value);
    if (value && (!self->trace || strlen (self->trace) > CALL_MAX_TRACE))
        return error_set (
            err, ERR_RPC,
            "read a request: its field 'trace' has to be a string of at most %d bytes",
            CALL_MAX_TRACE);
    return 0;
}

//  Printable, so that it can be shown in a log and typed in a shell.
static bool is_key (const char *text)
{
    size_t size = strlen (text);
    for (const char *c = text; *c; c++)
        if (*c <= ' ' || *c > '~')
            return false;
    return size > 0 && size <= CALL_MAX_KEY;
}

static int read_key (call_t *self, const value_t *value, error_t *err)
{
    self->key = value_str (value);
    if (value && (!self->key || !is_key (self->key)))
        return error_set (err, ERR_RPC,
                          "read a request: its field 'key' has to be a string of 1 to %d printable "
                          "ASCII characters without blanks",
                          CALL_MAX_KEY);
    return 0;
}

int call_read (call_t *self, const void *bytes, size_t size, error_t *err)
{
    *self = (call_t){ .document = document_parse (bytes, size, VALUE_MAX_BYTES, err) };
    if (!self->document)
        return -1;
    const value_t *root = document_root (self->document);
    if (root->type != MSGPACK_OBJECT_MAP)
        return error_set (err, ERR_RPC, "read a request: it has to be a map");
    self->has_id = value_u64 (value_get (root, "id"), &self->id);
    if (!self->has_id)
        return error_set (err, ERR_RPC, "read a request: its field 'id' has to be a whole number");
    const char *kind = value_get_str (root, "kind");
    if (!kind || strcmp (kind, "request") != 0)
        return error_set (err, ERR_RPC, "read a request: its field 'kind' has to be 'request'");
    self->verb = value_get_str (root, "verb");
    if (!self->verb)
        return error_set (err, ERR_RPC, "read a request: its field 'verb' has to be a string");
    self->args = value_get (root, "args");
    if (self->args && self->args->type == MSGPACK_OBJECT_NIL)
        self->args = NULL;
    if (check_fields (root, err) || read_deadline (self, value_get (root, "deadline"), err) ||
        read_key (self, value_get (root, "key"), err) ||
        read_trace (self, value_get (root, "trace"), err))
        return -1;
    return 0;
}

void call_close (call_t *self)
{
    document_destroy (&self->document);
}

void reply_begin (pack_t *pack, uint64_t id)
{
    pack_clear (pack);
    pack_map (pack);
    pack_key_u64 (pack, "id", id);
    pack_key_str (pack, "kind", "reply");
    pack_key (pack, "result");
}

void reply_end (pack_t *pack)
{
    pack_end (pack);
}

void reply_error (pack_t *pack, bool has_id, uint64_t id, const error_t *err)
{
    pack_clear (pack);
    pack_map (pack);
    pack_key (pack, "id");
    if (has_id)
        pack_u64 (pack, id);
    else
        pack_nil (pack);
    pack_key_str (pack, "kind", "error");
    pack_key (pack, "error");
    error_pack (err, pack);
    pack_end (pack);
}

void event_begin (pack_t *pack, const char *verb)
{
    pack_clear (pack);
    pack_map (pack);
    pack_key_str (pack, "kind", "event");
    pack_key_str (pack, "verb", verb);
    pack_key_map (pack, "args");
}

void event_end (pack_t *pack)
{
    pack_end (pack);
    pack_end (pack);
}
