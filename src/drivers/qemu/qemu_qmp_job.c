//  qemu_qmp_job.c: see qemu_qmp_job.h.

#include "drivers/qemu/qemu_qmp_job.h"

#include "util/text.h"

#define QMP_MS 10000
//  QEMU writes a guest's memory into an image without looking at its monitor.
#define SILENT_MS 3600000
#define SETTLE_MS 100000
#define FIRST_WAIT_MS 1
#define LONGEST_WAIT_MS 100

//  Ours among those that there are. *ANSWER keeps it, and is the caller's; NULL and 0: there is
//  none.
static int find (job_t *job, int ms, json_t **answer, json_t **ours, error_t *err)
{
    json_t *each;
    size_t i;
    *ours = NULL;
    *answer = job_qmp (job, "query-jobs", NULL, ms, err);
    if (!*answer)
        return -1;
    json_array_foreach (*answer, i,
                        each) if (text_equals (json_string_value (json_object_get (each, "id")),
                                               QEMU_JOB_ID)) *ours = each;
    return 0;
}

static uint64_t number (const json_t *object, const char *key)
{
    json_int_t value = json_integer_value (json_object_get (object, key));
    return value > 0 ? (uint64_t) value : 0;
}

static void tell (job_t *job, const json_t *ours, const char *step, int64_t since)
{
    uint64_t total = number (ours, "total-progress"), done = number (ours, "current-progress");
    job_progress (job, &(job_progress_t){ .step = step,
                                          .total = total,
                                          .processed = done,
                                          .remaining = total > done ? total - done : 0,
                                          .elapsed_ms = (uint64_t) (job_now (job) - since) });
}

static int dismiss (job_t *job, const json_t *ours, error_t *err)
{
    error_t failed = { 0 };
    const char *why = json_string_value (json_object_get (ours, "error"));
    json_auto_t *reply =
        job_qmp (job, "job-dismiss", json_pack ("{s:s}", "id", QEMU_JOB_ID), QMP_MS, &failed);
    if (!reply) {
        *err = failed;
        return -1;
    }
    return why ? error_set (err, ERR_OPERATION_FAILED, "QEMU: %s", why) : 0;
}

//  One look: *OVER when it is concluded and dismissed, or there is none.
static int look (job_t *job, int ms, const char *step, int64_t since, bool *over, error_t *err)
{
    json_t *ours;
    json_auto_t *answer = NULL;
    if (find (job, ms, &answer, &ours, err))
        return -1;
    *over =
        !ours || text_equals (json_string_value (json_object_get (ours, "status")), "concluded");
    if (ours && step)
        tell (job, ours, step, since);
    return ours && *over ? dismiss (job, ours, err) : 0;
}

static int follow (job_t *job, int ms, const char *step, error_t *err)
{
    int64_t since = job_now (job);
    bool over = false;
    for (int wait = FIRST_WAIT_MS;; wait = wait < LONGEST_WAIT_MS ? wait * 2 : LONGEST_WAIT_MS) {
        if (look (job, ms, step, since, &over, err))
            return -1;
        if (over)
            return 0;
        if (job_wait (job, wait, err))
            return -1;
    }
}

int qemu_job_run (job_t *job, const char *execute, json_t *arguments, const char *step,
                  error_t *err)
{
    json_object_set_new (arguments, "job-id", json_string (QEMU_JOB_ID));
    job_progress (job, &(job_progress_t){ .step = step });
    json_auto_t *reply = job_qmp (job, execute, arguments, SILENT_MS, err);
    return reply ? follow (job, SILENT_MS, step, err) : -1;
}

int qemu_job_settle (job_t *job, error_t *err)
{
    error_t ended = { 0 };
    if (follow (job, SETTLE_MS, NULL, &ended) == 0 || ended.code == ERR_OPERATION_FAILED)
        return 0;
    *err = ended;
    return -1;
}
