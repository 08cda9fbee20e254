//  test_pci_device.c: PCI devices as a model of sysfs shows them; the lab has the real one.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "drivers/pci/pci_device.h"
#include "sysfs_model.h"

static void test_addresses (void **state)
{
    (void) state;
    static const char *const valid[] = { "0000:01:10.2", "10000:ff:1f.7" };
    static const char *const invalid[] = { "01:10.2",         "0000:01:10", "0000:01:20.0",
                                           "0000:1:10.2",     "",           "0000:01:10.8",
                                           "0000:01:10.2/..", "..",         NULL };
    for (size_t i = 0; i < sizeof valid / sizeof *valid; i++)
        assert_true (pci_address_valid (valid[i]));
    for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++)
        assert_false (pci_address_valid (invalid[i]));
    pci_place_t place = pci_place ("10000:ff:1f.7");
    assert_int_equal (place.domain, 0x10000);
    assert_int_equal (place.bus, 0xff);
    assert_int_equal (place.slot, 0x1f);
    assert_int_equal (place.function, 7);
}

static void test_card (void **state)
{
    error_t err;
    auto(pci_device_t) card = pci_device_read (*state, MODEL_CARD, &err);
    assert_non_null (card);
    assert_string_equal (card->parent, "0000:00:01.0");
    assert_string_equal (card->driver, "igb");
    assert_int_equal (card->vendor, 0x8086);
    assert_int_equal (card->product, 0x10c9);
    assert_int_equal (card->class, 0x020000);
    assert_int_equal (card->numa_node, -1);
    assert_int_equal (card->iommu_group, 6);
    assert_int_equal (card->total_functions, 7);
    assert_int_equal (card->functions->count, 2);
    assert_string_equal (card->functions->items[1], "0000:01:10.2");
    assert_string_equal (card->nics->items[0], "eth0");
    assert_string_equal (card->resets, "flr bus");
    assert_null (card->physical_function);
    assert_false (pci_device_is_bridge (card));
}

static void test_function (void **state)
{
    error_t err;
    auto(pci_device_t) function = pci_device_read (*state, MODEL_FUNCTION, &err);
    auto(pci_device_t) other = pci_device_read (*state, "0000:01:10.2", &err);
    assert_string_equal (function->physical_function, MODEL_CARD);
    assert_int_equal (function->total_functions, 0);
    assert_int_equal (function->functions->count, 0);
    assert_int_equal (function->group->count, 1);
    assert_null (other->driver);
}

//  A switch of GPUs, for example: nothing is behind it, and guests have such.
static void test_other_bridge (void **state)
{
    error_t err;
    model_write (*state, "devices/pci0000:00/" MODEL_BRIDGE "/class", "0x068000");
    auto(pci_device_t) other = pci_device_read (*state, MODEL_BRIDGE, &err);
    assert_false (pci_device_is_bridge (other));
}

static void test_group (void **state)
{
    error_t err;
    auto(pci_device_t) twin = pci_device_read (*state, MODEL_TWIN, &err);
    auto(pci_device_t) bridge = pci_device_read (*state, MODEL_BRIDGE, &err);
    assert_int_equal (twin->group->count, 3);
    assert_string_equal (twin->group->items[0], MODEL_BRIDGE);
    assert_true (pci_device_is_bridge (bridge));
    assert_null (bridge->parent);
    auto(pci_device_t) none = pci_device_read (*state, "0000:00:00.0", &err);
    assert_int_equal (none->iommu_group, -1);
    assert_int_equal (none->group->count, 0);
}

//  The kernel says "(null)" for none.
static void test_override (void **state)
{
    static const char at[] = "devices/pci0000:00/0000:00:01.0/" MODEL_CARD "/driver_override";
    static const struct {
        const char *text, *found;
    } cases[] = { { "(null)", NULL }, { "", NULL }, { "pci-stub", "pci-stub" } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        error_t err;
        model_write (*state, at, cases[i].text);
        auto(pci_device_t) card = pci_device_read (*state, MODEL_CARD, &err);
        assert_true (text_equals (card->override, cases[i].found));
    }
}

static void test_missing (void **state)
{
    error_t err;
    assert_null (pci_device_read (*state, "0000:01:10.4", &err));
    assert_int_equal (err.code, ERR_NO_NODE_DEVICE);
    assert_null (pci_device_read (*state, "../../devices", &err));
    auto(strings_t) all = pci_device_list (*state);
    assert_int_equal (all->count, 8);
    auto(strings_t) none = pci_device_list ("/nowhere");
    assert_int_equal (none->count, 0);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_addresses),
        cmocka_unit_test_setup_teardown (test_card, model_setup, model_teardown),
        cmocka_unit_test_setup_teardown (test_function, model_setup, model_teardown),
        cmocka_unit_test_setup_teardown (test_group, model_setup, model_teardown),
        cmocka_unit_test_setup_teardown (test_other_bridge, model_setup, model_teardown),
        cmocka_unit_test_setup_teardown (test_override, model_setup, model_teardown),
        cmocka_unit_test_setup_teardown (test_missing, model_setup, model_teardown),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
