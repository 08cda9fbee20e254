//  qemu_stats.c: statistics of a running guest, under the names of virConnectGetAllDomainStats
//  (libvirt's API reference).

#include "drivers/net/interface.h"
#include "drivers/qemu/command/qemu_alias.h"
#include "drivers/qemu/qemu_live.h"
#include "drivers/qemu/qemu_ops.h"
#include "drivers/qemu/qemu_stats_parts.h"
#include "drivers/qemu/plug/qemu_memory_live.h"
#include "drivers/state.h"
#include "util/file.h"
#include "util/text.h"

#include <inttypes.h>
#include <string.h>

#define KIB 1024
#define VCPU_RUNNING 1 //  virVcpuState
#define VCPU_BLOCKED 2
#define IOTHREAD "iothread" //  and its number: how the start calls them

int qemu_stats_ask (job_t *job, const char *execute, json_t *arguments, json_t **reply,
                    error_t *err)
{
    *reply = job_qmp (job, execute, arguments, STATS_QMP_MS, err);
    return !*reply && (err->code == ERR_OPERATION_TIMEOUT || err->code == ERR_OPERATION_ABORTED)
               ? -1
               : 0;
}

void qemu_stats_set (json_t *stats, const char *name, uint64_t value)
{
    json_object_set_new (stats, name, json_integer ((json_int_t) value));
}

void qemu_stats_set_nth (json_t *stats, const char *group, size_t n, const char *name,
                         json_t *value)
{
    autofree char *field = text_format ("%s.%zu.%s", group, n, name);
    json_object_set_new (stats, field, value);
}

//  Of the thread that runs vcpu N.
static void add_vcpu (json_t *stats, size_t n, pid_t pid, uint64_t thread, bool runs)
{
    thread_times_t times;
    process_thread_times (pid, thread, &times);
    const struct {
        const char *name;
        uint64_t value;
        bool known;
    } fields[] = { { "state", runs ? VCPU_RUNNING : VCPU_BLOCKED, true },
                   { "time", times.run_ns, true },
                   { "wait", times.wait_ns, times.has_wait },
                   { "delay", times.delay_ns, times.has_delay },
                   { "cpu", times.cpu, times.has_cpu } };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (fields[i].known)
            qemu_stats_set_nth (stats, "vcpu", n, fields[i].name,
                                json_integer ((json_int_t) fields[i].value));
}

static int add_process (job_t *job, json_t *stats, error_t *err)
{
    process_t process;
    uint64_t user_ns, system_ns, rss_kib;
    if (!guest_recorded_process (job->guest, &process))
        return error_set (err, ERR_OPERATION_INVALID,
                          "measure domain '%s': it has no process; is it running?",
                          job->guest->name);
    if (process_times (&process, &user_ns, &system_ns, &rss_kib, err))
        return error_prefix (err, "measure domain '%s'", job->guest->name);
    qemu_stats_set (stats, "cpu.time", user_ns + system_ns);
    qemu_stats_set (stats, "cpu.user", user_ns);
    qemu_stats_set (stats, "cpu.system", system_ns);
    qemu_stats_set (stats, "balloon.rss", rss_kib);
    xml_foreach (vcpu, xml_root (job->guest->record), "vcpu") {
        error_t ignored;
        uint64_t id = 0, thread = 0;
        bool runs = job->guest->status.state == STATE_RUNNING;
        if (xml_u64 (vcpu, "@id", &id, &ignored) == 0 &&
            xml_u64 (vcpu, "@thread", &thread, &ignored) == 0)
            add_vcpu (stats, (size_t) id, process.pid, thread, runs);
    }
    return 0;
}

//  What the guest's driver tells: libvirt's name, QEMU's, and the unit that it is divided by.
static const struct {
    const char *name, *qemu;
    uint64_t unit;
} balloon_fields[] = {
    { "balloon.swap_in", "stat-swap-in", KIB },
    { "balloon.swap_out", "stat-swap-out", KIB },
    { "balloon.major_fault", "stat-major-faults", 1 },
    { "balloon.minor_fault", "stat-minor-faults", 1 },
    { "balloon.unused", "stat-free-memory", KIB },
    { "balloon.available", "stat-total-memory", KIB },
    { "balloon.usable", "stat-available-memory", KIB },
    { "balloon.disk_caches", "stat-disk-caches", KIB },
    { "balloon.hugetlb_pgalloc", "stat-htlb-pgalloc", 1 },
    { "balloon.hugetlb_pgfail", "stat-htlb-pgfail", 1 },
};

//  What the guest does not tell is all ones to QEMU, which a monitor's answer bounds to INT64_MAX.
static void add_guest_memory (json_t *stats, const json_t *told)
{
    const json_t *values = json_object_get (told, "stats");
    for (size_t i = 0; i < sizeof balloon_fields / sizeof *balloon_fields; i++) {
        const json_t *value = json_object_get (values, balloon_fields[i].qemu);
        json_int_t number = json_integer_value (value);
        if (value && number >= 0 && number < INT64_MAX)
            qemu_stats_set (stats, balloon_fields[i].name,
                            (uint64_t) number / balloon_fields[i].unit);
    }
    if (told)
        qemu_stats_set (stats, "balloon.last-update",
                        (uint64_t) json_integer_value (json_object_get (told, "last-update")));
}

static int add_balloon (job_t *job, json_t *stats, error_t *err)
{
    const xml_node_t *device = xml_find (xml_root (job->guest->live), "devices/memballoon");
    if (!device || xml_equals (device, "@model", "none"))
        return 0;
    autofree char *path = text_format ("/machine/peripheral/%s", qemu_alias (device));
    json_auto_t *balloon = NULL, *told = NULL;
    if (qemu_stats_ask (job, "query-balloon", NULL, &balloon, err) ||
        qemu_stats_ask (job, "qom-get",
                        json_pack ("{s:s, s:s}", "path", path, "property", "guest-stats"), &told,
                        err))
        return -1;
    if (balloon)
        qemu_stats_set (stats, "balloon.current",
                        qemu_memory_balloon (balloon, xml_root (job->guest->live)));
    add_guest_memory (stats, told);
    return 0;
}

static int add_iothreads (job_t *job, json_t *stats, error_t *err)
{
    static const char *const numbers[] = { "poll-max-ns", "poll-grow", "poll-shrink" };
    json_auto_t *list = job_qmp (job, "query-iothreads", NULL, STATS_QMP_MS, err);
    if (!list)
        return -1;
    size_t i;
    json_t *item;
    qemu_stats_set (stats, "iothread.count", json_array_size (list));
    json_array_foreach (list, i, item)
    {
        const char *id = json_string_value (json_object_get (item, "id"));
        uint64_t number;
        if (!id || !text_starts (id, IOTHREAD) || !text_to_u64 (id + strlen (IOTHREAD), &number))
            continue;
        for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
            qemu_stats_set_nth (stats, "iothread", number, numbers[k],
                                json_incref (json_object_get (item, numbers[k])));
    }
    return 0;
}

//  libvirt's name, and QEMU's.
static const char *const rate_fields[][2] = {
    { "dirtyrate.calc_start_time", "start-time" },
    { "dirtyrate.calc_period", "calc-time" },
    { "dirtyrate.megabytes_per_second", "dirty-rate" },
    { "dirtyrate.calc_mode", "mode" },
};

//  The status of dirty page rates as virDomainDirtyRateStatus numbers it.
static int add_dirty_rate (job_t *job, json_t *stats, error_t *err)
{
    static const char *const states[] = { "unstarted", "measuring", "measured" };
    json_auto_t *rate = NULL;
    if (qemu_stats_ask (job, "query-dirty-rate", NULL, &rate, err))
        return -1;
    const char *state = json_string_value (json_object_get (rate, "status"));
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (text_equals (state, states[i]))
            qemu_stats_set (stats, "dirtyrate.calc_status", i);
    for (size_t i = 0; i < sizeof rate_fields / sizeof *rate_fields; i++) {
        json_t *value = json_object_get (rate, rate_fields[i][1]);
        if (value)
            json_object_set (stats, rate_fields[i][0], value);
    }
    size_t i;
    json_t *vcpu;
    json_array_foreach (json_object_get (rate, "vcpu-dirty-rate"), i, vcpu)
    {
        qemu_stats_set_nth (
            stats, "dirtyrate.vcpu", (size_t) json_integer_value (json_object_get (vcpu, "id")),
            "megabytes_per_second", json_incref (json_object_get (vcpu, "dirty-rate")));
    }
    return 0;
}

int qemu_stats (job_t *job, json_t *stats, error_t *err)
{
    bool failed = interface_stats (job, stats, err) || add_process (job, stats, err) ||
                  add_balloon (job, stats, err) || qemu_stats_block (job, stats, err) ||
                  add_iothreads (job, stats, err) || add_dirty_rate (job, stats, err) ||
                  qemu_stats_kvm (job, stats, err);
    return failed ? -1 : 0;
}
