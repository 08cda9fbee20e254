//  test_jobs_backup.c: the end of a backup that does not come off at once.

#include "scene.h"
#include "unit.h"

#include "actors/jobs/jobs.h"
#include "drivers/driver.h"
#include "util/text.h"

//  A backup that was called off, and what happens at the ATTEMPT-th attempt to end it.
static struct {
    job_actor_t job;
    guest_t guest;
    int attempts, succeeds_at, ends_at, doomed_at;
} test;

static int follow (job_t *job, error_t *err)
{
    (void) job;
    return error_set (err, ERR_OPERATION_ABORTED, "it was called off");
}

static int end (job_t *job, error_t *err)
{
    int attempt = ++test.attempts;
    test.job.ended = test.job.ended || attempt == test.ends_at;
    test.job.doomed = test.job.doomed || attempt == test.doomed_at;
    if (attempt != test.succeeds_at)
        return error_set (err, ERR_OPERATION_TIMEOUT, "QEMU does not answer");
    xml_destroy (&job->guest->backup);
    return 0;
}

static int begin (job_t *job, const backup_options_t *options, error_t *err)
{
    (void) job, (void) options;
    return error_set (err, ERR_INTERNAL_ERROR, "it is under way already");
}

static const driver_t driver = {
    .name = "qemu", .backup_begin = begin, .backup_follow = follow, .backup_end = end
};

static int wait_a_moment (job_t *job, int ms, error_t *err)
{
    (void) job, (void) ms, (void) err;
    return 0;
}

static void show (job_t *job, const job_progress_t *progress)
{
    (void) job;
    check_text (progress->step, "ending");
}

static const job_ops_t ops = { .wait = wait_a_moment, .progress = show };

static int run (actor_t *self, error_t *err)
{
    static const char xml[] = "<backup><domainbackup mode='push'/></backup>";
    test.guest = (guest_t){ .name = text_copy ("web") };
    test.guest.backup = xml_parse_own (xml, strlen (xml), "a backup", err);
    check (test.guest.backup);
    test.job = (job_actor_t){ .base = { .ops = &ops, .guest = &test.guest },
                              .actor = self,
                              .driver = &driver };
    test.job.cancelled = true;
    test.attempts = 0;
    return job_run_backup (&test.job, err);
}

static void close_job (void)
{
    xml_destroy (&test.guest.backup);
    free (test.guest.name);
}

//  However long it takes: it stays on record as long as QEMU has it.
static void scene_tried_until_it_ends (actor_t *self)
{
    error_t err = { 0 };
    test.succeeds_at = 100;
    test.ends_at = test.doomed_at = 0;
    check_equal (run (self, &err), -1);
    check_equal (err.code, ERR_OPERATION_ABORTED);
    check_equal (test.attempts, 100);
    check (!test.guest.backup && (test.job.parts & PART_BACKUP));
    close_job ();
}

//  Whoever destroys the guest need not wait for it.
static void scene_destroyed (actor_t *self)
{
    error_t err = { 0 };
    test.succeeds_at = test.ends_at = 0;
    test.doomed_at = 50;
    check_equal (run (self, &err), -1);
    check_equal (test.attempts, 50);
    close_job ();
}

//  Of a guest that is over only files are left, for which it is not held for ever.
static void scene_guest_over (actor_t *self)
{
    error_t err = { 0 };
    test.succeeds_at = test.doomed_at = 0;
    test.ends_at = 40;
    check_equal (run (self, &err), -1);
    check (test.attempts > 40 && test.attempts < 100);
    check_equal (err.code, ERR_OPERATION_ABORTED);
    close_job ();
}

SCENE_TEST (tried_until_it_ends)
SCENE_TEST (destroyed)
SCENE_TEST (guest_over)

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_tried_until_it_ends),
        cmocka_unit_test (test_destroyed),
        cmocka_unit_test (test_guest_over),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
