//  test_interface_move.c: a card goes to another bridge or network: in which order, and how it
//  comes back.

#include "drivers/net/interface.h"
#include "drivers/net/interface_move.h"
#include "fake_job.h"
#include "unit_xml.h"
#include "util/text.h"

#include <string.h>

#define NEW "01020304-0506-4708-890a-0b0c0d0e0f10" //  of the fake's random numbers
#define CARD(type, source)                                                                         \
    "<interface type='" type "'><mac address='52:54:00:00:00:01'/><source " source                 \
    "/><alias name='net0'/></interface>"
#define BLUE CARD ("network", "network='blue' portid='OLD' bridge='blue0'")
#define RECORD                                                                                     \
    "<driver><link alias='net0' name='vnet0' ifindex='7' network='blue' port='OLD'/></driver>"

static fake_job_t fake;
static error_t err;

static int setup (void **state)
{
    (void) state;
    err = (error_t){ 0 };
    fake_job_init (&fake, "/nowhere");
    fake.guest.name = "g";
    fake.guest.record = unit_xml (RECORD);
    fake.guest.live = unit_xml ("<domain><devices>" BLUE "</devices></domain>");
    return 0;
}

static int teardown (void **state)
{
    (void) state;
    xml_destroy (&fake.guest.record);
    xml_destroy (&fake.guest.live);
    return 0;
}

static xml_node_t *card (void)
{
    return xml_find (xml_root (fake.guest.live), "devices/interface");
}

static int move (const char *wanted, xml_t **doc)
{
    *doc = unit_xml (wanted);
    return interface_move (&fake.job, card (), xml_root (*doc), &err);
}

static void what_is_another_place (void **state)
{
    (void) state;
    static const struct {
        const char *wanted;
        bool moves;
    } cases[] = {
        { CARD ("network", "network='blue'"), false },
        { CARD ("network", "network='blue' portgroup='fast'"), true },
        { CARD ("network", "network='green'"), true },
        { CARD ("bridge", "bridge='blue0'"), true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        auto(xml_t) wanted = unit_xml (cases[i].wanted);
        assert_int_equal (interface_moves (card (), xml_root (wanted)), cases[i].moves);
    }
}

static void the_new_port_is_first_and_the_old_one_goes_last (void **state)
{
    (void) state;
    auto(xml_t) wanted = NULL;
    assert_int_equal (move (CARD ("network", "network='green'"), &wanted), 0);
    assert_string_equal (fake.trace, "network green\n"
                                     "undo port green/" NEW "\n"
                                     "record\n"
                                     "port_create green/" NEW "\n"
                                     "link_find green0\n"
                                     "link_set net0 master 'green0' mtu 1400\n"
                                     "link_bandwidth net0 none\n"
                                     "port_delete blue/OLD\n");
    assert_string_equal (guest_recorded (&fake.guest, "link/@port"), NEW);
    assert_string_equal (guest_recorded (&fake.guest, "link/@network"), "green");
    assert_null (guest_recorded (&fake.guest, "moving/@port"));
    assert_string_equal (xml_string (xml_root (wanted), "source/@bridge"), "green0");
    assert_string_equal (xml_string (xml_root (wanted), "source/@portid"), NEW);
}

//  Each step fails in turn: the record still has the old port, and with it the link comes back.
static void what_fails_comes_back (void **state)
{
    static const char *const steps[] = { "network",   "undo",     "record",         "port_create",
                                         "link_find", "link_set", "link_bandwidth", "port_delete" };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        auto(xml_t) wanted = NULL;
        fake.fail = steps[i];
        assert_int_equal (move (CARD ("network", "network='green'"), &wanted), -1);
        assert_string_equal (guest_recorded (&fake.guest, "link/@port"), "OLD");
        fake.fail = NULL;
        fake.trace[0] = 0;
        assert_int_equal (interface_move_back (&fake.job, card (), &err), 0);
        assert_string_equal (fake.trace, "port_create blue/OLD\n"
                                         "link_find blue0\n"
                                         "link_set net0 master 'blue0' mtu 1400\n"
                                         "link_bandwidth net0 none\n");
        assert_null (guest_recorded (&fake.guest, "moving/@port"));
        teardown (state);
        setup (state);
    }
}

static void to_a_bridge_of_the_host (void **state)
{
    (void) state;
    auto(xml_t) wanted = NULL;
    assert_int_equal (move (CARD ("bridge", "bridge='br0'"), &wanted), 0);
    assert_null (strstr (fake.trace, "port_create"));
    assert_null (guest_recorded (&fake.guest, "link/@port"));
    assert_null (guest_recorded (&fake.guest, "link/@network"));
}

static void what_gives_no_bridge_is_refused (void **state)
{
    (void) state;
    auto(xml_t) wanted = NULL;
    assert_int_equal (move (CARD ("network", "network='pool'"), &wanted), -1);
    assert_non_null (strstr (err.message, "gives a device of the host, and no bridge"));
    assert_null (strstr (fake.trace, "link_set"));
    assert_null (strstr (fake.trace, "port_delete"));
    auto(xml_t) user = NULL;
    assert_int_equal (move (CARD ("user", ""), &user), -1);
    assert_non_null (strstr (err.message, "only one that is in a bridge"));
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (what_is_another_place, setup, teardown),
        cmocka_unit_test_setup_teardown (the_new_port_is_first_and_the_old_one_goes_last, setup,
                                         teardown),
        cmocka_unit_test_setup_teardown (what_fails_comes_back, setup, teardown),
        cmocka_unit_test_setup_teardown (to_a_bridge_of_the_host, setup, teardown),
        cmocka_unit_test_setup_teardown (what_gives_no_bridge_is_refused, setup, teardown),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
