//  test_qemu_backup_server.c: the end of what a pull is read through.

#include "drivers/qemu/storage/qemu_backup.h"
#include "fake_job.h"
#include "unit_xml.h"

#define EXPORT(name, ends) "{\"id\":\"" name "\",\"type\":\"nbd\",\"shutting-down\":" ends "}"

static fake_job_t fake;

static int setup (void **state)
{
    (void) state;
    fake_job_init (&fake, "/nowhere");
    fake.guest.name = "web";
    fake.guest.backup = unit_xml (
        "<backup state='running'><domainbackup mode='pull'><server transport='unix' "
        "socket='/nowhere/socket'/><disks/></domainbackup><store disk='vda' node='backup-vda'/>"
        "<store disk='vdb' node='backup-vdb'/><store disk='vdc' node='backup-vdc'/>"
        "<server socket='/nowhere/socket'/></backup>");
    return 0;
}

static int teardown (void **state)
{
    (void) state;
    xml_destroy (&fake.guest.backup);
    return 0;
}

//  A job before this one may have told QEMU to end one, which waits for its last request; QEMU
//  refuses to be told twice. Another one is gone by now.
static void test_an_export_that_is_about_to_end (void **state)
{
    (void) state;
    error_t err = { 0 };
    static const fake_reply_t exports[] = { { "query-block-exports",
                                              "[" EXPORT ("backup-vda", "true") "," EXPORT (
                                                  "backup-vdb", "false") "]" },
                                            { NULL, NULL } };
    fake.replies = exports;
    if (qemu_backup_stop_server (&fake.job, &err))
        fail_msg ("%s", err.message);
    assert_null (strstr (fake.trace, "block-export-del {\"id\":\"backup-vda\""));
    assert_non_null (strstr (fake.trace, "block-export-del {\"id\":\"backup-vdb\""));
    assert_null (strstr (fake.trace, "block-export-del {\"id\":\"backup-vdc\""));
    assert_non_null (strstr (fake.trace, "qmp nbd-server-stop"));
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (test_an_export_that_is_about_to_end, setup, teardown),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
