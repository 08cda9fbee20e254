//  qemu_plug_drop.c: what is left behind a device that is gone; and what the record says of those
//  that come and go.

#include "drivers/qemu/command/qemu_alias.h"
#include "drivers/qemu/command/qemu_command.h"
#include "drivers/qemu/plug/qemu_kinds.h"
#include "drivers/qemu/plug/qemu_plug_parts.h"
#include "drivers/qemu/qemu_answer.h"
#include "drivers/qemu/qemu_interface.h"
#include "drivers/qemu/qemu_vsock.h"
#include "drivers/qemu/storage/qemu_block.h"

#include <string.h>

#define QMP_MS 10000
#define LETTING_GO_MS 5000
#define WAIT_MS 10

static strings_t *nodes_of (job_t *job, const char *target, error_t *err)
{
    json_auto_t *nodes =
        job_qmp (job, "query-named-block-nodes", json_pack ("{s:b}", "flat", 1), QMP_MS, err);
    if (!nodes)
        return NULL;
    strings_t *names = strings_new ();
    size_t i;
    json_t *item;
    json_array_foreach (nodes, i, item)
    {
        const char *name = answer_string (item, "node-name");
        if (qemu_block_is_node_of (name, target))
            strings_add (names, name);
    }
    return names;
}

//  Those that others stand on go after them: as long as one went, the rest is tried again.
static int drop_nodes (job_t *job, const xml_node_t *disk, error_t *err)
{
    const char *target = xml_string (disk, "target/@dev");
    auto(strings_t) names = nodes_of (job, target, err);
    size_t left = names ? names->count : 0;
    if (!names)
        return -1;
    for (size_t before = left + 1; left > 0 && left < before;) {
        before = left;
        left = 0;
        for (size_t i = 0; i < names->count; i++)
            left += qemu_block_remove (job, names->items[i], err) != 0;
    }
    return left > 0 ? -1 : 0;
}

static int drop_named (job_t *job, const char *execute, const char *prefix, const char *alias,
                       error_t *err)
{
    autofree char *id = text_format ("%s%s", prefix, alias);
    return qemu_tell_away (job, execute, json_pack ("{s:s}", "id", id), err);
}

static int drop_links (job_t *job, const xml_node_t *interface, error_t *err)
{
    const xml_node_t *link = interface_link (job->guest->record, interface);
    return link ? qemu_interface_take_back (job, link, err) : 0;
}

static int drop_node (job_t *job, const char *alias, error_t *err)
{
    autofree char *node = qemu_hostdev_node (alias);
    return qemu_block_remove (job, node, err);
}

//  QEMU frees memory some time after it has forgotten whose it was, and sends what there is to
//  whoever takes the guest over: that one would not know it.
static int check_freed (job_t *job, const char *alias, error_t *err)
{
    json_auto_t *blocks =
        job_qmp (job, "human-monitor-command", json_pack ("{s:s}", "command-line", "info ramblock"),
                 QMP_MS, err);
    autofree char *name = text_format ("/obj%s ", alias);
    if (!blocks)
        return -1;
    if (json_is_string (blocks) && strstr (json_string_value (blocks), name))
        return error_set (err, ERR_OPERATION_FAILED, "QEMU still has the memory of '%s'", alias);
    return 0;
}

static int drop_object (job_t *job, const char *alias, error_t *err)
{
    return drop_named (job, "object-del", "obj", alias, err) || check_freed (job, alias, err) ? -1
                                                                                              : 0;
}

static int drop (job_t *job, const xml_node_t *device, error_t *err)
{
    const char *alias = qemu_alias (device);
    unsigned backends = qemu_kind_of (device)->backends;
    bool failed =
        ((backends & BACKEND_NODES) && drop_nodes (job, device, err)) ||
        ((backends & BACKEND_NODE) && drop_node (job, alias, err)) ||
        ((backends & BACKEND_NETDEV) &&
         (drop_named (job, "netdev_del", "host", alias, err) || drop_links (job, device, err))) ||
        ((backends & BACKEND_VSOCK) && qemu_vsock_take_back (job, err)) ||
        ((backends & BACKEND_CHARDEV) && drop_named (job, "chardev-remove", "char", alias, err)) ||
        ((backends & BACKEND_OBJECT) && drop_object (job, alias, err));
    return failed ? -1 : 0;
}

//  A device that is gone may still be on its way out, and so use what is behind it.
int qemu_plug_drop_backends (job_t *job, const xml_node_t *device, error_t *err)
{
    error_t ignored = { 0 };
    int64_t until = job_now (job) + LETTING_GO_MS;
    while (drop (job, device, err))
        if (err->code != ERR_OPERATION_FAILED || job_now (job) >= until ||
            job_wait (job, WAIT_MS, &ignored))
            return error_prefix (err, "take away what is behind '%s'", qemu_alias (device));
    return 0;
}

//  The record.

xml_node_t *qemu_plug_entry (const job_t *job, const char *what, const char *alias)
{
    xml_foreach (entry, job->guest->record ? xml_root (job->guest->record) : NULL, what)
        if (xml_equals (entry, "@alias", alias))
            return entry;
    return NULL;
}

//  An entry of this name is of a job that failed.
xml_node_t *qemu_plug_begin (job_t *job, const char *what, const char *alias, const xml_t *planned)
{
    xml_node_t *entry = qemu_plug_entry (job, what, alias);
    if (entry)
        xml_remove (entry);
    entry = xml_add (xml_root (job->guest->record), what);
    xml_set (entry, "@alias", alias);
    if (planned)
        xml_add_copy (xml_add (entry, "planned"), xml_root (planned));
    return entry;
}

void qemu_plug_finish (job_t *job, const xml_node_t *entry)
{
    const xml_node_t *planned = xml_find (entry, "planned/domain");
    job->finished = true;
    if (!planned || !job->guest->definition)
        return;
    xml_destroy (&job->guest->definition);
    job->guest->definition = xml_from_node (planned);
    job->guest->redefined = true;
}
