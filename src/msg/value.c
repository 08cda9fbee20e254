//  value.c: reading msgpack. The check is ours, because msgpack-c believes the counts that it reads
//  and would allocate for them.

#include "msg/value.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    FEW_KEYS = 16
};

//  Where more than VALUE_MAX_BYTES may come, there may be more values, too: the largest answer to a
//  client of libvirt (32 MiB of statistics, nine values for each number) has some seven million.
enum {
    MAX_COUNT_INSIDE = 8 * VALUE_MAX_COUNT
};

struct document {
    msgpack_zone *zone;
    value_t root;
};

typedef struct {
    const uint8_t *at, *end;
    uint32_t values, most;
    const char *wrong;
} scan_t;

//  What the first byte says: how many bytes of length follow it, how many of payload, what it is.
typedef enum {
    SHAPE_PLAIN,
    SHAPE_STR,
    SHAPE_BIN,
    SHAPE_ARRAY,
    SHAPE_MAP,
    SHAPE_BAD
} shape_t;

typedef struct {
    shape_t shape;
    uint8_t length_bytes;
    uint32_t size; //  payload or count, when there are no length bytes
} head_t;

//  0xc0 .. 0xdf, in order: nil, (never used), false, true, bin 8 16 32, ext 8 16 32, float 32 64,
//  uint 8 16 32 64, int 8 16 32 64, fixext 1 2 4 8 16, str 8 16 32, array 16 32, map 16 32.
static const head_t heads[32] = {
    { SHAPE_PLAIN, 0, 0 }, { SHAPE_BAD, 0, 0 },   { SHAPE_PLAIN, 0, 0 }, { SHAPE_PLAIN, 0, 0 },
    { SHAPE_BIN, 1, 0 },   { SHAPE_BIN, 2, 0 },   { SHAPE_BIN, 4, 0 },   { SHAPE_BAD, 0, 0 },
    { SHAPE_BAD, 0, 0 },   { SHAPE_BAD, 0, 0 },   { SHAPE_PLAIN, 0, 4 }, { SHAPE_PLAIN, 0, 8 },
    { SHAPE_PLAIN, 0, 1 }, { SHAPE_PLAIN, 0, 2 }, { SHAPE_PLAIN, 0, 4 }, { SHAPE_PLAIN, 0, 8 },
    { SHAPE_PLAIN, 0, 1 }, { SHAPE_PLAIN, 0, 2 }, { SHAPE_PLAIN, 0, 4 }, { SHAPE_PLAIN, 0, 8 },
    { SHAPE_BAD, 0, 0 },   { SHAPE_BAD, 0, 0 },   { SHAPE_BAD, 0, 0 },   { SHAPE_BAD, 0, 0 },
    { SHAPE_BAD, 0, 0 },   { SHAPE_STR, 1, 0 },   { SHAPE_STR, 2, 0 },   { SHAPE_STR, 4, 0 },
    { SHAPE_ARRAY, 2, 0 }, { SHAPE_ARRAY, 4, 0 }, { SHAPE_MAP, 2, 0 },   { SHAPE_MAP, 4, 0 },
};

static head_t head_of (uint8_t first)
{
    if (first >= 0xc0 && first <= 0xdf)
        return heads[first - 0xc0];
    if (first < 0x80 || first >= 0xe0)
        return (head_t){ SHAPE_PLAIN, 0, 0 };
    if (first >= 0xa0)
        return (head_t){ SHAPE_STR, 0, first & 0x1fu };
    return (head_t){ first >= 0x90 ? SHAPE_ARRAY : SHAPE_MAP, 0, first & 0x0fu };
}

static bool scan_fail (scan_t *self, const char *wrong)
{
    self->wrong = wrong;
    return false;
}

static bool utf8_continues (const uint8_t *at, const uint8_t *end, int count)
{
    for (int i = 0; i < count; i++)
        if (at + i >= end || (at[i] & 0xc0) != 0x80)
            return false;
    return true;
}

//  Are the next eight bytes ASCII without NUL? Nearly all text is. No byte above 0 borrows from the
//  next when 1 is taken from each, so a high bit is left by a 0 only.
static bool is_plain (const uint8_t *at, const uint8_t *end)
{
    const uint64_t ones = 0x0101010101010101, high = 0x8080808080808080;
    uint64_t eight;
    if (end - at < (ptrdiff_t) sizeof eight)
        return false;
    memcpy (&eight, at, sizeof eight);
    return ((eight | (eight - ones)) & high) == 0;
}

//  Well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates) without NUL.
static bool utf8_valid (const uint8_t *at, const uint8_t *end)
{
    while (at < end) {
        if (is_plain (at, end)) {
            at += sizeof (uint64_t);
            continue;
        }
        uint8_t first = *at++;
        if (first == 0)
            return false;
        if (first < 0x80)
            continue;
        int more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
        if (first < 0xc2 || first > 0xf4 || !utf8_continues (at, end, more))
            return false;
        if ((first == 0xe0 && *at < 0xa0) || (first == 0xed && *at > 0x9f) ||
            (first == 0xf0 && *at < 0x90) || (first == 0xf4 && *at > 0x8f))
            return false;
        at += more;
    }
    return true;
}

static bool scan_length (scan_t *self, head_t *head)
{
    if (self->end - self->at < head->length_bytes)
        return scan_fail (self, "it ends in the middle of a value");
    for (int i = 0; i < head->length_bytes; i++)
        head->size = head->size << 8 | *self->at++;
    size_t left = (size_t) (self->end - self->at);
    size_t least = head->shape == SHAPE_MAP ? (size_t) head->size * 2 : head->size;
    if (least > left)
        return scan_fail (self, "it ends in the middle of a value");
    return true;
}

static bool scan_value (scan_t *self, int depth);

static bool scan_collection (scan_t *self, head_t head, int depth)
{
    if (depth >= VALUE_MAX_DEPTH)
        return scan_fail (self, "it is nested too deep");
    uint64_t values = (uint64_t) head.size * (head.shape == SHAPE_MAP ? 2 : 1);
    for (uint64_t i = 0; i < values; i++)
        if (!scan_value (self, depth + 1))
            return false;
    return true;
}

static bool scan_value (scan_t *self, int depth)
{
    if (self->at >= self->end)
        return scan_fail (self, "it ends in the middle of a value");
    if (++self->values > self->most)
        return scan_fail (self, "it holds too many values");
    head_t head = head_of (*self->at++);
    if (head.shape == SHAPE_BAD)
        return scan_fail (self, "it has a type that is not used here");
    if (!scan_length (self, &head))
        return false;
    if (head.shape == SHAPE_ARRAY || head.shape == SHAPE_MAP)
        return scan_collection (self, head, depth);
    if (head.shape == SHAPE_STR && !utf8_valid (self->at, self->at + head.size))
        return scan_fail (self, "a string is not UTF-8, or has a NUL in it");
    self->at += head.size;
    return true;
}

static int compare_keys (const void *a, const void *b)
{
    return strcmp (*(const char *const *) a, *(const char *const *) b);
}

//  Of few, as nearly all maps have, each is compared with each: most differ in their length.
static bool few_keys_differ (const msgpack_object_map *map)
{
    for (uint32_t i = 1; i < map->size; i++)
        for (uint32_t k = 0; k < i; k++) {
            const msgpack_object_str *a = &map->ptr[i].key.via.str, *b = &map->ptr[k].key.via.str;
            if (a->size == b->size && memcmp (a->ptr, b->ptr, a->size) == 0)
                return false;
        }
    return true;
}

static bool keys_differ (const msgpack_object_map *map)
{
    if (map->size <= FEW_KEYS)
        return few_keys_differ (map);
    const char **keys = calloc (map->size, sizeof *keys);
    assert (keys);
    for (uint32_t i = 0; i < map->size; i++)
        keys[i] = map->ptr[i].key.via.str.ptr;
    qsort (keys, map->size, sizeof *keys, compare_keys);
    bool differ = true;
    for (uint32_t i = 1; i < map->size; i++)
        if (strcmp (keys[i - 1], keys[i]) == 0)
            differ = false;
    free (keys);
    return differ;
}

//  Gives every string its NUL (the bytes stay in the zone), and checks the maps' keys.
static bool finish (document_t *self, value_t *value, const char **wrong)
{
    if (value->type == MSGPACK_OBJECT_STR) {
        char *text = msgpack_zone_malloc (self->zone, value->via.str.size + 1);
        assert (text);
        if (value->via.str.size > 0) //  of an empty one msgpack may say NULL
            memcpy (text, value->via.str.ptr, value->via.str.size);
        text[value->via.str.size] = 0;
        value->via.str.ptr = text;
    } else if (value->type == MSGPACK_OBJECT_ARRAY) {
        for (uint32_t i = 0; i < value->via.array.size; i++)
            if (!finish (self, &value->via.array.ptr[i], wrong))
                return false;
    } else if (value->type == MSGPACK_OBJECT_MAP) {
        for (uint32_t i = 0; i < value->via.map.size; i++) {
            msgpack_object_kv *pair = &value->via.map.ptr[i];
            *wrong = "a map has a key that is not a string";
            if (pair->key.type != MSGPACK_OBJECT_STR || !finish (self, &pair->key, wrong) ||
                !finish (self, &pair->val, wrong))
                return false;
        }
        *wrong = "a map has the same key twice";
        return keys_differ (&value->via.map);
    } else if (value->type == MSGPACK_OBJECT_BIN) {
        char *bytes = msgpack_zone_malloc (self->zone, value->via.bin.size + 1);
        assert (bytes);
        if (value->via.bin.size > 0) //  else there is no pointer to any
            memcpy (bytes, value->via.bin.ptr, value->via.bin.size);
        value->via.bin.ptr = bytes;
    }
    return true;
}

document_t *document_parse (const void *bytes, size_t size, size_t max_bytes, error_t *err)
{
    scan_t scan = { .at = bytes,
                    .end = (const uint8_t *) bytes + size,
                    .most = max_bytes > VALUE_MAX_BYTES ? MAX_COUNT_INSIDE : VALUE_MAX_COUNT };
    if (size > max_bytes)
        scan.wrong = "it is too large";
    else if (scan_value (&scan, 0) && scan.at != scan.end)
        scan.wrong = "something follows behind it";
    if (scan.wrong) {
        error_set (err, ERR_RPC, "read a message of %zu bytes: %s; it has to be one msgpack value",
                   size, scan.wrong);
        return NULL;
    }
    auto(document_t) self = calloc (1, sizeof *self);
    assert (self);
    self->zone = msgpack_zone_new (size < 1024 ? 2048 : MSGPACK_ZONE_CHUNK_SIZE);
    assert (self->zone);
    size_t offset = 0;
    msgpack_unpack_return rc = msgpack_unpack (bytes, size, &offset, self->zone, &self->root);
    assert (rc == MSGPACK_UNPACK_SUCCESS || rc == MSGPACK_UNPACK_EXTRA_BYTES);
    const char *wrong = NULL;
    if (!finish (self, &self->root, &wrong)) {
        error_set (err, ERR_RPC, "read a message of %zu bytes: %s", size, wrong);
        return NULL;
    }
    return take (&self);
}

document_t *document_of_value (const value_t *value)
{
    if (!value || value->type == MSGPACK_OBJECT_NIL)
        return NULL;
    msgpack_sbuffer buffer;
    msgpack_packer pack;
    msgpack_sbuffer_init (&buffer);
    msgpack_packer_init (&pack, &buffer, msgpack_sbuffer_write);
    msgpack_pack_object (&pack, *value);
    error_t err;
    document_t *copy = document_parse (buffer.data, buffer.size, VALUE_MAX_BYTES_INSIDE, &err);
    msgpack_sbuffer_destroy (&buffer);
    assert (copy);
    return copy;
}

document_t *document_copy (const document_t *self)
{
    return self ? document_of_value (&self->root) : NULL;
}

void document_destroy (document_t **self_p)
{
    document_t *self = take (self_p);
    if (!self)
        return;
    if (self->zone)
        msgpack_zone_free (self->zone);
    free (self);
}

const value_t *document_root (const document_t *self)
{
    return &self->root;
}

const value_t *value_get (const value_t *map, const char *key)
{
    for (size_t i = 0; map && map->type == MSGPACK_OBJECT_MAP && i < map->via.map.size; i++)
        if (strcmp (map->via.map.ptr[i].key.via.str.ptr, key) == 0)
            return &map->via.map.ptr[i].val;
    return NULL;
}

const char *value_str (const value_t *self)
{
    return self && self->type == MSGPACK_OBJECT_STR ? self->via.str.ptr : NULL;
}

bool value_u64 (const value_t *self, uint64_t *number)
{
    if (!self || self->type != MSGPACK_OBJECT_POSITIVE_INTEGER)
        return false;
    *number = self->via.u64;
    return true;
}

bool value_i64 (const value_t *self, int64_t *number)
{
    if (self && self->type == MSGPACK_OBJECT_POSITIVE_INTEGER && self->via.u64 <= INT64_MAX)
        *number = (int64_t) self->via.u64;
    else if (self && self->type == MSGPACK_OBJECT_NEGATIVE_INTEGER)
        *number = self->via.i64;
    else
        return false;
    return true;
}

bool value_bool (const value_t *self, bool otherwise)
{
    return self && self->type == MSGPACK_OBJECT_BOOLEAN ? self->via.boolean : otherwise;
}

const void *value_bin (const value_t *self, size_t *size)
{
    if (self && self->type == MSGPACK_OBJECT_BIN) {
        *size = self->via.bin.size;
        return self->via.bin.ptr;
    }
    if (self && self->type == MSGPACK_OBJECT_STR) {
        *size = self->via.str.size;
        return self->via.str.ptr;
    }
    *size = 0;
    return NULL;
}

size_t value_count (const value_t *self)
{
    if (self && self->type == MSGPACK_OBJECT_MAP)
        return self->via.map.size;
    return self && self->type == MSGPACK_OBJECT_ARRAY ? self->via.array.size : 0;
}

const value_t *value_at (const value_t *array, size_t index)
{
    return array && array->type == MSGPACK_OBJECT_ARRAY && index < array->via.array.size
               ? &array->via.array.ptr[index]
               : NULL;
}

const char *value_key_at (const value_t *map, size_t index)
{
    return map && map->type == MSGPACK_OBJECT_MAP && index < map->via.map.size
               ? value_str (&map->via.map.ptr[index].key)
               : NULL;
}

const value_t *value_val_at (const value_t *map, size_t index)
{
    return map && map->type == MSGPACK_OBJECT_MAP && index < map->via.map.size
               ? &map->via.map.ptr[index].val
               : NULL;
}

const char *value_get_str (const value_t *map, const char *key)
{
    return value_str (value_get (map, key));
}

uint64_t value_get_u64 (const value_t *map, const char *key, uint64_t otherwise)
{
    uint64_t number = otherwise;
    value_u64 (value_get (map, key), &number);
    return number;
}

int64_t value_get_i64 (const value_t *map, const char *key, int64_t otherwise)
{
    int64_t number = otherwise;
    value_i64 (value_get (map, key), &number);
    return number;
}

bool value_get_bool (const value_t *map, const char *key, bool otherwise)
{
    return value_bool (value_get (map, key), otherwise);
}
