//  test_qemu_ops.c: what is done to a running guest, call by call. With a real QEMU it is tested in
//  test_qemu_real.c.

#include "drivers/qemu/qemu_driver.h"
#include "drivers/state.h"
#include "fake_job.h"
#include "unit_xml.h"

#define RECORD                                                                                     \
    "<driver><process identity='4242:77:11111111-2222-3333-4444-555555555555'/>"                   \
    "<monitor path='/run/g.monitor'/></driver>"

static fake_job_t fake;

static int setup (void **state)
{
    (void) state;
    fake_job_init (&fake, "/nowhere");
    fake.guest.name = "g";
    fake.guest.id = 1;
    fake.guest.record = unit_xml (RECORD);
    fake.guest.live = unit_xml ("<domain><name>g</name><currentMemory>4096</currentMemory>"
                                "<on_poweroff>destroy</on_poweroff></domain>");
    fake.guest.status = (guest_status_t){ STATE_RUNNING, RUNNING_BOOTED };
    return 0;
}

static int teardown (void **state)
{
    (void) state;
    fake_job_clear (&fake);
    return 0;
}

static const char *on_poweroff (void)
{
    return xml_string (xml_root (fake.guest.live), "on_poweroff");
}

static void test_a_reboot_is_a_shutdown_that_starts_again (void **state)
{
    (void) state;
    error_t err = { 0 };
    assert_int_equal (qemu_driver.reboot (&fake.job, SHUTDOWN_DEFAULT, &err), 0);
    assert_string_equal (fake.trace, "qmp system_powerdown\n");
    assert_string_equal (on_poweroff (), "restart");
    guest_change_t change;
    qemu_driver.event ("{\"event\":\"SHUTDOWN\",\"data\":{\"guest\":true}}", fake.guest.live,
                       &change);
    assert_int_equal (change.kind, CHANGE_RESTART);
    //  A shutdown afterwards means it.
    assert_int_equal (qemu_driver.shutdown (&fake.job, SHUTDOWN_ACPI, &err), 0);
    assert_string_equal (on_poweroff (), "destroy");
}

static void test_suspend_and_resume_say_the_new_state (void **state)
{
    (void) state;
    error_t err = { 0 };
    assert_int_equal (qemu_driver.suspend (&fake.job, &err), 0);
    assert_int_equal (fake.guest.status.state, STATE_PAUSED);
    assert_int_equal (fake.guest.status.reason, PAUSED_USER);
    assert_int_equal (qemu_driver.resume (&fake.job, &err), 0);
    assert_int_equal (fake.guest.status.reason, RUNNING_UNPAUSED);
    fake.guest.status = (guest_status_t){ STATE_PMSUSPENDED, 0 };
    assert_int_equal (qemu_driver.resume (&fake.job, &err), 0);
    assert_string_equal (fake.trace, "qmp stop\nqmp query-status\nqmp cont\nqmp system_wakeup\n");
}

//  It falls asleep, wakes, or is reset by itself, and the daemon has not heard of it yet.
static void test_sleep_that_begins_or_ends_meanwhile (void **state)
{
    (void) state;
    error_t err = { 0 };
    const char *refused = "!QEMU refused system_wakeup: GenericError: Unable to wake up";
    const fake_reply_t asleep[] = { { "system_wakeup", refused },
                                    { "query-status", "{\"status\":\"suspended\"}" },
                                    { NULL, NULL } };
    const fake_reply_t awake[] = { { "system_wakeup", refused },
                                   { "query-status", "{\"status\":\"running\"}" },
                                   { NULL, NULL } };
    const fake_reply_t reset[] = { { "system_wakeup", refused },
                                   { "query-status", "{\"status\":\"prelaunch\"}" },
                                   { NULL, NULL } };
    fake.replies = asleep;
    assert_int_equal (qemu_driver.suspend (&fake.job, &err), -1);
    assert_int_equal (err.code, ERR_OPERATION_INVALID);
    assert_non_null (strstr (err.message, "suspend domain 'g': it sleeps, and would run once"));
    assert_int_equal (fake.guest.status.state, STATE_RUNNING);
    fake.guest.status = (guest_status_t){ STATE_PMSUSPENDED, 0 };
    assert_int_equal (qemu_driver.resume (&fake.job, &err), -1);
    assert_non_null (strstr (err.message, "resume domain 'g': QEMU refused system_wakeup"));
    fake.replies = awake;
    fake.trace[0] = 0;
    assert_int_equal (qemu_driver.resume (&fake.job, &err), 0);
    assert_string_equal (fake.trace, "qmp system_wakeup\nqmp query-status\n");
    assert_int_equal (fake.guest.status.reason, RUNNING_WAKEUP);
    fake.replies = reset;
    fake.guest.status = (guest_status_t){ STATE_PMSUSPENDED, 0 };
    assert_int_equal (qemu_driver.resume (&fake.job, &err), 0);
    assert_non_null (strstr (fake.trace, "qmp cont\n"));
    fake.replies = NULL;
}

static void test_a_failure_leaves_the_state_and_names_the_domain (void **state)
{
    (void) state;
    error_t err = { 0 };
    fake.fail = "qmp stop";
    assert_int_equal (qemu_driver.suspend (&fake.job, &err), -1);
    assert_int_equal (fake.guest.status.state, STATE_RUNNING);
    assert_non_null (strstr (err.message, "suspend domain 'g': "));
}

static void test_destroy_is_gentle_first (void **state)
{
    (void) state;
    error_t err = { 0 };
    assert_int_equal (qemu_driver.destroy (&fake.job, false, &err), 0);
    //  What is meant to happen is on disk before it happens.
    assert_string_equal (fake.trace, "record\nkill 4242 15\nwait_exit 4242\nmonitor_close\n"
                                     "remove_file /run/g.monitor\nlink_release\n");
    assert_int_equal (fake.guest.status.reason, SHUTOFF_DESTROYED);
}

static void test_destroy_is_hard_then_unless_graceful (void **state)
{
    (void) state;
    error_t err = { 0 };
    fake.fail = "wait_exit";
    fake.fail_code = ERR_OPERATION_TIMEOUT;
    assert_int_equal (qemu_driver.destroy (&fake.job, true, &err), -1);
    assert_null (strstr (fake.trace, "kill 4242 9"));
    assert_non_null (strstr (err.message, "without --graceful"));
    //  It goes on, so the next daemon must not end it.
    assert_null (xml_find (xml_root (fake.guest.record), "end"));
    assert_int_equal (qemu_driver.destroy (&fake.job, false, &err), -1);
    assert_non_null (strstr (fake.trace, "kill 4242 9"));
    assert_int_equal (fake.guest.status.state, STATE_RUNNING);
}

static void test_an_end_that_was_begun_is_brought_to_its_end (void **state)
{
    (void) state;
    error_t err = { 0 };
    xml_set (xml_root (fake.guest.record), "end/@state", "5");
    xml_set (xml_root (fake.guest.record), "end/@reason", "2");
    assert_int_equal (qemu_driver.adopt (&fake.job, &err), 0);
    assert_non_null (strstr (fake.trace, "kill 4242 15\nwait_exit 4242\n"));
    assert_int_equal (fake.guest.status.state, STATE_SHUTOFF);
    assert_int_equal (fake.guest.status.reason, SHUTOFF_DESTROYED);
}

static void test_a_measurement_of_one_that_just_ended_names_it (void **state)
{
    (void) state;
    error_t err = { 0 };
    guest_info_t info;
    assert_int_equal (qemu_driver.info (&fake.job, &info, &err), -1);
    assert_non_null (strstr (err.message, "measure domain 'g': process 4242 is over"));
}

static void test_destroy_needs_no_record (void **state)
{
    (void) state;
    error_t err = { 0 };
    fake_job_clear (&fake);
    assert_int_equal (qemu_driver.destroy (&fake.job, false, &err), 0);
    assert_string_equal (fake.trace, "monitor_close\nlink_release\n");
}

static void adopt_with (const char *run_state)
{
    static char reply[64];
    static fake_reply_t replies[] = { { "query-status", reply },
                                      { "query-balloon", "{\"actual\":50331648}" },
                                      { NULL, NULL } };
    snprintf (reply, sizeof reply, "{\"status\":\"%s\"}", run_state);
    fake.replies = replies;
    fake.trace[0] = 0;
    fake.fail = "wait_exit"; //  it runs
    fake.fail_code = ERR_OPERATION_TIMEOUT;
}

static void test_adopting_asks_what_the_guest_does (void **state)
{
    (void) state;
    error_t err = { 0 };
    adopt_with ("running");
    fake.guest.status = (guest_status_t){ STATE_RUNNING, RUNNING_UNPAUSED };
    assert_int_equal (qemu_driver.adopt (&fake.job, &err), 0);
    assert_string_equal (fake.trace, "wait_exit 4242\nwatch_exit 4242\n"
                                     "monitor_open /run/g.monitor\nlink_claim\nqmp query-status\n"
                                     "qmp query-balloon\n");
    assert_int_equal (fake.guest.balloon_kib, 49152);
    //  What was known of the reason stays.
    assert_int_equal (fake.guest.status.reason, RUNNING_UNPAUSED);
    adopt_with ("io-error");
    assert_int_equal (qemu_driver.adopt (&fake.job, &err), 0);
    assert_int_equal (fake.guest.status.state, STATE_PAUSED);
    assert_int_equal (fake.guest.status.reason, PAUSED_IOERROR);
}

static void test_a_reboot_that_the_daemon_missed_goes_on (void **state)
{
    (void) state;
    error_t err = { 0 };
    adopt_with ("shutdown");
    xml_set (xml_root (fake.guest.live), "on_poweroff", "restart");
    assert_int_equal (qemu_driver.adopt (&fake.job, &err), 0);
    assert_non_null (strstr (fake.trace, "qmp system_reset\nqmp cont\n"));
    assert_int_equal (fake.guest.status.state, STATE_RUNNING);
    assert_string_equal (on_poweroff (), "destroy");
}

static void test_adopting_after_a_reboot_of_the_host (void **state)
{
    (void) state;
    error_t err = { 0 };
    assert_int_equal (qemu_driver.adopt (&fake.job, &err), 0);
    assert_int_equal (fake.guest.status.state, STATE_SHUTOFF);
    assert_int_equal (fake.guest.status.reason, SHUTOFF_UNKNOWN);
    assert_non_null (strstr (fake.trace, "remove_file /run/g.monitor"));
}

static int stays (job_t *job, const process_t *process, int ms, error_t *err)
{
    (void) job, (void) process, (void) ms;
    return error_set (err, ERR_OPERATION_TIMEOUT, "it is still there");
}

static void test_a_qemu_that_hangs_is_not_given_up (void **state)
{
    (void) state;
    error_t err = { 0 };
    job_ops_t ops = fake_ops;
    ops.wait_exit = stays;
    fake.job.ops = &ops;
    fake.fail = "monitor_open";
    fake.fail_code = ERR_OPERATION_TIMEOUT;
    assert_int_equal (qemu_driver.adopt (&fake.job, &err), -1);
    assert_int_equal (err.code, ERR_OPERATION_TIMEOUT);
    assert_int_equal (fake.guest.status.state, STATE_RUNNING);
    assert_null (strstr (fake.trace, "kill"));
}

static void test_passthrough_refuses_what_is_no_command (void **state)
{
    (void) state;
    static const char *const texts[] = { "", "{}", "[1]", "{\"execute\":3}", "quit" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        error_t err = { 0 };
        char *reply = NULL;
        assert_int_equal (qemu_driver.monitor_command (&fake.job, texts[i], 0, NULL, &reply, &err),
                          -1);
        assert_int_equal (err.code, ERR_INVALID_ARG);
        assert_null (reply);
    }
    assert_string_equal (fake.trace, "");
}

static void test_consoles_are_found (void **state)
{
    (void) state;
    auto(xml_t) live = unit_xml (
        "<domain><name>g</name><devices><serial type='pty'><source path='/dev/pts/1'/>"
        "<alias name='serial0'/></serial><serial type='unix'><source mode='bind' path='/s'/>"
        "<alias name='serial1'/></serial><serial type='null'><alias name='serial2'/></serial>"
        "</devices></domain>");
    error_t err = { 0 };
    console_source_t source;
    assert_int_equal (qemu_driver.console (live, NULL, &source, &err), 0);
    assert_string_equal (source.path, "/dev/pts/1");
    assert_int_equal (qemu_driver.console (live, "serial1", &source, &err), 0);
    assert_int_equal (source.kind, CONSOLE_UNIX);
    assert_int_equal (qemu_driver.console (live, "serial2", &source, &err), -1);
    assert_int_equal (err.code, ERR_OPERATION_UNSUPPORTED);
    assert_int_equal (qemu_driver.console (live, "serial9", &source, &err), -1);
    assert_non_null (strstr (err.message, "no character device 'serial9'"));
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, setup, teardown)

int main (void)
{
    const struct CMUnitTest tests[] = {
        TEST (test_a_reboot_is_a_shutdown_that_starts_again),
        TEST (test_suspend_and_resume_say_the_new_state),
        TEST (test_sleep_that_begins_or_ends_meanwhile),
        TEST (test_a_failure_leaves_the_state_and_names_the_domain),
        TEST (test_destroy_is_gentle_first),
        TEST (test_destroy_is_hard_then_unless_graceful),
        TEST (test_an_end_that_was_begun_is_brought_to_its_end),
        TEST (test_a_measurement_of_one_that_just_ended_names_it),
        TEST (test_destroy_needs_no_record),
        TEST (test_adopting_asks_what_the_guest_does),
        TEST (test_a_reboot_that_the_daemon_missed_goes_on),
        TEST (test_adopting_after_a_reboot_of_the_host),
        TEST (test_a_qemu_that_hangs_is_not_given_up),
        TEST (test_passthrough_refuses_what_is_no_command),
        TEST (test_consoles_are_found),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
