//  pack.h: writing one msgpack value, piece by piece. Maps and arrays need no count in advance:
//
//      pack_t pack;
//      pack_init (&pack);
//      pack_map (&pack);
//      pack_key_str (&pack, "name", "web1");
//      pack_key (&pack, "tags");
//      pack_array (&pack);
//      pack_str (&pack, "blue");
//      pack_end (&pack);
//      pack_end (&pack);
//      ... pack.bytes, pack.size ...
//      pack_close (&pack);
//
//  Writing cannot fail, but for memory, which aborts. A key without a value is a bug, and asserted.

#ifndef TROUPE_PACK_H
#define TROUPE_PACK_H

#include <msgpack.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACK_MAX_DEPTH 16

typedef struct {
    char *bytes;
    size_t size, room;
    int depth;
    struct {
        size_t head;    //  where the collection's header stands
        uint32_t count; //  values written so far (keys count too)
        bool map;
    } open[PACK_MAX_DEPTH];
} pack_t;

void pack_init (pack_t *self);
void pack_close (pack_t *self);
void pack_clear (pack_t *self); //  empty again, but keeps its memory
//  The bytes, which the caller frees; SELF is empty afterwards.
char *pack_take (pack_t *self, size_t *size);

void pack_map (pack_t *self);
void pack_array (pack_t *self);
void pack_end (pack_t *self); //  of the innermost map or array

void pack_str (pack_t *self, const char *text); //  NULL becomes nil
//  SIZE bytes as a text; that they are UTF-8 without NUL is for its reader to check.
void pack_text (pack_t *self, const void *bytes, size_t size);
void pack_bin (pack_t *self, const void *bytes, size_t size);
void pack_u64 (pack_t *self, uint64_t value);
void pack_i64 (pack_t *self, int64_t value);
void pack_double (pack_t *self, double value);
void pack_bool (pack_t *self, bool value);
void pack_nil (pack_t *self);
//  One value that was read (a value_t).
void pack_value (pack_t *self, const msgpack_object *value);
//  One whole value that is packed already.
void pack_packed (pack_t *self, const void *bytes, size_t size);

//  In a map: the key, after which one value follows; and both at once.
void pack_key (pack_t *self, const char *key);
void pack_key_str (pack_t *self, const char *key, const char *text);
void pack_key_u64 (pack_t *self, const char *key, uint64_t value);
void pack_key_i64 (pack_t *self, const char *key, int64_t value);
void pack_key_bool (pack_t *self, const char *key, bool value);
//  A value that was read; NULL becomes nil.
void pack_key_value (pack_t *self, const char *key, const msgpack_object *value);
void pack_key_map (pack_t *self, const char *key);
void pack_key_array (pack_t *self, const char *key);

#endif
