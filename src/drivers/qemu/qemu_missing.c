//  qemu_missing.c: see qemu_missing.h.

#include "drivers/qemu/qemu_missing.h"

#include "drivers/qemu/command/qemu_alias.h"
#include "drivers/qemu/storage/qemu_block_node.h"
#include "util/text.h"

#include <errno.h>
#include <unistd.h>

//  That it can't be looked at does not mean that it is not there.
static bool is_missing (const char *path)
{
    return access (path, F_OK) && (errno == ENOENT || errno == ENOTDIR);
}

//  "requisite": there at boot, but not wherever the guest goes later.
static bool may_miss (const xml_node_t *disk, bool goes_on)
{
    bool drive = !xml_equals (disk, "@device", "disk");
    if (goes_on && !drive)
        return false; //  the guest's state has it
    return xml_equals (disk, "source/@startupPolicy", "optional") ||
           (goes_on && xml_equals (disk, "source/@startupPolicy", "requisite"));
}

static void drop (job_t *job, xml_node_t *disk, const char *path)
{
    bool drive = !xml_equals (disk, "@device", "disk");
    autofree char *news = text_format ("%s %s", qemu_alias (disk), path);
    job_log (job, "domain '%s': disk '%s': its source '%s' is missing; it starts without %s",
             job->guest->name, xml_string (disk, "target/@dev"), path, drive ? "it" : "the disk");
    guest_tell (job->guest, drive ? "emptied" : "dropped", news);
    if (drive)
        xml_remove_path (disk, "source");
    else
        xml_remove (disk);
}

void qemu_drop_missing (job_t *job, bool goes_on)
{
    xml_node_t *next;
    xml_node_t *devices = xml_find (xml_root (job->guest->live), "devices");
    for (xml_node_t *disk = xml_first (devices, "disk"); disk; disk = next) {
        next = xml_next (disk, "disk");
        autofree char *path = text_copy (qemu_block_path (disk) ? qemu_block_path (disk) : "");
        if (*path && may_miss (disk, goes_on) && is_missing (path))
            drop (job, disk, path);
    }
}
