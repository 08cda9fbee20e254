//  vf_card.c: see vf_card.h.

#include "pci/vf_card.h"

#include "drivers/net/netlink.h"
#include "drivers/pci/vf_port.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

enum {
    ANSWER_MS = 30000,
    PORT_MS = 20000, //  for the switch, to associate a function with a profile, or no more
    PORT_LOOK_MS = 100,
    VLAN_MASK = 0xfff,
    QOS_MASK = 7,
    SEQUENCE = 1
};

typedef struct {
    const vf_place_t *place;
    vf_settings_t *settings; //  NULL: only if it is done
    vf_port_seen_t port;     //  with settings
    bool found, over;
    int number; //  errno
    char words[128];
} asking_t;

static bool is_function (const struct nlattr *attribute, const vf_place_t *place)
{
    uint32_t number;
    if (!attribute || nla_len (attribute) < (int) sizeof number)
        return false;
    memcpy (&number, nla_data (attribute), sizeof number);
    return number == place->number;
}

static void take_vlan (const struct nlattr *attribute, vf_settings_t *settings)
{
    struct ifla_vf_vlan vlan;
    if (!attribute || nla_len (attribute) < (int) sizeof vlan)
        return;
    memcpy (&vlan, nla_data (attribute), sizeof vlan);
    settings->vlan = (int) (vlan.vlan & VLAN_MASK);
    settings->qos = (int) (vlan.qos & QOS_MASK);
}

static void take_trust (const struct nlattr *attribute, vf_settings_t *settings)
{
    struct ifla_vf_trust trust;
    if (!attribute || nla_len (attribute) < (int) sizeof trust)
        return;
    memcpy (&trust, nla_data (attribute), sizeof trust);
    settings->trust = trust.setting <= 1 ? (int) trust.setting : -1;
}

static void take_function (asking_t *self, struct nlattr *info)
{
    struct nlattr *parts[IFLA_VF_MAX + 1];
    struct ifla_vf_mac mac;
    if (nla_parse_nested (parts, IFLA_VF_MAX, info, NULL) < 0 ||
        !is_function (parts[IFLA_VF_MAC], self->place) ||
        nla_len (parts[IFLA_VF_MAC]) < (int) sizeof mac)
        return;
    memcpy (&mac, nla_data (parts[IFLA_VF_MAC]), sizeof mac);
    memcpy (self->settings->mac, mac.mac, sizeof self->settings->mac);
    self->settings->has_mac = true;
    take_vlan (parts[IFLA_VF_VLAN], self->settings);
    take_trust (parts[IFLA_VF_TRUST], self->settings);
    self->found = true;
}

static void take_link (asking_t *self, const struct nlmsghdr *message)
{
    struct nlattr *list =
        nlmsg_find_attr ((struct nlmsghdr *) message, sizeof (struct ifinfomsg), IFLA_VFINFO_LIST);
    struct nlattr *info;
    int left;
    if (list)
        nla_for_each_nested (info, list, left) take_function (self, info);
}

static void on_heard (void *arg, const netlink_heard_t *heard)
{
    asking_t *self = arg;
    if (heard->seq != SEQUENCE)
        return;
    if (heard->message) {
        if (self->settings && heard->message->nlmsg_type == RTM_NEWLINK) {
            take_link (self, heard->message);
            vf_port_take (heard->message, self->place->number, &self->port);
        }
        return;
    }
    self->over = true;
    self->number = heard->number;
    snprintf (self->words, sizeof self->words, "%s", heard->words);
}

static int ask (asking_t *self, struct nl_msg *msg, error_t *err)
{
    autoclose int fd = netlink_open (false, err);
    if (fd < 0)
        return -1;
    self->number = netlink_send (fd, msg, SEQUENCE);
    self->over = self->number != 0;
    while (!self->over) {
        struct pollfd ready = { .fd = fd, .events = POLLIN };
        int count = poll (&ready, 1, ANSWER_MS);
        if (count == 0)
            return error_set (err, ERR_OPERATION_TIMEOUT,
                              "the kernel says nothing of its virtual functions within %d s",
                              ANSWER_MS / 1000);
        if (count < 0 && errno != EINTR)
            return error_errno (err, ERR_SYSTEM_ERROR, "wait for the kernel's answer");
        int heard = netlink_hear (fd, on_heard, self);
        if (heard) {
            errno = heard;
            return error_errno (err, ERR_SYSTEM_ERROR, "read the kernel's answer");
        }
    }
    return 0;
}

static struct nl_msg *link_message (int type, const vf_place_t *place)
{
    const struct ifinfomsg head = { .ifi_family = AF_UNSPEC, .ifi_index = place->card };
    return netlink_message (type, NLM_F_ACK, &head, sizeof head);
}

static int refused (const asking_t *self, const char *what, error_t *err)
{
    errno = self->number;
    return error_errno (err, ERR_OPERATION_FAILED, "%s of function %u through its card%s%s", what,
                        self->place->number, *self->words ? ": " : "", self->words);
}

static int look (asking_t *self, error_t *err)
{
    *self->settings = (vf_settings_t){ .vlan = -1, .trust = -1 };
    autonlmsg struct nl_msg *msg = link_message (RTM_GETLINK, self->place);
    netlink_put_u32 (msg, IFLA_EXT_MASK, RTEXT_FILTER_VF);
    if (ask (self, msg, err))
        return -1;
    return self->number ? refused (self, "read the settings", err) : 0;
}

//  Cards with port profiles may show nothing else.
int vf_get (const vf_place_t *place, vf_settings_t *settings, error_t *err)
{
    asking_t asking = { .place = place, .settings = settings };
    if (look (&asking, err))
        return -1;
    if (vf_port_is_associated (&asking.port))
        settings->port = asking.port.port;
    settings->port.said = asking.port.able;
    return asking.found || asking.port.able
               ? 0
               : error_set (err, ERR_OPERATION_UNSUPPORTED,
                            "not supported: the card's driver shows no settings of its function "
                            "%u, so they could not be restored",
                            place->number);
}

//  Each part is a request of its own, so that the error says which one the driver refuses.
static int set_part (const vf_place_t *place, int type, const void *bytes, size_t size,
                     asking_t *asking, error_t *err)
{
    autonlmsg struct nl_msg *msg = link_message (RTM_SETLINK, place);
    *asking = (asking_t){ .place = place };
    struct nlattr *list = netlink_nest (msg, IFLA_VFINFO_LIST);
    struct nlattr *info = netlink_nest (msg, IFLA_VF_INFO);
    netlink_put (msg, type, bytes, size);
    nla_nest_end (msg, info);
    nla_nest_end (msg, list);
    return ask (asking, msg, err);
}

static int set_mac (const vf_place_t *place, const vf_settings_t *settings, error_t *err)
{
    static const uint8_t none[6];
    asking_t asking;
    struct ifla_vf_mac mac = { .vf = place->number };
    memcpy (mac.mac, settings->mac, sizeof settings->mac);
    if (set_part (place, IFLA_VF_MAC, &mac, sizeof mac, &asking, err))
        return -1;
    bool clears = memcmp (settings->mac, none, sizeof none) == 0;
    if (asking.number == 0 || (clears && asking.number == EINVAL))
        return 0;
    return refused (&asking, "set the MAC", err);
}

static int set_vlan (const vf_place_t *place, const vf_settings_t *settings, error_t *err)
{
    asking_t asking;
    const struct ifla_vf_vlan vlan = { .vf = place->number,
                                       .vlan = (uint32_t) settings->vlan,
                                       .qos = (uint32_t) settings->qos };
    if (set_part (place, IFLA_VF_VLAN, &vlan, sizeof vlan, &asking, err))
        return -1;
    //  What knows no VLANs has none.
    if (asking.number == 0 || (settings->vlan == 0 && asking.number == EOPNOTSUPP))
        return 0;
    return refused (&asking, "set the VLAN", err);
}

static int set_trust (const vf_place_t *place, const vf_settings_t *settings, error_t *err)
{
    asking_t asking;
    const struct ifla_vf_trust trust = { .vf = place->number,
                                         .setting = (uint32_t) settings->trust };
    if (set_part (place, IFLA_VF_TRUST, &trust, sizeof trust, &asking, err))
        return -1;
    if (asking.number == 0 || (settings->trust == 0 && asking.number == EOPNOTSUPP))
        return 0;
    return refused (&asking, "set the trust", err);
}

//  The port profile.

static int await_port (const vf_place_t *place, const vf_port_t *wanted, error_t *err)
{
    for (int waited = 0;; waited += PORT_LOOK_MS) {
        vf_settings_t ignored;
        asking_t asking = { .place = place, .settings = &ignored };
        if (look (&asking, err))
            return -1;
        int outcome = vf_port_outcome (&asking.port, wanted, err);
        if (outcome)
            return outcome < 0 ? -1 : 0;
        if (waited >= PORT_MS)
            return error_set (err, ERR_OPERATION_TIMEOUT,
                              "the switch behind it did not answer within %d s", PORT_MS / 1000);
        poll (NULL, 0, PORT_LOOK_MS);
    }
}

static int request_port (const vf_place_t *place, const vf_port_t *port, error_t *err)
{
    asking_t asking = { .place = place };
    autonlmsg struct nl_msg *msg = link_message (RTM_SETLINK, place);
    vf_port_put (msg, place->number, port);
    if (ask (&asking, msg, err))
        return -1;
    if (asking.number == 0)
        return await_port (place, port, err);
    errno = asking.number;
    return asking.number == EOPNOTSUPP
               ? error_set (err, ERR_OPERATION_UNSUPPORTED,
                            "not supported: the card's driver knows no port profiles (802.1Qbh); "
                            "leave <virtualport> out, or take a card that has them")
               : error_errno (err, ERR_OPERATION_FAILED, "the card's driver refuses%s%s",
                              *asking.words ? ": " : "", asking.words);
}

static int associate (const vf_place_t *place, const vf_port_t *port, error_t *err)
{
    if (request_port (place, port, err) == 0)
        return 0;
    return error_prefix (err, "associate function %u of the card '%s' with the port profile '%s'",
                         place->number, place->name, port->profile);
}

//  One that has no profile is left alone: it may be the host's, and at work.
static int disassociate (const vf_place_t *place, const vf_port_t *port, error_t *err)
{
    vf_settings_t ignored;
    asking_t asking = { .place = place, .settings = &ignored };
    if (look (&asking, err))
        return -1;
    if (!asking.port.there || asking.port.request == PORT_REQUEST_DISASSOCIATE ||
        request_port (place, port, err) == 0)
        return 0;
    return error_prefix (err, "take function %u of the card '%s' out of its port profile",
                         place->number, place->name);
}

//  A profile is for the MAC that the function has then.
int vf_set (const vf_place_t *place, const vf_settings_t *settings, error_t *err)
{
    const vf_port_t *port = &settings->port;
    bool failed = (port->said && !*port->profile && disassociate (place, port, err)) ||
                  (settings->has_mac && set_mac (place, settings, err)) ||
                  (settings->vlan >= 0 && set_vlan (place, settings, err)) ||
                  (settings->trust >= 0 && set_trust (place, settings, err)) ||
                  (*port->profile && associate (place, port, err));
    return failed ? -1 : 0;
}
