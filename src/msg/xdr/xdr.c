//  xdr.c: see xdr.h. Numbers are big-endian, and everything fills up to a multiple of four bytes.

#include "msg/xdr/xdr.h"

#include "msg/xdr/fields.h"
#include "util/uuid.h"

#include <string.h>

#define TYPE(name, ...) const xdr_field_t xdr_##name[] = { __VA_ARGS__, { 0 } };
#include "msg/xdr/types.def"
#undef TYPE

//  The cases of a typed parameter's value, by its type.
static const xdr_field_t params[] = {
    [PARAM_INT] = { "value", XDR_INT, XDR_ONE, 0, NULL },
    [PARAM_UINT] = { "value", XDR_UINT, XDR_ONE, 0, NULL },
    [PARAM_LLONG] = { "value", XDR_HYPER, XDR_ONE, 0, NULL },
    [PARAM_ULLONG] = { "value", XDR_UHYPER, XDR_ONE, 0, NULL },
    [PARAM_DOUBLE] = { "value", XDR_DOUBLE, XDR_ONE, 0, NULL },
    [PARAM_BOOLEAN] = { "value", XDR_INT, XDR_ONE, 0, NULL },
    [PARAM_STRING] = { "value", XDR_STR, XDR_ONE, XDR_MAX_STRING, NULL },
};

static const xdr_field_t *param_case (uint64_t type)
{
    return type >= PARAM_INT && type <= PARAM_STRING ? &params[type] : NULL;
}

//  What the numbers may be.
static const struct {
    int64_t least;
    uint64_t most;
} ranges[] = {
    [XDR_INT] = { INT32_MIN, INT32_MAX }, [XDR_UINT] = { 0, UINT32_MAX },
    [XDR_CHAR] = { INT8_MIN, INT8_MAX },  [XDR_UCHAR] = { 0, UINT8_MAX },
    [XDR_USHORT] = { 0, UINT16_MAX },     [XDR_HYPER] = { INT64_MIN, INT64_MAX },
    [XDR_UHYPER] = { 0, UINT64_MAX },
};

static bool is_signed (xdr_kind_t kind)
{
    return ranges[kind].least < 0;
}

static bool is_wide (xdr_kind_t kind)
{
    return kind == XDR_HYPER || kind == XDR_UHYPER || kind == XDR_DOUBLE;
}

uint32_t xdr_u32_at (const void *bytes)
{
    const unsigned char *at = bytes;
    return (uint32_t) at[0] << 24 | (uint32_t) at[1] << 16 | (uint32_t) at[2] << 8 | at[3];
}

void xdr_add_u32 (text_t *out, uint32_t number)
{
    const unsigned char bytes[] = { (unsigned char) (number >> 24), (unsigned char) (number >> 16),
                                    (unsigned char) (number >> 8), (unsigned char) number };
    text_add_bytes (out, bytes, sizeof bytes);
}

//  Reading.

typedef struct {
    const unsigned char *at;
    size_t left;
    pack_t *pack;
    error_t *err;
} reader_t;

//  -1, which the compiler can see: so it knows what was read.
static int too_short (reader_t *self, const xdr_field_t *field)
{
    error_set (self->err, ERR_RPC, "read field '%s': the message ends before it does", field->name);
    return -1;
}

static int read_u32 (reader_t *self, const xdr_field_t *field, uint32_t *number)
{
    if (self->left < 4)
        return too_short (self, field);
    *number = xdr_u32_at (self->at);
    self->at += 4;
    self->left -= 4;
    return 0;
}

static int read_u64 (reader_t *self, const xdr_field_t *field, uint64_t *number)
{
    uint32_t high, low;
    if (read_u32 (self, field, &high) || read_u32 (self, field, &low))
        return -1;
    *number = (uint64_t) high << 32 | low;
    return 0;
}

//  A length, within the field's bound; each of what it counts takes at least EACH bytes.
static int read_length (reader_t *self, const xdr_field_t *field, size_t each, uint32_t *length)
{
    if (read_u32 (self, field, length))
        return -1;
    if (*length > field->max)
        return error_set (self->err, ERR_RPC, "read field '%s': its length is %u, and may be %u",
                          field->name, *length, field->max);
    return *length > self->left / each ? too_short (self, field) : 0;
}

static int read_bytes (reader_t *self, const xdr_field_t *field, uint32_t size, const void **bytes)
{
    size_t padded = ((size_t) size + 3) & ~(size_t) 3;
    if (padded > self->left)
        return too_short (self, field);
    *bytes = self->at;
    self->at += padded;
    self->left -= padded;
    return 0;
}

static int read_number (reader_t *self, const xdr_field_t *field)
{
    uint64_t number = 0;
    uint32_t word = 0;
    if (is_wide (field->kind) ? read_u64 (self, field, &number) : read_u32 (self, field, &word))
        return -1;
    if (!is_wide (field->kind))
        number = is_signed (field->kind) ? (uint64_t) (int64_t) (int32_t) word : word;
    bool negative = is_signed (field->kind) && (int64_t) number < 0;
    if (negative ? (int64_t) number < ranges[field->kind].least : number > ranges[field->kind].most)
        return error_set (self->err, ERR_RPC, "read field '%s': its number is out of range",
                          field->name);
    if (is_signed (field->kind))
        pack_i64 (self->pack, (int64_t) number);
    else
        pack_u64 (self->pack, number);
    return 0;
}

static int read_double (reader_t *self, const xdr_field_t *field)
{
    uint64_t bits;
    double number;
    if (read_u64 (self, field, &bits))
        return -1;
    memcpy (&number, &bits, sizeof number);
    pack_double (self->pack, number);
    return 0;
}

static int read_text (reader_t *self, const xdr_field_t *field)
{
    uint32_t size;
    const void *bytes;
    if (read_length (self, field, 1, &size) || read_bytes (self, field, size, &bytes))
        return -1;
    if (field->kind == XDR_DATA)
        pack_bin (self->pack, bytes, size);
    else
        pack_text (self->pack, bytes, size);
    return 0;
}

static int read_uuid (reader_t *self, const xdr_field_t *field)
{
    const void *bytes;
    char text[UUID_TEXT_SIZE];
    if (read_bytes (self, field, 16, &bytes))
        return -1;
    uuid_to_text (bytes, text);
    pack_str (self->pack, text);
    return 0;
}

//  Up to the first NUL.
static int read_chars (reader_t *self, const xdr_field_t *field)
{
    uint32_t count = field->max, c;
    if (field->kind == XDR_CHARS && read_length (self, field, 4, &count))
        return -1;
    if (count > self->left / 4)
        return too_short (self, field);
    auto(text_t) text = text_new ();
    bool ended = false;
    for (uint32_t i = 0; i < count; i++) {
        if (read_u32 (self, field, &c))
            return -1;
        ended = ended || (char) c == 0;
        if (!ended)
            text_add_char (text, (char) c);
    }
    pack_text (self->pack, text->data, text->size);
    return 0;
}

static int read_field (reader_t *self, const xdr_field_t *field);

static int read_map (reader_t *self, const xdr_field_t *fields)
{
    pack_map (self->pack);
    for (; fields && fields->kind != XDR_END; fields++) {
        pack_key (self->pack, fields->name);
        if (read_field (self, fields))
            return -1;
    }
    pack_end (self->pack);
    return 0;
}

static int read_one (reader_t *self, const xdr_field_t *field);

static int read_param (reader_t *self, const xdr_field_t *field)
{
    uint32_t type;
    if (read_u32 (self, field, &type))
        return -1;
    const xdr_field_t *value = param_case (type);
    if (!value)
        return error_set (self->err, ERR_RPC, "read field '%s': there are no parameters of type %u",
                          field->name, type);
    pack_map (self->pack);
    pack_key_u64 (self->pack, "type", type);
    pack_key (self->pack, "value");
    if (read_one (self, value))
        return -1;
    pack_end (self->pack);
    return 0;
}

static int read_one (reader_t *self, const xdr_field_t *field)
{
    switch (field->kind) {
    case XDR_STR:
    case XDR_DATA:
        return read_text (self, field);
    case XDR_UUID:
        return read_uuid (self, field);
    case XDR_CHARS:
    case XDR_CHARS_FIXED:
        return read_chars (self, field);
    case XDR_STRUCT:
        return read_map (self, field->of);
    case XDR_PARAM:
        return read_param (self, field);
    case XDR_DOUBLE:
        return read_double (self, field);
    default:
        return read_number (self, field);
    }
}

static int read_optional (reader_t *self, const xdr_field_t *field)
{
    uint32_t there;
    if (read_u32 (self, field, &there))
        return -1;
    if (there > 1)
        return error_set (self->err, ERR_RPC,
                          "read field '%s': whether it is there has to be 0 or 1", field->name);
    if (there)
        return read_one (self, field);
    pack_nil (self->pack);
    return 0;
}

//  Of texts MAX is the bound of the array; each has the bound of every text.
static xdr_field_t element_of (const xdr_field_t *field)
{
    xdr_field_t element = *field;
    element.how = XDR_ONE;
    element.max = XDR_MAX_STRING;
    return element;
}

//  Every element takes four bytes at least: there are no empty types.
static int read_many (reader_t *self, const xdr_field_t *field)
{
    uint32_t count;
    const xdr_field_t element = element_of (field);
    if (read_length (self, field, is_wide (field->kind) ? 8 : 4, &count))
        return -1;
    pack_array (self->pack);
    for (uint32_t i = 0; i < count; i++)
        if (read_one (self, &element))
            return -1;
    pack_end (self->pack);
    return 0;
}

static int read_field (reader_t *self, const xdr_field_t *field)
{
    return field->how == XDR_MANY       ? read_many (self, field)
           : field->how == XDR_OPTIONAL ? read_optional (self, field)
                                        : read_one (self, field);
}

int xdr_decode (const xdr_field_t *fields, const void *bytes, size_t size, pack_t *pack,
                error_t *err)
{
    reader_t reader = { bytes, size, pack, err };
    return read_map (&reader, fields);
}

//  Writing.

typedef struct {
    text_t *out;
    error_t *err;
} writer_t;

static int wrong (writer_t *self, const xdr_field_t *field, const char *why)
{
    return error_set (self->err, ERR_INTERNAL_ERROR, "write field '%s' of a reply: %s", field->name,
                      why);
}

static void add_u64 (text_t *out, uint64_t number)
{
    xdr_add_u32 (out, (uint32_t) (number >> 32));
    xdr_add_u32 (out, (uint32_t) number);
}

static int write_number (writer_t *self, const xdr_field_t *field, const value_t *value)
{
    int64_t negative = 0;
    uint64_t number = 0;
    if (value && value->type == MSGPACK_OBJECT_BOOLEAN)
        number = value->via.boolean;
    else if (!value_u64 (value, &number)) {
        if (!value_i64 (value, &negative))
            return wrong (self, field, "there is no number for it");
        number = (uint64_t) negative;
    }
    if (negative < 0 ? negative < ranges[field->kind].least : number > ranges[field->kind].most)
        return wrong (self, field, "its number is out of range");
    if (is_wide (field->kind))
        add_u64 (self->out, number);
    else
        xdr_add_u32 (self->out, (uint32_t) number);
    return 0;
}

static int write_double (writer_t *self, const xdr_field_t *field, const value_t *value)
{
    if (!value || (value->type != MSGPACK_OBJECT_FLOAT64 && value->type != MSGPACK_OBJECT_FLOAT32))
        return wrong (self, field, "there is no number for it");
    uint64_t bits;
    memcpy (&bits, &value->via.f64, sizeof bits);
    add_u64 (self->out, bits);
    return 0;
}

static void add_padded (text_t *out, const void *bytes, size_t size)
{
    text_add_bytes (out, bytes, size);
    text_add_bytes (out, "\0\0\0", (4 - size % 4) % 4);
}

static int write_text (writer_t *self, const xdr_field_t *field, const value_t *value)
{
    size_t size;
    const void *bytes = value_bin (value, &size);
    if (!bytes || (field->kind == XDR_STR && !value_str (value)))
        return wrong (self, field, "there is no text for it");
    if (size > field->max)
        return wrong (self, field, "it is longer than a message may carry");
    xdr_add_u32 (self->out, (uint32_t) size);
    add_padded (self->out, bytes, size);
    return 0;
}

static int write_uuid (writer_t *self, const xdr_field_t *field, const value_t *value)
{
    uint8_t bytes[16];
    if (!value_str (value) || !uuid_to_bytes (value_str (value), bytes))
        return wrong (self, field, "there is no uuid for it");
    text_add_bytes (self->out, (const char *) bytes, sizeof bytes);
    return 0;
}

static int write_chars (writer_t *self, const xdr_field_t *field, const value_t *value)
{
    const char *text = value_str (value);
    size_t size = text ? strlen (text) : 0;
    bool fixed = field->kind == XDR_CHARS_FIXED;
    if (!text)
        return wrong (self, field, "there is no text for it");
    //  A processor's name may be longer than the fixed field: it is cut there.
    if (fixed && size >= field->max)
        size = field->max - 1;
    if (size >= field->max)
        return wrong (self, field, "it is longer than a message may carry");
    size_t count = fixed ? field->max : size + 1;
    if (!fixed)
        xdr_add_u32 (self->out, (uint32_t) count);
    for (size_t i = 0; i < count; i++)
        xdr_add_u32 (self->out, i < size ? (uint32_t) (int32_t) text[i] : 0);
    return 0;
}

static int write_one (writer_t *self, const xdr_field_t *field, const value_t *value);

static int write_param (writer_t *self, const xdr_field_t *field, const value_t *value)
{
    uint64_t type = value_get_u64 (value, "type", 0);
    const xdr_field_t *which = param_case (type);
    if (!which)
        return wrong (self, field, "it has no type");
    xdr_add_u32 (self->out, (uint32_t) type);
    return write_one (self, which, value_get (value, "value"));
}

static int write_map (writer_t *self, const xdr_field_t *field, const value_t *value)
{
    if (!value || value->type != MSGPACK_OBJECT_MAP)
        return wrong (self, field, "there is no map for it");
    return xdr_encode (field->of, value, self->out, self->err);
}

static int write_one (writer_t *self, const xdr_field_t *field, const value_t *value)
{
    switch (field->kind) {
    case XDR_STR:
    case XDR_DATA:
        return write_text (self, field, value);
    case XDR_UUID:
        return write_uuid (self, field, value);
    case XDR_CHARS:
    case XDR_CHARS_FIXED:
        return write_chars (self, field, value);
    case XDR_STRUCT:
        return write_map (self, field, value);
    case XDR_PARAM:
        return write_param (self, field, value);
    case XDR_DOUBLE:
        return write_double (self, field, value);
    default:
        return write_number (self, field, value);
    }
}

static int write_many (writer_t *self, const xdr_field_t *field, const value_t *value)
{
    size_t count = value_count (value);
    const xdr_field_t element = element_of (field);
    if (!value || value->type != MSGPACK_OBJECT_ARRAY)
        return wrong (self, field, "there is no array for it");
    if (count > field->max)
        return wrong (self, field, "it has more elements than a message may carry");
    xdr_add_u32 (self->out, (uint32_t) count);
    for (size_t i = 0; i < count; i++)
        if (write_one (self, &element, value_at (value, i)))
            return -1;
    return 0;
}

static int write_field (writer_t *self, const xdr_field_t *field, const value_t *value)
{
    if (field->how == XDR_MANY)
        return write_many (self, field, value);
    if (field->how == XDR_ONE)
        return write_one (self, field, value);
    bool there = value && value->type != MSGPACK_OBJECT_NIL;
    xdr_add_u32 (self->out, there);
    return there ? write_one (self, field, value) : 0;
}

int xdr_encode (const xdr_field_t *fields, const value_t *map, text_t *out, error_t *err)
{
    writer_t writer = { out, err };
    for (; fields && fields->kind != XDR_END; fields++)
        if (write_field (&writer, fields, value_get (map, fields->name)))
            return -1;
    return 0;
}
