//  test_qemu_vsock.c: a guest's vsock: its document, on QEMU's command line, its descriptor, and
//  its end. That the kernel takes it is the lab's test.

#include "drivers/qemu/command/qemu_abi.h"
#include "drivers/qemu/plug/qemu_plug_parts.h"
#include "drivers/qemu/qemu_vsock.h"
#include "qemu_fixture.h"
#include "unit_xml.h"

#include <unistd.h>

#define DEVICES(cid) "<devices><vsock model='virtio'>" cid "</vsock></devices>"

static const char *cid (const xml_t *document, const char *attribute)
{
    autofree char *path = text_format ("devices/vsock/cid/@%s", attribute);
    return qemu_at (document, path);
}

static void test_completed (void **state)
{
    (void) state;
    auto(xml_t) chosen = qemu_completed ("q35", "<devices><vsock/></devices>");
    assert_string_equal (qemu_at (chosen, "devices/vsock/@model"), "virtio");
    assert_string_equal (cid (chosen, "auto"), "yes");
    assert_string_equal (cid (chosen, "address"), "(none)");
    //  Its own root port.
    assert_string_not_equal (qemu_at (chosen, "devices/vsock/address/@bus"), "0x00");
    auto(xml_t) fixed = qemu_completed ("q35", DEVICES ("<cid address='03'/>"));
    assert_string_equal (cid (fixed, "auto"), "no");
    assert_string_equal (cid (fixed, "address"), "3");
    //  That of another time, or of another host.
    auto(xml_t) again = qemu_completed ("q35", DEVICES ("<cid auto='yes' address='9'/>"));
    assert_string_equal (cid (again, "address"), "(none)");
}

//  A saved guest may get another one only if it is automatic.
static void test_abi (void **state)
{
    (void) state;
    static const struct {
        const char *before, *after;
        int result;
    } cases[] = {
        { "<cid auto='yes' address='3'/>", "<cid auto='yes'/>", 0 },
        { "<cid auto='yes' address='3'/>", "<cid auto='yes' address='4'/>", 0 },
        { "<cid auto='no' address='3'/>", "<cid auto='no' address='4'/>", -1 },
        { "<cid auto='yes' address='3'/>", "<cid auto='no' address='3'/>", -1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        error_t err = { 0 };
        auto(xml_t) before =
            unit_xmlf ("<domain><devices><vsock>%s</vsock></devices></domain>", cases[i].before);
        auto(xml_t) after =
            unit_xmlf ("<domain><devices><vsock>%s</vsock></devices></domain>", cases[i].after);
        assert_int_equal (qemu_abi_check (before, after, &err), cases[i].result);
    }
}

static int setup (void **state)
{
    static fake_job_t fake;
    fake_job_init (&fake, "/nowhere");
    fake.guest.name = (char *) (uintptr_t) "fixture";
    fake.guest.live = qemu_completed ("q35", DEVICES ("<cid address='3'/>"));
    qemu_set_aliases (fake.guest.live);
    fake.guest.record = unit_xml ("<driver><link fd='4' queues='2' vhost='yes'/>"
                                  "<device address='vsock:3'/></driver>");
    *state = &fake;
    return 0;
}

static int teardown (void **state)
{
    fake_job_t *fake = *state;
    fake->guest.name = NULL;
    fake_job_clear (fake);
    return 0;
}

//  Behind those of the links; and QEMU is told of it.
static void test_descriptor (void **state)
{
    fake_job_t *fake = *state;
    error_t err = { 0 };
    xml_node_t *record = xml_root (fake->guest.record);
    auto(strings_t) none = strings_new ();
    qemu_vsock_add_device (fake->guest.record, none);
    assert_int_equal (none->count, 0);
    //  Whether or not the kernel can, which is asked next.
    if (qemu_vsock_plug (&fake->job, &err) && access ("/dev/vhost-vsock", F_OK))
        assert_has (err.message, "load the kernel's module vhost_vsock");
    assert_true (xml_equals (record, "vsock/@fd", "8"));
    auto(strings_t) devices = strings_new ();
    qemu_vsock_add_device (fake->guest.record, devices);
    assert_int_equal (devices->count, 1);
    assert_has (devices->items[0], "8:");
    assert_has (devices->items[0], "/dev/vhost-vsock");
    auto(qemu_caps_t) caps = qemu_caps_parse (qemu_caps_text, &err);
    auto(strings_t) args =
        qemu_command_device (fake->guest.live, fake->guest.record, caps,
                             xml_find (xml_root (fake->guest.live), "devices/vsock"), &err);
    assert_non_null (args);
    assert_has (args->items[1], "\"guest-cid\":3,\"vhostfd\":\"8\"}");
}

static void test_too_many_descriptors (void **state)
{
    fake_job_t *fake = *state;
    error_t err = { 0 };
    xml_set (xml_root (fake->guest.record), "link/@queues", "24");
    assert_int_equal (qemu_vsock_plug (&fake->job, &err), -1);
    assert_has (err.message, "48 queues");
    assert_string_equal (fake->trace, "");
}

//  Of a QEMU that runs: it goes there by name, and back if it was not used; then the CID does.
static void test_running (void **state)
{
    fake_job_t *fake = *state;
    error_t err = { 0 };
    const xml_node_t *vsock = xml_find (xml_root (fake->guest.live), "devices/vsock");
    xml_set (xml_root (fake->guest.record), "vsock/@fd", "vhostfd-vsock0");
    assert_int_equal (qemu_vsock_pass (&fake->job, &err), 0);
    assert_has (fake->trace, "/dev/vhost-vsock from");
    assert_int_equal (qemu_plug_drop_backends (&fake->job, vsock, &err), 0);
    assert_has (fake->trace, "qmp closefd {\"fdname\":\"vhostfd-vsock0\"}\n");
    assert_int_equal (qemu_vsock_give (&fake->job, vsock, &err), 0);
    assert_has (fake->trace, "device_give vsock:3\n");
    assert_null (xml_find (xml_root (fake->guest.record), "device"));
    assert_null (xml_find (xml_root (fake->guest.record), "vsock"));
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_completed),
        cmocka_unit_test (test_abi),
        cmocka_unit_test_setup_teardown (test_descriptor, setup, teardown),
        cmocka_unit_test_setup_teardown (test_too_many_descriptors, setup, teardown),
        cmocka_unit_test_setup_teardown (test_running, setup, teardown),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
