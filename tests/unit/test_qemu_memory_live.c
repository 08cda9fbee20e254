//  test_qemu_memory_live.c: what is requested of a memory device while the guest runs.

#include "drivers/qemu/plug/qemu_memory_live.h"
#include "fake_job.h"
#include "unit.h"
#include "unit_xml.h"

#define VIRTIO_MEM                                                                                 \
    "<memory model='virtio-mem'><target><size>262144</size><requested>131072</requested>"          \
    "</target><alias name='virtiomem0'/></memory>"
#define DIMM                                                                                       \
    "<memory model='dimm'><target><size>131072</size></target><alias name='dimm0'/></memory>"

//  Only of a device that has it: an update of another one was refused, and nothing was changed.
static void test_undo (void **state)
{
    (void) state;
    static char root[] = "/nowhere";
    error_t err = { 0 };
    fake_job_t fake;
    fake_job_init (&fake, root);
    fake.guest.live = unit_xml ("<domain><devices>" VIRTIO_MEM DIMM "</devices></domain>");
    assert_int_equal (qemu_undo_requested (&fake.job, "dimm0", &err), 0);
    assert_int_equal (qemu_undo_requested (&fake.job, "gone0", &err), 0);
    assert_string_equal (fake.trace, "");
    assert_int_equal (qemu_undo_requested (&fake.job, "virtiomem0", &err), 0);
    assert_string_equal (fake.trace, "qmp qom-set {\"path\":\"/machine/peripheral/virtiomem0\","
                                     "\"property\":\"requested-size\",\"value\":134217728}\n");
    fake_job_clear (&fake);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_undo),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
