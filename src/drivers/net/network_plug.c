//  network_plug.c: what ports of a running network are plugged into (network_start.h).

#include "drivers/definition.h"
#include "drivers/net/network_start.h"
#include "drivers/net/network_xml.h"
#include "util/file.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

//  Devices.

//  The VFs of a PF, as sysfs has them (Documentation/ABI/testing/sysfs-bus-pci): virtfn0, virtfn1,
//  ...; each a link to "../0000:01:10.0".
static int add_vfs (strings_t *devices, const char *pf, bool links, error_t *err)
{
    autofree char *link = text_format ("/sys/class/net/%s", pf);
    autofree char *folder = text_format ("%s/device", link);
    if (access (link, F_OK) < 0 && errno == ENOENT)
        return error_set (err, ERR_OPERATION_FAILED,
                          "<pf dev='%s'>: this host has no such interface", pf);
    for (unsigned i = 0;; i++) {
        char to[PATH_MAX];
        autofree char *vf = text_format ("%s/virtfn%u", folder, i);
        autofree char *net = text_format ("%s/net", vf);
        ssize_t size = readlink (vf, to, sizeof to - 1);
        if (size < 0 && i > 0)
            return 0;
        if (size < 0)
            return error_set (
                err, ERR_OPERATION_FAILED,
                "the interface '%s' has no SR-IOV virtual functions; set their number "
                "in %s/sriov_numvfs",
                pf, folder);
        to[size] = 0;
        auto(strings_t) names = links ? file_list (net, "", err) : NULL;
        if (links && !names)
            return -1;
        const char *slash = strrchr (to, '/');
        if (!links)
            strings_add (devices, slash ? slash + 1 : to);
        else if (names->count > 0)
            strings_add (devices, names->items[0]);
    }
}

strings_t *network_functions (const char *pf, error_t *err)
{
    auto(strings_t) functions = strings_new ();
    return add_vfs (functions, pf, false, err) ? NULL : take (&functions);
}

strings_t *network_devices (const guest_t *guest, error_t *err)
{
    auto(strings_t) devices = strings_new ();
    const xml_node_t *network = xml_root (guest->live), *forward = xml_find (network, "forward");
    bool hostdev = network_forward (network) == FORWARD_HOSTDEV;
    if (network_is_virtual (network) || network_host_bridge (network))
        return take (&devices);
    const char *pf = xml_string (forward, "pf/@dev"), *dev = xml_string (forward, "@dev");
    if (pf && add_vfs (devices, pf, !hostdev, err)) {
        error_prefix (err, "network '%s'", guest->name);
        return NULL;
    }
    xml_foreach (interface, forward, "interface")
        strings_add (devices, xml_string (interface, "@dev"));
    if (dev && !xml_find (forward, "interface") && !pf)
        strings_add (devices, dev);
    xml_foreach (address, forward, "address") {
        autofree char *text = definition_pci_text (address);
        strings_add (devices, text);
    }
    return take (&devices);
}

//  What is told of them.

static uint64_t number (const xml_node_t *node, const char *path)
{
    uint64_t value = 0;
    error_t ignored; //  it was checked, or is our own
    return node && xml_u64 (node, path, &value, &ignored) == 0 ? value : 0;
}

static void pack_rate (pack_t *pack, const char *key, const xml_node_t *rate)
{
    pack_key_map (pack, key);
    pack_key_u64 (pack, "average_kb", number (rate, "@average"));
    pack_key_u64 (pack, "peak_kb", number (rate, "@peak"));
    pack_key_u64 (pack, "burst_kib", number (rate, "@burst"));
    pack_key_u64 (pack, "floor_kb", 0);
    pack_end (pack);
}

//  As link_bandwidth_pack does it; nil where there is none.
static void pack_bandwidth (pack_t *pack, const xml_node_t *bandwidth)
{
    pack_key (pack, "bandwidth");
    if (!bandwidth) {
        pack_nil (pack);
        return;
    }
    pack_map (pack);
    pack_rate (pack, "inbound", xml_find (bandwidth, "inbound"));
    pack_rate (pack, "outbound", xml_find (bandwidth, "outbound"));
    pack_end (pack);
}

//  Of the network, or of a portgroup: absent where nothing is said.
static void pack_common (pack_t *pack, const xml_node_t *owner)
{
    static const char *const texts[][2] = {
        { "trust_guest_rx_filters", "@trustGuestRxFilters" },
        { "virtualport", "virtualport/@type" },
        { "profile", "virtualport/parameters/@profileid" },
    };
    if (xml_find (owner, "vlan"))
        pack_key_u64 (pack, "vlan", number (owner, "vlan/tag/@id"));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *text = xml_string (owner, texts[i][1]);
        if (text)
            pack_key_str (pack, texts[i][0], text);
    }
}

static void pack_groups (pack_t *pack, const xml_node_t *network)
{
    pack_key_array (pack, "portgroups");
    xml_foreach (group, network, "portgroup") {
        pack_map (pack);
        pack_key_str (pack, "name", xml_string (group, "@name"));
        pack_key_bool (pack, "default", xml_equals (group, "@default", "yes"));
        pack_common (pack, group);
        pack_bandwidth (pack, xml_find (group, "bandwidth"));
        pack_end (pack);
    }
    pack_end (pack);
}

static const char *kind_of (const xml_node_t *network)
{
    if (network_forward (network) == FORWARD_HOSTDEV)
        return "hostdev";
    return network_is_virtual (network) || network_host_bridge (network) ? "bridge" : "macvtap";
}

void network_pack_plug (pack_t *pack, const guest_t *guest, const strings_t *devices)
{
    const xml_node_t *network = xml_root (guest->live);
    const xml_node_t *record = guest->record ? xml_root (guest->record) : NULL;
    forward_t mode = network_forward (network);
    const char *host = network_host_bridge (network), *bridge = network_bridge (guest);
    pack_key_map (pack, "plug");
    pack_key_str (pack, "kind", kind_of (network));
    pack_key_str (pack, "mode", network_forward_name (mode));
    pack_key_str (pack, "bridge", bridge ? bridge : host);
    pack_key_u64 (pack, "bridge_index", number (record, "bridge/@ifindex"));
    pack_key_u64 (pack, "mtu", number (network, "mtu/@size"));
    pack_key_bool (pack, "isolated", xml_equals (network, "port/@isolated", "yes"));
    pack_key_str (pack, "driver", xml_string (network, "forward/driver/@name"));
    pack_key_bool (pack, "managed", xml_equals (network, "forward/@managed", "yes"));
    pack_common (pack, network);
    pack_groups (pack, network);
    pack_key_bool (pack, "exclusive", mode == FORWARD_HOSTDEV || mode == FORWARD_PASSTHROUGH);
    pack_key_str (pack, "pf",
                  mode == FORWARD_HOSTDEV ? xml_string (network, "forward/pf/@dev") : NULL);
    pack_key_array (pack, "devices");
    for (size_t i = 0; i < devices->count; i++)
        pack_str (pack, devices->items[i]);
    pack_end (pack);
    pack_end (pack);
}
