//  qemu_iotune.c: see qemu_iotune.h. Facts: QEMU's QMP reference (block_set_io_throttle).

#include "drivers/qemu/qemu_iotune.h"

#include "drivers/iotune.h"
#include "drivers/qemu/command/qemu_alias.h"
#include "drivers/qemu/qemu_answer.h"
#include "util/text.h"

#define QMP_MS 10000

//  Of virtio devices another one inside has the disk.
static char *device_of (const xml_node_t *disk)
{
    const char *alias = qemu_alias (disk);
    return xml_equals (disk, "target/@bus", "virtio")
               ? text_format ("/machine/peripheral/%s/virtio-backend", alias)
               : text_copy (alias);
}

//  Without limits there is no group. Those that are not set have to be named, too: else QEMU keeps
//  the old ones.
static json_t *limits_of (const xml_node_t *disk)
{
    autofree char *device = device_of (disk);
    const char *group = iotune_group (disk);
    json_t *limits =
        json_pack ("{s:s, s:s}", "id", device, "group", group ? group : qemu_alias (disk));
    for (const iotune_t *limit = iotunes; limit->field; limit++) {
        uint64_t value = iotune_get (disk, limit);
        if (value > 0 || !text_ends (limit->qemu, "_length"))
            json_object_set_new (limits, limit->qemu, json_integer ((json_int_t) value));
    }
    return limits;
}

static char *text_of (const xml_node_t *disk)
{
    const xml_node_t *limits = xml_find (disk, "iotune");
    return limits ? xml_node_text (limits) : NULL;
}

void qemu_iotune_steps (const job_t *job, const xml_node_t *before, qemu_steps_t *steps)
{
    error_t ignored;
    xml_foreach (disk, xml_find (xml_root (job->guest->live), "devices"), "disk") {
        const xml_node_t *old = iotune_disk (before, xml_string (disk, "target/@dev"), &ignored);
        autofree char *was = old ? text_of (old) : NULL, *is = text_of (disk);
        if (old && !text_equals (was, is))
            qemu_steps_add (steps, "block_set_io_throttle", limits_of (disk),
                            "block_set_io_throttle", limits_of (old));
    }
}

int qemu_iotune_apply (job_t *job, const xml_node_t *disk, error_t *err)
{
    if (!xml_find (disk, "iotune") ||
        qemu_tell (job, "block_set_io_throttle", limits_of (disk), QMP_MS, err) == 0)
        return 0;
    return error_prefix (err, "limit disk '%s'", xml_string (disk, "target/@dev"));
}

int qemu_iotune_apply_all (job_t *job, error_t *err)
{
    xml_foreach (disk, xml_find (xml_root (job->guest->live), "devices"), "disk")
        if (qemu_iotune_apply (job, disk, err))
            return -1;
    return 0;
}
