//  link_request.c: see link_request.h.

#include "drivers/net/link_request.h"

#include "util/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <stdio.h>
#include <string.h>

enum {
    VXLAN_PORT = 4789, //  IANA's
    ENOTSUPP_ = 524    //  the kernel's own, which some drivers let out
};

static void put_mac (struct nl_msg *msg, const uint8_t mac[6])
{
    netlink_put (msg, IFLA_ADDRESS, mac, 6);
}

static void put_switch (struct nl_msg *msg, int type, link_switch_t value)
{
    if (value != LINK_KEEP)
        netlink_put_u8 (msg, type, value == LINK_ON);
}

static const char *name_here (const link_settings_t *settings)
{
    return settings->process || settings->netns ? "vnet%d" : settings->name;
}

//  What each kind has of its own.

static void put_namespace (struct nl_msg *msg, const link_targets_t *targets)
{
    if (targets->netns >= 0)
        netlink_put_u32 (msg, IFLA_NET_NS_FD, (uint32_t) targets->netns);
    if (targets->pid > 0)
        netlink_put_u32 (msg, IFLA_NET_NS_PID, (uint32_t) targets->pid);
}

bool link_peer_is_born_away (const link_settings_t *peer, const link_targets_t *targets)
{
    return link_moves (targets) && !targets->plug && !peer->alias && peer->up == LINK_KEEP &&
           peer->isolated == LINK_KEEP && peer->learning == LINK_KEEP && peer->flood == LINK_KEEP;
}

static void put_peer (struct nl_msg *msg, const link_spec_t *spec, const link_birth_t *birth)
{
    uint8_t mac[6];
    const link_settings_t *set = &spec->peer;
    bool away = birth->peer != NULL;
    struct nlattr *peer = netlink_nest (msg, VETH_INFO_PEER);
    struct ifinfomsg head = { .ifi_family = AF_UNSPEC };
    nlmsg_append (msg, &head, sizeof head, NLMSG_ALIGNTO);
    netlink_put_text (msg, IFLA_IFNAME, away ? set->name : name_here (set));
    bool own = away && set->mac && link_mac_read (set->mac, mac);
    put_mac (msg, own ? mac : birth->peer_mac);
    if (set->mtu > 0)
        netlink_put_u32 (msg, IFLA_MTU, set->mtu);
    if (away)
        put_namespace (msg, birth->peer);
    nla_nest_end (msg, peer);
}

//  The kernel counts this delay in 1/100 s (USER_HZ).
static void put_bridge (struct nl_msg *msg, const link_spec_t *spec)
{
    if (spec->has_forward_delay)
        netlink_put_u32 (msg, IFLA_BR_FORWARD_DELAY, spec->forward_delay_ms / 10);
    if (spec->stp != LINK_KEEP)
        netlink_put_u32 (msg, IFLA_BR_STP_STATE, spec->stp == LINK_ON);
    put_switch (msg, IFLA_BR_VLAN_FILTERING, spec->vlan_filtering);
    put_switch (msg, IFLA_BR_MCAST_SNOOPING, spec->multicast_snooping);
}

static void put_macvlan (struct nl_msg *msg, const link_spec_t *spec)
{
    static const struct {
        const char *name;
        uint32_t mode;
    } modes[] = {
        { "vepa", MACVLAN_MODE_VEPA },
        { "bridge", MACVLAN_MODE_BRIDGE },
        { "private", MACVLAN_MODE_PRIVATE },
        { "passthrough", MACVLAN_MODE_PASSTHRU },
    };
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (text_equals (modes[i].name, spec->mode ? spec->mode : "vepa"))
            netlink_put_u32 (msg, IFLA_MACVLAN_MODE, modes[i].mode);
}

static void put_vlan (struct nl_msg *msg, const link_spec_t *spec)
{
    uint16_t number = (uint16_t) spec->vlan;
    netlink_put (msg, IFLA_VLAN_ID, &number, sizeof number);
}

static void put_address (struct nl_msg *msg, int type4, int type6, const char *text)
{
    uint8_t bytes[16];
    if (text && inet_pton (AF_INET, text, bytes) == 1)
        netlink_put (msg, type4, bytes, 4);
    else if (text && inet_pton (AF_INET6, text, bytes) == 1)
        netlink_put (msg, type6, bytes, 16);
}

static void put_vxlan (struct nl_msg *msg, const link_spec_t *spec, const link_birth_t *birth)
{
    uint16_t port = htons ((uint16_t) (spec->port ? spec->port : VXLAN_PORT));
    netlink_put_u32 (msg, IFLA_VXLAN_ID, spec->vni);
    put_address (msg, IFLA_VXLAN_GROUP, IFLA_VXLAN_GROUP6, spec->remote);
    put_address (msg, IFLA_VXLAN_LOCAL, IFLA_VXLAN_LOCAL6, spec->local);
    netlink_put (msg, IFLA_VXLAN_PORT, &port, sizeof port);
    if (birth->lower_index > 0)
        netlink_put_u32 (msg, IFLA_VXLAN_LINK, birth->lower_index);
}

static void put_data (struct nl_msg *msg, const link_spec_t *spec, const link_birth_t *birth)
{
    struct nlattr *data = netlink_nest (msg, IFLA_INFO_DATA);
    if (spec->kind == LINK_VETH)
        put_peer (msg, spec, birth);
    else if (spec->kind == LINK_BRIDGE)
        put_bridge (msg, spec);
    else if (spec->kind == LINK_MACVLAN || spec->kind == LINK_MACVTAP)
        put_macvlan (msg, spec);
    else if (spec->kind == LINK_VLAN)
        put_vlan (msg, spec);
    else if (spec->kind == LINK_VXLAN)
        put_vxlan (msg, spec, birth);
    nla_nest_end (msg, data);
}

struct nl_msg *link_request_create (const link_spec_t *spec, const link_birth_t *birth)
{
    struct ifinfomsg head = { .ifi_family = AF_UNSPEC };
    struct nl_msg *msg =
        netlink_message (RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &head, sizeof head);
    netlink_put_text (msg, IFLA_IFNAME, name_here (&spec->set));
    put_mac (msg, birth->mac);
    if (spec->set.mtu > 0)
        netlink_put_u32 (msg, IFLA_MTU, spec->set.mtu);
    if (birth->group > 0)
        netlink_put_u32 (msg, IFLA_GROUP, birth->group);
    if (birth->lower_index > 0 && spec->kind != LINK_VXLAN)
        netlink_put_u32 (msg, IFLA_LINK, birth->lower_index);
    struct nlattr *info = netlink_nest (msg, IFLA_LINKINFO);
    netlink_put_text (msg, IFLA_INFO_KIND, link_kind_name (spec->kind));
    put_data (msg, spec, birth);
    nla_nest_end (msg, info);
    return msg;
}

//  Changing.

struct nl_msg *link_request_set (uint32_t ifindex, const link_settings_t *settings,
                                 const link_targets_t *targets)
{
    uint8_t mac[6];
    struct ifinfomsg head = { .ifi_family = AF_UNSPEC, .ifi_index = (int) ifindex };
    if (settings->up != LINK_KEEP) {
        head.ifi_change = IFF_UP;
        head.ifi_flags = settings->up == LINK_ON ? IFF_UP : 0;
    }
    if (!settings->name && !settings->mac && !settings->alias && settings->mtu == 0 &&
        settings->up == LINK_KEEP && !targets->plug && !link_moves (targets))
        return NULL;
    struct nl_msg *msg = netlink_message (RTM_SETLINK, 0, &head, sizeof head);
    if (settings->name)
        netlink_put_text (msg, IFLA_IFNAME, settings->name);
    if (settings->mac && link_mac_read (settings->mac, mac))
        put_mac (msg, mac);
    if (settings->alias)
        netlink_put (msg, IFLA_IFALIAS, settings->alias, strlen (settings->alias));
    if (settings->mtu > 0)
        netlink_put_u32 (msg, IFLA_MTU, settings->mtu);
    if (targets->plug)
        netlink_put_u32 (msg, IFLA_MASTER, targets->master_index);
    put_namespace (msg, targets);
    return msg;
}

struct nl_msg *link_request_port (uint32_t ifindex, const link_settings_t *settings)
{
    struct ifinfomsg head = { .ifi_family = AF_BRIDGE, .ifi_index = (int) ifindex };
    if (settings->isolated == LINK_KEEP && settings->learning == LINK_KEEP &&
        settings->flood == LINK_KEEP)
        return NULL;
    struct nl_msg *msg = netlink_message (RTM_SETLINK, 0, &head, sizeof head);
    struct nlattr *port = netlink_nest (msg, IFLA_PROTINFO | NLA_F_NESTED);
    put_switch (msg, IFLA_BRPORT_ISOLATED, settings->isolated);
    put_switch (msg, IFLA_BRPORT_LEARNING, settings->learning);
    put_switch (msg, IFLA_BRPORT_UNICAST_FLOOD, settings->flood);
    nla_nest_end (msg, port);
    return msg;
}

struct nl_msg *link_request_group (uint32_t ifindex, uint32_t group)
{
    struct ifinfomsg head = { .ifi_family = AF_UNSPEC, .ifi_index = (int) ifindex };
    struct nl_msg *msg = netlink_message (RTM_SETLINK, 0, &head, sizeof head);
    netlink_put_u32 (msg, IFLA_GROUP, group);
    return msg;
}

struct nl_msg *link_request_delete_group (uint32_t group)
{
    struct ifinfomsg head = { .ifi_family = AF_UNSPEC };
    struct nl_msg *msg = netlink_message (RTM_DELLINK, 0, &head, sizeof head);
    netlink_put_u32 (msg, IFLA_GROUP, group);
    return msg;
}

struct nl_msg *link_request_list (void)
{
    struct ifinfomsg head = { .ifi_family = AF_UNSPEC };
    return netlink_message (RTM_GETLINK, NLM_F_DUMP, &head, sizeof head);
}

//  Reading.

const char *link_kernel_kind (link_kind_t kind)
{
    return kind == LINK_TAP ? "tun" : link_kind_name (kind);
}

static void read_text (struct nlattr *attribute, char *text, size_t size)
{
    if (attribute)
        nla_strlcpy (text, attribute, size);
}

static uint32_t read_u32 (struct nlattr *attribute)
{
    return attribute && nla_len (attribute) >= 4 ? nla_get_u32 (attribute) : 0;
}

static void read_kind (struct nlattr *info, char *kind, size_t size)
{
    struct nlattr *attributes[IFLA_INFO_MAX + 1];
    if (info && nla_parse_nested (attributes, IFLA_INFO_MAX, info, NULL) == 0)
        read_text (attributes[IFLA_INFO_KIND], kind, size);
}

bool link_news_read (const struct nlmsghdr *message, link_news_t *news)
{
    struct nlattr *attributes[IFLA_MAX + 1];
    struct nlmsghdr *header = (struct nlmsghdr *) (uintptr_t) message;
    const struct ifinfomsg *head = nlmsg_data (header);
    memset (news, 0, sizeof *news);
    //  Of family AF_BRIDGE are messages about ports: one that leaves its bridge is not gone.
    if ((header->nlmsg_type != RTM_NEWLINK && header->nlmsg_type != RTM_DELLINK) ||
        nlmsg_datalen (header) < (int) sizeof *head || head->ifi_family != AF_UNSPEC ||
        nlmsg_parse (header, sizeof *head, attributes, IFLA_MAX, NULL))
        return false;
    link_t *link = &news->link;
    news->gone = header->nlmsg_type == RTM_DELLINK;
    link->ifindex = (uint32_t) head->ifi_index;
    link->up = head->ifi_flags & IFF_UP;
    link->running = head->ifi_flags & IFF_RUNNING;
    link->mtu = read_u32 (attributes[IFLA_MTU]);
    link->master_index = read_u32 (attributes[IFLA_MASTER]);
    link->peer_index = read_u32 (attributes[IFLA_LINK]);
    news->group = read_u32 (attributes[IFLA_GROUP]);
    news->peer_elsewhere = attributes[IFLA_LINK_NETNSID] != NULL;
    read_text (attributes[IFLA_IFNAME], link->name, sizeof link->name);
    read_text (attributes[IFLA_IFALIAS], news->alias, sizeof news->alias);
    read_kind (attributes[IFLA_LINKINFO], link->kind, sizeof link->kind);
    struct nlattr *mac = attributes[IFLA_ADDRESS];
    if (mac && nla_len (mac) == 6)
        link_mac_text (nla_data (mac), link->mac);
    return true;
}

const char link_process_over[] = "the process whose network namespace it is for has ended";

const char link_name_exists[] = "a link of this name exists already and was left alone; choose "
                                "another name, or one with %d (vnet%d, virbr%d), "
                                "where the kernel puts a free number";

int link_refusal (error_t *err, const char *what, const link_step_t *step, int number,
                  const char *words)
{
    const char *colon = *words ? ": " : "";
    if (number == EPERM || number == EACCES)
        return error_set (err, ERR_OPERATION_DENIED,
                          "%s: not permitted: the daemon needs CAP_NET_ADMIN, which an ordinary "
                          "user does not have%s%s",
                          what, colon, words);
    if (number == EOPNOTSUPP || number == EPROTONOSUPPORT || number == EAFNOSUPPORT ||
        number == ENOTSUPP_)
        return error_set (err, ERR_OPERATION_UNSUPPORTED,
                          "%s: this host's kernel does not support it%s%s", what, colon, words);
    if (number == ENOENT && step && step->missing)
        return error_set (err, ERR_OPERATION_UNSUPPORTED,
                          "%s: this host's kernel has no support for %s%s%s", what, step->missing,
                          colon, words);
    if (number == EEXIST && step && step->exists && !*words)
        return error_set (err, ERR_OPERATION_FAILED, "%s: %s", what, step->exists);
    if (number == EADDRINUSE && step && step->mac)
        return error_set (err, ERR_OPERATION_FAILED,
                          "%s: another interface of the same link has the MAC '%s'", what,
                          step->mac);
    if (number == ESRCH && step && step->over)
        return error_set (err, ERR_OPERATION_FAILED, "%s: %s", what, step->over);
    errno = number;
    return error_errno (err, ERR_OPERATION_FAILED, "%s%s%s", what, colon, words);
}
