//  pack.c: writing msgpack (its specification: github.com/msgpack/msgpack/blob/master/spec.md).
//  Scalars go through msgpack-c. Collections get the 32-bit header, whose count is filled in at the
//  end: that is what msgpack-c, which wants the count first, can't do.

#include "msg/pack.h"

#include <arpa/inet.h>
#include <assert.h>
#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAP32 = 0xdf,
    ARRAY32 = 0xdd,
    COLLECTION_HEAD = 5
};

static int append (void *data, const char *bytes, size_t size)
{
    pack_t *self = data;
    if (self->size + size > self->room) {
        self->room = (self->size + size) * 2 + 64;
        self->bytes = realloc (self->bytes, self->room);
        assert (self->bytes);
    }
    memcpy (self->bytes + self->size, bytes, size);
    self->size += size;
    return 0;
}

static void count_value (pack_t *self)
{
    if (self->depth > 0)
        self->open[self->depth - 1].count++;
}

static msgpack_packer packer (pack_t *self)
{
    count_value (self);
    msgpack_packer result;
    msgpack_packer_init (&result, self, append);
    return result;
}

void pack_init (pack_t *self)
{
    memset (self, 0, sizeof *self);
}

void pack_close (pack_t *self)
{
    free (self->bytes);
    pack_init (self);
}

void pack_clear (pack_t *self)
{
    self->size = 0;
    self->depth = 0;
}

char *pack_take (pack_t *self, size_t *size)
{
    assert (self->depth == 0);
    char *bytes = self->bytes;
    *size = self->size;
    pack_init (self);
    return bytes;
}

static void open_collection (pack_t *self, bool map)
{
    assert (self->depth < PACK_MAX_DEPTH);
    count_value (self);
    size_t head = self->size;
    char header[COLLECTION_HEAD] = { (char) (map ? MAP32 : ARRAY32) };
    append (self, header, sizeof header);
    self->open[self->depth].head = head;
    self->open[self->depth].count = 0;
    self->open[self->depth].map = map;
    self->depth++;
}

void pack_map (pack_t *self)
{
    open_collection (self, true);
}

void pack_array (pack_t *self)
{
    open_collection (self, false);
}

void pack_end (pack_t *self)
{
    assert (self->depth > 0);
    self->depth--;
    uint32_t count = self->open[self->depth].count;
    if (self->open[self->depth].map) {
        assert (count % 2 == 0);
        count /= 2;
    }
    uint32_t wire = htonl (count);
    memcpy (self->bytes + self->open[self->depth].head + 1, &wire, sizeof wire);
}

void pack_text (pack_t *self, const void *bytes, size_t size)
{
    msgpack_packer to = packer (self);
    msgpack_pack_str (&to, size);
    if (size > 0)
        msgpack_pack_str_body (&to, bytes, size);
}

void pack_str (pack_t *self, const char *text)
{
    if (!text) {
        pack_nil (self);
        return;
    }
    pack_text (self, text, strlen (text));
}

void pack_bin (pack_t *self, const void *bytes, size_t size)
{
    msgpack_packer to = packer (self);
    msgpack_pack_bin (&to, size);
    if (size > 0)
        msgpack_pack_bin_body (&to, bytes, size);
}

void pack_u64 (pack_t *self, uint64_t value)
{
    msgpack_packer to = packer (self);
    msgpack_pack_uint64 (&to, value);
}

void pack_i64 (pack_t *self, int64_t value)
{
    msgpack_packer to = packer (self);
    msgpack_pack_int64 (&to, value);
}

void pack_double (pack_t *self, double value)
{
    msgpack_packer to = packer (self);
    msgpack_pack_double (&to, value);
}

void pack_bool (pack_t *self, bool value)
{
    msgpack_packer to = packer (self);
    if (value)
        msgpack_pack_true (&to);
    else
        msgpack_pack_false (&to);
}

void pack_nil (pack_t *self)
{
    msgpack_packer to = packer (self);
    msgpack_pack_nil (&to);
}

void pack_value (pack_t *self, const msgpack_object *value)
{
    msgpack_packer to = packer (self);
    msgpack_pack_object (&to, *value);
}

void pack_packed (pack_t *self, const void *bytes, size_t size)
{
    assert (size > 0);
    count_value (self);
    append (self, bytes, size);
}

void pack_key (pack_t *self, const char *key)
{
    assert (self->depth > 0 && self->open[self->depth - 1].map);
    assert (self->open[self->depth - 1].count % 2 == 0);
    pack_str (self, key);
}

void pack_key_str (pack_t *self, const char *key, const char *text)
{
    pack_key (self, key);
    pack_str (self, text);
}

void pack_key_u64 (pack_t *self, const char *key, uint64_t value)
{
    pack_key (self, key);
    pack_u64 (self, value);
}

void pack_key_i64 (pack_t *self, const char *key, int64_t value)
{
    pack_key (self, key);
    pack_i64 (self, value);
}

void pack_key_bool (pack_t *self, const char *key, bool value)
{
    pack_key (self, key);
    pack_bool (self, value);
}

void pack_key_value (pack_t *self, const char *key, const msgpack_object *value)
{
    pack_key (self, key);
    if (value)
        pack_value (self, value);
    else
        pack_nil (self);
}

void pack_key_map (pack_t *self, const char *key)
{
    pack_key (self, key);
    pack_map (self);
}

void pack_key_array (pack_t *self, const char *key)
{
    pack_key (self, key);
    pack_array (self);
}
