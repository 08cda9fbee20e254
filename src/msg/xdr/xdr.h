//  xdr.h: XDR (RFC 4506), as libvirt's RPC uses it: reading it into a msgpack map, and writing it
//  from one. Both go by tables of fields (types.def, procedures_*.def); there is no code a
//  procedure.
//
//      INT UINT CHAR UCHAR USHORT   a number of 4 bytes, in the range of that C type
//      HYPER UHYPER                 a number of 8 bytes
//      STR, OPT_STR                 a text of at most 4 MiB; optional: nil, or absent, is none
//      UUID                         16 bytes; here a text with dashes
//      DATA (name, max)             bytes (bin)
//      CHARS (name, max)            a text, 4 bytes a character, with the NUL at its end
//      CHARS_FIXED (name, size)     the same, filled up with NULs
//      STRUCT, OPT (name, type)     a map; optional: nil is none
//      LIST (name, max, type)       an array of maps; STRS, INTS, UINTS, UHYPERS: of texts, of
//      numbers PARAM                        a typed parameter's value: a map {type, value}; type is
//      one of
//                                   virTypedParameterType in libvirt's API reference

#ifndef TROUPE_XDR_H
#define TROUPE_XDR_H

#include "msg/pack.h"
#include "msg/value.h"
#include "util/text.h"

#define XDR_MAX_STRING (4u * 1024 * 1024)

typedef enum {
    XDR_END, //  behind the last field
    XDR_INT,
    XDR_UINT,
    XDR_CHAR,
    XDR_UCHAR,
    XDR_USHORT,
    XDR_HYPER,
    XDR_UHYPER,
    XDR_DOUBLE, //  in a PARAM only
    XDR_STR,
    XDR_UUID,
    XDR_DATA,
    XDR_CHARS,
    XDR_CHARS_FIXED,
    XDR_STRUCT,
    XDR_PARAM
} xdr_kind_t;

typedef enum {
    XDR_ONE,
    XDR_OPTIONAL,
    XDR_MANY
} xdr_how_t;

typedef struct xdr_field {
    const char *name;
    xdr_kind_t kind;
    xdr_how_t how;
    uint32_t max;               //  XDR_MANY: elements; else bytes or characters
    const struct xdr_field *of; //  XDR_STRUCT: its fields, XDR_END behind the last
} xdr_field_t;

//  virTypedParameterType
enum {
    PARAM_INT = 1,
    PARAM_UINT,
    PARAM_LLONG,
    PARAM_ULLONG,
    PARAM_DOUBLE,
    PARAM_BOOLEAN,
    PARAM_STRING
};

//  The shared types: xdr_domain, xdr_typed_param, xdr_error, ...
#define TYPE(name, ...) extern const xdr_field_t xdr_##name[];
#include "msg/xdr/types.def"
#undef TYPE

//  Reads FIELDS (NULL: none) from BYTES and writes them to PACK as one map. What is behind them is
//  not looked at. Each length is checked against the field's bound and the bytes that are left
//  before it is used. -1 and ERR_RPC, naming the field; PACK is to be thrown away then. Texts are
//  not checked to be UTF-8: document_parse does.
int xdr_decode (const xdr_field_t *fields, const void *bytes, size_t size, pack_t *pack,
                error_t *err);

//  Appends FIELDS, taken from MAP by their names, to OUT. -1 and ERR_INTERNAL_ERROR if one is
//  missing, of another type or out of its bounds; OUT is to be cut back then.
int xdr_encode (const xdr_field_t *fields, const value_t *map, text_t *out, error_t *err);

//  Numbers by themselves, for headers.
uint32_t xdr_u32_at (const void *bytes);
void xdr_add_u32 (text_t *out, uint32_t number);

#endif
