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

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_blocked),
        cmocka_unit_test (test_not_blocked),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
