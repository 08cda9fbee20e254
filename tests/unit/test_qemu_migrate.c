//  test_qemu_migrate.c: what is not sent to another host unasked, since it may be something else
//  there; and who may go on here. That guests migrate is the test of real ones.

#include "drivers/qemu/memory/qemu_migrate.h"
#include "qemu_fixture.h"
#include "unit_xml.h"

#define USB(source) "<hostdev mode='subsystem' type='usb'><source>" source "</source></hostdev>"
#define PLACE "<address bus='1' device='4'/>"
#define NAME "<vendor id='0x627'/><product id='1'/>"
#define SCSI                                                                                       \
    "<hostdev mode='subsystem' type='scsi'><source><adapter name='scsi_host1'/>"                   \
    "<address bus='0' target='1' unit='0'/></source></hostdev>"
#define DISK "<disk type='file'><source file='/tmp'/><target dev='vda' bus='virtio'/></disk>"

//  What is asked for before anything is done; NULL: nothing is against it.
static char *begin (const char *devices, migration_t *migration)
{
    error_t err = { 0 };
    fake_job_t fake;
    fake_job_init (&fake, "/nowhere");
    autofree char *rest = text_format ("<devices>%s</devices>", devices);
    auto(xml_t) live = qemu_completed ("q35", rest);
    auto(xml_t) record = unit_xml ("<driver/>");
    qemu_set_aliases (live);
    fake.caps = qemu_caps_text;
    fake.guest.name = (char *) (uintptr_t) "fixture";
    fake.guest.live = live;
    fake.guest.record = record;
    auto(xml_t) document = qemu_migrate_begin (&fake.job, NULL, migration, &err);
    if (!document)
        assert_int_equal (err.code, ERR_MIGRATE_UNSAFE);
    else
        assert_int_equal (migration->prepare_ms, 120000); //  no memory that is to be had at once
    return document ? NULL : text_copy (err.message);
}

static void test_unsafe (void **state)
{
    (void) state;
    static const struct {
        const char *devices, *words;
    } cases[] = {
        { USB (PLACE), "the USB device 'hostdev0' is known by its place on this host only" },
        { USB (NAME "<address bus='1' device='5'/>") USB (PLACE), "'hostdev1'" },
        { SCSI, "the SCSI device 'hostdev0' is known by its place on this host only" },
        { DISK, "disk 'vda' is the file '/tmp', which is on no shared file system" },
        { USB (NAME), NULL },
        { "", NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        migration_t near = { .local = true }, unsafe = { .unsafe = true },
                    plain = { .local = false };
        autofree char *refused = begin (cases[i].devices, &plain);
        assert_int_equal (refused != NULL, cases[i].words != NULL);
        if (refused)
            assert_has (refused, cases[i].words);
        assert_null (begin (cases[i].devices, &near));
        assert_null (begin (cases[i].devices, &unsafe));
    }
}

//  QEMU calls a migration over a moment before it lets the guest go on: it is asked again.
static void test_not_finalized (void **state)
{
    (void) state;
    const fake_reply_t replies[] = { { "query-migrate", "{\"status\": \"completed\"}" },
                                     { "query-status", "{\"status\": \"finish-migrate\"}" },
                                     { "cont", "!Migration is not finalized yet" },
                                     { 0 } };
    error_t err = { 0 };
    fake_job_t fake;
    fake_job_init (&fake, "/nowhere");
    fake.guest.live = unit_xml ("<domain/>");
    fake.guest.record = unit_xml ("<driver/>");
    fake.replies = replies;
    assert_int_equal (qemu_migrate_call_off (&fake.job, "live", &err), -1);
    assert_has (err.message, "Migration is not finalized yet");
    assert_true (fake.now >= 10000);
    fake_job_clear (&fake);
}

//  While the other host prepares, and once all was sent.
static void test_a_wish_that_comes_too_early_or_too_late (void **state)
{
    (void) state;
    static const struct {
        const char *status, *words;
    } cases[] = {
        { "{}", "QEMU sends nothing at present ('none')" },
        { "{\"status\":\"failed\"}", "QEMU sends nothing at present ('failed')" },
        { "{\"status\":\"completed\"}", "QEMU sends nothing at present ('completed')" },
        { "{\"status\":\"active\"}", "only during postcopy" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        error_t err = { 0 };
        fake_job_t fake;
        const fake_reply_t replies[] = { { "migrate-pause", "!only during postcopy" },
                                         { "migrate-start-postcopy", "!only during postcopy" },
                                         { "query-migrate", cases[i].status },
                                         { NULL, NULL } };
        const migrate_tuning_t breaks = { .break_postcopy = true },
                               starts = { .start_postcopy = true };
        fake_job_init (&fake, "/nowhere");
        fake.replies = replies;
        assert_int_equal (qemu_migrate_tune (&fake.job, &breaks, &err), -1);
        assert_has (err.message, cases[i].words);
        assert_int_equal (qemu_migrate_tune (&fake.job, &starts, &err), -1);
        assert_has (err.message, cases[i].words);
    }
}

int main (void)
{
    xml_init ();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_unsafe),
        cmocka_unit_test (test_not_finalized),
        cmocka_unit_test (test_a_wish_that_comes_too_early_or_too_late),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
