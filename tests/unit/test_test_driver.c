//  test_test_driver.c: simulated guests: what is completed, how they start, fail, end and are found
//  again.

#include "drivers/state.h"
#include "drivers/test/test_behaviour.h"
#include "drivers/test/test_driver.h"
#include "fake_job.h"
#include "unit_xml.h"

#define UUID "11111111-2222-3333-4444-555555555555"
#define FILES "/run/test/" UUID "."

static xml_t *parse (const char *more, const char *devices)
{
    return unit_xmlf ("<domain type='test'><name>web</name><uuid>" UUID "</uuid>"
                      "<memory unit='MiB'>64</memory><vcpu>2</vcpu>"
                      "<os><type>hvm</type></os>%s<devices>%s</devices></domain>",
                      more, devices);
}

static char *behaviour (const char *inner)
{
    return text_format ("<test:behaviour xmlns:test='" TEST_NAMESPACE "'>%s</test:behaviour>",
                        inner);
}

//  Completes a guest with these behaviours: fake->guest is its job's.
static void define (fake_job_t *fake, const char *inner, const char *devices)
{
    fake_job_init (fake, "/run");
    autofree char *more = behaviour (inner);
    strcpy (fake->guest.uuid, UUID);
    fake->guest.name = text_copy ("web");
    fake->guest.id = 3;
    fake->guest.definition = parse (more, devices);
    error_t err = { 0 };
    if (test_driver.complete (&fake->job, fake->guest.definition, &err))
        fail_msg ("%s", err.message);
}

static void start (fake_job_t *fake, const char *inner)
{
    error_t err = { 0 };
    define (fake, inner, "<console type='pty'/>");
    if (test_driver.start (&fake->job, 0, &err))
        fail_msg ("%s", err.message);
    fake->trace[0] = 0;
}

static void drop (fake_job_t *fake)
{
    free (fake->guest.name);
    xml_destroy (&fake->guest.definition);
    xml_destroy (&fake->guest.live);
    xml_destroy (&fake->guest.record);
}

static int64_t due (fake_job_t *fake, guest_change_t *change)
{
    return test_driver.due (fake->guest.live, fake->guest.record, fake->now, change);
}

//  Definitions.

static void completes_what_every_guest_has (void **state)
{
    (void) state;
    fake_job_t fake;
    fake_job_init (&fake, "/run");
    error_t err = { 0 };
    const char *text = "<domain type='test' id='7'><name>web</name><memory unit='MiB'>64</memory>"
                       "<os><type>hvm</type></os><devices><interface type='user'/>"
                       "<disk><alias name='disk0'/></disk><anything x='y'/></devices></domain>";
    auto(xml_t) document = xml_parse (text, strlen (text), "test", &err);
    assert_int_equal (test_driver.complete (&fake.job, document, &err), 0);
    const xml_node_t *domain = xml_root (document);
    assert_string_equal (xml_string (domain, "uuid"), "01020304-0506-4708-890a-0b0c0d0e0f10");
    assert_string_equal (xml_string (domain, "memory"), "65536");
    assert_string_equal (xml_string (domain, "currentMemory"), "65536");
    assert_string_equal (xml_string (domain, "vcpu"), "1");
    assert_string_equal (xml_string (domain, "devices/interface/mac/@address"),
                         "52:54:00:11:12:13");
    assert_string_equal (xml_string (domain, "devices/anything/@x"), "y");
    assert_string_equal (xml_string (domain, "on_poweroff"), "destroy");
    assert_null (xml_string (domain, "@id"));
    assert_null (xml_find (domain, "devices/disk/alias"));
    autofree char *once = xml_text (document);
    assert_int_equal (test_driver.complete (&fake.job, document, &err), 0);
    autofree char *twice = xml_text (document);
    assert_string_equal (once, twice);
}

static void refuses_what_it_cannot_do (void **state)
{
    (void) state;
    static const struct {
        const char *more, *why;
    } bad[] = {
        { "<on_crash>preserve</on_crash>", "not supported: on_crash 'preserve'" },
        { "<on_reboot>destroy</on_reboot>", "not supported: on_reboot 'destroy'" },
        { "<currentMemory unit='wagons'>5</currentMemory>", "currentMemory" },
        { "+<test:delay op='dance' ms='1'/>", "test:delay: the operation 'dance' is unknown" },
        { "+<test:delay op='start'/>", "test:delay: ms is missing" },
        { "+<test:delay op='start' ms='-1'/>", "@ms" },
        { "+<test:delay op='console' ms='1'/>", "not supported: test:delay of 'console'" },
        { "+<test:fault op='start' step='4'/>", "@step" },
        { "+<test:fault op='destroy' step='1'/>", "only start has steps" },
        { "+<test:fault op='start' times='2'/>", "not supported: test:fault/@times" },
        { "+<test:shutdown ignores='maybe'/>", "ignores is 'yes' or 'no'" },
        { "+<test:crash/>", "test:crash: after_ms is missing" },
        { "+<test:dance/>", "not supported: test:dance in test:behaviour" },
        { "<test:dance xmlns:test='" TEST_NAMESPACE "'/>",
          "not supported: test:dance in <domain>" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        fake_job_t fake;
        fake_job_init (&fake, "/run");
        autofree char *inner = bad[i].more[0] == '+' ? behaviour (bad[i].more + 1) : NULL;
        auto(xml_t) document = parse (inner ? inner : bad[i].more, "");
        error_t err = { 0 };
        assert_int_equal (test_driver.complete (&fake.job, document, &err), -1);
        if (!strstr (err.message, bad[i].why))
            fail_msg ("%s: %s", bad[i].more, err.message);
    }
}

//  Starting.

static void a_start_pushes_each_undo_before_its_effect (void **state)
{
    (void) state;
    fake_job_t fake;
    error_t err = { 0 };
    define (&fake, "", "<interface type='user'/><serial type='pty'/><console type='pty'/>");
    assert_int_equal (test_driver.start (&fake.job, 0, &err), 0);
    assert_string_equal (fake.trace,
                         "undo file " FILES "marker\nrecord\nwrite_file " FILES "marker\n"
                         "undo file " FILES "devices\nrecord\nwrite_file " FILES "devices\n"
                         "undo file " FILES "console\nrecord\nwrite_file " FILES "console\n");
    const xml_node_t *live = xml_root (fake.guest.live);
    assert_string_equal (xml_string (live, "@id"), "3");
    assert_string_equal (xml_string (live, "devices/interface/alias/@name"), "net0");
    assert_string_equal (xml_string (live, "devices/console/alias/@name"), "serial0");
    assert_non_null (xml_find (xml_root (fake.guest.record), "guest"));
    drop (&fake);
}

static void faults_and_delays_come_where_the_definition_says (void **state)
{
    (void) state;
    fake_job_t fake;
    error_t err = { 0 };
    define (&fake,
            "<test:delay op='start' step='1' ms='70'/>"
            "<test:fault op='start' step='2' message='no luck'/>",
            "");
    assert_int_equal (test_driver.start (&fake.job, 0, &err), -1);
    assert_string_equal (err.message,
                         "start domain 'web': no luck (a fault that its definition asks for)");
    assert_int_equal (fake.now, 70);
    assert_non_null (strstr (fake.trace, "write_file " FILES "devices\n"));
    assert_null (strstr (fake.trace, "console"));
    drop (&fake);
}

static void each_operation_can_fail (void **state)
{
    (void) state;
    static const char *const ops[] = {
        "reset", "suspend", "resume", "adopt", "shutdown", "destroy"
    };
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        fake_job_t fake;
        error_t err = { 0 };
        autofree char *fault = text_format ("<test:fault op='%s'/>", ops[i]);
        start (&fake, fault);
        job_t *job = &fake.job;
        int results[] = { test_driver.reset (job, &err),
                          test_driver.suspend (job, &err),
                          test_driver.resume (job, &err),
                          test_driver.adopt (job, &err),
                          test_driver.shutdown (job, SHUTDOWN_DEFAULT, &err),
                          test_driver.destroy (job, false, &err) };
        for (size_t j = 0; j < sizeof ops / sizeof *ops; j++)
            assert_int_equal (results[j], i == j ? -1 : 0);
        assert_ptr_equal (strstr (err.message, ops[i]), err.message);
        drop (&fake);
    }
}

//  Running and ending.

static void a_guest_ends_when_it_is_told_to (void **state)
{
    (void) state;
    fake_job_t fake;
    error_t err = { 0 };
    guest_change_t change;
    start (&fake, "<test:shutdown after_ms='300'/>");
    assert_int_equal (due (&fake, &change), -1);
    assert_int_equal (test_driver.shutdown (&fake.job, SHUTDOWN_ACPI, &err), 0);
    assert_int_equal (due (&fake, &change), 300);
    fake.now += 100;
    //  Asking again does not put it off.
    assert_int_equal (test_driver.shutdown (&fake.job, SHUTDOWN_ACPI, &err), 0);
    assert_int_equal (due (&fake, &change), 200);
    //  A paused guest does nothing.
    assert_int_equal (test_driver.suspend (&fake.job, &err), 0);
    assert_int_equal (due (&fake, &change), -1);
    fake.now += 1000;
    assert_int_equal (test_driver.resume (&fake.job, &err), 0);
    assert_int_equal (due (&fake, &change), 0);
    assert_int_equal (change.kind, CHANGE_ENDED);
    assert_int_equal (change.status.state, STATE_SHUTOFF);
    assert_int_equal (change.status.reason, SHUTOFF_SHUTDOWN);
    assert_int_equal (change.detail, STOPPED_SHUTDOWN);
    drop (&fake);
}

static void some_guests_do_not_listen (void **state)
{
    (void) state;
    fake_job_t fake;
    error_t err = { 0 };
    guest_change_t change;
    start (&fake, "<test:shutdown ignores='yes'/>");
    assert_int_equal (test_driver.shutdown (&fake.job, SHUTDOWN_DEFAULT, &err), 0);
    assert_int_equal (due (&fake, &change), -1);
    assert_int_equal (test_driver.destroy (&fake.job, true, &err), -1);
    assert_int_equal (err.code, ERR_OPERATION_FAILED);
    assert_int_equal (test_driver.shutdown (&fake.job, SHUTDOWN_AGENT, &err), -1);
    assert_int_equal (err.code, ERR_ARGUMENT_UNSUPPORTED);
    assert_int_equal (test_driver.destroy (&fake.job, false, &err), 0);
    assert_null (fake.guest.record);
    //  And twice, with nothing left.
    assert_int_equal (test_driver.destroy (&fake.job, false, &err), 0);
    drop (&fake);
}

static void a_crash_counts_the_time_it_ran (void **state)
{
    (void) state;
    fake_job_t fake;
    error_t err = { 0 };
    guest_change_t change;
    start (&fake, "<test:crash after_ms='500'/>");
    fake.now += 200;
    assert_int_equal (test_driver.suspend (&fake.job, &err), 0);
    fake.now += 5000;
    assert_int_equal (test_driver.resume (&fake.job, &err), 0);
    assert_int_equal (due (&fake, &change), 300);
    assert_int_equal (test_driver.reset (&fake.job, &err), 0);
    assert_int_equal (due (&fake, &change), 500);
    fake.now += 700;
    assert_int_equal (due (&fake, &change), 0);
    assert_int_equal (change.status.reason, SHUTOFF_CRASHED);
    xml_set (xml_root (fake.guest.live), "on_crash", "restart");
    assert_int_equal (due (&fake, &change), 0);
    assert_int_equal (change.kind, CHANGE_RESTART);
    drop (&fake);
}

static void cpu_time_is_the_time_it_ran (void **state)
{
    (void) state;
    fake_job_t fake;
    error_t err = { 0 };
    guest_info_t info;
    start (&fake, "");
    fake.now += 250;
    assert_int_equal (test_driver.info (&fake.job, &info, &err), 0);
    assert_int_equal (info.cpu_ns, 250ull * 1000000 * 2);
    assert_int_equal (info.memory_kib, 65536);
    drop (&fake);
}

//  After a restart of the daemon.

static void it_is_found_as_it_was_left (void **state)
{
    (void) state;
    fake_job_t fake;
    error_t err = { 0 };
    start (&fake, "<test:shutdown after_ms='300'/>");
    fake.guest.status = (guest_status_t){ STATE_RUNNING, RUNNING_BOOTED };
    assert_int_equal (test_driver.shutdown (&fake.job, SHUTDOWN_DEFAULT, &err), 0);
    assert_int_equal (test_driver.adopt (&fake.job, &err), 0);
    assert_int_equal (fake.guest.status.state, STATE_RUNNING);
    fake.now += 400;
    assert_int_equal (test_driver.adopt (&fake.job, &err), 0);
    assert_int_equal (fake.guest.status.state, STATE_SHUTOFF);
    assert_int_equal (fake.guest.status.reason, SHUTOFF_SHUTDOWN);
    drop (&fake);
}

//  The daemon was killed when destroy had removed some of its files.
static void half_a_destroy_is_the_end (void **state)
{
    (void) state;
    fake_job_t fake;
    error_t err = { 0 };
    start (&fake, "");
    fake.guest.status = (guest_status_t){ STATE_RUNNING, RUNNING_BOOTED };
    xml_set (xml_root (fake.guest.record), "guest/@destroyed", "yes");
    assert_int_equal (test_driver.adopt (&fake.job, &err), 0);
    assert_int_equal (fake.guest.status.state, STATE_SHUTOFF);
    assert_int_equal (fake.guest.status.reason, SHUTOFF_DESTROYED);
    drop (&fake);
}

static void it_does_not_outlive_the_host (void **state)
{
    (void) state;
    fake_job_t fake;
    error_t err = { 0 };
    start (&fake, "");
    fake.guest.status = (guest_status_t){ STATE_RUNNING, RUNNING_BOOTED };
    xml_set (xml_root (fake.guest.record), "guest/@boot", UUID);
    assert_int_equal (test_driver.adopt (&fake.job, &err), 0);
    assert_int_equal (fake.guest.status.state, STATE_SHUTOFF);
    assert_int_equal (fake.guest.status.reason, SHUTOFF_CRASHED);
    drop (&fake);
}

//  The console.

static void consoles_are_found_by_their_alias (void **state)
{
    (void) state;
    fake_job_t fake;
    error_t err = { 0 };
    console_source_t source;
    start (&fake, "");
    assert_int_equal (test_driver.console (fake.guest.live, NULL, &source, &err), 0);
    assert_int_equal (source.kind, CONSOLE_SIMULATED);
    assert_string_equal (source.alias, "serial0");
    assert_int_equal (test_driver.console (fake.guest.live, "serial0", &source, &err), 0);
    assert_int_equal (test_driver.console (fake.guest.live, "serial1", &source, &err), -1);
    assert_string_equal (err.message,
                         "open a console of domain 'web': it has no console 'serial1'");
    drop (&fake);
}

static bool type (fake_job_t *fake, console_line_t *line, const char *keys, const char *answer)
{
    auto(text_t) output = text_new ();
    bool off = false;
    //  Byte by byte, as a person does.
    for (; *keys; keys++)
        off = test_driver.console_input (fake->guest.live, line, keys, 1, output);
    assert_string_equal (output->data, answer);
    return off;
}

static void the_console_answers (void **state)
{
    (void) state;
    fake_job_t fake;
    console_line_t line = { 0 };
    start (&fake, "");
    auto(text_t) boot = text_new ();
    test_driver.console_boot (fake.guest.live, boot);
    assert_non_null (strstr (boot->data, "2 vcpus, 65536 KiB of memory\r\n"));
    assert_true (text_ends (boot->data, "\r\nweb login: "));
    assert_false (type (&fake, &line, "\r\n", "\r\nweb login: "));
    assert_false (type (&fake, &line, "rooo\bt\r", "rooo\b \bt\r\n# "));
    assert_false (type (&fake, &line, "dance\n", "dance\r\ndance: not found; try help\r\n# "));
    assert_false (type (&fake, &line, "exit\r\n", "exit\r\nweb login: "));
    assert_true (type (&fake, &line, "poweroff\r", "poweroff\r\nreboot: Power down\r\n"));
    drop (&fake);
}

static void a_line_has_an_end (void **state)
{
    (void) state;
    fake_job_t fake;
    console_line_t line = { 0 };
    start (&fake, "");
    char keys[10000];
    unsigned seed = 3;
    for (int round = 0; round < 100; round++) {
        auto(text_t) output = text_new ();
        for (size_t i = 0; i < sizeof keys; i++)
            keys[i] = (char) (rand_r (&seed) % (round % 2 ? 256 : 13));
        test_driver.console_input (fake.guest.live, &line, keys, sizeof keys, output);
        assert_true (line.size < sizeof line.text);
    }
    drop (&fake);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (completes_what_every_guest_has),
        cmocka_unit_test (refuses_what_it_cannot_do),
        cmocka_unit_test (a_start_pushes_each_undo_before_its_effect),
        cmocka_unit_test (faults_and_delays_come_where_the_definition_says),
        cmocka_unit_test (each_operation_can_fail),
        cmocka_unit_test (a_guest_ends_when_it_is_told_to),
        cmocka_unit_test (some_guests_do_not_listen),
        cmocka_unit_test (a_crash_counts_the_time_it_ran),
        cmocka_unit_test (cpu_time_is_the_time_it_ran),
        cmocka_unit_test (it_is_found_as_it_was_left),
        cmocka_unit_test (half_a_destroy_is_the_end),
        cmocka_unit_test (it_does_not_outlive_the_host),
        cmocka_unit_test (consoles_are_found_by_their_alias),
        cmocka_unit_test (the_console_answers),
        cmocka_unit_test (a_line_has_an_end),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
