//  state.h: names of what a domain's state, its reason and its events are. The numbers are
//  libvirt's public ones (virDomainState, virDomainRunningReason, virDomainEventType, ... in its
//  API reference); the texts are those that virsh prints.

#ifndef TROUPE_STATE_H
#define TROUPE_STATE_H

#include "drivers/guest.h"

//  Reasons, by state.
enum {
    RUNNING_UNKNOWN = 0,
    RUNNING_BOOTED = 1,
    RUNNING_MIGRATED = 2,
    RUNNING_RESTORED = 3,
    RUNNING_FROM_SNAPSHOT = 4,
    RUNNING_UNPAUSED = 5,
    RUNNING_MIGRATION_CANCELED = 6,
    RUNNING_SAVE_CANCELED = 7,
    RUNNING_WAKEUP = 8,
    RUNNING_CRASHED = 9,
    RUNNING_POSTCOPY = 10,
    RUNNING_POSTCOPY_FAILED = 11,

    PAUSED_UNKNOWN = 0,
    PAUSED_USER = 1,
    PAUSED_MIGRATION = 2,
    PAUSED_SAVE = 3,
    PAUSED_DUMP = 4,
    PAUSED_IOERROR = 5,
    PAUSED_WATCHDOG = 6,
    PAUSED_FROM_SNAPSHOT = 7,
    PAUSED_SHUTTING_DOWN = 8,
    PAUSED_SNAPSHOT = 9,
    PAUSED_CRASHED = 10,
    PAUSED_STARTING_UP = 11,
    PAUSED_POSTCOPY = 12,
    PAUSED_POSTCOPY_FAILED = 13,

    SHUTDOWN_UNKNOWN = 0,
    SHUTDOWN_USER = 1,

    SHUTOFF_UNKNOWN = 0,
    SHUTOFF_SHUTDOWN = 1,
    SHUTOFF_DESTROYED = 2,
    SHUTOFF_CRASHED = 3,
    SHUTOFF_MIGRATED = 4,
    SHUTOFF_SAVED = 5,
    SHUTOFF_FAILED = 6,
    SHUTOFF_FROM_SNAPSHOT = 7,
    SHUTOFF_DAEMON = 8,

    CRASHED_UNKNOWN = 0,
    CRASHED_PANICKED = 1
};

//  Lifecycle events (virDomainEventType).
enum {
    EVENT_DEFINED = 0,
    EVENT_UNDEFINED = 1,
    EVENT_STARTED = 2,
    EVENT_SUSPENDED = 3,
    EVENT_RESUMED = 4,
    EVENT_STOPPED = 5,
    EVENT_SHUTDOWN = 6,
    EVENT_PMSUSPENDED = 7,
    EVENT_CRASHED = 8
};

//  Details, by event.
enum {
    DEFINED_ADDED = 0,
    DEFINED_UPDATED = 1,
    DEFINED_RENAMED = 2,
    DEFINED_FROM_SNAPSHOT = 3,

    UNDEFINED_REMOVED = 0,
    UNDEFINED_RENAMED = 1,

    STARTED_BOOTED = 0,
    STARTED_MIGRATED = 1,
    STARTED_RESTORED = 2,
    STARTED_FROM_SNAPSHOT = 3,
    STARTED_WAKEUP = 4,

    SUSPENDED_PAUSED = 0,
    SUSPENDED_MIGRATED = 1,
    SUSPENDED_IOERROR = 2,
    SUSPENDED_WATCHDOG = 3,
    SUSPENDED_RESTORED = 4,
    SUSPENDED_FROM_SNAPSHOT = 5,
    SUSPENDED_API_ERROR = 6,
    SUSPENDED_POSTCOPY = 7,
    SUSPENDED_POSTCOPY_FAILED = 8,

    RESUMED_UNPAUSED = 0,
    RESUMED_MIGRATED = 1,
    RESUMED_FROM_SNAPSHOT = 2,
    RESUMED_POSTCOPY = 3,
    RESUMED_POSTCOPY_FAILED = 4,

    STOPPED_SHUTDOWN = 0,
    STOPPED_DESTROYED = 1,
    STOPPED_CRASHED = 2,
    STOPPED_MIGRATED = 3,
    STOPPED_SAVED = 4,
    STOPPED_FAILED = 5,
    STOPPED_FROM_SNAPSHOT = 6,

    FINISHED_AFTER_UNKNOWN = 0, //  the guest is down; nobody knows who asked
    FINISHED_BY_GUEST = 1,
    FINISHED_BY_HOST = 2,

    PMSUSPENDED_MEMORY = 0,
    PMSUSPENDED_DISK = 1,

    CRASHED_GUEST_PANICKED = 0,
    CRASHED_CRASHLOADED = 1
};

//  "shut off", "running". "no state" for a number that is none.
const char *state_name (guest_state_t state);
//  "booted", "destroyed". "unknown" for a number that is none.
const char *state_reason_name (guest_state_t state, int reason);
//  The state of this name as printed above; -1 if there is none.
int state_from_name (const char *name);

//  "Started" and "Booted". "unknown" for numbers that are none.
const char *event_name (int event);
const char *event_detail_name (int event, int detail);

//  The detail of EVENT_STOPPED that goes with a reason of STATE_SHUTOFF or STATE_CRASHED.
int state_stopped_detail (const guest_status_t *status);

#endif
