//  test_network_xml.c: which network documents are taken, how they are completed, and what is said
//  of those that are not.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "drivers/net/network_xml.h"
#include "fake_job.h"
#include "util/text.h"

#include <string.h>

#define IP "<ip address='192.168.77.1' netmask='255.255.255.0'"
#define EIGHT "abcdefgh"
#define FUNCTIONS "<forward mode='hostdev'><pf dev='eth0'/></forward>"
#define LONG EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT
#define LONG_TEXT LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG
#define DHCP(inner) IP "><dhcp>" inner "</dhcp></ip>"

static xml_t *complete (const char *inner, error_t *err)
{
    fake_job_t fake;
    fake_job_init (&fake, "/run");
    autofree char *text = text_format ("<network><name>blue</name>%s</network>", inner);
    xml_t *doc = xml_parse (text, strlen (text), "network XML", err);
    if (doc && network_complete (&fake.job, doc, err))
        xml_destroy (&doc);
    return doc;
}

static void test_good (void **state)
{
    (void) state;
    static const char *const good[] = {
        "",
        IP "/>",
        "<forward/>" IP "/>",
        "<forward mode='nat' dev='eth0'><interface dev='eth0'/><nat><address start='1.2.3.4' "
        "end='1.2.3.9'/><port start='500' end='1000'/></nat></forward>" IP "/>",
        "<forward mode='route'/>" IP "/>",
        "<forward mode='open'/>" IP "/>",
        "<forward mode='bridge'/><bridge name='br0'/>",
        "<bridge name='blue%d' macTableManager='kernel'/>",
        "<forward mode='bridge'><interface dev='eth0'/><interface dev='eth1'/></forward>",
        "<forward mode='passthrough'><pf dev='eth0'/></forward>",
        "<forward mode='hostdev' managed='yes'><address type='pci' domain='0' bus='4' slot='0' "
        "function='1'/></forward><vlan><tag id='42'/></vlan>",
        FUNCTIONS "<virtualport type='802.1Qbh'/><portgroup name='a'><virtualport><parameters "
                  "profileid='finance'/></virtualport></portgroup><portgroup name='b'/>",
        DHCP ("<range start='192.168.77.2' end='192.168.77.254'><lease expiry='1' "
              "unit='hours'/></range><host mac='52:54:00:00:00:01' ip='192.168.77.7' name='a'/>"
              "<bootp file='pxe.0' server='10.0.0.1'/>"),
        "<ip family='ipv6' address='fd00::1' prefix='64'><dhcp><range start='fd00::10' "
        "end='fd00::ff'/><host id='0:3:0:1:0:16:3e' ip='fd00::7' name='a'/></dhcp></ip>",
        IP "/><route address='10.0.0.0' prefix='8' gateway='192.168.77.2' metric='3'/>",
        "<dns><forwarder domain='a.b' addr='10.0.0.1'/><txt name='x' value='y, z'/><srv "
        "service='s' protocol='tcp' target='t' port='1'/><host ip='10.0.0.2'><hostname>h</hostname>"
        "</host></dns>" IP "/>",
        "<ip family='ipv6' address='fd00::1' prefix='127'/>",
        DHCP ("<host mac='52:54:00:00:00:01' name='web7d.a' ip='192.168.77.9'/>"),
        "<dns><txt name='_a.b' value='c:\\d #e'/></dns><domain name='7d'/>" IP "/>",
        "<bandwidth><inbound average='1000' peak='2000' burst='64'/></bandwidth><portgroup "
        "name='a' "
        "default='yes'/><portgroup name='b'/><port isolated='yes'/>" IP "/>",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        error_t err = { 0 };
        auto(xml_t) doc = complete (good[i], &err);
        if (!doc)
            fail_msg ("%s: %s", good[i], err.message);
    }
}

static void test_completed (void **state)
{
    (void) state;
    error_t err;
    char uuid[UUID_TEXT_SIZE];
    auto(xml_t) doc = complete ("<forward/>" IP "/>", &err);
    assert_non_null (doc);
    const xml_node_t *root = xml_root (doc);
    assert_true (uuid_normalize (xml_string (root, "uuid"), uuid));
    assert_string_equal (xml_string (root, "forward/@mode"), "nat");
    assert_string_equal (xml_string (root, "bridge/@stp"), "on");
    assert_null (xml_string (root, "bridge/@name")); //  the kernel's when it starts
    assert_true (network_is_mac (xml_string (root, "mac/@address")));
    autofree char *text = xml_text (doc);
    auto(xml_t) again = xml_parse (text, strlen (text), "again", &err);
    assert_int_equal (network_check (xml_root (again), &err), 0);
}

static const struct {
    const char *xml, *error;
} bad[] = {
    { "<forward mode='magic'/>", "forward mode 'magic' is none of" },
    { "<forward mode='nat'/>", "forward mode 'nat' needs an <ip>" },
    { "<forward mode='bridge'/>", "needs an <interface> of the host" },
    { "<forward mode='bridge'/><bridge stp='on'/>", "needs the name of a bridge of the host" },
    { "<forward mode='bridge'><interface dev='a'/></forward><bridge name='b'/>", "not both" },
    { "<forward mode='open' dev='eth0'/>" IP "/>", "takes no interface of the host" },
    { "<forward mode='route'><nat/></forward>" IP "/>", "<nat> goes with forward mode 'nat' only" },
    { "<forward><nat><port start='9' end='8'/></nat></forward>" IP "/>", "ends before it begins" },
    { "<forward mode='bridge'><interface dev='a'/><interface dev='a'/></forward>", "there twice" },
    { "<forward mode='hostdev'><address type='pci' bus='300' slot='0'/></forward>", "type='pci'" },
    { "<forward mode='hostdev'><driver name='kvm'/><pf dev='eth0'/></forward>",
      "<forward mode='hostdev'><driver name='kvm'/>; <driver name='vfio'/> goes with" },
    { "<forward mode='nat'><driver name='vfio'/></forward>", "goes with mode 'hostdev', and no" },
    { "<forward mode='hostdev'><address type='pci' bus='4' slot='0' function='1'/><address "
      "type='pci' domain='0' bus='0x04' slot='0x00' function='0x1'/></forward>",
      "0000:04:00.1 is there twice" },
    { "<forward mode='bridge'/><bridge name='br0'/>" IP "/>", "takes no <ip>" },
    { "<bridge name='far too long a name'/>", "can't be the name of a link" },
    { "<bridge name='a/b'/>", "can't be the name of a link" },
    { "<bridge name='a%s'/>", "can't be the name of a link" },
    { "<forward mode='bridge'/><bridge name='br%d'/>", "can't be the name of a link" },
    { "<bridge macTableManager='libvirt'/>", "not supported: <bridge macTableManager='libvirt'>" },
    { "<bridge name='virbr*'/>", "can't be the name of a link" },
    { "<bridge name='a,eth0'/>", "can't be the name of a link" },
    { "<bridge name='a&quot;b'/>", "can't be the name of a link" },
    { "<bridge name='a\\'/>", "can't be the name of a link" },
    { "<forward dev='a&#13;b'/>" IP "/>", "can't be the name of a link" },
    { "<bridge zone='public'/>", "not supported: <bridge zone>" },
    { "<bridge delay='soon'/>", "delay" },
    { "<mac address='01:00:5e:00:00:01'/>", "is no MAC address of an interface" },
    { "<ip address='192.168.77.300'/>", "'192.168.77.300' is no IP address" },
    { "<ip address='fd00::1'/>", "say family='ipv6'" },
    { "<ip address='10.0.0.1' netmask='255.0.255.0'/>", "the netmask '255.0.255.0' is none" },
    { "<ip address='10.0.0.1' prefix='33'/>", "is no number from 0 to 32" },
    { "<ip address='10.0.0.1' prefix='31'/>", "leaves no room for guests" },
    { "<ip address='10.0.0.0' prefix='24'/>", "no address that the host could have" },
    { "<ip address='10.0.0.255' prefix='24'/>", "no address that the host could have" },
    { "<ip address='127.0.0.1' prefix='8'/>", "no address that the host could have" },
    { "<ip address='0.0.0.1' prefix='24'/>", "no address that the host could have" },
    { "<ip address='224.0.0.1' prefix='24'/>", "no address that the host could have" },
    { "<ip family='ipv6' address='::' prefix='64'/>", "no address that the host could have" },
    { "<ip family='ipv6' address='::1' prefix='64'/>", "no address that the host could have" },
    { "<ip family='ipv6' address='ff05::1' prefix='64'/>", "no address that the host could have" },
    { "<ip family='ipv6' address='fd00::1' prefix='128'/>", "leaves no room for guests" },
    { "<ip family='ipv6' address='fd00::1' prefix='63'><dhcp><range start='fd00::10' "
      "end='fd00::ff'/></dhcp></ip>",
      "DHCP of IPv6 needs 64 at least" },
    { IP "/><ip address='192.168.77.129' prefix='25'/>", "of two <ip> overlap" },
    { DHCP ("<range start='192.168.77.9'/>"), "a <range> needs start and end" },
    { DHCP ("<range start='192.168.78.9' end='192.168.78.10'/>"), "not inside of its subnet" },
    { DHCP ("<range start='192.168.77.9' end='192.168.77.8'/>"), "ends before it begins" },
    { DHCP ("<range start='192.168.77.9' end='192.168.77.255'/>"), "that for broadcasts" },
    { DHCP ("<range start='192.168.77.9' end='192.168.77.20'/>"
            "<range start='192.168.77.20' end='192.168.77.30'/>"),
      "overlaps another one" },
    { DHCP ("<range start='192.168.77.9' end='192.168.77.20'><lease expiry='1' "
            "unit='seconds'/></range>"),
      "is too short" },
    { DHCP ("<host ip='192.168.77.9'/>"), "has neither mac nor name" },
    { DHCP ("<host mac='52:54:00:00:00:01' ip='10.0.0.1'/>"), "not inside of its subnet" },
    { DHCP ("<host mac='52:54:00:00:00:01' ip='192.168.77.1'/>"), "is the network's own" },
    { DHCP ("<host mac='52:54:00:00:00:01' ip='192.168.77.255'/>"), "that for broadcasts" },
    { DHCP ("<host mac='52:54:00:&#10;1:00:01' ip='192.168.77.9'/>"), "is no MAC address" },
    { DHCP ("<host mac='52:54:00:00:00:01' name='ignore' ip='192.168.77.9'/>"), "or 'infinite'" },
    { DHCP ("<host mac='52:54:00:00:00:01' name='7d' ip='192.168.77.9'/>"), "time ('7d')" },
    { DHCP ("<host mac='52:54:00:00:00:01' name='10.0.0.1' ip='192.168.77.9'/>"), "no address" },
    { DHCP ("<host mac='52:54:00:00:00:01' name='set:a' ip='192.168.77.9'/>"), "to be letters" },
    { DHCP ("<host mac='52:54:00:00:00:0A' ip='192.168.77.9'/>"
            "<host mac='52:54:00:00:00:0a' ip='192.168.77.8'/>"),
      "two <host>s have the mac" },
    { DHCP ("<host mac='52:54:00:00:00:01' ip='192.168.77.9'/>"
            "<host mac='52:54:00:00:00:02' ip='192.168.77.9'/>"),
      "two <host>s have the ip" },
    { DHCP ("<host mac='52:54:00:00:00:01' name='a,b' ip='192.168.77.9'/>"), "has to be letters" },
    { IP "><tftp root='/a&#10;dhcp-script=/x'/></ip>", "has to be an absolute path" },
    { IP "/><route address='10.0.0.1' prefix='8' gateway='192.168.77.2'/>", "address of a host" },
    { IP "/><route address='10.0.0.0' prefix='8' gateway='10.0.0.1'/>", "is in no subnet" },
    { "<dns><txt name='a'/></dns>", "<txt> needs name and value" },
    { "<dns><txt name='a' value='b&#10;c'/></dns>", "one line without quotes" },
    { "<dns><host ip='10.0.0.1'/></dns>", "has no <hostname>" },
    { "<dns><forwarder/></dns>", "has neither addr nor domain" },
    { "<dns><host ip='10.0.0.1'><hostname>10.0.0.2</hostname></host></dns>", "no address" },
    { "<dns><host ip='10.0.0.1'><hostname>a..b</hostname></host></dns>", "to be letters" },
    { "<dns><host ip='10.0.0.1'><hostname>" LONG "</hostname></host></dns>", "at most 63" },
    { "<dns><txt name='a' value='" LONG_TEXT "'/></dns>" IP "/>", "no line of more than 1023" },
    { "<domain/>", "<domain> has no name" },
    { "<portgroup name='a'/><portgroup name='a'/>", "the portgroup 'a' is there twice" },
    { "<portgroup name='a' default='yes'/><portgroup name='b' default='yes'/>",
      "both the default" },
    { "<bandwidth><inbound peak='1'/></bandwidth>", "has no average" },
    { "<bandwidth><inbound average='0'/></bandwidth>", "more than 0" },
    { "<virtualport type='openvswitch'/>", "not supported: <virtualport type='openvswitch'>" },
    { "<portgroup name='a'><virtualport type='802.1Qbh'/></portgroup>",
      "with forward mode 'isolated'; with 'hostdev' 802.1Qbh is" },
    { FUNCTIONS "<virtualport type='802.1Qbg'/>", "lldpad" },
    { FUNCTIONS "<portgroup name='a'><virtualport><parameters managerid='1'/></virtualport>"
                "</portgroup>",
      "<parameters managerid='...'/>" },
    { FUNCTIONS "<vlan><tag id='1'/></vlan><virtualport type='802.1Qbh'/>", "<vlan> with" },
    { "<vlan><tag id='1'/></vlan>" IP "/>", "not supported: <vlan>" },
    { "<port isolated='maybe'/>", "is not yes or no" },
    { "<dns enable='maybe'/>" IP "/>", "<dns enable='maybe'> is not yes or no" },
    { "<name>red</name>", "<name> stands there twice" },
};

static void test_bad (void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        error_t err = { 0 };
        auto(xml_t) doc = complete (bad[i].xml, &err);
        if (doc || !strstr (err.message, bad[i].error) ||
            strncmp (err.message, "network XML", strlen ("network XML")) != 0)
            fail_msg ("%s: '%s' without '%s'", bad[i].xml, err.message, bad[i].error);
    }
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_good),
        cmocka_unit_test (test_completed),
        cmocka_unit_test (test_bad),
    };
    xml_init ();
    return cmocka_run_group_tests (tests, NULL, NULL);
}
