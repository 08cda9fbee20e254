//  test_qemu_backup_xml.c: what a backup document means, and which ones are refused.

#include "drivers/qemu/storage/qemu_backup_xml.h"
#include "unit.h"
#include "util/text.h"

#define NOW 1700000000

static const char guest[] =
    "<domain><devices>"
    "<disk type='file' device='disk'><source file='/d/a.qcow2'/><target dev='vda'/></disk>"
    "<disk type='file' device='cdrom'><source file='/d/cd.iso'/><target dev='sda'/><readonly/>"
    "</disk>"
    "<disk type='block' device='disk'><source dev='/dev/b'/><target dev='vdb'/></disk>"
    "</devices></domain>";

static xml_t *live;

static int setup (void **state)
{
    (void) state;
    error_t err;
    xml_init ();
    live = xml_parse (guest, strlen (guest), "guest", &err);
    return live ? 0 : -1;
}

static int teardown (void **state)
{
    (void) state;
    xml_destroy (&live);
    return 0;
}

//  What TEXT is completed to, on one line; or the error.
static void check (const char *text, const char *wanted)
{
    error_t err;
    auto(xml_t) doc = qemu_backup_complete (live, text, NOW, &err);
    if (!doc) {
        assert_string_equal (err.message, wanted);
        return;
    }
    autofree char *got = xml_text (doc);
    auto(text_t) line = text_new ();
    for (const char *at = got; *at; at += *at == '\n' ? 1 + strspn (at + 1, " ") : 1)
        if (*at != '\n')
            text_add_char (line, *at);
    assert_string_equal (line->data, wanted);
}

#define PUSH(inner) "<domainbackup><disks>" inner "</disks></domainbackup>"
#define PULL(inner)                                                                                \
    "<domainbackup mode='pull'><server transport='unix' socket='/s'/><disks>" inner                \
    "</disks></domainbackup>"
#define REST "<disk name='sda' backup='no'/><disk name='vdb' backup='no'/>"

static void test_push (void **state)
{
    (void) state;
    check (PUSH ("<disk name='vda'/>"),
           "<domainbackup mode='push'><disks><disk name='vda' backup='yes' backupmode='full' "
           "type='file'><driver type='qcow2'/><target file='/d/a.qcow2.1700000000'/></disk>" REST
           "</disks></domainbackup>");
    check (PUSH ("<disk name='vdb' type='block'><driver type='raw'/><target dev='/dev/t'/></disk>"
                 "<disk name='vda' backup='no'/>"),
           "<domainbackup mode='push'><disks><disk name='vdb' type='block' backup='yes' "
           "backupmode='full'><driver type='raw'/><target dev='/dev/t'/></disk>"
           "<disk name='vda' backup='no'/><disk name='sda' backup='no'/></disks></domainbackup>");
}

//  A completed document stays as it is.
static void test_again (void **state)
{
    (void) state;
    error_t err;
    auto(xml_t) once = qemu_backup_complete (live, PUSH ("<disk name='vda'/>"), NOW, &err);
    autofree char *text = xml_text (once);
    auto(xml_t) twice = qemu_backup_complete (live, text, NOW + 1, &err);
    autofree char *same = xml_text (twice);
    assert_string_equal (text, same);
}

static void test_pull (void **state)
{
    (void) state;
    check ("<domainbackup mode='pull'><incremental>c1</incremental><server/><disks>"
           "<disk name='vda' exportname='x'><scratch file='/t'/></disk></disks></domainbackup>",
           "<domainbackup mode='pull'><incremental>c1</incremental><server transport='tcp' "
           "name='localhost' port='10809'/><disks><disk name='vda' exportname='x' backup='yes' "
           "incremental='c1' backupmode='incremental' exportbitmap='backup-vda' type='file'>"
           "<scratch file='/t'/><driver type='qcow2'/></disk>" REST "</disks></domainbackup>");
    check (PULL ("<disk name='vda' backupmode='full'/>"),
           "<domainbackup mode='pull'><server transport='unix' socket='/s'/><disks>"
           "<disk name='vda' backupmode='full' backup='yes' exportname='vda' type='file'>"
           "<driver type='qcow2'/><scratch file='/d/a.qcow2.1700000000'/></disk>" REST
           "</disks></domainbackup>");
}

static void test_incremental_of_one_disk (void **state)
{
    (void) state;
    check (
        PUSH ("<disk name='vda' incremental='c2'><target file='/t'/></disk>"),
        "<domainbackup mode='push'><disks><disk name='vda' incremental='c2' backup='yes' "
        "backupmode='incremental' type='file'><target file='/t'/><driver type='qcow2'/></disk>" REST
        "</disks></domainbackup>");
}

static void test_refused (void **state)
{
    (void) state;
    static const char *const refused[][2] = {
        { "<backup/>", "backup XML: the root element is <backup>, not <domainbackup>" },
        { NULL, "backup XML: disk 'vdb' is a device of the host: say which file its backup goes "
                "to" },
        { PUSH ("<disk name='vdz'/>"), "backup XML: the domain has no disk 'vdz'" },
        { PUSH ("<disk name='sda'/>"),
          "backup XML: disk 'sda' can't be backed up: it has no image that is written to" },
        { PUSH ("<disk name='vda' backup='no'/>"), "backup XML: no disk takes part in it" },
        { PUSH ("<disk name='vda'/><disk name='vda'/>"), "backup XML: disk 'vda' is named twice" },
        { PUSH ("<disk name='vda'><target file='/d/cd.iso'/></disk>"),
          "backup XML: disk 'vda': '/d/cd.iso' is the image of the domain's disk 'sda'" },
        { PUSH ("<disk name='vda'><target file='t'/></disk>"),
          "backup XML: disk 'vda': the path 't' is not absolute" },
        { PUSH ("<disk name='vda'><scratch file='/t'/></disk>"),
          "backup XML: disk 'vda': <scratch> does not go with mode='push'" },
        { PUSH ("<disk name='vda' backupmode='incremental'/>"),
          "backup XML: disk 'vda': backupmode='incremental' needs incremental='CHECKPOINT'" },
        { PUSH ("<disk name='vda' backupmode='full' incremental='c'/>"),
          "backup XML: disk 'vda': backupmode='full' does not go with incremental='c'" },
        { PUSH ("<disk name='vda' exportname='x'/>"),
          "backup XML: disk 'vda': exportname and exportbitmap go with mode='pull'" },
        { PUSH ("<disk name='vda'><target file='/t'/></disk>"
                "<disk name='vdb'><target file='/t'/></disk>"),
          "backup XML: the disks 'vda' and 'vdb' both go to '/t'" },
        { PULL ("<disk name='vda'><driver type='raw'/></disk>"),
          "backup XML: not supported: disk 'vda': a scratch image of another format than qcow2" },
        { "<domainbackup mode='pull'/>",
          "backup XML: mode='pull' needs a <server>: transport='unix' with a socket, or "
          "transport='tcp' with name and port" },
        { "<domainbackup mode='pull'><server tls='yes'/></domainbackup>",
          "not supported: domainbackup/server/@tls 'yes'; it can be no" },
        { "<domainbackup mode='pull'><server transport='unix'/></domainbackup>",
          "backup XML: server: transport='unix' needs socket='...', an absolute path" },
        { "<domainbackup><server/></domainbackup>", "backup XML: <server> goes with mode='pull'" },
        { PUSH ("<disk name='vda'><target file='/t'><encryption/></target></disk>"),
          "not supported: <domainbackup/disks/disk/target/encryption>; remove it from the "
          "definition" },
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        check (refused[i][0], refused[i][1]);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_push),    cmocka_unit_test (test_again),
        cmocka_unit_test (test_pull),    cmocka_unit_test (test_incremental_of_one_disk),
        cmocka_unit_test (test_refused),
    };
    return cmocka_run_group_tests (tests, setup, teardown);
}
