//  test_device_match.c: which device another one means.

#include "drivers/device_match.h"
#include "unit_xml.h"
#include "util/text.h"

#include <string.h>

static const char devices[] =
    "<devices>"
    "<disk type='file'><target dev='vda' bus='virtio'/><alias name='virtio-disk0'/></disk>"
    "<disk type='file'><target dev='vdb' bus='virtio'/><alias name='virtio-disk1'/></disk>"
    "<controller type='usb' index='0' model='qemu-xhci'/>"
    "<controller type='usb' index='1' model='qemu-xhci'/>"
    "<interface type='user'><mac address='52:54:00:AA:00:01'/><alias name='net0'/></interface>"
    "<interface type='user'><mac address='52:54:00:aa:00:02'/><alias name='net1'/></interface>"
    "<interface type='user'><mac address='52:54:00:aa:00:04'/><alias name='net4'/>"
    "<address type='pci' domain='0x0000' bus='0x01' slot='0x00' function='0x0'/></interface>"
    "<interface type='user'><mac address='52:54:00:aa:00:04'/><alias name='net5'/>"
    "<address type='pci' domain='0x0000' bus='0x02' slot='0x00' function='0x0'/></interface>"
    "<input type='tablet' bus='usb'><alias name='input0'/></input>"
    "<input type='tablet' bus='usb'><alias name='input1'/></input>"
    "<channel type='unix'><target type='virtio' name='a'/><alias name='channel0'/></channel>"
    "<channel type='unix'><target type='virtio' name='b'/><alias name='channel1'/></channel>"
    "<hostdev type='pci'><source><address domain='0x0000' bus='0x01' slot='0x10' function='0x2'/>"
    "</source><alias name='hostdev0'/></hostdev>"
    "<interface type='hostdev'><mac address='52:54:00:aa:00:03'/><source><address domain='0x0000' "
    "bus='0x01' slot='0x10' function='0x4'/></source><alias name='net3'/></interface>"
    "<hostdev type='usb'><source startupPolicy='optional'><vendor id='0x0627'/><product "
    "id='0x0001'/><address bus='1' device='2'/></source><alias name='hostdev1'/></hostdev>"
    "<hostdev type='usb'><source><vendor id='0x0627'/><product id='0x0001'/><address bus='1' "
    "device='3'/></source><alias name='hostdev2'/></hostdev>"
    "<hostdev type='scsi'><source><adapter name='scsi_host1'/><address bus='0' target='1' "
    "unit='0'/></source><alias name='hostdev3'/></hostdev>"
    "<hostdev type='mdev'><source><address uuid='c2177883-f1bb-47f0-914d-32a22e3a8804'/></source>"
    "<alias name='hostdev4'/></hostdev>"
    "<memory model='dimm'><target><size unit='KiB'>131072</size><node>0</node></target>"
    "<alias name='dimm0'/><address type='dimm' slot='0' base='0x100000000'/></memory>"
    "<memory model='dimm'><target><size unit='KiB'>131072</size><node>1</node></target>"
    "<alias name='dimm1'/><address type='dimm' slot='1'/></memory>"
    "<shmem name='a'><alias name='shmem0'/></shmem><shmem name='b'><alias name='shmem1'/></shmem>"
    "<memory model='virtio-mem'><target><size unit='KiB'>131072</size><node>0</node>"
    "<requested unit='KiB'>0</requested></target><alias name='virtiomem0'/></memory>"
    "<vsock model='virtio'><cid auto='yes' address='3'/><alias name='vsock0'/></vsock>"
    "</devices>";

static const struct {
    const char *wanted, *found; //  the text of what is found has this; NULL: an error
    error_code_t code;
} cases[] = {
    { "<disk><source file='/other'/><target dev='vdb'/></disk>", "virtio-disk1", 0 },
    { "<disk><target dev='vdc'/></disk>", NULL, ERR_DEVICE_MISSING },
    { "<disk type='file'/>", NULL, ERR_OPERATION_FAILED },
    { "<disk><target dev='vda'/><alias name='virtio-disk1'/></disk>", "virtio-disk1", 0 },
    { "<controller type='usb' index='1'/>", "index='1'", 0 },
    { "<controller type='usb'/>", NULL, ERR_OPERATION_FAILED },
    { "<interface type='bridge'><mac address='52:54:00:aa:00:01'/></interface>", "net0", 0 },
    { "<interface><mac address='52:54:00:aa:00:04'/></interface>", NULL, ERR_OPERATION_FAILED },
    { "<interface><mac address='52:54:00:aa:00:04'/><address type='pci'/></interface>", NULL,
      ERR_OPERATION_FAILED },
    { "<interface><mac address='52:54:00:aa:00:04'/><address type='pci' bus='2' slot='0'/>"
      "</interface>",
      "net5", 0 },
    { "<interface><mac address='52:54:00:aa:00:01'/><address type='pci' bus='9' slot='0'/>"
      "</interface>",
      NULL, ERR_DEVICE_MISSING },
    { "<channel><target name='b'/></channel>", "channel1", 0 },
    { "<channel type='pty'><target name='b'/></channel>", NULL, ERR_DEVICE_MISSING },
    { "<hostdev mode='subsystem'><source><address bus='1' slot='16' "
      "function='2'/></source></hostdev>",
      "hostdev0", 0 },
    { "<hostdev><source><address bus='1' slot='16'/></source></hostdev>", NULL,
      ERR_DEVICE_MISSING },
    { "<interface type='hostdev'><source><address bus='1' slot='0x10' function='4'/></source>"
      "</interface>",
      "net3", 0 },
    { "<hostdev type='usb'><source><address bus='001' device='0x3'/></source></hostdev>",
      "hostdev2", 0 },
    { "<hostdev type='usb'><source><vendor id='0x627'/><product id='1'/></source></hostdev>", NULL,
      ERR_OPERATION_FAILED },
    { "<hostdev type='usb'><source><vendor id='0x627'/><product id='1'/><address bus='1' "
      "device='2'/></source></hostdev>",
      "hostdev1", 0 },
    { "<hostdev type='usb'><source><vendor id='0x46f4'/><product id='1'/></source></hostdev>", NULL,
      ERR_DEVICE_MISSING },
    { "<hostdev type='scsi'><source><adapter name='scsi_host1'/><address bus='0' target='1' "
      "unit='0'/></source></hostdev>",
      "hostdev3", 0 },
    { "<hostdev type='scsi'><source><adapter name='scsi_host0'/><address bus='0' target='1' "
      "unit='0'/></source></hostdev>",
      NULL, ERR_DEVICE_MISSING },
    { "<hostdev type='mdev'><source><address uuid='C2177883-F1BB-47F0-914D-32A22E3A8804'/>"
      "</source></hostdev>",
      "hostdev4", 0 },
    { "<memory model='dimm'><target><size unit='MiB'>128</size></target></memory>", "dimm0", 0 },
    { "<input type='tablet'/>", "input0", 0 },
    { "<memory model='dimm'><target><size unit='MiB'>128</size><node>1</node></target></memory>",
      "dimm1", 0 },
    { "<memory model='dimm'><target><size unit='MiB'>128</size></target>"
      "<address type='dimm' slot='0'/></memory>",
      "dimm0", 0 },
    { "<memory model='virtio-mem'><target><size unit='MiB'>128</size>"
      "<requested unit='MiB'>64</requested></target></memory>",
      "virtiomem0", 0 },
    { "<shmem name='b'><size unit='M'>4</size></shmem>", "shmem1", 0 },
    { "<memory model='dimm'><target><size unit='MiB'>64</size></target></memory>", NULL,
      ERR_DEVICE_MISSING },
    { "<rng model='virtio'/>", NULL, ERR_DEVICE_MISSING },
    { "<vsock model='virtio'><cid auto='yes' address='7'/></vsock>", "vsock0", 0 },
    { "<vsock><cid address='3'/></vsock>", "vsock0", 0 },
    { "<vsock><cid auto='no' address='3'/></vsock>", NULL, ERR_DEVICE_MISSING },
};

static void test_match (void **state)
{
    (void) state;
    auto(xml_t) doc = unit_xml (devices);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        error_t err = { 0 };
        auto(xml_t) wanted = unit_xml (cases[i].wanted);
        const xml_node_t *found = device_match (xml_root (doc), xml_root (wanted), true, &err);
        autofree char *text = found ? xml_node_text (found) : NULL;
        if (cases[i].found ? !text || !strstr (text, cases[i].found) : err.code != cases[i].code)
            fail_msg ("%s: %s", cases[i].wanted, text ? text : err.message);
    }
}

//  A change of one of them is not one of any.
static void test_one_of_several (void **state)
{
    (void) state;
    error_t err = { 0 };
    auto(xml_t) doc = unit_xml (devices);
    auto(xml_t) tablet = unit_xml ("<input type='tablet'/>");
    assert_null (device_match (xml_root (doc), xml_root (tablet), false, &err));
    assert_int_equal (err.code, ERR_OPERATION_FAILED);
    auto(xml_t) second = unit_xml ("<input type='tablet'><alias name='input1'/></input>");
    assert_true (xml_equals (device_match (xml_root (doc), xml_root (second), false, &err),
                             "alias/@name", "input1"));
}

static void test_alias (void **state)
{
    (void) state;
    error_t err = { 0 };
    auto(xml_t) doc = unit_xml (devices);
    assert_true (xml_is (device_by_alias (xml_root (doc), "net1", &err), "interface"));
    assert_null (device_by_alias (xml_root (doc), "net2", &err));
    assert_int_equal (err.code, ERR_DEVICE_MISSING);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_match),
        cmocka_unit_test (test_one_of_several),
        cmocka_unit_test (test_alias),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
