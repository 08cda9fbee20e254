//  test_vf_port.c: port profiles in rtnetlink's messages, whose bytes are as linux/if_link.h has
//  them, and what an answer comes to.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "drivers/net/netlink.h"
#include "drivers/pci/vf_port.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

#define GUEST                                                                                      \
    {                                                                                              \
        0x11, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0x1f                                  \
    }
#define HOST                                                                                       \
    {                                                                                              \
        0x21, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0x2f                                  \
    }

//  Bytes that grow, as attributes are: a length of two bytes, a type of two, then what is in it.
typedef struct {
    uint8_t bytes[1024];
    size_t size;
} bytes_t;

static void add (bytes_t *self, const void *bytes, size_t size)
{
    memcpy (self->bytes + self->size, bytes, size);
    self->size += (size + 3) & ~(size_t) 3;
}

static void add_attribute (bytes_t *self, uint16_t type, const void *bytes, size_t size)
{
    const uint16_t head[2] = { (uint16_t) (sizeof head + size), type };
    add (self, head, sizeof head);
    add (self, bytes, size);
}

static void add_u32 (bytes_t *self, uint16_t type, uint32_t value)
{
    add_attribute (self, type, &value, sizeof value);
}

static void add_u16 (bytes_t *self, uint16_t type, uint16_t value)
{
    add_attribute (self, type, &value, sizeof value);
}

static void add_u8 (bytes_t *self, uint16_t type, uint8_t value)
{
    add_attribute (self, type, &value, sizeof value);
}

static struct nl_msg *link_of (const bytes_t *attributes)
{
    const struct ifinfomsg head = { .ifi_index = 7 };
    struct nl_msg *msg = netlink_message (RTM_NEWLINK, 0, &head, sizeof head);
    assert_int_equal (
        nlmsg_append (msg, (void *) (uintptr_t) attributes->bytes, attributes->size, 4), 0);
    return msg;
}

//  What is behind the head of a message is in IFLA_VF_PORTS, and in there in IFLA_VF_PORT: libnl
//  marks both as nests, which the kernel passes over.
static void assert_asks (struct nl_msg *msg, const bytes_t *wanted)
{
    const struct nlmsghdr *header = nlmsg_hdr (msg);
    const uint8_t *at = (const uint8_t *) header + NLMSG_HDRLEN + sizeof (struct ifinfomsg);
    static const uint16_t nests[] = { IFLA_VF_PORTS, IFLA_VF_PORT };
    size_t left = header->nlmsg_len - NLMSG_HDRLEN - sizeof (struct ifinfomsg);
    for (int i = 0; i < 2; i++) {
        uint16_t head[2];
        memcpy (head, at, sizeof head);
        assert_int_equal (head[0], left);
        assert_int_equal (head[1] & NLA_TYPE_MASK, nests[i]);
        at += sizeof head;
        left -= sizeof head;
    }
    assert_int_equal (left, wanted->size);
    assert_memory_equal (at, wanted->bytes, left);
}

static struct nl_msg *request_of (unsigned function, const vf_port_t *port)
{
    const struct ifinfomsg head = { .ifi_index = 7 };
    struct nl_msg *msg = netlink_message (RTM_SETLINK, 0, &head, sizeof head);
    vf_port_put (msg, function, port);
    return msg;
}

//  The profile has all of its 40 bytes: enic refuses shorter ones, and once read beyond them.
static void test_associate (void **state)
{
    (void) state;
    const vf_port_t port = { true, "finance", GUEST, HOST };
    autonlmsg struct nl_msg *msg = request_of (2, &port);
    bytes_t wanted = { .size = 0 };
    add_u32 (&wanted, IFLA_PORT_VF, 2);
    add_attribute (&wanted, IFLA_PORT_PROFILE, port.profile, 40);
    add_attribute (&wanted, IFLA_PORT_INSTANCE_UUID, port.guest, 16);
    add_attribute (&wanted, IFLA_PORT_HOST_UUID, port.host, 16);
    add_u8 (&wanted, IFLA_PORT_REQUEST, PORT_REQUEST_ASSOCIATE);
    assert_asks (msg, &wanted);
}

static void test_host_unknown (void **state)
{
    (void) state;
    const vf_port_t port = { .said = true, .profile = "a", .guest = GUEST };
    autonlmsg struct nl_msg *msg = request_of (0, &port);
    bytes_t wanted = { .size = 0 };
    add_u32 (&wanted, IFLA_PORT_VF, 0);
    add_attribute (&wanted, IFLA_PORT_PROFILE, port.profile, 40);
    add_attribute (&wanted, IFLA_PORT_INSTANCE_UUID, port.guest, 16);
    add_u8 (&wanted, IFLA_PORT_REQUEST, PORT_REQUEST_ASSOCIATE);
    assert_asks (msg, &wanted);
}

static void test_disassociate (void **state)
{
    (void) state;
    const vf_port_t port = { .said = true };
    autonlmsg struct nl_msg *msg = request_of (1, &port);
    bytes_t wanted = { .size = 0 };
    add_u32 (&wanted, IFLA_PORT_VF, 1);
    add_u8 (&wanted, IFLA_PORT_REQUEST, PORT_REQUEST_DISASSOCIATE);
    assert_asks (msg, &wanted);
}

//  Another function's, of which nothing is to be taken, and number 1's. WIDE: how enic shows it.
static void show (bytes_t *attributes, bool wide)
{
    static const vf_port_t port = { true, "finance", GUEST, HOST };
    bytes_t other = { .size = 0 }, own = { .size = 0 }, list = { .size = 0 };
    add_u32 (&other, IFLA_PORT_VF, 0);
    add_u16 (&other, IFLA_PORT_RESPONSE, PORT_PROFILE_RESPONSE_ERROR);
    add_u32 (&own, IFLA_PORT_VF, 1);
    if (wide)
        add_u16 (&own, IFLA_PORT_REQUEST, PORT_REQUEST_ASSOCIATE);
    else
        add_u8 (&own, IFLA_PORT_REQUEST, PORT_REQUEST_ASSOCIATE);
    add_u16 (&own, IFLA_PORT_RESPONSE, PORT_PROFILE_RESPONSE_SUCCESS);
    add_attribute (&own, IFLA_PORT_PROFILE, port.profile, wide ? 40 : strlen (port.profile));
    add_attribute (&own, IFLA_PORT_INSTANCE_UUID, port.guest, 16);
    add_attribute (&own, IFLA_PORT_HOST_UUID, port.host, 16);
    add_attribute (&list, IFLA_VF_PORT, other.bytes, other.size);
    add_attribute (&list, IFLA_VF_PORT, own.bytes, own.size);
    add_u32 (attributes, IFLA_MTU, 1500);
    add_attribute (attributes, IFLA_VF_PORTS, list.bytes, list.size);
}

static void test_shown (void **state)
{
    (void) state;
    static const uint8_t guest[] = GUEST, host[] = HOST;
    for (int wide = 0; wide < 2; wide++) {
        bytes_t attributes = { .size = 0 };
        vf_port_seen_t seen = { .able = false };
        show (&attributes, wide);
        autonlmsg struct nl_msg *link = link_of (&attributes);
        vf_port_take (nlmsg_hdr (link), 1, &seen);
        assert_true (seen.able && seen.there && vf_port_is_associated (&seen));
        assert_int_equal (seen.request, PORT_REQUEST_ASSOCIATE);
        assert_int_equal (seen.response, PORT_PROFILE_RESPONSE_SUCCESS);
        assert_string_equal (seen.port.profile, "finance");
        assert_memory_equal (seen.port.guest, guest, 16);
        assert_memory_equal (seen.port.host, host, 16);
    }
}

//  A card that knows profiles, and none for this function; one that knows none; and what no driver
//  should say: too short.
static void test_not_shown (void **state)
{
    (void) state;
    bytes_t none = { .size = 0 }, shown = { .size = 0 }, broken = { .size = 0 };
    bytes_t one = { .size = 0 }, list = { .size = 0 };
    add_u32 (&none, IFLA_MTU, 1500);
    show (&shown, false);
    add_u16 (&one, IFLA_PORT_VF, 2);
    add_attribute (&list, IFLA_VF_PORT, one.bytes, one.size);
    add_attribute (&broken, IFLA_VF_PORTS, list.bytes, list.size);
    const struct {
        const bytes_t *attributes;
        bool able;
    } cases[] = { { &none, false }, { &shown, true }, { &broken, true } };
    for (size_t i = 0; i < 3; i++) {
        vf_port_seen_t seen = { .able = false };
        autonlmsg struct nl_msg *link = link_of (cases[i].attributes);
        vf_port_take (nlmsg_hdr (link), 2, &seen);
        assert_int_equal (seen.able, cases[i].able);
        assert_false (seen.there || vf_port_is_associated (&seen));
    }
}

static void test_outcome (void **state)
{
    (void) state;
    static const vf_port_t profile = { .said = true, .profile = "finance" },
                           none = { .said = true };
    static const struct {
        const vf_port_t *wanted;
        bool there;
        int request, response, outcome;
        const char *words;
    } cases[] = {
        { &profile, false, 0, 0, 0, NULL },
        { &profile, true, PORT_REQUEST_ASSOCIATE, PORT_PROFILE_RESPONSE_INPROGRESS, 0, NULL },
        { &profile, true, PORT_REQUEST_ASSOCIATE, PORT_PROFILE_RESPONSE_SUCCESS, 1, NULL },
        //  Of what was asked for before.
        { &profile, true, PORT_REQUEST_DISASSOCIATE, PORT_PROFILE_RESPONSE_SUCCESS, 0, NULL },
        { &profile, true, PORT_REQUEST_ASSOCIATE, PORT_PROFILE_RESPONSE_INVALID, -1,
          "has no such profile" },
        { &profile, true, PORT_REQUEST_ASSOCIATE, PORT_PROFILE_RESPONSE_BADSTATE, -1, "the state" },
        { &profile, true, PORT_REQUEST_ASSOCIATE, PORT_PROFILE_RESPONSE_INSUFFICIENT_RESOURCES, -1,
          "no room" },
        { &profile, true, PORT_REQUEST_ASSOCIATE, PORT_PROFILE_RESPONSE_ERROR, -1,
          "the card failed (answer 261)" },
        { &profile, true, PORT_REQUEST_ASSOCIATE, -1, -1, "not known (answer -1)" },
        { &none, false, 0, 0, 1, NULL },
        { &none, true, PORT_REQUEST_ASSOCIATE, PORT_PROFILE_RESPONSE_SUCCESS, 0, NULL },
        { &none, true, PORT_REQUEST_DISASSOCIATE, PORT_PROFILE_RESPONSE_INPROGRESS, 0, NULL },
        { &none, true, PORT_REQUEST_DISASSOCIATE, PORT_PROFILE_RESPONSE_SUCCESS, 1, NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        error_t err = { 0 };
        const vf_port_seen_t seen = { .able = true,
                                      .there = cases[i].there,
                                      .request = cases[i].request,
                                      .response = cases[i].response };
        assert_int_equal (vf_port_outcome (&seen, cases[i].wanted, &err), cases[i].outcome);
        if (cases[i].words)
            assert_non_null (strstr (err.message, cases[i].words));
    }
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_associate),    cmocka_unit_test (test_host_unknown),
        cmocka_unit_test (test_disassociate), cmocka_unit_test (test_shown),
        cmocka_unit_test (test_not_shown),    cmocka_unit_test (test_outcome),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
