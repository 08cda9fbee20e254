//  qemu_restore.c: from a file to a running guest.

#include "drivers/qemu/command/qemu_complete.h"
#include "drivers/qemu/qemu_ops.h"
#include "drivers/qemu/memory/qemu_save.h"
#include "drivers/qemu/qemu_start.h"
#include "drivers/save_image.h"
#include "drivers/state.h"
#include "util/text.h"

#include <stdio.h>
#include <string.h>

#define QMP_MS 10000

static xml_t *document_of (job_t *job, const save_image_t *image, const char *xml, error_t *err)
{
    const char *uuid = xml_string (xml_root (image->live), "uuid");
    if (!text_equals (uuid, job->guest->uuid)) {
        error_set (err, ERR_OPERATION_INVALID, "it is of the domain %s, not of %s",
                   uuid ? uuid : "without uuid", job->guest->uuid);
        return NULL;
    }
    //  A file can be forged, or written by a version that knew more.
    auto(xml_t) document = xml_copy (image->live);
    if (qemu_complete (job, document, err))
        return NULL;
    xml_t *changed = xml ? qemu_changed_document (job, document, xml, err) : take (&document);
    //  The domain may have been renamed since.
    if (changed)
        xml_set (xml_root (changed), "name", job->guest->name);
    return changed;
}

//  A file that is to be removed loses its name before the guest runs: a second restore from it
//  would find disks that went on.
static int set_aside (job_t *job, const char *path, error_t *err)
{
    autofree char *used = qemu_used_path (job->guest, path);
    xml_set (xml_root (job->guest->record), "used/@path", used);
    if (job_undo (job, "qemu.used", path, err) || job_record (job, err))
        return -1;
    if (rename (path, used))
        return error_errno (err, ERR_SYSTEM_ERROR, "rename '%s' to '%s'", path, used);
    return 0;
}

//  Too late for the undo stack, but the guest has not run.
static int call_off (job_t *job, const char *path, error_t *err)
{
    error_t failed = { 0 };
    xml_remove_path (xml_root (job->guest->record), "used");
    if (qemu_destroy (job, false, &failed) || qemu_undo (job, "used", path, &failed))
        job_log (job, "domain '%s': %s", job->guest->name, failed.message);
    return error_prefix (err, "the restored guest can't run");
}

//  The status is durable with nothing to undo: a daemon that ends now leaves a paused guest behind,
//  which is adopted, and never one that ran and is undone.
static int let_run (job_t *job, const char *path, bool running, error_t *err)
{
    guest_t *guest = job->guest;
    guest->status = (guest_status_t){ STATE_PAUSED, PAUSED_USER };
    if (job_commit (job, err))
        return -1;
    json_auto_t *reply = running ? job_qmp (job, "cont", NULL, QMP_MS, err) : NULL;
    if (running && !reply && err->code != ERR_OPERATION_TIMEOUT)
        return call_off (job, path, err);
    //  Without an answer nobody knows whether it runs; that it is there is certain.
    if (running && !reply)
        job_log (job, "domain '%s': it is restored, but: %s", guest->name, err->message);
    if (reply)
        guest->status = (guest_status_t){ STATE_RUNNING, RUNNING_RESTORED };
    qemu_drop_used (job);
    return 0;
}

static int restore (job_t *job, const char *path, const restore_options_t *options, error_t *err)
{
    auto(save_image_t) image = save_image_open (path, err);
    auto(xml_t) document = image ? document_of (job, image, options->xml, err) : NULL;
    if (!document)
        return -1;
    job_file_t state = { .path = path, .write = false, .offset = image->stream_at };
    bool running =
        options->go_on == GO_ON_AS_SAVED ? image->running : options->go_on == GO_ON_RUNNING;
    if (qemu_start_from (job, document, &state, err) ||
        (options->remove && set_aside (job, path, err)))
        return -1;
    return let_run (job, path, running, err);
}

int qemu_restore (job_t *job, const char *path, const restore_options_t *options, error_t *err)
{
    if (restore (job, path, options, err) == 0)
        return 0;
    return error_prefix (err, "restore domain '%s' from '%s'", job->guest->name, path);
}
