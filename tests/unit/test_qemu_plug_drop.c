//  test_qemu_plug_drop.c: what is behind a device is away when QEMU has let go of it.

#include "drivers/qemu/plug/qemu_plug_parts.h"
#include "fake_job.h"
#include "unit.h"
#include "unit_xml.h"

#define BLOCKS(name)                                                                               \
    "\"  Block Name    PSize  Offset\\n  ram-node0  4 KiB  0x0\\n  0000:00:03.0/" name             \
    "  4 KiB  0x1\\n\""

//  Until then another QEMU would be sent memory that it does not know.
static void test_memory_that_is_still_there (void **state)
{
    (void) state;
    static char root[] = "/nowhere";
    const fake_reply_t there[] = { { "human-monitor-command", BLOCKS ("objshmem1") }, { 0 } };
    const fake_reply_t gone[] = { { "human-monitor-command", BLOCKS ("objshmem10") }, { 0 } };
    error_t err = { 0 };
    fake_job_t fake;
    auto(xml_t) device =
        unit_xml ("<shmem name='s'><model type='ivshmem-plain'/><alias name='shmem1'/></shmem>");
    fake_job_init (&fake, root);
    fake.replies = there;
    assert_int_equal (qemu_plug_drop_backends (&fake.job, xml_root (device), &err), -1);
    assert_non_null (strstr (err.message, "QEMU still has the memory of 'shmem1'"));
    fake.replies = gone;
    fake.trace[0] = 0;
    assert_int_equal (qemu_plug_drop_backends (&fake.job, xml_root (device), &err), 0);
    assert_string_equal (fake.trace,
                         "qmp object-del {\"id\":\"objshmem1\"}\n"
                         "qmp human-monitor-command {\"command-line\":\"info ramblock\"}\n");
    fake_job_clear (&fake);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_memory_that_is_still_there),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
