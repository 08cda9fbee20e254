//  qemu_block_measure.c: how large disks are, and which of them failed. Of a guest that runs QEMU
//  knows; of one that does not the images say it themselves. (QEMU's QMP reference: query-block,
//  BlockDeviceIoStatus.)

#include "drivers/qemu/qemu_answer.h"
#include "drivers/qemu/storage/qemu_block_job.h"
#include "drivers/qemu/storage/qemu_img.h"
#include "drivers/state.h"
#include "util/text.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define QMP_MS 10000

//  QEMU's word, and libvirt's tools'.
static const char *const errors[][2] = { { "nospace", "no space" },
                                         { "failed", "unspecified error" } };

//  It stops the guest. QEMU goes on to say so when the guest has gone on, and all is well.
static const char *error_of (const guest_t *guest, const json_t *devices, const qemu_disk_t *disk)
{
    if (guest->status.state != STATE_PAUSED || guest->status.reason != PAUSED_IOERROR)
        return "";
    const char *status =
        disk->qdev ? answer_string (answer_entry (devices, "qdev", disk->qdev), "io-status") : "";
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (strcmp (errors[i][0], status) == 0)
            return errors[i][1];
    return "";
}

static void set_bytes (json_t *row, const char *key, uint64_t bytes)
{
    json_object_set_new (row, key, json_integer ((json_int_t) bytes));
}

//  What it takes on the host, which is less than its size if it has holes.
static int add_file (json_t *row, const char *path, error_t *err)
{
    struct stat status;
    autoclose int fd = open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    off_t end = fd < 0 || fstat (fd, &status) ? -1 : lseek (fd, 0, SEEK_END);
    if (end < 0)
        return error_errno (err, ERR_SYSTEM_ERROR, "find out the size of '%s'", path);
    bool device = S_ISBLK (status.st_mode);
    set_bytes (row, "allocation", device ? (uint64_t) end : (uint64_t) status.st_blocks * 512);
    set_bytes (row, "physical", (uint64_t) end);
    return 0;
}

static json_t *row_of (const xml_node_t *disk, const char *path)
{
    json_t *row = json_pack ("{s:s}", "device", xml_string (disk, "target/@dev"));
    if (path)
        json_object_set_new (row, "path", json_string (path));
    return row;
}

static int add_running (job_t *job, const xml_node_t *element, const json_t *devices, json_t *list,
                        error_t *err)
{
    auto(qemu_disk_t) disk = qemu_block_find (job, xml_string (element, "target/@dev"), err);
    if (!disk)
        return -1;
    const char *path = disk->count > 0 ? disk->chain[0].path : NULL;
    json_auto_t *row = row_of (element, path);
    json_object_set_new (row, "error", json_string (error_of (job->guest, devices, disk)));
    if (path) {
        set_bytes (row, "capacity", disk->chain[0].capacity);
        if (add_file (row, path, err))
            return -1;
    }
    json_array_append (list, row);
    return 0;
}

static int add_resting (job_t *job, const xml_node_t *element, json_t *list, error_t *err)
{
    uint64_t capacity;
    const char *path = qemu_block_path (element);
    json_auto_t *row = row_of (element, path);
    json_object_set_new (row, "error", json_string (""));
    if (path) {
        if (qemu_img_capacity (job, path, qemu_block_format (element), &capacity, err))
            return -1;
        set_bytes (row, "capacity", capacity);
        if (add_file (row, path, err))
            return -1;
    }
    json_array_append (list, row);
    return 0;
}

static int check_name (const job_t *job, const xml_t *document, const char *name, error_t *err)
{
    if (!name || qemu_block_element (document, name))
        return 0;
    return error_set (err, ERR_INVALID_ARG,
                      "domain '%s' has no disk '%s'; 'troupe domblklist %s' shows them",
                      job->guest->name, name, job->guest->name);
}

int qemu_block_measure (job_t *job, const char *name, json_t *list, error_t *err)
{
    const guest_t *guest = job->guest;
    const xml_t *document = guest->live ? guest->live : guest->definition;
    const xml_node_t *wanted = name ? qemu_block_element (document, name) : NULL;
    if (check_name (job, document, name, err))
        return -1;
    json_auto_t *devices = guest->live ? job_qmp (job, "query-block", NULL, QMP_MS, err) : NULL;
    if (guest->live && !devices)
        return error_prefix (err, "ask about the disks of domain '%s'", guest->name);
    xml_foreach (disk, xml_find (xml_root (document), "devices"), "disk") {
        if (wanted && wanted != disk)
            continue;
        if (guest->live ? add_running (job, disk, devices, list, err)
                        : add_resting (job, disk, list, err))
            return error_prefix (err, "disk '%s' of domain '%s'", xml_string (disk, "target/@dev"),
                                 guest->name);
    }
    return 0;
}
