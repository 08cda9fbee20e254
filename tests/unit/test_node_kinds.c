//  test_node_kinds.c: node devices that are no PCI devices: their names, their places in the tree,
//  and their documents.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "drivers/nodedev/node.h"
#include "folder.h"
#include "sysfs_model.h"

#define BUS "devices/pci0000:00/0000:00:02.0/usb1"
#define STICK BUS "/1-1"
#define STICK_DISK STICK "/1-1:1.0/host3/target3:0:0/3:0:0:0"
#define CARD "devices/pci0000:00/0000:00:03.0"
#define FIBRE CARD "/host5"
#define REMOTE FIBRE "/rport-5:0-1"
#define PART CARD "/3627463d-b7f0-4fea-b468-f1da537d301b"

//  In the order of the tree.
static const struct {
    const char *folder, *subsystem, *links, *name, *parent;
} devices[] = {
    { BUS, "usb", "bus/usb/devices", "usb_usb1", "computer" },
    { BUS "/1-0:1.0", "usb", "bus/usb/devices", "usb_1_0_1_0", "usb_usb1" },
    { STICK, "usb", "bus/usb/devices", "usb_1_1", "usb_usb1" },
    { STICK "/1-1:1.0", "usb", "bus/usb/devices", "usb_1_1_1_0", "usb_1_1" },
    { STICK "/1-1:1.0/host3", "scsi", "bus/scsi/devices", "scsi_host3", "usb_1_1_1_0" },
    { STICK "/1-1:1.0/host3/target3:0:0", "scsi", "bus/scsi/devices", "scsi_target3_0_0",
      "scsi_host3" },
    { STICK_DISK, "scsi", "bus/scsi/devices", "scsi_3_0_0_0", "scsi_target3_0_0" },
    { STICK_DISK "/scsi_generic/sg0", "scsi_generic", "class/scsi_generic", "scsi_generic_sg0",
      "scsi_3_0_0_0" },
    { STICK_DISK "/block/sda", "block", "class/block", "block_sda_S_1", "scsi_3_0_0_0" },
    { STICK_DISK "/block/sda/sda1", "block", "class/block", NULL, NULL },
    { "devices/virtual/block/loop0", "block", "class/block", NULL, NULL },
    { FIBRE, "scsi", "bus/scsi/devices", "scsi_host5", "computer" },
    { REMOTE "/target5:0:0", "scsi", "bus/scsi/devices", "scsi_target5_0_0", "scsi_host5" },
    { REMOTE "/target5:0:0/5:0:0:1", "scsi", "bus/scsi/devices", "scsi_5_0_0_1",
      "scsi_target5_0_0" },
    { CARD "/drm/card0", "drm", "class/drm", "drm_card0", "computer" },
    { CARD "/drm/card0/card0-VGA-1", "drm", "class/drm", NULL, NULL },
    { CARD "/drm/renderD128", "drm", "class/drm", "drm_renderD128", "computer" },
    { PART, "mdev", "bus/mdev/devices", "mdev_3627463d_b7f0_4fea_b468_f1da537d301b_0000_00_03_0",
      "computer" },
};

static const struct {
    const char *path, *text;
} attributes[] = {
    { BUS "/busnum", "1" },
    { BUS "/devnum", "1" },
    { BUS "/idVendor", "1d6b" },
    { BUS "/idProduct", "ffff" },
    { BUS "/manufacturer", "Somebody else" },
    { STICK "/busnum", "1" },
    { STICK "/devnum", "12" },
    { STICK "/idVendor", "fff1" },
    { STICK "/idProduct", "0001" },
    { STICK "/manufacturer", "A maker & sons" },
    { STICK "/product", "A stick" },
    { STICK "/1-1:1.0/bInterfaceNumber", "00" },
    { STICK "/1-1:1.0/bInterfaceClass", "08" },
    { STICK "/1-1:1.0/bInterfaceSubClass", "06" },
    { STICK "/1-1:1.0/bInterfaceProtocol", "50" },
    { STICK "/1-1:1.0/host3/scsi_host/host3/unique_id", "2" },
    { STICK_DISK "/type", "0" },
    { STICK_DISK "/vendor", "QEMU    " },
    { STICK_DISK "/model", "QEMU HARDDISK   " },
    { STICK_DISK "/block/sda/size", "2048" },
    { STICK_DISK "/block/sda/removable", "1" },
    { STICK_DISK "/block/sda/queue/logical_block_size", "512" },
    { STICK_DISK "/block/sda/sda1/partition", "1" },
    { STICK_DISK "/block/sda/sda1/device/type", "0" },
    { "devices/virtual/block/loop0/size", "0" },
    { FIBRE "/scsi_host/host5/unique_id", "5" },
    { FIBRE "/fc_host/host5/node_name", "0x2000001b32a9da4e" },
    { FIBRE "/fc_host/host5/port_name", "0x2100001b32a9da4e" },
    { FIBRE "/fc_host/host5/fabric_name", "0x2001000dec9877c1" },
    { FIBRE "/fc_host/host5/max_npiv_vports", "254" },
    { FIBRE "/fc_host/host5/npiv_vports_inuse", "3" },
    { REMOTE "/fc_remote_ports/rport-5:0-1/port_name", "0x9d73bc45f0e21a86" },
    { REMOTE "/target5:0:0/5:0:0:1/type", "13" },
};

static char *made (void)
{
    char folder[UNIT_PATH_SIZE];
    unit_new_folder (folder);
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++)
        model_write (folder, attributes[i].path, attributes[i].text);
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++)
        model_subsystem (folder, devices[i].folder, devices[i].subsystem, devices[i].links);
    model_link (folder, STICK_DISK "/block/sda/device", "../..");
    model_link (folder, STICK "/1-1:1.0/driver", "../../bus/usb/drivers/usb-storage");
    model_write (folder, STICK_DISK "/vpd_pg80", "");
    autofree char *page = text_format ("%s/" STICK_DISK "/vpd_pg80", folder);
    FILE *file = fopen (page, "w");
    if (!file || fwrite ("\0\x80\0\x05 S-1 ", 9, 1, file) != 1 || fclose (file))
        abort ();
    model_link (folder, PART "/mdev_type", "../mdev_supported_types/mtty-1");
    model_link (folder, PART "/iommu_group", "../../../kernel/iommu_groups/12");
    return text_copy (folder);
}

static int setup (void **state)
{
    *state = made ();
    return 0;
}

static node_t *node_in (const char *root, const char *folder)
{
    autofree char *path = text_format ("%s/%s", root, folder);
    return node_at (root, path);
}

static void test_tree (void **state)
{
    size_t known = 0;
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
        auto(node_t) node = node_in (*state, devices[i].folder);
        if (!devices[i].name) {
            assert_null (node);
            continue;
        }
        known++;
        assert_non_null (node);
        assert_string_equal (node->name, devices[i].name);
        assert_string_equal (node->parent, devices[i].parent);
    }
    auto(strings_t) paths = node_paths (*state);
    assert_int_equal (paths->count, sizeof devices / sizeof *devices);
    for (size_t i = 0; i < paths->count; i++) {
        auto(node_t) node = node_at (*state, paths->items[i]);
        known -= node != NULL;
    }
    assert_int_equal (known, 0);
}

//  The document of what is at FOLDER, but its first lines, up to the parent.
static void check (const char *root, const char *folder, const char *expected)
{
    error_t err;
    auto(node_t) node = node_in (root, folder);
    assert_non_null (node);
    auto(xml_t) doc = node_xml (root, node, &err);
    assert_non_null (doc);
    xml_remove_path (xml_root (doc), "name");
    xml_remove_path (xml_root (doc), "path");
    xml_remove_path (xml_root (doc), "parent");
    autofree char *text = xml_text (doc);
    assert_string_equal (text, expected);
}

static void test_usb (void **state)
{
    check (*state, STICK,
           "<device>\n"
           "  <devnode type='dev'>/dev/bus/usb/001/012</devnode>\n"
           "  <capability type='usb_device'>\n"
           "    <bus>1</bus>\n"
           "    <device>12</device>\n"
           "    <product id='0x0001'>A stick</product>\n"
           "    <vendor id='0xfff1'>A maker &amp; sons</vendor>\n"
           "  </capability>\n"
           "</device>\n");
    check (*state, STICK "/1-1:1.0",
           "<device>\n"
           "  <driver>\n"
           "    <name>usb-storage</name>\n"
           "  </driver>\n"
           "  <capability type='usb'>\n"
           "    <number>0</number>\n"
           "    <class>8</class>\n"
           "    <subclass>6</subclass>\n"
           "    <protocol>80</protocol>\n"
           "  </capability>\n"
           "</device>\n");
}

//  What udev's database knows counts before a device's own words; of this one it has the vendor.
static void test_words (void **state)
{
    check (*state, BUS,
           "<device>\n"
           "  <devnode type='dev'>/dev/bus/usb/001/001</devnode>\n"
           "  <capability type='usb_device'>\n"
           "    <bus>1</bus>\n"
           "    <device>1</device>\n"
           "    <product id='0xffff'/>\n"
           "    <vendor id='0x1d6b'>Linux Foundation</vendor>\n"
           "  </capability>\n"
           "</device>\n");
}

static void test_scsi (void **state)
{
    check (*state, STICK "/1-1:1.0/host3",
           "<device>\n"
           "  <capability type='scsi_host'>\n"
           "    <host>3</host>\n"
           "    <unique_id>2</unique_id>\n"
           "  </capability>\n"
           "</device>\n");
    check (*state, STICK "/1-1:1.0/host3/target3:0:0",
           "<device>\n"
           "  <capability type='scsi_target'>\n"
           "    <target>target3:0:0</target>\n"
           "  </capability>\n"
           "</device>\n");
    check (*state, REMOTE "/target5:0:0/5:0:0:1",
           "<device>\n"
           "  <capability type='scsi'>\n"
           "    <host>5</host>\n"
           "    <bus>0</bus>\n"
           "    <target>0</target>\n"
           "    <lun>1</lun>\n"
           "    <type>enclosure</type>\n"
           "  </capability>\n"
           "</device>\n");
    check (*state, STICK_DISK "/scsi_generic/sg0",
           "<device>\n"
           "  <devnode type='dev'>/dev/sg0</devnode>\n"
           "  <capability type='scsi_generic'>\n"
           "    <char>/dev/sg0</char>\n"
           "  </capability>\n"
           "</device>\n");
}

static void test_fibre (void **state)
{
    auto(node_t) host = node_in (*state, FIBRE);
    assert_true (strings_contain (host->capabilities, "fc_host"));
    assert_true (strings_contain (host->capabilities, "vports"));
    assert_string_equal (host->wwpn, "2100001b32a9da4e");
    check (*state, FIBRE,
           "<device>\n"
           "  <capability type='scsi_host'>\n"
           "    <host>5</host>\n"
           "    <unique_id>5</unique_id>\n"
           "    <capability type='vport_ops'>\n"
           "      <max_vports>254</max_vports>\n"
           "      <vports>3</vports>\n"
           "    </capability>\n"
           "    <capability type='fc_host'>\n"
           "      <wwnn>2000001b32a9da4e</wwnn>\n"
           "      <wwpn>2100001b32a9da4e</wwpn>\n"
           "      <fabric_wwn>2001000dec9877c1</fabric_wwn>\n"
           "    </capability>\n"
           "  </capability>\n"
           "</device>\n");
    check (*state, REMOTE "/target5:0:0",
           "<device>\n"
           "  <capability type='scsi_target'>\n"
           "    <target>target5:0:0</target>\n"
           "    <capability type='fc_remote_port'>\n"
           "      <rport>rport-5:0-1</rport>\n"
           "      <wwpn>9d73bc45f0e21a86</wwpn>\n"
           "    </capability>\n"
           "  </capability>\n"
           "</device>\n");
}

static const char storage[] = "<device>\n"
                              "  <devnode type='dev'>/dev/sda</devnode>\n"
                              "  <capability type='storage'>\n"
                              "    <block>/dev/sda</block>\n"
                              "    <bus>usb</bus>\n"
                              "    <drive_type>disk</drive_type>\n"
                              "    <model>QEMU HARDDISK</model>\n"
                              "    <vendor>QEMU</vendor>\n"
                              "    <serial>S-1</serial>\n"
                              "    <capability type='removable'>\n"
                              "      <media_available>1</media_available>\n"
                              "      <media_size>1048576</media_size>\n"
                              "      <logical_block_size>512</logical_block_size>\n"
                              "      <num_blocks>2048</num_blocks>\n"
                              "    </capability>\n"
                              "  </capability>\n"
                              "</device>\n";

static void test_storage (void **state)
{
    check (*state, STICK_DISK "/block/sda", storage);
}

static void test_others (void **state)
{
    check (*state, CARD "/drm/renderD128",
           "<device>\n"
           "  <devnode type='dev'>/dev/dri/renderD128</devnode>\n"
           "  <capability type='drm'>\n"
           "    <type>render</type>\n"
           "  </capability>\n"
           "</device>\n");
    check (*state, PART,
           "<device>\n"
           "  <capability type='mdev'>\n"
           "    <type id='mtty-1'/>\n"
           "    <uuid>3627463d-b7f0-4fea-b468-f1da537d301b</uuid>\n"
           "    <parent_addr>0000:00:03.0</parent_addr>\n"
           "    <iommuGroup number='12'/>\n"
           "  </capability>\n"
           "</device>\n");
}

static int teardown (void **state)
{
    model_remove ((char **) state);
    return 0;
}

int main (void)
{
    xml_init ();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (test_tree, setup, teardown),
        cmocka_unit_test_setup_teardown (test_usb, setup, teardown),
        cmocka_unit_test_setup_teardown (test_words, setup, teardown),
        cmocka_unit_test_setup_teardown (test_scsi, setup, teardown),
        cmocka_unit_test_setup_teardown (test_fibre, setup, teardown),
        cmocka_unit_test_setup_teardown (test_storage, setup, teardown),
        cmocka_unit_test_setup_teardown (test_others, setup, teardown),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
