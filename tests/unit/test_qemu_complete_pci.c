//  test_qemu_complete_pci.c: where PCI devices are put, on both machines.

#include "qemu_fixture.h"

static void assert_place (const xml_t *document, const char *kind, const char *path,
                          const char *value, const char *expected)
{
    char place[32];
    assert_string_equal (qemu_place (qemu_device (document, kind, path, value), place), expected);
}

static const char devices[] = "<devices><disk><source file='/a'/><target dev='vdb'/></disk>"
                              "<disk><source file='/b'/><target dev='vda'/></disk>"
                              "<disk device='cdrom'><target dev='hda' bus='%s'/></disk>"
                              "<interface type='user'><model type='virtio'/></interface>"
                              "<graphics type='vnc'/><sound model='ich6'/></devices>";

static void test_i440fx_fills_slots_from_3 (void **state)
{
    (void) state;
    autofree char *rest = text_format (devices, "ide");
    auto(xml_t) document = qemu_completed ("pc", rest);
    assert_place (document, "controller", "@type", "ide", "0:1.1");
    assert_place (document, "controller", "@type", "usb", "0:1.2");
    assert_place (document, "video", "model/@type", "cirrus", "0:2.0");
    assert_place (document, "interface", "@type", "user", "0:3.0");
    assert_place (document, "sound", "@model", "ich6", "0:4.0");
    assert_place (document, "disk", "target/@dev", "vda", "0:5.0");
    assert_place (document, "disk", "target/@dev", "vdb", "0:6.0");
    assert_place (document, "memballoon", "@model", "virtio", "0:7.0");
}

static void test_q35_gives_each_device_a_port (void **state)
{
    (void) state;
    autofree char *rest = text_format (devices, "sata");
    auto(xml_t) document = qemu_completed ("q35", rest);
    assert_place (document, "controller", "@type", "sata", "0:1f.2");
    assert_place (document, "video", "model/@type", "cirrus", "0:1.0");
    assert_place (document, "interface", "@type", "user", "1:0.0");
    const xml_node_t *port = qemu_device (document, "controller", "@index", "1");
    char place[32];
    (void) port;
    assert_string_equal (
        qemu_place (qemu_device (document, "controller", "target/@port", "0x10"), place), "0:2.0");
    //  A conventional card is behind a bridge, which has a port of its own.
    assert_place (document, "sound", "@model", "ich6", "3:1.0");
    assert_place (document, "controller", "@model", "pcie-to-pci-bridge", "2:0.0");
}

static int free_ports (const xml_t *document)
{
    int ports = 0, used = 0;
    const xml_node_t *list = xml_find (xml_root (document), "devices");
    xml_foreach (device, list, NULL) {
        ports += xml_equals (device, "@model", "pcie-root-port");
        used += xml_equals (device, "address/@type", "pci") &&
                !xml_equals (device, "address/@bus", "0x00") &&
                xml_equals (device, "address/@slot", "0x00");
    }
    return ports - used;
}

static void test_q35_keeps_one_port_free (void **state)
{
    (void) state;
    auto(xml_t) document = qemu_completed ("q35", "");
    assert_int_equal (free_ports (document), 1);
}

//  Bridges without an index come behind the machine's own, which need not be said.
static void test_the_root_is_the_first_bus (void **state)
{
    (void) state;
    static const char *const roots[] = { "", "<controller type='pci' model='pcie-root'/>" };
    for (size_t i = 0; i < 2; i++) {
        autofree char *rest =
            text_format ("<devices><controller type='pci' model='pcie-root-port'/>%s"
                         "<controller type='pci' model='pcie-root-port'/></devices>",
                         roots[i]);
        auto(xml_t) document = qemu_completed ("q35", rest);
        const xml_node_t *list = xml_find (xml_root (document), "devices");
        assert_string_equal (xml_string (list, "controller/@index"), "1");
        const xml_node_t *root = qemu_device (document, "controller", "@model", "pcie-root");
        assert_string_equal (xml_string (root, "@index"), "0");
    }
    error_t err = qemu_refused ("q35", "<devices><controller type='pci' index='0' "
                                       "model='pcie-root-port'/></devices>");
    assert_has (err.message, "the first PCI controller");
    err = qemu_refused ("q35", "<devices><controller type='ide'/></devices>");
    assert_has (err.message, "type 'ide' with index 0 of the machine 'pc-q35-7.2'");
}

static void test_addresses_that_are_there_stay (void **state)
{
    (void) state;
    auto(xml_t) document =
        qemu_completed ("pc", "<devices><interface type='user'><model type='virtio'/>"
                              "<address type='pci' bus='0x00' slot='4' function='0x0'/></interface>"
                              "<disk><source file='/a'/><target dev='vda'/></disk>"
                              "<rng model='virtio'><backend model='random'/></rng></devices>");
    assert_place (document, "interface", "@type", "user", "0:4.0");
    assert_place (document, "disk", "target/@dev", "vda", "0:2.0");
    assert_place (document, "memballoon", "@model", "virtio", "0:3.0");
    assert_place (document, "rng", "@model", "virtio", "0:5.0");
}

static void test_a_bus_that_nobody_provides_gets_its_bridge (void **state)
{
    (void) state;
    auto(xml_t) document = qemu_completed (
        "pc", "<devices><interface type='user'><model type='virtio'/>"
              "<address type='pci' bus='0x02' slot='4' function='0x0'/></interface></devices>");
    const xml_node_t *bridge = qemu_device (document, "controller", "target/@chassisNr", "2");
    assert_true (xml_equals (bridge, "@model", "pci-bridge"));
}

static void test_functions_of_one_slot (void **state)
{
    (void) state;
    auto(xml_t) document =
        qemu_completed ("pc", "<devices><rng model='virtio'><backend model='random'/>"
                              "<address type='pci' slot='8' function='1'/></rng>"
                              "<disk><source file='/a'/><target dev='vda'/>"
                              "<address type='pci' slot='8' function='0'/></disk></devices>");
    const xml_node_t *disk = qemu_device (document, "disk", "target/@dev", "vda");
    assert_true (xml_equals (disk, "address/@multifunction", "on"));
}

static const struct {
    const char *machine, *address, *says;
} refusals[] = {
    { "pc", "slot='0x01' function='0x0'", "another device has its PCI address 0000:00:01.0" },
    { "pc", "slot='0x00'", "has no slot 0x00" },
    { "pc", "slot='0x20'", "not a number from 0 to 0x1f" },
    { "pc", "bus='0x00' slot='2' function='9'", "not a number from 0 to 0x7" },
    { "pc", "domain='1' slot='2'", "address/@domain" },
    { "q35", "slot='0x1f' function='2'", "another device has its PCI address" },
    { "q35", "bus='1' slot='3'", "the PCI bus 0x01 has no slot 0x03" },
    { "pc", "slot='9' function='1'", "the PCI slot 0000:00:09, whose function 0 is empty" },
};

static void test_addresses_that_cannot_be (void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        autofree char *rest = text_format (
            "<devices><interface type='user'><model type='virtio'/><address type='pci' %s/>"
            "</interface></devices>",
            refusals[i].address);
        error_t err = qemu_refused (refusals[i].machine, rest);
        assert_has (err.message, refusals[i].says);
        assert_int_equal (err.code, ERR_XML_ERROR);
    }
    error_t err = qemu_refused ("pc", "<devices><input type='mouse' bus='ps2'>"
                                      "<address type='pci' slot='3'/></input></devices>");
    assert_has (err.message, "it has no address, and here one of type 'pci'");
}

static void test_a_full_bus_is_said (void **state)
{
    (void) state;
    auto(text_t) rest = text_new ();
    text_add (rest, "<devices>");
    for (int i = 0; i < 31; i++)
        text_add (rest, "<interface type='user'><model type='virtio'/></interface>");
    text_add (rest, "</devices>");
    error_t err = qemu_refused ("pc", rest->data);
    assert_has (err.message, "no PCI slot is free");
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_i440fx_fills_slots_from_3),
        cmocka_unit_test (test_q35_gives_each_device_a_port),
        cmocka_unit_test (test_q35_keeps_one_port_free),
        cmocka_unit_test (test_the_root_is_the_first_bus),
        cmocka_unit_test (test_addresses_that_are_there_stay),
        cmocka_unit_test (test_a_bus_that_nobody_provides_gets_its_bridge),
        cmocka_unit_test (test_functions_of_one_slot),
        cmocka_unit_test (test_addresses_that_cannot_be),
        cmocka_unit_test (test_a_full_bus_is_said),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
