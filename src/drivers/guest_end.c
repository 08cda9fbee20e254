//  guest_end.c: see guest_end.h.

#include "drivers/guest_end.h"

#include "drivers/cgroup/cgroup.h"

#include "drivers/net/interface.h"
#include "drivers/state.h"
#include "drivers/undo.h"

#include <string.h>
#include <unistd.h>

void guest_end_note (guest_t *guest)
{
    guest_status_t status = guest->status;
    if (status.state != STATE_SHUTOFF && status.state != STATE_CRASHED)
        status = (guest_status_t){ STATE_SHUTOFF, SHUTOFF_DESTROYED };
    xml_node_t *record = xml_root (guest->record);
    xml_setf (record, "end/@state", "%d", status.state);
    xml_setf (record, "end/@reason", "%d", status.reason);
}

int guest_end_record (job_t *job, error_t *err)
{
    guest_end_note (job->guest);
    return job_record (job, err);
}

void guest_end_forget (job_t *job)
{
    error_t err = { 0 };
    xml_remove_path (xml_root (job->guest->record), "end");
    if (job_record (job, &err))
        job_log (job, "domain '%s': %s", job->guest->name, err.message);
}

bool guest_end_noted (const guest_t *guest, guest_status_t *status)
{
    const xml_node_t *end = guest->record ? xml_find (xml_root (guest->record), "end") : NULL;
    int state, reason;
    error_t ignored = { 0 };
    if (!end || xml_int (end, "@state", 0, 7, &state, &ignored) ||
        xml_int (end, "@reason", 0, 100, &reason, &ignored))
        return false;
    *status = (guest_status_t){ (guest_state_t) state, reason };
    return true;
}

void guest_end_clean (job_t *job, const char *kind, const char *argument)
{
    error_t err = { 0 };
    if (argument && undo_run (job, kind, argument, &err))
        job_log (job, "domain '%s': %s", job->guest->name, err.message);
}

void guest_end_ungroup (job_t *job)
{
    auto(strings_t) folders = cgroup_folders (job->guest);
    for (size_t i = 0; i < folders->count; i++)
        guest_end_clean (job, "cgroup", folders->items[i]);
}

void guest_end_unplug (job_t *job)
{
    error_t err = { 0 };
    if (interface_unplug (job, &err))
        job_log (job, "domain '%s': %s", job->guest->name, err.message);
}

guest_status_t guest_end_vanished (const process_t *process)
{
    process_t self;
    error_t ignored = { 0 };
    bool same_boot = process_identify (getpid (), &self, &ignored) == 0 &&
                     strcmp (self.boot_id, process->boot_id) == 0;
    return (guest_status_t){ STATE_SHUTOFF, same_boot ? SHUTOFF_CRASHED : SHUTOFF_UNKNOWN };
}
