//  network_xml.c: what a network is as a whole: its forward mode, its bridge, its portgroups.

#include "drivers/net/network_xml.h"

#include "drivers/definition.h"
#include "drivers/net/network_dnsmasq.h"
#include "util/text.h"

#include <net/if.h>
#include <string.h>

static const char *const forward_names[] = {
    [FORWARD_NONE] = "isolated",   [FORWARD_NAT] = "nat",
    [FORWARD_ROUTE] = "route",     [FORWARD_OPEN] = "open",
    [FORWARD_BRIDGE] = "bridge",   [FORWARD_PRIVATE] = "private",
    [FORWARD_VEPA] = "vepa",       [FORWARD_PASSTHROUGH] = "passthrough",
    [FORWARD_HOSTDEV] = "hostdev",
};

enum {
    FORWARD_COUNT = sizeof forward_names / sizeof *forward_names
};

const char *network_forward_name (forward_t mode)
{
    return forward_names[mode];
}

forward_t network_forward (const xml_node_t *network)
{
    const xml_node_t *forward = xml_find (network, "forward");
    const char *mode = forward ? xml_string (forward, "@mode") : NULL;
    if (!forward)
        return FORWARD_NONE;
    for (size_t i = FORWARD_NAT; mode && i < FORWARD_COUNT; i++)
        if (strcmp (forward_names[i], mode) == 0)
            return (forward_t) i;
    return FORWARD_NAT;
}

bool network_is_virtual (const xml_node_t *network)
{
    return network_forward (network) <= FORWARD_OPEN;
}

const char *network_host_bridge (const xml_node_t *network)
{
    return network_forward (network) == FORWARD_BRIDGE ? xml_string (network, "bridge/@name")
                                                       : NULL;
}

const xml_node_t *network_dhcp (const xml_node_t *network, int family)
{
    xml_foreach (ip, network, "ip") {
        bool six = xml_equals (ip, "@family", "ipv6");
        if (six == (family == AF_INET6) && xml_find (ip, "dhcp"))
            return xml_find (ip, "dhcp");
    }
    return NULL;
}

bool network_has_dns (const xml_node_t *network)
{
    return xml_flag (network, "dns/@enable", true);
}

bool network_needs_dnsmasq (const xml_node_t *network)
{
    bool any = xml_find (network, "ip") != NULL;
    bool six = false;
    xml_foreach (ip, network, "ip")
        six = six || xml_equals (ip, "@family", "ipv6");
    return network_is_virtual (network) && any &&
           (network_has_dns (network) || six || network_dhcp (network, AF_INET) ||
            network_dhcp (network, AF_INET6));
}

bool network_is_mac (const char *text)
{
    uint8_t mac[6];
    return text && link_mac_read (text, mac);
}

//  Names of links, as the kernel takes them (dev_valid_name in its documentation of netdevices),
//  and that mean the same to nftables and dnsmasq: to both 'virbr*' is all that begin so, and to
//  dnsmasq 'a,eth0' is two.
static int check_link_name (const char *what, const char *name, error_t *err)
{
    bool fits = *name && strlen (name) < IF_NAMESIZE && !strpbrk (name, "/: %*,\"\\") &&
                strcmp (name, ".") != 0 && strcmp (name, "..") != 0;
    for (const char *c = name; *c; c++)
        fits = fits && (unsigned char) *c > ' ' && *c != 0x7f;
    if (!fits)
        return error_set (err, ERR_XML_ERROR,
                          "network XML: %s: '%s' can't be the name of a link (1 to %d characters, "
                          "without spaces and '/', ':', '%%', '*', ',', '\"', '\\')",
                          what, name, IF_NAMESIZE - 1);
    return 0;
}

//  "virbr%d": the kernel puts the number in.
static int check_bridge_name (const char *name, error_t *err)
{
    const char *percent = strstr (name, "%d");
    if (!percent)
        return check_link_name ("<bridge>", name, err);
    autofree char *named = text_format ("%.*s00%s", (int) (percent - name), name, percent + 2);
    return check_link_name ("<bridge>", named, err);
}

const char *network_own_bridge (const xml_node_t *network)
{
    const char *name = xml_string (network, "bridge/@name");
    return name && network_is_virtual (network) && !strstr (name, "%d") ? name : NULL;
}

//  Forward.

size_t network_count (const xml_node_t *node, const char *name)
{
    size_t count = 0;
    xml_foreach (child, node, name)
        count++;
    return count;
}

static int check_mode (const xml_node_t *network, error_t *err)
{
    const char *mode = xml_string (network, "forward/@mode");
    for (size_t i = FORWARD_NAT; mode && i < FORWARD_COUNT; i++)
        if (strcmp (forward_names[i], mode) == 0)
            return 0;
    if (mode)
        return error_set (err, ERR_XML_ERROR,
                          "network XML: forward mode '%s' is none of nat, route, open, bridge, "
                          "private, vepa, passthrough, hostdev",
                          mode);
    return 0;
}

static int check_nat (const xml_node_t *forward, forward_t mode, error_t *err)
{
    const xml_node_t *nat = xml_find (forward, "nat");
    const char *start = xml_string (nat ? nat : forward, "address/@start");
    const char *end = xml_string (nat ? nat : forward, "address/@end");
    int low = 1024, high = 65535;
    address_t first, last;
    if (!nat)
        return 0;
    if (mode != FORWARD_NAT)
        return error_set (err, ERR_XML_ERROR,
                          "network XML: <nat> goes with forward mode 'nat' only, not with '%s'",
                          forward_names[mode]);
    if (xml_find (nat, "address") &&
        (!address_read (start, &first) || !address_read (end, &last) || first.family != AF_INET ||
         last.family != AF_INET || address_compare (&first, &last) > 0))
        return error_set (err, ERR_XML_ERROR,
                          "network XML: <nat><address start='%s' end='%s'/>: it has to be a range "
                          "of IPv4 addresses",
                          start ? start : "", end ? end : "");
    if (xml_int (nat, "port/@start", 1, 65535, &low, err) ||
        xml_int (nat, "port/@end", 1, 65535, &high, err))
        return error_prefix (err, "network XML: <nat>");
    if (low > high)
        return error_set (err, ERR_XML_ERROR,
                          "network XML: <nat><port start='%d' end='%d'/>: it ends before it begins",
                          low, high);
    if (xml_string (nat, "@ipv6") && !xml_equals (nat, "@ipv6", "yes") &&
        !xml_equals (nat, "@ipv6", "no"))
        return error_set (err, ERR_XML_ERROR, "network XML: <nat ipv6='%s'> is not yes or no",
                          xml_string (nat, "@ipv6"));
    return 0;
}

//  What a mode needs and takes in its <forward>.
static const struct {
    forward_t mode;
    bool dev, pf, address, many, needed;
} forward_rules[] = {
    { FORWARD_NAT, true, false, false, false, false },
    { FORWARD_ROUTE, true, false, false, false, false },
    { FORWARD_OPEN, false, false, false, false, false },
    { FORWARD_BRIDGE, true, true, false, true, true },
    { FORWARD_PRIVATE, true, true, false, true, true },
    { FORWARD_VEPA, true, true, false, true, true },
    { FORWARD_PASSTHROUGH, true, true, false, true, true },
    { FORWARD_HOSTDEV, false, true, true, true, true },
};

static int check_parts (const xml_node_t *forward, size_t rule, error_t *err)
{
    const char *mode = forward_names[forward_rules[rule].mode];
    size_t devs = network_count (forward, "interface"), pfs = network_count (forward, "pf");
    size_t addresses = network_count (forward, "address");
    if ((xml_string (forward, "@dev") || devs) && !forward_rules[rule].dev)
        return error_set (err, ERR_XML_ERROR,
                          "network XML: forward mode '%s' takes no interface of the host", mode);
    if ((pfs && !forward_rules[rule].pf) || (addresses && !forward_rules[rule].address))
        return error_set (err, ERR_XML_ERROR, "network XML: forward mode '%s' takes no <%s>", mode,
                          pfs ? "pf" : "address");
    if (devs > 1 && !forward_rules[rule].many)
        return error_set (err, ERR_XML_ERROR,
                          "network XML: forward mode '%s' takes one <interface> at most", mode);
    if (pfs > 1 || (devs > 0) + (pfs > 0) + (addresses > 0) > 1)
        return error_set (err, ERR_XML_ERROR,
                          "network XML: <forward> takes interfaces, or addresses, or one <pf>");
    if (forward_rules[rule].needed && devs + pfs + addresses == 0 && !xml_string (forward, "@dev"))
        return error_set (err, ERR_XML_ERROR, "network XML: forward mode '%s' needs %s", mode,
                          forward_rules[rule].address ? "a <pf> or <address>es"
                                                      : "an <interface> of the host or a <pf>");
    return 0;
}

static int check_pci_address (const xml_node_t *address, error_t *err)
{
    int domain = 0, bus = 0, slot = 0, function = 0;
    if (!xml_equals (address, "@type", "pci") || !xml_string (address, "@bus") ||
        !xml_string (address, "@slot") || xml_int (address, "@domain", 0, 0xffff, &domain, err) ||
        xml_int (address, "@bus", 0, 0xff, &bus, err) ||
        xml_int (address, "@slot", 0, 0x1f, &slot, err) ||
        xml_int (address, "@function", 0, 7, &function, err))
        return error_set (err, ERR_XML_ERROR,
                          "network XML: <forward><address>: it has to be type='pci' with domain, "
                          "bus, slot and function of a device");
    return 0;
}

static int check_pci_twice (strings_t *seen, const xml_node_t *address, error_t *err)
{
    autofree char *text = definition_pci_text (address);
    if (strings_contain (seen, text))
        return error_set (err, ERR_XML_ERROR,
                          "network XML: <forward>: the device %s is there twice", text);
    strings_add (seen, text);
    return 0;
}

static int check_devices (const xml_node_t *forward, error_t *err)
{
    auto(strings_t) seen = strings_new ();
    const char *dev = xml_string (forward, "@dev"), *first = xml_string (forward, "interface/@dev");
    if (dev && check_link_name ("<forward dev>", dev, err))
        return -1;
    if (dev && first && strcmp (dev, first) != 0)
        return error_set (err, ERR_XML_ERROR,
                          "network XML: <forward dev='%s'>, but its first <interface> is '%s'", dev,
                          first);
    xml_foreach (child, forward, NULL) {
        bool named = xml_is (child, "interface") || xml_is (child, "pf");
        const char *name = named ? xml_string (child, "@dev") : NULL;
        if (named && !name)
            return error_set (err, ERR_XML_ERROR, "network XML: <forward><%s>: it has no dev",
                              xml_name (child));
        if (name && check_link_name ("<forward>", name, err))
            return -1;
        if (name && strings_contain (seen, name))
            return error_set (err, ERR_XML_ERROR,
                              "network XML: <forward>: the interface '%s' is there twice", name);
        if (name)
            strings_add (seen, name);
        if (xml_is (child, "address") &&
            (check_pci_address (child, err) || check_pci_twice (seen, child, err)))
            return -1;
    }
    return 0;
}

static int check_driver (const xml_node_t *forward, forward_t mode, error_t *err)
{
    const char *driver = xml_string (forward, "driver/@name");
    if (!xml_find (forward, "driver") || (mode == FORWARD_HOSTDEV && text_equals (driver, "vfio")))
        return 0;
    return error_set (err, ERR_CONFIG_UNSUPPORTED,
                      "network XML: not supported: <forward mode='%s'><driver name='%s'/>; "
                      "<driver name='vfio'/> goes with mode 'hostdev', and no other",
                      forward_names[mode], driver ? driver : "");
}

static int check_forward (const xml_node_t *network, error_t *err)
{
    const xml_node_t *forward = xml_find (network, "forward");
    forward_t mode = network_forward (network);
    if (!forward)
        return 0;
    if (check_mode (network, err) || check_nat (forward, mode, err) ||
        check_driver (forward, mode, err) || check_devices (forward, err))
        return -1;
    bool bridged = mode == FORWARD_BRIDGE && xml_find (network, "bridge");
    for (size_t i = 0; i < sizeof forward_rules / sizeof *forward_rules && !bridged; i++)
        if (forward_rules[i].mode == mode && check_parts (forward, i, err))
            return -1;
    if (bridged && (xml_string (forward, "@dev") || xml_first (forward, NULL)))
        return error_set (err, ERR_XML_ERROR,
                          "network XML: forward mode 'bridge' takes a <bridge> of the host, or "
                          "interfaces, not both");
    return 0;
}

//  Bridge, MTU, MAC.

static int check_bridge (const xml_node_t *network, error_t *err)
{
    const xml_node_t *bridge = xml_find (network, "bridge");
    const char *name = bridge ? xml_string (bridge, "@name") : NULL;
    bool virtual = network_is_virtual (network), host = network_forward (network) == FORWARD_BRIDGE;
    int delay = 0, mtu = 1500;
    if (bridge && !virtual && !host)
        return error_set (err, ERR_XML_ERROR, "network XML: forward mode '%s' takes no <bridge>",
                          network_forward_name (network_forward (network)));
    if (bridge && host && !name)
        return error_set (err, ERR_XML_ERROR,
                          "network XML: <bridge> of forward mode 'bridge' needs the name of a "
                          "bridge of the host");
    if (name && (virtual ? check_bridge_name (name, err) : check_link_name ("<bridge>", name, err)))
        return -1;
    if (bridge && xml_string (bridge, "@zone"))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "network XML: not supported: <bridge zone>: firewalld is not asked; put "
                          "the bridge into its zone there");
    if (bridge && xml_string (bridge, "@macTableManager") &&
        !xml_equals (bridge, "@macTableManager", "kernel"))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "network XML: not supported: <bridge macTableManager='%s'>; the kernel "
                          "keeps the table",
                          xml_string (bridge, "@macTableManager"));
    if ((bridge && xml_int (bridge, "@delay", 0, 3600, &delay, err)) ||
        xml_int (network, "mtu/@size", 68, 65535, &mtu, err))
        return error_prefix (err, "network XML");
    if (bridge && xml_string (bridge, "@stp") && !xml_equals (bridge, "@stp", "on") &&
        !xml_equals (bridge, "@stp", "off"))
        return error_set (err, ERR_XML_ERROR, "network XML: <bridge stp='%s'> is not on or off",
                          xml_string (bridge, "@stp"));
    const char *mac = xml_string (network, "mac/@address");
    if (xml_find (network, "mac") && !network_is_mac (mac))
        return error_set (err, ERR_XML_ERROR, "network XML: '%s' is no MAC address of an interface",
                          mac ? mac : "");
    return 0;
}

//  Only a network with a bridge of its own has addresses.
static int check_virtual_only (const xml_node_t *network, error_t *err)
{
    static const char *const names[] = { "ip", "dns", "domain", "route", "mac", "mtu" };
    if (network_is_virtual (network))
        return 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (xml_find (network, names[i]))
            return error_set (err, ERR_XML_ERROR,
                              "network XML: forward mode '%s' takes no <%s>: the network is "
                              "outside",
                              network_forward_name (network_forward (network)), names[i]);
    return 0;
}

static int check_flags (const xml_node_t *network, error_t *err)
{
    static const char *const flags[] = { "@ipv6", "@trustGuestRxFilters" };
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        const char *text = xml_string (network, flags[i]);
        if (text && strcmp (text, "yes") != 0 && strcmp (text, "no") != 0)
            return error_set (err, ERR_XML_ERROR, "network XML: <network %s='%s'> is not yes or no",
                              flags[i] + 1, text);
    }
    return 0;
}

int network_check (const xml_node_t *network, error_t *err)
{
    return check_flags (network, err) || check_forward (network, err) ||
                   check_bridge (network, err) || check_virtual_only (network, err) ||
                   network_check_ips (network, err) || network_check_dns (network, err) ||
                   network_check_ports (network, err) || network_dnsmasq_check (network, err)
               ? -1
               : 0;
}

//  Completing.

static int check_singletons (const xml_node_t *network, error_t *err)
{
    static const char *const once[] = { "name",   "uuid", "forward", "bridge",   "mac",
                                        "domain", "dns",  "mtu",     "metadata", "bandwidth" };
    for (size_t i = 0; i < sizeof once / sizeof *once; i++)
        if (network_count (network, once[i]) > 1)
            return error_set (err, ERR_XML_ERROR, "network XML: <%s> stands there twice", once[i]);
    return 0;
}

static void complete_mac (job_t *job, xml_node_t *network)
{
    uint8_t random[3];
    if (!network_is_virtual (network) || xml_find (network, "mac"))
        return;
    job_random (job, random, sizeof random);
    xml_setf (definition_insert (network, "mac"), "@address", "52:54:00:%02x:%02x:%02x", random[0],
              random[1], random[2]);
}

//  As documents show it; its name comes from the kernel when it starts, unless one is given.
static void complete_bridge (xml_node_t *network)
{
    if (!network_is_virtual (network))
        return;
    xml_node_t *bridge = xml_find (network, "bridge");
    if (!bridge)
        bridge = definition_insert (network, "bridge");
    definition_default (bridge, "@stp", "on");
    definition_default (bridge, "@delay", "0");
}

int network_complete (job_t *job, xml_t *document, error_t *err)
{
    xml_node_t *network = xml_root (document);
    if (!xml_is (network, "network"))
        return error_set (err, ERR_XML_ERROR,
                          "network XML: the root element is <%s>; it has to be <network>",
                          xml_name (network));
    xml_remove_path (network, "@connections");
    if (check_singletons (network, err) || network_check (network, err) ||
        definition_complete_names (job, network, err))
        return -1;
    if (xml_find (network, "forward"))
        definition_default (xml_find (network, "forward"), "@mode", "nat");
    complete_bridge (network);
    complete_mac (job, network);
    return 0;
}
