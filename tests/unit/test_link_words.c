//  test_link_words.c: links in messages: read as they were written, and what does not fit is
//  refused.

#include "unit.h"

#include "drivers/net/link_words.h"

typedef struct {
    document_t *document;
    pack_t pack;
} said_t;

static const value_t *said (said_t *self)
{
    error_t err;
    self->document = document_parse (self->pack.bytes, self->pack.size, VALUE_MAX_BYTES, &err);
    assert_non_null (self->document);
    return document_root (self->document);
}

static void forget (said_t *self)
{
    document_destroy (&self->document);
    pack_close (&self->pack);
}

//  The code with which SPEC is refused when it is read again.
static int send_spec (const link_spec_t *spec, error_t *err)
{
    said_t self = { 0 };
    link_spec_t read;
    memset (err, 0, sizeof *err);
    pack_init (&self.pack);
    link_spec_pack (&self.pack, spec);
    int rc = link_spec_read (said (&self), &read, err);
    assert_true (rc == (err->code ? -1 : 0));
    forget (&self);
    return (int) err->code;
}

static void test_a_spec_is_read_as_it_was_written (void **state)
{
    (void) state;
    said_t self = { 0 };
    error_t err;
    const link_spec_t spec = { .kind = LINK_VXLAN,
                               .set = { .name = "vx%d",
                                        .mac = "52:54:00:00:00:01",
                                        .alias = "an alias",
                                        .master = "br0",
                                        .master_index = 7,
                                        .mtu = 1400,
                                        .up = LINK_ON,
                                        .learning = LINK_OFF },
                               .lower = "eth0",
                               .vni = 9,
                               .remote = "239.0.0.1",
                               .local = "10.0.0.1",
                               .port = 8472 };
    link_spec_t read;
    pack_init (&self.pack);
    link_spec_pack (&self.pack, &spec);
    assert_int_equal (link_spec_read (said (&self), &read, &err), 0);
    assert_int_equal (read.kind, LINK_VXLAN);
    assert_string_equal (read.set.name, "vx%d");
    assert_string_equal (read.set.mac, "52:54:00:00:00:01");
    assert_string_equal (read.set.alias, "an alias");
    assert_string_equal (read.set.master, "br0");
    assert_int_equal (read.set.master_index, 7);
    assert_int_equal (read.set.mtu, 1400);
    assert_int_equal (read.set.up, LINK_ON);
    assert_int_equal (read.set.learning, LINK_OFF);
    assert_int_equal (read.set.flood, LINK_KEEP);
    assert_string_equal (read.lower, "eth0");
    assert_int_equal (read.vni, 9);
    assert_string_equal (read.remote, "239.0.0.1");
    assert_int_equal (read.port, 8472);
    assert_null (read.peer.name);
    forget (&self);
}

#define NAMED(text) .set.name = text
#define PAIR .kind = LINK_VETH, .peer.name = "b"

static void test_what_does_not_fit_is_refused (void **state)
{
    (void) state;
    static const struct {
        link_spec_t spec;
        int code;
        const char *words;
    } cases[] = {
        { { PAIR, NAMED ("a") }, 0, "" },
        { { PAIR, NAMED ("fifteen-letters") }, 0, "" },
        { { PAIR, NAMED ("sixteen--letters") }, ERR_INVALID_ARG, "1 to 15 characters" },
        { { PAIR, NAMED ("") }, ERR_INVALID_ARG, "1 to 15 characters" },
        { { PAIR, NAMED ("..") }, ERR_INVALID_ARG, "1 to 15 characters" },
        { { PAIR, NAMED ("a b") }, ERR_INVALID_ARG, "blanks" },
        { { PAIR, NAMED ("a%s") }, ERR_INVALID_ARG, "'%d'" },
        { { PAIR, NAMED ("%d%d") }, ERR_INVALID_ARG, "'%d'" },
        { { PAIR }, ERR_INVALID_ARG, "name is missing" },
        { { .kind = LINK_VETH, NAMED ("a") }, ERR_INVALID_ARG, "other end's name" },
        { { .kind = LINK_TAP, NAMED ("a"), .peer.up = LINK_ON }, ERR_INVALID_ARG, "no other end" },
        { { .kind = LINK_TAP, NAMED ("a"), .stp = LINK_ON }, ERR_INVALID_ARG, "'stp' is not" },
        { { .kind = LINK_BRIDGE, NAMED ("a"), .uid = 1 }, ERR_INVALID_ARG, "'uid' is not" },
        { { .kind = LINK_MACVTAP, NAMED ("a") }, ERR_INVALID_ARG, "link below it" },
        { { .kind = LINK_MACVTAP, NAMED ("a"), .lower = "e", .mode = "vep" },
          ERR_INVALID_ARG,
          "mode 'vep'" },
        { { .kind = LINK_VLAN, NAMED ("a"), .lower = "e" }, ERR_INVALID_ARG, "number is missing" },
        { { .kind = LINK_VLAN, NAMED ("a"), .lower = "e", .vlan = 4095 },
          ERR_INVALID_ARG,
          "from 0 to 4094" },
        { { .kind = LINK_VXLAN, NAMED ("a") }, ERR_INVALID_ARG, "number is missing" },
        { { .kind = LINK_VXLAN, NAMED ("a"), .vni = 1, .remote = "10.0.0" },
          ERR_INVALID_ARG,
          "no IP address" },
        { { .kind = LINK_VXLAN, NAMED ("a"), .vni = 1, .remote = "10.0.0.1", .local = "fd00::1" },
          ERR_INVALID_ARG,
          "different families" },
        { { PAIR, .set = { .name = "a", .mac = "53:54:00:00:00:01" } }, ERR_INVALID_MAC, "group" },
        { { PAIR, .set = { .name = "a", .mac = "52:54:00:00:00:1" } }, ERR_INVALID_MAC, "MAC" },
        { { PAIR, .set = { .name = "a", .alias = "a\nb" } }, ERR_INVALID_ARG, "control" },
        { { PAIR, .set = { .name = "a", .process = "1", .netns = "/run/x" } },
          ERR_INVALID_ARG,
          "both" },
        { { PAIR, .set = { .name = "a", .process = "1", .master = "b" } },
          ERR_INVALID_ARG,
          "go elsewhere" },
    };
    error_t err;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal (send_spec (&cases[i].spec, &err), cases[i].code);
        assert_non_null (strstr (err.message, cases[i].words));
    }
}

static void test_mac_addresses (void **state)
{
    (void) state;
    uint8_t mac[6];
    char text[LINK_MAC_SIZE];
    assert_true (link_mac_read ("52:54:00:AB:cd:01", mac));
    link_mac_text (mac, text);
    assert_string_equal (text, "52:54:00:ab:cd:01");
    assert_false (link_mac_read ("52:54:00:ab:cd", mac));
    assert_false (link_mac_read ("52:54:00:ab:cd:0g", mac));
    assert_false (link_mac_read ("01:00:00:00:00:00", mac));
    static const char *const loose[] = { "52:54:00:\n1:22:33", " 2:54:00:ab:cd:01",
                                         "-2:-2:-2:-2:-2:-2",  "+2:54:00:ab:cd:01",
                                         "52:54:00:ab:cd:0 ",  "0x:54:00:ab:cd:01" };
    for (size_t i = 0; i < sizeof loose / sizeof *loose; i++)
        assert_false (link_mac_read (loose[i], mac));
    link_mac_make ((const uint8_t[6]){ 255, 255, 255, 255, 255, 255 }, mac);
    assert_int_equal (mac[0], 0xfe);
    link_mac_make ((const uint8_t[6]){ 0 }, mac);
    assert_int_equal (mac[0], 2);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_a_spec_is_read_as_it_was_written),
        cmocka_unit_test (test_what_does_not_fit_is_refused),
        cmocka_unit_test (test_mac_addresses),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
