//  test_qemu_block_job.c: what is asked of a block job that has ended, or is about to, and has not
//  been concluded yet: QEMU's words against it are of no use to anybody.

#include "drivers/qemu/storage/qemu_block_job.h"
#include "fake_job.h"
#include "unit_xml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define REFUSED "!QEMU refused it: GenericError: it cannot accept that command verb"
#define ENDED "the disk 'vda' of domain 'g': it is in no block job any more: that has just ended"

static const char live_xml[] =
    "<domain><devices><disk><source file='/top'/><target dev='vda'/></disk></devices></domain>";
static const char pull_xml[] =
    "<driver><blockjob id='pull-vda' type='pull' disk='vda' state='running'/></driver>";
static const char copy_xml[] =
    "<driver><blockjob id='copy-vda' type='copy' disk='vda' state='running'/></driver>";
static const char commit_xml[] =
    "<driver><blockjob id='commit-vda' type='commit' disk='vda' state='running'/></driver>";

typedef struct {
    fake_job_t fake;
    xml_t *live, *record;
} scene_t;

static void open_scene (scene_t *self, const char *record, const fake_reply_t *replies)
{
    fake_job_init (&self->fake, "/nowhere");
    self->live = unit_xml (live_xml);
    self->record = unit_xml (record);
    self->fake.guest.name = (char *) (uintptr_t) "g";
    self->fake.guest.live = self->live;
    self->fake.guest.record = self->record;
    self->fake.replies = replies;
}

//  The job is asked for as before: what ended it is conclude's.
static void close_scene (scene_t *self)
{
    assert_string_equal (xml_string (xml_root (self->record), "blockjob/@state"), "running");
    assert_null (xml_string (xml_root (self->record), "blockjob/@told"));
    xml_destroy (&self->live);
    xml_destroy (&self->record);
}

static void check_words (const error_t *err, error_code_t code, const char *words)
{
    assert_string_equal (err->message, words);
    assert_int_equal (err->code, code);
}

static void check_speed_of (const char *record, const char *jobs, error_code_t code,
                            const char *words)
{
    scene_t self;
    error_t err = { 0 };
    const fake_reply_t replies[] = { { "block-job-set-speed", REFUSED },
                                     { "query-jobs", jobs },
                                     { NULL, NULL } };
    open_scene (&self, record, replies);
    assert_int_equal (qemu_block_driver.speed (&self.fake.job, "vda", 1, &err), -1);
    check_words (&err, code, words);
    assert_null (xml_string (xml_root (self.record), "blockjob/@bandwidth"));
    close_scene (&self);
}

static void check_speed (const char *jobs, error_code_t code, const char *words)
{
    check_speed_of (pull_xml, jobs, code, words);
}

static void test_the_speed_of_one_that_ended (void **state)
{
    (void) state;
    check_speed ("[{\"id\":\"pull-vda\",\"status\":\"concluded\"}]", ERR_OPERATION_INVALID, ENDED);
    check_speed ("[{\"id\":\"pull-vda\",\"status\":\"concluded\",\"error\":\"No space left\"}]",
                 ERR_OPERATION_INVALID, ENDED ": No space left");
    check_speed ("[{\"id\":\"pull-vda\",\"status\":\"pending\"}]", ERR_OPERATION_INVALID, ENDED);
    check_speed ("[]", ERR_OPERATION_INVALID, ENDED);
}

//  QEMU may have another reason, or be silent: then that is what is told.
static void test_the_speed_of_one_that_runs (void **state)
{
    (void) state;
    static const char plain[] = "the disk 'vda' of domain 'g': QEMU refused it: GenericError: it "
                                "cannot accept that command verb";
    check_speed ("[{\"id\":\"pull-vda\",\"status\":\"running\"}]", ERR_OPERATION_FAILED, plain);
    check_speed ("!QEMU refused query-jobs", ERR_OPERATION_FAILED, plain);
    //  It waits for the commits of other disks.
    check_speed_of (commit_xml, "[{\"id\":\"commit-vda\",\"status\":\"pending\"}]",
                    ERR_OPERATION_FAILED, plain);
}

static void check_abort (const char *record, const char *jobs, bool pivot, const char *words)
{
    scene_t self;
    error_t err = { 0 };
    const fake_reply_t replies[] = { { "block-job-cancel", REFUSED },
                                     { "query-jobs", jobs },
                                     { NULL, NULL } };
    const block_abort_t how = { .pivot = pivot };
    open_scene (&self, record, replies);
    assert_int_equal (qemu_block_driver.abort (&self.fake.job, "vda", &how, &err), -1);
    check_words (&err, ERR_OPERATION_INVALID, words);
    close_scene (&self);
}

static void test_an_abort_of_one_that_ended (void **state)
{
    (void) state;
    check_abort (pull_xml, "[{\"id\":\"pull-vda\",\"status\":\"concluded\"}]", false,
                 "abort the job of " ENDED);
}

static void test_a_pivot_to_a_copy_that_failed (void **state)
{
    (void) state;
    check_abort (copy_xml,
                 "[{\"id\":\"copy-vda\",\"status\":\"concluded\",\"error\":\"No space left\"}]",
                 true, "pivot: " ENDED ": No space left");
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_the_speed_of_one_that_ended),
        cmocka_unit_test (test_the_speed_of_one_that_runs),
        cmocka_unit_test (test_an_abort_of_one_that_ended),
        cmocka_unit_test (test_a_pivot_to_a_copy_that_failed),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
