//  lxc_event.c: what a supervisor's events mean for the domain. Pure functions.

#include "drivers/lxc/lxc_parts.h"
#include "drivers/state.h"

#include <signal.h>
#include <string.h>

//  Init that was killed by nobody's wish, or could not be started again, is a crash.
static bool is_crash (const json_t *end)
{
    const char *how = json_string_value (json_object_get (end, "how"));
    bool asked = json_is_true (json_object_get (end, "shutdown"));
    return !how || strcmp (how, "failed") == 0 || (!asked && strcmp (how, "signal") == 0);
}

void lxc_read_end (const json_t *end, const xml_node_t *domain, guest_change_t *change)
{
    bool crash = is_crash (end);
    //  That it was to start again, and could not, is no reason to try it for ever.
    const char *how = json_string_value (json_object_get (end, "how"));
    bool hopeless = how && strcmp (how, "failed") == 0;
    const char *element = crash ? "on_crash" : "on_poweroff";
    change->kind = domain && !hopeless && xml_equals (domain, element, "restart") ? CHANGE_RESTART
                                                                                  : CHANGE_ENDED;
    change->status = (guest_status_t){ STATE_SHUTOFF, crash ? SHUTOFF_CRASHED : SHUTOFF_SHUTDOWN };
    change->event = EVENT_STOPPED;
    change->detail = state_stopped_detail (&change->status);
}

void lxc_event (const char *json, const xml_t *live, guest_change_t *change)
{
    json_auto_t *event = json_loads (json, 0, NULL);
    const char *name = json_string_value (json_object_get (event, "event"));
    if (name && strcmp (name, "ENDED") == 0)
        lxc_read_end (json_object_get (event, "data"), live ? xml_root (live) : NULL, change);
    else if (name && strcmp (name, "REBOOTED") == 0)
        change->kind = CHANGE_REBOOT;
}
