//  test_host_interfaces.c: the network links of machines that are not this one.

#include "actors/host/host_interfaces.h"

#include "tree.h"

#include <unistd.h>

#define NET "/sys/class/net/"

static void put_link (const char *root, const char *name, const char *mac, const char *flags)
{
    static const char *const files[] = { "address", "flags", "mtu", "operstate", "speed" };
    const char *const values[] = { mac, flags, "1500\n", "up\n", "1000\n" };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        autofree char *path = text_format (NET "%s/%s", name, files[i]);
        tree_put (root, path, values[i]);
    }
}

static xml_t *read_link (const char *root, const char *name)
{
    error_t err = { 0 };
    xml_t *doc = host_interface_xml (root, name, &err);
    if (!doc)
        fail_msg ("%s", err.message);
    return doc;
}

static void lists_what_is_a_link (void **state)
{
    error_t err;
    size_t count;
    put_link (*state, "eth7", "52:54:00:00:00:01\n", "0x1003\n");
    put_link (*state, "br7", "52:54:00:00:00:02\n", "0x1002\n");
    tree_put (*state, NET "bonding_masters", "\n");
    autofree host_interface_t *list = host_interfaces (*state, &count, &err);
    assert_non_null (list);
    assert_int_equal (count, 2);
    assert_string_equal (list[0].name, "br7");
    assert_false (list[0].up);
    assert_string_equal (list[1].name, "eth7");
    assert_string_equal (list[1].mac, "52:54:00:00:00:01");
    assert_true (list[1].up);
}

static void a_machine_without_links (void **state)
{
    error_t err;
    size_t count;
    autofree host_interface_t *list = host_interfaces (*state, &count, &err);
    assert_non_null (list);
    assert_int_equal (count, 0);
}

static void one_link (void **state)
{
    put_link (*state, "eth7", "52:54:00:00:00:01\n", "0x1003\n");
    auto(xml_t) doc = read_link (*state, "eth7");
    autofree char *text = xml_text (doc);
    assert_string_equal (text, "<interface type='ethernet' name='eth7'>\n"
                               "  <link speed='1000' state='up'/>\n"
                               "  <mtu size='1500'/>\n"
                               "  <mac address='52:54:00:00:00:01'/>\n"
                               "</interface>\n");
}

static void a_bridge_has_ports (void **state)
{
    put_link (*state, "br7", "52:54:00:00:00:02\n", "0x1003\n");
    put_link (*state, "eth7", "52:54:00:00:00:01\n", "0x1003\n");
    tree_put (*state, NET "br7/bridge/stp_state", "1\n");
    tree_put (*state, NET "br7/bridge/forward_delay", "1500\n");
    tree_put (*state, NET "br7/brif/eth7", "");
    auto(xml_t) doc = read_link (*state, "br7");
    const xml_node_t *bridge = xml_find (xml_root (doc), "bridge");
    assert_true (xml_equals (xml_root (doc), "@type", "bridge"));
    assert_true (xml_equals (bridge, "@stp", "on"));
    assert_true (xml_equals (bridge, "@delay", "15.00"));
    assert_true (xml_equals (bridge, "interface/@name", "eth7"));
    assert_true (xml_equals (bridge, "interface/mac/@address", "52:54:00:00:00:01"));
}

static void a_bond_and_a_vlan (void **state)
{
    put_link (*state, "bond7", "52:54:00:00:00:02\n", "0x1003\n");
    put_link (*state, "eth7", "52:54:00:00:00:01\n", "0x1003\n");
    put_link (*state, "eth7.5", "52:54:00:00:00:01\n", "0x1003\n");
    tree_put (*state, NET "bond7/bonding/mode", "active-backup 1\n");
    tree_put (*state, NET "bond7/bonding/slaves", "eth7 eth8\n");
    tree_put (*state, "/proc/net/vlan/eth7.5",
              "eth7.5  VID: 5\t REORDER_HDR: 1  dev->priv_flags: 1\nDevice: eth7\n");
    auto(xml_t) bond = read_link (*state, "bond7");
    assert_true (xml_equals (xml_root (bond), "@type", "bond"));
    assert_true (xml_equals (xml_root (bond), "bond/@mode", "active-backup"));
    assert_true (xml_equals (xml_root (bond), "bond/interface/@name", "eth7"));
    auto(xml_t) vlan = read_link (*state, "eth7.5");
    assert_true (xml_equals (xml_root (vlan), "@type", "vlan"));
    assert_true (xml_equals (xml_root (vlan), "vlan/@tag", "5"));
    assert_true (xml_equals (xml_root (vlan), "vlan/interface/@name", "eth7"));
}

//  A name is no path.
static void what_is_no_link (void **state)
{
    static const char *const names[] = { "eth8",        "",      ".",   "..",
                                         "../net/eth7", "eth7/", "a/b", "a-name-that-is-too-long" };
    put_link (*state, "eth7", "52:54:00:00:00:01\n", "0x1003\n");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        error_t err;
        assert_null (host_interface_xml (*state, names[i], &err));
        assert_int_equal (err.code, ERR_NO_INTERFACE);
    }
}

//  The one that every machine has, with the addresses that the kernel says.
static void this_machine_itself (void **state)
{
    (void) state;
    if (access ("/sys/class/net/lo", F_OK))
        skip ();
    auto(xml_t) doc = read_link ("", "lo");
    autofree char *text = xml_text (doc);
    assert_non_null (strstr (text, "<interface type='ethernet' name='lo'>"));
    assert_non_null (strstr (text, "<mtu size="));
}

int main (void)
{
    xml_init ();
    const struct CMUnitTest tests[] = {
        unit_test_in_folder (lists_what_is_a_link),
        unit_test_in_folder (a_machine_without_links),
        unit_test_in_folder (one_link),
        unit_test_in_folder (a_bridge_has_ports),
        unit_test_in_folder (a_bond_and_a_vlan),
        unit_test_in_folder (what_is_no_link),
        cmocka_unit_test (this_machine_itself),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
