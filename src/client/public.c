//  public.c: errors, values and arguments as troupe.h has them.

#include "client/public.h"
#include "util/auto.h"

#include <assert.h>
#include <string.h>

_Static_assert((int) TROUPE_ERROR_NO_CONNECT == ERR_NO_CONNECT &&
                   (int) TROUPE_ERROR_XML == ERR_XML_ERROR &&
                   (int) TROUPE_ERROR_DOMAIN_EXISTS == ERR_DOM_EXIST &&
                   (int) TROUPE_ERROR_DENIED == ERR_OPERATION_DENIED &&
                   (int) TROUPE_ERROR_XML_MALFORMED == ERR_XML_DETAIL &&
                   (int) TROUPE_ERROR_NO_DOMAIN == ERR_NO_DOMAIN &&
                   (int) TROUPE_ERROR_OPERATION_INVALID == ERR_OPERATION_INVALID &&
                   (int) TROUPE_ERROR_UNSUPPORTED_CONFIG == ERR_CONFIG_UNSUPPORTED &&
                   (int) TROUPE_ERROR_TIMEOUT == ERR_OPERATION_TIMEOUT &&
                   (int) TROUPE_ERROR_ABORTED == ERR_OPERATION_ABORTED &&
                   (int) TROUPE_ERROR_NO_METADATA == ERR_NO_DOMAIN_METADATA &&
                   (int) TROUPE_ERROR_BUSY == ERR_RESOURCE_BUSY,
               "troupe.h and error_codes.def have the same numbers");
_Static_assert(TROUPE_MESSAGE_MAX == ERROR_MESSAGE_MAX, "a message fits");

void public_error (troupe_error_t *to, const error_t *from)
{
    to->code = (int) from->code;
    to->retry = from->retry;
    memcpy (to->message, from->message, sizeof to->message);
}

const char *troupe_error_name (int code)
{
    return error_code_name (code);
}

const troupe_value_t *public_value (const value_t *value)
{
    return (const troupe_value_t *) value;
}

static const value_t *inner (const troupe_value_t *self)
{
    return (const value_t *) self;
}

troupe_type_t troupe_type (const troupe_value_t *self)
{
    switch (self ? inner (self)->type : MSGPACK_OBJECT_NIL) {
    case MSGPACK_OBJECT_BOOLEAN:
        return TROUPE_BOOL;
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        return TROUPE_INT;
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        return TROUPE_FLOAT;
    case MSGPACK_OBJECT_STR:
        return TROUPE_STR;
    case MSGPACK_OBJECT_BIN:
        return TROUPE_BIN;
    case MSGPACK_OBJECT_ARRAY:
        return TROUPE_ARRAY;
    case MSGPACK_OBJECT_MAP:
        return TROUPE_MAP;
    default:
        return TROUPE_NIL;
    }
}

const char *troupe_str (const troupe_value_t *self)
{
    return value_str (inner (self));
}

bool troupe_bool (const troupe_value_t *self, bool otherwise)
{
    return value_bool (inner (self), otherwise);
}

int64_t troupe_i64 (const troupe_value_t *self, int64_t otherwise)
{
    value_i64 (inner (self), &otherwise);
    return otherwise;
}

uint64_t troupe_u64 (const troupe_value_t *self, uint64_t otherwise)
{
    value_u64 (inner (self), &otherwise);
    return otherwise;
}

double troupe_float (const troupe_value_t *self, double otherwise)
{
    if (troupe_type (self) == TROUPE_FLOAT)
        return inner (self)->via.f64;
    if (troupe_type (self) != TROUPE_INT)
        return otherwise;
    return inner (self)->type == MSGPACK_OBJECT_NEGATIVE_INTEGER ? (double) inner (self)->via.i64
                                                                 : (double) inner (self)->via.u64;
}

const void *troupe_bin (const troupe_value_t *self, size_t *size)
{
    return value_bin (inner (self), size);
}

size_t troupe_count (const troupe_value_t *self)
{
    return value_count (inner (self));
}

const troupe_value_t *troupe_at (const troupe_value_t *self, size_t index)
{
    const value_t *value = inner (self);
    return public_value (troupe_type (self) == TROUPE_MAP ? value_val_at (value, index)
                                                          : value_at (value, index));
}

const char *troupe_key_at (const troupe_value_t *self, size_t index)
{
    return value_key_at (inner (self), index);
}

const troupe_value_t *troupe_get (const troupe_value_t *self, const char *key)
{
    return public_value (value_get (inner (self), key));
}

const char *troupe_get_str (const troupe_value_t *self, const char *key)
{
    return troupe_str (troupe_get (self, key));
}

bool troupe_get_bool (const troupe_value_t *self, const char *key, bool otherwise)
{
    return troupe_bool (troupe_get (self, key), otherwise);
}

int64_t troupe_get_i64 (const troupe_value_t *self, const char *key, int64_t otherwise)
{
    return troupe_i64 (troupe_get (self, key), otherwise);
}

uint64_t troupe_get_u64 (const troupe_value_t *self, const char *key, uint64_t otherwise)
{
    return troupe_u64 (troupe_get (self, key), otherwise);
}

troupe_args_t *troupe_args_new (void)
{
    troupe_args_t *self = calloc (1, sizeof *self);
    assert (self);
    pack_init (&self->pack);
    pack_map (&self->pack);
    return self;
}

void troupe_args_destroy (troupe_args_t **self_p)
{
    troupe_args_t *self = take (self_p);
    if (!self)
        return;
    pack_close (&self->pack);
    free (self);
}

void troupe_args_str (troupe_args_t *self, const char *name, const char *text)
{
    pack_key_str (&self->pack, name, text);
}

void troupe_args_bool (troupe_args_t *self, const char *name, bool value)
{
    pack_key_bool (&self->pack, name, value);
}

void troupe_args_i64 (troupe_args_t *self, const char *name, int64_t value)
{
    pack_key_i64 (&self->pack, name, value);
}

void troupe_args_u64 (troupe_args_t *self, const char *name, uint64_t value)
{
    pack_key_u64 (&self->pack, name, value);
}

void troupe_args_bin (troupe_args_t *self, const char *name, const void *bytes, size_t size)
{
    pack_key (&self->pack, name);
    pack_bin (&self->pack, bytes, size);
}

void troupe_args_strs (troupe_args_t *self, const char *name, const char *const *texts,
                       size_t count)
{
    pack_key_array (&self->pack, name);
    for (size_t i = 0; i < count; i++)
        pack_str (&self->pack, texts[i]);
    pack_end (&self->pack);
}
