//  test_qemu_update.c: what can be another while the guest runs, and what can't.

#include "drivers/qemu/command/qemu_alias.h"
#include "drivers/qemu/plug/qemu_plug.h"
#include "fake_job.h"
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

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (the_link_of_a_given_device_is_left_alone, setup, teardown),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
