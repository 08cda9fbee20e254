//  test_qemu_interface.c: network interfaces that are plugged in: what is refused, which links are
//  made for them, and what QEMU gets.

#include "drivers/qemu/qemu_interface.h"

#include "qemu_fixture.h"
#include "unit.h"

#include <string.h>

#define VIRTIO "<model type='virtio'/>"
#define MAC "<mac address='52:54:00:00:00:01'/>"

static const struct {
    const char *interface;
    const char *says;
} refusals[] = {
    { "<interface type='bridge'/>", "an interface of type 'bridge' needs a source/@bridge" },
    { "<interface type='direct'/>", "needs a source/@dev" },
    { "<interface type='direct'><source dev='eth0' mode='hairpin'/></interface>",
      "not supported: <source mode='hairpin'/>" },
    { "<interface type='vhostuser'><source type='unix' path='/s'/>" VIRTIO "</interface>",
      "needs a source/@mode" },
    { "<interface type='vhostuser'><source type='unix' path='/s' mode='server'/>"
      "<model type='e1000'/></interface>",
      "use <model type='virtio'/>" },
    { "<interface type='user'><target dev='tap0'/></interface>",
      "not supported: target/@dev of an interface of type 'user'" },
    { "<interface type='user'><bandwidth><inbound average='1'/></bandwidth></interface>",
      "not supported: bandwidth of an interface of type 'user'" },
    { "<interface type='bridge'><source bridge='br0'/><ip address='10.0.0.1'/></interface>",
      "not supported: ip of an interface of type 'bridge'" },
    { "<interface type='direct'><source dev='eth0'/><port isolated='yes'/></interface>",
      "not supported: port/@isolated of an interface of type 'direct'" },
    { "<interface type='bridge'><source bridge='br0'/><driver queues='2'/>"
      "<model type='e1000'/></interface>",
      "several queues, of an interface of the model 'e1000'" },
    { "<interface type='bridge'><source bridge='br0'/><driver queues='17'/>" VIRTIO "</interface>",
      "driver/@queues" },
    { "<interface type='bridge'><source bridge='br0'/><bandwidth><inbound peak='3'/></bandwidth>"
      "</interface>",
      "bandwidth/inbound of an interface has no average" },
    { "<interface type='bridge'><source bridge='br0'/><bandwidth><inbound average='x'/>"
      "</bandwidth></interface>",
      "bandwidth/inbound" },
    { "<interface type='bridge'><source bridge='br0'/><bandwidth><inbound average='9' floor='1'/>"
      "</bandwidth></interface>",
      "not supported: bandwidth/inbound/@floor" },
    { "<interface type='bridge'><source bridge='br0'/><bandwidth><inbound average='4294967296'/>"
      "</bandwidth></interface>",
      "its average of 4294967296 is more than 4294967295" },
    { "<interface type='bridge'><mac address='52:54:00: 1:00:01'/><source bridge='br0'/>"
      "</interface>",
      "is not of the form" },
    { "<interface type='bridge'><source bridge='br0'/><target dev='a-name-of-16-char'/>"
      "</interface>",
      "'a-name-of-16-char' is no name of a link" },
    { "<interface type='bridge'><source bridge='br0'/><target dev='tap0' managed='no'/>"
      "</interface>",
      "<target managed='no'/> of an interface of type 'bridge'" },
    { "<interface type='ethernet'><target managed='no'/></interface>", "needs a target/@dev" },
    { "<interface type='bridge'><source bridge='br0'/><mtu size='10'/></interface>", "mtu/@size" },
    { "<interface type='bridge'><source bridge='br0'/><vlan><tag id='7'/></vlan></interface>",
      "vlan with @type 'bridge'; it goes with network|hostdev" },
    { "<interface type='bridge'><source bridge='br0'/><virtualport type='openvswitch'/>"
      "</interface>",
      "neither a device of the host nor a bridge of the kernel has ports of an Open vSwitch" },
};

static void each_refusal_names_its_cause (void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        autofree char *rest = text_format ("<devices>%s</devices>", refusals[i].interface);
        error_t err = qemu_refused ("pc", rest);
        assert_has (err.message, refusals[i].says);
    }
}

static void names_of_the_kernel_are_not_kept (void **state)
{
    (void) state;
    auto(xml_t) document = qemu_completed (
        "pc", "<devices><interface type='bridge'><source bridge='br0'/><target dev='vnet7'/>"
              "</interface><interface type='direct'><source dev='eth0'/><target dev='mine'/>"
              "</interface></devices>");
    const xml_node_t *bridge = qemu_device (document, "interface", "@type", "bridge");
    const xml_node_t *direct = qemu_device (document, "interface", "@type", "direct");
    assert_null (xml_find (bridge, "target"));
    assert_string_equal (xml_string (direct, "target/@dev"), "mine");
    assert_string_equal (xml_string (direct, "source/@mode"), "vepa");
}

//  What QEMU is given.

static const char devices[] =
    "<memoryBacking><access mode='shared'/></memoryBacking><devices>"
    "<interface type='bridge'>" MAC "<source bridge='br0'/>" VIRTIO "<driver queues='2'/>"
    "</interface>"
    "<interface type='user'/>"
    "<interface type='direct'><source dev='eth0' mode='bridge'/><model type='e1000'/></interface>"
    "<interface type='vhostuser'><source type='unix' path='/a,b' mode='server'/>" VIRTIO
    "<driver queues='3'/></interface>"
    "</devices>";

static const char record_text[] =
    "<driver>"
    "<link alias='net0' kind='tap-queue' queues='2' fd='4' vhost='yes' name='vnet3' ifindex='9'/>"
    "<link alias='net2' kind='macvtap' queues='1' fd='8' vhost='no' name='macvtap0' ifindex='12'/>"
    "</driver>";

static void qemu_inherits_the_links (void **state)
{
    (void) state;
    error_t err = { 0 };
    auto(xml_t) live = qemu_completed ("pc", devices);
    auto(qemu_caps_t) caps = qemu_caps_parse (qemu_caps_text, &err);
    auto(xml_t) record = xml_parse (record_text, strlen (record_text), "record", &err);
    qemu_set_aliases (live);
    auto(strings_t) args = qemu_command (live, record, caps, &err);
    assert_non_null (args);
    static const char *const has[] = {
        "{\"type\":\"tap\",\"id\":\"hostnet0\",\"fds\":\"4:5\",\"vhost\":true,\"vhostfds\":\"6:"
        "7\"}",
        "{\"driver\":\"virtio-net-pci\",\"id\":\"net0\",\"bus\":\"pci.0\",\"addr\":\"0x2\","
        "\"netdev\":\"hostnet0\",\"mac\":\"52:54:00:00:00:01\",\"mq\":true,\"vectors\":6}",
        "{\"type\":\"user\",\"id\":\"hostnet1\"}",
        "{\"type\":\"tap\",\"id\":\"hostnet2\",\"fd\":\"8\"}",
        "socket,id=charnet3,path=/a,,b,server=on,wait=off",
        "{\"type\":\"vhost-user\",\"id\":\"hostnet3\",\"chardev\":\"charnet3\",\"queues\":3}",
        "{\"driver\":\"virtio-net-pci\",\"id\":\"net3\",\"bus\":\"pci.0\",\"addr\":\"0x5\","
        "\"netdev\":\"hostnet3\",\"mac\":\"52:54:00:07:08:09\",\"mq\":true,\"vectors\":0}",
    };
    for (size_t i = 0; i < sizeof has / sizeof *has; i++)
        if (!strings_contain (args, has[i])) {
            for (size_t j = 0; j < args->count; j++)
                fprintf (stderr, "%s\n", args->items[j]);
            fail_msg ("'%s' is not there", has[i]);
        }
}

static void the_launcher_opens_what_qemu_inherits (void **state)
{
    (void) state;
    error_t err = { 0 };
    auto(xml_t) record = xml_parse (record_text, strlen (record_text), "record", &err);
    auto(strings_t) list = qemu_interface_devices (record);
    static const char *const want[] = { "4:tap-queue:9:vnet3", "5:tap-queue:9:vnet3",
                                        "6:file:0:/dev/vhost-net", "7:file:0:/dev/vhost-net",
                                        "8:macvtap:12:macvtap0" };
    assert_int_equal (list->count, 5);
    for (size_t i = 0; i < 5; i++)
        assert_string_equal (list->items[i], want[i]);
}

//  Plugging in: intent, links, and what the documents say then.

static void links_are_made_under_their_aliases (void **state)
{
    (void) state;
    error_t err = { 0 };
    fake_job_t fake;
    static const char rest[] =
        "<devices><interface type='bridge'>" MAC "<source bridge='br0'/>" VIRTIO
        "<driver name='qemu' queues='2'/><bandwidth><inbound average='9' peak='10' burst='11'/>"
        "<outbound average='12'/></bandwidth></interface>"
        "<interface type='user'/>"
        "<interface type='direct'>" MAC "<source dev='eth0'/>" VIRTIO
        "<mtu size='900'/><driver name='qemu'/></interface>"
        "<interface type='ethernet'><target dev='mine' managed='no'/></interface>"
        "<interface type='ethernet'><mac address='FE:54:00:00:00:01'/><driver name='qemu'/>"
        "<bandwidth><inbound average='4294967295'/></bandwidth></interface></devices>";
    fake_job_init (&fake, "/nowhere");
    fake.guest.live = qemu_completed ("pc", rest);
    fake.guest.record = xml_parse ("<driver/>", strlen ("<driver/>"), "record", &err);
    qemu_set_aliases (fake.guest.live);
    assert_int_equal (qemu_interface_intend (&fake.job, &err), 0);
    //  All undo comes before the first effect; what is the user's own has none.
    assert_string_equal (fake.trace, "undo link net0\nundo link net2\nundo link net4\n");
    assert_int_equal (qemu_interface_plug (&fake.job, 7, 8, &err), 0);
    assert_has (fake.trace, "link_find br0\n"
                            "link_create net0 tap 'vnet%d' mac fe:54:00:00:00:01 mtu 1400 master "
                            "'br0' lower '' multi_queue\n"
                            "link_bandwidth net0 9 10 11 12\n"
                            "link_create net2 macvtap 'macvtap%d' mac 52:54:00:00:00:01 mtu 900 "
                            "master '' lower 'eth0'\n"
                            "link_find mine\n"
                            "link_create net4 tap 'vnet%d' mac fa:54:00:00:00:01 ");
    assert_has (fake.trace, "link_bandwidth net4 4294967295 0 0 0\n");
    const xml_node_t *bridge = qemu_device (fake.guest.live, "interface", "@type", "bridge");
    assert_string_equal (xml_string (bridge, "target/@dev"), "vnet0");
    auto(strings_t) list = qemu_interface_devices (fake.guest.record);
    static const char *const want[] = { "4:tap-queue:10:vnet0", "5:tap-queue:10:vnet0",
                                        "6:macvtap:10:macvtap0", "7:tap:10:mine0",
                                        "8:tap:10:vnet0" };
    assert_int_equal (list->count, 5);
    for (size_t i = 0; i < 5; i++)
        assert_string_equal (list->items[i], want[i]);
    assert_int_equal (interface_claim (&fake.job, &err), 0);
    assert_has (fake.trace, "link_claim net0 net2 net3 net4 \n");
    fake_job_clear (&fake);
}

static void too_many_queues_are_refused (void **state)
{
    (void) state;
    error_t err = { 0 };
    fake_job_t fake;
    auto(text_t) rest = text_new ();
    text_add (rest, "<devices>");
    for (int i = 0; i < 4; i++)
        text_add (rest, "<interface type='ethernet'>" VIRTIO "<driver queues='16'/></interface>");
    text_add (rest, "</devices>");
    fake_job_init (&fake, "/nowhere");
    fake.guest.live = qemu_completed ("pc", rest->data);
    fake.guest.record = xml_parse ("<driver/>", strlen ("<driver/>"), "record", &err);
    qemu_set_aliases (fake.guest.live);
    assert_int_equal (qemu_interface_intend (&fake.job, &err), -1);
    assert_has (err.message, "more than 48 queues");
    fake_job_clear (&fake);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (each_refusal_names_its_cause),
        cmocka_unit_test (names_of_the_kernel_are_not_kept),
        cmocka_unit_test (qemu_inherits_the_links),
        cmocka_unit_test (the_launcher_opens_what_qemu_inherits),
        cmocka_unit_test (links_are_made_under_their_aliases),
        cmocka_unit_test (too_many_queues_are_refused),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
