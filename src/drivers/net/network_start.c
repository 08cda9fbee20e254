//  network_start.c: see network_start.h.

#include "drivers/net/network_start.h"

#include "drivers/definition.h"
#include "drivers/net/network_dnsmasq.h"
#include "drivers/net/network_routes.h"
#include "drivers/net/network_rules.h"
#include "drivers/net/network_xml.h"
#include "util/file.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>

#define BRIDGE_KEY "bridge"

//  Switches of the kernel.

static int write_switch (const char *path, const char *text, error_t *err)
{
    autoclose int fd = open (path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write (fd, text, strlen (text)) < 0)
        return error_errno (err, ERR_SYSTEM_ERROR, "write %s to '%s'", text, path);
    return 0;
}

static bool is_on (const char *path)
{
    error_t ignored; //  then it is not
    autofree char *text = file_read (path, 16, NULL, &ignored);
    return text && *text != '0';
}

//  It stays on when the network stops: others may have come to need it, and nobody can tell.
static int forward_packets (job_t *job, int family, error_t *err)
{
    const char *path = family == AF_INET6 ? "/proc/sys/net/ipv6/conf/all/forwarding"
                                          : "/proc/sys/net/ipv4/ip_forward";
    if (is_on (path))
        return 0;
    if ((family == AF_INET6 && network_check_announced (err)) || write_switch (path, "1", err))
        return -1;
    job_log (job,
             "network '%s' needs the host to pass packets on: IPv%d forwarding is on from now "
             "on (%s)",
             job->guest->name, family == AF_INET6 ? 6 : 4, path);
    return 0;
}

static bool has_family (const xml_node_t *network, bool six)
{
    xml_foreach (ip, network, "ip")
        if (xml_equals (ip, "@family", "ipv6") == six)
            return true;
    return false;
}

static int set_forwarding (job_t *job, const xml_node_t *network, error_t *err)
{
    forward_t mode = network_forward (network);
    if (mode != FORWARD_NAT && mode != FORWARD_ROUTE && mode != FORWARD_OPEN)
        return 0;
    return (has_family (network, false) && forward_packets (job, AF_INET, err)) ||
                   (has_family (network, true) && forward_packets (job, AF_INET6, err))
               ? -1
               : 0;
}

//  Without an address of IPv6 the host itself is not to be reached by it from inside.
static int set_six (const xml_node_t *network, const char *bridge, error_t *err)
{
    autofree char *off = text_format ("/proc/sys/net/ipv6/conf/%s/disable_ipv6", bridge);
    autofree char *learn = text_format ("/proc/sys/net/ipv6/conf/%s/accept_ra", bridge);
    bool six = has_family (network, true) || xml_equals (network, "@ipv6", "yes");
    if (access (off, F_OK))
        return 0; //  a kernel without IPv6
    return write_switch (off, six ? "0" : "1", err) || write_switch (learn, "0", err) ? -1 : 0;
}

//  The bridge.

static void read_rate (const xml_node_t *rate, link_rate_t *into)
{
    const struct {
        const char *path;
        uint64_t *value;
    } numbers[] = { { "@average", &into->average_kb },
                    { "@peak", &into->peak_kb },
                    { "@burst", &into->burst_kib } };
    error_t ignored; //  it was checked
    for (size_t i = 0; rate && i < sizeof numbers / sizeof *numbers; i++)
        xml_u64 (rate, numbers[i].path, numbers[i].value, &ignored);
}

static int set_bandwidth (job_t *job, const xml_node_t *network, error_t *err)
{
    link_bandwidth_t bandwidth = { 0 };
    const xml_node_t *node = xml_find (network, "bandwidth");
    if (!node)
        return 0;
    read_rate (xml_find (node, "inbound"), &bandwidth.inbound);
    read_rate (xml_find (node, "outbound"), &bandwidth.outbound);
    return job_link_bandwidth (job, BRIDGE_KEY, &bandwidth, err);
}

static link_spec_t bridge_spec (const xml_node_t *network)
{
    int delay = 0, mtu = 0;
    error_t ignored; //  it was checked
    xml_int (network, "bridge/@delay", 0, 3600, &delay, &ignored);
    xml_int (network, "mtu/@size", 68, 65535, &mtu, &ignored);
    const char *name = xml_string (network, "bridge/@name");
    return (link_spec_t){ .kind = LINK_BRIDGE,
                          .set = { .name = name ? name : "virbr%d",
                                   .mac = xml_string (network, "mac/@address"),
                                   .mtu = (uint32_t) mtu },
                          .stp = xml_flag (network, "bridge/@stp", true) ? LINK_ON : LINK_OFF,
                          .has_forward_delay = true,
                          .forward_delay_ms = (uint32_t) delay * 1000 };
}

const char *network_bridge (const guest_t *guest)
{
    return guest->record ? xml_string (xml_root (guest->record), "bridge/@name") : NULL;
}

static int make_bridge (job_t *job, xml_node_t *network, error_t *err)
{
    link_spec_t spec = bridge_spec (network);
    link_settings_t up = { .up = LINK_ON };
    link_t link;
    if (job_undo (job, "link", BRIDGE_KEY, err) || job_record (job, err) ||
        job_link_create (job, BRIDGE_KEY, &spec, &link, err))
        return -1;
    xml_set (network, "bridge/@name", link.name);
    xml_put_first (xml_find (network, "bridge"), "name"); //  where one who gives it writes it
    xml_set (xml_root (job->guest->record), "bridge/@name", link.name);
    xml_set_u64 (xml_root (job->guest->record), "bridge/@ifindex", link.ifindex);
    return set_six (network, link.name, err) ||
                   job_link_set (job, BRIDGE_KEY, false, &up, NULL, err)
               ? -1
               : 0;
}

static int add_addresses (job_t *job, const xml_node_t *network, error_t *err)
{
    subnet_t subnet;
    char words[ADDRESS_TEXT_SIZE];
    xml_foreach (ip, network, "ip") {
        if (subnet_read (ip, "<ip>", &subnet, err))
            return -1;
        address_text (&subnet.address, words);
        autofree char *address = text_format ("%s/%u", words, subnet.prefix);
        if (job_link_address (job, BRIDGE_KEY, address, false, err))
            return -1;
    }
    return 0;
}

//  The default route is none that one can tell by its subnet: that is left to who made it.
static int look_at_route (const xml_node_t *node, const char *bridge, bool *there, error_t *err)
{
    subnet_t subnet;
    if (subnet_read (node, "<route>", &subnet, err))
        return -1;
    *there = subnet.prefix == 0;
    return *there ? 0 : network_has_route (&subnet, bridge, there, err);
}

static int add_route (job_t *job, const xml_node_t *node, error_t *err)
{
    subnet_t subnet;
    char to[ADDRESS_TEXT_SIZE + 4];
    uint64_t metric = 1;
    if (subnet_read (node, "<route>", &subnet, err) || xml_u64 (node, "@metric", &metric, err))
        return -1;
    subnet_text (&subnet, to);
    link_route_t route = { .to = to,
                           .via = xml_string (node, "@gateway"),
                           .metric = (uint32_t) metric };
    return job_link_route (job, BRIDGE_KEY, &route, false, err);
}

static int add_routes (job_t *job, const xml_node_t *network, error_t *err)
{
    xml_foreach (node, network, "route")
        if (add_route (job, node, err))
            return -1;
    return 0;
}

static int start_virtual (job_t *job, xml_node_t *network, error_t *err)
{
    if (network_check_routes (network, err) || make_bridge (job, network, err) ||
        add_addresses (job, network, err) || add_routes (job, network, err) ||
        set_bandwidth (job, network, err) || set_forwarding (job, network, err))
        return error_prefix (err, "start network '%s'", job->guest->name);
    const char *bridge = network_bridge (job->guest);
    if (job_record (job, err) || network_rules_apply (job, bridge, err))
        return -1;
    return network_needs_dnsmasq (network) ? network_dnsmasq_start (job, bridge, err) : 0;
}

//  Networks of the host.

//  Whoever makes it may do so later, at boot say; a guest is plugged into it only if it is there.
static int find_host_link (job_t *job, const char *name, link_t *link, error_t *err)
{
    if (job_link_find (job, name, link, err) == 0)
        return 0;
    if (err->code != ERR_NO_INTERFACE)
        return error_prefix (err, "start network '%s'", job->guest->name);
    job_log (job, "network '%s': the host has no link '%s' yet", job->guest->name, name);
    *link = (link_t){ .ifindex = 0 };
    return 0;
}

static int check_host_bridge (job_t *job, const char *bridge, error_t *err)
{
    link_t link;
    if (find_host_link (job, bridge, &link, err))
        return -1;
    if (link.ifindex && strcmp (link.kind, "bridge") != 0)
        return error_set (err, ERR_OPERATION_FAILED,
                          "start network '%s': the host's link '%s' is no bridge", job->guest->name,
                          bridge);
    return 0;
}

static int check_devices (job_t *job, error_t *err)
{
    auto(strings_t) devices = network_devices (job->guest, err);
    link_t link;
    if (!devices)
        return -1;
    bool links = network_forward (xml_root (job->guest->live)) != FORWARD_HOSTDEV;
    for (size_t i = 0; links && i < devices->count; i++)
        if (find_host_link (job, devices->items[i], &link, err))
            return -1;
    return 0;
}

//  The default network takes the next subnet, once, if the host has the one that it was shipped
//  with: that is how its definition is from then on.

static xml_node_t *find_choice (xml_node_t *network)
{
    xml_foreach (element, xml_find (network, "metadata"), NULL)
        if (text_equals (xml_namespace (element), NETWORK_CHOOSE_URI) &&
            strcmp (xml_name (element), "choose-subnet") == 0)
            return element;
    return NULL;
}

static void replace_third (xml_node_t *node, const char *path, int third)
{
    unsigned a, b, c, d;
    const char *text = xml_string (node, path);
    if (text && sscanf (text, "%u.%u.%u.%u", &a, &b, &c, &d) == 4)
        xml_setf (node, path, "%u.%u.%d.%u", a, b, third, d);
}

static int choose_subnet (job_t *job, error_t *err)
{
    guest_t *guest = job->guest;
    error_t taken; //  then another one is chosen
    xml_node_t *network = xml_root (guest->definition), *choice = find_choice (network);
    if (!choice)
        return 0;
    guest->redefined = true;
    xml_remove (choice);
    if (!xml_first (xml_find (network, "metadata"), NULL))
        xml_remove_path (network, "metadata");
    if (network_check_routes (network, &taken) == 0)
        return 0;
    int third = network_free_subnet (err);
    if (third < 0)
        return error_prefix (err, "start network '%s'", guest->name);
    xml_foreach (ip, network, "ip") {
        replace_third (ip, "@address", third);
        xml_foreach (range, xml_find (ip, "dhcp"), "range") {
            replace_third (range, "@start", third);
            replace_third (range, "@end", third);
        }
        xml_foreach (host, xml_find (ip, "dhcp"), "host")
            replace_third (host, "@ip", third);
    }
    job_log (job, "network '%s' has the subnet 192.168.%d.0/24", guest->name, third);
    return network_check (network, err);
}

int network_start (job_t *job, error_t *err)
{
    guest_t *guest = job->guest;
    if (choose_subnet (job, err))
        return -1;
    guest->live = xml_copy (guest->definition);
    guest->record = xml_parse ("<network/>", strlen ("<network/>"), "record", err);
    if (!guest->record)
        return -1;
    xml_node_t *network = xml_root (guest->live);
    const char *bridge = network_host_bridge (network);
    if (network_is_virtual (network))
        return start_virtual (job, network, err);
    return bridge ? check_host_bridge (job, bridge, err) : check_devices (job, err);
}

int network_stop (job_t *job, error_t *err)
{
    guest_t *guest = job->guest;
    if (!network_is_virtual (xml_root (guest->live)))
        return 0;
    return network_dnsmasq_stop (job, err) || network_rules_remove (job, guest->uuid, err) ||
                   job_link_delete (job, BRIDGE_KEY, err)
               ? -1
               : 0;
}

int network_refresh (job_t *job, error_t *err)
{
    guest_t *guest = job->guest;
    const xml_node_t *network = xml_root (guest->live);
    const char *bridge = network_bridge (guest);
    if (!bridge)
        return 0;
    if (network_dnsmasq_stop (job, err) || network_rules_apply (job, bridge, err))
        return -1;
    return network_needs_dnsmasq (network) ? network_dnsmasq_start (job, bridge, err) : 0;
}

//  Whether the bridge is still as it was made.

static bool has_address (const struct ifaddrs *each, const char *link, const address_t *address)
{
    bool six = address->family == AF_INET6;
    for (; each; each = each->ifa_next) {
        if (!each->ifa_addr || each->ifa_addr->sa_family != address->family ||
            strcmp (each->ifa_name, link) != 0)
            continue;
        const void *socket = each->ifa_addr;
        const void *bytes = six ? (const void *) &((const struct sockaddr_in6 *) socket)->sin6_addr
                                : (const void *) &((const struct sockaddr_in *) socket)->sin_addr;
        if (memcmp (bytes, address->bytes, six ? 16 : 4) == 0)
            return true;
    }
    return false;
}

static int look_at_addresses (const xml_node_t *network, const char *link, bool *all, error_t *err)
{
    struct ifaddrs *list = NULL;
    subnet_t subnet;
    int rc = 0;
    if (getifaddrs (&list))
        return error_errno (err, ERR_SYSTEM_ERROR, "read the addresses of link '%s'", link);
    xml_foreach (ip, network, "ip") {
        rc = rc || subnet_read (ip, "<ip>", &subnet, err) ? -1 : 0;
        *all = *all && rc == 0 && has_address (list, link, &subnet.address);
    }
    freeifaddrs (list);
    return rc;
}

int network_bridge_look (job_t *job, const char **problem, error_t *err)
{
    const xml_node_t *network = xml_root (job->guest->live);
    bool addresses = true, route = true;
    link_t link;
    *problem = NULL;
    if (!network_bridge (job->guest))
        return 0;
    if (job_link_get (job, BRIDGE_KEY, &link, err) ||
        look_at_addresses (network, link.name, &addresses, err))
        return -1;
    xml_foreach (node, network, "route")
        if (route && look_at_route (node, link.name, &route, err))
            return -1;
    if (!link.up)
        *problem = "its bridge is down";
    else if (!addresses || !route)
        *problem = addresses ? "a route of it is gone" : "an address of its bridge is gone";
    return 0;
}

int network_bridge_mend (job_t *job, error_t *err)
{
    const xml_node_t *network = xml_root (job->guest->live);
    link_settings_t up = { .up = LINK_ON };
    bool there;
    link_t link;
    if (job_link_set (job, BRIDGE_KEY, false, &up, &link, err) || add_addresses (job, network, err))
        return -1;
    xml_foreach (node, network, "route")
        if (look_at_route (node, link.name, &there, err) || (!there && add_route (job, node, err)))
            return -1;
    return 0;
}

int network_look (job_t *job, bool *over, error_t *err)
{
    static const char *const keys[] = { BRIDGE_KEY, NULL };
    guest_t *guest = job->guest;
    const char *bridge = network_bridge (guest);
    link_t link;
    *over = false;
    if (!bridge)
        return 0;
    if (job_link_claim (job, keys, err))
        return -1;
    if (job_link_get (job, BRIDGE_KEY, &link, err)) {
        *over = err->code == ERR_NO_INTERFACE;
        return *over ? network_stop (job, err) : -1;
    }
    if (network_rules_apply (job, bridge, err))
        return -1;
    //  A daemon that was killed in the middle of a change may have left one that serves what no
    //  document says.
    if (!network_needs_dnsmasq (xml_root (guest->live)) || network_dnsmasq_serves (job, bridge))
        return 0;
    return network_dnsmasq_stop (job, err) || network_dnsmasq_start (job, bridge, err) ? -1 : 0;
}
