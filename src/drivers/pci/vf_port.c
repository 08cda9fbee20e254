//  vf_port.c: see vf_port.h.

#include "drivers/pci/vf_port.h"

#include "drivers/net/netlink.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <stdio.h>
#include <string.h>

_Static_assert(VF_PROFILE_SIZE == PORT_PROFILE_MAX, "a profile is as long as the kernel has it");

static bool is_set (const uint8_t uuid[PORT_UUID_MAX])
{
    static const uint8_t none[PORT_UUID_MAX];
    return memcmp (uuid, none, sizeof none) != 0;
}

//  Whole: drivers copy PORT_PROFILE_MAX bytes, and newer ones refuse what is shorter.
static void put_profile (struct nl_msg *msg, const vf_port_t *port)
{
    char profile[PORT_PROFILE_MAX] = { 0 };
    snprintf (profile, sizeof profile, "%s", port->profile);
    netlink_put (msg, IFLA_PORT_PROFILE, profile, sizeof profile);
    netlink_put (msg, IFLA_PORT_INSTANCE_UUID, port->guest, sizeof port->guest);
    if (is_set (port->host))
        netlink_put (msg, IFLA_PORT_HOST_UUID, port->host, sizeof port->host);
}

void vf_port_put (struct nl_msg *msg, unsigned function, const vf_port_t *port)
{
    bool associates = *port->profile;
    struct nlattr *list = netlink_nest (msg, IFLA_VF_PORTS);
    struct nlattr *one = netlink_nest (msg, IFLA_VF_PORT);
    netlink_put_u32 (msg, IFLA_PORT_VF, function);
    if (associates)
        put_profile (msg, port);
    netlink_put_u8 (msg, IFLA_PORT_REQUEST,
                    associates ? PORT_REQUEST_ASSOCIATE : PORT_REQUEST_DISASSOCIATE);
    nla_nest_end (msg, one);
    nla_nest_end (msg, list);
}

//  The header has a request in one byte; there are drivers that show it in two. -1: it is not
//  there.
static int number_of (const struct nlattr *attribute)
{
    uint16_t wide;
    uint8_t narrow;
    int size = attribute ? nla_len (attribute) : 0;
    if (size >= (int) sizeof wide) {
        memcpy (&wide, nla_data (attribute), sizeof wide);
        return wide;
    }
    if (size < (int) sizeof narrow)
        return -1;
    memcpy (&narrow, nla_data (attribute), sizeof narrow);
    return narrow;
}

static void take_uuid (const struct nlattr *attribute, uint8_t uuid[PORT_UUID_MAX])
{
    if (attribute && nla_len (attribute) >= PORT_UUID_MAX)
        memcpy (uuid, nla_data (attribute), PORT_UUID_MAX);
}

static bool is_function (const struct nlattr *attribute, unsigned function)
{
    uint32_t number;
    if (!attribute || nla_len (attribute) < (int) sizeof number)
        return false;
    memcpy (&number, nla_data (attribute), sizeof number);
    return number == function;
}

static void take_one (struct nlattr *one, unsigned function, vf_port_seen_t *seen)
{
    struct nlattr *parts[IFLA_PORT_MAX + 1];
    if (nla_parse_nested (parts, IFLA_PORT_MAX, one, NULL) < 0 ||
        !is_function (parts[IFLA_PORT_VF], function))
        return;
    const struct nlattr *profile = parts[IFLA_PORT_PROFILE];
    seen->there = true;
    seen->request = number_of (parts[IFLA_PORT_REQUEST]);
    seen->response = number_of (parts[IFLA_PORT_RESPONSE]);
    if (profile)
        snprintf (seen->port.profile, sizeof seen->port.profile, "%.*s", nla_len (profile),
                  (const char *) nla_data (profile));
    take_uuid (parts[IFLA_PORT_INSTANCE_UUID], seen->port.guest);
    take_uuid (parts[IFLA_PORT_HOST_UUID], seen->port.host);
}

void vf_port_take (const struct nlmsghdr *link, unsigned function, vf_port_seen_t *seen)
{
    struct nlattr *list = nlmsg_find_attr ((struct nlmsghdr *) (uintptr_t) link,
                                           sizeof (struct ifinfomsg), IFLA_VF_PORTS);
    struct nlattr *one;
    int left;
    if (!list)
        return;
    seen->able = true;
    nla_for_each_nested (one, list, left) take_one (one, function, seen);
}

bool vf_port_is_associated (const vf_port_seen_t *seen)
{
    return seen->there && seen->request == PORT_REQUEST_ASSOCIATE &&
           (seen->response == PORT_PROFILE_RESPONSE_SUCCESS ||
            seen->response == PORT_PROFILE_RESPONSE_INPROGRESS);
}

//  What the switch may answer that is no success.
static const char *words_of (int response)
{
    switch (response) {
    case PORT_PROFILE_RESPONSE_INVALID:
        return "the switch has no such profile, or not for this function";
    case PORT_PROFILE_RESPONSE_BADSTATE:
        return "the card can't, in the state that the function is in";
    case PORT_PROFILE_RESPONSE_INSUFFICIENT_RESOURCES:
        return "the card or the switch has no room for one more";
    case PORT_PROFILE_RESPONSE_ERROR:
        return "the card failed";
    default:
        return "an answer that is not known";
    }
}

int vf_port_outcome (const vf_port_seen_t *seen, const vf_port_t *wanted, error_t *err)
{
    bool associates = *wanted->profile;
    int request = associates ? PORT_REQUEST_ASSOCIATE : PORT_REQUEST_DISASSOCIATE;
    if (!seen->there)
        return associates ? 0 : 1;
    if (seen->request != request || seen->response == PORT_PROFILE_RESPONSE_INPROGRESS)
        return 0;
    if (seen->response == PORT_PROFILE_RESPONSE_SUCCESS)
        return 1;
    return error_set (err, ERR_OPERATION_FAILED, "%s (answer %d)", words_of (seen->response),
                      seen->response);
}
