//  test_vf.c: settings of a virtual function as text, and which function of which card it is, in a
//  model of sysfs. That a card does as it is told is the lab's test.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "drivers/pci/vf.h"
#include "sysfs_model.h"

#define HOST "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
#define UUIDS "11111111-2222-3333-4444-555555555555:" HOST ":"

static void test_text (void **state)
{
    (void) state;
    static const char *const texts[] = { "mac=52:54:00:12:34:56,vlan=5:3,trust=1",
                                         "mac=00:00:00:00:00:00,vlan=0:0,trust=0",
                                         "vlan=4094:7",
                                         "trust=0",
                                         "mac=fe:ff:ff:ff:ff:ff",
                                         "mac=52:54:00:12:34:56,vlan=0:0,port=" UUIDS "finance",
                                         "port=" UUIDS "a%2c%25%0ab%20%c3%a4",
                                         "port=" UUIDS "123456789012345678901234567890123456789",
                                         "vlan=5:0,port=",
                                         "" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        vf_settings_t settings;
        char again[VF_TEXT_SIZE];
        assert_true (vf_settings_read (texts[i], &settings));
        vf_settings_text (&settings, again);
        assert_string_equal (again, texts[i]);
    }
}

static void test_no_settings (void **state)
{
    (void) state;
    static const char *const texts[] = { "mac=52:54:00:12:34",
                                         "mac=52:54:00:12:34:56:78",
                                         "mac=",
                                         "vlan=5",
                                         "vlan=4096:0",
                                         "vlan=5:8",
                                         "vlan=-1:0",
                                         "trust=2",
                                         "trust=",
                                         "trust=1x",
                                         "rate=5",
                                         "vlan=1:0 ",
                                         "port=finance",
                                         "port=" UUIDS,
                                         "port=" UUIDS "a%00b",
                                         "port=" UUIDS "a%2",
                                         "port=" UUIDS "a%zz",
                                         "port=" UUIDS "1234567890123456789012345678901234567890",
                                         "port=11111111-2222-3333-4444-55555555555:" HOST ":a",
                                         "mac=52:54:00:12:34:56,mac=52:54:00:12:34:56,vlan=0000001:"
                                         "0000000" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        vf_settings_t settings;
        assert_false (vf_settings_read (texts[i], &settings));
    }
}

static void test_filled (void **state)
{
    (void) state;
    static const struct {
        const char *said, *otherwise, *filled;
    } cases[] = {
        { "", "mac=52:54:00:00:00:01,vlan=5:3,trust=1,port=",
          "mac=52:54:00:00:00:01,vlan=5:3,trust=1,port=" },
        { "mac=52:54:00:00:00:02,vlan=0:0", "mac=52:54:00:00:00:01,vlan=5:3,trust=1,port=",
          "mac=52:54:00:00:00:02,vlan=0:0,trust=1,port=" },
        { "trust=0,port=" UUIDS "b", "mac=52:54:00:00:00:01,vlan=5:3,trust=1,port=" UUIDS "a",
          "mac=52:54:00:00:00:01,vlan=5:3,trust=0,port=" UUIDS "b" },
        { "vlan=7:1", "trust=0", "vlan=7:1,trust=0" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vf_settings_t settings, otherwise;
        char text[VF_TEXT_SIZE];
        assert_true (vf_settings_read (cases[i].said, &settings));
        assert_true (vf_settings_read (cases[i].otherwise, &otherwise));
        vf_settings_fill (&settings, &otherwise);
        vf_settings_text (&settings, text);
        assert_string_equal (text, cases[i].filled);
    }
}

//  The longest there can be.
static void test_room (void **state)
{
    (void) state;
    char text[VF_TEXT_SIZE];
    vf_settings_t again, settings = {
        .has_mac = true, .vlan = 4095, .qos = 7, .trust = 1, .port = { .said = true }
    };
    memset (settings.port.profile, 0xff, sizeof settings.port.profile - 1);
    vf_settings_text (&settings, text);
    assert_true (vf_settings_read (text, &again));
    assert_string_equal (again.port.profile, settings.port.profile);
}

static void test_own_mac (void **state)
{
    static const uint8_t none[6], wanted[] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };
    uint8_t mac[6];
    vf_own_mac (*state, MODEL_FUNCTION, mac);
    assert_memory_equal (mac, none, 6);
    model_write (*state, MODEL_PORT_PATH "/" MODEL_FUNCTION "/net/eth1/address",
                 "52:54:00:12:34:56");
    vf_own_mac (*state, MODEL_FUNCTION, mac);
    assert_memory_equal (mac, wanted, 6);
}

static void test_place (void **state)
{
    error_t err;
    vf_place_t place;
    const char *root = *state;
    model_write (root, "devices/pci0000:00/0000:00:01.0/" MODEL_CARD "/net/eth0/ifindex", "12");
    model_link (root, "devices/pci0000:00/0000:00:01.0/0000:01:10.2/physfn", "../" MODEL_CARD);
    assert_int_equal (vf_find (root, MODEL_FUNCTION, &place, &err), 0);
    assert_int_equal (place.number, 0);
    assert_int_equal (place.card, 12);
    assert_string_equal (place.name, "eth0");
    assert_int_equal (vf_find (root, "0000:01:10.2", &place, &err), 0);
    assert_int_equal (place.number, 1);
}

static void test_no_place (void **state)
{
    error_t err;
    vf_place_t place;
    assert_int_equal (vf_find (*state, MODEL_TWIN, &place, &err), -1);
    assert_non_null (strstr (err.message, "is no virtual function"));
    //  The model's interface has no ifindex yet.
    assert_int_equal (vf_find (*state, MODEL_FUNCTION, &place, &err), -1);
    assert_non_null (strstr (err.message, "has no network interface"));
    assert_int_equal (vf_find (*state, "0000:01:10.4", &place, &err), -1);
    assert_int_equal (err.code, ERR_NO_NODE_DEVICE);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_text),
        cmocka_unit_test (test_no_settings),
        cmocka_unit_test (test_filled),
        cmocka_unit_test (test_room),
        cmocka_unit_test_setup_teardown (test_own_mac, model_setup, model_teardown),
        cmocka_unit_test_setup_teardown (test_place, model_setup, model_teardown),
        cmocka_unit_test_setup_teardown (test_no_place, model_setup, model_teardown),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
