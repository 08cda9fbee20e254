//  test_node.c: node devices: their names, and their documents.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "drivers/nodedev/node.h"
#include "sysfs_model.h"
#include "util/host_uuid.h"

static void test_names (void **state)
{
    (void) state;
    autofree char *name = node_pci_name ("0000:01:10.2");
    assert_string_equal (name, "pci_0000_01_10_2");
    static const struct {
        const char *name, *address;
    } names[] = { { "pci_0000_01_10_2", "0000:01:10.2" },
                  { "0000:01:10.2", "0000:01:10.2" },
                  { "pci_10000_01_10_2", "10000:01:10.2" },
                  { "pci_0000_01_10", NULL },
                  { "pci_0000:01_10_2", NULL },
                  { "net_eth0", NULL },
                  { "pci_", NULL },
                  { "", NULL },
                  { NULL, NULL } };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        autofree char *address = node_pci_address (names[i].name);
        if (names[i].address)
            assert_string_equal (address, names[i].address);
        else
            assert_null (address);
    }
}

static node_t *node_in (const char *root, const char *folder)
{
    autofree char *path = text_format ("%s/%s", root, folder);
    return node_at (root, path);
}

//  NODE's document; what is not there is "".
static void check_document (const char *root, const node_t *node, const char *const *paths)
{
    error_t err;
    assert_non_null (node);
    auto(xml_t) doc = node_xml (root, node, &err);
    assert_non_null (doc);
    for (; *paths; paths += 2) {
        const char *text = xml_string (xml_root (doc), paths[0]);
        assert_string_equal (text ? text : "", paths[1]);
    }
}

static void test_computer (void **state)
{
    static const char *const paths[] = { "name",
                                         "computer",
                                         "parent",
                                         "",
                                         "capability/@type",
                                         "system",
                                         "capability/product",
                                         "A machine",
                                         "capability/hardware/vendor",
                                         "Its maker & sons",
                                         "capability/hardware/uuid",
                                         "c0ffee00-1111-4222-8333-444455556666",
                                         "capability/firmware",
                                         "",
                                         NULL };
    auto(node_t) node = node_computer ();
    check_document (*state, node, paths);
}

//  A host without SMBIOS.
static void test_computer_of_no_maker (void **state)
{
    error_t err;
    char uuid[UUID_TEXT_SIZE];
    auto(node_t) node = node_computer ();
    autofree char *nowhere = text_format ("%s/nowhere", (char *) *state);
    auto(xml_t) doc = node_xml (nowhere, node, &err);
    assert_non_null (xml_find (xml_root (doc), "capability/hardware"));
    assert_non_null (xml_find (xml_root (doc), "capability/firmware"));
    if (host_uuid_read (uuid))
        assert_string_equal (xml_string (xml_root (doc), "capability/hardware/uuid"), uuid);
}

static void test_card (void **state)
{
    static const char *const paths[] = { "name",
                                         "pci_0000_01_00_0",
                                         "parent",
                                         "pci_0000_00_01_0",
                                         "driver/name",
                                         "igb",
                                         "capability/@type",
                                         "pci",
                                         "capability/class",
                                         "0x020000",
                                         "capability/bus",
                                         "1",
                                         "capability/product/@id",
                                         "0x10c9",
                                         "capability/product",
                                         "82576 Gigabit Network Connection",
                                         "capability/vendor",
                                         "Intel Corporation",
                                         "capability/capability/@type",
                                         "virt_functions",
                                         "capability/capability/@maxCount",
                                         "7",
                                         "capability/capability/address/@slot",
                                         "0x10",
                                         "capability/iommuGroup/@number",
                                         "6",
                                         "capability/numa",
                                         "",
                                         NULL };
    auto(node_t) node = node_in (*state, MODEL_CARD_PATH);
    check_document (*state, node, paths);
}

//  Ids that nobody knows have no words; a bridge says so; a device of PCI Express has links.
static void test_port (void **state)
{
    static const char *const paths[] = { "name",
                                         "pci_0000_00_01_0",
                                         "capability/product/@id",
                                         "0x000c",
                                         "capability/vendor",
                                         "",
                                         "capability/capability/@type",
                                         "pci-bridge",
                                         "capability/pci-express/link/@validity",
                                         "cap",
                                         "capability/pci-express/link/@speed",
                                         "16",
                                         "capability/pci-express/link/@width",
                                         "1",
                                         NULL };
    model_write (*state, MODEL_PORT_PATH "/vendor", "0xfff1");
    model_write (*state, MODEL_PORT_PATH "/max_link_speed", "16.0 GT/s PCIe");
    model_write (*state, MODEL_PORT_PATH "/max_link_width", "1");
    model_write (*state, MODEL_PORT_PATH "/current_link_speed", "Unknown");
    model_write (*state, MODEL_PORT_PATH "/current_link_width", "0");
    auto(node_t) node = node_in (*state, MODEL_PORT_PATH);
    check_document (*state, node, paths);
}

static void test_function (void **state)
{
    static const char *const paths[] = { "capability/capability/@type",
                                         "phys_function",
                                         "capability/capability/address/@bus",
                                         "0x01",
                                         "capability/slot",
                                         "16",
                                         NULL };
    auto(node_t) node = node_in (*state, MODEL_PORT_PATH "/" MODEL_FUNCTION);
    check_document (*state, node, paths);
    assert_null (node_in (*state, MODEL_PORT_PATH "/0000:09:00.0"));
}

static void test_net (void **state)
{
    static const char *const paths[] = { "name",
                                         "net_eth0_52_54_00_12_34_56",
                                         "parent",
                                         "pci_0000_01_00_0",
                                         "capability/interface",
                                         "eth0",
                                         "capability/address",
                                         "52:54:00:12:34:56",
                                         "capability/link/@state",
                                         "up",
                                         "capability/capability/@type",
                                         "80203",
                                         NULL };
    auto(node_t) node = node_in (*state, MODEL_CARD_PATH "/net/eth0");
    auto(node_t) lo = node_in (*state, "devices/virtual/net/lo");
    check_document (*state, node, paths);
    assert_string_equal (lo->parent, "computer");
    assert_null (node_in (*state, "devices/virtual/net/eth9"));
}

//  A device that has another name now is another device.
static void test_again (void **state)
{
    auto(node_t) node = node_in (*state, MODEL_CARD_PATH "/net/eth0");
    auto(node_t) same = node_again (*state, node);
    assert_non_null (same);
    model_write (*state, MODEL_CARD_PATH "/net/eth0/address", "52:54:00:12:34:57");
    assert_null (node_again (*state, node));
}

int main (void)
{
    xml_init ();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_names),
        cmocka_unit_test_setup_teardown (test_computer, model_setup, model_teardown),
        cmocka_unit_test_setup_teardown (test_computer_of_no_maker, model_setup, model_teardown),
        cmocka_unit_test_setup_teardown (test_card, model_setup, model_teardown),
        cmocka_unit_test_setup_teardown (test_port, model_setup, model_teardown),
        cmocka_unit_test_setup_teardown (test_function, model_setup, model_teardown),
        cmocka_unit_test_setup_teardown (test_net, model_setup, model_teardown),
        cmocka_unit_test_setup_teardown (test_again, model_setup, model_teardown),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
