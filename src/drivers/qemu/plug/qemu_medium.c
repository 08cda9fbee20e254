//  qemu_medium.c: the medium of a drive. The new one is opened, to see that it can be; the tray
//  opens, which a guest that has it in use may not allow; the old medium goes, with its nodes; the
//  new one comes; the tray closes.

#include "drivers/qemu/command/qemu_alias.h"
#include "drivers/qemu/command/qemu_command.h"
#include "drivers/qemu/plug/qemu_plug.h"
#include "drivers/qemu/plug/qemu_plug_parts.h"
#include "drivers/qemu/qemu_answer.h"
#include "drivers/qemu/qemu_files.h"
#include "drivers/qemu/storage/qemu_block.h"

#include <string.h>

#define QMP_MS 10000
//  For a guest that is asked to unlock its tray.
#define TRAY_MS 5000
#define WAIT_MS 50
#define TRAY_TRIES 10

static int tell (job_t *job, const char *execute, const qemu_disk_t *disk, error_t *err)
{
    return qemu_tell (job, execute, json_pack ("{s:s}", "id", disk->qdev), QMP_MS, err);
}

//  A floppy drive has no tray: to QEMU it is open.
static int is_open (job_t *job, const qemu_disk_t *disk, bool *open, error_t *err)
{
    json_auto_t *list = job_qmp (job, "query-block", NULL, QMP_MS, err);
    const json_t *drive = answer_entry (list, "qdev", disk->qdev);
    const json_t *tray = json_object_get (drive, "tray_open");
    *open = !tray || json_is_true (tray);
    return list ? 0 : -1;
}

static int open_tray (job_t *job, const qemu_disk_t *disk, bool force, error_t *err)
{
    bool open = false;
    int64_t until = job_now (job) + TRAY_MS;
    if (qemu_tell (job, "blockdev-open-tray",
                   json_pack ("{s:s, s:b}", "id", disk->qdev, "force", force), QMP_MS, err))
        return -1;
    for (;;) {
        if (is_open (job, disk, &open, err))
            return -1;
        if (open)
            return 0;
        if (job_now (job) >= until)
            return error_set (err, ERR_OPERATION_FAILED,
                              "the guest has locked its tray, and does not open it; --force does");
        if (job_wait (job, WAIT_MS, err))
            return -1;
    }
}

//  A guest that looks into its drive closes the tray, of an empty one too, whenever it likes: it is
//  opened again.
static int tell_open (job_t *job, const qemu_disk_t *disk, const char *execute, const char *node,
                      bool force, error_t *err)
{
    for (int left = TRAY_TRIES;; left--) {
        bool open = false;
        error_t why = { 0 };
        json_t *arguments = json_pack ("{s:s, s:s*}", "id", disk->qdev, "node-name", node);
        if (qemu_tell (job, execute, arguments, QMP_MS, &why) == 0)
            return 0;
        bool may_be_closed = why.code == ERR_OPERATION_FAILED && left > 0;
        if (may_be_closed && is_open (job, disk, &open, err))
            return -1;
        if (!may_be_closed || open) {
            *err = why;
            return -1;
        }
        if (open_tray (job, disk, force, err))
            return -1;
    }
}

//  The options of its nodes alone.
static int add_nodes (job_t *job, const xml_node_t *drive, error_t *err)
{
    const guest_t *guest = job->guest;
    autofree char *text =
        job_emulator (job, xml_string (xml_root (guest->live), "devices/emulator"), err);
    auto(qemu_caps_t) caps = text ? qemu_caps_parse (text, err) : NULL;
    auto(strings_t) all =
        caps ? qemu_command_device (guest->live, guest->record, caps, drive, err) : NULL;
    auto(strings_t) nodes = strings_new ();
    for (size_t i = 0; all && i + 1 < all->count; i += 2)
        if (strcmp (all->items[i], "-blockdev") == 0) {
            strings_add (nodes, all->items[i]);
            strings_add (nodes, all->items[i + 1]);
        }
    return all ? qemu_plug_options (job, nodes, err) : -1;
}

static int insert (job_t *job, const qemu_disk_t *disk, const xml_node_t *drive, bool force,
                   error_t *err)
{
    autofree char *node = text_format ("disk-%s", disk->target);
    if (!qemu_block_path (drive))
        return 0;
    return add_nodes (job, drive, err) ||
                   tell_open (job, disk, "blockdev-insert-medium", node, force, err)
               ? -1
               : 0;
}

static const char *medium_in (const qemu_disk_t *disk)
{
    return disk->count > 0 ? disk->chain[0].path : NULL;
}

//  Of the new medium, while the old one is in.
static char *trial_node (const qemu_disk_t *disk)
{
    return text_format ("disk-%s-try", disk->target);
}

//  What can't be opened is known before the guest sees the tray move, and before the old medium,
//  whose file may have gone meanwhile, is let go. WANTED says what is below it, or the image does.
//  QEMU may keep others, itself too, from the one that is in.
static int try_open (job_t *job, const qemu_disk_t *disk, const xml_node_t *wanted, error_t *err)
{
    autofree char *name = trial_node (disk);
    const qemu_node_t node = { .node = name,
                               .path = qemu_block_path (wanted),
                               .format = qemu_block_format (wanted),
                               .backing = xml_find (wanted, "backingStore") ? "" : NULL,
                               .block = xml_equals (wanted, "@type", "block"),
                               .read_only = true };
    if (!node.path || text_equals (medium_in (disk), node.path))
        return 0;
    if (job_undo (job, "qemu.node", name, err) || job_record (job, err))
        return -1;
    return qemu_block_add (job, wanted, &node, err) || qemu_block_remove (job, name, err) ? -1 : 0;
}

static int set_medium (job_t *job, const qemu_disk_t *disk, const xml_node_t *drive, bool force,
                       error_t *err)
{
    bool empty = !*disk->root;
    bool failed = open_tray (job, disk, force, err) ||
                  (!empty && tell_open (job, disk, "blockdev-remove-medium", NULL, force, err)) ||
                  qemu_plug_drop_backends (job, drive, err) ||
                  insert (job, disk, drive, force, err);
    return failed ? -1 : 0;
}

//  A tray that the guest has open is open afterwards if nothing comes of it.
static int push_undo (job_t *job, const qemu_disk_t *disk, const xml_node_t *drive, error_t *err)
{
    bool open = false;
    if (is_open (job, disk, &open, err))
        return -1;
    autofree char *argument = text_format ("%s%s", open ? MEDIUM_OPEN : "", qemu_alias (drive));
    return job_undo (job, "qemu.medium", argument, err) || job_record (job, err) ? -1 : 0;
}

static int check (const job_t *job, const xml_node_t *drive, error_t *err)
{
    const char *target = xml_string (drive, "target/@dev");
    if (xml_equals (drive, "@device", "disk"))
        return error_set (err, ERR_OPERATION_UNSUPPORTED,
                          "not supported: another source of a disk, while the guest runs; only "
                          "those of cdrom and floppy drives can be changed");
    return qemu_block_check_idle (job->guest, target, "change the medium", err);
}

int qemu_medium_change (job_t *job, xml_node_t *wanted, bool force, error_t *err)
{
    if (check (job, wanted, err) || qemu_take_device (job, wanted, err))
        return -1;
    auto(qemu_disk_t) disk = qemu_block_find (job, xml_string (wanted, "target/@dev"), err);
    bool failed =
        !disk || try_open (job, disk, wanted, err) || push_undo (job, disk, wanted, err) ||
        set_medium (job, disk, wanted, force, err) || tell (job, "blockdev-close-tray", disk, err);
    return failed ? -1 : 0;
}

//  Nothing may have happened yet: a guest is not to see a change of media then.
int qemu_medium_restore (job_t *job, const xml_node_t *drive, bool open, error_t *err)
{
    auto(qemu_disk_t) disk = qemu_block_find (job, xml_string (drive, "target/@dev"), err);
    if (!disk)
        return -1;
    const bool is_in = text_equals (medium_in (disk), qemu_block_path (drive));
    if (!is_in && set_medium (job, disk, drive, true, err))
        return -1;
    return open ? 0 : tell (job, "blockdev-close-tray", disk, err);
}
