//  qemu_tune.c: see qemu_tune.h. Facts: libvirt's "Domain XML format" page ("CPU Tuning"), QEMU's
//  QMP reference (query-iothreads, balloon), sched_setaffinity (2).

#include "drivers/qemu/qemu_tune.h"

#include "drivers/cgroup/cgroup.h"
#include "drivers/cpuset.h"
#include "drivers/iothreads.h"
#include "drivers/net/interface_tune.h"
#include "drivers/qemu/command/qemu_alias.h"
#include "drivers/qemu/plug/qemu_vcpus.h"
#include "drivers/qemu/probe/qemu_schema.h"
#include "drivers/qemu/qemu_iothreads.h"
#include "drivers/qemu/qemu_iotune.h"
#include "drivers/qemu/command/qemu_memory.h"
#include "drivers/vcpus.h"
#include "util/file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define QMP_MS 10000

//  What libvirt calls global; its limits of vcpus are for each of their threads.
static const cgroup_scope_t scope = { .quota = "cputune/global_quota",
                                      .period = "cputune/global_period",
                                      .shares = "cputune/shares" };

int qemu_takes (const char *path, const char *value, error_t *err)
{
    return qemu_schema_takes (path, value, err);
}

//  An ordinary user has no cgroups to give; what needs them is refused then.
int qemu_tune_prepare (job_t *job, error_t *err)
{
    if (job->instance && geteuid () == 0 && cgroup_make (job, false, err))
        return -1;
    return cgroup_tune (job, &scope, NULL, err);
}

//  Threads.

typedef struct {
    job_t *job;
    pid_t pid;
    const xml_node_t *before, *after;      //  BEFORE NULL: at a start
    strings_t *threads, *wanted, *present; //  one of each for a thread that is to move
    strings_t *others;                     //  threads that are vcpus or I/O threads
} pinning_t;

//  Where a thread is to run: its pin, or where all of them do; NULL: anywhere.
static const char *cpus_of (const xml_node_t *domain, const char *element, const char *attribute,
                            uint64_t number)
{
    xml_foreach (pin, xml_find (domain, "cputune"), element) {
        uint64_t own = 0;
        error_t ignored; //  completed
        if (!attribute || (xml_u64 (pin, attribute, &own, &ignored) == 0 && own == number))
            return xml_string (pin, "@cpuset");
    }
    return xml_string (domain, "vcpu/@cpuset");
}

static void all_cpus (cpu_set_t *cpus)
{
    CPU_ZERO (cpus);
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
        CPU_SET (cpu, cpus);
}

static int set_affinity (pid_t thread, const char *text, error_t *err)
{
    cpu_set_t cpus;
    if (!*text)
        all_cpus (&cpus);
    else if (cpuset_parse (text, &cpus, err))
        return -1;
    if (sched_setaffinity (thread, sizeof cpus, &cpus) == 0)
        return 0;
    if (errno == EINVAL)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: the CPUs '%s'; this host has none of them", text);
    return error_errno (err, ERR_SYSTEM_ERROR, "pin QEMU's thread %d to the CPUs '%s'",
                        (int) thread, text);
}

//  One that ended meanwhile needs nothing.
static int plan_thread (pinning_t *self, pid_t thread, const char *wanted, error_t *err)
{
    cpu_set_t now;
    if (sched_getaffinity (thread, sizeof now, &now))
        return errno == ESRCH ? 0
                              : error_errno (err, ERR_SYSTEM_ERROR,
                                             "find out where QEMU's thread %d runs", (int) thread);
    autofree char *number = text_format ("%d", (int) thread);
    autofree char *present = cpuset_text (&now);
    strings_add (self->threads, number);
    strings_add (self->wanted, wanted ? wanted : "");
    strings_add (self->present, present);
    return 0;
}

static bool moves (const pinning_t *self, const char *element, const char *attribute,
                   uint64_t number, const char **wanted)
{
    const char *before = self->before ? cpus_of (self->before, element, attribute, number)
                                      : xml_string (self->after, "vcpu/@cpuset");
    *wanted = cpus_of (self->after, element, attribute, number);
    return !text_equals (before, *wanted);
}

static int plan_numbered (pinning_t *self, const char *element, const char *attribute,
                          uint64_t number, int64_t thread, error_t *err)
{
    const char *wanted;
    autofree char *text = text_format ("%" PRId64, thread);
    strings_add (self->others, text);
    return moves (self, element, attribute, number, &wanted)
               ? plan_thread (self, (pid_t) thread, wanted, err)
               : 0;
}

static int plan_vcpus (pinning_t *self, error_t *err)
{
    xml_foreach (vcpu, xml_root (self->job->guest->record), "vcpu") {
        uint64_t number = 0, thread = 0;
        if (xml_u64 (vcpu, "@id", &number, err) || xml_u64 (vcpu, "@thread", &thread, err) ||
            plan_numbered (self, "vcpupin", "@vcpu", number, (int64_t) thread, err))
            return -1;
    }
    return 0;
}

static json_t *ask_iothreads (const pinning_t *self, error_t *err)
{
    return iothreads_count (self->after) ? job_qmp (self->job, "query-iothreads", NULL, QMP_MS, err)
                                         : json_array ();
}

static bool is_iothread (json_t *item, uint64_t *number, json_int_t *thread)
{
    const char *id;
    return json_unpack (item, "{s:s, s:I}", "id", &id, "thread-id", thread) == 0 &&
           text_starts (id, "iothread") && text_to_u64 (id + strlen ("iothread"), number);
}

static int plan_iothreads (pinning_t *self, error_t *err)
{
    size_t i;
    json_t *item;
    json_int_t thread;
    uint64_t number;
    json_auto_t *list = ask_iothreads (self, err);
    if (!list)
        return -1;
    json_array_foreach (list, i, item)
    {
        if (is_iothread (item, &number, &thread) &&
            plan_numbered (self, "iothreadpin", "@iothread", number, thread, err))
            return -1;
    }
    return 0;
}

//  All the others.
static int plan_emulator (pinning_t *self, error_t *err)
{
    const char *wanted;
    autofree char *folder = text_format ("/proc/%d/task", (int) self->pid);
    if (!moves (self, "emulatorpin", NULL, 0, &wanted))
        return 0;
    auto(strings_t) tasks = file_list (folder, "", err);
    if (!tasks)
        return -1;
    for (size_t i = 0; i < tasks->count; i++)
        if (!strings_contain (self->others, tasks->items[i]) &&
            plan_thread (self, (pid_t) strtol (tasks->items[i], NULL, 10), wanted, err))
            return -1;
    return 0;
}

static int plan_pins (pinning_t *self, error_t *err)
{
    process_t process;
    if (!guest_recorded_process (self->job->guest, &process))
        return error_set (err, ERR_OPERATION_INVALID, "there is no record of its QEMU");
    self->pid = process.pid;
    return plan_vcpus (self, err) || plan_iothreads (self, err) || plan_emulator (self, err) ? -1
                                                                                             : 0;
}

static int push_pins (const pinning_t *self, error_t *err)
{
    for (size_t i = 0; i < self->threads->count; i++) {
        autofree char *undo =
            text_format ("%s %s", self->threads->items[i], self->present->items[i]);
        if (job_undo (self->job, "qemu.affinity", undo, err))
            return -1;
    }
    return 0;
}

//  Of QEMU's own, as long as it is: a number that is another's by now is not below its process.
static bool is_thread (job_t *job, const char *thread)
{
    process_t process;
    error_t ignored = { 0 };
    if (!guest_recorded_process (job->guest, &process) ||
        job_wait_exit (job, &process, 0, &ignored) == 0)
        return false;
    autofree char *path = text_format ("/proc/%d/task/%s", (int) process.pid, thread);
    return access (path, F_OK) == 0;
}

static int apply_pins (const pinning_t *self, error_t *err)
{
    for (size_t i = 0; i < self->threads->count; i++)
        if (is_thread (self->job, self->threads->items[i]) &&
            set_affinity ((pid_t) strtol (self->threads->items[i], NULL, 10),
                          self->wanted->items[i], err))
            return -1;
    return 0;
}

int qemu_undo_affinity (job_t *job, const char *argument, error_t *err)
{
    const char *blank = strchr (argument, ' ');
    size_t size = blank ? (size_t) (blank - argument) : 0;
    if (size == 0 || strspn (argument, "0123456789") != size)
        return error_set (err, ERR_INVALID_ARG, "undo qemu.affinity '%s': not THREAD CPUS",
                          argument);
    autofree char *thread = text_copy_bytes (argument, size);
    if (!is_thread (job, thread))
        return 0;
    return set_affinity ((pid_t) strtol (thread, NULL, 10), blank + 1, err);
}

//  Memory.

static int set_balloon (job_t *job, uint64_t bytes, error_t *err)
{
    json_auto_t *reply =
        job_qmp (job, "balloon", json_pack ("{s:I}", "value", (json_int_t) bytes), QMP_MS, err);
    return reply ? 0 : -1;
}

int qemu_undo_balloon (job_t *job, const char *argument, error_t *err)
{
    uint64_t bytes;
    if (!text_to_u64 (argument, &bytes))
        return error_set (err, ERR_INVALID_ARG, "undo qemu.balloon '%s': no size", argument);
    return set_balloon (job, bytes, err);
}

//  *BYTES 0: it is to stay as it is.
static int plan_balloon (const pinning_t *self, uint64_t *bytes, error_t *err)
{
    uint64_t before = 0, after = 0;
    const char *model = xml_string (self->after, "devices/memballoon/@model");
    if (xml_size (self->before, "currentMemory", "KiB", &before, err) ||
        xml_size (self->after, "currentMemory", "KiB", &after, err))
        return -1;
    *bytes = before == after ? 0 : after;
    if (!*bytes)
        return 0;
    if (!model || strcmp (model, "none") == 0)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: the memory of a guest without a balloon; add <memballoon "
                          "model='virtio'/> to its definition");
    //  The balloon knows nothing of virtio-mem.
    const uint64_t others = qemu_memory_taken (self->after) * 1024;
    if (after <= others)
        return error_set (err, ERR_INVALID_ARG,
                          "the guest has %" PRIu64 " KiB in virtio-mem devices, which its balloon "
                          "can't take; request less of those ('virsh update-memory-device')",
                          others / 1024);
    *bytes = after - others;
    autofree char *undo = text_format ("%" PRIu64, before > others ? before - others : before);
    return job_undo (self->job, "qemu.balloon", undo, err);
}

//  Processors.

static bool changes_vcpus (const pinning_t *self)
{
    bool changes = false;
    for (int id = 0; id < vcpus_most (self->after) && !changes; id++)
        changes = vcpus_has (self->before, id) != vcpus_has (self->after, id);
    return changes;
}

//  A new thread runs where the one did that made it.
static int place_vcpu (const job_t *job, const xml_node_t *vcpu, error_t *err)
{
    uint64_t id = 0, thread = 0;
    if (xml_u64 (vcpu, "@id", &id, err) || xml_u64 (vcpu, "@thread", &thread, err))
        return -1;
    const char *cpus = cpus_of (xml_root (job->guest->live), "vcpupin", "@vcpu", id);
    return set_affinity ((pid_t) thread, cpus ? cpus : "", err);
}

//  What can be asked of a running guest is how many it has, or where they run, never both.
static int change_vcpus (job_t *job, const xml_node_t *before, error_t *err)
{
    if (!vcpus_are_listed (xml_root (job->guest->live)))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "all of its vcpus are there from its start on, and can't be unplugged; "
                          "config changes how many its next start has");
    if (qemu_vcpus_change (job, before, err))
        return -1;
    xml_foreach (vcpu, xml_root (job->guest->record), "vcpu") {
        uint64_t id = 0;
        if (xml_u64 (vcpu, "@id", &id, err) ||
            (!vcpus_has (before, (int) id) && place_vcpu (job, vcpu, err)))
            return -1;
    }
    return 0;
}

//  I/O threads, and what they are told.

//  A new one runs where QEMU's main thread did.
static int place_iothreads (const pinning_t *self, error_t *err)
{
    size_t i;
    json_t *item;
    json_int_t thread;
    uint64_t number;
    json_auto_t *list = ask_iothreads (self, err);
    if (!list)
        return -1;
    json_array_foreach (list, i, item)
    {
        const char *cpus;
        if (!is_iothread (item, &number, &thread) || iothreads_has (self->before, (int) number))
            continue;
        cpus = cpus_of (self->after, "iothreadpin", "@iothread", number);
        if (set_affinity ((pid_t) thread, cpus ? cpus : "", err))
            return -1;
    }
    return 0;
}

//  How often the balloon's driver in the guest is asked what it uses.
static int add_period (const pinning_t *self, qemu_steps_t *steps, error_t *err)
{
    int before = 0, after = 0;
    const xml_node_t *balloon = xml_find (self->after, "devices/memballoon");
    if (xml_int (self->before, "devices/memballoon/stats/@period", 0, INT32_MAX, &before, err) ||
        xml_int (self->after, "devices/memballoon/stats/@period", 0, INT32_MAX, &after, err))
        return -1;
    if (before == after)
        return 0;
    const char *name = "guest-stats-polling-interval";
    autofree char *path = text_format ("/machine/peripheral/%s", qemu_alias (balloon));
    qemu_steps_add (steps, "qom-set",
                    json_pack ("{s:s, s:s, s:i}", "path", path, "property", name, "value", after),
                    "qom-set",
                    json_pack ("{s:s, s:s, s:i}", "path", path, "property", name, "value", before));
    return 0;
}

static int change_settings (const pinning_t *self, error_t *err)
{
    qemu_steps_t steps = { 0 };
    qemu_iotune_steps (self->job, self->before, &steps);
    int rc = add_period (self, &steps, err) ||
                     qemu_iothreads_steps (self->job, self->before, &steps, err) ||
                     qemu_steps_run (&steps, self->job, err) ||
                     (steps.list && place_iothreads (self, err))
                 ? -1
                 : 0;
    qemu_steps_close (&steps);
    return rc;
}

//  All undos are durable before the first effect.
static int tune (pinning_t *self, const xml_t *before, error_t *err)
{
    uint64_t balloon = 0;
    if (changes_vcpus (self))
        return change_vcpus (self->job, self->before, err);
    bool failed = plan_pins (self, err) || push_pins (self, err) ||
                  plan_balloon (self, &balloon, err) ||
                  ((self->threads->count || balloon) && job_record (self->job, err)) ||
                  cgroup_tune (self->job, &scope, before, err) || apply_pins (self, err) ||
                  (balloon && set_balloon (self->job, balloon, err)) ||
                  change_settings (self, err) || interface_tune (self->job, self->before, err);
    return failed ? -1 : 0;
}

int qemu_tune (job_t *job, const xml_t *before, error_t *err)
{
    auto(strings_t) threads = strings_new ();
    auto(strings_t) wanted = strings_new ();
    auto(strings_t) present = strings_new ();
    auto(strings_t) others = strings_new ();
    pinning_t self = { .job = job,
                       .before = before ? xml_root (before) : NULL,
                       .after = xml_root (job->guest->live),
                       .threads = threads,
                       .wanted = wanted,
                       .present = present,
                       .others = others };
    if (before)
        return tune (&self, before, err);
    return plan_pins (&self, err) || apply_pins (&self, err) ? -1 : 0;
}

int qemu_tune_started (job_t *job, error_t *err)
{
    return xml_find (xml_root (job->guest->live), "cputune") ? qemu_tune (job, NULL, err) : 0;
}
