//  test_qemu_hostdev.c: the host's PCI devices that a guest gets: in its document, on QEMU's
//  command line, taken and given back. That they work is the lab's test.

#include "drivers/qemu/qemu_hostdev.h"
#include "drivers/net/interface.h"
#include "drivers/qemu/command/qemu_complete.h"
#include "drivers/qemu/qemu_ram.h"
#include "folder.h"
#include "qemu_fixture.h"
#include "unit_xml.h"
#include "util/host_uuid.h"

#include <sys/stat.h>
#include <unistd.h>

#define SOURCE(bus)                                                                                \
    "<source><address domain='0x0000' bus='" bus "' slot='0x10' function='0x2'/></source>"
#define HOSTDEV(bus, more)                                                                         \
    "<hostdev mode='subsystem' type='pci' managed='yes'>" SOURCE (bus) more "</hostdev>"

#define INTERFACE(bus, more)                                                                       \
    "<interface type='hostdev' managed='yes'><mac address='52:54:00:12:34:56'/>" SOURCE (bus) more \
        "</interface>"

#define QBH " type='802.1Qbh'"
#define PROFILE(type, id) "<virtualport" type "><parameters profileid='" id "'/></virtualport>"

#define TABLET "<vendor id='0x627'/><product id='1'/>"
#define USB(source, more)                                                                          \
    "<hostdev mode='subsystem' type='usb'><source>" source "</source>" more "</hostdev>"
#define SCSI(target, more)                                                                         \
    "<hostdev mode='subsystem' type='scsi'><source><adapter name='scsi_host1'/>"                   \
    "<address bus='0' target='" target "' unit='0'/></source>" more "</hostdev>"
#define UUID "<source><address uuid='c2177883-f1bb-47f0-914d-32a22e3a8804'/></source>"
#define MDEV "<hostdev mode='subsystem' type='mdev' model='vfio-pci'>" UUID "</hostdev>"

static void test_completed (void **state)
{
    (void) state;
    auto(xml_t) document = qemu_completed (
        "q35", "<devices><hostdev type='pci'><source><address bus='1' slot='16'/></source>"
               "</hostdev></devices>");
    assert_string_equal (qemu_at (document, "devices/hostdev/@mode"), "subsystem");
    assert_string_equal (qemu_at (document, "devices/hostdev/@managed"), "no");
    assert_string_equal (qemu_at (document, "devices/hostdev/driver/@name"), "vfio");
    assert_string_equal (qemu_at (document, "devices/hostdev/source/address/@domain"), "0x0000");
    //  Its own root port.
    assert_string_not_equal (qemu_at (document, "devices/hostdev/address/@bus"), "0x00");
}

static void test_conventional (void **state)
{
    (void) state;
    auto(xml_t) document = qemu_completed ("pc", "<devices>" HOSTDEV ("0x01", "") "</devices>");
    assert_string_equal (qemu_at (document, "devices/hostdev/address/@bus"), "0x00");
}

static void test_command (void **state)
{
    (void) state;
    autofree char *lines = qemu_lines (
        "q35", "<devices>" HOSTDEV ("0x01", "<boot order='1'/><rom bar='off' file='/rom'/>")
                   HOSTDEV ("0x81", "<rom enabled='no'/>") "</devices>");
    assert_has (lines, "\"driver\":\"vfio-pci\",\"id\":\"hostdev0\"");
    assert_has (lines,
                "\"host\":\"0000:01:10.2\",\"bootindex\":1,\"rombar\":0,\"romfile\":\"/rom\"");
    assert_has (lines, "\"id\":\"hostdev1\"");
    assert_has (lines, "\"host\":\"0000:81:10.2\",\"romfile\":\"\"");
}

//  USB: a port of the controller that is there.
static void test_usb (void **state)
{
    (void) state;
    static const char devices[] = "<devices>" USB (TABLET, "<boot order='2'/>")
        USB ("<address bus='001' device='4'/>", "") "</devices>";
    auto(xml_t) document = qemu_completed ("q35", devices);
    assert_string_equal (qemu_at (document, "devices/hostdev/@managed"), "no");
    assert_string_equal (qemu_at (document, "devices/hostdev/source/vendor/@id"), "0x0627");
    assert_string_equal (qemu_at (document, "devices/hostdev/address/@type"), "usb");
    assert_string_equal (qemu_at (document, "devices/hostdev/address/@port"), "1");
    assert_int_equal (qemu_ram_lock_bytes (document), 0);
    autofree char *lines = qemu_lines ("q35", devices);
    assert_has (lines, "\"driver\":\"usb-host\",\"id\":\"hostdev0\"");
    assert_has (lines, "\"bus\":\"usb.0\",\"port\":\"1\",\"bootindex\":2");
    assert_has (lines, "\"bus\":\"usb.0\",\"port\":\"2\"");
}

static void test_guest_reset (void **state)
{
    (void) state;
    static const char *const cases[][2] = {
        { "off", "\"guest-reset\":false,\"guest-resets-all\":false" },
        { "uninitialized", "\"guest-reset\":true,\"guest-resets-all\":false" },
        { "on", "\"guest-reset\":true,\"guest-resets-all\":true" },
    };
    for (size_t i = 0; i < 3; i++) {
        autofree char *devices = text_format ("<devices><hostdev type='usb'><source "
                                              "guestReset='%s'>" TABLET "</source></hostdev>"
                                              "</devices>",
                                              cases[i][0]);
        autofree char *lines = qemu_lines ("pc", devices);
        assert_has (lines, cases[i][1]);
    }
}

//  One that a saved guest had, and that is not there any more.
static void test_missing (void **state)
{
    (void) state;
    error_t err = { 0 };
    fake_job_t fake;
    fake_job_init (&fake, "/nowhere");
    fake.guest.name = (char *) (uintptr_t) "fixture";
    fake.guest.live = qemu_completed (
        "q35", "<devices><hostdev type='usb'><source startupPolicy='requisite'>"
               "<vendor id='0xfffe'/><product id='0xfffe'/><address bus='999' device='999'/>"
               "</source></hostdev></devices>");
    assert_int_equal (qemu_hostdev_find (&fake.job, false, &err), -1);
    assert_int_equal (qemu_hostdev_find (&fake.job, true, &err), 0);
    const xml_node_t *hostdev = xml_find (xml_root (fake.guest.live), "devices/hostdev");
    assert_true (xml_equals (hostdev, "source/@missing", "yes"));
    assert_false (qemu_hostdev_is (hostdev));
    auto(qemu_caps_t) caps = qemu_caps_parse (qemu_caps_text, &err);
    qemu_set_aliases (fake.guest.live);
    auto(strings_t) args = qemu_command_device (fake.guest.live, NULL, caps, hostdev, &err);
    assert_has (args->items[1], "\"vendorid\":65535,\"productid\":65535");
    xml_set (xml_find (xml_root (fake.guest.live), "devices/hostdev"), "source/@startupPolicy",
             "optional");
    assert_int_equal (qemu_hostdev_find (&fake.job, false, &err), 0);
    assert_null (xml_find (xml_root (fake.guest.live), "devices/hostdev"));
    xml_destroy (&fake.guest.live);
}

//  SCSI: the first place that no disk has, and a controller that knows what such devices need.
static void test_scsi (void **state)
{
    (void) state;
    static const char devices[] = "<devices>" SCSI ("1", "<readonly/><shareable/>") SCSI (
        "2", "") "<disk type='block'><source dev='/dev/none'/><target dev='sda' bus='scsi'/></disk>"
                 "<controller type='scsi' index='0' model='virtio-scsi'/></devices>";
    autofree char *lines = qemu_lines ("q35", devices);
    assert_has (lines, "{\"driver\":\"host_device\",\"filename\":\"/dev/sg\",\"node-name\":"
                       "\"host-hostdev0\",\"read-only\":true}");
    assert_has (lines, "\"driver\":\"scsi-generic\",\"id\":\"hostdev0\",\"bus\":\"scsi0.0\","
                       "\"channel\":0,\"scsi-id\":0,\"lun\":1,\"drive\":\"host-hostdev0\","
                       "\"share-rw\":true}");
    assert_has (lines, "\"lun\":2,\"drive\":\"host-hostdev1\"}");
    auto(xml_t) alone = qemu_completed ("q35", "<devices>" SCSI ("1", "") "</devices>");
    autofree char *text = xml_text (alone);
    assert_has (text, "<controller type='scsi' index='0' model='virtio-scsi'");
    auto(xml_t) again = qemu_completed_text (text, &(error_t){ 0 });
    autofree char *same = xml_text (again);
    assert_string_equal (text, same);
}

//  Mediated devices: PCI in the guest, and they reach all of its memory.
static void test_mdev (void **state)
{
    (void) state;
    autofree char *lines = qemu_lines ("q35", "<devices>" MDEV "</devices>");
    assert_has (lines, "\"driver\":\"vfio-pci\",\"id\":\"hostdev0\",\"bus\":\"pci.");
    assert_has (lines,
                "\"sysfsdev\":\"/sys/bus/mdev/devices/c2177883-f1bb-47f0-914d-32a22e3a8804\","
                "\"display\":\"off\"");
    auto(xml_t) document = qemu_completed ("q35", "<devices>" MDEV "</devices>");
    assert_true (qemu_ram_lock_bytes (document) > 0);
}

static void test_interface (void **state)
{
    (void) state;
    autofree char *lines = qemu_lines (
        "q35", "<devices>" INTERFACE ("0x01", "<boot order='1'/><vlan><tag id='5'/></vlan>"
                                              "<model type='virtio'/>") "</devices>");
    assert_has (lines, "\"driver\":\"vfio-pci\",\"id\":\"net0\"");
    assert_has (lines, "\"host\":\"0000:01:10.2\",\"bootindex\":1");
    assert_has_not (lines, "-netdev");
}

typedef struct {
    const char *devices, *words;
} refusal_t;

static void check_refused (const refusal_t *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        autofree char *rest = text_format ("<devices>%s</devices>", cases[i].devices);
        error_t err = qemu_refused ("q35", rest);
        assert_has (err.message, cases[i].words);
    }
}

static void test_refused (void **state)
{
    (void) state;
    static const refusal_t cases[] = {
        { HOSTDEV ("0x01", "") HOSTDEV ("1", ""), "two hostdevs are the host's PCI device" },
        { "<hostdev mode='subsystem' type='pci'/>", "needs its host's address" },
        { "<hostdev mode='subsystem'>" SOURCE ("1") "</hostdev>", "a hostdev has no type" },
        { "<hostdev type='pci'><source><address bus='0x100' slot='1'/></source></hostdev>",
          "the host's address of a hostdev" },
        { "<hostdev type='usb'><source><vendor id='0x1'/></source></hostdev>", "needs <source>" },
        { "<hostdev type='usb'><source/></hostdev>", "needs <source>" },
        { "<hostdev type='usb'><source><address bus='1'/></source></hostdev>", "needs <source>" },
        { USB (TABLET, "") USB (TABLET, ""), "two hostdevs are the host's device" },
        { "<hostdev type='usb'><source><vendor id='0x10000'/><product id='1'/></source></hostdev>",
          "source/vendor/@id" },
        { USB (TABLET "<address slot='1' bus='1' device='1'/>", ""), "goes with pci" },
        { USB (TABLET, "<readonly/>"), "goes with scsi" },
        { USB (TABLET, "<driver name='vfio'/>"), "goes with pci" },
        { USB (TABLET, "<address type='pci'/>"), "it has to be of type 'usb'" },
        { USB (TABLET, "<address type='usb'/>"), "its address is none of USB" },
        { SCSI ("1", "") SCSI ("1", ""), "two hostdevs are the host's device 'scsi:1:0:1:0'" },
        { "<hostdev type='scsi'><source><adapter name='fc0'/><address bus='0' target='0' unit='0'/>"
          "</source></hostdev>",
          "scsi_host0" },
        { "<hostdev type='scsi'><source protocol='iscsi' name='iqn'/></hostdev>", "protocol" },
        { "<hostdev type='scsi' rawio='yes'/>", "rawio" },
        { "<hostdev type='scsi' sgio='unfiltered'/>", "sgio" },
        { SCSI ("1", "<address type='usb'/>"), "of type 'drive'" },
        { SCSI ("1", "<address type='drive' unit='1'/>")
              SCSI ("2", "<address type='drive' unit='1'/>"),
          "another device has the same drive address" },
        { "<hostdev type='scsi_host'><source protocol='vhost' wwpn='naa.1'/></hostdev>",
          "scsi_host" },
        { "<hostdev type='mdev' model='vfio-ccw'/>", "vfio-ccw" },
        { "<hostdev type='mdev' model='vfio-pci' display='on'/>", "display" },
        { "<hostdev type='mdev' model='vfio-pci' managed='yes'>" UUID "</hostdev>", "managed" },
        { "<hostdev type='mdev'>" UUID "</hostdev>", "has no model" },
        { "<hostdev type='mdev' model='vfio-pci'/>", "needs <source>" },
        { "<hostdev mode='capabilities' type='pci'>" SOURCE ("1") "</hostdev>", "not supported" },
        { HOSTDEV ("0x01", "<driver name='xen'/>"), "not supported" },
        { HOSTDEV ("0x01", "<teaming persistent='x'/>"), "not supported" },
        { HOSTDEV ("0x01", "") INTERFACE ("1", ""), "two hostdevs are the host's PCI device" },
        { "<interface type='hostdev'/>", "needs its host's address" },
        { INTERFACE ("1", "<vlan trunk='yes'><tag id='1'/></vlan>"), "not supported" },
        { INTERFACE ("1", "<vlan><tag id='1'/><tag id='2'/></vlan>"), "2 tags" },
        { INTERFACE ("1", "<vlan><tag id='4095'/></vlan>"), "1 to 4094" },
        { INTERFACE ("1", "<link state='down'/>"), "link of an interface of type 'hostdev'" },
        { INTERFACE ("1", "<driver name='vhost'/>"), "<driver name='vhost'/>" },
        { INTERFACE ("1", "<driver queues='2'/>"), "driver/@queues" },
        { "<interface type='user'><driver name='vfio'/></interface>", "<driver name='vfio'/>" },
        { "<interface type='user'><vlan><tag id='1'/></vlan></interface>", "vlan" },
        { "<interface type='user' managed='yes'/>", "managed" },
    };
    check_refused (cases, sizeof cases / sizeof *cases);
}

static void test_virtualport_refused (void **state)
{
    (void) state;
    static const refusal_t cases[] = {
        { INTERFACE ("1", "<virtualport type='802.1Qbh'/>"), "<virtualport> has no profileid" },
        { INTERFACE ("1", PROFILE ("", "a")), "<virtualport> has no type" },
        { INTERFACE ("1", PROFILE (QBH, "")), "the profileid '' has to have 1 to 39 bytes" },
        { INTERFACE ("1", PROFILE (QBH, "1234567890123456789012345678901234567890")),
          "has to have 1 to 39 bytes" },
        { INTERFACE ("1", PROFILE (QBH, "a' instanceid='b")), "<parameters instanceid='...'/>" },
        { INTERFACE ("1", PROFILE (QBH, "a") "<vlan><tag id='1'/></vlan>"),
          "<vlan> with <virtualport type='802.1Qbh'>" },
        { INTERFACE ("1", PROFILE (QBH, "a") PROFILE (QBH, "b")), "<virtualport>" },
        { INTERFACE ("1", "<virtualport type='802.1Qbg'/>"), "lldpad" },
        { INTERFACE ("1", "<virtualport type='openvswitch'/>"), "Open vSwitch" },
        { INTERFACE ("1", "<virtualport type='midonet'/>"), "MidoNet" },
        { INTERFACE ("1", "<virtualport type='qbh'/>"), "<virtualport type='qbh'> is not known" },
        { "<interface type='network'><source network='a'/><virtualport type='802.1Qbg'/>"
          "</interface>",
          "lldpad" },
    };
    check_refused (cases, sizeof cases / sizeof *cases);
}

static void make_guest (fake_job_t *fake)
{
    error_t err;
    fake_job_init (fake, "/nowhere");
    fake->guest.name = (char *) (uintptr_t) "fixture";
    fake->guest.live =
        qemu_completed ("q35", "<devices>" HOSTDEV ("0x01", "") HOSTDEV ("0x02", "") "</devices>");
    fake->guest.record = xml_parse ("<driver/>", strlen ("<driver/>"), "record", &err);
}

static void drop_guest (fake_job_t *fake)
{
    xml_destroy (&fake->guest.live);
    xml_destroy (&fake->guest.record);
}

//  All are taken before a group is looked at; the undo is there before, and the record says which.
static void test_taken_and_given_back (void **state)
{
    (void) state;
    error_t err;
    fake_job_t fake;
    make_guest (&fake);
    assert_int_equal (qemu_hostdev_intend (&fake.job, &err), 0);
    assert_int_equal (qemu_hostdev_plug (&fake.job, &err), 0);
    qemu_hostdev_unplug (&fake.job);
    assert_has (fake.trace, "undo device 0000:01:10.2\n"
                            "undo device 0000:02:10.2\n"
                            "device_take managed 0000:01:10.2\n"
                            "device_take managed 0000:02:10.2\n"
                            "device_check 0000:01:10.2\n"
                            "device_check 0000:02:10.2\n"
                            "device_give 0000:01:10.2\n"
                            "device_give 0000:02:10.2\n");
    drop_guest (&fake);
}

//  The next one who gets it finds its node as it was, so that goes first.
static void test_its_node_goes_back_before_it (void **state)
{
    (void) state;
    error_t err;
    fake_job_t fake;
    char node[UNIT_PATH_SIZE];
    close (unit_new_file (node));
    make_guest (&fake);
    xml_node_t *record = xml_root (fake.guest.record);
    xml_setf (record, "owner/@before", "%u:%u:%s", getuid (), getgid (), node);
    xml_set (record, "device/@address", "0000:01:10.2");
    xml_set (record, "device/@node", node);
    fake.fail = "device_give";
    const xml_node_t *device = xml_find (xml_root (fake.guest.live), "devices/hostdev");
    assert_int_equal (qemu_hostdev_give (&fake.job, device, &err), -1);
    assert_null (xml_find (record, "owner"));
    assert_non_null (xml_find (record, "device"));
    //  Of a group the last one's.
    xml_setf (record, "owner/@before", "%u:%u:%s", getuid (), getgid (), node);
    xml_set (record, "device/@node", node);
    xml_node_t *sibling = xml_add (record, "device");
    xml_set (sibling, "@address", "0000:02:10.2");
    xml_set (sibling, "@node", node);
    fake.fail = NULL;
    assert_int_equal (qemu_hostdev_give (&fake.job, device, &err), 0);
    assert_non_null (xml_find (record, "owner"));
    qemu_hostdev_unplug (&fake.job);
    assert_null (xml_find (record, "owner"));
    unlink (node);
    drop_guest (&fake);
}

//  Of one that several share, its owner says what its node goes back to, and when.
static void test_a_shared_node_goes_back_with_the_last (void **state)
{
    (void) state;
    error_t err;
    fake_job_t fake;
    char node[UNIT_PATH_SIZE];
    close (unit_new_file (node));
    make_guest (&fake);
    xml_node_t *record = xml_root (fake.guest.record);
    xml_set (record, "device/@address", "scsi:1:0:2:0");
    xml_set (record, "device/@node", node);
    xml_set (record, "device/@shared", "yes");
    xml_setf (record, "device/@before", "%u:%u:%s", getuid () + 1, getgid (), node);
    assert_int_equal (qemu_hostdev_give_name (&fake.job, "scsi:1:0:2:0", &err), 0);
    assert_has (fake.trace, "device_leave scsi:1:0:2:0\ndevice_give scsi:1:0:2:0\n");
    struct stat status;
    assert_int_equal (stat (node, &status), 0);
    assert_int_equal (status.st_uid, geteuid () == 0 ? getuid () + 1 : getuid ());
    assert_null (xml_find (record, "device"));
    unlink (node);
    drop_guest (&fake);
}

static void test_refused_by_its_owner (void **state)
{
    (void) state;
    error_t err;
    fake_job_t fake;
    make_guest (&fake);
    fake.fail = "device_take managed 0000:02";
    assert_int_equal (qemu_hostdev_intend (&fake.job, &err), 0);
    assert_int_equal (qemu_hostdev_plug (&fake.job, &err), -1);
    assert_has_not (fake.trace, "device_check");
    drop_guest (&fake);
}

//  An interface's MAC, VLAN and trust are its card's business; a plain hostdev's are the guest's.
static void test_settings (void **state)
{
    (void) state;
    error_t err;
    fake_job_t fake;
    make_guest (&fake);
    xml_destroy (&fake.guest.live);
    fake.guest.live = qemu_completed (
        "q35", "<devices><interface type='hostdev' trustGuestRxFilters='no'>"
               "<mac address='52:54:00:12:34:56'/><vlan><tag id='5'/></vlan>" SOURCE (
                   "1") "</interface></devices>");
    assert_int_equal (qemu_hostdev_intend (&fake.job, &err), 0);
    assert_int_equal (qemu_hostdev_plug (&fake.job, &err), 0);
    assert_has (fake.trace, "undo device 0000:01:10.2\n"
                            "device_take 0000:01:10.2 mac=52:54:00:12:34:56,vlan=5:0,trust=0\n");
    assert_true (qemu_ram_lock_bytes (fake.guest.live) > 0);
    drop_guest (&fake);
}

//  The profile, with the guest's uuid and the host's, if it has one.
static void test_profile (void **state)
{
    (void) state;
    error_t err;
    fake_job_t fake;
    char host[UUID_TEXT_SIZE];
    make_guest (&fake);
    uuid_from_random ((const uint8_t[16]){ 1 }, fake.guest.uuid);
    xml_destroy (&fake.guest.live);
    fake.guest.live = qemu_completed (
        "q35", "<devices><interface type='hostdev'><mac address='52:54:00:12:34:56'/>" SOURCE ("1")
                   PROFILE (QBH, "human resources") "</interface></devices>");
    assert_int_equal (qemu_hostdev_plug (&fake.job, &err), 0);
    autofree char *wanted = text_format (
        "device_take 0000:01:10.2 mac=52:54:00:12:34:56,vlan=0:0,port=%s:%s:human%%20resources\n",
        fake.guest.uuid, host_uuid_read (host) ? host : "00000000-0000-0000-0000-000000000000");
    assert_has (fake.trace, wanted);
    drop_guest (&fake);
}

//  A network whose pool has 0000:01:10.2 and 0000:02:10.2, and in this order.
static int grant_other (job_t *job, const port_request_t *request, port_grant_t *grant,
                        error_t *err)
{
    (void) job, (void) err;
    bool first = strings_contain (request->except, "0000:01:10.2");
    snprintf (grant->device, sizeof grant->device, "%s", first ? "0000:02:10.2" : "0000:01:10.2");
    return 0;
}

static xml_node_t *add_pooled (fake_job_t *fake, const char *bus)
{
    xml_node_t *interface =
        xml_add (xml_find (xml_root (fake->guest.live), "devices"), "interface");
    xml_set (interface, "@type", "hostdev");
    xml_set (interface, "mac/@address", "52:54:00:12:34:57");
    xml_set (interface, "source/@network", "pool");
    xml_set (interface, "source/address/@bus", bus);
    xml_set (interface, "source/address/@slot", "0x10");
    xml_set (interface, "source/address/@function", "0x2");
    return interface;
}

static int grant_profile (job_t *job, const port_request_t *request, port_grant_t *grant,
                          error_t *err)
{
    (void) job, (void) request, (void) err;
    *grant = (port_grant_t){ .kind = PORT_HOSTDEV,
                             .device = "0000:01:10.2",
                             .virtualport = "802.1Qbh",
                             .profile = "finance" };
    return 0;
}

//  What the interface says goes before what its network does; what neither says is missing.
static void test_profile_of_a_pool (void **state)
{
    (void) state;
    static const char *const cases[][2] = {
        { "<interface type='network'/>", "finance" },
        { "<interface type='network'><virtualport><parameters profileid='sales'/></virtualport>"
          "</interface>",
          "sales" },
        { "<interface type='network'><virtualport/></interface>", "finance" },
    };
    error_t err;
    fake_job_t fake;
    make_guest (&fake);
    job_ops_t ops = *fake.job.ops;
    ops.port_create = grant_profile;
    fake.job.ops = &ops;
    auto(xml_t) link = unit_xml ("<link port='a' network='b'/>");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        port_grant_t grant;
        auto(xml_t) interface = unit_xml (cases[i][0]);
        assert_int_equal (interface_take_port (&fake.job, xml_root (interface), xml_root (link),
                                               NULL, &grant, &err),
                          0);
        assert_string_equal (xml_string (xml_root (interface), "virtualport/parameters/@profileid"),
                             cases[i][1]);
        assert_int_equal (qemu_check_host_interface (xml_root (interface), &err), 0);
    }
    drop_guest (&fake);
}

//  What it has as a hostdev, a pool may grant to the same guest; its owner would not mind.
static void test_pool_grants_its_own (void **state)
{
    (void) state;
    error_t err;
    fake_job_t fake;
    make_guest (&fake);
    job_ops_t ops = *fake.job.ops;
    ops.port_create = grant_other;
    fake.job.ops = &ops;
    xml_remove (xml_next (xml_find (xml_root (fake.guest.live), "devices/hostdev"), "hostdev"));
    xml_node_t *interface = add_pooled (&fake, "0x01");
    auto(xml_t) link = xml_parse ("<link/>", strlen ("<link/>"), "link", &err);
    port_grant_t grant = { .kind = PORT_HOSTDEV, .device = "0000:01:10.2" };
    assert_int_equal (
        qemu_hostdev_take_pooled (&fake.job, interface, xml_root (link), &grant, &err), 0);
    assert_has (fake.trace, "device_take 0000:02:10.2");
    assert_has_not (fake.trace, "undo device 0000:01:10.2");
    assert_has_not (fake.trace, "device_take 0000:01:10.2");
    drop_guest (&fake);
}

//  And the other way round: nothing of it is undone, which would take the pool's from the guest.
static void test_own_of_a_pool (void **state)
{
    (void) state;
    error_t err;
    fake_job_t fake;
    make_guest (&fake);
    add_pooled (&fake, "0x1");
    const xml_node_t *hostdev = xml_find (xml_root (fake.guest.live), "devices/hostdev");
    assert_int_equal (qemu_hostdev_intend_one (&fake.job, hostdev, &err), -1);
    assert_has (err.message, "domain 'fixture' has it already");
    assert_int_equal (fake.undo_count, 0);
    drop_guest (&fake);
}

//  Words for what it is: not all are PCI devices.
static void test_own_is_named (void **state)
{
    (void) state;
    error_t err;
    fake_job_t fake;
    make_guest (&fake);
    xml_node_t *hostdev = xml_find (xml_root (fake.guest.live), "devices/hostdev");
    for (xml_node_t *each = hostdev; each; each = xml_next (each, "hostdev")) {
        xml_set (each, "@type", "usb");
        xml_set (each, "source/address/@bus", "1");
        xml_set (each, "source/address/@device", "4");
    }
    assert_int_equal (qemu_hostdev_intend_one (&fake.job, hostdev, &err), -1);
    assert_has (err.message, "the host's device 'usb:001:004': domain 'fixture' has it already");
    drop_guest (&fake);
}

//  The whole memory, and what QEMU maps besides.
static void test_memory_is_locked (void **state)
{
    (void) state;
    fake_job_t fake;
    make_guest (&fake);
    assert_int_equal (qemu_ram_lock_bytes (fake.guest.live), (512ull << 20) + (1ull << 30));
    auto(xml_t) without = qemu_completed ("q35", "");
    assert_int_equal (qemu_ram_lock_bytes (without), 0);
    drop_guest (&fake);
}

int main (void)
{
    xml_init ();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_completed),
        cmocka_unit_test (test_conventional),
        cmocka_unit_test (test_command),
        cmocka_unit_test (test_usb),
        cmocka_unit_test (test_guest_reset),
        cmocka_unit_test (test_missing),
        cmocka_unit_test (test_scsi),
        cmocka_unit_test (test_mdev),
        cmocka_unit_test (test_interface),
        cmocka_unit_test (test_refused),
        cmocka_unit_test (test_virtualport_refused),
        cmocka_unit_test (test_settings),
        cmocka_unit_test (test_profile),
        cmocka_unit_test (test_profile_of_a_pool),
        cmocka_unit_test (test_taken_and_given_back),
        cmocka_unit_test (test_its_node_goes_back_before_it),
        cmocka_unit_test (test_a_shared_node_goes_back_with_the_last),
        cmocka_unit_test (test_refused_by_its_owner),
        cmocka_unit_test (test_pool_grants_its_own),
        cmocka_unit_test (test_own_of_a_pool),
        cmocka_unit_test (test_own_is_named),
        cmocka_unit_test (test_memory_is_locked),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
