//  qemu_memory_live.c: see qemu_memory_live.h. Facts: QEMU's QMP reference (query-memory-devices,
//  query-balloon, MEMORY_DEVICE_SIZE_CHANGE), and its page on virtio-mem (requested-size).

#include "drivers/qemu/plug/qemu_memory_live.h"
#include "drivers/definition.h"
#include "drivers/device_match.h"
#include "drivers/qemu/command/qemu_alias.h"
#include "drivers/qemu/command/qemu_memory.h"
#include "drivers/qemu/qemu_answer.h"
#include "drivers/qemu/qemu_ram.h"
#include "util/text.h"

#include <inttypes.h>
#include <string.h>

#define QMP_MS 10000
#define KIB 1024u

static xml_node_t *domain_of (const job_t *job)
{
    return xml_root (job->guest->live);
}

static void set_kib (xml_node_t *node, const char *path, uint64_t kib)
{
    autofree char *unit = text_format ("%s/@unit", path);
    xml_set_u64 (node, path, kib);
    xml_set (node, unit, "KiB");
}

//  Devices.

static void note_size (job_t *job, xml_node_t *device, uint64_t kib)
{
    const bool known = xml_string (device, "target/current") != NULL;
    const uint64_t before = qemu_memory_kib (device, "target/current");
    if (known && before == kib)
        return;
    xml_node_t *address = xml_find (device, "target/address");
    if (!known && address)
        xml_add_before (address, "current");
    set_kib (device, "target/current", kib);
    if (!known && kib == 0)
        return;
    autofree char *news = text_format ("%s %" PRIu64, qemu_alias (device), kib);
    guest_tell (job->guest, "resized", news);
}

static void note_device (job_t *job, const json_t *item)
{
    const json_t *data = json_object_get (item, "data");
    const bool dimm = strcmp (answer_string (item, "type"), "dimm") == 0;
    const char *id = answer_string (data, "id");
    xml_node_t *device = *id ? qemu_alias_find (job->guest->live, id) : NULL;
    if (!device || !xml_is (device, "memory"))
        return;
    const char *base = dimm ? "address/@base" : "target/address/@base";
    if (!dimm)
        note_size (job, device, answer_number (data, "size") / KIB);
    else
        xml_setf (device, "address/@slot", "%" PRIu64, answer_number (data, "slot"));
    xml_setf (device, base, "0x%" PRIx64, answer_number (data, dimm ? "addr" : "memaddr"));
}

//  What the guest can use: devices of virtio-mem count as far as it took them.
static uint64_t plugged_kib (const xml_node_t *domain)
{
    uint64_t kib = qemu_memory_total (domain) + qemu_memory_taken (domain);
    xml_foreach (device, xml_find (domain, "devices"), "memory")
        if (xml_equals (device, "@model", "virtio-mem"))
            kib -= qemu_memory_kib (device, "target/size");
    return kib;
}

uint64_t qemu_memory_balloon (const json_t *answer, const xml_node_t *domain)
{
    const uint64_t kib = answer_number (answer, "actual") / KIB;
    return kib ? kib + qemu_memory_taken (domain) : 0;
}

static int ask_devices (job_t *job, error_t *err)
{
    json_auto_t *list = job_qmp (job, "query-memory-devices", NULL, QMP_MS, err);
    size_t i;
    json_t *item;
    if (!list)
        return -1;
    json_array_foreach (list, i, item) note_device (job, item);
    set_kib (domain_of (job), "memory", qemu_memory_total (domain_of (job)));
    return 0;
}

static void set_current (job_t *job, uint64_t kib)
{
    set_kib (domain_of (job), "currentMemory", kib);
    job->guest->balloon_kib = kib;
}

//  Without a balloon the guest has all that is plugged.
static int ask_current (job_t *job, error_t *err)
{
    xml_node_t *domain = domain_of (job);
    const char *balloon = xml_string (domain, "devices/memballoon/@model");
    if (!balloon || strcmp (balloon, "none") == 0) {
        set_current (job, plugged_kib (domain));
        return 0;
    }
    json_auto_t *answer = job_qmp (job, "query-balloon", NULL, QMP_MS, err);
    if (!answer)
        return -1;
    set_current (job, qemu_memory_balloon (answer, domain));
    return 0;
}

int qemu_memory_ask (job_t *job, error_t *err)
{
    if (!qemu_memory_cells (domain_of (job)))
        return 0;
    return ask_devices (job, err) || ask_current (job, err) ? -1 : 0;
}

int qemu_memory_start (job_t *job, error_t *err)
{
    xml_node_t *domain = domain_of (job);
    if (!xml_first (xml_find (domain, "devices"), "memory"))
        return 0;
    if (ask_devices (job, err))
        return -1;
    const uint64_t plugged = plugged_kib (domain);
    if (qemu_memory_kib (domain, "currentMemory") > plugged)
        set_current (job, plugged);
    return 0;
}

int qemu_memory_intend (job_t *job, const xml_node_t *device, error_t *err)
{
    if (qemu_ram_check_pages ("", domain_of (job), device, err))
        return -1;
    set_kib (domain_of (job), "memory", qemu_memory_total (domain_of (job)));
    return qemu_ram_intend (job, err) || qemu_ram_allow_lock (job, err) ? -1 : 0;
}

//  Updates.

static int request (job_t *job, const char *alias, uint64_t kib, error_t *err)
{
    autofree char *path = text_format ("/machine/peripheral/%s", alias);
    return qemu_tell (job, "qom-set",
                      json_pack ("{s:s, s:s, s:I}", "path", path, "property", "requested-size",
                                 "value", (json_int_t) (kib * KIB)),
                      QMP_MS, err);
}

static int check_target (const xml_node_t *device, const xml_node_t *wanted, error_t *err)
{
    static const char *const kept[] = { "target/size", "target/node", "target/block",
                                        "target/address/@base" };
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        const char *value = xml_string (wanted, kept[i]);
        if (value && !text_equals (value, xml_string (device, kept[i])))
            return error_set (err, ERR_OPERATION_UNSUPPORTED,
                              "not supported: another %s, while the guest runs; only "
                              "target/requested can be changed",
                              kept[i]);
    }
    return 0;
}

//  The change takes over all of the target: what only the running guest has goes with it.
static void keep_live_parts (const xml_node_t *device, xml_node_t *wanted)
{
    static const char *const parts[] = { "current", "address" };
    xml_node_t *target = xml_find (wanted, "target");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const xml_node_t *part = xml_first (xml_find (device, "target"), parts[i]);
        if (part && !xml_first (target, parts[i]))
            xml_add_copy (target, part);
    }
}

int qemu_memory_request (job_t *job, xml_node_t *wanted, error_t *err)
{
    const xml_node_t *device = qemu_alias_find (job->guest->live, qemu_alias (wanted));
    if (!xml_equals (wanted, "@model", "virtio-mem"))
        return error_set (err, ERR_OPERATION_UNSUPPORTED,
                          "not supported: there is nothing of model '%s' that can be changed while "
                          "the guest runs; virtio-mem has <requested>",
                          xml_string (wanted, "@model"));
    if (check_target (device, wanted, err) ||
        request (job, qemu_alias (wanted), qemu_memory_kib (wanted, "target/requested"), err))
        return -1;
    keep_live_parts (device, wanted);
    return 0;
}

int qemu_undo_requested (job_t *job, const char *alias, error_t *err)
{
    const xml_node_t *device = qemu_alias_find (job->guest->live, alias);
    return xml_equals (device, "@model", "virtio-mem")
               ? request (job, alias, qemu_memory_kib (device, "target/requested"), err)
               : 0;
}
