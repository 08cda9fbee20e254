//  guest.h: what a driver is told of a domain, and what it tells back. In jobs of a network it is
//  the network: of all this it has uuid, name, definition, live document and record.

#ifndef TROUPE_GUEST_H
#define TROUPE_GUEST_H

#include "util/process.h"
#include "util/text.h"
#include "util/uuid.h"
#include "util/xml.h"

//  libvirt's public numbers (virDomainState in its API reference).
typedef enum {
    STATE_NOSTATE = 0,
    STATE_RUNNING = 1,
    STATE_BLOCKED = 2,
    STATE_PAUSED = 3,
    STATE_SHUTDOWN = 4,
    STATE_SHUTOFF = 5,
    STATE_CRASHED = 6,
    STATE_PMSUSPENDED = 7
} guest_state_t;

//  State, reason and lifecycle event are kept as libvirt's numbers; their names are in state.h.
typedef struct {
    guest_state_t state;
    int reason; //  virDomainRunningReason, virDomainPausedReason, ... by state
} guest_status_t;

//  A domain as a job sees it. The job owns all of it.
typedef struct {
    char uuid[UUID_TEXT_SIZE];
    char *name;
    int id;            //  > 0 while it runs
    xml_t *definition; //  inactive document; NULL for a transient domain's jobs that don't need it
    bool redefined;    //  the definition is another one now: the owner is to keep it
    xml_t *live;       //  running document: aliases, pty paths, labels; NULL unless it runs
    xml_t *record;     //  the driver's facts of the running guest, kept in the status file:
                       //  <driver><process .../><monitor path='...'/></driver>
    xml_t *backup; //  the driver's facts of a backup that is under way, kept there too: <backup>
                   //  with the user's completed <domainbackup> inside; NULL: there is none
    xml_t *checkpoints;   //  all (checkpoint.h); NULL: none
    xml_t *planned;       //  the definition that goes with what a job does to the running guest's
                          //  devices; NULL: it stays
    strings_t *news;      //  of devices, for the owner: "added net1" (guest_tell); NULL: none
    uint64_t balloon_kib; //  what the guest has now, if the job found out; 0: it did not
    guest_status_t status;
} guest_t;

void guest_destroy (guest_t **self_p);
DEFINE_AUTO (guest_t, guest_destroy)

//  What the record has at PATH (xml.h); NULL: nothing.
const char *guest_recorded (const guest_t *guest, const char *path);
//  The process that the record names as the guest's (process/@identity).
bool guest_recorded_process (const guest_t *guest, process_t *process);

//  A new, empty record, for a guest that is to start.
int guest_record_new (guest_t *guest, error_t *err);
//  The record's element PART, for what a job is about to do: a new one, empty. A guest that does
//  not run has a record only for that. NULL and ERR.
xml_node_t *guest_record_begin (guest_t *guest, const char *part, error_t *err);
//  It is done.
void guest_record_end (guest_t *guest, const char *part);

//  The device ALIAS came ("added") or went ("removed"); with a blank and a size in KiB behind it,
//  so much of that memory device the guest has now ("resized"). Of a disk that is not there at a
//  start, its alias, a blank and its source's path: "emptied", or the disk itself was "dropped".
void guest_tell (guest_t *guest, const char *what, const char *alias);

//  A reboot by ACPI makes the live document's on_poweroff "restart" until the guest is down. Is
//  that so? And back to what the definition has: the reboot is over, or called off.
bool guest_reboots (const guest_t *guest);
void guest_restore_poweroff (guest_t *guest);

//  Measurements, asked of the guest's process or hypervisor; never part of the state.
typedef struct {
    uint64_t cpu_ns;     //  used by all vcpus and the hypervisor's threads
    uint64_t memory_kib; //  what the guest has now (balloon)
    uint64_t rss_kib;
} guest_info_t;

//  Where the CPU time of a guest is counted: one of them, or neither.
typedef struct {
    const char *process; //  its identity (process_to_text): all threads of it are the guest
    const char *cgroup;  //  a folder of version 2
} meter_place_t;

//  What a hypervisor's event means for the domain (see driver_t.event).
typedef enum {
    CHANGE_NONE,   //  nothing that the domain's state shows
    CHANGE_STATE,  //  state and reason are new
    CHANGE_ENDED,  //  the guest is over: stop what is left, then state and reason as given
    CHANGE_REBOOT, //  the guest restarted itself: an event only
    CHANGE_RTC,
    CHANGE_BALLOON,
    CHANGE_WATCHDOG,
    CHANGE_IO_ERROR,
    CHANGE_DEVICE,
    CHANGE_GRAPHICS,
    CHANGE_LIFECYCLE, //  news that leave the state as it is: an event only
    CHANGE_PM,        //  it went to sleep, or woke up: state and reason are new
    CHANGE_TRAY,
    CHANGE_THRESHOLD,
    CHANGE_ITERATION,
    CHANGE_UNPLUG_FAILED,
    CHANGE_MEMORY_SIZE, //  of the memory device `device` the guest has more or less now
    CHANGE_MEMORY_FAILURE,
    CHANGE_CHANNEL,  //  the guest opened (value 1) or closed (0) the channel `device`
    CHANGE_POSTCOPY, //  the rest of a guest's memory (postcopy_t): comes, can't come, has come
    CHANGE_BLOCK,    //  a block job is ready, or over: its driver can say more
    CHANGE_RESTART   //  the guest is over and on_reboot (on_poweroff) asks for a new start
} change_kind_t;

//  The value of CHANGE_POSTCOPY.
typedef enum {
    POSTCOPY_ACTIVE,
    POSTCOPY_BROKEN,
    POSTCOPY_OVER
} postcopy_t;

//  The value of CHANGE_PM.
typedef enum {
    SLEEP_OVER,
    SLEEP_MEMORY,
    SLEEP_DISK
} sleep_t;

//  What becomes of a page of memory that the host's hardware lost
//  (virDomainMemoryFailureActionType, and virDomainMemoryFailureFlags as bits).
enum {
    MEMORY_FAILURE_REQUIRED = 1, //  the guest has to act on it at once
    MEMORY_FAILURE_RECURSIVE = 2 //  while it was busy with an earlier one
};
typedef struct {
    int action, flags;
} memory_failure_t;

typedef struct {
    change_kind_t kind;
    guest_status_t status; //  CHANGE_STATE, CHANGE_ENDED
    int event, detail;     //  virDomainEventType and its detail; -1 where there is none
    int64_t value;  //  RTC offset in s, balloon in KiB, watchdog or io-error action, threshold
                    //  in bytes, pass of a migration, tray or sleep by number; who gets a
                    //  failed memory page
    int64_t excess; //  bytes written beyond a threshold
    memory_failure_t failure;
    char device[64];    //  alias, where the event concerns a device; of a threshold the target
    char path[256];     //  of the disk's source, cut if it is longer; "": unknown
    const char *reason; //  of an I/O error: "enospc"; NULL: not known
} guest_change_t;

//  Where a console's bytes come from.
typedef enum {
    CONSOLE_PTY,
    CONSOLE_UNIX,
    CONSOLE_SIMULATED
} console_kind_t;

#define ALIAS_MAX 48 //  bytes of a device's alias: it is part of a console's address

typedef struct {
    console_kind_t kind;
    char alias[64]; //  "serial0"
    char path[256]; //  of the pty or socket
} console_source_t;

//  CONSOLE_SIMULATED: the line that is being typed. Zeroed at first.
typedef struct {
    char text[128];
    size_t size;
    bool logged_in, after_cr;
} console_line_t;

#endif
