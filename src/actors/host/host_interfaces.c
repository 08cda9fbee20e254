//  host_interfaces.c: see host_interfaces.h.

#include "actors/host/host_interfaces.h"

#include "util/file.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    MAX_BYTES = 64 * 1024
};

//  The first line of a file of the link, "" if it can't be read: the kernel has none of that for
//  this kind of link, or says so by an error (speed of one that is down).
static char *read_word (const char *root, const char *name, const char *file)
{
    error_t ignored;
    autofree char *path = text_format ("%s/sys/class/net/%s/%s", root, name, file);
    autofree char *text = file_read (path, MAX_BYTES, NULL, &ignored);
    return text ? text_copy_bytes (text, strcspn (text, "\n")) : text_copy ("");
}

static bool has_file (const char *root, const char *name, const char *file)
{
    autofree char *path = text_format ("%s/sys/class/net/%s/%s", root, name, file);
    return access (path, F_OK) == 0;
}

//  A name of a link has no '/' in it; nothing else is looked at below the folder.
static bool is_link (const char *root, const char *name)
{
    return *name && strlen (name) < IFNAMSIZ && name[0] != '.' && !strchr (name, '/') &&
           has_file (root, name, "flags");
}

static bool is_up (const char *root, const char *name)
{
    autofree char *flags = read_word (root, name, "flags");
    return strtoul (flags, NULL, 16) & IFF_UP;
}

//  Which type libvirt calls it.
static const char *type_of (const char *root, const char *name)
{
    autofree char *vlan = text_format ("%s/proc/net/vlan/%s", root, name);
    if (has_file (root, name, "bridge"))
        return "bridge";
    if (has_file (root, name, "bonding"))
        return "bond";
    return access (vlan, F_OK) == 0 ? "vlan" : "ethernet";
}

static void read_mac (const char *root, const char *name, char *mac, size_t size)
{
    autofree char *address = read_word (root, name, "address");
    snprintf (mac, size, "%s", address);
}

host_interface_t *host_interfaces (const char *root, size_t *count, error_t *err)
{
    autofree char *folder = text_format ("%s/sys/class/net", root);
    auto(strings_t) names = file_list (folder, "", err);
    if (!names)
        return NULL;
    host_interface_t *list = memory_new (names->count + 1, sizeof *list);
    *count = 0;
    for (size_t i = 0; i < names->count; i++) {
        const char *name = names->items[i];
        if (!is_link (root, name))
            continue; //  such as bonding_masters; or it went meanwhile
        host_interface_t *each = &list[(*count)++];
        snprintf (each->name, sizeof each->name, "%s", name);
        read_mac (root, name, each->mac, sizeof each->mac);
        each->up = is_up (root, name);
    }
    return list;
}

//  The document.

static void add_link (xml_node_t *node, const char *root, const char *name)
{
    autofree char *state = read_word (root, name, "operstate");
    autofree char *speed = read_word (root, name, "speed");
    autofree char *mtu = read_word (root, name, "mtu");
    char mac[64];
    read_mac (root, name, mac, sizeof mac);
    xml_set (node, "@type", type_of (root, name));
    xml_set (node, "@name", name);
    xml_node_t *link = xml_add (node, "link");
    if (*speed && speed[0] != '-')
        xml_set (link, "@speed", speed);
    xml_set (link, "@state", *state ? state : "unknown");
    if (*mtu)
        xml_set (node, "mtu/@size", mtu);
    if (*mac)
        xml_set (node, "mac/@address", mac);
}

static unsigned prefix_of (const uint8_t *mask, size_t size)
{
    unsigned bits = 0;
    for (size_t i = 0; i < size; i++)
        bits += (unsigned) __builtin_popcount (mask[i]);
    return bits;
}

static void add_address (xml_node_t *node, const struct ifaddrs *each)
{
    bool v6 = each->ifa_addr->sa_family == AF_INET6;
    const void *address = v6 ? (const void *) &((struct sockaddr_in6 *) each->ifa_addr)->sin6_addr
                             : &((struct sockaddr_in *) each->ifa_addr)->sin_addr;
    const void *mask = v6 ? (const void *) &((struct sockaddr_in6 *) each->ifa_netmask)->sin6_addr
                          : &((struct sockaddr_in *) each->ifa_netmask)->sin_addr;
    char text[INET6_ADDRSTRLEN];
    if (!inet_ntop (each->ifa_addr->sa_family, address, text, sizeof text))
        return;
    xml_node_t *ip = xml_add (node, "ip");
    xml_set (ip, "@address", text);
    xml_setf (ip, "@prefix", "%u", prefix_of (mask, v6 ? 16 : 4));
}

static void add_family (xml_node_t *node, const char *name, const struct ifaddrs *list, int family)
{
    xml_node_t *protocol = NULL;
    for (const struct ifaddrs *each = list; each; each = each->ifa_next) {
        if (strcmp (each->ifa_name, name) != 0 || !each->ifa_addr || !each->ifa_netmask ||
            each->ifa_addr->sa_family != family)
            continue;
        if (!protocol) {
            protocol = xml_add (node, "protocol");
            xml_set (protocol, "@family", family == AF_INET ? "ipv4" : "ipv6");
        }
        add_address (protocol, each);
    }
}

static int add_addresses (xml_node_t *node, const char *name, error_t *err)
{
    struct ifaddrs *list;
    if (getifaddrs (&list))
        return error_errno (err, ERR_SYSTEM_ERROR, "addresses of the interface '%s'", name);
    add_family (node, name, list, AF_INET);
    add_family (node, name, list, AF_INET6);
    freeifaddrs (list);
    return 0;
}

//  The links that are part of a bridge or a bond.
static void add_member (xml_node_t *parent, const char *root, const char *name)
{
    if (is_link (root, name))
        add_link (xml_add (parent, "interface"), root, name);
}

static int add_bridge (xml_node_t *node, const char *root, const char *name, error_t *err)
{
    autofree char *folder = text_format ("%s/sys/class/net/%s/brif", root, name);
    autofree char *stp = read_word (root, name, "bridge/stp_state");
    autofree char *delay = read_word (root, name, "bridge/forward_delay");
    auto(strings_t) members = file_list (folder, "", err);
    if (!members)
        return -1;
    xml_node_t *bridge = xml_add (node, "bridge");
    xml_set (bridge, "@stp", strcmp (stp, "0") == 0 ? "off" : "on");
    xml_setf (bridge, "@delay", "%.2f", strtod (delay, NULL) / 100); //  of hundredths of a second
    for (size_t i = 0; i < members->count; i++)
        add_member (bridge, root, members->items[i]);
    return 0;
}

static void add_bond (xml_node_t *node, const char *root, const char *name)
{
    autofree char *mode = read_word (root, name, "bonding/mode"); //  "active-backup 1"
    autofree char *slaves = read_word (root, name, "bonding/slaves");
    xml_node_t *bond = xml_add (node, "bond");
    mode[strcspn (mode, " ")] = 0;
    if (*mode)
        xml_set (bond, "@mode", mode);
    char *rest = slaves;
    for (char *slave; (slave = strsep (&rest, " "));)
        add_member (bond, root, slave);
}

//  "vlan0  VID: 5 REORDER_HDR: 1 ...", and a line "Device: eth0".
static void add_vlan (xml_node_t *node, const char *root, const char *name)
{
    error_t ignored; //  the link went meanwhile
    autofree char *path = text_format ("%s/proc/net/vlan/%s", root, name);
    autofree char *text = file_read (path, MAX_BYTES, NULL, &ignored);
    const char *tag = text ? strstr (text, "VID: ") : NULL;
    const char *device = text ? strstr (text, "Device: ") : NULL;
    xml_node_t *vlan = xml_add (node, "vlan");
    if (tag)
        xml_setf (vlan, "@tag", "%lu", strtoul (tag + strlen ("VID: "), NULL, 10));
    if (device) {
        device += strlen ("Device: ");
        autofree char *lower = text_copy_bytes (device, strcspn (device, "\n "));
        xml_set (vlan, "interface/@name", lower);
    }
}

xml_t *host_interface_xml (const char *root, const char *name, error_t *err)
{
    static const char empty[] = "<interface/>";
    if (!is_link (root, name)) {
        error_set (err, ERR_NO_INTERFACE,
                   "this host has no interface '%.64s'; 'troupe iface-list --all' shows them",
                   name);
        return NULL;
    }
    auto(xml_t) doc = xml_parse (empty, sizeof empty - 1, "interface", err);
    xml_node_t *node = doc ? xml_root (doc) : NULL;
    if (!doc)
        return NULL;
    add_link (node, root, name);
    if (add_addresses (node, name, err))
        return NULL;
    if (xml_equals (node, "@type", "bridge") && add_bridge (node, root, name, err))
        return NULL;
    if (xml_equals (node, "@type", "bond"))
        add_bond (node, root, name);
    if (xml_equals (node, "@type", "vlan"))
        add_vlan (node, root, name);
    return take (&doc);
}
