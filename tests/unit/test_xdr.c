//  test_xdr.c: what is written is read again, what is cut off or over a bound is refused: of every
//  type of the tables.

#include "unit.h"

#include "xdr_random.h"
#include "util/text.h"

#include <stdio.h>

#define TYPE(name, ...) xdr_##name,
static const xdr_field_t *const types[] = {
#include "msg/xdr/types.def"
};
#undef TYPE

enum {
    ROUNDS = 4
};

//  All fields there are: of the shared types, of arguments, and of results.
static const xdr_field_t *fields_at (size_t index)
{
    size_t count = sizeof types / sizeof *types;
    if (index < count)
        return types[index];
    const procedure_t *procedure = procedure_at ((index - count) / 2);
    static const xdr_field_t none[] = { { 0 } };
    if (!procedure)
        return NULL;
    const xdr_field_t *fields = (index - count) % 2 ? procedure->ret : procedure->args;
    return fields ? fields : none;
}

static document_t *document_of (const pack_t *pack)
{
    error_t err;
    document_t *document = document_parse (pack->bytes, pack->size, VALUE_MAX_BYTES, &err);
    if (!document)
        fail_msg ("%s", err.message);
    return document;
}

//  FIELDS with random values, written.
static text_t *random_bytes (const xdr_field_t *fields, uint64_t *seed, pack_t *pack)
{
    error_t err;
    pack_init (pack);
    pack_random_map (pack, seed, fields);
    auto(document_t) map = document_of (pack);
    text_t *out = text_new ();
    if (xdr_encode (fields, document_root (map), out, &err))
        fail_msg ("%s", err.message);
    return out;
}

static int decode (const xdr_field_t *fields, const void *bytes, size_t size, pack_t *pack,
                   error_t *err)
{
    pack_init (pack);
    return xdr_decode (fields, bytes, size, pack, err);
}

static void test_round_trip (void **state)
{
    (void) state;
    const xdr_field_t *fields;
    uint64_t seed = 1;
    for (size_t i = 0; (fields = fields_at (i)); i++)
        for (int round = 0; round < ROUNDS; round++) {
            pack_t before, after;
            error_t err;
            auto(text_t) out = random_bytes (fields, &seed, &before);
            assert_int_equal (out->size % 4, 0);
            if (decode (fields, out->data, out->size, &after, &err))
                fail_msg ("%s", err.message);
            assert_int_equal (before.size, after.size);
            assert_memory_equal (before.bytes, after.bytes, before.size);
            pack_close (&before);
            pack_close (&after);
        }
}

//  In a buffer of exactly that size, so that a sanitizer sees what is read behind it.
static void check_cut (const xdr_field_t *fields, const text_t *out, size_t size)
{
    pack_t pack;
    error_t err;
    autofree char *part = text_copy_bytes (out->data, size);
    part = realloc (part, size ? size : 1);
    assert_int_equal (decode (fields, part, size, &pack, &err), -1);
    assert_int_equal (err.code, ERR_RPC);
    pack_close (&pack);
}

static void test_truncated (void **state)
{
    (void) state;
    const xdr_field_t *fields;
    uint64_t seed = 7;
    for (size_t i = 0; (fields = fields_at (i)); i++) {
        pack_t before;
        auto(text_t) out = random_bytes (fields, &seed, &before);
        for (size_t size = 0; size < out->size; size++)
            check_cut (fields, out, size);
        pack_close (&before);
    }
}

//  Bounds.

static bool has_length (const xdr_field_t *field)
{
    return field->how == XDR_MANY ||
           (field->how == XDR_ONE &&
            (field->kind == XDR_STR || field->kind == XDR_DATA || field->kind == XDR_CHARS));
}

//  FIELD alone, with a length of so much and hardly anything behind it: the words of the refusal.
static void check_length (const xdr_field_t *field, uint32_t length, const char *words)
{
    const xdr_field_t alone[] = { *field, { 0 } };
    pack_t pack;
    error_t err;
    auto(text_t) out = text_new ();
    xdr_add_u32 (out, length);
    xdr_add_u32 (out, 0);
    assert_int_equal (decode (alone, out->data, out->size, &pack, &err), -1);
    assert_non_null (strstr (err.message, words));
    pack_close (&pack);
}

static void test_bounds (void **state)
{
    (void) state;
    const xdr_field_t *fields;
    int count = 0;
    for (size_t i = 0; (fields = fields_at (i)); i++)
        for (const xdr_field_t *field = fields; field->kind != XDR_END; field++)
            if (has_length (field)) {
                check_length (field, field->max, "ends before");
                check_length (field, field->max + 1, "its length is");
                check_length (field, UINT32_MAX, "its length is");
                count++;
            }
    assert_true (count > 300);
}

static int encode_texts (const xdr_field_t *fields, size_t count, error_t *err)
{
    pack_t pack;
    pack_init (&pack);
    pack_map (&pack);
    pack_key_array (&pack, fields->name);
    while (count--)
        pack_str (&pack, "x");
    pack_end (&pack);
    pack_end (&pack);
    auto(document_t) map = document_of (&pack);
    pack_close (&pack);
    auto(text_t) out = text_new ();
    return xdr_encode (fields, document_root (map), out, err);
}

static void test_written_bounds (void **state)
{
    (void) state;
    const xdr_field_t fields[] = { { "names", XDR_STR, XDR_MANY, 20, NULL }, { 0 } };
    error_t err;
    assert_int_equal (encode_texts (fields, 20, &err), 0);
    assert_int_equal (encode_texts (fields, 21, &err), -1);
    assert_int_equal (err.code, ERR_INTERNAL_ERROR);
}

static int encode_number (xdr_kind_t kind, int64_t number)
{
    const xdr_field_t fields[] = { { "number", kind, XDR_ONE, 0, NULL }, { 0 } };
    error_t err;
    pack_t pack;
    pack_init (&pack);
    pack_map (&pack);
    pack_key_i64 (&pack, "number", number);
    pack_end (&pack);
    auto(document_t) map = document_of (&pack);
    pack_close (&pack);
    auto(text_t) out = text_new ();
    return xdr_encode (fields, document_root (map), out, &err);
}

static void test_ranges (void **state)
{
    (void) state;
    static const struct {
        xdr_kind_t kind;
        int64_t least, most;
    } ranges[] = { { XDR_INT, INT32_MIN, INT32_MAX },
                   { XDR_UINT, 0, UINT32_MAX },
                   { XDR_CHAR, INT8_MIN, INT8_MAX },
                   { XDR_UCHAR, 0, UINT8_MAX },
                   { XDR_USHORT, 0, UINT16_MAX } };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        assert_int_equal (encode_number (ranges[i].kind, ranges[i].least), 0);
        assert_int_equal (encode_number (ranges[i].kind, ranges[i].most), 0);
        assert_int_equal (encode_number (ranges[i].kind, ranges[i].least - 1), -1);
        assert_int_equal (encode_number (ranges[i].kind, ranges[i].most + 1), -1);
    }
    assert_int_equal (encode_number (XDR_UHYPER, -1), -1);
    assert_int_equal (encode_number (XDR_HYPER, INT64_MIN), 0);
}

//  A message as others write it: DOMAIN_LOOKUP_BY_NAME's answer.
static void test_bytes (void **state)
{
    (void) state;
    static const unsigned char bytes[] = {
        0,    0,    0,    3,    'w', 'e', 'b', 0, 0xaa, 0xaa, 0xaa, 0xaa, 0,    0,
        0x40, 0x00, 0x80, 0x00, 0,   0,   0,   0, 0,    1,    0xff, 0xff, 0xff, 0xff,
    };
    pack_t pack;
    error_t err;
    assert_int_equal (decode (xdr_domain, bytes, sizeof bytes, &pack, &err), 0);
    auto(document_t) map = document_of (&pack);
    pack_close (&pack);
    assert_string_equal (value_get_str (document_root (map), "name"), "web");
    assert_string_equal (value_get_str (document_root (map), "uuid"),
                         "aaaaaaaa-0000-4000-8000-000000000001");
    assert_int_equal (value_get_i64 (document_root (map), "id", 0), -1);
    auto(text_t) out = text_new ();
    assert_int_equal (xdr_encode (xdr_domain, document_root (map), out, &err), 0);
    assert_int_equal (out->size, sizeof bytes);
    assert_memory_equal (out->data, bytes, sizeof bytes);
}

static void test_procedures (void **state)
{
    (void) state;
    const procedure_t *procedure;
    for (size_t i = 0; (procedure = procedure_at (i)); i++) {
        assert_ptr_equal (procedure_find (procedure->program, procedure->number), procedure);
        assert_ptr_equal (procedure_named (procedure->program, procedure->name), procedure);
        assert_true (program_known (procedure->program));
    }
    assert_int_equal (procedure_named (PROGRAM_REMOTE, "DOMAIN_CREATE")->number, 9);
    assert_null (procedure_find (PROGRAM_REMOTE, 0));
    assert_false (program_known (1));
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_round_trip), cmocka_unit_test (test_truncated),
        cmocka_unit_test (test_bounds),     cmocka_unit_test (test_written_bounds),
        cmocka_unit_test (test_ranges),     cmocka_unit_test (test_bytes),
        cmocka_unit_test (test_procedures),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
