//  test_save.c: simulated guests in files, in the same format as real ones; their state is for how
//  long they ran.

#include "drivers/pending_file.h"
#include "drivers/save_image.h"
#include "drivers/state.h"
#include "drivers/test/test_behaviour.h"
#include "drivers/test/test_driver.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#define STATE_MAX 64

//  What is restored has to be the same machine.
static int check_same (const xml_t *from, const xml_t *to, error_t *err)
{
    static const char *const paths[] = { "uuid", "memory", "vcpu" };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        const char *now = xml_string (xml_root (from), paths[i]);
        const char *then = xml_string (xml_root (to), paths[i]);
        if (!text_equals (now, then))
            return error_set (err, ERR_CONFIG_UNSUPPORTED,
                              "not supported: <%s> of a saved guest can't change from '%s' to '%s'",
                              paths[i], now ? now : "", then ? then : "");
    }
    return 0;
}

//  DOCUMENT as the next start would have it, or XML instead.
static xml_t *completed (job_t *job, const xml_t *document, const char *xml, error_t *err)
{
    auto(xml_t) result =
        xml ? xml_parse (xml, strlen (xml), "domain XML", err) : xml_copy (document);
    if (!result || test_complete (job, result, err) || check_same (document, result, err))
        return NULL;
    return take (&result);
}

static save_image_t *make_image (job_t *job, const save_options_t *options, bool running,
                                 error_t *err)
{
    auto(save_image_t) image = memory_new (1, sizeof *image);
    image->live = completed (job, job->guest->live, options->xml, err);
    if (!image->live)
        return NULL;
    image->definition = job->guest->definition ? xml_copy (job->guest->definition) : NULL;
    image->running = options->go_on == GO_ON_AS_SAVED ? running : options->go_on == GO_ON_RUNNING;
    save_image_make_token (job, image->token);
    return take (&image);
}

static void tell (job_t *job, const char *step, uint64_t done)
{
    error_t ignored; //  it was checked when the definition was completed
    uint64_t total = 0;
    xml_size (xml_root (job->guest->live), "memory", "KiB", &total, &ignored);
    job_progress (job, &(job_progress_t){ .step = step,
                                          .total = total,
                                          .processed = done ? total : 0,
                                          .remaining = done ? 0 : total });
}

static int write_state (job_t *job, const save_image_t *image, int fd, int64_t ran, error_t *err)
{
    char state[STATE_MAX];
    snprintf (state, sizeof state, "ran %" PRId64 " ms\n", ran);
    tell (job, "saving", false);
    if (test_behave_guest (job, "save", err))
        return -1;
    if (pwrite (fd, state, strlen (state), (off_t) image->stream_at) != (ssize_t) strlen (state))
        return error_errno (err, ERR_WRITE_FAILED, "write the state");
    tell (job, "saving", true);
    return 0;
}

//  As for real guests: with its name the file counts, and the record says before which one it is.
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
    int64_t ran;
    bool running;
    if (test_how_it_runs (job, &ran, &running, err))
        return -1;
    auto(save_image_t) image = make_image (job, options, running, err);
    auto(pending_file_t) file = image ? pending_file_new (job, path, err) : NULL;
    if (!file || save_image_begin (image, file->fd, err) ||
        write_state (job, image, file->fd, ran, err) || save_image_finish (image, file->fd, err) ||
        give_name (job, image, file, err) || test_remove_files (job, err))
        return -1;
    job->guest->status = (guest_status_t){ STATE_SHUTOFF, SHUTOFF_SAVED };
    return 0;
}

int test_save (job_t *job, const char *path, const save_options_t *options, error_t *err)
{
    if (save (job, path, options, err) == 0)
        return 0;
    return error_prefix (err, "save domain '%s' to '%s'", job->guest->name, path);
}

static int read_state (const save_image_t *image, const char *path, int64_t *ran, error_t *err)
{
    char state[STATE_MAX] = "";
    autoclose int fd = open (path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || pread (fd, state, sizeof state - 1, (off_t) image->stream_at) < 0)
        return error_errno (err, ERR_READ_FAILED, "read the state");
    if (sscanf (state, "ran %" SCNd64 " ms", ran) != 1 || *ran < 0)
        return error_set (err, ERR_OPERATION_FAILED, "its state is not one of a simulated guest");
    return 0;
}

//  The record says first that the file is used up, so that no later start goes on from it: what
//  can't be removed now, the next adoption removes.
static int use_up (job_t *job, const char *path, error_t *err)
{
    error_t failed = { 0 };
    xml_set (xml_root (job->guest->record), "used/@path", path);
    if (job_commit (job, err))
        return -1;
    if (test_drop_used (job, &failed))
        job_log (job, "domain '%s': %s", job->guest->name, failed.message);
    return 0;
}

static int restore (job_t *job, const char *path, const restore_options_t *options, error_t *err)
{
    int64_t ran;
    guest_t *guest = job->guest;
    auto(save_image_t) image = save_image_open (path, err);
    auto(xml_t) document = image ? completed (job, image->live, options->xml, err) : NULL;
    if (!document || read_state (image, path, &ran, err))
        return -1;
    if (!xml_equals (xml_root (document), "uuid", guest->uuid))
        return error_set (err, ERR_OPERATION_INVALID, "it is of another domain than %s",
                          guest->uuid);
    xml_set (xml_root (document), "name", guest->name); //  it may have been renamed since
    bool running =
        options->go_on == GO_ON_AS_SAVED ? image->running : options->go_on == GO_ON_RUNNING;
    if (test_behave (job, document, "restore", 0, err) ||
        test_start_from (job, document, running, ran, err) ||
        (options->remove && use_up (job, path, err)))
        return -1;
    guest->status = running ? (guest_status_t){ STATE_RUNNING, RUNNING_RESTORED }
                            : (guest_status_t){ STATE_PAUSED, PAUSED_USER };
    return 0;
}

int test_restore (job_t *job, const char *path, const restore_options_t *options, error_t *err)
{
    if (restore (job, path, options, err) == 0)
        return 0;
    return error_prefix (err, "restore domain '%s' from '%s'", job->guest->name, path);
}

int test_image_define (job_t *job, const char *path, const char *xml, go_on_t go_on, error_t *err)
{
    auto(save_image_t) image = save_image_open (path, err);
    auto(xml_t) changed = image ? completed (job, image->live, xml, err) : NULL;
    if (!changed)
        return image ? error_prefix (err, "saved guest '%s'", path) : -1;
    bool running = go_on == GO_ON_AS_SAVED ? image->running : go_on == GO_ON_RUNNING;
    return save_image_replace (path, changed, running, err);
}
