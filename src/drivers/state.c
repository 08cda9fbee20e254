//  state.c: the tables of state, reason and event names.

#include "drivers/state.h"

#include <string.h>

#define NAMES_MAX 16

static const struct {
    const char *name;
    const char *reasons[NAMES_MAX];
} states[] = {
    [STATE_NOSTATE] = { "no state", { "unknown" } },
    [STATE_RUNNING] = { "running",
                        { "unknown", "booted", "migrated", "restored", "from snapshot", "unpaused",
                          "migration canceled", "save canceled", "event wakeup", "crashed",
                          "post-copy", "post-copy failed" } },
    [STATE_BLOCKED] = { "idle", { "unknown" } },
    [STATE_PAUSED] = { "paused",
                       { "unknown", "user", "migrating", "saving", "dumping", "I/O error",
                         "watchdog", "from snapshot", "shutting down", "creating snapshot",
                         "crashed", "starting up", "post-copy", "post-copy failed" } },
    [STATE_SHUTDOWN] = { "in shutdown", { "unknown", "user" } },
    [STATE_SHUTOFF] = { "shut off",
                        { "unknown", "shutdown", "destroyed", "crashed", "migrated", "saved",
                          "failed", "from snapshot", "daemon" } },
    [STATE_CRASHED] = { "crashed", { "unknown", "panicked" } },
    [STATE_PMSUSPENDED] = { "pmsuspended", { "unknown" } },
};

static const struct {
    const char *name;
    const char *details[NAMES_MAX];
} events[] = {
    [EVENT_DEFINED] = { "Defined", { "Added", "Updated", "Renamed", "Snapshot" } },
    [EVENT_UNDEFINED] = { "Undefined", { "Removed", "Renamed" } },
    [EVENT_STARTED] = { "Started",
                        { "Booted", "Migrated", "Restored", "Snapshot", "Event wakeup" } },
    [EVENT_SUSPENDED] = { "Suspended",
                          { "Paused", "Migrated", "I/O Error", "Watchdog", "Restored", "Snapshot",
                            "API error", "Post-copy", "Post-copy Error" } },
    [EVENT_RESUMED] = { "Resumed",
                        { "Unpaused", "Migrated", "Snapshot", "Post-copy", "Post-copy Error" } },
    [EVENT_STOPPED] = { "Stopped",
                        { "Shutdown", "Destroyed", "Crashed", "Migrated", "Saved", "Failed",
                          "Snapshot" } },
    [EVENT_SHUTDOWN] = { "Shutdown",
                         { "Finished", "Finished after guest request",
                           "Finished after host request" } },
    [EVENT_PMSUSPENDED] = { "PMSuspended", { "Memory", "Disk" } },
    [EVENT_CRASHED] = { "Crashed", { "Panicked", "Crashloaded" } },
};

#define COUNT(table) (int) (sizeof (table) / sizeof *(table))

static const char *name_of (const char *const names[NAMES_MAX], int number)
{
    const char *name = number >= 0 && number < NAMES_MAX ? names[number] : NULL;
    return name ? name : "unknown";
}

static bool is_state (int state)
{
    return state >= 0 && state < COUNT (states);
}

const char *state_name (guest_state_t state)
{
    return states[is_state ((int) state) ? state : STATE_NOSTATE].name;
}

const char *state_reason_name (guest_state_t state, int reason)
{
    return name_of (states[is_state ((int) state) ? state : STATE_NOSTATE].reasons, reason);
}

int state_from_name (const char *name)
{
    for (int state = 0; state < COUNT (states); state++)
        if (strcmp (states[state].name, name) == 0)
            return state;
    return -1;
}

static bool is_event (int event)
{
    return event >= 0 && event < COUNT (events);
}

const char *event_name (int event)
{
    return is_event (event) ? events[event].name : "unknown";
}

const char *event_detail_name (int event, int detail)
{
    return is_event (event) ? name_of (events[event].details, detail) : "unknown";
}

int state_stopped_detail (const guest_status_t *status)
{
    static const int details[] = {
        [SHUTOFF_UNKNOWN] = STOPPED_SHUTDOWN,    [SHUTOFF_SHUTDOWN] = STOPPED_SHUTDOWN,
        [SHUTOFF_DESTROYED] = STOPPED_DESTROYED, [SHUTOFF_CRASHED] = STOPPED_CRASHED,
        [SHUTOFF_MIGRATED] = STOPPED_MIGRATED,   [SHUTOFF_SAVED] = STOPPED_SAVED,
        [SHUTOFF_FAILED] = STOPPED_FAILED,       [SHUTOFF_FROM_SNAPSHOT] = STOPPED_FROM_SNAPSHOT,
        [SHUTOFF_DAEMON] = STOPPED_FAILED,
    };
    if (status->state == STATE_CRASHED)
        return STOPPED_CRASHED;
    bool known = status->reason >= 0 && status->reason < COUNT (details);
    return known ? details[status->reason] : STOPPED_SHUTDOWN;
}
