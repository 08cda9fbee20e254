//  qemu_iothreads.c: see qemu_iothreads.h. Facts: QEMU's QMP reference (object-add, object-del,
//  qom-set), and 'qemu-system-x86_64 -object iothread,help'.

#include "drivers/qemu/qemu_iothreads.h"

#include "drivers/iothreads.h"
#include "drivers/qemu/command/qemu_command.h"
#include "util/text.h"

#define QMP_MS 10000

static json_t *name_of (int id)
{
    autofree char *name = text_format ("iothread%d", id);
    return json_pack ("{s:s}", "id", name);
}

static json_t *property (const char *path, const char *name, json_t *value)
{
    return json_pack ("{s:s, s:s, s:o*}", "path", path, "property", name, "value", value);
}

static int add_setting (job_t *job, int id, const iothread_setting_t *setting, uint64_t value,
                        qemu_steps_t *steps, error_t *err)
{
    autofree char *path = text_format ("/objects/iothread%d", id);
    json_t *now = job_qmp (job, "qom-get", property (path, setting->property, NULL), QMP_MS, err);
    if (!now)
        return -1;
    qemu_steps_add (steps, "qom-set",
                    property (path, setting->property, json_integer ((json_int_t) value)),
                    "qom-set", property (path, setting->property, now));
    return 0;
}

//  A pool's least and most are set one by one, and are never in each other's way.
static int add_settings (job_t *job, int id, const xml_node_t *before, const xml_node_t *after,
                         qemu_steps_t *steps, error_t *err)
{
    uint64_t old_most = 64, most = 64; //  QEMU's own
    if (xml_u64 (before, "@thread_pool_max", &old_most, err) ||
        xml_u64 (after, "@thread_pool_max", &most, err))
        return -1;
    int count = 0;
    while (iothread_settings[count].path)
        count++;
    for (int i = 0; i < count; i++) {
        const iothread_setting_t *setting =
            &iothread_settings[most >= old_most ? i : count - 1 - i];
        uint64_t value = 0;
        if (text_equals (before ? xml_string (before, setting->path) : NULL,
                         xml_string (after, setting->path)))
            continue;
        if (xml_u64 (after, setting->path, &value, err) ||
            add_setting (job, id, setting, value, steps, err))
            return -1;
    }
    return 0;
}

int qemu_iothreads_steps (job_t *job, const xml_node_t *before, qemu_steps_t *steps, error_t *err)
{
    const xml_node_t *after = xml_root (job->guest->live);
    for (int id = 0; (id = iothreads_next (before, id));)
        if (!iothreads_has (after, id))
            qemu_steps_add (steps, "object-del", name_of (id), "object-add",
                            qemu_command_iothread (before, id));
    for (int id = 0; (id = iothreads_next (after, id));) {
        const xml_node_t *now = iothreads_find (after, id);
        if (!iothreads_has (before, id))
            qemu_steps_add (steps, "object-add", qemu_command_iothread (after, id), "object-del",
                            name_of (id));
        else if (now && add_settings (job, id, iothreads_find (before, id), now, steps, err))
            return -1;
    }
    return 0;
}
