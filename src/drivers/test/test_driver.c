//  test_driver.c: what can be done with a simulated guest, and when it ends by itself.

#include "drivers/test/test_driver.h"

#include "drivers/save_image.h"
#include "drivers/state.h"
#include "drivers/test/test_behaviour.h"

#include <stdio.h>
#include <string.h>

//  The record.

static xml_node_t *facts_of (const xml_t *record)
{
    return record ? xml_find (xml_root (record), "guest") : NULL;
}

static int64_t time_of (const xml_node_t *facts, const char *path, int64_t otherwise)
{
    error_t ignored;
    uint64_t value = 0;
    if (!facts || !xml_string (facts, path) || xml_u64 (facts, path, &value, &ignored))
        return otherwise;
    return (int64_t) value;
}

//  How long it has run; not counting pauses.
static int64_t ran_ms (const xml_node_t *facts, int64_t now)
{
    int64_t resumed = time_of (facts, "@resumed", now);
    return time_of (facts, "@ran", 0) + (now > resumed ? now - resumed : 0);
}

static int need_facts (const job_t *job, xml_node_t **facts, error_t *err)
{
    *facts = facts_of (job->guest->record);
    if (*facts)
        return 0;
    return error_set (err, ERR_OPERATION_INVALID,
                      "domain '%s': there is no record of a running guest", job->guest->name);
}

//  Ends.

typedef struct {
    const char *action; //  the element that says what then
    guest_status_t status;
    int detail;
} test_end_t;

static const test_end_t end_shutdown = { "on_poweroff",
                                         { STATE_SHUTOFF, SHUTOFF_SHUTDOWN },
                                         STOPPED_SHUTDOWN };
static const test_end_t end_crash = { "on_crash",
                                      { STATE_SHUTOFF, SHUTOFF_CRASHED },
                                      STOPPED_CRASHED };

static void set_change (const xml_t *live, const test_end_t *end, guest_change_t *change)
{
    bool again = xml_equals (xml_root (live), end->action, "restart");
    memset (change, 0, sizeof *change);
    change->kind = again ? CHANGE_RESTART : CHANGE_ENDED;
    change->status = end->status;
    change->event = EVENT_STOPPED;
    change->detail = end->detail;
}

int64_t test_guest_ends_in (const xml_t *live, const xml_t *record, int64_t now,
                            guest_change_t *change)
{
    const xml_node_t *facts = facts_of (record);
    change->kind = CHANGE_NONE;
    if (!live || !facts || !xml_string (facts, "@resumed"))
        return -1;
    test_nature_t nature = test_nature (live);
    int64_t ending = time_of (facts, "@ending", -1);
    int64_t crash = nature.crash_ms < 0 ? -1 : nature.crash_ms - ran_ms (facts, now);
    int64_t shutdown = ending < 0 ? -1 : ending - now;
    bool crashes = nature.crash_ms >= 0 && (ending < 0 || crash < shutdown);
    if (!crashes && ending < 0)
        return -1;
    set_change (live, crashes ? &end_crash : &end_shutdown, change);
    int64_t left = crashes ? crash : shutdown;
    return left > 0 ? left : 0;
}

//  Operations.

static int check_mode (const job_t *job, shutdown_mode_t mode, const char *op, error_t *err)
{
    static const char *const none[] = {
        [SHUTDOWN_AGENT] = "agent", [SHUTDOWN_INITCTL] = "initctl", [SHUTDOWN_SIGNAL] = "signal"
    };
    if (!none[mode])
        return 0;
    return error_set (err, ERR_ARGUMENT_UNSUPPORTED,
                      "not supported: %s domain '%s' with mode '%s'; a simulated guest has %s, use "
                      "'acpi'",
                      op, job->guest->name, none[mode],
                      mode == SHUTDOWN_AGENT ? "no agent" : "no init");
}

static int test_shutdown (job_t *job, shutdown_mode_t mode, error_t *err)
{
    xml_node_t *facts;
    if (check_mode (job, mode, "shutdown", err) || test_behave_guest (job, "shutdown", err) ||
        need_facts (job, &facts, err))
        return -1;
    test_nature_t nature = test_nature (job->guest->live);
    if (!nature.ignores_shutdown && !xml_string (facts, "@ending"))
        xml_set_u64 (facts, "@ending", (uint64_t) (job_now (job) + nature.shutdown_ms));
    return 0;
}

//  Begins anew, running or paused as it is.
static void begin_again (job_t *job, xml_node_t *facts)
{
    xml_set_u64 (facts, "@ran", 0);
    xml_remove_path (facts, "@ending");
    if (xml_string (facts, "@resumed"))
        xml_set_u64 (facts, "@resumed", (uint64_t) job_now (job));
}

static int test_reboot (job_t *job, shutdown_mode_t mode, error_t *err)
{
    xml_node_t *facts;
    if (check_mode (job, mode, "reboot", err) || test_behave_guest (job, "reboot", err) ||
        need_facts (job, &facts, err))
        return -1;
    if (!test_nature (job->guest->live).ignores_shutdown)
        begin_again (job, facts);
    return 0;
}

static int test_reset (job_t *job, error_t *err)
{
    xml_node_t *facts;
    if (test_behave_guest (job, "reset", err) || need_facts (job, &facts, err))
        return -1;
    begin_again (job, facts);
    return 0;
}

static int test_suspend (job_t *job, error_t *err)
{
    xml_node_t *facts;
    if (test_behave_guest (job, "suspend", err) || need_facts (job, &facts, err))
        return -1;
    xml_set_u64 (facts, "@ran", (uint64_t) ran_ms (facts, job_now (job)));
    xml_remove_path (facts, "@resumed");
    return 0;
}

static int test_resume (job_t *job, error_t *err)
{
    xml_node_t *facts;
    if (test_behave_guest (job, "resume", err) || need_facts (job, &facts, err))
        return -1;
    if (!xml_string (facts, "@resumed"))
        xml_set_u64 (facts, "@resumed", (uint64_t) job_now (job));
    return 0;
}

int test_remove_files (job_t *job, error_t *err)
{
    for (const char *const *suffix = test_files; *suffix; suffix++) {
        autofree char *path = test_path (job, *suffix);
        if (job_remove_file (job, path, err))
            return -1;
    }
    return 0;
}

int test_drop_used (job_t *job, error_t *err)
{
    xml_node_t *record = job->guest->record ? xml_root (job->guest->record) : NULL;
    const char *used = record ? xml_string (record, "used/@path") : NULL;
    if (!used)
        return 0;
    if (job_remove_file (job, used, err))
        return -1;
    xml_remove_path (record, "used");
    return 0;
}

int test_how_it_runs (job_t *job, int64_t *ran, bool *running, error_t *err)
{
    xml_node_t *facts;
    if (need_facts (job, &facts, err))
        return -1;
    *ran = ran_ms (facts, job_now (job));
    *running = xml_string (facts, "@resumed") != NULL;
    return 0;
}

//  Before its first effect: a daemon that is killed in the middle of it leaves no guest half there.
static int record_destroy (job_t *job, error_t *err)
{
    xml_node_t *facts = facts_of (job->guest->record);
    if (!facts)
        return 0;
    xml_set (facts, "@destroyed", "yes");
    return job_record (job, err);
}

static int test_destroy (job_t *job, bool graceful, error_t *err)
{
    if (test_behave_guest (job, "destroy", err))
        return -1;
    if (graceful && job->guest->record && test_nature (job->guest->live).ignores_shutdown)
        return error_set (err, ERR_OPERATION_FAILED,
                          "destroy domain '%s' gracefully: the guest does not end (its definition "
                          "says so); destroy it without 'graceful'",
                          job->guest->name);
    if (record_destroy (job, err) || test_remove_files (job, err))
        return -1;
    xml_destroy (&job->guest->record);
    return 0;
}

//  A simulated guest lives through the end of a daemon, but not through the host's.
static int test_adopt (job_t *job, error_t *err)
{
    guest_t *guest = job->guest;
    process_t self;
    if (test_behave_guest (job, "adopt", err) || process_identify (getpid (), &self, err) ||
        test_drop_used (job, err))
        return -1;
    guest_change_t change;
    const xml_node_t *facts = facts_of (guest->record);
    if (!facts || !guest->live)
        guest->status = (guest_status_t){ STATE_SHUTOFF, SHUTOFF_UNKNOWN };
    else if (!xml_equals (facts, "@boot", self.boot_id))
        guest->status = end_crash.status;
    else if (save_image_recorded (guest))
        guest->status = (guest_status_t){ STATE_SHUTOFF, SHUTOFF_SAVED };
    else if (xml_string (facts, "@destroyed"))
        guest->status = (guest_status_t){ STATE_SHUTOFF, SHUTOFF_DESTROYED };
    else if (test_guest_ends_in (guest->live, guest->record, job_now (job), &change) == 0)
        guest->status = change.status;
    return 0;
}

//  Its vcpus are always busy; there is no process whose memory could be measured.
static int test_info (job_t *job, guest_info_t *info, error_t *err)
{
    xml_node_t *facts;
    uint64_t vcpus = 1, bytes = 0;
    if (test_behave_guest (job, "info", err) || need_facts (job, &facts, err))
        return -1;
    const xml_node_t *domain = xml_root (job->guest->live);
    if (xml_u64 (domain, "vcpu", &vcpus, err) || xml_u64 (domain, "vcpu/@current", &vcpus, err) ||
        xml_size (domain, "currentMemory", "KiB", &bytes, err))
        return -1;
    info->cpu_ns = (uint64_t) ran_ms (facts, job_now (job)) * 1000000 * vcpus;
    info->memory_kib = bytes / 1024;
    info->rss_kib = 0;
    return 0;
}

static int test_stats (job_t *job, json_t *stats, error_t *err)
{
    guest_info_t info = { 0 };
    if (test_info (job, &info, err))
        return -1;
    json_object_set_new (stats, "cpu.time", json_integer ((json_int_t) info.cpu_ns));
    json_object_set_new (stats, "balloon.current", json_integer ((json_int_t) info.memory_kib));
    json_object_set_new (stats, "net.count", json_integer (0));
    json_object_set_new (stats, "block.count", json_integer (0));
    return 0;
}

static bool is_console (const xml_node_t *device, const char *alias)
{
    bool fits = xml_is (device, "serial") || xml_is (device, "console");
    return fits && xml_string (device, "alias/@name") &&
           (!alias || xml_equals (device, "alias/@name", alias));
}

static int test_console (const xml_t *live, const char *device, console_source_t *source,
                         error_t *err)
{
    if (test_fault (live, "console", 0, err))
        return -1;
    const xml_node_t *domain = xml_root (live);
    xml_foreach (node, xml_find (domain, "devices"), NULL) {
        if (!is_console (node, device))
            continue;
        memset (source, 0, sizeof *source);
        source->kind = CONSOLE_SIMULATED;
        snprintf (source->alias, sizeof source->alias, "%s", xml_string (node, "alias/@name"));
        return 0;
    }
    return error_set (err, ERR_DEVICE_MISSING, "open a console of domain '%s': it has no %s%s%s",
                      xml_string (domain, "name"), device ? "console '" : "console",
                      device ? device : "", device ? "'" : "; add <console type='pty'/>");
}

static const char *const test_types[] = { "test", NULL };

//  It is as large and as fast as its document says.
static int test_tune (job_t *job, const xml_t *before, error_t *err)
{
    (void) job, (void) before, (void) err;
    return 0;
}

//  The daemon simulates them itself.
static int test_version (job_t *job, uint64_t *version, error_t *err)
{
    (void) job;
    unsigned major, minor, release;
    if (sscanf (TROUPE_VERSION, "%u.%u.%u", &major, &minor, &release) != 3)
        return error_set (err, ERR_INTERNAL_ERROR, "version of the daemon: '%s' is not understood",
                          TROUPE_VERSION);
    *version = major * UINT64_C (1000000) + minor * UINT64_C (1000) + release;
    return 0;
}

//  A simulated guest has the processor that its definition says, x86_64 if it says none.
static int test_capabilities (job_t *job, xml_node_t *capabilities, error_t *err)
{
    (void) job, (void) err;
    xml_node_t *guest = xml_add (capabilities, "guest");
    xml_set (guest, "os_type", "hvm");
    xml_set (guest, "arch/@name", "x86_64");
    xml_set (guest, "arch/wordsize", "64");
    xml_set (guest, "arch/domain/@type", "test");
    return 0;
}

const driver_t test_driver = {
    .name = "test",
    .monitor = "the simulated guest",
    .types = test_types,
    .version = test_version,
    .capabilities = test_capabilities,
    .complete = test_complete,
    .tune = test_tune,
    .start = test_start,
    .shutdown = test_shutdown,
    .reboot = test_reboot,
    .reset = test_reset,
    .suspend = test_suspend,
    .resume = test_resume,
    .destroy = test_destroy,
    .adopt = test_adopt,
    .save = test_save,
    .restore = test_restore,
    .image_define = test_image_define,
    .snapshot_create = test_snapshot_create,
    .snapshot_check = test_snapshot_check,
    .snapshot_apply = test_snapshot_apply,
    .snapshot_start = test_snapshot_start,
    .snapshot_delete = test_snapshot_delete,
    .info = test_info,
    .stats = test_stats,
    .console = test_console,
    .due = test_guest_ends_in,
    .console_boot = test_console_boot,
    .console_input = test_console_input,
};
