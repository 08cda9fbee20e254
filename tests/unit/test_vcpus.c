//  test_vcpus.c: which vcpus a guest has, as documents say it.

#include "drivers/vcpus.h"
#include "unit_xml.h"
#include "util/text.h"

#include <string.h>

static error_t err;

static xml_t *parse (const char *vcpus)
{
    return unit_xmlf ("<domain>%s</domain>", vcpus);
}

//  "current: 0! 1 -", by id: there from the start on, plugged, not there.
static char *show (const xml_t *document)
{
    const xml_node_t *domain = xml_root (document);
    const char *current = xml_string (domain, "vcpu/@current");
    auto(text_t) text = text_new ();
    text_addf (text, "%s:", current ? current : "all");
    xml_foreach (vcpu, xml_find (domain, "vcpus"), "vcpu") {
        const char *order = xml_string (vcpu, "@order");
        bool fixed = xml_equals (vcpu, "@hotpluggable", "no");
        if (xml_equals (vcpu, "@enabled", "yes"))
            text_addf (text, " %s%s", order ? order : "?", fixed ? "!" : "");
        else
            text_add (text, fixed ? " wrong" : " -");
    }
    return text_finish (&text);
}

#define assert_shows(document, expected)                                                           \
    do {                                                                                           \
        autofree char *shown = show (document);                                                    \
        assert_string_equal (shown, expected);                                                     \
    } while (0)

static void test_numbers (void **state)
{
    (void) state;
    auto(xml_t) all = parse ("<vcpu>4</vcpu>");
    auto(xml_t) some = parse ("<vcpu current='2'>4</vcpu>");
    assert_int_equal (vcpus_count (xml_root (all)), 4);
    assert_int_equal (vcpus_fixed (xml_root (some)), 2);
    assert_true (vcpus_has (xml_root (some), 1));
    assert_false (vcpus_has (xml_root (some), 2));
    assert_int_equal (vcpus_of_alias ("vcpu12"), 12);
    assert_int_equal (vcpus_of_alias ("vcpu"), -1);
    assert_int_equal (vcpus_of_alias ("vcpu-1"), -1);
    assert_int_equal (vcpus_of_alias ("net0"), -1);
    vcpus_list (xml_root (some));
    assert_shows (some, "2: 1! 2! - -");
    assert_int_equal (vcpus_most (xml_root (some)), 4);
}

static void test_completion (void **state)
{
    static const struct {
        const char *list, *result; //  "!": what the error says
    } cases[] = {
        { "<vcpu id='2' enabled='yes' hotpluggable='yes' order='2'/><vcpu id='0' enabled='yes'/>",
          "2: ?! - 2 -" },
        { "<vcpu id='0' enabled='yes'/><vcpu id='1' enabled='yes'/>", "2: ?! ?! - -" },
        { "<vcpu id='1' enabled='yes' hotpluggable='yes'/>", "!vcpu 0 has to be enabled" },
        { "<vcpu id='0' enabled='no'/>", "!vcpu 0: the first one has to be" },
        { "<vcpu id='0' enabled='yes' hotpluggable='yes'/>", "!vcpu 0: the first one has to be" },
        { "<vcpu id='4' enabled='yes'/>", "!4" },
        { "<vcpu enabled='yes'/>", "!a vcpu has no id" },
        { "<vcpu id='0' enabled='yes'/><vcpu id='0' enabled='yes'/>",
          "!vcpu 0: it is there twice" },
        { "<vcpu id='0'/>", "!whether it is enabled" },
        { "<vcpu id='0' enabled='yes'/><vcpu id='1' enabled='no' hotpluggable='no'/>",
          "!neither enabled nor hotpluggable" },
        { "<vcpu id='0' enabled='yes'/><vcpu id='1' enabled='no' order='2'/>", "!has no order" },
        { "<vcpu id='0' enabled='yes' order='1'/>"
          "<vcpu id='1' enabled='yes' hotpluggable='yes' order='1'/>",
          "!another one has the same order" },
        { "<vcpu id='0' enabled='yes' order='9'/>", "!9" },
        { "<vcpu id='0' enabled='yes'/><vcpu id='2' enabled='yes'/>", "!vcpu 1 is hotpluggable" },
    };
    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        autofree char *text = text_format ("<vcpu>4</vcpu><vcpus>%s</vcpus>", cases[i].list);
        auto(xml_t) document = parse (text);
        int rc = vcpus_complete (xml_root (document), &err);
        if (cases[i].result[0] == '!') {
            assert_int_equal (rc, -1);
            assert_non_null (strstr (err.message, cases[i].result + 1));
        } else {
            assert_int_equal (rc, 0);
            assert_shows (document, cases[i].result);
        }
    }
}

static void test_order (void **state)
{
    (void) state;
    auto(xml_t) document = parse ("<vcpu>4</vcpu><vcpus><vcpu id='0' enabled='yes' order='1'/>"
                                  "<vcpu id='1' enabled='yes'/><vcpu id='2' enabled='no'/>"
                                  "<vcpu id='3' enabled='yes' order='2'/></vcpus>");
    static const int expected[] = { 0, 3, 1, -1 };
    for (int i = 0, rank = -1; i < 4; i++)
        assert_int_equal (vcpus_next (xml_root (document), &rank), expected[i]);
}

static void test_running (void **state)
{
    vcpus_change_t live = { .live = true };
    auto(xml_t) document = parse ("<vcpu current='2'>4</vcpu>");
    xml_node_t *domain = xml_root (document);
    cpu_set_t set;
    (void) state;
    vcpus_list (domain);
    assert_int_equal (vcpus_set_count (domain, 4, &live, &err), 0);
    assert_shows (document, "all: 1! 2! 3 4");
    CPU_ZERO (&set);
    CPU_SET (2, &set);
    assert_int_equal (vcpus_set_some (domain, &set, false, &live, &err), 0);
    assert_shows (document, "3: 1! 2! - 3");
    assert_int_equal (vcpus_set_some (domain, &set, false, &live, &err), -1);
    assert_non_null (strstr (err.message, "does not have it"));
    CPU_ZERO (&set);
    CPU_SET (1, &set);
    assert_int_equal (vcpus_set_some (domain, &set, false, &live, &err), -1);
    assert_int_equal (err.code, ERR_INVALID_ARG);
    assert_int_equal (vcpus_set_count (domain, 1, &live, &err), -1);
    assert_int_equal (err.code, ERR_CONFIG_UNSUPPORTED);
    assert_non_null (strstr (err.message, "at least 2"));
}

static void test_definition (void **state)
{
    vcpus_change_t config = { 0 }, plugged = { .hotpluggable = true };
    auto(xml_t) document = parse ("<vcpu>4</vcpu>");
    xml_node_t *domain = xml_root (document);
    cpu_set_t set;
    (void) state;
    assert_int_equal (vcpus_set_count (domain, 2, &config, &err), 0);
    assert_shows (document, "2:");
    assert_int_equal (vcpus_set_count (domain, 3, &plugged, &err), 0);
    assert_shows (document, "3: 1! 2! 3 -");
    CPU_ZERO (&set);
    CPU_SET (0, &set);
    assert_int_equal (vcpus_set_some (domain, &set, false, &config, &err), -1);
    CPU_ZERO (&set);
    CPU_SET (1, &set);
    assert_int_equal (vcpus_set_some (domain, &set, false, &config, &err), 0);
    assert_shows (document, "2: 1! - 2 -");
    assert_int_equal (vcpus_set_count (domain, 4, &config, &err), 0);
    assert_shows (document, "all: 1! 3! 2 4");
    assert_int_equal (vcpus_complete (domain, &err), 0);
    vcpus_set_most (domain, 3);
    assert_shows (document, "all: 1! 3! 2");
    vcpus_set_most (domain, 5);
    assert_int_equal (vcpus_complete (domain, &err), 0);
    assert_shows (document, "3: 1! 3! 2 - -");
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_numbers),    cmocka_unit_test (test_completion),
        cmocka_unit_test (test_order),      cmocka_unit_test (test_running),
        cmocka_unit_test (test_definition),
    };
    xml_init ();
    return cmocka_run_group_tests (tests, NULL, NULL);
}
