//  test_lxc_interface.c: which links are made for a container's interfaces, and what is refused.

#include "drivers/lxc/lxc_interface.h"
#include "drivers/lxc/lxc_parts.h"
#include "fake_job.h"
#include "unit_xml.h"
#include "util/text.h"

#define SUPERVISOR "4242:77:11111111-2222-3333-4444-555555555555"

static xml_t *domain (const char *interfaces)
{
    return unit_xmlf ("<domain><devices>%s</devices></domain>", interfaces);
}

static void refuses (void **state)
{
    (void) state;
    static const struct {
        const char *interfaces, *message;
    } cases[] = {
        { "<interface/>", "has no type" },
        { "<interface type='bridge'/>", "needs a source/@bridge" },
        { "<interface type='network'/>", "needs a source/@network" },
        { "<interface type='direct'/>", "needs a source/@dev" },
        { "<interface type='direct'><source dev='up0'/><bandwidth/></interface>",
          "not supported: <bandwidth>" },
        { "<interface type='direct'><source dev='up0'/><target dev='x'/></interface>",
          "not supported: <target>" },
        { "<interface type='bridge'><source bridge='b' mode='vepa'/></interface>",
          "not supported: <source mode" },
        { "<interface type='ethernet'><guest dev='a b'/></interface>", "no name of a link" },
        { "<interface type='ethernet'><target dev='a/b'/></interface>", "no name of a link" },
        { "<interface type='ethernet'><mac address='x'/></interface>", "its MAC 'x'" },
        { "<interface type='ethernet'><mtu size='1'/></interface>", "mtu/@size" },
        { "<interface type='ethernet'><bandwidth><inbound peak='1'/></bandwidth></interface>",
          "has no average" },
        { "<interface type='ethernet'><guest dev='lo'/></interface>", "two interfaces 'lo'" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        error_t err = { 0 };
        fake_job_t fake;
        fake_job_init (&fake, "/nowhere");
        auto(xml_t) document = domain (cases[i].interfaces);
        xml_node_t *devices = xml_find (xml_root (document), "devices");
        int rc = lxc_interface_complete (&fake.job, xml_first (devices, "interface"), &err);
        if (rc == 0)
            rc = lxc_interface_check_all (devices, &err);
        if (rc == 0 || !strstr (err.message, cases[i].message))
            fail_msg ("%s: '%s'", cases[i].interfaces, err.message);
    }
}

static void names_those_inside (void **state)
{
    (void) state;
    auto(xml_t) document = domain ("<interface/><interface><guest dev='eth1'/></interface>"
                                   "<interface/>");
    xml_node_t *devices = xml_find (xml_root (document), "devices");
    static const char *const names[] = { "eth0", "eth1", "eth2" };
    int i = 0;
    lxc_interface_name (devices);
    xml_foreach (interface, devices, "interface")
        assert_string_equal (xml_string (interface, "guest/@dev"), names[i++]);
}

//  A link of the host: on record and its undo pushed, then that of the supervisor, then it goes.
static void gives_links (void **state)
{
    (void) state;
    fake_job_t fake;
    error_t err = { 0 };
    fake_job_init (&fake, "/nowhere");
    fake.guest.live = domain ("<hostdev type='misc'><source><char>/dev/x</char></source></hostdev>"
                              "<hostdev type='net'><source><interface>eth0</interface></source>"
                              "</hostdev><interface/>");
    fake.guest.record = xml_parse ("<driver/>", strlen ("<driver/>"), "record", &err);
    fake.guest.name = "web1";
    assert_int_equal (lxc_given_intend (&fake.job, &err), 0);
    assert_int_equal (lxc_given_undo (&fake.job, SUPERVISOR, &err), 0);
    assert_int_equal (lxc_given_plug (&fake.job, SUPERVISOR, &err), 0);
    assert_string_equal (fake.trace, "undo link host:eth0\nundo lxc.given " SUPERVISOR "\n"
                                     "link_take host:eth0 " SUPERVISOR " domain 'web1'\n");
    autofree char *record = xml_text (fake.guest.record);
    assert_non_null (strstr (record, "<link alias='host:eth0'/>"));
    //  Its own name is not given to another.
    xml_node_t *devices = xml_find (xml_root (fake.guest.live), "devices");
    lxc_interface_name (devices);
    assert_string_equal (xml_string (devices, "interface/guest/@dev"), "eth1");
    fake_job_clear (&fake);
}

//  Undo first; then a veth on the bridge, with the bridge's MTU; and a macvlan of a name inside.
static void makes_links (void **state)
{
    (void) state;
    fake_job_t fake;
    error_t err = { 0 };
    fake_job_init (&fake, "/nowhere");
    fake.guest.live =
        domain ("<interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='br0'/>"
                "<guest dev='lan'/><alias name='net0'/></interface>"
                "<interface type='direct'><mac address='52:54:00:00:00:02'/><source dev='up0' "
                "mode='bridge'/><guest dev='eth1'/><alias name='net1'/></interface>");
    fake.guest.record = xml_parse ("<driver/>", strlen ("<driver/>"), "record", &err);
    assert_int_equal (lxc_interface_intend (&fake.job, &err), 0);
    assert_int_equal (lxc_interface_plug (&fake.job, SUPERVISOR, &err), 0);
    assert_string_equal (
        fake.trace, "undo link net0\nundo link net1\nlink_find br0\n"
                    "link_create net0 veth 'vnet%d' mac fe:54:00:00:00:01 mtu 1400 master 'br0' "
                    "lower ''\n"
                    "link_create net1 macvlan 'eth1' mac 52:54:00:00:00:02 mtu 0 master '' "
                    "lower 'up0'\n");
    autofree char *record = xml_text (fake.guest.record);
    assert_non_null (strstr (record, "<link alias='net0' name='vnet0' ifindex='10'/>"));
    assert_non_null (strstr (record, "<link alias='net1'/>"));
    fake_job_clear (&fake);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (refuses),
        cmocka_unit_test (names_those_inside),
        cmocka_unit_test (gives_links),
        cmocka_unit_test (makes_links),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
