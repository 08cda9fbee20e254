//  network_routes.c: see network_routes.h.

#include "drivers/net/network_routes.h"

#include "util/file.h"
#include "util/text.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>

#define TABLE_MAX_BYTES (16u * 1024 * 1024)

//  One line as a route. False: it is none, or one that does not count.
static bool read_four (const char *line, subnet_t *route, char *link)
{
    unsigned to, mask, flags;
    char name[IF_NAMESIZE];
    //  The addresses stand there as the machine has them in memory.
    if (sscanf (line, "%15s %8X %*X %X %*d %*d %*d %8X", name, &to, &flags, &mask) != 4)
        return false;
    *route = (subnet_t){ .address.family = AF_INET };
    uint32_t address = to;
    memcpy (route->address.bytes, &address, sizeof address);
    while (mask) {
        route->prefix += mask & 1;
        mask >>= 1;
    }
    snprintf (link, IF_NAMESIZE, "%s", name);
    return route->prefix > 0;
}

static bool read_six (const char *line, subnet_t *route, char *link)
{
    char digits[33], name[IF_NAMESIZE];
    unsigned prefix;
    if (sscanf (line, "%32[0-9a-f] %X %*s %*s %*s %*s %*s %*s %*s %15s", digits, &prefix, name) !=
        3)
        return false;
    *route = (subnet_t){ .address.family = AF_INET6, .prefix = prefix };
    for (size_t i = 0; i < 16; i++) {
        unsigned byte;
        if (sscanf (digits + i * 2, "%2x", &byte) != 1)
            return false;
        route->address.bytes[i] = (uint8_t) byte;
    }
    snprintf (link, IF_NAMESIZE, "%s", name);
    bool everywhere = route->address.bytes[0] == 0xff ||
                      (route->address.bytes[0] == 0xfe && route->address.bytes[1] == 0x80);
    return prefix > 0 && prefix <= 128 && !everywhere && strcmp (name, "lo") != 0;
}

//  The next line of *TEXT, which is moved behind it. False: it is no route that counts.
static bool next_route (const char **text, bool six, subnet_t *route, char *link)
{
    size_t size = strcspn (*text, "\n");
    autofree char *line = text_copy_bytes (*text, size);
    *text += size + ((*text)[size] == '\n');
    return six ? read_six (line, route, link) : read_four (line, route, link);
}

bool routes_overlap (const char *text, const subnet_t *subnet, const char *own, char *link)
{
    bool six = subnet->address.family == AF_INET6;
    subnet_t route;
    while (*text)
        if (next_route (&text, six, &route, link) && !text_equals (link, own) &&
            subnet_overlaps (&route, subnet))
            return true;
    return false;
}

bool routes_have (const char *text, const subnet_t *subnet, const char *link)
{
    bool six = subnet->address.family == AF_INET6;
    char through[IF_NAMESIZE];
    subnet_t route;
    while (*text)
        if (next_route (&text, six, &route, through) && text_equals (through, link) &&
            route.prefix == subnet->prefix && subnet_overlaps (&route, subnet))
            return true;
    return false;
}

static char *read_table (int family, error_t *err)
{
    const char *path = family == AF_INET6 ? "/proc/net/ipv6_route" : "/proc/net/route";
    //  A kernel without IPv6 has no routes of it.
    if (family == AF_INET6 && access (path, F_OK))
        return text_copy ("");
    return file_read (path, TABLE_MAX_BYTES, NULL, err);
}

int network_has_route (const subnet_t *subnet, const char *link, bool *there, error_t *err)
{
    autofree char *table = read_table (subnet->address.family, err);
    *there = table && routes_have (table, subnet, link);
    return table ? 0 : -1;
}

static int check (const subnet_t *subnet, const char *own, error_t *err)
{
    char link[IF_NAMESIZE], words[ADDRESS_TEXT_SIZE + 4];
    autofree char *table = read_table (subnet->address.family, err);
    if (!table)
        return -1;
    if (!routes_overlap (table, subnet, own, link))
        return 0;
    subnet_text (subnet, words);
    return error_set (err, ERR_OPERATION_FAILED,
                      "its subnet %s is in use: the host has a route to it through '%s'; give it "
                      "another one",
                      words, link);
}

static int check_node (const xml_node_t *node, error_t *err)
{
    subnet_t subnet;
    return subnet_read (node, xml_name (node), &subnet, err) || check (&subnet, NULL, err) ? -1 : 0;
}

int network_check_routes (const xml_node_t *network, error_t *err)
{
    xml_foreach (ip, network, "ip")
        if (check_node (ip, err))
            return -1;
    xml_foreach (route, network, "route")
        if (check_node (route, err))
            return -1;
    return 0;
}

int routes_check_address (const char *address, const char *own, error_t *err)
{
    subnet_t subnet;
    uint64_t prefix = 0;
    const char *slash = strchr (address, '/');
    autofree char *plain = text_copy_bytes (address, slash ? (size_t) (slash - address) : 0);
    if (!slash || !address_read (plain, &subnet.address) || !text_to_u64 (slash + 1, &prefix) ||
        prefix > (subnet.address.family == AF_INET6 ? 128 : 32))
        return 0;
    subnet.prefix = (unsigned) prefix;
    return check (&subnet, own, err);
}

int network_free_subnet (error_t *err)
{
    enum {
        FIRST = 122,
        COUNT = 254
    };
    autofree char *table = read_table (AF_INET, err);
    char link[IF_NAMESIZE];
    if (!table)
        return -1;
    for (int i = 0; i < COUNT; i++) {
        int third = (FIRST - 1 + i) % COUNT + 1;
        subnet_t subnet = { { AF_INET, { 192, 168, (uint8_t) third, 0 } }, 24 };
        if (!routes_overlap (table, &subnet, NULL, link))
            return third;
    }
    return error_set (err, ERR_OPERATION_FAILED,
                      "the host has routes to all of 192.168.0.0/16; give the network another "
                      "subnet");
}

bool routes_announced (const char *text, size_t *from, char *link)
{
    enum {
        RTF_ADDRCONF = 0x00040000
    }; //  linux/ipv6_route.h
    while (text[*from]) {
        const char *start = text + *from;
        size_t size = strcspn (start, "\n");
        autofree char *line = text_copy_bytes (start, size);
        unsigned flags = 0;
        char name[IF_NAMESIZE];
        *from += size + (start[size] == '\n');
        if (sscanf (line, "%*s %*s %*s %*s %*s %*s %*s %*s %X %15s", &flags, name) != 2 ||
            !(flags & RTF_ADDRCONF))
            continue;
        snprintf (link, IF_NAMESIZE, "%s", name);
        return true;
    }
    return false;
}

int network_check_announced (error_t *err)
{
    autofree char *table = read_table (AF_INET6, err);
    char link[IF_NAMESIZE];
    if (!table)
        return -1;
    for (size_t from = 0; routes_announced (table, &from, link);) {
        error_t ignored; //  then it is not known to be 2
        autofree char *path = text_format ("/proc/sys/net/ipv6/conf/%s/accept_ra", link);
        autofree char *accepts = file_read (path, 16, NULL, &ignored);
        if (!accepts || *accepts != '2')
            return error_set (
                err, ERR_OPERATION_FAILED,
                "it needs the host to pass IPv6 packets on, and the host would forget "
                "the routes that routers announce to it through '%s'; write 2 to %s "
                "first",
                link, path);
    }
    return 0;
}
