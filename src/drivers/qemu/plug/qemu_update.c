//  qemu_update.c: what can be changed of a device while the guest runs: the medium of a drive, the
//  link of an interface, its limits, its bridge or network, the password of graphics, how much of a
//  memory device the guest is to take. All else has to be as it was.

#include "drivers/device_match.h"
#include "drivers/net/interface_move.h"
#include "drivers/qemu/command/qemu_alias.h"
#include "drivers/qemu/command/qemu_complete.h"
#include "drivers/qemu/plug/qemu_kinds.h"
#include "drivers/qemu/plug/qemu_memory_live.h"
#include "drivers/qemu/plug/qemu_plug.h"
#include "drivers/qemu/plug/qemu_plug_parts.h"
#include "drivers/qemu/qemu_files.h"
#include "drivers/qemu/qemu_live.h"

#include <string.h>

//  One change. Its undo brings back what the live document says, which is as before until it is
//  done.
typedef struct {
    const char *element;
    const char *type;     //  its @type; NULL: any
    const char *paths[4]; //  what may be others, NULL at the end
    const char *undo;     //  NULL: the change pushes it
    int (*change) (job_t *job, xml_node_t *wanted, bool force, error_t *err);
} update_t;

static bool has_other (const xml_node_t *a, const xml_node_t *b, const char *part)
{
    const xml_node_t *one = xml_first (a, part), *other = xml_first (b, part);
    return one && other ? !device_has_all (one, other) || !device_has_all (other, one)
                        : one || other;
}

//  What its network granted is part of the live document's source.
static void keep_source (xml_node_t *wanted, const xml_node_t *now)
{
    xml_node_t *source = xml_first (wanted, "source");
    if (source)
        xml_remove (source);
    if (xml_first (now, "source"))
        xml_add_copy (wanted, xml_first (now, "source"));
}

//  To QEMU it is a device of the host, which has no link; nothing of it can be another one.
static bool is_given (const xml_node_t *interface)
{
    return xml_equals (interface, "@type", "hostdev");
}

static int change_interface (job_t *job, xml_node_t *wanted, bool force, error_t *err)
{
    (void) force;
    const xml_node_t *now = qemu_alias_find (job->guest->live, qemu_alias (wanted));
    if (is_given (now))
        return 0;
    bool limits = has_other (now, wanted, "bandwidth");
    if (has_other (now, wanted, "link") && qemu_live_set_link (job, wanted, err))
        return -1;
    if (interface_moves (now, wanted))
        return interface_move (job, now, wanted, err);
    keep_source (wanted, now);
    return limits ? interface_move_limits (job, wanted, err) : 0;
}

static int change_graphics (job_t *job, xml_node_t *graphics, bool force, error_t *err)
{
    (void) force;
    return qemu_live_set_password (job, graphics, err);
}

static int change_memory (job_t *job, xml_node_t *memory, bool force, error_t *err)
{
    (void) force;
    return qemu_memory_request (job, memory, err);
}

static const update_t updates[] = {
    { "disk", NULL, { "source", "driver", "backingStore", "@type" }, NULL, qemu_medium_change },
    { "interface",
      "bridge",
      { "link", "source", "bandwidth", "@type" },
      "qemu.link",
      change_interface },
    { "interface",
      "network",
      { "link", "source", "bandwidth", "@type" },
      "qemu.link",
      change_interface },
    { "interface", "hostdev", { NULL }, "qemu.link", change_interface },
    { "interface", "ethernet", { "link", "bandwidth" }, "qemu.link", change_interface },
    { "interface", "direct", { "link", "bandwidth" }, "qemu.link", change_interface },
    { "interface", NULL, { "link" }, "qemu.link", change_interface },
    { "memory", NULL, { "target" }, "qemu.requested", change_memory },
    { "graphics", "vnc", { "@passwd", "@passwdValidTo" }, "qemu.password", change_graphics },
};

static const update_t *update_of (const xml_node_t *device)
{
    for (size_t i = 0; i < sizeof updates / sizeof *updates; i++)
        if (xml_is (device, updates[i].element) &&
            (!updates[i].type || xml_equals (device, "@type", updates[i].type)))
            return &updates[i];
    return NULL;
}

//  What is another one.

static bool is_allowed (const update_t *update, const char *path)
{
    for (size_t i = 0; i < 4 && update->paths[i]; i++)
        if (strcmp (update->paths[i], path) == 0)
            return true;
    return false;
}

static char *attribute_that_differs (const update_t *update, const xml_node_t *a,
                                     const xml_node_t *b)
{
    const char *name;
    for (size_t i = 0; (name = xml_attribute (a, i)); i++) {
        autofree char *path = text_format ("@%s", name);
        if (!text_equals (xml_string (a, path), xml_string (b, path)) &&
            !(update && is_allowed (update, path)))
            return take (&path);
    }
    return NULL;
}

static bool has_child_like (const xml_node_t *node, const xml_node_t *child)
{
    xml_foreach (other, node, xml_name (child))
        if (device_has_all (other, child) && device_has_all (child, other))
            return true;
    return false;
}

//  A part of A that B has not; NULL: none. The caller frees it.
static char *part_that_differs (const update_t *update, const xml_node_t *a, const xml_node_t *b)
{
    char *attribute = attribute_that_differs (update, a, b);
    if (attribute)
        return attribute;
    xml_foreach (child, a, NULL)
        if (!is_allowed (update, xml_name (child)) && !has_child_like (b, child))
            return text_copy (xml_name (child));
    return NULL;
}

static int check_same (const update_t *update, const xml_node_t *now, const xml_node_t *wanted,
                       error_t *err)
{
    autofree char *part = part_that_differs (update, now, wanted);
    autofree char *other = part ? NULL : part_that_differs (update, wanted, now);
    if (!part && !other)
        return 0;
    return error_set (err, ERR_OPERATION_UNSUPPORTED,
                      "not supported: another %s, while the guest runs; change the definition "
                      "(--config), for its next start",
                      part ? part : other);
}

//  The wanted device among the others of the guest.

//  What the user did not write stays as it is.
static void keep_parts (xml_node_t *put, const xml_node_t *device)
{
    static const char *const parts[] = { "mac", "model", "target", "listen", "address", "alias" };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!xml_first (put, parts[i]) && xml_first (device, parts[i]))
            xml_add_copy (put, xml_first (device, parts[i]));
}

//  Of graphics what the start decided, unless the user says otherwise.
static void keep_port (xml_node_t *put, const xml_node_t *device)
{
    static const char *const attributes[] = { "@port", "@listen", "@socket", "@autoport" };
    if (xml_equals (put, "@port", "-1"))
        xml_remove_path (put, "@port");
    for (size_t i = 0; xml_is (put, "graphics") && i < sizeof attributes / sizeof *attributes; i++)
        if (!xml_string (put, attributes[i]) && xml_string (device, attributes[i]))
            xml_set (put, attributes[i], xml_string (device, attributes[i]));
}

static xml_node_t *put_instead (xml_node_t *device, const xml_t *wanted)
{
    xml_node_t *put = xml_copy_before (device, xml_root (wanted));
    keep_parts (put, device);
    keep_port (put, device);
    xml_remove (device);
    return put;
}

static xml_node_t *nth (const xml_t *doc, size_t n)
{
    xml_node_t *device = xml_first (xml_find (xml_root (doc), "devices"), NULL);
    while (n-- > 0)
        device = xml_next (device, NULL);
    return device;
}

static size_t place_of (const xml_t *doc, const xml_node_t *device)
{
    size_t n = 0;
    while (nth (doc, n) != device)
        n++;
    return n;
}

//  Completed, the two differ only in what the user wants to be another one.
static int compare (job_t *job, xml_node_t *device, const xml_t *wanted, const update_t *update,
                    xml_t **doc_p, xml_node_t **completed, error_t *err)
{
    size_t place = place_of (job->guest->live, device);
    auto(xml_t) now = xml_copy (job->guest->live);
    xml_node_t *before = nth (now, place);
    *doc_p = xml_copy (job->guest->live);
    *completed = put_instead (nth (*doc_p, place), wanted);
    return qemu_complete (job, now, err) || qemu_complete (job, *doc_p, err) ||
                   check_same (update, before, *completed, err)
               ? -1
               : 0;
}

//  The parts that were changed, in the live document.
static void take_parts (const update_t *update, xml_node_t *device, const xml_node_t *completed)
{
    for (size_t i = 0; i < 4 && update->paths[i]; i++) {
        const char *path = update->paths[i];
        const xml_node_t *part = path[0] == '@' ? NULL : xml_first (completed, path);
        const char *value = path[0] == '@' ? xml_string (completed, path) : NULL;
        xml_node_t *old = path[0] == '@' ? NULL : xml_first (device, path);
        if (value)
            xml_set (device, path, value);
        if (part && old)
            xml_copy_before (old, part);
        else if (part)
            xml_copy_before (xml_first (device, NULL), part);
        if (old)
            xml_remove (old);
        if (path[0] == '@' && !value)
            xml_remove_path (device, path);
    }
}

static int update_device (job_t *job, xml_node_t *device, const xml_t *wanted, bool force,
                          error_t *err)
{
    const update_t *update = update_of (device);
    auto(xml_t) doc = NULL;
    xml_node_t *completed = NULL;
    if (!update)
        return error_set (
            err, ERR_OPERATION_UNSUPPORTED,
            "not supported: there is nothing of it that can be changed while the guest "
            "runs; change the definition (--config), for its next start");
    const char *undo = xml_is (device, "graphics") ? "" : qemu_alias (device);
    if (compare (job, device, wanted, update, &doc, &completed, err))
        return -1;
    xml_set (completed, "alias/@name", qemu_alias (device));
    if ((update->undo && (job_undo (job, update->undo, undo, err) || job_record (job, err))) ||
        update->change (job, completed, force, err))
        return -1;
    take_parts (update, device, completed);
    qemu_give_unused_back (job);
    return 0;
}

//  The guest may let go of a device whenever it likes; one without an alias is QEMU's own part.
static bool is_gone (job_t *job, const char *alias)
{
    bool there = true;
    error_t ignored = { 0 };
    return *alias && qemu_plug_is_there (job, alias, &there, &ignored) == 0 && !there;
}

int qemu_update (job_t *job, xml_node_t *device, const xml_t *wanted, bool force, error_t *err)
{
    char name[128];
    qemu_device_name (device, name);
    if (update_device (job, device, wanted, force, err) == 0)
        return 0;
    if (err->code == ERR_OPERATION_FAILED && !qemu_kind_of (device)->refused &&
        is_gone (job, qemu_alias (device)))
        error_set (err, ERR_DEVICE_MISSING, "the guest has just let go of it");
    return error_prefix (err, "update %s of domain '%s'", name, job->guest->name);
}

//  Undo: as the live document has it. What is gone is taken out of that, with all that it had, by
//  whoever hears of it.

int qemu_undo_medium (job_t *job, const char *argument, error_t *err)
{
    const bool open = text_starts (argument, MEDIUM_OPEN);
    const char *alias = argument + (open ? strlen (MEDIUM_OPEN) : 0);
    xml_node_t *disk = qemu_alias_find (job->guest->live, alias);
    return disk && !qemu_has_ended (job) && !is_gone (job, alias)
               ? qemu_medium_restore (job, disk, open, err)
               : 0;
}

int qemu_undo_link (job_t *job, const char *alias, error_t *err)
{
    xml_node_t *interface = qemu_alias_find (job->guest->live, alias);
    if (!interface || is_given (interface) || qemu_has_ended (job) || is_gone (job, alias))
        return 0;
    return qemu_live_set_link (job, interface, err) || interface_move_back (job, interface, err)
               ? -1
               : 0;
}

int qemu_undo_password (job_t *job, const char *alias, error_t *err)
{
    const xml_node_t *graphics = xml_find (xml_root (job->guest->live), "devices/graphics");
    (void) alias;
    return graphics && !qemu_has_ended (job) ? qemu_live_set_password (job, graphics, err) : 0;
}
