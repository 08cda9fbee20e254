//  test_xml_scan.c: what the scan lets pass, and what it does not.

#include "util/text.h"
#include "util/xml.h"
#include "util/xml_scan.h"

#include "unit.h"

#include <string.h>
#include <time.h>

typedef struct {
    const char *text;
    const char *error; //  part of the message; NULL: it passes
} case_t;

static void check (const case_t *cases, size_t count, error_code_t code)
{
    for (size_t i = 0; i < count; i++) {
        error_t err = { 0 };
        const int result = xml_scan (cases[i].text, strlen (cases[i].text), "domain XML", &err);
        if (!cases[i].error) {
            assert_int_equal (result, 0);
            continue;
        }
        assert_int_equal (result, -1);
        assert_int_equal (err.code, code);
        if (!strstr (err.message, cases[i].error))
            fail_msg ("'%s' gives '%s', not '%s'", cases[i].text, err.message, cases[i].error);
    }
}

static void admits_documents (void **state)
{
    (void) state;
    static const case_t cases[] = {
        { "<a/>", NULL },
        { "<?xml version=\"1.0\" encoding='UTF-8'?>\n<a b='1' c = \"'\"\n/>\n", NULL },
        { "<a><!-- <b c= <!DOCTYPE --><![CDATA[<!DOCTYPE <<]]><?x <y z=?></a>", NULL },
        { "<q:a xmlns:q='u' q:b='>' ><_c.d-e/></q:a >", NULL },
        { "<gr\xc3\xb6\xc3\x9f"
          "e b='\xe2\x82\xac \xf0\x9f\x98\x80'/>",
          NULL },
        { "<a>&unknown; ]]></b>", NULL }, //  libxml2's affair
        { "\xef\xbb\xbf<a/>", NULL },
    };
    check (cases, sizeof cases / sizeof *cases, ERR_OK);
}

static void refuses_malformed (void **state)
{
    (void) state;
    static const case_t cases[] = {
        { "<a", "line 1, column 3: a space or the end of the tag" },
        { "<a>\n  <b c='1'd='2'/></a>", "line 2, column 11: a space or the end" },
        { "<a b/>", "the attribute has no value" },
        { "<a b=1/>", "has no quotes" },
        { "<a b='1", "value is not closed" },
        { "<a b='<'/>", "'<' in an attribute's value" },
        { "<a ,/>", "an attribute or the end of the tag is expected" },
        { "<a / >", "an attribute or the end of the tag is expected" },
        { "< a/>", "an element's name is expected" },
        { "<1/>", "an element's name is expected" },
        { "</a>", "an end tag without its start" },
        { "<a></a", "the end tag is not closed" },
        { "<a></>", "an element's name is expected" },
        { "<a><!-- x", "the comment is not closed" },
        { "<a><!-- x -- y --></a>", "'--' in a comment" },
        { "<a><!-- x ---></a>", "'--' in a comment" },
        { "<a><![CDATA[x]]</a>", "the CDATA section is not closed" },
        { "<![CDATA[x]]><a/>", "begins nothing that is known" },
        { "<a><?x </a>", "instruction is not closed" },
        { "<? x?><a/>", "an instruction's name is expected" },
        { "<!ENTITY x 'y'><a/>", "begins nothing that is known" },
        { "<a>\x01</a>", "byte 0x01" },
        { "<a>\xff</a>", "byte 0xff" },
        { "<a>\xc0\x80</a>", "byte 0xc0" },
        { "<a>\xed\xa0\x80</a>", "byte 0xed" },
        { "<a>\xef\xbf\xbf</a>", "byte 0xef" },
        { "<a>\xf4\x90\x80\x80</a>", "byte 0xf4" },
        { "<a>\xe2\x82", "byte 0xe2" },
    };
    check (cases, sizeof cases / sizeof *cases, ERR_XML_DETAIL);
}

static void refuses_doctypes (void **state)
{
    (void) state;
    static const case_t cases[] = {
        { "<!DOCTYPE a><a/>", "a DOCTYPE is not admitted" },
        { "<?xml version='1.0'?>\n<!-- x -->\n<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
          "line 3, column 10: a DOCTYPE is not admitted" },
    };
    check (cases, sizeof cases / sizeof *cases, ERR_XML_ERROR);
}

static void refuses_other_encodings (void **state)
{
    (void) state;
    error_t err;
    assert_int_equal (xml_scan ("\xff\xfe<\0a\0/\0>\0", 10, "x", &err), -1);
    assert_int_equal (xml_scan ("<\0a\0/\0>\0", 8, "x", &err), -1);
    assert_non_null (strstr (err.message, "byte 0x00"));
}

//  COUNT times TEXT between START and END; %u in TEXT is the count.
static char *repeated (const char *start, const char *text, unsigned count, const char *end)
{
    auto(text_t) all = text_new ();
    text_add (all, start);
    const char *number = strstr (text, "%u");
    for (unsigned i = 0; i < count; i++)
        if (number)
            text_addf (all, "%.*s%u%s", (int) (number - text), text, i, number + 2);
        else
            text_add (all, text);
    text_add (all, end);
    return text_finish (&all);
}

static void has_limits (void **state)
{
    (void) state;
    static const struct {
        const char *start, *text, *end;
        unsigned most;
        const char *error;
    } cases[] = {
        { "<a", " b%u='1'", "/>", XML_MAX_ATTRIBUTES, "more than 64 attributes in one tag" },
        { "", "<a>", "", XML_MAX_DEPTH, "nested deeper than 64" },
        { "<a>", "<b/>", "</a>", XML_MAX_ELEMENTS - 1, "more than 100000 elements" },
        { "<a>", "<!---->", "</a>", XML_MAX_ELEMENTS - 1, "more than 100000 elements" },
        { "<a>", "<b c='' d='' e='' f=''/>", "</a>", XML_MAX_ALL_ATTRIBUTES / 4,
          "more than 200000 attributes" },
        { "", "<a xmlns:b='' xmlns:c='' xmlns:d='' xmlns:e=''>", "", XML_MAX_NAMESPACES / 4,
          "more than 64 namespaces" },
        { "<a>", "<b xmlns='u'/>", "</a>", XML_MAX_ELEMENTS - 1, "more than 100000 elements" },
        { "<a>", "0123456789abcdef", "</a>", (XML_MAX_BYTES - 7) / 16, "more than the 4194304" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        error_t err = { 0 };
        autofree char *most = repeated (cases[i].start, cases[i].text, cases[i].most, cases[i].end);
        if (xml_scan (most, strlen (most), "x", &err))
            fail_msg ("case %zu: %s", i, err.message);
        autofree char *more =
            repeated (cases[i].start, cases[i].text, cases[i].most + 1, cases[i].end);
        assert_int_equal (xml_scan_own (more, strlen (more), "x", &err), 0);
        assert_int_equal (xml_scan (more, strlen (more), "x", &err), -1);
        assert_int_equal (err.code, ERR_XML_ERROR);
        if (!strstr (err.message, cases[i].error))
            fail_msg ("case %zu: %s", i, err.message);
    }
}

static void siblings_share_no_namespaces (void **state)
{
    (void) state;
    error_t err;
    autofree char *text = repeated ("<a xmlns:x='u'>", "<b xmlns:y='v'></b>", 1000, "</a>");
    assert_int_equal (xml_scan (text, strlen (text), "x", &err), 0);
}

//  Documents that make a careless reader compare each thing with each other one. Ten seconds are
//  far above what a slow machine with sanitizers needs, and far below what they'd cost unscanned.
static void no_document_takes_long (void **state)
{
    (void) state;
    autofree char *one_tag = repeated ("<a", " b%u='1'", 300000, "/>");
    autofree char *deep = repeated ("", "<a>", 1000000, "");
    autofree char *prefixes = repeated ("", "<a xmlns:n%u='u'>", 60, "");
    autofree char *prefixed = repeated (prefixes, "<n0:b n0:c='' n0:d='' n0:e=''/>", 60000, "");
    autofree char *comments = repeated ("<a>", "<!---->", 99000, "</a>");
    autofree char *references = repeated ("<a>", "&amp;", 800000, "</a>");
    autofree char *attribute = repeated ("<a b='", "&#65;", 800000, "'/>");
    autofree char *quotes = repeated ("<a>", "<b c='", 600000, "");
    autofree char *unclosed = repeated ("<a>", "<![CDATA[", 400000, "");
    const char *const all[] = { one_tag,    deep,      prefixed, comments,
                                references, attribute, quotes,   unclosed };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        error_t err;
        struct timespec start, end;
        clock_gettime (CLOCK_THREAD_CPUTIME_ID, &start);
        auto(xml_t) doc = xml_parse (all[i], strlen (all[i]), "x", &err);
        clock_gettime (CLOCK_THREAD_CPUTIME_ID, &end);
        const int64_t ms =
            (end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000;
        print_message ("    document %zu: %d ms, %s\n", i, (int) ms, doc ? "ok" : err.message);
        assert_true (ms < 10000);
    }
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (admits_documents),
        cmocka_unit_test (refuses_malformed),
        cmocka_unit_test (refuses_doctypes),
        cmocka_unit_test (refuses_other_encodings),
        cmocka_unit_test (has_limits),
        cmocka_unit_test (siblings_share_no_namespaces),
        cmocka_unit_test (no_document_takes_long),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
