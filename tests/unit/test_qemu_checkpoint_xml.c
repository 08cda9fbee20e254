//  test_qemu_checkpoint_xml.c: what a checkpoint document means, and which ones are refused.

#include "drivers/qemu/storage/qemu_checkpoint_xml.h"
#include "unit.h"
#include "util/text.h"

#include <string.h>

#define NOW 1700000000

static const char guest[] =
    "<domain><devices>"
    "<disk type='file' device='disk'><driver type='qcow2'/><source file='/d/a.qcow2'/>"
    "<target dev='vda'/></disk>"
    "<disk type='file' device='cdrom'><source file='/d/cd.iso'/><target dev='sda'/><readonly/>"
    "</disk>"
    "<disk type='file' device='disk'><driver type='raw'/><source file='/d/b'/>"
    "<target dev='vdb'/></disk>"
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

//  DOC on one line; or the error.
static void check (const xml_t *doc, const error_t *err, const char *wanted)
{
    if (!doc) {
        assert_string_equal (err->message, wanted);
        return;
    }
    autofree char *got = xml_text (doc);
    auto(text_t) line = text_new ();
    for (const char *at = got; *at; at += *at == '\n' ? 1 + strspn (at + 1, " ") : 1)
        if (*at != '\n')
            text_add_char (line, *at);
    assert_string_equal (line->data, wanted);
}

static void check_new (const xml_t *all, const char *text, const char *wanted)
{
    error_t err = { 0 };
    auto(xml_t) doc = qemu_checkpoint_complete (live, all, text, NOW, &err);
    check (doc, &err, wanted);
}

static void check_old (const char *text, const char *wanted)
{
    error_t err = { 0 };
    auto(xml_t) doc = qemu_checkpoint_redefine (text, &err);
    check (doc, &err, wanted);
}

#define CHECKPOINT(inner) "<domaincheckpoint>" inner "</domaincheckpoint>"
#define TIME "<creationTime>1700000000</creationTime>"
#define REST "<disk name='sda' checkpoint='no'/><disk name='vdb' checkpoint='no'/></disks>"

static void test_new (void **state)
{
    (void) state;
    check_new (
        NULL, NULL,
        CHECKPOINT ("<name>1700000000</name>" TIME
                    "<disks><disk name='vda' checkpoint='bitmap' bitmap='1700000000'/>" REST));
    check_new (
        NULL,
        CHECKPOINT ("<description>d</description><name>n</name><creationTime>5</creationTime>"
                    "<parent><name>x</name></parent><disks><disk name='vda'/></disks>"
                    "<domain><anything/></domain>"),
        CHECKPOINT ("<name>n</name><description>d</description>" TIME
                    "<disks><disk name='vda' checkpoint='bitmap' bitmap='n'/>" REST));
}

static void test_next (void **state)
{
    (void) state;
    error_t err;
    static const char text[] = "<checkpoints><domaincheckpoint><name>one</name></domaincheckpoint>"
                               "</checkpoints>";
    auto(xml_t) all = checkpoints_parse (text, &err);
    check_new (all, CHECKPOINT ("<name>two</name>"),
               CHECKPOINT ("<name>two</name><parent><name>one</name></parent>" TIME
                           "<disks><disk name='vda' checkpoint='bitmap' bitmap='two'/>" REST));
    check_new (all, CHECKPOINT ("<name>one</name>"), "the domain has a checkpoint 'one' already");
}

static void test_refused (void **state)
{
    (void) state;
    static const char *const cases[][2] = {
        { CHECKPOINT ("<name>a/b</name>"),
          "checkpoint XML: the name 'a/b': 1 to 200 bytes, and no slash among them" },
        { CHECKPOINT ("<disks><disk name='vdb'/></disks>"),
          "checkpoint XML: disk 'vdb' can't have a bitmap: it has no qcow2 image that is written "
          "to" },
        { CHECKPOINT ("<disks><disk name='vdc'/></disks>"),
          "checkpoint XML: the domain has no disk 'vdc'" },
        { CHECKPOINT ("<disks><disk/></disks>"),
          "checkpoint XML: a <disk> has no name='...', the target of a disk" },
        { CHECKPOINT ("<disks><disk name='vda'/><disk name='vda'/></disks>"),
          "checkpoint XML: disk 'vda' is named twice" },
        { CHECKPOINT ("<disks><disk name='vda' checkpoint='no'/></disks>"),
          "checkpoint XML: no disk takes part in it; a bitmap needs a qcow2 image" },
        { CHECKPOINT ("<name>n</name><disks><disk name='vda' bitmap='b'/></disks>"),
          "checkpoint XML: not supported: disk 'vda': a bitmap 'b' that does not have the "
          "checkpoint's name" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_new (NULL, cases[i][0], cases[i][1]);
}

//  What is known of one comes from its own document, whatever disks there are.
static void test_redefined (void **state)
{
    (void) state;
    check_old (CHECKPOINT ("<name>n</name><parent><name>p</name></parent>"
                           "<creationTime>5</creationTime><disks>"
                           "<disk name='vdx' checkpoint='bitmap' bitmap='n' size='7'/>"
                           "<disk name='vdy' checkpoint='no'/></disks><domain/>"),
               CHECKPOINT ("<name>n</name><parent><name>p</name></parent>"
                           "<creationTime>5</creationTime><disks>"
                           "<disk name='vdx' checkpoint='bitmap' bitmap='n'/>"
                           "<disk name='vdy' checkpoint='no'/></disks>"));
    check_old (CHECKPOINT ("<name>n</name>"),
               "checkpoint XML: to redefine one, it has to say name, creationTime and disks");
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_new),
        cmocka_unit_test (test_next),
        cmocka_unit_test (test_refused),
        cmocka_unit_test (test_redefined),
    };
    return cmocka_run_group_tests (tests, setup, teardown);
}
