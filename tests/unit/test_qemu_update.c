//  test_qemu_update.c: what can be another while the guest runs, and what can't.

#include "drivers/qemu/command/qemu_alias.h"
#include "drivers/qemu/plug/qemu_plug.h"
#include "qemu_fixture.h"
#include "unit_xml.h"

#include <string.h>

static fake_job_t fake;

static int setup (void **state)
{
    (void) state;
    fake_job_init (&fake, "/nowhere");
    fake.guest.name = "web";
    //  It runs still.
    fake.fail = "wait_exit";
    fake.fail_code = ERR_OPERATION_TIMEOUT;
    fake.guest.live =
        unit_xml ("<domain><devices>"
                  "<interface type='hostdev'><mac address='52:54:00:00:00:01'/><alias name='net0'/>"
                  "</interface>"
                  "<interface type='user'><mac address='52:54:00:00:00:02'/><alias name='net1'/>"
                  "</interface></devices></domain>");
    fake.guest.record =
        unit_xml ("<driver><process identity='4242:77:11111111-2222-3333-4444-555555555555'/>"
                  "</driver>");
    return 0;
}

static int teardown (void **state)
{
    (void) state;
    xml_destroy (&fake.guest.live);
    xml_destroy (&fake.guest.record);
    return 0;
}

//  QEMU would refuse to set its link, the way back as well, and so leave the guest half undone.
static void the_link_of_a_given_device_is_left_alone (void **state)
{
    (void) state;
    error_t err = { 0 };
    assert_int_equal (qemu_undo_link (&fake.job, "net0", &err), 0);
    assert_null (strstr (fake.trace, "set_link"));
    assert_int_equal (qemu_undo_link (&fake.job, "net1", &err), 0);
    assert_non_null (strstr (fake.trace, "set_link {\"name\":\"net1\",\"up\":true}"));
}

//  The guest may have let go of it while it was changed: there is nothing to be brought back then,
//  and that is what its user is told.
static void what_the_guest_let_go_of_is_not_brought_back (void **state)
{
    (void) state;
    error_t err = { 0 };
    static const fake_reply_t gone[] = {
        { "qom-list", "[{\"name\":\"net7\",\"type\":\"x\"}]" },
        { "set_link", "!QEMU refused set_link: DeviceNotFound: Device 'net0' not found" },
        { NULL, NULL }
    };
    fake.replies = gone;
    fake.caps = qemu_caps_text;
    fake.trace[0] = 0;
    xml_destroy (&fake.guest.live);
    fake.guest.live =
        qemu_completed ("q35", "<devices><interface type='user'><mac address='52:54:00:00:00:02'/>"
                               "</interface></devices>");
    qemu_set_aliases (fake.guest.live);
    assert_int_equal (qemu_undo_link (&fake.job, "net0", &err), 0);
    assert_null (strstr (fake.trace, "set_link"));
    xml_node_t *interface = qemu_alias_find (fake.guest.live, "net0");
    auto(xml_t) wanted = unit_xml ("<interface type='user'><mac address='52:54:00:00:00:02'/>"
                                   "<link state='down'/></interface>");
    assert_int_equal (qemu_update (&fake.job, interface, wanted, false, &err), -1);
    assert_int_equal (err.code, ERR_DEVICE_MISSING);
    assert_non_null (strstr (err.message, "of domain 'web': the guest has just let go of it"));
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (the_link_of_a_given_device_is_left_alone, setup, teardown),
        cmocka_unit_test_setup_teardown (what_the_guest_let_go_of_is_not_brought_back, setup,
                                         teardown),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
