//  network_xml_ip.c: a network's addresses: subnets, DHCP, routes.

#include "drivers/net/network_xml.h"

#include "util/text.h"

#include <limits.h>
#include <string.h>

enum {
    MAX_IPS = 32,
    MIN_LEASE_S = 120, //  dnsmasq's own limit
    MAX_RANGES = 32,
    MAX_RANGE = 65535 //  addresses: dnsmasq keeps state for each lease
};

//  "<ip address='192.168.122.1'>", for errors. The caller frees it.
static char *ip_words (const xml_node_t *ip)
{
    const char *address = xml_string (ip, "@address");
    return text_format ("<ip address='%s'>", address ? address : "");
}

//  Can a host have it? Of IPv4 not 0.0.0.0/8, the host's own 127.0.0.0/8, those of groups and what
//  is above; nor the subnet's own, nor that for broadcasts.
static bool is_usable (const subnet_t *subnet)
{
    const address_t *address = &subnet->address;
    const uint8_t first = address->bytes[0];
    address_t base, last;
    subnet_base (subnet, &base);
    subnet_last (subnet, &last);
    if (address->family == AF_INET)
        return first != 0 && first != 127 && first < 224 && address_compare (address, &base) != 0 &&
               address_compare (address, &last) != 0;
    static const address_t none = { .family = AF_INET6 }, own = { AF_INET6, { [15] = 1 } };
    return first != 0xff && address_compare (address, &none) != 0 &&
           address_compare (address, &own) != 0;
}

//  DHCP: ranges.

typedef struct {
    address_t first, last;
} range_t;

unsigned network_lease_unit (const char *unit)
{
    if (!unit || strcmp (unit, "minutes") == 0)
        return 60;
    return strcmp (unit, "hours") == 0 ? 3600 : 1;
}

static int check_lease (const xml_node_t *owner, const char *what, error_t *err)
{
    const xml_node_t *lease = xml_find (owner, "lease");
    const char *unit = lease ? xml_string (lease, "@unit") : NULL;
    uint64_t expiry = 0;
    if (!lease)
        return 0;
    if (unit && strcmp (unit, "seconds") != 0 && strcmp (unit, "minutes") != 0 &&
        strcmp (unit, "hours") != 0)
        return error_set (err, ERR_XML_ERROR,
                          "network XML: %s: the unit '%s' of its lease is none of seconds, "
                          "minutes, hours",
                          what, unit);
    if (!xml_string (lease, "@expiry") || xml_u64 (lease, "@expiry", &expiry, err) ||
        expiry > UINT32_MAX / 3600)
        return error_set (err, ERR_XML_ERROR,
                          "network XML: %s: the expiry of its lease is no number", what);
    if (expiry > 0 && expiry * network_lease_unit (unit) < MIN_LEASE_S)
        return error_set (err, ERR_XML_ERROR,
                          "network XML: %s: a lease of %llu %s is too short; it has to last 2 "
                          "minutes at least (0: for ever)",
                          what, (unsigned long long) expiry, unit ? unit : "minutes");
    return 0;
}

static int read_range (const xml_node_t *node, const subnet_t *subnet, const char *what,
                       range_t *range, error_t *err)
{
    const char *start = xml_string (node, "@start"), *end = xml_string (node, "@end");
    address_t base, last;
    subnet_base (subnet, &base);
    subnet_last (subnet, &last);
    if (!start || !end)
        return error_set (err, ERR_XML_ERROR, "network XML: %s: a <range> needs start and end",
                          what);
    if (!address_read (start, &range->first) || !address_read (end, &range->last))
        return error_set (err, ERR_XML_ERROR,
                          "network XML: %s: <range start='%s' end='%s'>: these are no addresses",
                          what, start, end);
    if (!subnet_has (subnet, &range->first) || !subnet_has (subnet, &range->last))
        return error_set (err, ERR_XML_ERROR,
                          "network XML: %s: the range %s to %s is not inside of its subnet", what,
                          start, end);
    if (address_compare (&range->first, &range->last) > 0)
        return error_set (err, ERR_XML_ERROR,
                          "network XML: %s: the range %s to %s ends before it begins", what, start,
                          end);
    if (address_compare (&range->first, &base) == 0 ||
        (base.family == AF_INET && address_compare (&range->last, &last) == 0))
        return error_set (err, ERR_XML_ERROR,
                          "network XML: %s: the range %s to %s has the subnet's own address or "
                          "that for broadcasts in it",
                          what, start, end);
    if (address_span (&range->first, &range->last) > MAX_RANGE)
        return error_set (err, ERR_XML_ERROR,
                          "network XML: %s: the range %s to %s has more than %d addresses", what,
                          start, end, MAX_RANGE);
    return check_lease (node, what, err);
}

static int check_ranges (const xml_node_t *dhcp, const subnet_t *subnet, const char *what,
                         error_t *err)
{
    range_t ranges[MAX_RANGES];
    size_t count = 0;
    xml_foreach (node, dhcp, "range") {
        if (count == MAX_RANGES)
            return error_set (err, ERR_XML_ERROR, "network XML: %s: more than %d ranges", what,
                              MAX_RANGES);
        range_t *range = &ranges[count];
        if (read_range (node, subnet, what, range, err))
            return -1;
        for (size_t i = 0; i < count; i++)
            if (address_compare (&ranges[i].first, &range->last) <= 0 &&
                address_compare (&range->first, &ranges[i].last) <= 0)
                return error_set (err, ERR_XML_ERROR,
                                  "network XML: %s: the range %s to %s overlaps another one", what,
                                  xml_string (node, "@start"), xml_string (node, "@end"));
        count++;
    }
    return 0;
}

//  DHCP: hosts.

static int check_host_names (const xml_node_t *host, bool six, const char *what, error_t *err)
{
    const char *mac = xml_string (host, "@mac"), *name = xml_string (host, "@name");
    const char *id = xml_string (host, "@id");
    if (six && mac)
        return error_set (err, ERR_XML_ERROR,
                          "network XML: %s: <host mac='%s'>: hosts of IPv6 have an id, no mac",
                          what, mac);
    if (!six && id)
        return error_set (err, ERR_XML_ERROR,
                          "network XML: %s: <host id='%s'>: hosts of IPv4 have a mac, no id", what,
                          id);
    if (!mac && !name && !id)
        return error_set (err, ERR_XML_ERROR, "network XML: %s: a <host> has neither %s nor name",
                          what, six ? "id" : "mac");
    if (mac && !network_is_mac (mac))
        return error_set (err, ERR_XML_ERROR,
                          "network XML: %s: <host>: '%s' is no MAC address of an interface", what,
                          mac);
    if (id && id[strspn (id, "0123456789abcdefABCDEF:")])
        return error_set (err, ERR_XML_ERROR, "network XML: %s: <host id='%s'> is no DUID", what,
                          id);
    return network_check_word (WORD_HOST, "the name of a <host>", name, err);
}

static int check_host_address (const xml_node_t *host, const subnet_t *subnet, const char *what,
                               error_t *err)
{
    const char *ip = xml_string (host, "@ip");
    subnet_t its = { .prefix = subnet->prefix };
    if (!ip)
        return error_set (err, ERR_XML_ERROR, "network XML: %s: a <host> has no ip", what);
    if (!address_read (ip, &its.address))
        return error_set (err, ERR_XML_ERROR, "network XML: %s: <host>: '%s' is no IP address",
                          what, ip);
    if (!subnet_has (subnet, &its.address))
        return error_set (err, ERR_XML_ERROR,
                          "network XML: %s: the address %s of a <host> is not inside of its subnet",
                          what, ip);
    if (address_compare (&its.address, &subnet->address) == 0)
        return error_set (err, ERR_XML_ERROR,
                          "network XML: %s: the address %s of a <host> is the network's own", what,
                          ip);
    if (!is_usable (&its))
        return error_set (
            err, ERR_XML_ERROR,
            "network XML: %s: the address %s of a <host> is the subnet's own, or that "
            "for broadcasts",
            what, ip);
    return 0;
}

static int check_once (strings_t *seen, const char *what, const char *kind, const char *text,
                       error_t *err)
{
    autofree char *key = text ? text_format ("%s %s", kind, text) : NULL;
    for (char *c = key; c && *c; c++)
        *c = (char) (*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
    if (key && strings_contain (seen, key))
        return error_set (err, ERR_XML_ERROR, "network XML: %s: two <host>s have the %s '%s'", what,
                          kind, text);
    if (key)
        strings_add (seen, key);
    return 0;
}

static int check_hosts (const xml_node_t *dhcp, const subnet_t *subnet, const char *what,
                        error_t *err)
{
    auto(strings_t) seen = strings_new ();
    bool six = subnet->address.family == AF_INET6;
    xml_foreach (host, dhcp, "host")
        if (check_host_names (host, six, what, err) ||
            check_host_address (host, subnet, what, err) || check_lease (host, what, err) ||
            check_once (seen, what, "mac", xml_string (host, "@mac"), err) ||
            check_once (seen, what, "ip", xml_string (host, "@ip"), err))
            return -1;
    return 0;
}

static int check_boot (const xml_node_t *ip, const xml_node_t *dhcp, bool six, const char *what,
                       error_t *err)
{
    const xml_node_t *bootp = dhcp ? xml_find (dhcp, "bootp") : NULL;
    const char *root = xml_string (ip, "tftp/@root");
    if (six && (bootp || xml_find (ip, "tftp")))
        return error_set (err, ERR_XML_ERROR, "network XML: %s: <%s> is of IPv4 only", what,
                          bootp ? "bootp" : "tftp");
    if (bootp && !xml_string (bootp, "@file"))
        return error_set (err, ERR_XML_ERROR, "network XML: %s: <bootp> has no file", what);
    return network_check_word (WORD_PATH, "the root of <tftp>", root, err) ||
                   (bootp && (network_check_word (WORD_TEXT, "the file of <bootp>",
                                                  xml_string (bootp, "@file"), err) ||
                              network_check_word (WORD_SERVER, "the server of <bootp>",
                                                  xml_string (bootp, "@server"), err)))
               ? -1
               : 0;
}

static int check_ip (const xml_node_t *ip, subnet_t *subnet, error_t *err)
{
    autofree char *what = ip_words (ip);
    const xml_node_t *dhcp = xml_find (ip, "dhcp");
    if (subnet_read (ip, what, subnet, err))
        return -1;
    bool six = subnet->address.family == AF_INET6;
    if (xml_string (ip, "@localPtr") && !xml_equals (ip, "@localPtr", "yes") &&
        !xml_equals (ip, "@localPtr", "no"))
        return error_set (err, ERR_XML_ERROR, "network XML: %s: localPtr is not yes or no", what);
    if (subnet->prefix == 0 || subnet->prefix > (six ? 127u : 30u))
        return error_set (err, ERR_XML_ERROR,
                          "network XML: %s: a prefix of %u leaves no room for guests", what,
                          subnet->prefix);
    if (!is_usable (subnet))
        return error_set (err, ERR_XML_ERROR,
                          "network XML: %s: this is no address that the host could have in the "
                          "subnet (it is the subnet's own, or for broadcasts, a group or the "
                          "host itself)",
                          what);
    if (six && dhcp && subnet->prefix < 64)
        return error_set (err, ERR_XML_ERROR,
                          "network XML: %s: with a prefix of %u it can't have <dhcp>: DHCP of IPv6 "
                          "needs 64 at least",
                          what, subnet->prefix);
    return check_boot (ip, dhcp, six, what, err) ||
                   (dhcp && (check_ranges (dhcp, subnet, what, err) ||
                             check_hosts (dhcp, subnet, what, err)))
               ? -1
               : 0;
}

//  Subnets side by side, at most one DHCP of each family.
static int check_family (const xml_node_t *ip, const subnet_t *subnets, size_t count, int *dhcps,
                         error_t *err)
{
    char mine[ADDRESS_TEXT_SIZE + 4], other[ADDRESS_TEXT_SIZE + 4];
    const subnet_t *subnet = &subnets[count];
    bool six = subnet->address.family == AF_INET6;
    for (size_t i = 0; i < count; i++)
        if (subnet_overlaps (&subnets[i], subnet)) {
            subnet_text (&subnets[i], other);
            subnet_text (subnet, mine);
            return error_set (err, ERR_XML_ERROR,
                              "network XML: the subnets %s and %s of two <ip> overlap", other,
                              mine);
        }
    if (xml_find (ip, "dhcp") && dhcps[six]++ > 0)
        return error_set (err, ERR_XML_ERROR, "network XML: two <ip> of IPv%d have <dhcp>; one may",
                          six ? 6 : 4);
    return 0;
}

//  Routes.

static int check_route (const xml_node_t *route, const subnet_t *subnets, size_t count,
                        error_t *err)
{
    const char *to = xml_string (route, "@address"), *via = xml_string (route, "@gateway");
    subnet_t subnet;
    address_t gateway, base;
    int metric = 1;
    autofree char *what = text_format ("<route address='%s'>", to ? to : "");
    if (subnet_read (route, what, &subnet, err))
        return -1;
    subnet_base (&subnet, &base);
    if (address_compare (&base, &subnet.address) != 0)
        return error_set (err, ERR_XML_ERROR,
                          "network XML: %s: this is the address of a host, with a prefix of %u",
                          what, subnet.prefix);
    if (!via || !address_read (via, &gateway))
        return error_set (err, ERR_XML_ERROR,
                          "network XML: %s has no gateway, or none that is an "
                          "IP address",
                          what);
    if (xml_string (route, "@metric") && xml_int (route, "@metric", 1, INT_MAX, &metric, err))
        return error_set (err, ERR_XML_ERROR,
                          "network XML: %s: the metric '%s' is no number above "
                          "0",
                          what, xml_string (route, "@metric"));
    for (size_t i = 0; i < count; i++)
        if (gateway.family == base.family && subnet_has (&subnets[i], &gateway))
            return 0;
    return error_set (err, ERR_XML_ERROR,
                      "network XML: %s: its gateway %s is in no subnet of the network", what, via);
}

int network_check_ips (const xml_node_t *network, error_t *err)
{
    subnet_t subnets[MAX_IPS];
    size_t count = 0;
    int dhcps[2] = { 0, 0 };
    xml_foreach (ip, network, "ip") {
        if (count == MAX_IPS)
            return error_set (err, ERR_XML_ERROR, "network XML: more than %d <ip>", MAX_IPS);
        if (check_ip (ip, &subnets[count], err) || check_family (ip, subnets, count, dhcps, err))
            return -1;
        count++;
    }
    xml_foreach (route, network, "route")
        if (check_route (route, subnets, count, err))
            return -1;
    forward_t mode = network_forward (network);
    if (count == 0 && (mode == FORWARD_NAT || mode == FORWARD_ROUTE))
        return error_set (err, ERR_XML_ERROR,
                          "network XML: forward mode '%s' needs an <ip> of the network",
                          network_forward_name (mode));
    return 0;
}
