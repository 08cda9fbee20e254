//  test_value.c: what is packed is read back; bytes that are not one sound value are refused before
//  any memory is taken for them.

#include "unit.h"

#include "msg/pack.h"
#include "msg/value.h"

#include <string.h>

static document_t *parse_pack (pack_t *pack)
{
    error_t err;
    document_t *document = document_parse (pack->bytes, pack->size, VALUE_MAX_BYTES, &err);
    assert_non_null (document);
    pack_close (pack);
    return document;
}

static void test_there_and_back (void **state)
{
    (void) state;
    pack_t pack;
    pack_init (&pack);
    pack_map (&pack);
    pack_key_str (&pack, "name",
                  "w\xc3\xa9"
                  "b1");
    pack_key_str (&pack, "none", NULL);
    pack_key_i64 (&pack, "least", INT64_MIN);
    pack_key_u64 (&pack, "most", UINT64_MAX);
    pack_key_bool (&pack, "yes", true);
    pack_key (&pack, "bytes");
    pack_bin (&pack, "a\0b", 3);
    pack_key_array (&pack, "list");
    for (int i = 0; i < 100; i++)
        pack_i64 (&pack, i - 50);
    pack_end (&pack);
    pack_end (&pack);
    auto(document_t) document = parse_pack (&pack);
    const value_t *root = document_root (document);
    size_t size;
    assert_string_equal (value_get_str (root, "name"), "w\xc3\xa9"
                                                       "b1");
    assert_null (value_get_str (root, "none"));
    assert_true (value_get_i64 (root, "least", 0) == INT64_MIN);
    assert_true (value_get_u64 (root, "most", 0) == UINT64_MAX);
    assert_true (value_get_bool (root, "yes", false));
    assert_memory_equal (value_bin (value_get (root, "bytes"), &size), "a\0b", 3);
    assert_int_equal (size, 3);
    assert_int_equal (value_count (value_get (root, "list")), 100);
    int64_t last;
    assert_true (value_i64 (value_at (value_get (root, "list"), 99), &last));
    assert_int_equal (last, 49);
}

static void test_absent_or_of_another_type (void **state)
{
    (void) state;
    pack_t pack;
    pack_init (&pack);
    pack_map (&pack);
    pack_key_str (&pack, "text", "7");
    pack_end (&pack);
    auto(document_t) document = parse_pack (&pack);
    const value_t *root = document_root (document);
    assert_int_equal (value_get_u64 (root, "text", 5), 5);
    assert_int_equal (value_get_u64 (root, "nothing", 6), 6);
    assert_null (value_get (NULL, "text"));
    assert_null (value_at (root, 0));
    assert_null (value_key_at (root, 1));
}

typedef struct {
    const char *what;
    const char *bytes;
    size_t size;
} bad_t;

#define BAD(what, bytes)                                                                           \
    {                                                                                              \
        what, bytes, sizeof (bytes) - 1                                                            \
    }

static const bad_t bad[] = {
    BAD ("nothing", ""),
    BAD ("half a number", "\xcd\x01"),
    BAD ("half a string", "\xa5"
                          "abc"),
    BAD ("a count that is not there", "\xdd\xff\xff\xff\xff"),
    BAD ("a map whose values are not there", "\xdf\x7f\xff\xff\xff\xa1k"),
    BAD ("something behind it", "\xc0\xc0"),
    BAD ("the byte that is never used", "\xc1"),
    BAD ("an extension", "\xd4\x01\x00"),
    BAD ("a string with a NUL", "\xa3"
                                "a\0b"),
    BAD ("broken UTF-8", "\xa2\xc3("),
    BAD ("overlong UTF-8", "\xa2\xc0\x80"),
    BAD ("a surrogate", "\xa3\xed\xa0\x80"),
    BAD ("a key that is a number", "\x81\x01\x02"),
    BAD ("the same key twice", "\x82\xa1k\x01\xa1k\x02"),
};

static void test_refused (void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        error_t err = { 0 };
        document_t *document = document_parse (bad[i].bytes, bad[i].size, VALUE_MAX_BYTES, &err);
        if (document)
            fail_msg ("%s was accepted", bad[i].what);
        assert_int_equal (err.code, ERR_RPC);
    }
}

//  Wherever in a text it stands: text is looked at eight bytes at a time.
static void test_refused_anywhere (void **state)
{
    (void) state;
    static const char wrong[] = { '\0', '\x80', '\xff', '\xc3' };
    for (size_t i = 0; i < 30; i++)
        for (size_t k = 0; k < sizeof wrong; k++) {
            error_t err;
            char bytes[31];
            memset (bytes, 'a', sizeof bytes);
            bytes[0] = '\xbe'; //  a string of 30 bytes
            auto(document_t) good = document_parse (bytes, sizeof bytes, VALUE_MAX_BYTES, &err);
            assert_non_null (good);
            bytes[1 + i] = wrong[k];
            assert_null (document_parse (bytes, sizeof bytes, VALUE_MAX_BYTES, &err));
        }
}

//  In small maps and in large ones; a key may well be the beginning of another.
static void test_keys_twice (void **state)
{
    (void) state;
    for (unsigned count = 2; count < 40; count++)
        for (int twice = 0; twice < 2; twice++) {
            error_t err;
            pack_t pack;
            pack_init (&pack);
            pack_map (&pack);
            for (unsigned i = 0; i < count; i++) {
                char key[16];
                snprintf (key, sizeof key, "k%u", twice && i == count - 1 ? 0 : i);
                pack_key_u64 (&pack, key, i);
            }
            pack_end (&pack);
            auto(document_t) read = document_parse (pack.bytes, pack.size, VALUE_MAX_BYTES, &err);
            assert_true ((read == NULL) == (twice == 1));
            pack_close (&pack);
        }
}

static void test_depth (void **state)
{
    (void) state;
    char nested[VALUE_MAX_DEPTH + 2];
    error_t err;
    memset (nested, '\x91', sizeof nested);
    nested[VALUE_MAX_DEPTH] = '\xc0';
    document_t *deepest = document_parse (nested, VALUE_MAX_DEPTH + 1, VALUE_MAX_BYTES, &err);
    assert_non_null (deepest);
    document_destroy (&deepest);
    nested[VALUE_MAX_DEPTH] = '\x91';
    nested[VALUE_MAX_DEPTH + 1] = '\xc0';
    assert_null (document_parse (nested, sizeof nested, VALUE_MAX_BYTES, &err));
}

static void test_too_large (void **state)
{
    (void) state;
    error_t err;
    assert_null (document_parse ("\xa5"
                                 "abcde",
                                 6, 5, &err));
    assert_non_null (strstr (err.message, "too large"));
}

//  Whatever the bytes are: an error or a document, and no more.
static void test_too_many (void **state)
{
    (void) state;
    pack_t pack;
    error_t err;
    pack_init (&pack);
    pack_array (&pack);
    for (int i = 0; i < VALUE_MAX_COUNT + 1; i++)
        pack_i64 (&pack, 1);
    pack_end (&pack);
    assert_null (document_parse (pack.bytes, pack.size, VALUE_MAX_BYTES, &err));
    assert_non_null (strstr (err.message, "too many values"));
    auto(document_t) inside = document_parse (pack.bytes, pack.size, VALUE_MAX_BYTES_INSIDE, &err);
    assert_int_equal (value_count (document_root (inside)), VALUE_MAX_COUNT + 1);
    pack_close (&pack);
}

static void test_any_bytes (void **state)
{
    (void) state;
    uint32_t seed = 1;
    for (int round = 0; round < 20000; round++) {
        unsigned char bytes[24];
        for (size_t i = 0; i < sizeof bytes; i++) {
            seed = seed * 1664525u + 1013904223u;
            bytes[i] = (unsigned char) (seed >> 24);
        }
        error_t err;
        auto(document_t) document =
            document_parse (bytes, 1 + seed % sizeof bytes, VALUE_MAX_BYTES, &err);
        if (document)
            assert_non_null (document_root (document));
    }
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_there_and_back), cmocka_unit_test (test_absent_or_of_another_type),
        cmocka_unit_test (test_refused),        cmocka_unit_test (test_refused_anywhere),
        cmocka_unit_test (test_keys_twice),     cmocka_unit_test (test_depth),
        cmocka_unit_test (test_too_large),      cmocka_unit_test (test_too_many),
        cmocka_unit_test (test_any_bytes),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
