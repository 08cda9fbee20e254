//  test_pci_program.c: what troupe-pci leaves in driver_override, in a model of sysfs. The model
//  binds nothing, so that what comes of a bind is the lab's test.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "drivers/pci/sysfs.h"
#include "sysfs_model.h"

#include <spawn.h>
#include <sys/wait.h>

#define TWIN "devices/pci0000:00/" MODEL_BRIDGE "/" MODEL_TWIN

//  The exit status of "troupe-pci ROOT return MODEL_TWIN BEFORE OVERRIDE 0".
static int give_back (const char *root, const char *before, const char *override)
{
    char command[] = "return", address[] = MODEL_TWIN, wait[] = "0";
    autofree char *sysfs = text_copy (root), *own = text_copy (override);
    autofree char *driver = text_copy (before);
    char *argv[] = { "troupe-pci", sysfs, command, address, driver, own, wait, NULL };
    pid_t pid;
    int status;
    assert_int_equal (posix_spawn (&pid, TROUPE_PCI, NULL, NULL, argv, environ), 0);
    assert_int_equal (waitpid (pid, &status, 0), pid);
    return WIFEXITED (status) ? WEXITSTATUS (status) : -1;
}

//  FOUND is there before, WANTED afterwards.
static void check (const char *root, const char *found, const char *override, const char *wanted)
{
    model_write (root, TWIN "/driver_override", found);
    model_write (root, "bus/pci/drivers_probe", "");
    assert_int_equal (give_back (root, "", override), 0);
    autofree char *left = sysfs_text ("%s/" TWIN "/driver_override", root);
    assert_string_equal (left, wanted);
    autofree char *probed = sysfs_text ("%s/bus/pci/drivers_probe", root);
    assert_string_equal (probed, MODEL_TWIN);
}

static void test_restored (void **state)
{
    check (*state, "vfio-pci", "administrators", "administrators");
}

static void test_none (void **state)
{
    check (*state, "vfio-pci", "", "");
}

//  It was written to meanwhile, or what was begun was cut off behind the write.
static void test_not_ours (void **state)
{
    check (*state, "another", "administrators", "another");
    check (*state, "(null)", "", "(null)");
}

//  An administrator had vfio-pci take it: it stays there. The model has nothing to unbind it by.
static void test_stays (void **state)
{
    const model_device_t twin = { MODEL_TWIN, "pci0000:00/" MODEL_BRIDGE "/", "", "", "", "", "" };
    model_driver (*state, &twin, "vfio-pci");
    model_write (*state, "bus/pci/drivers_probe", "");
    assert_int_equal (give_back (*state, "vfio-pci", ""), 0);
    assert_int_equal (give_back (*state, "e1000", ""), 1);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (test_restored, model_setup, model_teardown),
        cmocka_unit_test_setup_teardown (test_none, model_setup, model_teardown),
        cmocka_unit_test_setup_teardown (test_stays, model_setup, model_teardown),
        cmocka_unit_test_setup_teardown (test_not_ours, model_setup, model_teardown),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
