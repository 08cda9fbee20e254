//  test_json.c: values as JSON.

#include "cli/json.h"
#include "client/public.h"
#include "util/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

//  A value of every kind, as it is received.
static document_t *sample (void)
{
    pack_t pack;
    pack_init (&pack);
    pack_map (&pack);
    pack_key_str (&pack, "text", "a \"quoted\"\n\x01line, ü");
    pack_key_u64 (&pack, "large", UINT64_MAX);
    pack_key_i64 (&pack, "negative", -1);
    pack_key (&pack, "half");
    pack_double (&pack, 0.5);
    pack_key_bool (&pack, "yes", true);
    pack_key (&pack, "nothing");
    pack_nil (&pack);
    pack_key (&pack, "bytes");
    pack_bin (&pack, "\xff\x00\x10\x20", 4);
    pack_key_array (&pack, "list");
    pack_str (&pack, "one");
    pack_map (&pack);
    pack_end (&pack);
    pack_end (&pack);
    pack_end (&pack);
    error_t err;
    document_t *document = document_parse (pack.bytes, pack.size, VALUE_MAX_BYTES, &err);
    pack_close (&pack);
    assert_non_null (document);
    return document;
}

typedef void (print_fn) (FILE *file, const troupe_value_t *value);

static char *printed (print_fn *print, const troupe_value_t *value)
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream (&text, &size);
    print (file, value);
    fclose (file);
    return text;
}

static void test_line (void **state)
{
    (void) state;
    auto(document_t) document = sample ();
    autofree char *text = printed (json_print_line, public_value (document_root (document)));
    assert_string_equal (text, "{\"text\": \"a \\\"quoted\\\"\\n\\u0001line, ü\", "
                               "\"large\": 18446744073709551615, \"negative\": -1, "
                               "\"half\": 0.5, \"yes\": true, \"nothing\": null, "
                               "\"bytes\": \"/wAQIA==\", \"list\": [\"one\", {}]}\n");
}

static void test_document (void **state)
{
    (void) state;
    auto(document_t) document = sample ();
    const troupe_value_t *list = troupe_get (public_value (document_root (document)), "list");
    autofree char *text = printed (json_print, list);
    assert_string_equal (text, "[\n  \"one\",\n  {}\n]\n");
    autofree char *nothing = printed (json_print, NULL);
    assert_string_equal (nothing, "null\n");
}

static void assert_pretty (const char *json, const char *expected)
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream (&text, &size);
    json_pretty (file, json);
    fclose (file);
    assert_string_equal (text, expected);
    free (text);
}

static void test_pretty (void **state)
{
    (void) state;
    assert_pretty ("{\"a\":[1,2],\"b\":{}}",
                   "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {}\n}\n");
    assert_pretty (" { \"a\" : \"x{,:\\\"}\" } ", "{\n  \"a\": \"x{,:\\\"}\"\n}\n");
    assert_pretty ("[]", "[]\n");
    assert_pretty ("", "\n");
    assert_pretty ("}}", "}}\n"); //  what is no JSON does no harm
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_line),
        cmocka_unit_test (test_document),
        cmocka_unit_test (test_pretty),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
