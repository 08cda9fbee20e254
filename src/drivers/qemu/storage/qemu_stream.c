//  qemu_stream.c: see qemu_stream.h. (QEMU's QMP reference: migrate, query-migrate, getfd,
//  dump-guest-memory, query-dump.)

#include "drivers/qemu/storage/qemu_stream.h"
#include "util/text.h"

#include <fcntl.h>
#include <string.h>

#define QMP_MS 10000
//  While the devices' state goes to a slow disk, QEMU answers nobody.
#define ASK_MS 120000
#define FIRST_WAIT_MS 5
#define LONGEST_WAIT_MS 200
#define STALL_MS 60000 //  a dump that gets no further cannot be waited for
#define CUT_MS 30000   //  TCP itself would take a quarter of an hour to notice
#define NO_LIMIT ((json_int_t) INT64_MAX / 1024)
#define FINISH_MS 10000
#define DOWNTIME_MS 2000 //  of a guest that runs while its state is written

static int command (job_t *job, const char *execute, json_t *arguments, error_t *err)
{
    json_auto_t *reply = job_qmp (job, execute, arguments, QMP_MS, err);
    return reply ? 0 : -1;
}

static uint64_t number (const json_t *object, const char *key)
{
    json_int_t value = json_integer_value (json_object_get (object, key));
    return value > 0 ? (uint64_t) value : 0;
}

int qemu_is_running (job_t *job, bool *running, error_t *err)
{
    json_auto_t *status = job_qmp (job, "query-status", NULL, QMP_MS, err);
    if (!status)
        return -1;
    *running = json_is_true (json_object_get (status, "running"));
    return 0;
}

//  Setting up.

int qemu_stream_check (job_t *job, error_t *err)
{
    json_auto_t *now = job_qmp (job, "query-migrate", NULL, QMP_MS, err);
    const json_t *reason = json_array_get (json_object_get (now, "blocked-reasons"), 0);
    if (!reason)
        return now ? 0 : -1;
    return error_set (err, ERR_OPERATION_UNSUPPORTED,
                      "not supported with the devices that it has: QEMU can't send the state of "
                      "one (%s); detach that before",
                      json_string_value (reason));
}

//  None of those that an earlier migration turned on is of use with a file, and some refuse it; but
//  for the events.
static int set_capabilities (job_t *job, error_t *err)
{
    json_auto_t *present = job_qmp (job, "query-migrate-capabilities", NULL, QMP_MS, err);
    if (!present)
        return -1;
    json_t *wanted = json_array (), *item;
    size_t i;
    json_array_foreach (present, i, item)
    {
        const char *name = json_string_value (json_object_get (item, "capability"));
        bool on = json_is_true (json_object_get (item, "state"));
        bool want = name && strcmp (name, "events") == 0;
        if (name && on != want)
            json_array_append_new (wanted,
                                   json_pack ("{s:s, s:b}", "capability", name, "state", want));
    }
    if (json_array_size (wanted) == 0) {
        json_decref (wanted);
        return 0;
    }
    return command (job, "migrate-set-capabilities", json_pack ("{s:o}", "capabilities", wanted),
                    err);
}

int qemu_stream_prepare (job_t *job, uint64_t bandwidth, error_t *err)
{
    json_int_t most = bandwidth && bandwidth < NO_LIMIT ? (json_int_t) bandwidth : NO_LIMIT;
    return set_capabilities (job, err) || command (job, "migrate-set-parameters",
                                                   json_pack ("{s:I, s:i}", "max-bandwidth", most,
                                                              "downtime-limit", DOWNTIME_MS),
                                                   err)
               ? -1
               : 0;
}

//  Asking.

static qemu_work_t work_of (const char *status)
{
    static const struct {
        const char *status;
        qemu_work_t work;
    } known[] = {
        { "none", QEMU_WORK_NONE },
        { "completed", QEMU_WORK_DONE },
        { "cancelled", QEMU_WORK_FAILED },
        { "failed", QEMU_WORK_FAILED },
        { "postcopy-paused", QEMU_WORK_FAILED },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp (known[i].status, status) == 0)
            return known[i].work;
    return QEMU_WORK_ACTIVE;
}

static const char *status_of (const json_t *answer)
{
    const char *status = json_string_value (json_object_get (answer, "status"));
    return status ? status : "none";
}

static void fill_progress (job_progress_t *progress, const json_t *answer)
{
    const json_t *ram = json_object_get (answer, "ram");
    const uint64_t bits_of_megabit = 1000 * 1000 / 8;
    progress->total = number (ram, "total");
    progress->remaining = number (ram, "remaining");
    progress->processed =
        progress->total > progress->remaining ? progress->total - progress->remaining : 0;
    progress->rate =
        (uint64_t) (json_number_value (json_object_get (ram, "mbps")) * (double) bits_of_megabit);
    progress->dirty_rate = number (ram, "dirty-pages-rate") * number (ram, "page-size");
    progress->passes = number (ram, "dirty-sync-count");
}

//  WHY is what QEMU says of a failure.
static int ask_migration (job_t *job, char status[QEMU_STATUS_SIZE], char **why,
                          job_progress_t *progress, error_t *err)
{
    json_auto_t *answer = job_qmp (job, "query-migrate", NULL, ASK_MS, err);
    if (!answer)
        return -1;
    snprintf (status, QEMU_STATUS_SIZE, "%s", status_of (answer));
    if (progress)
        fill_progress (progress, answer);
    *why = text_copy (json_string_value (json_object_get (answer, "error-desc")));
    return 0;
}

int qemu_stream_status (job_t *job, char status[QEMU_STATUS_SIZE], job_progress_t *progress,
                        error_t *err)
{
    autofree char *why = NULL;
    return ask_migration (job, status, &why, progress, err);
}

int qemu_stream_ask (job_t *job, qemu_work_t *work, job_progress_t *progress, error_t *err)
{
    char status[QEMU_STATUS_SIZE];
    autofree char *why = NULL;
    if (ask_migration (job, status, &why, progress, err))
        return -1;
    *work = work_of (status);
    if (*work == QEMU_WORK_FAILED)
        error_set (err, ERR_OPERATION_FAILED, "QEMU's migration stream %s: %s", status,
                   why ? why : "QEMU gives no reason; the guest's log may");
    return 0;
}

int qemu_dump_ask (job_t *job, qemu_work_t *work, job_progress_t *progress, error_t *err)
{
    json_auto_t *answer = job_qmp (job, "query-dump", NULL, ASK_MS, err);
    if (!answer)
        return -1;
    *work = work_of (status_of (answer));
    if (progress) {
        progress->total = number (answer, "total");
        progress->processed = number (answer, "completed");
        progress->remaining =
            progress->total > progress->processed ? progress->total - progress->processed : 0;
    }
    if (*work == QEMU_WORK_FAILED)
        error_set (err, ERR_OPERATION_FAILED,
                   "QEMU could not write its memory; is there room for all of it on the disk?");
    return 0;
}

int qemu_stall_check (job_t *job, qemu_stall_t *self, const job_progress_t *progress, error_t *err)
{
    bool moved = progress->remaining != self->remaining || progress->processed != self->processed ||
                 progress->passes != self->passes;
    if (self->since == 0 || moved)
        *self = (qemu_stall_t){ self->rest_ms, job_now (job), progress->remaining,
                                progress->processed, progress->passes };
    return job_now (job) - self->since < CUT_MS + self->rest_ms
               ? 0
               : error_set (err, ERR_OPERATION_TIMEOUT,
                            "nothing could be sent for %d s; is the network to the other host cut?",
                            (int) ((CUT_MS + self->rest_ms) / 1000));
}

//  QEMU has no rate of its own for a dump.
static void add_rate (job_progress_t *progress)
{
    if (!progress->rate && progress->elapsed_ms)
        progress->rate = progress->processed * 1000 / progress->elapsed_ms;
}

int qemu_work_follow (job_t *job, qemu_work_ask_fn *ask, const char *step, int fd, error_t *err)
{
    int64_t since = job_now (job);
    qemu_stall_t stall = { 0 };
    for (int wait = FIRST_WAIT_MS;; wait = wait < LONGEST_WAIT_MS ? wait * 2 : LONGEST_WAIT_MS) {
        job_progress_t progress = { .step = step };
        qemu_work_t work;
        if (ask (job, &work, &progress, err))
            return -1;
        progress.elapsed_ms = (uint64_t) (job_now (job) - since);
        add_rate (&progress);
        job_progress (job, &progress);
        if (work == QEMU_WORK_DONE)
            return 0;
        if (work == QEMU_WORK_FAILED)
            return -1;
        if (fd == QEMU_WORK_REMOTE && qemu_stall_check (job, &stall, &progress, err))
            return -1;
        //  Only begins to write; whether it succeeds shows in the sync at the end.
        if (fd >= 0)
            (void) sync_file_range (fd, 0, 0, SYNC_FILE_RANGE_WRITE);
        if (job_wait (job, wait, err))
            return -1;
    }
}

//  Streams.

int qemu_stream_pass (job_t *job, const job_file_t *file, error_t *err)
{
    json_auto_t *reply = job_qmp_file (job, "getfd", json_pack ("{s:s}", "fdname", QEMU_FILE_NAME),
                                       file, QMP_MS, err);
    return reply ? 0 : -1;
}

int qemu_stream_write (job_t *job, const job_file_t *file, int fd, const char *step,
                       uint64_t bandwidth, error_t *err)
{
    if (qemu_stream_prepare (job, bandwidth, err) || qemu_stream_pass (job, file, err) ||
        command (job, "migrate", json_pack ("{s:s}", "uri", "fd:" QEMU_FILE_NAME), err))
        return -1;
    return qemu_work_follow (job, qemu_stream_ask, step, fd, err);
}

int qemu_stream_read (job_t *job, const job_file_t *file, error_t *err)
{
    if (set_capabilities (job, err) || qemu_stream_pass (job, file, err) ||
        command (job, "migrate-incoming", json_pack ("{s:s}", "uri", "fd:" QEMU_FILE_NAME), err))
        return -1;
    return qemu_work_follow (job, qemu_stream_ask, "restoring", -1, err);
}

//  Ending.

bool qemu_stream_holds (const char *status)
{
    return strcmp (status, "finish-migrate") == 0 || strcmp (status, "postmigrate") == 0;
}

static bool is_held (job_t *job)
{
    error_t ignored = { 0 };
    json_auto_t *status = job_qmp (job, "query-status", NULL, QMP_MS, &ignored);
    const char *name = json_string_value (json_object_get (status, "status"));
    return name && qemu_stream_holds (name);
}

//  QEMU calls a migration over a moment before it lets the guest go on.
int qemu_stream_go_on (job_t *job, error_t *err)
{
    int64_t until = job_now (job) + FINISH_MS;
    for (;;) {
        if (command (job, "cont", NULL, err) == 0)
            return 0;
        if (job_now (job) >= until || !is_held (job))
            return -1;
        if (job_wait (job, FIRST_WAIT_MS, err))
            return -1;
    }
}

static int cancel_stream (job_t *job, error_t *err)
{
    qemu_work_t work;
    error_t asked = { 0 };
    if (command (job, "migrate_cancel", NULL, err))
        return -1;
    int64_t until = job_now (job) + STALL_MS;
    for (int wait = FIRST_WAIT_MS; job_now (job) < until; wait = wait < 100 ? wait * 2 : 100) {
        if (qemu_stream_ask (job, &work, NULL, &asked)) {
            *err = asked;
            return -1;
        }
        if (work != QEMU_WORK_ACTIVE)
            return 0;
        if (job_wait (job, wait, err))
            return -1;
    }
    return error_set (err, ERR_OPERATION_TIMEOUT, "QEMU does not end its migration stream");
}

static int wait_for_dump (job_t *job, error_t *err)
{
    uint64_t before = 0;
    error_t ignored = { 0 };
    for (int64_t until = job_now (job) + STALL_MS; job_now (job) < until;) {
        qemu_work_t work;
        job_progress_t progress = { 0 };
        if (qemu_dump_ask (job, &work, &progress, &ignored)) {
            *err = ignored;
            return -1;
        }
        if (work != QEMU_WORK_ACTIVE)
            return 0;
        if (progress.processed > before)
            until = job_now (job) + STALL_MS;
        before = progress.processed;
        if (job_wait (job, LONGEST_WAIT_MS, err))
            return -1;
    }
    return error_set (err, ERR_OPERATION_TIMEOUT, "QEMU does not end its dump");
}

int qemu_work_stop (job_t *job, error_t *err)
{
    qemu_work_t work;
    error_t ignored = { 0 };
    if (qemu_stream_ask (job, &work, NULL, err))
        return -1;
    if (work == QEMU_WORK_ACTIVE && cancel_stream (job, err))
        return -1;
    //  A descriptor that no command took.
    command (job, "closefd", json_pack ("{s:s}", "fdname", QEMU_FILE_NAME), &ignored);
    return wait_for_dump (job, err);
}
