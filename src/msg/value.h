//  value.h: reading one msgpack value, behind limits.
//
//  Bytes from outside are first checked in one linear walk: whole, nothing behind it, nested at
//  most VALUE_MAX_DEPTH, no count that the bytes present could not hold, strings of valid UTF-8
//  without NUL, no key twice in a map. Only then is memory taken.

#ifndef TROUPE_VALUE_H
#define TROUPE_VALUE_H

#include "util/auto.h"
#include "util/error.h"

#include <msgpack.h>
#include <stddef.h>
#include <stdint.h>

#define VALUE_MAX_BYTES (8u * 1024 * 1024)
#define VALUE_MAX_BYTES_INSIDE (256u * 1024 * 1024) //  several canonical documents in a snapshot
#define VALUE_MAX_DEPTH 16
#define VALUE_MAX_COUNT 1000000 //  values in one document, all levels

//  A value inside a document. Strings end in NUL. It lives as long as its document.
typedef msgpack_object value_t;
typedef struct document document_t;

//  The caller owns the result; BYTES may go away. NULL and ERR_RPC when they are not one value, or
//  more than MAX_BYTES (VALUE_MAX_BYTES for what comes from outside).
document_t *document_parse (const void *bytes, size_t size, size_t max_bytes, error_t *err);
//  A value that was read, as a document of its own; NULL of NULL and nil.
document_t *document_of_value (const value_t *value);
document_t *document_copy (const document_t *self); //  NULL of NULL
void document_destroy (document_t **self_p);
DEFINE_AUTO (document_t, document_destroy)
const value_t *document_root (const document_t *self);

//  All of these accept NULL and values of another type, and say "absent" then.
const value_t *value_get (const value_t *map, const char *key);
const char *value_str (const value_t *self);            //  NULL unless a string
bool value_u64 (const value_t *self, uint64_t *number); //  false unless an integer >= 0
bool value_i64 (const value_t *self, int64_t *number);
bool value_bool (const value_t *self, bool otherwise);
const void *value_bin (const value_t *self, size_t *size); //  bin or str; NULL otherwise
size_t value_count (const value_t *self);                  //  of a map's pairs or an array
const value_t *value_at (const value_t *array, size_t index);
const char *value_key_at (const value_t *map, size_t index); //  NULL unless the key is a string
const value_t *value_val_at (const value_t *map, size_t index);

const char *value_get_str (const value_t *map, const char *key); //  NULL if absent
uint64_t value_get_u64 (const value_t *map, const char *key, uint64_t otherwise);
int64_t value_get_i64 (const value_t *map, const char *key, int64_t otherwise);
bool value_get_bool (const value_t *map, const char *key, bool otherwise);

#endif
