//  test_xml.c: documents parsed, printed, read and changed.

#include "util/text.h"
#include "util/xml.h"

#include "unit_xml.h"

#include <string.h>

//  The error of parsing TEXT, which must fail with CODE.
static void fails (const char *text, error_code_t code, const char *part)
{
    error_t err = { 0 };
    assert_null (xml_parse (text, strlen (text), "domain XML", &err));
    assert_int_equal (err.code, code);
    if (!strstr (err.message, part))
        fail_msg ("'%s' gives '%s', not '%s'", text, err.message, part);
    assert_null (strchr (err.message, '\n'));
}

static void says_where_it_is_malformed (void **state)
{
    (void) state;
    fails ("<a>\n<b>\n</a>", ERR_XML_DETAIL, "domain XML, line 3, column 5: Opening and ending");
    fails ("<a>&foo;</a>", ERR_XML_DETAIL, "line 1, column 9: Entity 'foo' not defined");
    fails ("<a b='1' b='2'/>", ERR_XML_DETAIL, "Attribute b redefined");
    fails ("<a/><b/>", ERR_XML_DETAIL, "Extra content at the end");
    fails ("<a>", ERR_XML_DETAIL, "Premature end of data");
    fails ("", ERR_XML_DETAIL, "empty");
    fails ("just text", ERR_XML_DETAIL, "line 1");
    fails ("<a><q:b/></a>", ERR_XML_DETAIL, "Namespace prefix q on b is not defined");
    fails ("<!DOCTYPE a><a/>", ERR_XML_ERROR, "DOCTYPE");
    fails ("<a>&#1;</a>", ERR_XML_DETAIL, "xmlParseCharRef: invalid xmlChar value 1");
}

//  TEXT prints as EXPECTED, and EXPECTED as itself; a copy prints the same.
static void prints (const char *text, const char *expected)
{
    auto(xml_t) doc = unit_xml (text);
    autofree char *once = xml_text (doc);
    assert_string_equal (once, expected);
    auto(xml_t) again = unit_xml (once);
    autofree char *twice = xml_text (again);
    assert_string_equal (twice, expected);
    auto(xml_t) copy = xml_copy (doc);
    xml_destroy (&doc);
    autofree char *third = xml_text (copy);
    assert_string_equal (third, expected);
}

static void prints_canonical_text (void **state)
{
    (void) state;
    prints ("<?xml version='1.0' encoding='utf-8'?><a  z=\"1\" b=\"it's\"><b >x</b><c></c>\n\n</a>",
            "<a z='1' b='it&apos;s'>\n  <b>x</b>\n  <c/>\n</a>\n");
    prints ("<a>\n      <b>\n <c/> </b></a>", "<a>\n  <b>\n    <c/>\n  </b>\n</a>\n");
    prints ("<a>\n\n</a>", "<a/>\n");
    prints ("<a> </a>", "<a> </a>\n");
    prints ("<a> x\n y </a>", "<a> x\n y </a>\n");
}

static void keeps_what_the_user_wrote (void **state)
{
    (void) state;
    prints ("<!-- first --><a><!-- in\n side --><b/></a><!-- last -->",
            "<!-- first -->\n<a>\n  <!-- in\n side -->\n  <b/>\n</a>\n<!-- last -->\n");
    prints ("<a>some <b> <c/> </b>\n text</a>", "<a>some <b> <c/> </b>\n text</a>\n");
    prints ("<a><![CDATA[<&]]> &lt;</a>", "<a><![CDATA[<&]]> &lt;</a>\n");
    prints ("<a><?do it?><?x?></a>", "<a>\n  <?do it?>\n  <?x?>\n</a>\n");
    prints ("<a xml:space='preserve'> <b/> </a>", "<a xml:space='preserve'> <b/> </a>\n");
    prints ("<a b='&#10;&#9;&#13;&lt;&amp;&quot;' c='\n'>&#13;&gt;\"'</a>",
            "<a b='&#10;&#9;&#13;&lt;&amp;\"' c=' '>&#13;&gt;\"'</a>\n");
    prints (
        "<a xmlns:q='u:1'><q:b q:c='1' c='2'/><d xmlns='u:2'><e/></d></a>",
        "<a xmlns:q='u:1'>\n  <q:b q:c='1' c='2'/>\n  <d xmlns='u:2'>\n    <e/>\n  </d>\n</a>\n");
    prints ("<a b='gr\xc3\xb6\xc3\x9f"
            "er'>\xe2\x82\xac</a>",
            "<a b='gr\xc3\xb6\xc3\x9f"
            "er'>\xe2\x82\xac</a>\n");
}

static const char domain[] =
    "<domain type='qemu' id=' 3 '>\n"
    "  <name>\n    demo  </name><title/>\n"
    "  <memory unit='MiB'>512</memory><vcpu current='2'>4</vcpu><big>9999999999999999999999</big>\n"
    "  <os><type arch='x86_64'>hvm</type></os><features><acpi/><pae state='off'/></features>\n"
    "  <devices><disk><target dev='vda'/></disk><!-- here --><q:x xmlns:q='u:1'/>\n"
    "    <disk><target dev='vdb' bus='0x1f'/></disk><disk><target dev='-5'/></disk></devices>\n"
    "  <mixed> a<!-- no -->b<![CDATA[ &c ]]></mixed><on>yes</on><off>OFF</off><odd>maybe</odd>\n"
    "  <cache size='3' unit='M'/><wrong unit='miles'>5</wrong><huge unit='EiB'>16</huge>\n"
    "</domain>";

static void reads_strings (void **state)
{
    (void) state;
    auto(xml_t) doc = unit_xml (domain);
    const xml_node_t *root = xml_root (doc);
    assert_string_equal (xml_string (root, "name"), "demo");
    assert_ptr_equal (xml_string (root, "name"), xml_string (root, "name"));
    assert_string_equal (xml_string (root, "@type"), "qemu");
    assert_string_equal (xml_string (root, "./@id"), " 3 ");
    assert_string_equal (xml_string (root, "title"), "");
    assert_null (xml_string (root, "description"));
    assert_null (xml_string (root, "os/type/@machine"));
    assert_string_equal (xml_string (root, "os/type/@arch"), "x86_64");
    assert_string_equal (xml_string (root, "mixed"), "ab &c");
    assert_string_equal (xml_string (xml_find (root, "os/type"), "."), "hvm");
    assert_true (xml_equals (root, "os/type", "hvm"));
    assert_false (xml_equals (root, "os/none", "hvm"));
    assert_true (xml_fits (root, "domain", "os/type", "xen|hvm"));
    assert_true (xml_fits (root, NULL, NULL, NULL));
    assert_false (xml_fits (root, "os", "os/type", "hvm"));
    assert_false (xml_fits (root, NULL, "os/type", "hv|hvm2"));
    assert_false (xml_fits (root, NULL, "os/none", "hvm"));
    assert_null (xml_find (root, "os/none/at/all"));
}

static void reads_flags (void **state)
{
    (void) state;
    auto(xml_t) doc = unit_xml (domain);
    const xml_node_t *root = xml_root (doc);
    assert_true (xml_flag (root, "on", false));
    assert_false (xml_flag (root, "off", true));
    assert_false (xml_flag (root, "features/pae/@state", true));
    assert_true (xml_flag (root, "odd", true));
    assert_false (xml_flag (root, "odd", false));
    assert_true (xml_flag (root, "none", true));
}

static void walks_children (void **state)
{
    (void) state;
    auto(xml_t) doc = unit_xml (domain);
    const xml_node_t *devices = xml_find (xml_root (doc), "devices");
    auto(text_t) seen = text_new ();
    xml_foreach (disk, devices, "disk")
        text_add (seen, xml_string (disk, "target/@dev"));
    assert_string_equal (seen->data, "vdavdb-5");
    unsigned count = 0;
    xml_foreach (child, devices, NULL) {
        count++;
        assert_true (xml_is (child, "disk") || text_equals (xml_namespace (child), "u:1"));
    }
    assert_int_equal (count, 4);
    assert_null (xml_find (devices, "x")); //  it has a namespace
}

static void reads_numbers (void **state)
{
    (void) state;
    error_t err;
    auto(xml_t) doc = unit_xml (domain);
    const xml_node_t *root = xml_root (doc);
    uint64_t value = 7;
    assert_int_equal (xml_u64 (root, "none", &value, &err), 0);
    assert_int_equal (value, 7);
    assert_int_equal (xml_u64 (root, "vcpu", &value, &err), 0);
    assert_int_equal (value, 4);
    assert_int_equal (xml_u64 (root, "big", &value, &err), -1);
    assert_int_equal (err.code, ERR_XML_ERROR);
    const xml_node_t *second = xml_next (xml_find (root, "devices/disk"), "disk");
    int number = 0;
    assert_int_equal (xml_int (second, "target/@bus", 0, 31, &number, &err), 0);
    assert_int_equal (number, 31);
    assert_int_equal (xml_int (second, "target/@bus", 0, 30, &number, &err), -1);
    assert_string_equal (err.message, "/domain/devices/disk[2]/target/@bus is '0x1f': not a whole "
                                      "number from 0 to 30");
    const xml_node_t *third = xml_next (second, "disk");
    assert_int_equal (xml_int (third, "target/@dev", -9, 9, &number, &err), 0);
    assert_int_equal (number, -5);
    assert_int_equal (xml_int (third, "target/@dev", 0, 9, &number, &err), -1);
    assert_int_equal (xml_u64 (third, "target/@dev", &value, &err), -1);
    assert_int_equal (xml_u64 (root, "title", &value, &err), -1); //  "" is no number
}

static void reads_sizes (void **state)
{
    (void) state;
    error_t err;
    auto(xml_t) doc = unit_xml (domain);
    const xml_node_t *root = xml_root (doc);
    uint64_t bytes = 0;
    assert_int_equal (xml_size (root, "memory", "KiB", &bytes, &err), 0);
    assert_int_equal (bytes, 512ull << 20);
    assert_int_equal (xml_size (root, "vcpu", "KiB", &bytes, &err), 0);
    assert_int_equal (bytes, 4096);
    assert_int_equal (xml_size (root, "cache/@size", "KiB", &bytes, &err), 0);
    assert_int_equal (bytes, 3 << 20);
    assert_int_equal (xml_size (root, "wrong", "KiB", &bytes, &err), -1);
    assert_non_null (strstr (err.message, "/domain/wrong is '5': its unit 'miles' is not known"));
    assert_int_equal (xml_size (root, "huge", "KiB", &bytes, &err), -1);
    assert_non_null (strstr (err.message, "more than 64 bits"));
}

static void changes (void **state)
{
    (void) state;
    error_t err;
    auto(xml_t) doc = unit_xml ("<a> <old x='1'/> <b>text</b> </a>");
    xml_node_t *root = xml_root (doc);
    xml_remove_path (root, "old");
    xml_remove_path (root, "none/at/all");
    xml_set (root, "b", "a < b");
    xml_set (root, "b/@id", "'1'");
    xml_setf (root, "os/type/@arch", "x86_%d", 64);
    xml_set_u64 (root, "memory", UINT64_MAX);
    xml_add_text (root, "c", "");
    xml_add (xml_add_before (xml_find (root, "b"), "first"), "x");
    assert_ptr_equal (xml_ensure (root, "os/type"), xml_find (root, "os/type"));
    assert_non_null (xml_add_fragment (root, "<q:d xmlns:q='u'><e/></q:d>", &err));
    assert_null (xml_add_fragment (root, "<d>", &err));
    autofree char *text = xml_text (doc);
    assert_string_equal (text, "<a>\n"
                               "  <first>\n    <x/>\n  </first>\n"
                               "  <b id='&apos;1&apos;'>a &lt; b</b>\n"
                               "  <os>\n    <type arch='x86_64'/>\n  </os>\n"
                               "  <memory>18446744073709551615</memory>\n"
                               "  <c/>\n"
                               "  <q:d xmlns:q='u'>\n    <e/>\n  </q:d>\n"
                               "</a>\n");
}

static void removes (void **state)
{
    (void) state;
    auto(xml_t) doc = unit_xml ("<a b='1' c='2'> <d/> <e>x</e></a>");
    xml_node_t *root = xml_root (doc);
    xml_remove_path (root, "@b");
    xml_remove_path (root, "@none");
    xml_remove (xml_find (root, "e"));
    xml_remove (xml_find (root, "d"));
    autofree char *text = xml_text (doc);
    assert_string_equal (text, "<a c='2'/>\n");
}

static void nothing_unreadable_gets_in (void **state)
{
    (void) state;
    auto(xml_t) doc = unit_xml ("<a/>");
    xml_set (xml_root (doc), "b", "x\x01y\xff");
    xml_set (xml_root (doc), "@c", "\x1b[1m");
    autofree char *text = xml_text (doc);
    auto(xml_t) again = unit_xml (text);
    assert_string_equal (xml_string (xml_root (again), "b"), "x\xef\xbf\xbdy\xef\xbf\xbd");
    assert_false (xml_valid ("\x1b[1m"));
    assert_true (xml_valid ("gr\xc3\xb6\xc3\x9f"
                            "er\n"));
    assert_true (xml_valid (""));
}

static void copies_between_documents (void **state)
{
    (void) state;
    auto(xml_t) source = unit_xml ("<a xmlns:q='u:1'><b><q:c q:d='1'/> <e/></b></a>");
    auto(xml_t) target = unit_xml ("<t/>");
    auto(xml_t) part = xml_from_node (xml_find (xml_root (source), "b"));
    autofree char *node = xml_node_text (xml_find (xml_root (source), "b"));
    xml_add_copy (xml_root (target), xml_find (xml_root (source), "b"));
    xml_destroy (&source);
    autofree char *text = xml_text (target);
    assert_string_equal (text, "<t>\n  <b xmlns:q='u:1'>\n    <q:c q:d='1'/>\n    <e/>\n  </b>\n"
                               "</t>\n");
    autofree char *alone = xml_text (part);
    assert_string_equal (alone, "<b xmlns:q='u:1'>\n  <q:c q:d='1'/>\n  <e/>\n</b>\n");
    assert_string_equal (node, alone);
    assert_string_equal (xml_string (xml_root (part), "e"), "");
}

static void lists_attributes (void **state)
{
    (void) state;
    error_t err = { 0 };
    const char *text = "<a b='1' xmlns:q='u:1' q:c='2' d='3'/>";
    auto(xml_t) doc = xml_parse (text, strlen (text), "test", &err);
    assert_non_null (doc);
    assert_string_equal (xml_attribute (xml_root (doc), 0), "b");
    assert_string_equal (xml_attribute (xml_root (doc), 1), "d");
    assert_null (xml_attribute (xml_root (doc), 2));
}

static int init (void **state)
{
    (void) state;
    xml_init ();
    return 0;
}

//  What this daemon made itself may be larger than what it takes.
static void reads_its_own_large_documents (void **state)
{
    (void) state;
    error_t err;
    auto(text_t) text = text_new ();
    text_add (text, "<domstatus><live>");
    for (int i = 0; i < 150000; i++)
        text_add (text, "<disk type='file'><alias name='disk'/></disk>\n");
    text_add (text, "</live></domstatus>");
    assert_null (xml_parse (text->data, text->size, "status", &err));
    auto(xml_t) doc = xml_parse_own (text->data, text->size, "status", &err);
    assert_non_null (doc);
}

static void has_no_children_of_nothing (void **state)
{
    (void) state;
    auto(xml_t) doc = unit_xml ("<domain/>");
    xml_foreach (disk, xml_find (xml_root (doc), "devices"), "disk")
        fail ();
}

//  What can't be written so that it can be read again is refused.
static void refuses_namespaces_that_are_none (void **state)
{
    (void) state;
    static const struct {
        const char *prefix, *uri;
    } bad[] = { { "a b", "u" }, { "1", "u" }, { "", "u" },    { "a:b", "u" },
                { "a'", "u" },  { "a", "" },  { "a", "\x01" } };
    error_t err;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        auto(xml_t) doc = unit_xml ("<domain><note/></domain>");
        xml_node_t *note = xml_find (xml_root (doc), "note");
        assert_int_equal (xml_set_namespace (note, bad[i].prefix, bad[i].uri, &err), -1);
        assert_int_equal (err.code, ERR_INVALID_ARG);
    }
    auto(xml_t) doc = unit_xml ("<domain><note/></domain>");
    xml_node_t *note = xml_find (xml_root (doc), "note");
    assert_int_equal (xml_set_namespace (note, "app", "http://app/?a&b'c", &err), 0);
    autofree char *text = xml_text (doc);
    auto(xml_t) again = unit_xml (text);
    assert_non_null (strstr (text, "<app:note"));
}

//  Attributes stay in it, and their declaration with them.
static void leaves_a_namespace (void **state)
{
    (void) state;
    static const char *const cases[][2] = {
        { "<k:x xmlns:k='urn:k'/>", "<x/>\n" },
        { "<k:x xmlns:k='urn:k'>t<k:y a='1'/></k:x>", "<x>t<y a='1'/></x>\n" },
        { "<x xmlns='urn:k'><y/></x>", "<x>\n  <y/>\n</x>\n" },
        { "<k:x xmlns:k='urn:k' xmlns:q='urn:q'><q:y/></k:x>",
          "<x xmlns:q='urn:q'>\n  <q:y/>\n</x>\n" },
        { "<k:x xmlns:k='urn:k'><k:y k:a='1'/></k:x>",
          "<x xmlns:k='urn:k'>\n  <y k:a='1'/>\n</x>\n" },
        { "<x><k:y xmlns:k='urn:k'/></x>", "<x>\n  <y/>\n</x>\n" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        auto(xml_t) doc = unit_xml (cases[i][0]);
        xml_leave_namespace (xml_root (doc), "urn:k");
        autofree char *text = xml_text (doc);
        assert_string_equal (text, cases[i][1]);
    }
}

static void puts_attributes_first (void **state)
{
    (void) state;
    static const char *const cases[][2] = {
        { "<a b='1' c='2' d='3'/>", "<a c='2' b='1' d='3'/>\n" },
        { "<a b='1' c='2'/>", "<a c='2' b='1'/>\n" },
        { "<a c='2' b='1'/>", "<a c='2' b='1'/>\n" },
        { "<a b='1'/>", "<a b='1'/>\n" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        auto(xml_t) doc = unit_xml (cases[i][0]);
        xml_put_first (xml_root (doc), "c");
        autofree char *text = xml_text (doc);
        assert_string_equal (text, cases[i][1]);
    }
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (says_where_it_is_malformed),
        cmocka_unit_test (prints_canonical_text),
        cmocka_unit_test (keeps_what_the_user_wrote),
        cmocka_unit_test (leaves_a_namespace),
        cmocka_unit_test (puts_attributes_first),
        cmocka_unit_test (reads_strings),
        cmocka_unit_test (lists_attributes),
        cmocka_unit_test (reads_flags),
        cmocka_unit_test (walks_children),
        cmocka_unit_test (reads_numbers),
        cmocka_unit_test (reads_sizes),
        cmocka_unit_test (changes),
        cmocka_unit_test (removes),
        cmocka_unit_test (nothing_unreadable_gets_in),
        cmocka_unit_test (copies_between_documents),
        cmocka_unit_test (reads_its_own_large_documents),
        cmocka_unit_test (has_no_children_of_nothing),
        cmocka_unit_test (refuses_namespaces_that_are_none),
    };
    return cmocka_run_group_tests (tests, init, NULL);
}
