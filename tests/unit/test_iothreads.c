//  test_iothreads.c: which I/O threads a guest has, as documents say it.

#include "drivers/iothreads.h"
#include "unit_xml.h"
#include "util/text.h"

#include <string.h>

static error_t err;

static xml_t *parse (const char *inside)
{
    return unit_xmlf ("<domain>%s</domain>", inside);
}

//  "count: 1 2 5"
static char *show (const xml_t *document)
{
    auto(text_t) text = text_new ();
    text_addf (text, "%d:", iothreads_count (xml_root (document)));
    for (int id = 0; (id = iothreads_next (xml_root (document), id));)
        text_addf (text, " %d", id);
    return text_finish (&text);
}

#define assert_shows(document, expected)                                                           \
    do {                                                                                           \
        autofree char *shown = show (document);                                                    \
        assert_string_equal (shown, expected);                                                     \
    } while (0)

static void test_completion (void **state)
{
    static const struct {
        const char *inside, *result; //  "!": what the error says
    } cases[] = {
        { "", "0:" },
        { "<iothreads>2</iothreads>", "2: 1 2" },
        { "<iothreads>3</iothreads><iothreadids><iothread id='2'/></iothreadids>", "3: 1 2 3" },
        { "<iothreadids><iothread id='7'/><iothread id='4'/></iothreadids>", "2: 4 7" },
        { "<iothreads>2000</iothreads>", "!2000" },
        { "<iothreadids><iothread/></iothreadids>", "!one has no id" },
        { "<iothreadids><iothread id='0'/></iothreadids>", "!0" },
        { "<iothreadids><iothread id='1'/><iothread id='1'/></iothreadids>", "!the same id" },
        { "<iothreadids><iothread id='1'><poll max='x'/></iothread></iothreadids>", "!'x'" },
        { "<iothreadids><iothread id='1'><poll grow='9999999999'/></iothread></iothreadids>",
          "!too large" },
        { "<iothreadids><iothread id='1' thread_pool_min='3' thread_pool_max='2'/></iothreadids>",
          "!less than" },
        { "<iothreadids><iothread id='1' thread_pool_max='0'/></iothreadids>", "!is 0" },
    };
    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        auto(xml_t) document = parse (cases[i].inside);
        int rc = iothreads_complete (xml_root (document), &err);
        if (cases[i].result[0] == '!') {
            assert_int_equal (rc, -1);
            assert_int_equal (err.code, ERR_XML_ERROR);
            assert_non_null (strstr (err.message, cases[i].result + 1));
        } else {
            assert_int_equal (rc, 0);
            assert_shows (document, cases[i].result);
        }
    }
}

static void test_changes (void **state)
{
    (void) state;
    auto(xml_t) document =
        parse ("<iothreads>2</iothreads><cputune><iothreadpin iothread='2' cpuset='0'/></cputune>"
               "<devices><disk><driver iothread='1'/><target dev='vda'/></disk></devices>");
    xml_node_t *domain = xml_root (document);
    assert_int_equal (iothreads_add (domain, 9, &err), 0);
    assert_shows (document, "3: 1 2 9");
    assert_int_equal (iothreads_add (domain, 9, &err), -1);
    assert_int_equal (err.code, ERR_INVALID_ARG);
    assert_int_equal (iothreads_add (domain, IOTHREAD_MOST + 1, &err), -1);
    assert_int_equal (iothreads_remove (domain, 1, &err), -1);
    assert_non_null (strstr (err.message, "disk 'vda' uses it"));
    assert_int_equal (iothreads_remove (domain, 5, &err), -1);
    assert_non_null (strstr (err.message, "no such"));
    assert_int_equal (iothreads_remove (domain, 2, &err), 0);
    assert_null (xml_find (domain, "cputune/iothreadpin"));
    assert_shows (document, "2: 1 9");
    assert_null (iothreads_ensure (domain, 2, &err));
    xml_set (iothreads_ensure (domain, 9, &err), "poll/@max", "0");
    assert_string_equal (xml_string (iothreads_find (domain, 9), "poll/@max"), "0");
}

static void test_last_one (void **state)
{
    (void) state;
    auto(xml_t) document = parse ("<devices/>");
    assert_int_equal (iothreads_add (xml_root (document), 3, &err), 0);
    assert_shows (document, "1: 3");
    assert_int_equal (iothreads_remove (xml_root (document), 3, &err), 0);
    assert_shows (document, "0:");
    autofree char *text = xml_text (document);
    assert_string_equal (text, "<domain>\n  <devices/>\n</domain>\n");
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_completion),
        cmocka_unit_test (test_changes),
        cmocka_unit_test (test_last_one),
    };
    xml_init ();
    return cmocka_run_group_tests (tests, NULL, NULL);
}
