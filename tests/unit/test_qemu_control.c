//  test_qemu_control.c: what is done to a running guest through QMP, command by command.

#include "drivers/qemu/qemu_driver.h"
#include "drivers/state.h"
#include "fake_job.h"
#include "unit_xml.h"

static fake_job_t fake;

static int setup (void **state)
{
    (void) state;
    fake_job_init (&fake, "/nowhere");
    fake.guest.name = "g";
    fake.guest.status = (guest_status_t){ STATE_RUNNING, RUNNING_BOOTED };
    return 0;
}

//  WORDS: of the error; NULL: there is none.
static void check (const char *what, const char *args, const char *trace, const char *words)
{
    error_t err = { 0 };
    fake.trace[0] = 0;
    json_auto_t *given = json_loads (args, 0, NULL);
    assert_non_null (given);
    json_auto_t *answer = qemu_driver.control (&fake.job, what, given, &err);
    assert_string_equal (fake.trace, trace);
    if (words && strstr (err.message, words) == NULL)
        fail_msg ("'%s' is not in '%s'", words, err.message);
    assert_int_equal (answer == NULL, words != NULL);
}

static void test_keys (void **state)
{
    (void) state;
    check ("send_key", "{\"keys\":[\"KEY_LEFTCTRL\",\"KEY_LEFTALT\",\"111\"]}",
           "qmp send-key {\"keys\":[{\"type\":\"number\",\"data\":29},"
           "{\"type\":\"number\",\"data\":56},{\"type\":\"number\",\"data\":211}]}\n",
           NULL);
    check ("send_key", "{\"keys\":[\"4\"],\"codeset\":\"usb\",\"hold_ms\":250}",
           "qmp send-key {\"keys\":[{\"type\":\"number\",\"data\":30}],\"hold-time\":250}\n", NULL);
}

static void test_what_are_no_keys (void **state)
{
    (void) state;
    check ("send_key", "{\"keys\":[]}", "", "0 keys at once");
    check ("send_key",
           "{\"keys\":[\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\","
           "\"1\",\"1\",\"1\",\"1\",\"1\"]}",
           "", "send keys to domain 'g': 17 keys at once; it can be 1 to 16");
    check ("send_key", "{\"keys\":[\"KEY_A\",\"KEY_NO\"]}", "", "no key 'KEY_NO'");
    check ("send_key", "{\"keys\":[\"1\"],\"codeset\":\"osx\"}", "", "no codeset 'osx'");
    check ("send_key", "{\"keys\":[\"1\"],\"hold_ms\":60001}", "", "60000 ms at most");
}

static void test_an_interrupt (void **state)
{
    (void) state;
    check ("inject_nmi", "{}", "qmp inject-nmi\n", NULL);
    static const fake_reply_t refused[] = { { "inject-nmi", "!no such machine" }, { NULL, NULL } };
    fake.replies = refused;
    check ("inject_nmi", "{}", "qmp inject-nmi\n", "send an NMI to domain 'g': no such machine");
}

static void test_only_a_sleeper_is_woken (void **state)
{
    (void) state;
    check ("wake", "{}", "", "wake domain 'g': it is not asleep (its state is running)");
    fake.guest.status = (guest_status_t){ STATE_PMSUSPENDED, 0 };
    check ("wake", "{}", "qmp system_wakeup\n", NULL);
    //  It may have woken by itself; or have been stopped since.
    static const fake_reply_t woke[] = { { "system_wakeup", "!not suspended" },
                                         { "query-status", "{\"status\":\"running\"}" },
                                         { NULL, NULL } };
    static const fake_reply_t stopped[] = { { "system_wakeup", "!not suspended" },
                                            { "query-status", "{\"status\":\"io-error\"}" },
                                            { NULL, NULL } };
    fake.replies = woke;
    check ("wake", "{}", "qmp system_wakeup\nqmp query-status\n", NULL);
    fake.replies = stopped;
    check ("wake", "{}", "qmp system_wakeup\nqmp query-status\n",
           "wake domain 'g': it is not asleep any more, but does not run (QEMU says 'io-error')");
}

static void test_the_dirty_rate (void **state)
{
    (void) state;
    check ("dirty_rate", "{}", "qmp calc-dirty-rate {\"calc-time\":1,\"mode\":\"page-sampling\"}\n",
           NULL);
    //  QEMU would crash if it is asked without KVM.
    auto(xml_t) emulated = unit_xml ("<domain type='qemu'/>");
    fake.guest.live = emulated;
    static const char *const asked[] = { "{\"mode\":\"dirty-ring\"}",
                                         "{\"mode\":\"dirty-bitmap\"}" };
    for (size_t i = 0; i < 2; i++)
        check ("dirty_rate", asked[i], "", "which needs a guest of type='kvm'");
    auto(xml_t) accelerated = unit_xml ("<domain type='kvm'/>");
    fake.guest.live = accelerated;
    check ("dirty_rate", "{\"seconds\":60,\"mode\":\"dirty-bitmap\"}",
           "qmp calc-dirty-rate {\"calc-time\":60,\"mode\":\"dirty-bitmap\"}\n", NULL);
    check ("dirty_rate", "{\"seconds\":0}", "", "1 to 60 seconds");
    check ("dirty_rate", "{\"seconds\":61}", "", "1 to 60 seconds");
}

static void test_what_a_reboot_does (void **state)
{
    (void) state;
    check ("reboot_action", "{\"action\":\"destroy\"}",
           "qmp set-action {\"reboot\":\"shutdown\"}\n", NULL);
    check ("reboot_action", "{\"action\":\"restart\"}", "qmp set-action {\"reboot\":\"reset\"}\n",
           NULL);
}

static void test_a_display (void **state)
{
    (void) state;
    static const char text[] = "<domain><devices><graphics type='vnc'/><graphics type='sdl'/>"
                               "</devices></domain>";
    error_t err;
    fake.guest.live = xml_parse (text, sizeof text - 1, "guest", &err);
    assert_non_null (fake.guest.live);
    check ("open_graphics", "{\"lent\":\"lent:9:1:2\",\"skip_auth\":true}",
           "file lent:9:1:2 from 0\nqmp getfd {\"fdname\":\"troupe-display\"}\n"
           "qmp add_client "
           "{\"protocol\":\"vnc\",\"fdname\":\"troupe-display\",\"skipauth\":true}\n",
           NULL);
    static const fake_reply_t refused[] = { { "add_client", "!no" }, { NULL, NULL } };
    fake.replies = refused;
    check ("open_graphics", "{\"lent\":\"lent:9:1:2\",\"index\":0}",
           "file lent:9:1:2 from 0\nqmp getfd {\"fdname\":\"troupe-display\"}\n"
           "qmp add_client "
           "{\"protocol\":\"vnc\",\"fdname\":\"troupe-display\",\"skipauth\":false}\n"
           "qmp closefd {\"fdname\":\"troupe-display\"}\n",
           "open a display of domain 'g': no");
    check ("open_graphics", "{\"lent\":\"l\",\"index\":1}", "", "display 1 is of type 'sdl'");
    check ("open_graphics", "{\"lent\":\"l\",\"index\":2}", "", "it has no display 2");
    check ("open_graphics", "{}", "", "no descriptor came with the call");
    xml_destroy (&fake.guest.live);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup (test_keys, setup),
        cmocka_unit_test_setup (test_what_are_no_keys, setup),
        cmocka_unit_test_setup (test_an_interrupt, setup),
        cmocka_unit_test_setup (test_only_a_sleeper_is_woken, setup),
        cmocka_unit_test_setup (test_the_dirty_rate, setup),
        cmocka_unit_test_setup (test_what_a_reboot_does, setup),
        cmocka_unit_test_setup (test_a_display, setup),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
