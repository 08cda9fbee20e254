//  qemu_save.c: from a running guest to a file.

#include "drivers/qemu/memory/qemu_save.h"
#include "drivers/pending_file.h"
#include "drivers/qemu/command/qemu_abi.h"
#include "drivers/qemu/storage/qemu_block.h"
#include "drivers/qemu/command/qemu_complete.h"
#include "drivers/qemu/qemu_ops.h"
#include "drivers/qemu/storage/qemu_stream.h"
#include "drivers/save_image.h"
#include "drivers/state.h"

#include <string.h>

#define QMP_MS 10000

xml_t *qemu_changed_document (job_t *job, const xml_t *document, const char *xml, error_t *err)
{
    auto(xml_t) changed = xml_parse (xml, strlen (xml), "domain XML", err);
    if (!changed || qemu_complete (job, changed, err) || qemu_abi_check (document, changed, err))
        return NULL;
    return take (&changed);
}

//  What the guest is restored from: its live document, without what belonged to this start.
static xml_t *make_document (job_t *job, const char *xml, error_t *err)
{
    auto(xml_t) document = xml_copy (job->guest->live);
    if (qemu_complete (job, document, err))
        return NULL;
    return xml ? qemu_changed_document (job, document, xml, err) : take (&document);
}

static save_image_t *make_image (job_t *job, const save_options_t *options, bool running,
                                 error_t *err)
{
    auto(save_image_t) image = memory_new (1, sizeof *image);
    image->live = make_document (job, options->xml, err);
    if (!image->live)
        return NULL;
    image->definition = job->guest->definition ? xml_copy (job->guest->definition) : NULL;
    image->running = options->go_on == GO_ON_AS_SAVED ? running : options->go_on == GO_ON_RUNNING;
    save_image_make_token (job, image->token);
    return take (&image);
}

static int check_state (job_t *job, error_t *err)
{
    const guest_t *guest = job->guest;
    if (!guest->live || !guest->record)
        return error_set (err, ERR_OPERATION_INVALID, "it is not running");
    if (qemu_block_check_idle (guest, NULL, "save", err))
        return -1;
    if (guest->status.state == STATE_PMSUSPENDED || guest->status.state == STATE_CRASHED)
        return error_set (err, ERR_OPERATION_INVALID,
                          "it is %s; only a guest that runs or is paused can be saved",
                          state_name (guest->status.state));
    return qemu_stream_check (job, err);
}

static int stop_guest (job_t *job, error_t *err)
{
    json_auto_t *reply = job_qmp (job, "stop", NULL, QMP_MS, err);
    if (!reply)
        return -1;
    job->guest->status = (guest_status_t){ STATE_PAUSED, PAUSED_SAVE };
    return 0;
}

static int write_state (job_t *job, save_image_t *image, const pending_file_t *file, bool running,
                        bool stop, uint64_t bandwidth, error_t *err)
{
    if (save_image_begin (image, file->fd, err) || qemu_undo_pause (job, running, err) ||
        (stop && stop_guest (job, err)))
        return -1;
    job_file_t state = { .path = file->partial, .write = true, .offset = image->stream_at };
    if (qemu_stream_write (job, &state, file->fd, "saving", bandwidth, err))
        return -1;
    return save_image_finish (image, file->fd, err);
}

save_image_t *qemu_save_image (job_t *job, bool running, error_t *err)
{
    save_options_t options = { .go_on = running ? GO_ON_RUNNING : GO_ON_PAUSED };
    return check_state (job, err) ? NULL : make_image (job, &options, running, err);
}

int qemu_save_write (job_t *job, save_image_t *image, const pending_file_t *file, bool running,
                     bool stop, error_t *err)
{
    return write_state (job, image, file, running, stop, 0, err);
}

//  With its name the file counts: from then on the guest must not run on, whatever happens to us.
//  The record says before which file that is.
static int give_name (job_t *job, const save_image_t *image, pending_file_t *file, error_t *err)
{
    xml_node_t *record = xml_root (job->guest->record);
    xml_set (record, "save/@path", file->path);
    xml_set (record, "save/@token", image->token);
    return job_record (job, err) || pending_file_commit (file, err) || job_commit (job, err) ? -1
                                                                                             : 0;
}

static int save (job_t *job, const char *path, const save_options_t *options, error_t *err)
{
    bool running;
    if (check_state (job, err) || qemu_is_running (job, &running, err))
        return -1;
    auto(save_image_t) image = make_image (job, options, running, err);
    auto(pending_file_t) file = image ? pending_file_new (job, path, err) : NULL;
    if (!file || write_state (job, image, file, running, running, options->bandwidth, err) ||
        give_name (job, image, file, err))
        return -1;
    if (qemu_destroy (job, false, err))
        return error_prefix (err, "it is saved, but its QEMU does not end");
    job->guest->status = (guest_status_t){ STATE_SHUTOFF, SHUTOFF_SAVED };
    return 0;
}

int qemu_save (job_t *job, const char *path, const save_options_t *options, error_t *err)
{
    if (save (job, path, options, err) == 0)
        return 0;
    return error_prefix (err, "save domain '%s' to '%s'", job->guest->name, path);
}

int qemu_image_define (job_t *job, const char *path, const char *xml, go_on_t go_on, error_t *err)
{
    auto(save_image_t) image = save_image_open (path, err);
    if (!image)
        return -1;
    auto(xml_t) changed = xml ? qemu_changed_document (job, image->live, xml, err) : NULL;
    if (xml && !changed)
        return error_prefix (err, "saved guest '%s'", path);
    bool running = go_on == GO_ON_AS_SAVED ? image->running : go_on == GO_ON_RUNNING;
    return save_image_replace (path, changed ? changed : image->live, running, err);
}
