//  test_qemu_plug_complete.c: where an interface of a network goes while the guest runs: its place
//  is sought when the network has said what it is.

#include "drivers/qemu/plug/qemu_plug_parts.h"
#include "qemu_fixture.h"
#include "unit.h"
#include "unit_xml.h"

#define PORT "<controller type='pci' model='pcie-root-port'/>"
#define ROOT "<controller type='pci' index='0' model='pcie-root'/>"
//  Free slots of PCI Express.
#define EXPRESS "<devices>" ROOT PORT PORT PORT PORT "</devices>"
#define CARD(more)                                                                                 \
    "<interface type='network'><mac address='52:54:00:12:34:56'/><source network='pool'/>" more    \
    "</interface>"

static fake_job_t fake;
static qemu_plug_t plug;

static int setup (void **state)
{
    (void) state;
    fake_job_init (&fake, "/nowhere");
    fake.caps = qemu_caps_text;
    fake.guest.name = text_copy ("web");
    plug = (qemu_plug_t){ .count = 0 };
    return 0;
}

static int teardown (void **state)
{
    (void) state;
    free (fake.guest.name);
    fake_job_clear (&fake);
    return 0;
}

//  A guest of MACHINE with DEVICES runs and gets CARD. The caller does not own the result.
static xml_node_t *plugged (const char *machine, const char *devices, const char *card)
{
    error_t err = { 0 };
    fake.guest.live = qemu_completed (machine, devices);
    auto(xml_t) device = unit_xml (card);
    if (qemu_plug_complete (&fake.job, device, &plug, &err))
        fail_msg ("%s", err.message);
    assert_int_equal (plug.count, 1);
    return plug.devices[0];
}

//  The network gives it a device of the host.
static void grant (xml_node_t *card)
{
    xml_set (card, "@type", "hostdev");
    xml_set (card, "@managed", "yes");
    xml_set (card, "driver/@name", "vfio");
    xml_set (card, "source/@portid", "c0ffee00-1111-4222-8333-444455556666");
    xml_set (card, "source/address/@type", "pci");
    xml_set (card, "source/address/@domain", "0x0000");
    xml_set (card, "source/address/@bus", "0x01");
    xml_set (card, "source/address/@slot", "0x10");
    xml_set (card, "source/address/@function", "0x0");
}

//  The model of the PCI controller that CARD is behind.
static const char *behind (const xml_node_t *card)
{
    xml_foreach (controller, xml_find (xml_root (fake.guest.live), "devices"), "controller")
        if (qemu_plug_uses (card, controller))
            return xml_string (controller, "@model");
    return "(none)";
}

static void test_of_a_pool (void **state)
{
    (void) state;
    error_t err = { 0 };
    xml_node_t *card = plugged ("q35", EXPRESS, CARD (""));
    assert_null (xml_find (card, "address"));
    grant (card);
    assert_int_equal (qemu_plug_place (&fake.job, card, &err), 0);
    assert_string_equal (behind (card), "pcie-root-port");
    //  It is the pool's still.
    assert_true (xml_equals (card, "source/@network", "pool"));
    assert_true (xml_equals (card, "@type", "hostdev"));
}

//  A card that QEMU makes: the default model is conventional, and finds no bridge on PCI Express.
static void test_of_a_bridge (void **state)
{
    (void) state;
    error_t err = { 0 };
    xml_node_t *card = plugged ("q35", EXPRESS, CARD (""));
    assert_int_equal (qemu_plug_place (&fake.job, card, &err), -1);
    assert_non_null (
        strstr (err.message, "it is a conventional PCI device, and no slot behind a bridge"));
    assert_null (xml_find (card, "address"));
    xml_set (card, "model/@type", "virtio");
    assert_int_equal (qemu_plug_place (&fake.job, card, &err), 0);
    assert_string_equal (behind (card), "pcie-root-port");
}

//  Nothing tells the two from each other there.
static void test_i440fx (void **state)
{
    (void) state;
    error_t err = { 0 };
    xml_node_t *card = plugged ("pc", "<devices/>", CARD (""));
    grant (card);
    assert_int_equal (qemu_plug_place (&fake.job, card, &err), 0);
    assert_string_equal (behind (card), "pci-root");
}

static void test_given (void **state)
{
    (void) state;
    error_t err = { 0 };
    xml_node_t *card =
        plugged ("pc", "<devices/>", CARD ("<address type='pci' bus='0x00' slot='0x0a'/>"));
    assert_true (xml_equals (card, "address/@slot", "0x0a"));
    grant (card);
    assert_int_equal (qemu_plug_place (&fake.job, card, &err), 0);
    assert_true (xml_equals (card, "address/@slot", "0x0a"));
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (test_of_a_pool, setup, teardown),
        cmocka_unit_test_setup_teardown (test_of_a_bridge, setup, teardown),
        cmocka_unit_test_setup_teardown (test_i440fx, setup, teardown),
        cmocka_unit_test_setup_teardown (test_given, setup, teardown),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
