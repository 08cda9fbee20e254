//  test_network_lease.c: what troupe-lease tells.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "drivers/net/network_lease.h"
#include "util/auto.h"

#include <string.h>

static void test_good (void **state)
{
    (void) state;
    lease_t lease;
    assert_true (lease_read ("1700000000 52:54:00:00:00:01 10.0.0.9 web1 01:52:54", &lease));
    assert_int_equal (lease.expiry, 1700000000);
    assert_string_equal (lease.hardware, "52:54:00:00:00:01");
    assert_string_equal (lease.address, "10.0.0.9");
    assert_string_equal (lease.name, "web1");
    assert_string_equal (lease.client, "01:52:54");
    assert_string_equal (lease.mac, "52:54:00:00:00:01");
    assert_false (lease_is_six (&lease));
    assert_true (lease_read ("0 7 fd00::9 * 00:03:00:01", &lease));
    assert_true (lease_is_six (&lease));
    assert_string_equal (lease.mac, "");
    //  The MAC of an IPv6 client is not for dnsmasq.
    assert_true (lease_read ("0 7 fd00::9 * 00:03:00:01 52:54:00:00:00:01", &lease));
    assert_string_equal (lease.mac, "52:54:00:00:00:01");
    autofree char *ours = lease_text (&lease, true), *theirs = lease_text (&lease, false);
    assert_string_equal (ours, "0 7 fd00::9 * 00:03:00:01 52:54:00:00:00:01");
    assert_string_equal (theirs, "0 7 fd00::9 * 00:03:00:01");
}

static void test_bad (void **state)
{
    (void) state;
    char longest[LEASE_LINE_MAX + 64];
    memset (longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    memcpy (longest, "1 2 3 4 ", 8);
    const char *const bad[] = { "",
                                "1 2 3 4",
                                "1 2 3 4 5 6",
                                "1 2 fd00::9 4 5 6 7",
                                "soon 52:54:00:00:00:01 10.0.0.9 a b",
                                "1 2 3 4 5\n",
                                "1 2 3 4 \x1b[2J",
                                longest };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        lease_t lease;
        if (lease_read (bad[i], &lease))
            fail_msg ("'%s' was taken", bad[i]);
    }
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_good),
        cmocka_unit_test (test_bad),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
