//  qemu_stats.c: statistics of a running guest, under the names of virConnectGetAllDomainStats
//  (libvirt's API reference).

#include "drivers/qemu/qemu_alias.h"
#include "drivers/qemu/qemu_live.h"
#include "drivers/qemu/qemu_ops.h"
#include "drivers/state.h"
#include "util/file.h"
#include "util/text.h"

#include <inttypes.h>
#include <string.h>

#define QMP_MS 5000 //  whoever asked waits for the budget only
#define KIB 1024
#define VCPU_RUNNING 1 //  virVcpuState
#define VCPU_BLOCKED 2

static void set_number (json_t *stats, const char *name, uint64_t value)
{
    json_object_set_new (stats, name, json_integer ((json_int_t) value));
}

static void set_nth (json_t *stats, const char *group, size_t n, const char *name, json_t *value)
{
    autofree char *field = text_format ("%s.%zu.%s", group, n, name);
    json_object_set_new (stats, field, value);
}

//  ns on a processor: the first number of schedstat (Documentation/scheduler/sched-stats.rst).
static uint64_t thread_time (pid_t pid, uint64_t thread)
{
    error_t ignored;
    unsigned long long ns = 0;
    autofree char *path = text_format ("/proc/%d/task/%" PRIu64 "/schedstat", (int) pid, thread);
    autofree char *text = file_read (path, 256, NULL, &ignored);
    return text && sscanf (text, "%llu", &ns) == 1 ? ns : 0;
}

static int add_process (job_t *job, json_t *stats, error_t *err)
{
    process_t process;
    uint64_t user_ns, system_ns, rss_kib;
    if (!qemu_recorded_process (job->guest, &process))
        return error_set (err, ERR_OPERATION_INVALID,
                          "measure domain '%s': it has no process; is it running?",
                          job->guest->name);
    if (process_times (&process, &user_ns, &system_ns, &rss_kib, err))
        return -1;
    set_number (stats, "cpu.time", user_ns + system_ns);
    set_number (stats, "cpu.user", user_ns);
    set_number (stats, "cpu.system", system_ns);
    set_number (stats, "balloon.rss", rss_kib);
    size_t n = 0;
    xml_foreach (vcpu, xml_root (job->guest->record), "vcpu") {
        error_t ignored;
        uint64_t thread = 0;
        bool runs = job->guest->status.state == STATE_RUNNING;
        if (xml_u64 (vcpu, "@thread", &thread, &ignored))
            continue;
        set_nth (stats, "vcpu", n, "state", json_integer (runs ? VCPU_RUNNING : VCPU_BLOCKED));
        set_nth (stats, "vcpu", n, "time",
                 json_integer ((json_int_t) thread_time (process.pid, thread)));
        n++;
    }
    return 0;
}

//  A guest without a balloon has no figure for it: QEMU's answer is an error then.
static int add_balloon (job_t *job, json_t *stats, error_t *err)
{
    json_auto_t *balloon = job_qmp (job, "query-balloon", NULL, QMP_MS, err);
    if (!balloon)
        return err->code == ERR_OPERATION_TIMEOUT || err->code == ERR_OPERATION_ABORTED ? -1 : 0;
    set_number (stats, "balloon.current",
                (uint64_t) json_integer_value (json_object_get (balloon, "actual")) / KIB);
    return 0;
}

static int add_iothreads (job_t *job, json_t *stats, error_t *err)
{
    static const char *const numbers[] = { "poll-max-ns", "poll-grow", "poll-shrink" };
    json_auto_t *list = job_qmp (job, "query-iothreads", NULL, QMP_MS, err);
    if (!list)
        return -1;
    size_t i;
    json_t *item;
    set_number (stats, "iothread.count", json_array_size (list));
    json_array_foreach (list, i, item)
    {
        for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
            set_nth (stats, "iothread", i + 1, numbers[k],
                     json_incref (json_object_get (item, numbers[k])));
    }
    return 0;
}

//  The entry of a list whose qdev path ends at the device of this alias.
static const json_t *entry_of (const json_t *list, const char *alias)
{
    autofree char *middle = text_format ("/%s/", alias), *end = text_format ("/%s", alias);
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item)
    {
        const char *path = json_string_value (json_object_get (item, "qdev"));
        if (path && (strstr (path, middle) || text_ends (path, end) || strcmp (path, alias) == 0))
            return item;
    }
    return NULL;
}

//  libvirt's name, and QEMU's.
static const char *const block_fields[][2] = {
    { "rd.reqs", "rd_operations" },     { "rd.bytes", "rd_bytes" },
    { "rd.times", "rd_total_time_ns" }, { "wr.reqs", "wr_operations" },
    { "wr.bytes", "wr_bytes" },         { "wr.times", "wr_total_time_ns" },
    { "fl.reqs", "flush_operations" },  { "fl.times", "flush_total_time_ns" },
};

static void add_disk (json_t *stats, size_t n, const xml_node_t *disk, const json_t *counters,
                      const json_t *images)
{
    const char *alias = qemu_alias (disk), *path = xml_string (disk, "source/@file");
    const json_t *measured = json_object_get (entry_of (counters, alias), "stats");
    const json_t *image =
        json_object_get (json_object_get (entry_of (images, alias), "inserted"), "image");
    if (!path)
        path = xml_string (disk, "source/@dev");
    set_nth (stats, "block", n, "name", json_string (xml_string (disk, "target/@dev")));
    if (path)
        set_nth (stats, "block", n, "path", json_string (path));
    for (size_t i = 0; measured && i < sizeof block_fields / sizeof *block_fields; i++)
        set_nth (stats, "block", n, block_fields[i][0],
                 json_incref (json_object_get (measured, block_fields[i][1])));
    if (measured)
        set_nth (stats, "block", n, "allocation",
                 json_incref (json_object_get (measured, "wr_highest_offset")));
    if (image) {
        set_nth (stats, "block", n, "capacity",
                 json_incref (json_object_get (image, "virtual-size")));
        set_nth (stats, "block", n, "physical",
                 json_incref (json_object_get (image, "actual-size")));
    }
}

static int add_blocks (job_t *job, json_t *stats, error_t *err)
{
    const xml_node_t *devices = xml_find (xml_root (job->guest->live), "devices");
    size_t n = 0;
    if (!xml_first (devices, "disk")) {
        set_number (stats, "block.count", 0);
        return 0;
    }
    json_auto_t *counters = job_qmp (job, "query-blockstats", NULL, QMP_MS, err);
    json_auto_t *images = counters ? job_qmp (job, "query-block", NULL, QMP_MS, err) : NULL;
    if (!images)
        return -1;
    xml_foreach (disk, devices, "disk")
        add_disk (stats, n++, disk, counters, images);
    set_number (stats, "block.count", n);
    return 0;
}

int qemu_stats (job_t *job, json_t *stats, error_t *err)
{
    //  Interfaces of type user have no link on the host that counts.
    set_number (stats, "net.count", 0);
    bool failed = add_process (job, stats, err) || add_balloon (job, stats, err) ||
                  add_blocks (job, stats, err) || add_iothreads (job, stats, err);
    return failed ? -1 : 0;
}
