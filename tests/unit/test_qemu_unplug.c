//  test_qemu_unplug.c: how detaching ends, by a scripted QEMU.

#include "drivers/driver.h"
#include "drivers/qemu/command/qemu_alias.h"
#include "drivers/qemu/plug/qemu_plug.h"
#include "fake_job.h"
#include "unit.h"
#include "unit_xml.h"
#include "util/text.h"

#define PROCESS "4242:77:11111111-2222-3333-4444-555555555555"

static fake_job_t fake;

static int setup (void **state)
{
    static char root[] = "/nowhere";
    (void) state;
    fake_job_init (&fake, root);
    fake.guest.name = text_copy ("web");
    fake.guest.live = unit_xml (
        "<domain><devices>"
        "<disk device='disk'><target dev='vdb' bus='virtio'/><alias name='virtio-disk1'/></disk>"
        "<controller type='scsi' index='0'><alias name='scsi0'/></controller>"
        "<disk device='disk'><target dev='sda' bus='scsi'/><alias name='scsi0-0-0-0'/>"
        "<address type='drive' controller='0' bus='0' target='0' unit='0'/></disk>"
        "<input type='mouse' bus='ps2'><alias name='input0'/></input>"
        "</devices></domain>");
    fake.guest.record = unit_xml ("<driver><process identity='" PROCESS "'/></driver>");
    return 0;
}

static int teardown (void **state)
{
    (void) state;
    free (fake.guest.name);
    fake_job_clear (&fake);
    return 0;
}

#define WAIT_MS 5000

static bool gone_within;

static int detach (const char *alias, error_t *err)
{
    return qemu_detach (&fake.job, qemu_alias_find (fake.guest.live, alias), WAIT_MS, &gone_within,
                        err);
}

static const fake_reply_t stays[] = {
    { "qom-list", "[{\"name\":\"virtio-disk1\"},{\"name\":\"scsi0\"},{\"name\":\"scsi0-0-0-0\"}]" },
    { "query-named-block-nodes", "[]" },
    { NULL, NULL },
};

static const fake_reply_t gone[] = {
    { "qom-list", "[{\"name\":\"scsi0\"},{\"name\":\"scsi0-0-0-0\"}]" },
    { "query-named-block-nodes", "[]" },
    { NULL, NULL },
};

//  It is a device like any other still.
static void check_kept (void)
{
    assert_non_null (qemu_alias_find (fake.guest.live, "virtio-disk1"));
    assert_null (fake.guest.news);
    assert_null (strstr (fake.trace, "blockdev-del"));
}

static void test_refused (void **state)
{
    (void) state;
    error_t err = { 0 };
    fake.replies = stays;
    fake.fate = FATE_REFUSED;
    assert_int_equal (detach ("virtio-disk1", &err), -1);
    assert_int_equal (err.code, ERR_OPERATION_FAILED);
    assert_non_null (strstr (err.message, "does not let go of 'virtio-disk1'"));
    check_kept ();
}

static void test_late (void **state)
{
    (void) state;
    error_t err = { 0 };
    fake.replies = stays;
    int64_t began = job_now (&fake.job);
    assert_int_equal (detach ("virtio-disk1", &err), 0);
    assert_false (gone_within);
    assert_int_equal (job_now (&fake.job) - began, WAIT_MS);
    check_kept ();
    //  That is all that this job is about.
    assert_null (guest_recorded (&fake.guest, "unplug/@alias"));
    //  Afterwards it goes after all.
    fake.replies = gone;
    assert_int_equal (qemu_look_at_devices (&fake.job, &err), 0);
    assert_null (qemu_alias_find (fake.guest.live, "virtio-disk1"));
    assert_non_null (qemu_alias_find (fake.guest.live, "scsi0"));
    assert_non_null (qemu_alias_find (fake.guest.live, "input0"));
    assert_int_equal (fake.guest.news->count, 1);
    assert_string_equal (fake.guest.news->items[0], "removed virtio-disk1");
}

static void test_gone (void **state)
{
    (void) state;
    error_t err = { 0 };
    fake.replies = gone;
    assert_int_equal (detach ("virtio-disk1", &err), 0);
    assert_true (gone_within);
    assert_null (qemu_alias_find (fake.guest.live, "virtio-disk1"));
    //  On disk before QEMU is told.
    const char *record = strstr (fake.trace, "record\n");
    assert_non_null (record);
    assert_non_null (strstr (record, "qmp device_del {\"id\":\"virtio-disk1\"}"));
    assert_null (guest_recorded (&fake.guest, "unplug/@alias"));
}

static void test_in_use (void **state)
{
    (void) state;
    error_t err = { 0 };
    fake.replies = stays;
    assert_int_equal (detach ("scsi0", &err), -1);
    assert_non_null (strstr (err.message, "disk 'sda' uses it"));
    assert_int_equal (detach ("input0", &err), -1);
    assert_non_null (strstr (err.message, "PS/2 has no hot-plug"));
    assert_string_equal (fake.trace, "");
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (test_refused, setup, teardown),
        cmocka_unit_test_setup_teardown (test_late, setup, teardown),
        cmocka_unit_test_setup_teardown (test_gone, setup, teardown),
        cmocka_unit_test_setup_teardown (test_in_use, setup, teardown),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
