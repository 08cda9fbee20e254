//  qemu_screenshot.c: what a guest's screen shows. QEMU writes it through a descriptor: its user
//  may write nowhere.

#include "drivers/qemu/command/qemu_alias.h"
#include "drivers/qemu/memory/qemu_save.h"
#include "util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define QMP_MS 10000
#define DUMP_MS 30000
//  Always the same: QEMU never forgets a set that was used, so one each time would pile up.
#define FDSET_ID 1000
#define FDSET_PATH "/dev/fdset/1000"

//  QEMU 7.1 can do PNG, if it was built with its library; all can do PPM.
static const struct {
    const char *format, *mime;
} formats[] = {
    { "png", "image/png" },
    { NULL, "image/x-portable-pixmap" },
};

static int check_device (const guest_t *guest, const char *device, unsigned head, error_t *err)
{
    const xml_node_t *devices = guest->live ? xml_find (xml_root (guest->live), "devices") : NULL;
    if (!devices)
        return error_set (err, ERR_OPERATION_INVALID, "it is not running");
    if (!device && head > 0)
        return error_set (err, ERR_INVALID_ARG,
                          "head %u is one of a video device, and none is named", head);
    if (!device)
        return 0;
    xml_foreach (video, devices, "video")
        if (text_equals (qemu_alias (video), device))
            return 0;
    return error_set (err, ERR_INVALID_ARG, "it has no video device '%s'", device);
}

static int make_file (job_t *job, const char *path, error_t *err)
{
    if (job_undo (job, "file", path, err) || job_record (job, err))
        return -1;
    autoclose int fd = open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    return fd < 0 ? error_errno (err, ERR_OPEN_FAILED, "create '%s'", path) : 0;
}

static int dump_screen (job_t *job, const char *format, const char *device, unsigned head,
                        error_t *err)
{
    json_t *arguments = json_pack ("{s:s}", "filename", FDSET_PATH);
    if (format)
        json_object_set_new (arguments, "format", json_string (format));
    if (device) {
        json_object_set_new (arguments, "device", json_string (device));
        json_object_set_new (arguments, "head", json_integer (head));
    }
    json_auto_t *reply = job_qmp (job, "screendump", arguments, DUMP_MS, err);
    return reply ? 0 : -1;
}

static int take_shot (job_t *job, const char *device, unsigned head, screenshot_t *shot,
                      error_t *err)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        shot->mime = formats[i].mime;
        if (dump_screen (job, formats[i].format, device, head, err) == 0)
            return 0;
        if (err->code != ERR_OPERATION_FAILED)
            return -1;
    }
    return -1;
}

static int check_written (const char *path, error_t *err)
{
    struct stat status;
    if (stat (path, &status))
        return error_errno (err, ERR_SYSTEM_ERROR, "look at '%s'", path);
    return status.st_size > 0 ? 0 : error_set (err, ERR_OPERATION_FAILED, "QEMU wrote no picture");
}

static int screenshot (job_t *job, const char *device, unsigned head, screenshot_t *shot,
                       error_t *err)
{
    error_t ignored = { 0 };
    autofree char *path = text_format ("%s/qemu/%s.screenshot", job->paths->run, job->guest->uuid);
    if (check_device (job->guest, device, head, err) || make_file (job, path, err))
        return -1;
    job_file_t file = { .path = path, .write = true };
    json_auto_t *added =
        job_qmp_file (job, "add-fd", json_pack ("{s:i}", "fdset-id", FDSET_ID), &file, QMP_MS, err);
    if (!added)
        return -1;
    int rc = take_shot (job, device, head, shot, err) || check_written (path, err) ? -1 : 0;
    json_auto_t *removed =
        job_qmp (job, "remove-fd", json_pack ("{s:i}", "fdset-id", FDSET_ID), QMP_MS, &ignored);
    if (!removed)
        job_log (job, "domain '%s': %s", job->guest->name, ignored.message);
    shot->path = rc ? NULL : take (&path);
    return rc;
}

int qemu_screenshot (job_t *job, const char *device, unsigned head, screenshot_t *shot,
                     error_t *err)
{
    *shot = (screenshot_t){ 0 };
    if (screenshot (job, device, head, shot, err) == 0)
        return 0;
    return error_prefix (err, "take a screenshot of domain '%s'", job->guest->name);
}
