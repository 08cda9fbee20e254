//  test_qemu_stream.c: whether a guest's state can be sent; that it is, the tests of saving and
//  migrating show with a real QEMU.

#include "drivers/qemu/storage/qemu_stream.h"
#include "qemu_fixture.h"

static const fake_reply_t blocked[] = {
    { "query-migrate", "{\"blocked-reasons\":[\"VFIO device doesn't support migration\"]}" }, { 0 }
};
static const fake_reply_t free_to_go[] = { { "query-migrate", "{\"status\":\"cancelled\"}" },
                                           { 0 } };

static void test_blocked (void **state)
{
    (void) state;
    error_t err;
    fake_job_t fake;
    fake_job_init (&fake, "/nowhere");
    fake.replies = blocked;
    assert_int_equal (qemu_stream_check (&fake.job, &err), -1);
    assert_int_equal (err.code, ERR_OPERATION_UNSUPPORTED);
    assert_has (err.message, "(VFIO device doesn't support migration); detach that before");
}

static void test_not_blocked (void **state)
{
    (void) state;
    error_t err;
    fake_job_t fake;
    fake_job_init (&fake, "/nowhere");
    fake.replies = free_to_go;
    assert_int_equal (qemu_stream_check (&fake.job, &err), 0);
}

//  Whether it still counts as going on, MS after the last look.
static bool goes_on (fake_job_t *fake, qemu_stall_t *stall, int64_t ms, uint64_t processed)
{
    error_t err;
    fake->now += ms;
    job_progress_t progress = { .total = 100,
                                .processed = processed,
                                .remaining = 100 - processed };
    int rc = qemu_stall_check (&fake->job, stall, &progress, &err);
    assert_true (rc == 0 || err.code == ERR_OPERATION_TIMEOUT);
    return rc == 0;
}

//  A network that was cut is told from one whose use is limited.
static void test_stall (void **state)
{
    (void) state;
    fake_job_t fake;
    fake_job_init (&fake, "/nowhere");
    fake.now = 1000;
    qemu_stall_t cut = { 0 }, limited = { .rest_ms = 40000 };
    assert_true (goes_on (&fake, &cut, 0, 1));
    assert_true (goes_on (&fake, &cut, 29000, 1));
    assert_true (goes_on (&fake, &cut, 2000, 2));
    assert_true (goes_on (&fake, &cut, 29000, 2));
    assert_false (goes_on (&fake, &cut, 2000, 2));
    assert_true (goes_on (&fake, &limited, 0, 1));
    assert_true (goes_on (&fake, &limited, 69000, 2));
    assert_true (goes_on (&fake, &limited, 69000, 2));
    assert_false (goes_on (&fake, &limited, 2000, 2));
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_blocked),
        cmocka_unit_test (test_not_blocked),
        cmocka_unit_test (test_stall),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
