//  test_summary.c: what snapshots show of a document; passwords only apart.

#include "unit.h"

#include "actors/domain/summary.h"
#include "msg/value.h"

#include <string.h>

static const char text[] =
    "<domain type='test'>"
    "<name>web1</name><title>front</title><description>the first</description>"
    "<metadata><a:app xmlns:a='urn:app' size='3'/><b:own xmlns:b='urn:own'/></metadata>"
    "<memory unit='MiB'>2</memory><currentMemory unit='MiB'>1</currentMemory>"
    "<vcpu current='2'>4</vcpu><os><type>hvm</type></os>"
    "<devices><serial type='pty'><alias name='serial0'/></serial>"
    "<graphics type='vnc' passwd='secret'/></devices>"
    "</domain>";

static document_t *summary_of (const char *xml)
{
    error_t err;
    auto(xml_t) doc = xml ? xml_parse (xml, strlen (xml), "domain XML", &err) : NULL;
    pack_t pack;
    pack_init (&pack);
    summary_pack (&pack, doc);
    document_t *summary = document_parse (pack.bytes, pack.size, VALUE_MAX_BYTES, &err);
    pack_close (&pack);
    assert_non_null (summary);
    return summary;
}

static void test_numbers (void **state)
{
    (void) state;
    auto(document_t) summary = summary_of (text);
    const value_t *root = document_root (summary);
    assert_string_equal (value_get_str (root, "os_type"), "hvm");
    assert_int_equal (value_get_u64 (root, "max_vcpus", 0), 4);
    assert_int_equal (value_get_u64 (root, "vcpus", 0), 2);
    assert_int_equal (value_get_u64 (root, "max_memory_kib", 0), 2048);
    assert_int_equal (value_get_u64 (root, "memory_kib", 0), 1024);
    assert_string_equal (value_str (value_at (value_get (root, "consoles"), 0)), "serial0");
}

static void test_metadata (void **state)
{
    (void) state;
    auto(document_t) summary = summary_of (text);
    const value_t *metadata = value_get (document_root (summary), "metadata");
    assert_string_equal (value_get_str (metadata, "title"), "front");
    assert_string_equal (value_get_str (metadata, "description"), "the first");
    const char *app = value_get_str (value_get (metadata, "elements"), "urn:app");
    assert_non_null (strstr (app, "size='3'"));
}

static void test_passwords (void **state)
{
    (void) state;
    auto(document_t) summary = summary_of (text);
    const value_t *root = document_root (summary);
    assert_null (strstr (value_get_str (root, "xml"), "secret"));
    assert_non_null (strstr (value_get_str (root, "xml_secure"), "passwd='secret'"));
    auto(document_t) plain = summary_of ("<domain><name>web2</name></domain>");
    assert_null (value_get_str (document_root (plain), "xml_secure"));
}

static void test_none (void **state)
{
    (void) state;
    auto(document_t) summary = summary_of (NULL);
    assert_int_equal (document_root (summary)->type, MSGPACK_OBJECT_NIL);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_numbers),
        cmocka_unit_test (test_metadata),
        cmocka_unit_test (test_passwords),
        cmocka_unit_test (test_none),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
