//  test_host_device.c: which device of the host a hostdev means, in a model of sysfs.

#include "drivers/pci/host_device.h"

#include "sysfs_model.h"
#include "unit.h"

#include <string.h>

typedef struct {
    const char *name, *vendor, *product, *bus, *device, *class;
} usb_t;

//  Two tablets, a disk, a hub; and an interface, as each device has.
static const usb_t usb_devices[] = {
    { "usb1", "1d6b", "0002", "1", "1", "09" },  { "1-1", "0627", "0001", "1", "2", "00" },
    { "1-1:1.0", NULL, NULL, NULL, NULL, NULL }, { "1-2.3", "0627", "0001", "1", "13", "00" },
    { "2-1", "46f4", "0001", "2", "2", "00" },
};

static void add (const char *root, const char *device, const char *attribute, const char *text)
{
    autofree char *path = text_format ("bus/usb/devices/%s/%s", device, attribute);
    model_write (root, path, text ? text : "");
}

static int make (void **state)
{
    model_setup (state);
    const char *root = *state;
    for (size_t i = 0; i < sizeof usb_devices / sizeof *usb_devices; i++) {
        const usb_t *device = &usb_devices[i];
        add (root, device->name, "idVendor", device->vendor);
        add (root, device->name, "idProduct", device->product);
        add (root, device->name, "busnum", device->bus);
        add (root, device->name, "devnum", device->device);
        add (root, device->name, "bDeviceClass", device->class);
    }
    model_write (root, "bus/scsi/devices/1:0:2:0/scsi_generic/sg4/dev", "21:4");
    model_write (root, "bus/scsi/devices/1:0:3:0/vendor", "no sg module");
    model_write (root, "bus/mdev/devices/c2177883-f1bb-47f0-914d-32a22e3a8804/name", "x");
    model_link (root, "bus/mdev/devices/c2177883-f1bb-47f0-914d-32a22e3a8804/iommu_group",
                "../../../kernel/iommu_groups/12");
    return 0;
}

#define USB(source) "<hostdev type='usb'><source>" source "</source></hostdev>"
#define SCSI(target)                                                                               \
    "<hostdev type='scsi'><source><adapter name='scsi_host1'/><address bus='0' target='" target    \
    "' unit='0'/></source></hostdev>"
#define MDEV(uuid) "<hostdev type='mdev'><source><address uuid='" uuid "'/></source></hostdev>"

static const struct {
    const char *hostdev;
    const char *name, *file; //  NULL: refused
    error_code_t code;
    const char *words;
} cases[] = {
    { USB ("<vendor id='0x46f4'/><product id='0x0001'/>"), "usb:002:002", "/dev/bus/usb/002/002", 0,
      NULL },
    { USB ("<address bus='1' device='13'/>"), "usb:001:013", "/dev/bus/usb/001/013", 0, NULL },
    { USB ("<vendor id='0x0627'/><product id='0x0001'/><address bus='1' device='2'/>"),
      "usb:001:002", "/dev/bus/usb/001/002", 0, NULL },
    { USB ("<vendor id='0x0627'/><product id='0x0001'/>"), NULL, NULL, ERR_OPERATION_FAILED,
      "several USB devices 0627:0001: bus='1' device='2', bus='1' device='13'; say which" },
    { USB ("<vendor id='0x0627'/><product id='0x0002'/>"), NULL, NULL, ERR_NO_NODE_DEVICE,
      "no USB device 0627:0002" },
    { USB ("<vendor id='0x0627'/><product id='0x0001'/><address bus='2' device='2'/>"), NULL, NULL,
      ERR_NO_NODE_DEVICE, "no USB device 0627:0001 (bus 2, device 2)" },
    { USB ("<address bus='3' device='1'/>"), NULL, NULL, ERR_NO_NODE_DEVICE,
      "no USB device bus 3, device 1" },
    { USB ("<address bus='1' device='1'/>"), NULL, NULL, ERR_CONFIG_UNSUPPORTED, "is a hub" },
    { SCSI ("2"), "scsi:1:0:2:0", "/dev/sg4", 0, NULL },
    { SCSI ("3"), NULL, NULL, ERR_OPERATION_FAILED, "module 'sg'" },
    { SCSI ("4"), NULL, NULL, ERR_NO_NODE_DEVICE, "no SCSI device 1:0:4:0" },
    { MDEV ("c2177883-f1bb-47f0-914d-32a22e3a8804"), "mdev:c2177883-f1bb-47f0-914d-32a22e3a8804",
      "/dev/vfio/12", 0, NULL },
    { MDEV ("00000000-f1bb-47f0-914d-32a22e3a8804"), NULL, NULL, ERR_NO_NODE_DEVICE,
      "no mediated device" },
};

static void test_find (void **state)
{
    const char *root = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        error_t err = { 0 };
        auto(xml_t) doc = xml_parse (cases[i].hostdev, strlen (cases[i].hostdev), "hostdev", &err);
        int rc = host_device_find (root, xml_root (doc), &err);
        if (!cases[i].name) {
            assert_int_equal (rc, -1);
            assert_int_equal (err.code, cases[i].code);
            if (!strstr (err.message, cases[i].words))
                fail_msg ("%s: %s", cases[i].hostdev, err.message);
            continue;
        }
        assert_int_equal (rc, 0);
        autofree char *name = host_device_name (xml_root (doc));
        assert_string_equal (name, cases[i].name);
        assert_true (host_device_is (name));
        autofree char *file = host_device_file (root, name, &err);
        assert_string_equal (file, cases[i].file);
    }
}

//  The document of one that is found by what it is says where it is.
static void test_place (void **state)
{
    error_t err = { 0 };
    static const char text[] = USB ("<vendor id='0x46f4'/><product id='0x0001'/>");
    auto(xml_t) doc = xml_parse (text, sizeof text - 1, "hostdev", &err);
    assert_null (host_device_name (xml_root (doc)));
    assert_int_equal (host_device_find (*state, xml_root (doc), &err), 0);
    assert_string_equal (xml_string (xml_root (doc), "source/address/@bus"), "2");
    assert_string_equal (xml_string (xml_root (doc), "source/address/@device"), "2");
}

static void test_gone (void **state)
{
    error_t err = { 0 };
    assert_null (host_device_file (*state, "usb:001:099", &err));
    assert_int_equal (err.code, ERR_NO_NODE_DEVICE);
    assert_false (host_device_is ("0000:01:10.2"));
}

int main (void)
{
    xml_init ();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (test_find, make, model_teardown),
        cmocka_unit_test_setup_teardown (test_place, make, model_teardown),
        cmocka_unit_test_setup_teardown (test_gone, make, model_teardown),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
