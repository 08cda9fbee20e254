//  cgroup_state.c: stopping all processes of a guest, and what they use.

#include "drivers/cgroup/cgroup_files.h"
#include "util/process.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    FREEZE_MS = 10000,
    STEP_MS = 2
};

//  Freezing.

bool cgroup_is_frozen (const guest_t *guest)
{
    error_t ignored;
    const char *second = cgroup_folder (guest, "unified"),
               *first = cgroup_folder (guest, "freezer");
    autofree char *events = second ? cgroup_read (second, "cgroup.events", &ignored) : NULL;
    autofree char *state = first ? cgroup_read (first, "freezer.state", &ignored) : NULL;
    return (events && cgroup_number (events, "frozen") == 1) ||
           (state && strcmp (state, "FROZEN\n") == 0);
}

static int set_frozen (const guest_t *guest, bool freeze, error_t *err)
{
    const char *second = cgroup_folder (guest, "unified"),
               *first = cgroup_folder (guest, "freezer");
    if (second)
        return cgroup_write (second, "cgroup.freeze", freeze ? "1" : "0", err);
    if (first)
        return cgroup_write (first, "freezer.state", freeze ? "FROZEN" : "THAWED", err);
    return error_set (err, ERR_OPERATION_UNSUPPORTED,
                      "not supported: this host has neither cgroups of version 2 nor a freezer");
}

int cgroup_freeze (job_t *job, bool freeze, error_t *err)
{
    int64_t end = job_now (job) + FREEZE_MS;
    if (set_frozen (job->guest, freeze, err))
        return -1;
    while (cgroup_is_frozen (job->guest) != freeze) {
        if (job_now (job) >= end) {
            cgroup_thaw (job->guest);
            return error_set (err, ERR_OPERATION_TIMEOUT,
                              "its processes did not %s within %d s; one may wait for a disk",
                              freeze ? "stop" : "go on", FREEZE_MS / 1000);
        }
        if (job_wait (job, STEP_MS, err)) {
            cgroup_thaw (job->guest);
            return -1;
        }
    }
    return 0;
}

void cgroup_thaw (const guest_t *guest)
{
    error_t ignored; //  there may be no folder any more
    set_frozen (guest, false, &ignored);
}

//  Measuring.

static int no_folder (const char *what, error_t *err)
{
    return error_set (err, ERR_OPERATION_UNSUPPORTED,
                      "not supported: %s of a container without cgroups of version 2", what);
}

int cgroup_times (const guest_t *guest, uint64_t *user_ns, uint64_t *system_ns, error_t *err)
{
    const char *folder = cgroup_folder (guest, "unified");
    return folder ? cgroup_folder_times (folder, user_ns, system_ns, err)
                  : no_folder ("CPU time", err);
}

int cgroup_folder_times (const char *folder, uint64_t *user_ns, uint64_t *system_ns, error_t *err)
{
    autofree char *text = cgroup_read (folder, "cpu.stat", err);
    int64_t user = text ? cgroup_number (text, "user_usec") : -1;
    int64_t system = text ? cgroup_number (text, "system_usec") : -1;
    if (user < 0 || system < 0)
        return text ? error_set (err, ERR_INTERNAL_ERROR, "'%s/cpu.stat' has no times", folder)
                    : -1;
    *user_ns = (uint64_t) user * 1000;
    *system_ns = (uint64_t) system * 1000;
    return 0;
}

//  Where no controller counts: what its processes have resident, shared pages several times.
static int sum_resident (const char *folder, uint64_t *bytes, error_t *err)
{
    autofree char *text = cgroup_read (folder, "cgroup.procs", err);
    if (!text)
        return -1;
    *bytes = 0;
    char *end = text;
    for (long pid = strtol (text, &end, 10); pid > 0; pid = strtol (end, &end, 10)) {
        process_t process;
        error_t over; //  one that ended meanwhile has none
        uint64_t cpu, kib = 0;
        if (process_identify ((pid_t) pid, &process, &over) == 0 &&
            process_usage (&process, &cpu, &kib, &over) == 0)
            *bytes += kib * 1024;
    }
    return 0;
}

int cgroup_memory (const guest_t *guest, uint64_t *bytes, error_t *err)
{
    const char *second = cgroup_folder (guest, "unified"), *first = cgroup_folder (guest, "memory");
    error_t ignored;
    autofree char *one = first ? cgroup_read (first, "memory.usage_in_bytes", &ignored) : NULL;
    autofree char *two = second ? cgroup_read (second, "memory.current", &ignored) : NULL;
    const char *text = one ? one : two;
    if (!text && !second)
        return no_folder ("memory", err);
    if (!text)
        return sum_resident (second, bytes, err);
    *bytes = strtoull (text, NULL, 10);
    return 0;
}
