//  test_uevent.c: the kernel's events of devices; that they come is the lab's test.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "drivers/nodedev/uevent.h"

#include <string.h>

static void test_pci (void **state)
{
    (void) state;
    static const char bytes[] = "bind@/devices/pci0000:00/0000:01:10.0\0ACTION=bind\0"
                                "DEVPATH=/devices/pci0000:00/0000:01:10.0\0SUBSYSTEM=pci\0"
                                "DRIVER=igbvf\0PCI_SLOT_NAME=0000:01:10.0\0SEQNUM=7";
    uevent_t event;
    assert_true (uevent_parse (bytes, sizeof bytes, &event));
    assert_string_equal (event.action, "bind");
    assert_string_equal (event.subsystem, "pci");
    assert_string_equal (event.path, "/devices/pci0000:00/0000:01:10.0");
    assert_null (event.old_path);
}

static void test_renamed (void **state)
{
    (void) state;
    static const char bytes[] = "move@/devices/virtual/net/b\0ACTION=move\0SUBSYSTEM=net\0"
                                "DEVPATH=/devices/virtual/net/b\0"
                                "DEVPATH_OLD=/devices/virtual/net/a\0INTERFACE=b";
    uevent_t event;
    assert_true (uevent_parse (bytes, sizeof bytes, &event));
    assert_string_equal (event.path, "/devices/virtual/net/b");
    assert_string_equal (event.old_path, "/devices/virtual/net/a");
}

//  udev's messages, and what is cut off, are none of the kernel's.
static void test_others (void **state)
{
    (void) state;
    uevent_t event;
    static const char cut[] = "add@/devices/x\0ACTION=add\0SUBSYSTEM=pci\0PCI_SLOT";
    static const char udev[] = "libudev\0ACTION=add\0SUBSYSTEM=pci";
    static const char bare[] = "add@/devices/x";
    static const char nowhere[] = "add@/devices/x\0ACTION=add\0SUBSYSTEM=pci";
    assert_false (uevent_parse (cut, sizeof cut - 1, &event));
    assert_false (uevent_parse (udev, sizeof udev, &event));
    assert_false (uevent_parse (bare, sizeof bare, &event));
    assert_false (uevent_parse (nowhere, sizeof nowhere, &event));
    assert_false (uevent_parse ("", 0, &event));
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_pci),
        cmocka_unit_test (test_renamed),
        cmocka_unit_test (test_others),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
