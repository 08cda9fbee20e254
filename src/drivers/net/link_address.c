//  link_address.c: see link_address.h.

#include "drivers/net/link_address.h"

#include "util/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    uint8_t family, prefix;
    uint8_t bytes[16];
    size_t size;
} address_t;

static bool read_plain (const char *text, address_t *address)
{
    bool is4 = inet_pton (AF_INET, text, address->bytes) == 1;
    address->family = is4 ? AF_INET : AF_INET6;
    address->size = is4 ? 4 : 16;
    return is4 || inet_pton (AF_INET6, text, address->bytes) == 1;
}

static int read_prefixed (const char *text, const char *what, address_t *address, error_t *err)
{
    uint64_t prefix = 0;
    const char *slash = strchr (text, '/');
    autofree char *plain = text_copy_bytes (text, slash ? (size_t) (slash - text) : strlen (text));
    if (slash && read_plain (plain, address) && text_to_u64 (slash + 1, &prefix) &&
        prefix <= address->size * 8) {
        address->prefix = (uint8_t) prefix;
        return 0;
    }
    return error_set (err, ERR_INVALID_ARG,
                      "%s '%s': not an address and the length of its prefix, as 192.168.122.1/24 "
                      "or fd00::1/64",
                      what, text);
}

//  The last address of an IPv4 subnet that has one to spare.
static void put_broadcast (struct nl_msg *msg, const address_t *address)
{
    uint32_t bits;
    memcpy (&bits, address->bytes, sizeof bits);
    bits |= htonl (UINT32_MAX >> address->prefix);
    netlink_put (msg, IFA_BROADCAST, &bits, sizeof bits);
}

int link_address_step (uint32_t ifindex, const char *text, bool remove, link_step_t *step,
                       error_t *err)
{
    address_t address;
    if (read_prefixed (text, "address", &address, err))
        return -1;
    struct ifaddrmsg head = { .ifa_family = address.family,
                              .ifa_prefixlen = address.prefix,
                              .ifa_index = ifindex };
    //  Whose it is was decided by the document; waiting to see whether another has it (DAD) would
    //  only keep services from binding to it.
    if (address.family == AF_INET6 && !remove)
        head.ifa_flags = IFA_F_NODAD;
    struct nl_msg *msg =
        netlink_message (remove ? RTM_DELADDR : RTM_NEWADDR, remove ? 0 : NLM_F_CREATE | NLM_F_EXCL,
                         &head, sizeof head);
    netlink_put (msg, IFA_LOCAL, address.bytes, address.size);
    netlink_put (msg, IFA_ADDRESS, address.bytes, address.size);
    if (address.family == AF_INET && address.prefix < 31)
        put_broadcast (msg, &address);
    *step = (link_step_t){ .msg = msg, .fine = { remove ? EADDRNOTAVAIL : EEXIST } };
    return 0;
}

//  The kernel takes only prefixes whose other bits are zero.
static bool has_host_bits (const address_t *address)
{
    for (unsigned bit = address->prefix; bit < address->size * 8; bit++)
        if (address->bytes[bit / 8] & 0x80 >> bit % 8)
            return true;
    return false;
}

int link_route_step (uint32_t ifindex, const link_route_t *route, bool remove, link_step_t *step,
                     error_t *err)
{
    address_t to, via = { 0 };
    if (read_prefixed (route->to, "route to", &to, err))
        return -1;
    if (has_host_bits (&to))
        return error_set (
            err, ERR_INVALID_ARG,
            "route to '%s': it has bits behind its prefix of %u bits; name the subnet", route->to,
            to.prefix);
    if (route->via && (!read_plain (route->via, &via) || via.family != to.family))
        return error_set (err, ERR_INVALID_ARG,
                          "route to '%s': the gateway '%s' is no address of the same family",
                          route->to, route->via);
    struct rtmsg head = { .rtm_family = to.family,
                          .rtm_dst_len = to.prefix,
                          .rtm_table = RT_TABLE_MAIN,
                          .rtm_protocol = remove ? RTPROT_UNSPEC : RTPROT_STATIC,
                          .rtm_scope = remove       ? RT_SCOPE_NOWHERE
                                       : route->via ? RT_SCOPE_UNIVERSE
                                                    : RT_SCOPE_LINK,
                          .rtm_type = remove ? RTN_UNSPEC : RTN_UNICAST };
    struct nl_msg *msg =
        netlink_message (remove ? RTM_DELROUTE : RTM_NEWROUTE,
                         remove ? 0 : NLM_F_CREATE | NLM_F_EXCL, &head, sizeof head);
    netlink_put (msg, RTA_DST, to.bytes, to.size);
    netlink_put_u32 (msg, RTA_OIF, ifindex);
    if (route->via)
        netlink_put (msg, RTA_GATEWAY, via.bytes, via.size);
    if (route->metric > 0)
        netlink_put_u32 (msg, RTA_PRIORITY, route->metric);
    *step = (link_step_t){ .msg = msg,
                           .fine = { remove ? ESRCH : 0 },
                           .exists = "the host has a route there already" };
    return 0;
}
