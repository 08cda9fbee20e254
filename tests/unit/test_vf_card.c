//  test_vf_card.c: what a card is asked for its functions, and in which order, and what is made of
//  its answers. The kernel is the test's own: no card with port profiles is needed.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "drivers/net/netlink.h"
#include "drivers/pci/vf_port.h"
#include "pci/vf_card.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

#define FINANCE                                                                                    \
    "port=11111111-2222-3333-4444-555555555555:aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee:finance"

//  A card with one function, and the kernel before it.
static struct {
    bool able, shows; //  knows port profiles; shows MAC and VLAN
    int late;         //  so many looks come before the switch's answer
    uint16_t answer;
    struct nlmsghdr *asked; //  NULL: nothing is to be heard
    int number;             //  errno of what was asked
    char done[512];         //  what was changed, one after another
    int looks, waited_ms;
    vf_port_seen_t port;
} card;

static int renew (void **state)
{
    (void) state;
    memset (&card, 0, sizeof card);
    card.shows = card.able = true;
    card.answer = PORT_PROFILE_RESPONSE_SUCCESS;
    return 0;
}

static void note (const char *format, ...) __attribute__ ((format (printf, 1, 2)));

static void note (const char *format, ...)
{
    va_list args;
    size_t used = strlen (card.done);
    va_start (args, format);
    vsnprintf (card.done + used, sizeof card.done - used, format, args);
    va_end (args);
}

static int set_port (struct nlattr *one)
{
    static const int lengths[] = { [IFLA_PORT_PROFILE] = PORT_PROFILE_MAX,
                                   [IFLA_PORT_INSTANCE_UUID] = PORT_UUID_MAX,
                                   [IFLA_PORT_HOST_UUID] = PORT_UUID_MAX };
    struct nlattr *parts[IFLA_PORT_MAX + 1];
    if (!card.able || nla_parse_nested (parts, IFLA_PORT_MAX, one, NULL) || !parts[IFLA_PORT_VF] ||
        !parts[IFLA_PORT_REQUEST])
        return EOPNOTSUPP;
    for (int i = IFLA_PORT_PROFILE; i <= IFLA_PORT_HOST_UUID; i++)
        if (parts[i] && nla_len (parts[i]) != lengths[i])
            return EINVAL;
    card.port = (vf_port_seen_t){ .there = true, .request = nla_get_u8 (parts[IFLA_PORT_REQUEST]) };
    if (card.port.request == PORT_REQUEST_DISASSOCIATE) {
        note ("disassociate ");
        return 0;
    }
    snprintf (card.port.port.profile, sizeof card.port.port.profile, "%s",
              (const char *) nla_data (parts[IFLA_PORT_PROFILE]));
    memcpy (card.port.port.guest, nla_data (parts[IFLA_PORT_INSTANCE_UUID]), PORT_UUID_MAX);
    memcpy (card.port.port.host, nla_data (parts[IFLA_PORT_HOST_UUID]), PORT_UUID_MAX);
    note ("associate %s ", card.port.port.profile);
    return 0;
}

static int set_part (struct nlattr *info)
{
    struct nlattr *parts[IFLA_VF_MAX + 1];
    assert_int_equal (nla_parse_nested (parts, IFLA_VF_MAX, info, NULL), 0);
    if (parts[IFLA_VF_MAC])
        note ("mac ..:%02x ", ((struct ifla_vf_mac *) nla_data (parts[IFLA_VF_MAC]))->mac[5]);
    if (parts[IFLA_VF_VLAN] && !card.shows)
        return EOPNOTSUPP;
    if (parts[IFLA_VF_VLAN])
        note ("vlan %u ", ((struct ifla_vf_vlan *) nla_data (parts[IFLA_VF_VLAN]))->vlan);
    return 0;
}

static int change (struct nlmsghdr *header)
{
    struct nlattr *ports = nlmsg_find_attr (header, sizeof (struct ifinfomsg), IFLA_VF_PORTS);
    struct nlattr *infos = nlmsg_find_attr (header, sizeof (struct ifinfomsg), IFLA_VFINFO_LIST);
    card.looks = 0;
    return ports ? set_port (nla_data (ports)) : set_part (nla_data (infos));
}

//  In the kernel's place.

int __wrap_netlink_open (bool notified, error_t *err);
int __wrap_netlink_send (int fd, struct nl_msg *msg, uint32_t seq);
int __wrap_netlink_hear (int fd, netlink_fn *on_heard, void *arg);
int __wrap_poll (struct pollfd *fds, nfds_t count, int ms);

int __wrap_netlink_open (bool notified, error_t *err)
{
    (void) notified, (void) err;
    return eventfd (1, EFD_CLOEXEC);
}

int __wrap_netlink_send (int fd, struct nl_msg *msg, uint32_t seq)
{
    struct nlmsghdr *header = nlmsg_hdr (msg);
    (void) fd;
    header->nlmsg_seq = seq;
    card.number = header->nlmsg_type == RTM_SETLINK ? change (header) : 0;
    card.asked = header;
    return 0;
}

static void show_info (struct nl_msg *msg)
{
    const struct ifla_vf_mac mac = { .mac = { 0xfe, 0, 0, 0, 0, 9 } };
    const struct ifla_vf_vlan vlan = { .vlan = 3 };
    struct nlattr *list = netlink_nest (msg, IFLA_VFINFO_LIST);
    struct nlattr *info = netlink_nest (msg, IFLA_VF_INFO);
    netlink_put (msg, IFLA_VF_MAC, &mac, sizeof mac);
    netlink_put (msg, IFLA_VF_VLAN, &vlan, sizeof vlan);
    nla_nest_end (msg, info);
    nla_nest_end (msg, list);
}

//  The request in two bytes, as enic shows it.
static void show_port (struct nl_msg *msg)
{
    uint16_t request = (uint16_t) card.port.request, answer = card.answer;
    if (card.looks++ < card.late)
        answer = PORT_PROFILE_RESPONSE_INPROGRESS;
    if (!card.port.there) {
        netlink_put (msg, IFLA_VF_PORTS, "", 0);
        return;
    }
    struct nlattr *list = netlink_nest (msg, IFLA_VF_PORTS);
    struct nlattr *one = netlink_nest (msg, IFLA_VF_PORT);
    netlink_put_u32 (msg, IFLA_PORT_VF, 0);
    netlink_put (msg, IFLA_PORT_REQUEST, &request, sizeof request);
    netlink_put (msg, IFLA_PORT_RESPONSE, &answer, sizeof answer);
    netlink_put (msg, IFLA_PORT_PROFILE, card.port.port.profile, PORT_PROFILE_MAX);
    netlink_put (msg, IFLA_PORT_INSTANCE_UUID, card.port.port.guest, PORT_UUID_MAX);
    netlink_put (msg, IFLA_PORT_HOST_UUID, card.port.port.host, PORT_UUID_MAX);
    nla_nest_end (msg, one);
    nla_nest_end (msg, list);
}

//  Without the filter the kernel shows neither.
static bool asks_for_functions (struct nlmsghdr *header)
{
    struct nlattr *mask = nlmsg_find_attr (header, sizeof (struct ifinfomsg), IFLA_EXT_MASK);
    return mask && (nla_get_u32 (mask) & RTEXT_FILTER_VF);
}

int __wrap_netlink_hear (int fd, netlink_fn *on_heard, void *arg)
{
    (void) fd;
    const struct ifinfomsg head = { .ifi_index = 7 };
    autonlmsg struct nl_msg *link = netlink_message (RTM_NEWLINK, 0, &head, sizeof head);
    if (asks_for_functions (card.asked) && card.shows)
        show_info (link);
    if (asks_for_functions (card.asked) && card.able)
        show_port (link);
    netlink_heard_t heard = { .seq = card.asked->nlmsg_seq, .words = "" };
    heard.message = card.asked->nlmsg_type == RTM_GETLINK ? nlmsg_hdr (link) : NULL;
    if (heard.message)
        on_heard (arg, &heard);
    heard.message = NULL;
    heard.number = card.number;
    on_heard (arg, &heard);
    return 0;
}

int __wrap_poll (struct pollfd *fds, nfds_t count, int ms)
{
    card.waited_ms += fds ? 0 : ms;
    return (int) count;
}

//  Tests.

static const vf_place_t place = { .number = 0, .card = 7, .name = "eth0" };

static int set (const char *text, error_t *err)
{
    vf_settings_t settings;
    assert_true (vf_settings_read (text, &settings));
    return vf_set (&place, &settings, err);
}

static void assert_saved (const char *wanted)
{
    error_t err;
    char text[VF_TEXT_SIZE];
    vf_settings_t settings;
    assert_int_equal (vf_get (&place, &settings, &err), 0);
    vf_settings_text (&settings, text);
    assert_string_equal (text, wanted);
}

//  What is read before is what is set afterwards; in between the profile comes behind the MAC.
static void test_there_and_back (void **state)
{
    (void) state;
    error_t err;
    card.late = 3;
    assert_saved ("mac=fe:00:00:00:00:09,vlan=3:0,port=");
    assert_int_equal (set ("mac=52:54:00:00:00:01,vlan=0:0," FINANCE, &err), 0);
    assert_int_equal (card.waited_ms, 300);
    assert_saved ("mac=fe:00:00:00:00:09,vlan=3:0," FINANCE);
    assert_int_equal (set ("mac=fe:00:00:00:00:09,vlan=3:0,port=", &err), 0);
    assert_string_equal (card.done, "mac ..:01 vlan 0 associate finance disassociate mac ..:09 "
                                    "vlan 3 ");
    assert_saved ("mac=fe:00:00:00:00:09,vlan=3:0,port=");
}

//  As enic is.
static void test_shows_profiles_only (void **state)
{
    (void) state;
    error_t err;
    card.shows = false;
    assert_saved ("port=");
    assert_int_equal (set ("mac=52:54:00:00:00:01,vlan=0:0," FINANCE, &err), 0);
    assert_saved (FINANCE);
    assert_string_equal (card.done, "mac ..:01 associate finance ");
}

static void test_none_to_take_away (void **state)
{
    (void) state;
    error_t err;
    assert_int_equal (set ("port=", &err), 0);
    card.able = false;
    assert_int_equal (set ("port=", &err), 0);
    assert_string_equal (card.done, "");
}

static void test_knows_no_profiles (void **state)
{
    (void) state;
    error_t err;
    card.able = false;
    assert_saved ("mac=fe:00:00:00:00:09,vlan=3:0");
    assert_int_equal (set ("mac=52:54:00:00:00:01," FINANCE, &err), -1);
    assert_int_equal (err.code, ERR_OPERATION_UNSUPPORTED);
    assert_string_equal (
        err.message, "associate function 0 of the card 'eth0' with the port profile 'finance': "
                     "not supported: the card's driver knows no port profiles (802.1Qbh); leave "
                     "<virtualport> out, or take a card that has them");
    card.shows = false;
    vf_settings_t settings;
    assert_int_equal (vf_get (&place, &settings, &err), -1);
    assert_non_null (strstr (err.message, "could not be restored"));
}

//  It is not associated then, and can be taken out of what it was to be in.
static void test_refused_by_the_switch (void **state)
{
    (void) state;
    error_t err;
    card.late = 1;
    card.answer = PORT_PROFILE_RESPONSE_INVALID;
    assert_int_equal (set (FINANCE, &err), -1);
    assert_non_null (strstr (err.message, "'finance': the switch has no such profile"));
    card.answer = PORT_PROFILE_RESPONSE_SUCCESS;
    assert_int_equal (set ("port=", &err), 0);
    assert_string_equal (card.done, "associate finance disassociate ");
}

static void test_no_answer (void **state)
{
    (void) state;
    error_t err;
    card.late = INT32_MAX;
    assert_int_equal (set (FINANCE, &err), -1);
    assert_int_equal (err.code, ERR_OPERATION_TIMEOUT);
    assert_non_null (strstr (err.message, "did not answer within 20 s"));
    assert_int_equal (card.waited_ms, 20000);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup (test_there_and_back, renew),
        cmocka_unit_test_setup (test_shows_profiles_only, renew),
        cmocka_unit_test_setup (test_none_to_take_away, renew),
        cmocka_unit_test_setup (test_knows_no_profiles, renew),
        cmocka_unit_test_setup (test_refused_by_the_switch, renew),
        cmocka_unit_test_setup (test_no_answer, renew),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
