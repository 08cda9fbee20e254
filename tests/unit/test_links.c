//  test_links.c: links in a network namespace of the test's own: each kind, with all that goes with
//  it; what may not be touched, and what is left after failures.

#include "links_scene.h"

#include <netlink/attr.h>

//  Scenes.

static void scene_pair (actor_t *self)
{
    start_all (self);
    link_t bridge, link, again;
    make (self, "bridge", &a_bridge, &bridge);
    check_text (bridge.name, "br7");
    check_text (bridge.mac, "52:54:00:aa:bb:01");
    check (bridge.up);
    link_spec_t spec = a_pair;
    spec.set.master = "br7";
    spec.set.master_index = bridge.ifindex;
    spec.set.mtu = 1400;
    spec.set.isolated = spec.peer.up = LINK_ON;
    spec.peer.mac = "52:54:00:aa:bb:02";
    make (self, "net0", &spec, &link);
    check_text (link.kind, "veth");
    check_equal (link.mtu, 1400);
    check_equal (link.master_index, bridge.ifindex);
    check_text (link.peer_mac, "52:54:00:aa:bb:02");
    check (strncmp (link.name, "vnet", 4) == 0 && strncmp (link.peer_name, "vnet", 4) == 0);
    check_equal (if_nametoindex (link.name), link.ifindex);
    check_equal (if_nametoindex (link.peer_name), link.peer_index);
    check_text (netns_find (link.mac).alias, "troupe " OWNER " net0");
    check_equal (do_key (self, "link.get", "net0", &again), 0);
    check_equal (again.ifindex, link.ifindex);
    check_text (again.peer_name, link.peer_name);
    check_equal (find (self, link.peer_name, &again), 0);
    check_equal (again.ifindex, link.peer_index);
    check_equal (create (self, "net0", &a_pair, NULL), ERR_OPERATION_INVALID);
    auto(msg_t) list = scene_ask (self, "links", "link.list", PATIENCE_MS);
    check_equal (value_count (msg_value (list)), 2);
    const value_t *second = value_at (msg_value (list), 1);
    check_text (value_get_str (second, "owner"), OWNER);
    check_text (value_get_str (second, "key"), "net0");
    check_text (value_get_str (second, "name"), link.name);
    check_text (value_get_str (second, "master"), "br7");
    check_equal (do_key (self, "link.delete", "net0", NULL), 0);
    check_equal (do_key (self, "link.delete", "net0", NULL), 0);
    check_equal (do_key (self, "link.get", "net0", NULL), ERR_NO_INTERFACE);
    release (self);
}

static void scene_settings (actor_t *self)
{
    start_all (self);
    link_t bridge, link;
    make (self, "bridge", &a_bridge, &bridge);
    make (self, "net0", &a_pair, &link);
    link_settings_t settings = { .name = "blue",
                                 .mac = "52:54:00:aa:bb:03",
                                 .alias = "a guest's",
                                 .master = "br7",
                                 .mtu = 1300,
                                 .up = LINK_OFF,
                                 .flood = LINK_OFF };
    check_equal (set (self, "net0", false, &settings, &link), 0);
    check_text (link.name, "blue");
    check_text (link.mac, "52:54:00:aa:bb:03");
    check_equal (link.mtu, 1300);
    check_equal (link.master_index, bridge.ifindex);
    check (!link.up);
    settings = (link_settings_t){ .name = "inner", .up = LINK_ON };
    check_equal (set (self, "net0", true, &settings, &link), 0);
    check_text (link.peer_name, "inner");
    settings = (link_settings_t){ .master = "" };
    check_equal (set (self, "net0", false, &settings, &link), 0);
    check_equal (link.master_index, 0);
    //  It fails in the middle: nothing is changed.
    settings = (link_settings_t){ .mac = "52:54:00:aa:bb:04", .mtu = 1400, .name = "br7" };
    check_equal (set (self, "net0", false, &settings, NULL), ERR_OPERATION_FAILED);
    check (strstr (last.message, "change link 'blue'") && strstr (last.message, "exists already"));
    check_equal (do_key (self, "link.get", "net0", &link), 0);
    check_text (link.mac, "52:54:00:aa:bb:03");
    check_equal (link.mtu, 1300);
    settings = (link_settings_t){ .master = "nosuch" };
    check_equal (set (self, "net0", false, &settings, NULL), ERR_NO_INTERFACE);
    check (strstr (last.message, "there is no bridge 'nosuch'"));
    settings = (link_settings_t){ .mac = "01:54:00:aa:bb:04" };
    check_equal (set (self, "net0", false, &settings, NULL), ERR_INVALID_MAC);
    //  MAC, alias and name are others now, and it is still ours.
    stop_links (self);
    start_links (self);
    check_equal (do_key (self, "link.get", "net0", &link), 0);
    check_text (link.name, "blue");
    release (self);
}

static void scene_kinds (actor_t *self)
{
    start_all (self);
    link_t lower, link;
    make (self, "lower", &a_pair, &lower);
    const struct {
        const char *kind;
        link_spec_t spec;
    } kinds[] = {
        { "tun", { .kind = LINK_TAP, .set.name = "vnet%d", .vnet_hdr = true } },
        { "tun",
          { .kind = LINK_TAP,
            .set = { .name = "tap9", .mac = "fe:54:00:00:00:01", .mtu = 1280, .up = LINK_ON },
            .uid = 65534,
            .gid = 65534,
            .multi_queue = true } },
        { "macvtap", { .kind = LINK_MACVTAP, .set.name = "macvtap%d", .lower = lower.name } },
        { "macvlan",
          { .kind = LINK_MACVLAN,
            .set.name = "macvlan%d",
            .lower_index = lower.ifindex,
            .mode = "bridge" } },
        { "macvtap",
          { .kind = LINK_MACVTAP,
            .set = { .name = "macvtap%d", .mac = "52:54:00:aa:bb:06" },
            .lower = lower.peer_name,
            .mode = "passthrough" } },
        { "vlan", { .kind = LINK_VLAN, .set.name = "vlan%d", .lower = lower.name, .vlan = 7 } },
        { "vxlan",
          { .kind = LINK_VXLAN,
            .set.name = "vx7",
            .vni = 7,
            .remote = "239.1.1.1",
            .lower = lower.name } },
        { "bridge", { .kind = LINK_BRIDGE, .set.name = "br%d", .vlan_filtering = LINK_ON } },
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        autofree char *key = text_format ("kind-%zu", i);
        //  Not every kernel has all of them; each says which one it has not.
        if (create (self, key, &kinds[i].spec, &link) == ERR_OPERATION_UNSUPPORTED) {
            check (strstr (last.message, "kernel does not support it"));
            check (i >= 2);
            continue;
        }
        if (last.code)
            fprintf (stderr, "%s\n", last.message);
        check_equal (last.code, 0);
        check_text (link.kind, kinds[i].kind);
        check_equal (if_nametoindex (link.name), link.ifindex);
    }
    //  The second one on a link that the first has for itself; the first is left alone.
    const unsigned before = netns_count_links ();
    const link_spec_t second = { .kind = LINK_MACVTAP,
                                 .set.name = "macvtap%d",
                                 .lower = lower.peer_name,
                                 .mode = "passthrough" };
    check (create (self, "second", &second, NULL) != 0);
    check_equal (netns_count_links (), before);
    check_equal (find (self, "tap9", &link), 0);
    check_text (link.mac, "fe:54:00:00:00:01");
    check_equal (link.mtu, 1280);
    check (link.up);
    release (self);
}

//  What is not ours is left alone, and what can't be made leaves nothing.
static void scene_strangers (actor_t *self)
{
    start_all (self);
    check_equal (netns_make_pair ("blue", "red"), 0);
    const unsigned before = netns_count_links ();
    const unsigned blue = if_nametoindex ("blue");
    link_spec_t spec = a_pair;
    spec.set.name = "blue";
    check_equal (create (self, "net0", &spec, NULL), ERR_OPERATION_FAILED);
    check (strstr (last.message, "make veth 'blue'") && strstr (last.message, "was left alone"));
    spec = (link_spec_t){ .kind = LINK_TAP, .set.name = "blue" };
    check_equal (create (self, "net0", &spec, NULL), ERR_OPERATION_FAILED);
    check (strstr (last.message, "make tap 'blue'") && strstr (last.message, "was left alone"));
    spec = a_pair;
    spec.peer.name = "red";
    check_equal (create (self, "net0", &spec, NULL), ERR_OPERATION_FAILED);
    //  It is made, but can't be plugged into what is no bridge.
    spec = a_pair;
    spec.set.master = "blue";
    check_equal (create (self, "net0", &spec, NULL), ERR_OPERATION_UNSUPPORTED);
    spec.set.master = "green";
    check_equal (create (self, "net0", &spec, NULL), ERR_NO_INTERFACE);
    spec.set.master = NULL;
    spec.set.name = "a/b";
    check_equal (create (self, "net0", &spec, NULL), ERR_INVALID_ARG);
    spec.set.name = "vnet%d%d";
    check_equal (create (self, "net0", &spec, NULL), ERR_INVALID_ARG);
    spec = (link_spec_t){ .kind = LINK_BRIDGE, .set.name = "br0", .vlan = 3 };
    check_equal (create (self, "net0", &spec, NULL), ERR_INVALID_ARG);
    check_equal (do_key (self, "link.delete", "net0", NULL), 0);
    check_equal (netns_count_links (), before);
    check_equal (if_nametoindex ("blue"), blue);
    check_equal (count_records (), 0);
    //  One that took the name and the ifindex of ours is not ours.
    link_t link;
    spec = a_pair;
    spec.set.name = "ours";
    make (self, "net0", &spec, &link);
    stop_links (self);
    check_equal (netns_remove (link.ifindex), 0);
    struct ifinfomsg head = { .ifi_index = (int) link.ifindex };
    struct nl_msg *msg = netlink_message (RTM_NEWLINK, NLM_F_CREATE, &head, sizeof head);
    netlink_put_text (msg, IFLA_IFNAME, "ours");
    struct nlattr *info = netlink_nest (msg, IFLA_LINKINFO);
    netlink_put_text (msg, IFLA_INFO_KIND, "veth");
    nla_nest_end (msg, info);
    check_equal (netns_ask (msg), 0);
    start_links (self);
    release (self);
    check_equal (if_nametoindex ("ours"), link.ifindex);
    check_equal (netns_remove (link.ifindex), 0);
    check_equal (netns_remove (blue), 0);
}

static void scene_addresses (actor_t *self)
{
    start_all (self);
    link_t link;
    make (self, "bridge", &a_bridge, &link);
    static const struct {
        const char *address;
        int code;
    } addresses[] = {
        { "192.168.122.1/24", 0 },
        { "192.168.122.1/24", 0 },
        { "fd00:7::1/64", 0 },
        { "192.168.122.1", ERR_INVALID_ARG },
        { "192.168.122.1/33", ERR_INVALID_ARG },
        { "192.168.122/24", ERR_INVALID_ARG },
    };
    for (int remove = 0; remove < 2; remove++)
        for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
            msg_t *msg = key_request ("link.address", "bridge");
            pack_key_str (msg_args (msg), "address", addresses[i].address);
            pack_key_bool (msg_args (msg), "remove", remove);
            check_equal (call (self, msg, NULL), addresses[i].code);
        }
    msg_t *msg = key_request ("link.address", "bridge");
    pack_key_str (msg_args (msg), "address", "192.168.122.1/24");
    check_equal (call (self, msg, NULL), 0);
    static const struct {
        link_route_t route;
        bool remove;
        int code;
    } routes[] = {
        { { .to = "10.7.0.0/16", .via = "192.168.122.9" }, false, 0 },
        { { .to = "10.7.0.0/16", .via = "192.168.122.9" }, false, ERR_OPERATION_FAILED },
        { { .to = "10.8.0.0/16", .metric = 5 }, false, 0 },
        { { .to = "10.7.0.1/16" }, false, ERR_INVALID_ARG },
        { { .to = "10.9.0.0/16", .via = "fd00::1" }, false, ERR_INVALID_ARG },
        { { .to = "10.9.0.0/16", .via = "172.16.0.1" }, false, ERR_OPERATION_FAILED },
        { { .to = "10.7.0.0/16" }, true, 0 },
        { { .to = "10.7.0.0/16" }, true, 0 },
    };
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        msg = key_request ("link.route", "bridge");
        pack_key (msg_args (msg), "route");
        link_route_pack (msg_args (msg), &routes[i].route);
        pack_key_bool (msg_args (msg), "remove", routes[i].remove);
        int code = call (self, msg, NULL);
        if (code != routes[i].code)
            fprintf (stderr, "route %zu: %s\n", i, last.message);
        check_equal (code, routes[i].code);
    }
    release (self);
}

static int set_bandwidth (actor_t *self, const link_bandwidth_t *bandwidth)
{
    msg_t *msg = key_request ("link.bandwidth", "net0");
    if (bandwidth) {
        pack_key (msg_args (msg), "bandwidth");
        link_bandwidth_pack (msg_args (msg), bandwidth);
    }
    return call (self, msg, NULL);
}

static void scene_bandwidth (actor_t *self)
{
    start_all (self);
    link_t link;
    make (self, "net0", &a_pair, &link);
    link_bandwidth_t bandwidth = { .inbound = { 1000, 5000, 1024, 0 } };
    check_equal (set_bandwidth (self, &bandwidth), 0);
    bandwidth.inbound.average_kb = UINT32_MAX;
    check_equal (set_bandwidth (self, &bandwidth), 0);
    check_equal (set_bandwidth (self, NULL), 0);
    check_equal (set_bandwidth (self, NULL), 0);
    bandwidth = (link_bandwidth_t){ .outbound.average_kb = 128 };
    int code = set_bandwidth (self, &bandwidth);
    if (code)
        check (strstr (last.message, "this host's kernel has no support for policing"));
    check (code == 0 || code == ERR_OPERATION_UNSUPPORTED);
    bandwidth = (link_bandwidth_t){ .inbound.peak_kb = 128 };
    check_equal (set_bandwidth (self, &bandwidth), ERR_INVALID_ARG);
    release (self);
}

static told_t told (actor_t *self)
{
    told_t told;
    auto(msg_t) answer = scene_ask (self, OWNER, "test.told", PATIENCE_MS);
    const value_t *value = msg_value (answer);
    told.gone = value_get_u64 (value, "gone", 0);
    told.changed = value_get_u64 (value, "changed", 0);
    snprintf (told.key, sizeof told.key, "%s", value_get_str (value, "key"));
    return told;
}

static void await_gone (actor_t *self, uint64_t count)
{
    for (int waited = 0; told (self).gone < count && waited < PATIENCE_MS; waited += 10)
        scene_pass (self, 10);
    check_equal (told (self).gone, count);
}

static void scene_told (actor_t *self)
{
    start_all (self);
    check_equal (scene_spawn (self, OWNER, &owner_class, false), 0);
    link_t link;
    make (self, "net0", &a_pair, &link);
    check_equal (told (self).changed + told (self).gone, 0);
    struct ifinfomsg head = { .ifi_index = (int) link.ifindex };
    struct nl_msg *msg = netlink_message (RTM_SETLINK, 0, &head, sizeof head);
    netlink_put_u32 (msg, IFLA_MTU, 1200);
    check_equal (netns_ask (msg), 0);
    for (int i = 0; told (self).changed == 0 && i < PATIENCE_MS / 10; i++)
        scene_pass (self, 10);
    check_equal (told (self).changed, 1);
    check_text (told (self).key, "net0");
    check_equal (netns_remove (link.ifindex), 0);
    await_gone (self, 1);
    check_equal (do_key (self, "link.get", "net0", NULL), ERR_NO_INTERFACE);
    //  The key is free again.
    make (self, "net0", &a_pair, &link);
    release (self);
    check_equal (told (self).gone, 1);
    scene_end_actor (self, OWNER);
}

static pid_t container;
static char container_identity[PROCESS_TEXT_SIZE];

static void scene_namespaces (actor_t *self)
{
    start_all (self);
    check_equal (scene_spawn (self, OWNER, &owner_class, false), 0);
    link_t link;
    link_spec_t spec = a_pair;
    spec.peer = (link_settings_t){
        .name = "eth0", .mac = "52:54:00:aa:bb:05", .up = LINK_ON, .process = container_identity
    };
    make (self, "net0", &spec, &link);
    check_text (link.peer_name, "");
    check (container_has (container, "eth0:"));
    check_equal (netns_count_links (), 2);
    //  Both ends are made here, then one goes.
    make (self, "net1", &a_pair, &link);
    link_settings_t move = { .name = "eth1", .up = LINK_ON, .process = container_identity };
    check_equal (set (self, "net1", true, &move, NULL), 0);
    check (container_has (container, "eth1:"));
    check_equal (set (self, "net1", true, &move, NULL), ERR_OPERATION_INVALID);
    make (self, "tap", &(link_spec_t){ .kind = LINK_TAP, .set.name = "vnet%d" }, &link);
    autofree char *path = text_format ("/proc/%d/ns/net", (int) container);
    move = (link_settings_t){ .netns = path };
    check_equal (set (self, "tap", false, &move, NULL), 0);
    check_equal (do_key (self, "link.get", "tap", NULL), ERR_OPERATION_INVALID);
    check_equal (told (self).gone, 0);
    check_equal (do_key (self, "link.delete", "tap", NULL), 0);
    //  One that is made where it is for; with its own words, and while another has its name here.
    check_equal (netns_make_pair ("eth2", "other"), 0);
    spec.peer = (link_settings_t){
        .name = "eth2", .mac = "52:54:00:aa:bb:06", .mtu = 1400, .process = container_identity
    };
    make (self, "net2", &spec, &link);
    check_text (link.peer_name, "");
    check (container_has (container, "eth2:"));
    check_equal (do_key (self, "link.delete", "net2", NULL), 0);
    check (!container_has (container, "eth2:"));
    spec.peer.name = "eth0";
    check_equal (create (self, "net2", &spec, NULL), ERR_OPERATION_FAILED);
    check_equal (netns_remove (netns_find ("02:01").link.ifindex), 0);
    move = (link_settings_t){ .process = "1:1:11111111-2222-3333-4444-555555555555" };
    check_equal (set (self, "net1", false, &move, NULL), ERR_OPERATION_INVALID);
    move = (link_settings_t){ .netns = "/etc/passwd" };
    check_equal (set (self, "net1", false, &move, NULL), ERR_INVALID_ARG);
    //  With the container its ends go, and so do ours.
    end_container (container);
    await_gone (self, 2);
    check_equal (do_key (self, "link.get", "net0", NULL), ERR_NO_INTERFACE);
    //  Once this is on disk, what was found to be gone is not there any more, either.
    make (self, "last", &a_pair, &link);
    release (self);
    scene_end_actor (self, OWNER);
}

//  Without capabilities.
static void scene_denied (actor_t *self)
{
    start_all (self);
    check_equal (create (self, "net0", &a_pair, NULL), ERR_OPERATION_DENIED);
    check (strstr (last.message, "make veth 'vnet%d': not permitted"));
    const link_spec_t tap = { .kind = LINK_TAP, .set.name = "vnet%d" };
    check_equal (create (self, "net0", &tap, NULL), ERR_OPERATION_DENIED);
    check_equal (find (self, "lo", NULL), 0);
    release (self);
}

static void test_denied (void **state)
{
    int status;
    const pid_t pid = netns_fork ();
    if (pid == 0)
        in_child (scene_denied, *state, false);
    assert_int_equal (waitpid (pid, &status, 0), pid);
    assert_int_equal (status, 0);
}

static void test_namespaces (void **state)
{
    container = start_container (container_identity);
    run (scene_namespaces, *state);
}

KERNEL_TEST (pair)
KERNEL_TEST (settings)
KERNEL_TEST (kinds)
KERNEL_TEST (strangers)
KERNEL_TEST (addresses)
KERNEL_TEST (bandwidth)
KERNEL_TEST (told)

int main (void)
{
    const struct CMUnitTest tests[] = {
        unit_test_in_folder (test_pair),      unit_test_in_folder (test_settings),
        unit_test_in_folder (test_kinds),     unit_test_in_folder (test_strangers),
        unit_test_in_folder (test_addresses), unit_test_in_folder (test_bandwidth),
        unit_test_in_folder (test_told),      unit_test_in_folder (test_namespaces),
        unit_test_in_folder (test_denied),
    };
    NETNS_OR_SKIP ();
    return cmocka_run_group_tests (tests, NULL, NULL);
}
