//  test_network_rules.c: what a network lets through, as text for nftables.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "drivers/net/network_rules.h"
#include "util/text.h"

#include <string.h>

#define UUID "11111111-2222-4333-8444-555555555555"

static char *rules (const char *inner)
{
    error_t err;
    autofree char *text = text_format ("<network>%s</network>", inner);
    auto(xml_t) doc = xml_parse (text, strlen (text), "network", &err);
    assert_non_null (doc);
    return network_rules_text (xml_root (doc), UUID, "virbr7", "troupe_x");
}

static void test_nat (void **state)
{
    (void) state;
    autofree char *text =
        rules ("<forward mode='nat' dev='eth9'><nat><address start='1.2.3.4' end='1.2.3.5'/>"
               "<port start='500' end='600'/></nat></forward><ip address='10.1.2.3' prefix='24'/>");
    static const char *const lines[] = {
        "define inner = \"virbr7\"\n",
        "define outer = \"eth9\"\n",
        "delete chain inet troupe_x forward_11111111_2222_4333_8444_555555555555\n",
        "oifname $inner iifname $outer ip daddr 10.1.2.0/24 ct state established,related accept\n",
        "iifname $inner oifname $outer ip saddr 10.1.2.0/24 accept\n",
        "oifname $inner reject\n",
        "snat ip to 1.2.3.4-1.2.3.5:500-600\n",
        "10.1.2.0/24 snat ip to 1.2.3.4-1.2.3.5\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (!strstr (text, lines[i]))
            fail_msg ("'%s' is not in:\n%s", lines[i], text);
}

//  IPv6 is passed on as it is, unless NAT is asked for.
static void test_six (void **state)
{
    (void) state;
    static const char six[] = "<ip family='ipv6' address='fd00::1' prefix='64'/>";
    autofree char *plain = text_format ("<forward mode='nat'/>%s", six);
    autofree char *asked = text_format ("<forward mode='nat'><nat ipv6='yes'/></forward>%s", six);
    autofree char *without = rules (plain), *with = rules (asked);
    assert_non_null (strstr (without, "ip6 daddr fd00::/64 accept"));
    assert_null (strstr (without, "masquerade"));
    assert_non_null (strstr (with, "ip6 daddr fd00::/64 ct state established,related accept"));
    assert_non_null (strstr (with, "ip6 saddr fd00::/64 ip6 daddr != fd00::/64 masquerade\n"));
}

static void test_other_modes (void **state)
{
    (void) state;
    autofree char *isolated = rules ("<ip address='10.1.2.3' prefix='24'/>");
    assert_null (strstr (isolated, "10.1.2"));
    assert_null (strstr (isolated, "nat hook"));
    assert_non_null (strstr (isolated, "iifname $inner reject"));
    autofree char *route = rules ("<forward mode='route'/><ip address='10.1.2.3' prefix='24'/>"
                                  "<route address='10.9.0.0' prefix='16' gateway='10.1.2.9'/>");
    assert_non_null (strstr (route, "oifname $inner ip daddr 10.1.2.0/24 accept"));
    assert_non_null (strstr (route, "iifname $inner ip saddr 10.9.0.0/16 accept"));
    assert_null (rules ("<forward mode='open'/><ip address='10.1.2.3' prefix='24'/>"));
    assert_null (rules ("<forward mode='bridge'/><bridge name='br0'/>"));
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_nat),
        cmocka_unit_test (test_six),
        cmocka_unit_test (test_other_modes),
    };
    xml_init ();
    return cmocka_run_group_tests (tests, NULL, NULL);
}
