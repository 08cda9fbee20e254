//  test_interface_tune.c: limits of interfaces: documents, and links that follow them.

#include "drivers/net/interface_tune.h"
#include "fake_job.h"
#include "unit_xml.h"
#include "util/text.h"

#include <string.h>

#define MAC "52:54:00:00:00:01"
#define DOMAIN                                                                                     \
    "<domain><devices><interface type='bridge'><mac address='" MAC "'/><target dev='vnet7'/>%s"    \
    "<alias name='net0'/></interface></devices></domain>"

static fake_job_t fake;
static error_t err;

static xml_t *parse (const char *format, const char *inside)
{
    return unit_xmlf (format, inside);
}

static int setup (void **state)
{
    (void) state;
    err = (error_t){ 0 };
    fake_job_init (&fake, "/nowhere");
    fake.guest.name = "g";
    return 0;
}

static int teardown (void **state)
{
    (void) state;
    fake_job_clear (&fake);
    return 0;
}

//  One field, or two.
static int set (xml_t *document, const char *name, const char *first, uint64_t a,
                const char *second, uint64_t b)
{
    pack_t pack;
    pack_init (&pack);
    pack_map (&pack);
    if (first)
        pack_key_u64 (&pack, first, a);
    if (second)
        pack_key_u64 (&pack, second, b);
    pack_end (&pack);
    auto(document_t) args = document_parse (pack.bytes, pack.size, VALUE_MAX_BYTES, &err);
    int rc = interface_tune_set (xml_root (document), name, document_root (args), &err);
    pack_close (&pack);
    return rc;
}

static void test_what_is_said_of_a_way_is_all (void **state)
{
    (void) state;
    auto(xml_t) document = parse (DOMAIN, "");
    const xml_node_t *interface = xml_find (xml_root (document), "devices/interface");
    assert_int_equal (set (document, MAC, "inbound_average", 10, "inbound_peak", 20), 0);
    assert_int_equal (set (document, "vnet7", "outbound_average", 5, NULL, 0), 0);
    assert_string_equal (xml_string (interface, "bandwidth/inbound/@peak"), "20");
    assert_int_equal (set (document, MAC, "inbound_average", 9, NULL, 0), 0);
    assert_null (xml_string (interface, "bandwidth/inbound/@peak"));
    assert_string_equal (xml_string (interface, "bandwidth/outbound/@average"), "5");
    assert_int_equal (set (document, MAC, "inbound_average", 0, "outbound_average", 0), 0);
    assert_null (xml_find (interface, "bandwidth"));
}

static void test_what_is_refused (void **state)
{
    (void) state;
    auto(xml_t) document = parse (DOMAIN, "");
    assert_int_equal (set (document, "vnet1", "inbound_average", 1, NULL, 0), -1);
    assert_non_null (strstr (err.message, "no interface 'vnet1'"));
    assert_int_equal (set (document, MAC, "outbound_burst", 1, NULL, 0), -1);
    assert_non_null (strstr (err.message, "no average"));
    assert_int_equal (set (document, MAC, "inbound_average", UINT64_C (1) << 33, NULL, 0), -1);
    assert_int_equal (err.code, ERR_INVALID_ARG);
    assert_int_equal (set (document, MAC, NULL, 0, NULL, 0), -1);
    assert_non_null (strstr (err.message, "names nothing"));
    assert_int_equal (set (document, MAC, "inbound_floor", 1, NULL, 0), -1);
    assert_int_equal (err.code, ERR_CONFIG_UNSUPPORTED);
    assert_null (xml_find (xml_root (document), "devices/interface/bandwidth"));
}

static void test_links_follow (void **state)
{
    (void) state;
    auto(xml_t) before = parse (DOMAIN, "<bandwidth><inbound average='3'/></bandwidth>");
    fake.guest.live = parse (DOMAIN, "<bandwidth><outbound average='4' peak='5'/></bandwidth>");
    assert_int_equal (interface_tune (&fake.job, xml_root (before), &err), -1);
    assert_int_equal (err.code, ERR_CONFIG_UNSUPPORTED);
    fake.guest.record = parse ("<driver><link alias='net0' name='vnet7'/>%s</driver>", "");
    assert_int_equal (interface_tune (&fake.job, xml_root (before), &err), 0);
    const char *undo = strstr (fake.trace, "undo bandwidth net0 3 0 0 0 0 0\n");
    assert_non_null (undo);
    assert_non_null (strstr (undo, "record"));
    assert_int_equal (interface_undo_bandwidth (&fake.job, "net0 3 0 0 0 0 0", &err), 0);
    assert_int_equal (interface_undo_bandwidth (&fake.job, "net0 3", &err), -1);
    fake.trace[0] = 0;
    assert_int_equal (interface_tune (&fake.job, xml_root (fake.guest.live), &err), 0);
    assert_string_equal (fake.trace, "");
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (test_what_is_said_of_a_way_is_all, setup, teardown),
        cmocka_unit_test_setup_teardown (test_what_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown (test_links_follow, setup, teardown),
    };
    xml_init ();
    return cmocka_run_group_tests (tests, NULL, NULL);
}
