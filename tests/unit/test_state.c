//  test_state.c: names of states, reasons and events.

#include "drivers/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void test_names_are_those_of_virsh (void **state)
{
    (void) state;
    assert_string_equal (state_name (STATE_SHUTOFF), "shut off");
    assert_string_equal (state_name (STATE_BLOCKED), "idle");
    assert_string_equal (state_reason_name (STATE_RUNNING, RUNNING_BOOTED), "booted");
    assert_string_equal (state_reason_name (STATE_SHUTOFF, SHUTOFF_DAEMON), "daemon");
    assert_string_equal (event_name (EVENT_STARTED), "Started");
    assert_string_equal (event_detail_name (EVENT_STARTED, STARTED_BOOTED), "Booted");
    assert_string_equal (event_detail_name (EVENT_STOPPED, STOPPED_FROM_SNAPSHOT), "Snapshot");
}

static void test_each_name_leads_back_to_its_state (void **state)
{
    (void) state;
    for (guest_state_t number = STATE_NOSTATE; number <= STATE_PMSUSPENDED; number++)
        assert_int_equal (state_from_name (state_name (number)), number);
    assert_int_equal (state_from_name ("asleep"), -1);
}

static void test_numbers_that_are_none (void **state)
{
    (void) state;
    assert_string_equal (state_name ((guest_state_t) 99), "no state");
    assert_string_equal (state_reason_name (STATE_RUNNING, -1), "unknown");
    assert_string_equal (state_reason_name (STATE_RUNNING, 4000), "unknown");
    assert_string_equal (event_name (-1), "unknown");
    assert_string_equal (event_detail_name (EVENT_CRASHED, 15), "unknown");
}

static void test_the_event_tells_why_a_guest_stopped (void **state)
{
    (void) state;
    guest_status_t destroyed = { STATE_SHUTOFF, SHUTOFF_DESTROYED };
    guest_status_t panicked = { STATE_CRASHED, CRASHED_PANICKED };
    assert_int_equal (state_stopped_detail (&destroyed), STOPPED_DESTROYED);
    assert_int_equal (state_stopped_detail (&panicked), STOPPED_CRASHED);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_names_are_those_of_virsh),
        cmocka_unit_test (test_each_name_leads_back_to_its_state),
        cmocka_unit_test (test_numbers_that_are_none),
        cmocka_unit_test (test_the_event_tells_why_a_guest_stopped),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
