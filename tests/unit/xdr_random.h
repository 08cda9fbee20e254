//  xdr_random.h: random values for the tables of libvirt's RPC.

#ifndef TROUPE_XDR_RANDOM_H
#define TROUPE_XDR_RANDOM_H

#include "msg/xdr/procedures.h"

#define XDR_RANDOM_UUID "aaaaaaaa-0000-4000-8000-000000000001" //  of all that is named by one

static inline uint64_t random_u64 (uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed ^ *seed >> 29;
}

static inline void pack_random_text (pack_t *pack, uint64_t *seed, size_t max)
{
    char text[40];
    size_t size = random_u64 (seed) % sizeof text;
    if (size >= max)
        size = max - 1;
    for (size_t i = 0; i < size; i++)
        text[i] = (char) ('a' + random_u64 (seed) % 26);
    pack_text (pack, text, size);
}

static inline void pack_random_number (pack_t *pack, uint64_t *seed, xdr_kind_t kind)
{
    uint64_t number = random_u64 (seed);
    switch (kind) {
    case XDR_INT:
        pack_i64 (pack, (int32_t) number);
        break;
    case XDR_CHAR:
        pack_i64 (pack, (int8_t) number);
        break;
    case XDR_HYPER:
        pack_i64 (pack, (int64_t) number);
        break;
    case XDR_UINT:
        pack_u64 (pack, (uint32_t) number);
        break;
    case XDR_UCHAR:
        pack_u64 (pack, (uint8_t) number);
        break;
    case XDR_USHORT:
        pack_u64 (pack, (uint16_t) number);
        break;
    default:
        pack_u64 (pack, number);
    }
}

static inline void pack_random_map (pack_t *pack, uint64_t *seed, const xdr_field_t *fields);

static inline void pack_random_param (pack_t *pack, uint64_t *seed)
{
    static const xdr_kind_t kinds[] = {
        [PARAM_INT] = XDR_INT,       [PARAM_UINT] = XDR_UINT,     [PARAM_LLONG] = XDR_HYPER,
        [PARAM_ULLONG] = XDR_UHYPER, [PARAM_DOUBLE] = XDR_DOUBLE, [PARAM_BOOLEAN] = XDR_INT,
        [PARAM_STRING] = XDR_STR,
    };
    uint64_t type = PARAM_INT + random_u64 (seed) % PARAM_STRING;
    pack_map (pack);
    pack_key_u64 (pack, "type", type);
    pack_key (pack, "value");
    if (type == PARAM_STRING)
        pack_random_text (pack, seed, 40);
    else if (type == PARAM_DOUBLE)
        pack_double (pack, (double) random_u64 (seed) / 3);
    else
        pack_random_number (pack, seed, kinds[type]);
    pack_end (pack);
}

static inline void pack_random_one (pack_t *pack, uint64_t *seed, const xdr_field_t *field)
{
    switch (field->kind) {
    case XDR_STR:
        pack_random_text (pack, seed, 40);
        break;
    case XDR_CHARS:
    case XDR_CHARS_FIXED:
        pack_random_text (pack, seed, field->max);
        break;
    case XDR_DATA:
        pack_bin (pack, "\0\1\2\3\4\5\6\7", random_u64 (seed) % 9);
        break;
    case XDR_UUID:
        pack_str (pack, XDR_RANDOM_UUID);
        break;
    case XDR_STRUCT:
        pack_random_map (pack, seed, field->of);
        break;
    case XDR_PARAM:
        pack_random_param (pack, seed);
        break;
    default:
        pack_random_number (pack, seed, field->kind);
    }
}

static inline void pack_random_map (pack_t *pack, uint64_t *seed, const xdr_field_t *fields)
{
    pack_map (pack);
    for (; fields->kind != XDR_END; fields++) {
        pack_key (pack, fields->name);
        uint64_t count = random_u64 (seed) % 4;
        if (fields->how == XDR_ONE)
            pack_random_one (pack, seed, fields);
        else if (fields->how == XDR_OPTIONAL && count == 0)
            pack_nil (pack);
        else if (fields->how == XDR_OPTIONAL)
            pack_random_one (pack, seed, fields);
        else {
            pack_array (pack);
            while (count--)
                pack_random_one (pack, seed, fields);
            pack_end (pack);
        }
    }
    pack_end (pack);
}

#endif
