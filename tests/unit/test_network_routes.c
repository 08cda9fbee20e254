//  test_network_routes.c: which subnets the host reaches, as the kernel's tables tell it.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "drivers/net/network_routes.h"

#include <net/if.h>
#include <string.h>

//  The addresses are those of a machine that has the lowest byte first.
static const char four[] =
    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
    "eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
    "eth1\t007AA8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";
static const char six[] =
    "fd000077000000000000000000000000 40 00000000000000000000000000000000 00 "
    "00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth2\n"
    "fe800000000000000000000000000000 40 00000000000000000000000000000000 00 "
    "00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth2\n";

static bool overlaps (const char *table, const char *address, unsigned prefix, char *link)
{
    subnet_t subnet = { .prefix = prefix };
    assert_true (address_read (address, &subnet.address));
    return routes_overlap (table, &subnet, NULL, link);
}

static void test_four (void **state)
{
    (void) state;
    char link[IF_NAMESIZE];
    assert_true (overlaps (four, "192.168.122.1", 24, link));
    assert_string_equal (link, "eth1");
    assert_true (overlaps (four, "192.168.0.1", 16, link));
    assert_true (overlaps (four, "192.168.122.200", 28, link));
    assert_false (overlaps (four, "192.168.123.1", 24, link));
    assert_false (overlaps (four, "10.0.0.1", 8, link)); //  the default route
    assert_false (overlaps ("", "10.0.0.1", 8, link));
    subnet_t own = { { AF_INET, { 192, 168, 122, 1 } }, 24 };
    assert_false (routes_overlap (four, &own, "eth1", link)); //  by the very link that gets it
    assert_true (routes_overlap (four, &own, "eth0", link));
    assert_true (routes_have (four, &own, "eth1"));
    assert_false (routes_have (four, &own, "eth0"));
    own.prefix = 25;
    assert_false (routes_have (four, &own, "eth1"));
}

static void test_six (void **state)
{
    (void) state;
    char link[IF_NAMESIZE];
    assert_true (overlaps (six, "fd00:77::1", 64, link));
    assert_string_equal (link, "eth2");
    assert_false (overlaps (six, "fd00:78::1", 64, link));
    assert_false (overlaps (six, "fe80::1", 64, link)); //  each link has these
}

static void test_announced (void **state)
{
    (void) state;
    static const char table[] =
        "fd000078000000000000000000000000 40 00000000000000000000000000000000 00 "
        "00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth1\n"
        "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
        "fe800000000000000000000000000001 00000400 00000001 00000000 00450003     eth2\n";
    char link[IF_NAMESIZE];
    size_t from = 0;
    assert_true (routes_announced (table, &from, link));
    assert_string_equal (link, "eth2");
    assert_false (routes_announced (table, &from, link));
    from = 0;
    assert_false (routes_announced (six, &from, link));
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_four),
        cmocka_unit_test (test_six),
        cmocka_unit_test (test_announced),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
