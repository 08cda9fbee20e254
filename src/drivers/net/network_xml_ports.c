//  network_xml_ports.c: what a network gives to those who are plugged in: bandwidth, VLANs,
//  isolation, portgroups.

#include "drivers/net/network_xml.h"
#include "drivers/net/virtualport.h"
#include "util/text.h"

#include <string.h>

static int check_rate (const xml_node_t *rate, bool port, error_t *err)
{
    static const char *const numbers[] = { "@average", "@peak", "@burst", "@floor" };
    uint64_t value = 0;
    if (!rate)
        return 0;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (xml_u64 (rate, numbers[i], &value, err) ||
            (xml_string (rate, numbers[i]) && (value == 0 || value > UINT32_MAX)))
            return error_set (err, ERR_XML_ERROR,
                              "network XML: <bandwidth><%s %s='%s'>: it has to be a number of KiB, "
                              "more than 0",
                              xml_name (rate), numbers[i] + 1, xml_string (rate, numbers[i]));
    if (xml_string (rate, "@floor"))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "network XML: <bandwidth><%s floor>: only an interface of a domain has "
                          "one",
                          xml_name (rate));
    if (!xml_string (rate, "@average"))
        return error_set (err, ERR_XML_ERROR, "network XML: <bandwidth><%s>%s has no average",
                          xml_name (rate), port ? " of a portgroup" : "");
    return 0;
}

static int check_bandwidth (const xml_node_t *owner, bool port, error_t *err)
{
    const xml_node_t *bandwidth = xml_find (owner, "bandwidth");
    return bandwidth && (check_rate (xml_find (bandwidth, "inbound"), port, err) ||
                         check_rate (xml_find (bandwidth, "outbound"), port, err))
               ? -1
               : 0;
}

//  What nothing here can carry out is refused, not passed over.
static int check_vlan (const xml_node_t *network, const xml_node_t *owner, error_t *err)
{
    const xml_node_t *vlan = xml_find (owner, "vlan");
    int tag = 1;
    if (!vlan)
        return 0;
    if (network_forward (network) != FORWARD_HOSTDEV)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "network XML: not supported: <vlan> with forward mode '%s'; with "
                          "'hostdev' it is",
                          network_forward_name (network_forward (network)));
    if (xml_equals (vlan, "@trunk", "yes") || network_count (vlan, "tag") != 1)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "network XML: <vlan>: a VF has one tag, and no trunk");
    if (!xml_string (vlan, "tag/@id") || xml_int (vlan, "tag/@id", 1, 4094, &tag, err))
        return error_set (err, ERR_XML_ERROR, "network XML: <vlan>: a tag's id is 1 to 4094");
    return 0;
}

static int check_virtualport (const xml_node_t *network, const xml_node_t *owner, error_t *err)
{
    const xml_node_t *port = xml_find (owner, "virtualport");
    if (!port || network_forward (network) == FORWARD_HOSTDEV)
        return virtualport_check (owner, "network XML", err);
    return error_set (err, ERR_CONFIG_UNSUPPORTED,
                      "network XML: not supported: <virtualport type='%s'> with forward mode '%s'; "
                      "with 'hostdev' 802.1Qbh is",
                      xml_string (port, "@type") ? xml_string (port, "@type") : "",
                      network_forward_name (network_forward (network)));
}

//  A portgroup's go before the network's own.
static int check_ports_of (const xml_node_t *network, const xml_node_t *owner, error_t *err)
{
    return check_vlan (network, owner, err) || check_virtualport (network, owner, err) ? -1 : 0;
}

static int check_isolation (const xml_node_t *owner, error_t *err)
{
    const char *isolated = xml_string (owner, "port/@isolated");
    if (isolated && strcmp (isolated, "yes") != 0 && strcmp (isolated, "no") != 0)
        return error_set (err, ERR_XML_ERROR, "network XML: <port isolated='%s'> is not yes or no",
                          isolated);
    return 0;
}

static int check_portgroups (const xml_node_t *network, error_t *err)
{
    auto(strings_t) names = strings_new ();
    const char *standard = NULL;
    xml_foreach (group, network, "portgroup") {
        const char *name = xml_string (group, "@name");
        if (!name || !*name)
            return error_set (err, ERR_XML_ERROR, "network XML: a <portgroup> has no name");
        if (strings_contain (names, name))
            return error_set (err, ERR_XML_ERROR, "network XML: the portgroup '%s' is there twice",
                              name);
        strings_add (names, name);
        if (xml_equals (group, "@default", "yes") && standard)
            return error_set (err, ERR_XML_ERROR,
                              "network XML: the portgroups '%s' and '%s' are both the default",
                              standard, name);
        if (xml_equals (group, "@default", "yes"))
            standard = name;
        if (check_bandwidth (group, true, err) || check_ports_of (network, group, err))
            return -1;
    }
    return 0;
}

int network_check_ports (const xml_node_t *network, error_t *err)
{
    return check_bandwidth (network, false, err) || check_ports_of (network, network, err) ||
                   check_isolation (network, err) || check_portgroups (network, err)
               ? -1
               : 0;
}
