//  test_lxc_event.c: what a supervisor's news mean for the domain.

#include "drivers/lxc/lxc_parts.h"
#include "drivers/state.h"
#include "unit.h"

#define ENDED(how, shutdown)                                                                       \
    "{\"event\":\"ENDED\",\"data\":{\"how\":\"" how "\",\"code\":1,\"shutdown\":" shutdown "}}"

static const struct {
    const char *json, *actions;
    change_kind_t kind;
    int reason;
} cases[] = {
    { ENDED ("exit", "false"), "", CHANGE_ENDED, SHUTOFF_SHUTDOWN },
    { ENDED ("halt", "false"), "", CHANGE_ENDED, SHUTOFF_SHUTDOWN },
    { ENDED ("reboot", "false"), "", CHANGE_ENDED, SHUTOFF_SHUTDOWN },
    { ENDED ("signal", "false"), "", CHANGE_ENDED, SHUTOFF_CRASHED },
    { ENDED ("signal", "true"), "", CHANGE_ENDED, SHUTOFF_SHUTDOWN },
    { ENDED ("failed", "false"), "", CHANGE_ENDED, SHUTOFF_CRASHED },
    { ENDED ("exit", "false"), "<on_poweroff>restart</on_poweroff>", CHANGE_RESTART,
      SHUTOFF_SHUTDOWN },
    { ENDED ("signal", "false"), "<on_poweroff>restart</on_poweroff>", CHANGE_ENDED,
      SHUTOFF_CRASHED },
    { ENDED ("signal", "false"), "<on_crash>restart</on_crash>", CHANGE_RESTART, SHUTOFF_CRASHED },
    { ENDED ("failed", "false"), "<on_crash>restart</on_crash>", CHANGE_ENDED, SHUTOFF_CRASHED },
    { "{\"event\":\"REBOOTED\",\"data\":{\"init\":\"1:2:3\"}}", "", CHANGE_REBOOT, 0 },
    { "{\"event\":\"NEWS\",\"data\":{}}", "", CHANGE_NONE, 0 },
    { "no JSON", "", CHANGE_NONE, 0 },
};

static void means_a_change (void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        error_t err;
        guest_change_t change = { .kind = CHANGE_NONE };
        autofree char *text = text_format ("<domain>%s</domain>", cases[i].actions);
        auto(xml_t) live = xml_parse (text, strlen (text), "outline", &err);
        lxc_event (cases[i].json, live, &change);
        assert_int_equal (change.kind, cases[i].kind);
        assert_int_equal (change.status.reason, cases[i].reason);
    }
}

int main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (means_a_change) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
