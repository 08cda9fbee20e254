//  network_address.c: see network_address.h.

#include "drivers/net/network_address.h"

#include "util/text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static size_t size_of (const address_t *self)
{
    return self->family == AF_INET ? 4 : 16;
}

static unsigned bits_of (const address_t *self)
{
    return (unsigned) size_of (self) * 8;
}

bool address_read (const char *text, address_t *address)
{
    *address = (address_t){ .family = AF_INET };
    if (text && inet_pton (AF_INET, text, address->bytes) == 1)
        return true;
    address->family = AF_INET6;
    return text && inet_pton (AF_INET6, text, address->bytes) == 1;
}

void address_text (const address_t *self, char text[ADDRESS_TEXT_SIZE])
{
    inet_ntop (self->family, self->bytes, text, ADDRESS_TEXT_SIZE);
}

int address_compare (const address_t *a, const address_t *b)
{
    return memcmp (a->bytes, b->bytes, size_of (a));
}

uint64_t address_span (const address_t *first, const address_t *last)
{
    uint64_t high = 0, low = 0;
    unsigned borrow = 0;
    for (size_t i = size_of (first); i-- > 0;) {
        int digit = (int) last->bytes[i] - (int) first->bytes[i] - (int) borrow;
        size_t place = size_of (first) - 1 - i;
        borrow = digit < 0;
        uint64_t byte = (uint64_t) (digit + (borrow ? 256 : 0));
        if (place < 8)
            low |= byte << (place * 8);
        else
            high |= byte;
    }
    return high || low == UINT64_MAX ? UINT64_MAX : low + 1;
}

//  The length of a netmask; -1 if TEXT is none.
static int prefix_of_mask (const char *text)
{
    struct in_addr mask;
    if (inet_pton (AF_INET, text, &mask) != 1)
        return -1;
    uint32_t bits = ntohl (mask.s_addr);
    int prefix = 0;
    for (; bits & 0x80000000u; bits <<= 1)
        prefix++;
    return bits ? -1 : prefix;
}

//  What libvirt takes when neither prefix nor netmask is given.
static unsigned default_prefix (const address_t *address)
{
    if (address->family == AF_INET6)
        return 64;
    return address->bytes[0] < 128 ? 8 : address->bytes[0] < 192 ? 16 : 24;
}

static int read_prefix (const xml_node_t *node, const char *what, subnet_t *subnet, error_t *err)
{
    const char *mask = xml_string (node, "@netmask"), *prefix = xml_string (node, "@prefix");
    int bits = (int) default_prefix (&subnet->address);
    if (mask && prefix)
        return error_set (err, ERR_XML_ERROR,
                          "network XML: %s has both a netmask and a prefix; "
                          "give one of them",
                          what);
    if (mask && subnet->address.family == AF_INET6)
        return error_set (err, ERR_XML_ERROR,
                          "network XML: %s has a netmask; with IPv6 it is a prefix", what);
    if (mask && (bits = prefix_of_mask (mask)) < 0)
        return error_set (err, ERR_XML_ERROR, "network XML: %s: the netmask '%s' is none", what,
                          mask);
    if (prefix && xml_int (node, "@prefix", 0, (int) bits_of (&subnet->address), &bits, err))
        return error_set (err, ERR_XML_ERROR,
                          "network XML: %s: the prefix '%s' is no number from 0 to %u", what,
                          prefix, bits_of (&subnet->address));
    subnet->prefix = (unsigned) bits;
    return 0;
}

int subnet_read (const xml_node_t *node, const char *what, subnet_t *subnet, error_t *err)
{
    const char *text = xml_string (node, "@address"), *family = xml_string (node, "@family");
    if (!text)
        return error_set (err, ERR_XML_ERROR, "network XML: %s has no address", what);
    if (!address_read (text, &subnet->address))
        return error_set (err, ERR_XML_ERROR, "network XML: %s: '%s' is no IP address", what, text);
    bool six = subnet->address.family == AF_INET6;
    if (family && strcmp (family, "ipv4") != 0 && strcmp (family, "ipv6") != 0)
        return error_set (err, ERR_XML_ERROR, "network XML: %s: family '%s' is not ipv4 or ipv6",
                          what, family);
    if (six != text_equals (family, "ipv6"))
        return error_set (err, ERR_XML_ERROR,
                          "network XML: %s: '%s' is an address of %s; say family='%s'", what, text,
                          six ? "IPv6" : "IPv4", six ? "ipv6" : "ipv4");
    return read_prefix (node, what, subnet, err);
}

static void cut (address_t *address, unsigned prefix, uint8_t rest)
{
    for (unsigned bit = prefix; bit < bits_of (address); bit++) {
        uint8_t mask = (uint8_t) (0x80u >> (bit % 8));
        address->bytes[bit / 8] = (uint8_t) ((address->bytes[bit / 8] & ~mask) | (rest & mask));
    }
}

void subnet_base (const subnet_t *self, address_t *base)
{
    *base = self->address;
    cut (base, self->prefix, 0);
}

void subnet_last (const subnet_t *self, address_t *last)
{
    *last = self->address;
    cut (last, self->prefix, 0xff);
}

bool subnet_has (const subnet_t *self, const address_t *address)
{
    subnet_t other = { *address, self->prefix };
    address_t mine, theirs;
    if (address->family != self->address.family)
        return false;
    subnet_base (self, &mine);
    subnet_base (&other, &theirs);
    return address_compare (&mine, &theirs) == 0;
}

bool subnet_overlaps (const subnet_t *self, const subnet_t *other)
{
    const subnet_t *wide = self->prefix < other->prefix ? self : other;
    return subnet_has (wide, wide == self ? &other->address : &self->address);
}

void subnet_text (const subnet_t *self, char text[ADDRESS_TEXT_SIZE + 4])
{
    address_t base;
    char address[ADDRESS_TEXT_SIZE];
    subnet_base (self, &base);
    address_text (&base, address);
    snprintf (text, ADDRESS_TEXT_SIZE + 4, "%s/%u", address, self->prefix);
}

unsigned subnet_prefix_of (const xml_node_t *network, const char *text)
{
    address_t address;
    if (!address_read (text, &address))
        return 0;
    xml_foreach (ip, network, "ip") {
        subnet_t subnet;
        error_t ignored = { 0 };
        if (subnet_read (ip, "ip", &subnet, &ignored) == 0 && subnet_has (&subnet, &address))
            return subnet.prefix;
    }
    return 0;
}
