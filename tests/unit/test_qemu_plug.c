//  test_qemu_plug.c: what becomes of that which goes with a device, when a job that attached it was
//  cut off, by a scripted QEMU.

#include "drivers/qemu/command/qemu_alias.h"
#include "drivers/undo.h"
#include "fake_job.h"
#include "unit.h"
#include "unit_xml.h"

#define PROCESS "4242:77:11111111-2222-3333-4444-555555555555"

static const fake_reply_t has_it[] = {
    { "qom-list", "[{\"name\":\"hostdev0\"}]" },
    { NULL, NULL },
};

static const fake_reply_t has_none[] = {
    { "qom-list", "[]" },
    { NULL, NULL },
};

static const fake_reply_t silent[] = {
    { "qom-list", "!it does not answer" },
    { NULL, NULL },
};

static fake_job_t fake;

static int setup (void **state)
{
    (void) state;
    fake_job_init (&fake, "/nowhere");
    fake.fail = "wait_exit"; //  QEMU runs
    fake.guest.name = text_copy ("web");
    fake.guest.live = unit_xml ("<domain><devices/></domain>");
    fake.guest.record =
        unit_xml ("<driver><process identity='" PROCESS "'/><plug alias='hostdev0'>"
                  "<hostdev type='pci'><alias name='hostdev0'/></hostdev></plug></driver>");
    return 0;
}

static int teardown (void **state)
{
    (void) state;
    free (fake.guest.name);
    fake_job_clear (&fake);
    return 0;
}

//  In the order of the stack, of which nothing is run any more after what is UNSURE.
static void undo (bool unsure)
{
    error_t err = { 0 };
    assert_int_equal (undo_run (&fake.job, "qemu.plug", "hostdev0", &err), unsure ? -1 : 0);
    assert_int_equal (fake.job.unsure, unsure);
    if (!unsure)
        assert_int_equal (undo_run (&fake.job, "file", "/run/x.sock", &err), 0);
}

static bool file_is_removed (void)
{
    return strstr (fake.trace, "remove_file /run/x.sock\n");
}

static void test_not_there (void **state)
{
    (void) state;
    fake.replies = has_none;
    undo (false);
    assert_true (file_is_removed ());
    assert_null (qemu_alias_find (fake.guest.live, "hostdev0"));
}

static void test_kept (void **state)
{
    (void) state;
    fake.replies = has_it;
    undo (false);
    assert_false (file_is_removed ());
    assert_non_null (qemu_alias_find (fake.guest.live, "hostdev0"));
}

//  The job itself fails with the device there: it is the next one's to keep it, with all of it.
static void test_of_the_same_job (void **state)
{
    (void) state;
    fake.replies = has_it;
    fake.job.plugging = true;
    undo (true);
    assert_null (qemu_alias_find (fake.guest.live, "hostdev0"));
}

//  QEMU does not say.
static void test_not_known (void **state)
{
    (void) state;
    fake.replies = silent;
    undo (true);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (test_not_there, setup, teardown),
        cmocka_unit_test_setup_teardown (test_kept, setup, teardown),
        cmocka_unit_test_setup_teardown (test_of_the_same_job, setup, teardown),
        cmocka_unit_test_setup_teardown (test_not_known, setup, teardown),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
