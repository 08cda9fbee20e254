//  qemu_vcpus.c: see qemu_vcpus.h. Facts: QEMU's QMP reference (query-hotpluggable-cpus,
//  query-cpus-fast, device_add, device_del), and its page "Virtual CPU hotplug". A vcpu that was
//  plugged is the device vcpuN; one that is there from the start has no id, and stays.

#include "drivers/qemu/plug/qemu_vcpus.h"

#include "drivers/qemu/plug/qemu_plug_parts.h"
#include "drivers/qemu/qemu_answer.h"
#include "drivers/vcpus.h"
#include "util/text.h"

#include <stdlib.h>
#include <string.h>

#define QMP_MS 10000
#define UNPLUG_MS 20000

#define UNPLUGGED "unplugged/@vcpu" //  of the record: the last one that went

//  QEMU numbers vcpus by their place in the machine, and lists them in no promised order.

static int compare_places (const void *a, const void *b)
{
    static const char *const levels[] = { "socket-id", "die-id",  "cluster-id",
                                          "module-id", "core-id", "thread-id" };
    const json_t *one = json_object_get (*(json_t *const *) a, "props");
    const json_t *other = json_object_get (*(json_t *const *) b, "props");
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        uint64_t left = answer_number (one, levels[i]), right = answer_number (other, levels[i]);
        if (left != right)
            return left < right ? -1 : 1;
    }
    return 0;
}

typedef struct {
    json_t *answer;
    json_t **slots; //  of the answer, by the number of the vcpu
    int count;
} slots_t;

static void slots_close (slots_t *self)
{
    free (self->slots);
    json_decref (self->answer);
}

static int slots_open (slots_t *self, job_t *job, error_t *err)
{
    size_t i;
    json_t *item;
    self->answer = job_qmp (job, "query-hotpluggable-cpus", NULL, QMP_MS, err);
    if (!self->answer)
        return -1;
    self->slots = memory_new (json_array_size (self->answer) + 1, sizeof *self->slots);
    json_array_foreach (self->answer, i, item) self->slots[self->count++] = item;
    qsort (self->slots, (size_t) self->count, sizeof *self->slots, compare_places);
    return 0;
}

static const char *path_of (const slots_t *self, int id)
{
    return id < self->count ? answer_string (self->slots[id], "qom-path") : "";
}

//  Looking.

static void add_thread (job_t *job, const json_t *cpu)
{
    json_int_t id, thread;
    if (json_unpack ((json_t *) cpu, "{s:I, s:I}", "cpu-index", &id, "thread-id", &thread))
        return;
    xml_node_t *vcpu = xml_add (xml_root (job->guest->record), "vcpu");
    xml_set_u64 (vcpu, "@id", (uint64_t) id);
    xml_set_u64 (vcpu, "@thread", (uint64_t) thread);
}

int qemu_vcpus_threads (job_t *job, error_t *err)
{
    json_auto_t *cpus = job_qmp (job, "query-cpus-fast", NULL, QMP_MS, err);
    xml_node_t *vcpu;
    size_t i;
    json_t *cpu;
    if (!cpus)
        return -1;
    while ((vcpu = xml_first (xml_root (job->guest->record), "vcpu")))
        xml_remove (vcpu);
    json_array_foreach (cpus, i, cpu) add_thread (job, cpu);
    return 0;
}

static bool note_all (const job_t *job, const slots_t *slots)
{
    xml_node_t *domain = xml_root (job->guest->live);
    bool any = false;
    for (int id = 0; id < slots->count; id++) {
        const char *path = path_of (slots, id);
        if (vcpus_has (domain, id) == (*path != 0))
            continue;
        autofree char *alias = text_format ("vcpu%d", id);
        vcpus_note (domain, id, *path != 0, text_ends (path, alias));
        guest_tell (job->guest, *path ? "added" : "removed", alias);
        if (!*path)
            xml_set (xml_root (job->guest->record), UNPLUGGED, alias);
        any = true;
    }
    return any;
}

//  Without a list, and with all there from the start, none can come or go.
int qemu_vcpus_look (job_t *job, error_t *err)
{
    xml_node_t *domain = xml_root (job->guest->live);
    slots_t slots = { 0 };
    if (!vcpus_are_listed (domain) && vcpus_count (domain) == vcpus_most (domain))
        return 0;
    vcpus_list (domain);
    int rc = slots_open (&slots, job, err);
    if (rc == 0 && note_all (job, &slots))
        rc = qemu_vcpus_threads (job, err);
    slots_close (&slots);
    return rc;
}

//  Plugging.

static int plug (job_t *job, const slots_t *slots, int id, error_t *err)
{
    if (id >= slots->count)
        return error_set (err, ERR_OPERATION_FAILED, "QEMU has no place for vcpu %d", id);
    json_t *device = json_deep_copy (json_object_get (slots->slots[id], "props"));
    autofree char *alias = text_format ("vcpu%d", id);
    const char *type = answer_string (slots->slots[id], "type");
    json_object_set_new (device, "driver", json_string (type));
    json_object_set_new (device, "id", json_string (alias));
    return qemu_tell (job, "device_add", device, QMP_MS, err)
               ? error_prefix (err, "plug vcpu %d", id)
               : 0;
}

static int start_all (job_t *job, const slots_t *slots, error_t *err)
{
    const xml_node_t *domain = xml_root (job->guest->live);
    int id, rank = -1;
    while ((id = vcpus_next (domain, &rank)) >= 0)
        if (!*path_of (slots, id) && plug (job, slots, id, err))
            return -1;
    return 0;
}

int qemu_vcpus_start (job_t *job, error_t *err)
{
    const xml_node_t *domain = xml_root (job->guest->live);
    slots_t slots = { 0 };
    if (vcpus_fixed (domain) == vcpus_count (domain))
        return 0;
    int rc = slots_open (&slots, job, err) || start_all (job, &slots, err) ? -1 : 0;
    slots_close (&slots);
    return rc;
}

static int unplug (job_t *job, int id, error_t *err)
{
    autofree char *alias = text_format ("vcpu%d", id);
    bool gone;
    if (qemu_plug_take_out (job, alias, UNPLUG_MS, &gone, err))
        return -1;
    return gone ? 0
                : error_set (err, ERR_OPERATION_TIMEOUT,
                             "the guest has not let go of '%s' within %d s; if it does so later, "
                             "the vcpu goes then ('troupe event' tells)",
                             alias, UNPLUG_MS / 1000);
}

int qemu_vcpus_check_plug (const job_t *job, const char *what, error_t *err)
{
    const char *went = xml_string (xml_root (job->guest->record), UNPLUGGED);
    if (!went || !xml_equals (xml_root (job->guest->live), "@type", "qemu"))
        return 0;
    return error_set (err, ERR_OPERATION_UNSUPPORTED,
                      "not supported: %s for an emulated guest (type='qemu') that let go of "
                      "'%s': QEMU would end; save and restore it, or start it anew",
                      what, went);
}

static int check_replug (const job_t *job, int id, error_t *err)
{
    autofree char *vcpu = text_format ("vcpu %d", id);
    return qemu_vcpus_check_plug (job, vcpu, err);
}

static int check (const job_t *job, const slots_t *slots, const xml_node_t *before, error_t *err)
{
    const xml_node_t *domain = xml_root (job->guest->live);
    for (int id = 0; id < slots->count; id++)
        if (vcpus_has (domain, id) && !vcpus_has (before, id) && check_replug (job, id, err))
            return -1;
    return 0;
}

//  Each by itself: the guest is to handle one at a time. The last ones go first.
static int change_all (job_t *job, const slots_t *slots, const xml_node_t *before, error_t *err)
{
    const xml_node_t *domain = xml_root (job->guest->live);
    for (int id = 0; id < slots->count; id++)
        if (vcpus_has (domain, id) && !vcpus_has (before, id) && !*path_of (slots, id) &&
            plug (job, slots, id, err))
            return -1;
    for (int id = slots->count - 1; id >= 0; id--)
        if (!vcpus_has (domain, id) && vcpus_has (before, id) && unplug (job, id, err))
            return -1;
    return 0;
}

//  As it was before: then the look tells what came and went, in the order of that.
static void begin_from (job_t *job, const xml_node_t *before)
{
    xml_destroy (&job->guest->live);
    job->guest->live = xml_from_node (before);
}

int qemu_vcpus_change (job_t *job, const xml_node_t *before, error_t *err)
{
    slots_t slots = { 0 };
    int rc = slots_open (&slots, job, err) || check (job, &slots, before, err) ||
                     change_all (job, &slots, before, err)
                 ? -1
                 : 0;
    slots_close (&slots);
    if (rc)
        return -1;
    begin_from (job, before);
    return qemu_vcpus_look (job, err);
}
