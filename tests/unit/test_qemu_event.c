//  test_qemu_event.c: what QEMU's events mean for a domain.

#include "drivers/qemu/qemu_driver.h"
#include "drivers/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define SHUTDOWN_BY(guest, reason)                                                                 \
    "{\"event\":\"SHUTDOWN\",\"data\":{\"guest\":" guest ",\"reason\":\"" reason "\"}}"

static const struct {
    const char *json, *live;
    change_kind_t kind;
    guest_status_t status;
    int event, detail;
} lifecycles[] = {
    { SHUTDOWN_BY ("true", "guest-shutdown"),
      "",
      CHANGE_ENDED,
      { STATE_SHUTOFF, SHUTOFF_SHUTDOWN },
      EVENT_SHUTDOWN,
      FINISHED_BY_GUEST },
    { SHUTDOWN_BY ("false", "host-signal"),
      "<on_poweroff>restart</on_poweroff>",
      CHANGE_ENDED,
      { STATE_SHUTOFF, SHUTOFF_SHUTDOWN },
      EVENT_SHUTDOWN,
      FINISHED_BY_HOST },
    { SHUTDOWN_BY ("true", "guest-shutdown"),
      "<on_poweroff>restart</on_poweroff>",
      CHANGE_RESTART,
      { STATE_SHUTOFF, SHUTOFF_SHUTDOWN },
      EVENT_SHUTDOWN,
      FINISHED_BY_GUEST },
    //  -no-reboot made the reset an end.
    { SHUTDOWN_BY ("true", "guest-reset"),
      "<on_poweroff>restart</on_poweroff>",
      CHANGE_ENDED,
      { STATE_SHUTOFF, SHUTOFF_SHUTDOWN },
      EVENT_SHUTDOWN,
      FINISHED_BY_GUEST },
    { "{\"event\":\"STOP\"}",
      "",
      CHANGE_STATE,
      { STATE_PAUSED, PAUSED_UNKNOWN },
      EVENT_SUSPENDED,
      SUSPENDED_PAUSED },
    { "{\"event\":\"RESUME\"}",
      "",
      CHANGE_STATE,
      { STATE_RUNNING, RUNNING_UNPAUSED },
      EVENT_RESUMED,
      RESUMED_UNPAUSED },
    { "{\"event\":\"SUSPEND\"}",
      "",
      CHANGE_PM,
      { STATE_PMSUSPENDED, 0 },
      EVENT_PMSUSPENDED,
      PMSUSPENDED_MEMORY },
    { "{\"event\":\"SUSPEND_DISK\"}",
      "",
      CHANGE_PM,
      { STATE_PMSUSPENDED, 0 },
      EVENT_PMSUSPENDED,
      PMSUSPENDED_DISK },
    { "{\"event\":\"WAKEUP\"}",
      "",
      CHANGE_PM,
      { STATE_RUNNING, RUNNING_WAKEUP },
      EVENT_STARTED,
      STARTED_WAKEUP },
    { "{\"event\":\"GUEST_PANICKED\",\"data\":{\"action\":\"pause\"}}",
      "<on_crash>preserve</on_crash>",
      CHANGE_STATE,
      { STATE_CRASHED, CRASHED_PANICKED },
      EVENT_CRASHED,
      CRASHED_GUEST_PANICKED },
    { "{\"event\":\"GUEST_PANICKED\",\"data\":{\"action\":\"pause\"}}",
      "<on_crash>destroy</on_crash>",
      CHANGE_ENDED,
      { STATE_SHUTOFF, SHUTOFF_CRASHED },
      EVENT_CRASHED,
      CRASHED_GUEST_PANICKED },
    { "{\"event\":\"GUEST_PANICKED\",\"data\":{\"action\":\"pause\"}}",
      "<on_crash>restart</on_crash>",
      CHANGE_RESTART,
      { STATE_CRASHED, CRASHED_PANICKED },
      EVENT_CRASHED,
      CRASHED_GUEST_PANICKED },
    //  It goes on, whatever the definition says of crashes.
    { "{\"event\":\"GUEST_CRASHLOADED\",\"data\":{\"action\":\"run\"}}",
      "<on_crash>destroy</on_crash>",
      CHANGE_LIFECYCLE,
      { STATE_NOSTATE, 0 },
      EVENT_CRASHED,
      CRASHED_CRASHLOADED },
};

static guest_change_t change_of (const char *json, const char *inside)
{
    error_t err = { 0 };
    char text[512];
    guest_change_t change;
    snprintf (text, sizeof text, "<domain>%s</domain>", inside);
    auto(xml_t) live = xml_parse (text, strlen (text), "live", &err);
    qemu_driver.event (json, live, &change);
    return change;
}

static void test_lifecycle (void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof lifecycles / sizeof *lifecycles; i++) {
        guest_change_t change = change_of (lifecycles[i].json, lifecycles[i].live);
        assert_int_equal (change.kind, lifecycles[i].kind);
        assert_int_equal (change.status.state, lifecycles[i].status.state);
        assert_int_equal (change.status.reason, lifecycles[i].status.reason);
        assert_int_equal (change.event, lifecycles[i].event);
        assert_int_equal (change.detail, lifecycles[i].detail);
    }
}

static const struct {
    const char *json;
    change_kind_t kind;
    int64_t value;
    const char *device;
} others[] = {
    { "{\"event\":\"RESET\",\"data\":{\"guest\":true}}", CHANGE_REBOOT, 0, "" },
    { "{\"event\":\"RTC_CHANGE\",\"data\":{\"offset\":-78}}", CHANGE_RTC, -78, "" },
    { "{\"event\":\"BALLOON_CHANGE\",\"data\":{\"actual\":268435456}}", CHANGE_BALLOON, 262144,
      "" },
    { "{\"event\":\"WATCHDOG\",\"data\":{\"action\":\"reset\"}}", CHANGE_WATCHDOG, 2, "" },
    { "{\"event\":\"BLOCK_IO_ERROR\",\"data\":{\"device\":\"\",\"node-name\":\"disk-vda\","
      "\"action\":\"report\"}}",
      CHANGE_IO_ERROR, 2, "disk-vda" },
    { "{\"event\":\"DEVICE_DELETED\",\"data\":{\"device\":\"net1\",\"path\":\"/x\"}}",
      CHANGE_DEVICE, 0, "net1" },
    { "{\"event\":\"DEVICE_DELETED\",\"data\":{\"path\":\"/x/virtio-backend\"}}", CHANGE_NONE, 0,
      "" },
    { "{\"event\":\"DEVICE_UNPLUG_GUEST_ERROR\",\"data\":{\"device\":\"net1\",\"path\":\"/x\"}}",
      CHANGE_UNPLUG_FAILED, 0, "net1" },
    { "{\"event\":\"ACPI_DEVICE_OST\",\"data\":{\"info\":{\"device\":\"vcpu1\",\"slot\":\"1\","
      "\"slot-type\":\"CPU\",\"source\":3,\"status\":128}}}",
      CHANGE_UNPLUG_FAILED, 0, "vcpu1" },
    { "{\"event\":\"ACPI_DEVICE_OST\",\"data\":{\"info\":{\"device\":\"vcpu1\",\"slot\":\"1\","
      "\"slot-type\":\"CPU\",\"source\":3,\"status\":132}}}",
      CHANGE_NONE, 0, "" },
    { "{\"event\":\"ACPI_DEVICE_OST\",\"data\":{\"info\":{\"device\":\"vcpu1\",\"slot\":\"1\","
      "\"slot-type\":\"CPU\",\"source\":1,\"status\":1}}}",
      CHANGE_NONE, 0, "" },
    { "{\"event\":\"DEVICE_TRAY_MOVED\",\"data\":{\"device\":\"\",\"id\":\"ide0-0-0\","
      "\"tray-open\":true}}",
      CHANGE_TRAY, 0, "ide0-0-0" },
    { "{\"event\":\"DEVICE_TRAY_MOVED\",\"data\":{\"device\":\"\",\"id\":\"ide0-0-0\","
      "\"tray-open\":false}}",
      CHANGE_TRAY, 1, "ide0-0-0" },
    { "{\"event\":\"MIGRATION_PASS\",\"data\":{\"pass\":3}}", CHANGE_ITERATION, 3, "" },
    { "{\"event\":\"JOB_STATUS_CHANGE\",\"data\":{\"id\":\"copy-vda\",\"status\":\"ready\"}}",
      CHANGE_BLOCK, 0, "" },
    { "{\"event\":\"JOB_STATUS_CHANGE\",\"data\":{\"id\":\"pull-vda\",\"status\":"
      "\"concluded\"}}",
      CHANGE_BLOCK, 0, "" },
    { "{\"event\":\"JOB_STATUS_CHANGE\",\"data\":{\"id\":\"commit-vda\",\"status\":"
      "\"running\"}}",
      CHANGE_NONE, 0, "" },
    { "{\"event\":\"JOB_STATUS_CHANGE\",\"data\":{\"id\":\"create-disk-vda-1\",\"status\":"
      "\"concluded\"}}",
      CHANGE_NONE, 0, "" },
    { "{\"event\":\"WATCHDOG\",\"data\":{\"action\":\"inject-nmi\"}}", CHANGE_WATCHDOG, 6, "" },
    { "{\"event\":\"VNC_DISCONNECTED\",\"data\":{}}", CHANGE_GRAPHICS, 2, "" },
    { "{\"event\":\"VSERPORT_CHANGE\",\"data\":{\"id\":\"channel0\",\"open\":true}}",
      CHANGE_CHANNEL, 1, "channel0" },
    { "{\"event\":\"VSERPORT_CHANGE\",\"data\":{\"id\":\"channel0\",\"open\":false}}",
      CHANGE_CHANNEL, 0, "channel0" },
    { "{\"event\":\"POWERDOWN\"}", CHANGE_NONE, 0, "" },
    { "{\"event\":\"NEXT_YEARS_EVENT\",\"data\":7}", CHANGE_NONE, 0, "" },
    { "{\"return\":{}}", CHANGE_NONE, 0, "" },
    { "not json", CHANGE_NONE, 0, "" },
};

static void test_other_events (void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        guest_change_t change = change_of (others[i].json, "");
        assert_int_equal (change.kind, others[i].kind);
        assert_int_equal (change.value, others[i].value);
        assert_string_equal (change.device, others[i].device);
        assert_int_equal (change.event, -1);
    }
}

#define DISKS                                                                                      \
    "<devices><disk><target dev='vd'/></disk><disk><source file='/a.img'/><target dev='vda'/>"     \
    "<alias name='virtio-disk0'/></disk><disk><source dev='/dev/b'/><target dev='vdab'/>"          \
    "</disk></devices>"

static void test_an_error_that_stops_the_guest_says_so (void **state)
{
    (void) state;
    guest_change_t change =
        change_of ("{\"event\":\"BLOCK_IO_ERROR\",\"data\":{\"device\":\"\",\"nospace\":true,"
                   "\"node-name\":\"disk-vda\",\"action\":\"stop\"}}",
                   DISKS);
    assert_string_equal (change.path, "/a.img");
    assert_string_equal (change.reason, "enospc");
    assert_string_equal (change.device, "virtio-disk0");
    assert_int_equal (change.kind, CHANGE_IO_ERROR);
    assert_int_equal (change.value, 1);
    assert_int_equal (change.status.state, STATE_PAUSED);
    assert_int_equal (change.status.reason, PAUSED_IOERROR);
}

static void test_lost_memory (void **state)
{
    (void) state;
    guest_change_t change =
        change_of ("{\"event\":\"MEMORY_FAILURE\",\"data\":{\"recipient\":\"guest\","
                   "\"action\":\"fatal\",\"flags\":{\"action-required\":true,"
                   "\"recursive\":false}}}",
                   DISKS);
    assert_int_equal (change.kind, CHANGE_MEMORY_FAILURE);
    assert_int_equal (change.value, 1);
    assert_int_equal (change.failure.action, 2);
    assert_int_equal (change.failure.flags, MEMORY_FAILURE_REQUIRED);
    change = change_of ("{\"event\":\"MEMORY_FAILURE\",\"data\":{\"recipient\":\"guest\","
                        "\"action\":\"next year's\"}}",
                        DISKS);
    assert_int_equal (change.kind, CHANGE_NONE);
}

static void test_thresholds (void **state)
{
    (void) state;
    static const struct {
        const char *node, *device, *path;
    } nodes[] = { { "disk-vda-file", "vda", "/a.img" },
                  { "disk-vdab", "vdab", "/dev/b" },
                  { "disk-vdaX", "disk-vdaX", "" } };
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++) {
        char json[256];
        snprintf (json, sizeof json,
                  "{\"event\":\"BLOCK_WRITE_THRESHOLD\",\"data\":{\"node-name\":\"%s\","
                  "\"amount-exceeded\":512,\"write-threshold\":1048576}}",
                  nodes[i].node);
        guest_change_t change = change_of (json, DISKS);
        assert_int_equal (change.kind, CHANGE_THRESHOLD);
        assert_string_equal (change.device, nodes[i].device);
        assert_string_equal (change.path, nodes[i].path);
        assert_int_equal (change.value, 1048576);
        assert_int_equal (change.excess, 512);
        assert_int_equal (change.event, -1);
    }
}

//  What QEMU says may be cut, but not in the middle of a character.
static void test_long_device (void **state)
{
    (void) state;
    guest_change_t change;
    qemu_driver.event ("{\"event\":\"DEVICE_DELETED\",\"data\":{\"device\":"
                       "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\u00e9\"}}",
                       NULL, &change);
    assert_int_equal (change.kind, CHANGE_DEVICE);
    assert_int_equal (strlen (change.device), 63);
    assert_int_equal (change.device[62], '?');
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_lifecycle),
        cmocka_unit_test (test_other_events),
        cmocka_unit_test (test_an_error_that_stops_the_guest_says_so),
        cmocka_unit_test (test_thresholds),
        cmocka_unit_test (test_lost_memory),
        cmocka_unit_test (test_long_device),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
